#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A census in the midst of an allocation storm, several times.
set -u
cd "$OUT" || exit 1

await() {
	tries=0
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 2000 ] || { echo "no $2 in $1"; cat err; exit 1; }
		sleep 0.02
	done
}

mkfifo in
for round in $(seq "${1:-3}"); do
	rm -f said err "$EXPECT"
	"$PROGRAM" <in >said &
	program=$!
	exec 3>in
	await said ready
	sleep 0.2
	"$MTRACE" -D --census --export json:"$JSON" -p $program 2>err &
	tracer=$!
	await err 'census: .*\(stopped for\|off,\)'
	sleep 0.2
	echo >&3
	await said released
	kill -TERM $tracer
	wait $tracer || { echo "mtrace: $?"; cat err; exit 1; }
	echo >&3
	exec 3>&-
	wait $program
	status=$?
	[ $status = 6 ] || { echo "the program ended with $status"; cat err; exit 1; }
	if grep 'BUG\|census: off' err || ! "$OUT/../../expect" "$EXPECT" "$JSON"; then
		echo "round $round"
		cat err
		exit 1
	fi
done
