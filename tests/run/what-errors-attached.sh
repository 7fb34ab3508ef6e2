#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --stop-on-error with an attached process of several threads: it stays stopped
# when mtrace has ended, and goes on when it is told to.
set -u
cd "$OUT" || exit 1
fail() { echo "$1"; cat err; kill -KILL $program 2>/dev/null; exit 1; }
mkfifo in
"$PROGRAM" <in >said &
program=$!
exec 3>in
timeout -k 5 60 "$MTRACE" --stop-on-error --export json:"$JSON" -p $program 2>err &
tracer=$!
tries=0
until grep -q 'attached to' err; do # which is said when it has its breakpoints
	tries=$((tries + 1))
	[ $tries -lt 500 ] || fail "not attached"
	sleep 0.02
done
echo >&3
wait $tracer || fail "mtrace: $?"
grep -q "gdb -p $program\$" err || fail "nothing was stopped"
tries=0
until [ "$(grep -l '^State:.T (stopped)' /proc/$program/task/*/status | wc -l)" = 4 ]; do
	tries=$((tries + 1))
	[ $tries -lt 500 ] || fail "not all of its threads are stopped"
	sleep 0.02
done
kill -CONT $program
wait $program
status=$?
[ $status = 0 ] || fail "the program ended with $status"
exec "$OUT/../../expect" "$EXPECT" "$JSON"
