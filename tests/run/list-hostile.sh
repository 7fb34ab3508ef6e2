#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --source where the debug information names devices, pipes, folders, binaries, huge
# files, and lines with escape sequences: every block is listed, nothing waits, and no
# control character comes through.
set -u
cd "$OUT" || exit 1
failed=0

wrong() {
	echo "$*"
	failed=1
}

mkdir -p below/hostile/folder.c
cd below/hostile
mkfifo fifo.c
printf 'p = malloc(1);\000\001\n' >binary.c
{ echo 'p = malloc(1);'; dd if=/dev/zero bs=1024 count=17000 2>/dev/null | tr '\0' 'x'; } >huge.c
{ printf 'variable = malloc(1); '; dd if=/dev/zero bs=1024 count=1000 2>/dev/null | tr '\0' '('; } >long.c
printf 'first\n\tescaped = \033malloc(1);\033[31m \033]0;title\007 // \302\233 \377\376\r\n' >escape.c
ln -s loop.c loop.c
cd ../..

timeout -k 5 50 "$MTRACE" --list --source --source-path below -L -o text --export json:json --color never \
	"$PROGRAM" </dev/null 2>err || wrong "status $?: $(cat err)"
for size in 100 101 102 103 104 105 106 107 108 109 110 111; do
	grep -Eq "^0x[0-9a-f]+ +$size  malloc " text || wrong "the block of $size bytes is not there"
done
for size in 100 101 102 103 104 105 108 109 110 111; do
	grep -Eq "^0x[0-9a-f]+ +$size  malloc .* -  +[0-9.]+ s$" text || wrong "$size: a variable from nowhere"
done
grep -Eq ' 106  malloc .* (variable|-) ' text || wrong "long.c"
grep -Eq ' 107  malloc .* escaped ' text || wrong "escape.c: $(grep ' 107 ' text)"
[ "$(LC_ALL=C tr -d '\011\012\040-\176\200-\377' <text | wc -c)" = 0 ] || wrong "control characters"
[ "$(LC_ALL=C awk 'length > m { m = length } END { print m }' text)" -lt 400 ] || wrong "a line without an end"
if command -v python3 >/dev/null; then
	python3 -c 'import json, sys; json.load(open(sys.argv[1]))' json || wrong "the export is no JSON"
fi
exit $failed
