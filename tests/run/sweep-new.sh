#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
cd "$OUT" || exit 1
timeout -k 5 "$TIMEOUT" "$MTRACE" --inject sweep:caller=^main$ "$PROGRAM" >out 2>err </dev/null
[ $? = 1 ] && grep -q '^mtrace: sweep: 2 callers tried, 0 crashes, 1 abort, 0 hangs$' err &&
	grep -q '^    uncaught ' err && ! grep -q '^    caught ' err || { cat err; exit 1; }
