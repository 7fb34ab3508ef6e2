#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A static program with a section of 300 MB and many symbols: neither is read
# into memory, and it starts at once.
#
#   what-large.sh
set -u

command -v objcopy >/dev/null || { echo "no objcopy here"; exit 77; }
big=$OUT/big
awk 'BEGIN { for (i = 0; i < 200000; i++) printf ".globl many_%d\nmany_%d:\n nop\n", i, i }' >"$OUT/many.s"
# The section is sparse: on most file systems it takes no room.
truncate -s 300M "$OUT/filler" &&
	$CC -static -o "$big" "$(dirname "$0")/hello.c" -g -D_GNU_SOURCE -DLIBC_ALLOCATES "$OUT/many.s" 2>"$OUT/build.log" ||
	{ echo "no static programs here"; exit 77; }
objcopy --add-section filler="$OUT/filler" --set-section-flags filler=alloc,readonly \
	--change-section-address filler=0x20000000 "$big" 2>/dev/null ||
	objcopy --add-section filler="$OUT/filler" "$big" || exit 77
rm -f "$OUT/filler" "$OUT/many.s"
"$MTRACE" --export json:"$JSON" "$big" 2>"$STDERR" & tracer=$!
peak=0
while [ -r /proc/$tracer/status ]; do
	now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$tracer/status 2>/dev/null)
	[ "${now:-0}" -gt $peak ] && peak=$now
	[ -n "$now" ] || break
done
wait $tracer || { echo "exit status $?"; cat "$STDERR"; exit 1; }
rm -f "$big"
echo "at most $peak kB"
[ "$peak" -lt 100000 ] || exit 1
"$OUT/../../expect" "$EXPECT" "$JSON"
