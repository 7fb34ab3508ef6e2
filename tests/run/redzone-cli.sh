#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Where red zones are refused; what is said of an overrun; that the rest does not depend on
# the leak scan.
set -u
cd "$OUT" || exit 1
wrong() {
	echo "$*"
	cat err
	exit 1
}
refused() { # TEXT ARGUMENTS...
	text=$1
	shift
	timeout -k 5 "$TIMEOUT" "$MTRACE" --redzone-size=16 "$@" >out 2>err </dev/null
	[ $? = 125 ] && grep -q -- "$text" err || wrong "$*: not refused"
}
refused 'do not go together' -p 1
refused 'every release' -n "$PROGRAM"
refused 'every release' -O libc.so.6 "$PROGRAM"
refused 'every release' --detach-on-exit "$PROGRAM"
for options in '' --no-autoscan; do
	timeout -k 5 "$TIMEOUT" "$MTRACE" $options --redzone-size=16 "$PROGRAM" >out 2>err </dev/null ||
		wrong "status $?"
	grep -Eq '^mtrace: overrun of 0x[0-9a-f]+ \(1,000 bytes\): 1 byte at \+1000: 00  "."$' err ||
		wrong "no first overrun"
	grep -Eq 'overrun of 0x[0-9a-f]+ \(100 bytes\): 1 byte at \+100: 01' err || wrong "by realloc"
	grep -Eq 'overrun of 0x[0-9a-f]+ \(0 bytes\): 1 byte at \+0: 01' err || wrong "at the end"
	grep -q 'found when all blocks were looked at' err || wrong "how it was found"
done
# Without red zones nothing is said.
timeout -k 5 "$TIMEOUT" "$MTRACE" "$PROGRAM" good >out 2>err </dev/null
! grep -q overrun err || wrong "overruns without red zones"

# Left before its end: it is looked at once more, and what stays is said.
: >out
timeout -k 5 "$TIMEOUT" "$MTRACE" --redzone-size=16 "$PROGRAM" wait >out 2>err </dev/null &
timeout=$!
tries=0
until grep -q waiting out; do
	tries=$((tries + 1))
	[ $tries -lt 1000 ] || wrong "it does not wait"
	sleep 0.02
done
kill -TERM $timeout
wait $timeout
grep -Eq 'overrun of 0x[0-9a-f]+ \(40 bytes\): 1 byte at \+42: 78  "x"$' err || wrong "not seen when left"
grep -Eq '^mtrace: 1 block of redzone \([0-9]+\) stays larger' err || wrong "what stays is not said"

# The process is left to a debugger at the release of a damaged block.
timeout -k 5 "$TIMEOUT" "$MTRACE" --redzone-size=16 --stop-on-error "$PROGRAM" >out 2>err </dev/null &
timeout=$!
tries=0
until grep -q 'is stopped at the error' err; do
	tries=$((tries + 1))
	[ $tries -lt 1000 ] || wrong "not stopped"
	sleep 0.02
done
pid=$(sed -n 's/.*is stopped at the error.*gdb -p \([0-9]*\)$/\1/p' err)
kill -KILL "$pid"
wait $timeout
[ $? = 137 ] || wrong "the end of a stopped program"
