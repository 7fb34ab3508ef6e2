#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
cd "$OUT" || exit 1
timeout -k 5 30 "$MTRACE" "$PROGRAM" >out 2>err
[ $? != 124 ] && grep -q 'detect_leaks=0' err && grep -q 'malloc(3)' err || { cat err; exit 1; }
timeout -k 5 30 "$MTRACE" -E ASAN_OPTIONS=detect_leaks=0 "$PROGRAM" >out 2>err
[ $? = 4 ] && grep -q 'malloc(3)' err || { cat err; exit 1; }
