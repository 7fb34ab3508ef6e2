#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Marks of a log: diff is --between.
. "${0%/*}/told.sh"

mkfifo fifo
"$MTRACE" --on-signal USR2:mark -l log "$PROGRAM" <fifo >said 2>err &
tracer=$!
exec 3>fifo
await 1 ready said
tell 'one 0 100'
kill -USR2 $tracer
await 1 'mark 1$' err
tell 'two 1 20'
kill -USR2 $tracer
await 1 'mark 2$' err
exec 3>&-
wait $tracer || { echo "status $?"; exit 1; }

[ $failed = 0 ] || exit 1

says() { # COMMAND REGEX
	echo "$1" | "$MTRACE" -i -l log >out 2>err || { echo "$1: $(cat err)"; failed=1; }
	grep -Eq "$2" out || { echo "$1: $(cat out)"; failed=1; }
}
says 'show marks' '^mark 1 after [0-9.]+ s$'
says 'show marks' '^mark 2 after [0-9.]+ s$'
says 'diff 1 2' '^grown +20 bytes in 1 block +between mark 1 and 2$'
[ "$(grep -c ^grown out)" = 1 ] || { echo "diff 1 2: $(cat out)"; failed=1; }
says 'diff 0 1' '^grown +100 bytes in 1 block +before mark 1$'
says 'diff 1 now' '^grown +20 bytes in 1 block +since mark 1$'
says 'diff 2 now' '^nothing that was allocated in between is in use$'
exit $failed
