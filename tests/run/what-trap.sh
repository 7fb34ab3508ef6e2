#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A place where there can be no probe is named as it was asked for, by symbol or by
# OBJECT+OFFSET, and with the reason.
set -u

for place in trapped "${PROGRAM##*/}+$(cat "$OUT/offset")"; do
	rm -f "$EXPECT"
	timeout -k 5 "$TIMEOUT" "$MTRACE" --alloc "$place:size=1" --export json:"$JSON" "$PROGRAM" 2>"$STDERR" ||
		{ echo "$place: exit status $?"; cat "$STDERR"; exit 1; }
	"$OUT/../../expect" "$EXPECT" "$JSON" || exit 1
	grep -qF "mtrace: $place in $PROGRAM cannot be observed: the program has a breakpoint instruction" "$STDERR" ||
		{ echo "not told: $place"; cat "$STDERR"; exit 1; }
done
