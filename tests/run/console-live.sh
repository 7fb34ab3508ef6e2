#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The console on a program that runs: launched, attached, and by way of a server.
set -u
cd "$OUT" || exit 1
failed=0

wrong() {
	echo "wrong: $*"
	tail -n 30 out err 2>/dev/null
	failed=1
}

# Nothing runs before `start` (console-entry.sh); what is asked after `wait` is of its end.
printf 'start\nwait\nshow info\nstatus\nleaks\nquit\n' >script
"$MTRACE" -x script "$PROGRAM" says >out 2>err
[ $? = 0 ] || wrong "a script: status $?"
grep -q '^the program says so$' out || wrong "the program's output is missing"
grep -q 'exited with status 0' out || wrong "status after the end"
grep -q '10 allocs' out || wrong "figures after the end"

# Left before it has begun, it never begins.
echo quit | "$MTRACE" -i "$PROGRAM" says >out 2>err || wrong "quit: status $?"
! grep -q 'the program says so' out || wrong "it ran without start"

# What is asked while it runs: every request.
printf '%s\n' start 'wait 1' 'show info' status list scan mark 'set depth 4' 'top 3' stop 'wait 1' \
	start reset errors export\ json\ live.json detach status quit >script
timeout 60 "$MTRACE" -i "$PROGRAM" wait <script >out 2>err || wrong "live: status $?"
grep -q '4 frames of a backtrace\|frames of a backtrace' out || wrong "show info"
grep -q 'still running' out || wrong "status while it runs"
grep -q 'was let go' out || wrong "detach"
[ -s live.json ] || wrong "export"
pid=$(sed -n 's/.*tracing .* (pid \([0-9]*\))$/\1/p' err)
kill -0 "$pid" 2>/dev/null || wrong "the program does not run on when it was let go"
[ "$(sed -n 's/^TracerPid:[^0-9]*//p' "/proc/$pid/status")" = 0 ] || wrong "it is still traced"

# An attached one, which goes on when the console is left.
printf 'wait 1\nstatus\nquit\n' | timeout 60 "$MTRACE" -i -p "$pid" >out 2>err || wrong "attached: status $?"
grep -q 'still running' out || wrong "attached: status"
tries=0
while [ "$(sed -n 's/^TracerPid:[^0-9]*//p' "/proc/$pid/status")" != 0 ]; do
	[ $((tries += 1)) -lt 100 ] || { wrong "attached: it is still traced"; break; }
	sleep 0.05
done
kill "$pid"

# By way of a server.
"$MTRACE" -r ./s "$PROGRAM" wait >said 2>server &
server=$!
tries=0
until [ -S s ]; do
	[ $((tries += 1)) -lt 100 ] || { wrong "no server"; break; }
	sleep 0.05
done
printf 'wait 1\nstatus\nkill\nwait\nstatus\n' | timeout 60 "$MTRACE" -i -r ./s >out 2>err ||
	wrong "by way of a server: status $?"
grep -q 'was killed by SIGKILL' out || wrong "kill"
wait $server

exit $failed
