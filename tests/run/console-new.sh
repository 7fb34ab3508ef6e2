#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# `scan new` of a server's program: what is lost now, and was not there at the last scan.
# The console's input is a pipe, at descriptor 4.
. "${0%/*}/server-lib.sh"

scan_new() { # BLOCKS SIZE: it lists so many of that size
	scans=$((scans + 1))
	: >out
	printf 'scan new\nshow marks\n' >&4
	await 1 "^mark $scans after" out # each scan sets one
	[ "$(grep -c "^ *0x[0-9a-f]*  *$2 " out)" = "$1" ] ||
		{ cat out; wrong "scan new $scans: not $1 blocks of $2 bytes"; }
}
# A pointer to the last one may be left in some register.
lose() { # SIZE
	tell "one 0 $1" 'two 0 7' 'free 0'
}

serve
await 1 ready said
rm -f keys
mkfifo keys
: >out
"$MTRACE" -i -r ./s <keys >>out 2>console.err 3>&- 5>&- &
console=$!
exec 4>keys
scans=0
lose 100
lose 100
lose 99
scan_new 2 100
tell 'one 1 50'
scan_new 0 100
scan_new 0 50
lose 300
lose 299
scan_new 1 300
scan_new 0 100
scan_new 0 300
has '^no new leaks$' out
exec 3>&-
await 1 'tracing has ended' console.err # else the server would wait for a client to tell
exec 4>&-
wait $console || wrong "the console: status $?"
finish
[ $status = 0 ] || wrong "status $status"
exit $failed
