#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# glibc's reader, the perl program mtrace, takes our trace without complaint, and finds
# what the program says is left.
set -u
cd "$OUT" || exit 1
reader=
IFS=:
for folder in $PATH; do
	[ -x "$folder/mtrace" ] && head -n 1 "$folder/mtrace" | grep -q perl && reader=$folder/mtrace
done
unset IFS
[ "$reader" ] && command -v addr2line >/dev/null ||
	{ echo "no perl program mtrace (libc-devtools) and addr2line here"; exit 77; }

timeout -k 5 50 "$MTRACE" -q --trace=glibc -o trace "$PROGRAM" glibc </dev/null 3>left >said 2>err ||
	{ echo "status $?"; cat err; exit 1; }
timeout -k 5 50 "$reader" "$PROGRAM" trace >found 2>&1
grep -E "Alloc|Free|Realloc|duplicate|never" found && { echo "it complains"; exit 1; }
# "0x0000563a 0x32  at /…/trace-formats.c:71"
sed -n 's/^\(0x[0-9a-f]*\) *\(0x[0-9a-f]*\) *at .*:\([0-9]*\).*/\1 \2 \3/p' found |
	while read -r addr size line; do
		printf '0x%x %d %s\n' "$addr" "$size" "$line"
	done | sort >have
sort left >want
diff want have || { echo "other leaks than the program says (<)"; exit 1; }
