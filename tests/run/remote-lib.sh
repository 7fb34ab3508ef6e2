# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by tests that hold a client's report against that of the server's log.  They
# work in $OUT; `server` is the server's pid, or empty, and what it says is in server.err.
set -u
cd "$OUT" || exit 1
server=

fail() {
	echo "$*"
	tail -n 20 server.err client.err 2>/dev/null
	[ -z "$server" ] || kill -KILL "$server" 2>/dev/null
	exit 1
}

# serve WHAT COMMAND...: runs mtrace with its -r; WHAT names it in messages.
serve() {
	serving=$1
	shift
	rm -f log
	: >server.err # not that of the server before
	"$@" >server.out 2>server.err &
	server=$!
	tries=0
	until grep -q "^mtrace: .*mtrace -r " server.err; do
		kill -0 $server 2>/dev/null || fail "the server has ended: $serving"
		[ $((tries += 1)) -lt 200 ] || fail "the server does not come up: $serving"
		sleep 0.05
	done
}

# finish STATUS: the server ends with that.
finish() {
	wait $server
	status=$?
	server=
	[ $status = "$1" ] || fail "the server's exit status is $status, not $1"
}

# same WHAT: the client's last report is the log's.
same() {
	"$MTRACE" -l log -o log.txt --export json:log.json || fail "$1: the log cannot be read"
	cmp log.json client.json && cmp log.txt client.txt || fail "$1: the reports differ"
}
