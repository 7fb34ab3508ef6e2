#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The traced program has neither call-frame information nor symbols; the reader of the
# log has them, and the stacks.
set -u

rm -f "$EXPECT"
timeout -k 5 60 "$MTRACE" -q -l log "bare/${PROGRAM##*/}" || exit 1
mv bare gone
timeout -k 5 60 "$MTRACE" -q -l log --export json:without.json 2>/dev/null || exit 1
# On other CPUs than x86 frame pointers, chains and prologues lead on: to addresses.
grep -Eq '"(broken|frame_pointer|prologue)": [1-9]' without.json && ! grep -q one_way without.json || {
	echo "without the files nothing is missing"; exit 1; }
timeout -k 5 60 "$MTRACE" -q -l log -b whole --export json:"$JSON" 2>"$STDERR" || exit 1
"$OUT/../../expect" "$EXPECT" "$JSON"
