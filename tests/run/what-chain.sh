#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two stops for each of the allocations, one for each release; the rest is the start and
# the end.
set -u
timeout -k 5 30 "$MTRACE" -D --export json:"$JSON" "$PROGRAM" 2>"$STDERR" || exit 1
"$OUT/../../expect" "$EXPECT" "$JSON" || exit 1
stops=$(sed -n 's/.*: \([0-9]*\) stops$/\1/p' "$STDERR")
calls=$(sed -n 's/^stack chain total_blocks //p' "$EXPECT")
[ "$stops" -ge $((3 * calls)) ] && [ "$stops" -lt $((3 * calls + 400)) ] || { echo "$stops stops"; exit 1; }
