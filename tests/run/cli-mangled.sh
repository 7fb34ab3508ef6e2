#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs whose ELF header, program headers, dynamic section or end are damaged
# end as they end untraced; mtrace neither crashes nor hangs.
set -u
cd "$OUT" || exit 1
size=$(wc -c <"$PROGRAM")
dynamic=$(readelf -lW "$PROGRAM" 2>/dev/null | sed -n 's/^ *DYNAMIC *\(0x[0-9a-f]*\).*/\1/p')
failed=0

compare() {
	timeout -s KILL 10 ./mangled </dev/null >/dev/null 2>&1
	plain=$?
	timeout -k 5 30 "$MTRACE" -q -o report ./mangled </dev/null >/dev/null 2>err
	traced=$?
	[ $traced = $plain ] && ! grep -q 'BUG\|anitizer' err && return
	# What cannot be executed at all a shell may have interpreted.
	[ $traced = 126 ] && return
	echo "$1: $traced instead of $plain"
	cat err
	failed=1
}

# byte OFFSET VALUE
byte() {
	cp "$PROGRAM" mangled
	printf "\\$(printf %o "$2")" | dd of=mangled bs=1 seek="$1" conv=notrunc 2>/dev/null
	compare "byte $1 = $2"
}

i=4
while [ $i -lt 400 ]; do # the ELF header and most of the program headers
	byte $i 255
	i=$((i + 7))
done
if [ -n "$dynamic" ]; then
	i=0
	while [ $i -lt 400 ]; do
		byte $((dynamic + i)) 119
		i=$((i + 13))
	done
fi
for part in 1 2 3 5 8 9; do
	head -c $((size * part / 10)) "$PROGRAM" >mangled
	chmod +x mangled
	compare "$part tenths of it"
done
exit $failed
