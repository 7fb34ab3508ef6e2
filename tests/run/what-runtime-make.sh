#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A library whose symbols have versions, and two programs that bind them at start (now)
# and at the first call (lazy).
here=${0%/*}
printf 'OLD_1 { }; NEW_2 { global: mi_malloc; mi_free; } OLD_1;\n' >map
$CC -g -fPIC -shared -Wl,--version-script=map -o libwhat.so "$here/what-runtime-lib.c" || {
	echo "$CC builds no indirect functions here"; exit 77; }
for how in now lazy; do
	$CC -g -I"$here" -D_GNU_SOURCE -o $how "$here/what-runtime.c" ./libwhat.so -Wl,-z,$how "-Wl,-rpath,$THERE" || exit 1
done
