#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A stripped copy of the program, its symbols in a file that the debug link names:
# all functions are found there, also those of a static program.
#
#   what-stripped.sh
set -u

for tool in strip objcopy; do
	command -v $tool >/dev/null || { echo "no $tool here"; exit 77; }
done
copy=$OUT/stripped
objcopy --only-keep-debug "$PROGRAM" "$copy.debug" && strip -o "$copy" "$PROGRAM" &&
	(cd "$OUT" && objcopy --add-gnu-debuglink=stripped.debug stripped) || exit 77
"$MTRACE" --export json:"$JSON" "$copy" 2>"$STDERR" || { cat "$STDERR"; exit 1; }
"$OUT/../../expect" "$EXPECT" "$JSON"
