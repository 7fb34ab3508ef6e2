#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The error stands in front of what the C library says of it, and not again
# behind it.
set -u
timeout -k 5 40 "$MTRACE" --export json:"$JSON" "$PROGRAM" free 2>"$STDERR"
[ $? = 134 ] || exit 1
"$OUT/../../expect" "$EXPECT" "$JSON" || exit 1
ours=$(grep -n 'mtrace: double free of 0x[0-9a-f]* (4,000 bytes)$' "$STDERR" | cut -d: -f1)
theirs=$(grep -n '^free(): \|^double free or ' "$STDERR" | cut -d: -f1)
[ "$ours" ] && [ "$theirs" ] && [ "$ours" -lt "$theirs" ] || { cat "$STDERR"; exit 1; }
