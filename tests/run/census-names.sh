#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a census calls its groups, in the report and in the export.
. "$(dirname "$0")/background.sh"
failed=0

launch
await said ready
attach --census -m 0 --export json:"$JSON"
await err 'census: .*\(stopped for\|off,\)'
end_tracer
end_program 6

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
