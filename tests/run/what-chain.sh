#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two stops for each of the 1000 allocations, one for each release; the rest is
# the start and the end.
set -u
timeout -k 5 30 "$MTRACE" -D --export json:"$JSON" "$PROGRAM" 2>"$STDERR" || exit 1
"$OUT/../../expect" "$EXPECT" "$JSON" || exit 1
stops=$(sed -n 's/.*: \([0-9]*\) stops$/\1/p' "$STDERR")
[ "$stops" -ge 3000 ] && [ "$stops" -lt 3400 ] || { echo "$stops stops"; exit 1; }
