#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A launched program stands at its entry until somebody lets it begin.
set -u
cd "$OUT" || exit 1
failed=0

wrong() {
	echo "wrong: $*"
	tail -n 30 out err 2>/dev/null
	failed=1
}

console() { # STATUS COMMAND...
	status=$1
	shift
	printf '%s\n' "$@" | timeout 60 "$MTRACE" -i "$PROGRAM" >out 2>err
	status_is=$?
	[ $status_is = "$status" ] || wrong "$1: status $status_is"
	said=$(grep -n '^constructor$' out | cut -d: -f1)
}
has() { # REGEX
	grep -Eq -e "$1" out || wrong "no '$1' in what the console says"
}
# How it ended, as the kernel and the tracer see it.
ended() { # REGEX
	has "exited with status 7|was killed by SIGKILL|was let go"
	has "$1"
}

# It can be looked at, nothing of it has run, and nothing of it is missed later.
console 0 'show info' proclist status 'set depth 20' scan mark stop start 'wait' status top
has 'launched, .*, 1 thread, [2-9] modules, 0 open blocks, held at its entry$'
has '^ *[0-9]+  .* is still running '
[ "$(grep -n 'held at its entry' out | cut -d: -f1)" -lt "${said:-0}" ] || wrong "its constructor ran before start"
has '^main$'
ended 'exited with status 7'
has 'before_main'
grep -q "stands at its entry: .start. lets it begin" err || wrong "nothing is said of the entry"

# To wait for it would be for ever.
console 1 'wait 1' start wait
grep -q 'nothing runs yet: start' err || wrong "wait before start"
has '^main$'

# Left, it never begins; let go, it runs on untraced; killed, it is dead.
console 0 quit
[ -z "$said" ] || wrong "it ran when the console was left"
console 0 detach status
ended 'was let go'
pid=$(sed -n 's/.*tracing .* (pid \([0-9]*\))$/\1/p' err)
tries=0
while kill -0 "$pid" 2>/dev/null && [ $((tries += 1)) -lt 200 ]; do
	sleep 0.05
done
has '^main$'
console 0 kill wait status
ended 'was killed by SIGKILL'
[ -z "$said" ] || wrong "it ran before it was killed"

# Who serves lets it begin when a client is there, and says so when it cannot be launched.
"$MTRACE" -r ./s -w "$PROGRAM" >out 2>err &
server=$!
tries=0
until grep -q 'stands at its entry: waiting for a client' err; do
	[ $((tries += 1)) -lt 200 ] || { wrong "the server does not wait"; break; }
	sleep 0.05
done
[ ! -s out ] || wrong "it has begun without a client"
timeout 60 "$MTRACE" -r ./s >report 2>&1 || wrong "the client: status $?"
wait $server
[ $? = 7 ] || wrong "the server's status"
has '^constructor$'
grep -q 'before_main' report || { cat report; wrong "the client was not told of the constructor's block"; }
timeout 60 "$MTRACE" -r ./s -w ./nothing >out 2>err
[ $? = 127 ] || wrong "-w of no program: status $?"
printf 'help\n' | timeout 60 "$MTRACE" -i ./nothing >out 2>err
[ $? = 127 ] && [ ! -s out ] || wrong "-i of no program"

exit $failed
