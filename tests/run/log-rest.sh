#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The traced program has neither call-frame information nor symbols; the reader of the
# log has them, and the stacks.
set -u

command -v objcopy >/dev/null || { echo "no objcopy"; exit 77; }
mkdir -p whole bare
name=$(basename "$PROGRAM")
cp "$PROGRAM" whole
objcopy --strip-all -R .eh_frame -R .eh_frame_hdr "$PROGRAM" "bare/$name" || exit 1
rm -f "$EXPECT"
timeout -k 5 60 "$MTRACE" -q -l log "bare/$name" || exit 1
mv bare gone
timeout -k 5 60 "$MTRACE" -q -l log --export json:without.json 2>/dev/null || exit 1
grep -q '"broken": [1-9]' without.json || { echo "nothing is broken without the files"; exit 1; }
timeout -k 5 60 "$MTRACE" -q -l log -b whole --export json:"$JSON" 2>"$STDERR" || exit 1
"$OUT/../../expect" "$EXPECT" "$JSON"
