#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Other C libraries and allocators: the errors are the same, whatever each of them
# does then.
# usage: what-errors-twice.sh PRELOAD ARGUMENT...: each is a run of the program
set -u
preload=$1
shift
for argument in "$@"; do
	: >"$EXPECT"
	timeout -k 5 30 "$MTRACE" -q -E LD_PRELOAD="$preload" --export json:"$JSON" "$PROGRAM" \
		"$argument" >"$STDOUT" 2>"$STDERR"
	"$OUT/../../expect" "$EXPECT" "$JSON" || { echo "with: $argument"; exit 1; }
done
