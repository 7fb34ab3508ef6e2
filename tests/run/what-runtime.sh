#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds what-runtime.c with its library, whose symbols have versions, and traces it,
# with binding at start and at the first call.
#
#   what-runtime.sh
set -u

here=$(cd "$(dirname "$0")" && pwd)
cd "$OUT" || exit 1
printf 'OLD_1 { }; NEW_2 { global: mi_malloc; mi_free; } OLD_1;\n' >map
# shellcheck disable=SC2086
$CC -g -fPIC -shared -Wl,--version-script=map -o libwhat.so "$here/what-runtime-lib.c" || {
	echo "$CC builds no indirect functions here"; exit 77; }
for how in now lazy; do
	$CC -g -I"$here" -D_GNU_SOURCE -o $how "$here/what-runtime.c" ./libwhat.so -Wl,-z,$how "-Wl,-rpath,$OUT" || exit 1
	rm -f "$EXPECT"
	"$MTRACE" --export json:"$JSON" ./$how 2>"$STDERR" || { cat "$STDERR"; exit 1; }
	"$OUT/../../expect" "$EXPECT" "$JSON" || { echo "with -z $how"; exit 1; }
done
