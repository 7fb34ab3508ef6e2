#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a census calls its groups, in the report and in the export.
set -u
cd "$OUT" || exit 1
failed=0
await() {
	tries=0
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || { echo "no $2 in $1"; cat err; exit 1; }
		sleep 0.02
	done
}

mkfifo in
"$PROGRAM" <in >said &
program=$!
exec 3>in
await said ready
"$MTRACE" --census -m 0 --export json:"$JSON" -p $program 2>err &
tracer=$!
await err 'census: .*stopped for'
kill -TERM $tracer
wait $tracer || { echo "mtrace: $?"; failed=1; }
echo >&3
wait $program
[ $? = 6 ] || { echo "the program was harmed"; failed=1; }

# So many blocks of each kind.
while read -r blocks name; do
	tr -d '\n' <"$JSON" | tr '{' '\n' |
		grep "\"open_blocks\": $blocks,.*\"points_to\": $name" >/dev/null ||
		{ echo "not in the export: $blocks blocks with $name"; failed=1; }
	[ "$name" = null ] ||
		grep -q "begins with a pointer to $(echo "$name" | tr -d '"')\$" err ||
		{ echo "not in the report: $name"; failed=1; }
done <<'EOF'
40 "vtable for Widget"
30 "vtable for Gadget"
20 "table+0x[0-9a-f]*"
10 null
EOF
[ $failed = 0 ] || cat err
exit $failed
