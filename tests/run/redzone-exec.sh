#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Red zones are looked at before an exec, wherever instructions are displaced to.
set -u
cd "$OUT" || exit 1
ulimit -c 0
for slots in page padding none; do
	rm -f "$EXPECT"
	MTRACE_SLOTS=$slots timeout -k 5 "$TIMEOUT" "$MTRACE" -D --redzone-size=16 --export json:"$JSON" \
		-o report.txt "$PROGRAM" 2>err || { echo "$slots: status $?"; tail err; exit 1; }
	# Then a system call has no breakpoint, and nothing is looked at before it.
	! grep -q 'this machine has no single step: some calls are not observed' err || continue
	"$OUT/../../expect" "$EXPECT" "$JSON" || { echo "$slots"; exit 1; }
	for size in 70 80 90; do
		by=looked
		[ $size != 70 ] || by='released by'
		grep -A 1 "overrun of .*($size bytes): 1 byte at +$size" report.txt | grep -q "$by" ||
			{ echo "$slots: $size bytes"; cat report.txt; exit 1; }
	done
done
