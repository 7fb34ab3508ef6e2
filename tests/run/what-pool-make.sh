#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The pool without symbols, their places in the file `places`, and with the symbols in a
# separate debug file.
for tool in "$NM" "$STRIP" "$OBJCOPY"; do
	command -v "$tool" >/dev/null || { echo "no $tool here"; exit 77; }
done
$NM "$PROGRAM" | sed -n 's/^0*\([^ ]*\) t pool_\([a-z]*\)$/\2 0x\1/p' >places
$STRIP -o pool-stripped "$PROGRAM" &&
	$OBJCOPY --only-keep-debug "$PROGRAM" pool-separate.debug &&
	$STRIP -o pool-separate "$PROGRAM" &&
	$OBJCOPY --add-gnu-debuglink=pool-separate.debug pool-separate
