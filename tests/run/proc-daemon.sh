#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A program that puts itself into the background is told of, and unharmed.
set -u
cd "$OUT" || exit 1

fine() {
	tries=0
	until [ -s child ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || { echo "$1: the child came to an end"; exit 1; }
		sleep 0.02
	done
	grep -q fine child || { echo "$1: the child's text is not the file's"; exit 1; }
	rm -f child
}

rounds='1 2 3 4 5'
[ -z "${EMULATED-}" ] || rounds='1 2'
for round in $rounds; do
	rm -f child
	"$MTRACE" "$PROGRAM" child 2>err || exit 1
	grep -Eq ": $PROGRAM left [0-9]+ running untraced; use -f$" err || { cat err; exit 1; }
	! grep -q 'not followed' err || { cat err; exit 1; }
	fine $round
done
"$MTRACE" "$PROGRAM" child twice 2>err || exit 1
grep -Eq ": $PROGRAM left [0-9]+ running untraced; use -f$" err || { cat err; exit 1; }
fine twice
# With -f the end is the last one's end, and its text is ours meanwhile.
"$MTRACE" -f "$PROGRAM" child 2>err || exit 1
[ -s child ] && ! grep -q 'use -f' err || { echo "with -f"; cat err; exit 1; }
