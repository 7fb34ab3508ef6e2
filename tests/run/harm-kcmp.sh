#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A child that shares the program's memory is told from a copy where kcmp(2) is
# refused as well: with injected pages, with slots in padding, and without slots.
#
#   harm-kcmp.sh            the program is traced
#   harm-kcmp.sh program    the program drives mtrace itself
set -u
[ "${1-}" != program ] || exec "$OUT/harm-kcmp" "$PROGRAM"

for slots in pages padding none; do
	rm -f "$EXPECT"
	MTRACE_SLOTS=$slots timeout 50 "$OUT/harm-kcmp" "$MTRACE" -D --export json:"$JSON" "$PROGRAM" \
		>"$STDOUT" 2>"$STDERR" || { echo "$slots: exit status $?"; tail -20 "$STDERR"; exit 1; }
	"$OUT/../../expect" "$EXPECT" "$JSON" || { echo "with slots in $slots"; exit 1; }
done
