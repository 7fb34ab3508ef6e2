#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Attaches to a program of 16 threads that allocate as fast as they can, and
# lets it go again, $CYCLES times (default 10; 1000 in the long run).  In every
# cycle every thread must be seen; the program itself checks its blocks, its
# text and its tracers at the end.
#
#   attach-cycles.sh [PROGRAM]
: "${CYCLES:=10}" "${OUT:=.}"
[ $# = 0 ] || PROGRAM=$(realpath "$1")
. "$(dirname "$0")/background.sh"
rm -f stop
launch stop 2>complaints
await said ready

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
		timeout -s INT $ms "$MTRACE" -q -d 4 --export json:cycle.json -p "$program" 2>err
		status=$?
		[ $status -eq 0 ] || [ $status -eq 124 ] ||
			fail "cycle $cycle: exit status $status"
		kill -0 "$program" 2>/dev/null || fail "cycle $cycle killed it: $(cat complaints)"
		all_seen cycle.json && break
	done
	all_seen cycle.json || fail "cycle $cycle: not every thread was seen"
done

touch stop
wait "$program"
status=$? program=
[ $status -eq 0 ] || fail "it says $(cat complaints) (exit status $status)"
echo "$CYCLES cycles"
