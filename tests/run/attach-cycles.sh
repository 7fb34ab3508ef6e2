#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Attaches to a program of 16 threads that allocate as fast as they can, and
# lets it go again, $CYCLES times (default 10; 1000 in the long run).  In every
# cycle every thread must be seen; the program itself checks its blocks, its
# text and its tracers at the end.
#
#   attach-cycles.sh [PROGRAM]
set -u

program=${1:-$PROGRAM}
: "${CYCLES:=10}" "${OUT:=.}"
stop=$OUT/stop
rm -f "$stop"
"$program" "$stop" >"$OUT/said" 2>"$OUT/complaints" &
pid=$!

fail() {
	echo "$*"
	kill -0 "$pid" 2>/dev/null || { wait "$pid"; echo "program status $?"; }
	touch "$stop"
	kill -KILL "$pid" 2>/dev/null
	exit 1
}

tries=0
until grep -q ready "$OUT/said"; do
	kill -0 "$pid" 2>/dev/null || fail "it ended before it was ready: $(cat "$OUT/complaints")"
	tries=$((tries + 1))
	[ $tries -lt 500 ] || fail "it is not ready after 5 s"
	sleep 0.01
done

# All sixteen functions, one for each thread, must be in the export.
all_seen() {
	i=0
	while [ $i -lt 16 ]; do
		grep -q "\"text_alloc_$i\"" "$1" 2>/dev/null || return 1
		i=$((i + 1))
	done
}

cycle=0
while [ $cycle -lt "$CYCLES" ]; do
	cycle=$((cycle + 1))
	# On a busy machine a thread may have to wait for its turn: ask longer.
	for ms in 0.1 0.4 2 10; do
		timeout -s INT $ms "$MTRACE" -q -d 4 --export json:"$OUT/cycle.json" -p "$pid" \
			2>"$OUT/cycle.err"
		status=$?
		[ $status -eq 0 ] || [ $status -eq 124 ] ||
			fail "cycle $cycle: exit status $status: $(cat "$OUT/cycle.err")"
		kill -0 "$pid" 2>/dev/null || fail "cycle $cycle killed it: $(cat "$OUT/complaints")"
		all_seen "$OUT/cycle.json" && break
	done
	all_seen "$OUT/cycle.json" || fail "cycle $cycle: not every thread was seen"
done

touch "$stop"
wait "$pid"
status=$?
[ $status -eq 0 ] || fail "it says $(cat "$OUT/complaints") (exit status $status)"
echo "$CYCLES cycles"
