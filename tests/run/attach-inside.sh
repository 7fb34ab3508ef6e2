#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Attaches while the program is inside its malloc.
set -u
cd "$OUT" || exit 1
await() {
	tries=0
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || { echo "no $2 in $1"; cat err; exit 1; }
		sleep 0.02
	done
}
mkfifo in
"$PROGRAM" <in >said &
program=$!
exec 3>in
await said inside
"$MTRACE" -q --export json:"$JSON" -p $program 2>err &
tracer=$!
tries=0
until grep -q "^TracerPid:.$tracer\$" /proc/$program/status; do
	tries=$((tries + 1))
	[ $tries -lt 1000 ] || { echo "not attached"; cat err; exit 1; }
	sleep 0.02
done
# Seized first, planted then: until libc, or the program, has its breakpoints.
sleep 0.5
echo >&3
await said done
kill -TERM $tracer
wait $tracer || { echo "mtrace: $?"; cat err; exit 1; }
echo >&3
wait $program
status=$?
[ $status = 6 ] || { echo "the program ended with $status"; exit 1; }
exec "$OUT/../../expect" "$EXPECT" "$JSON"
