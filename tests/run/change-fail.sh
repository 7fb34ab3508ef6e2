#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Requests of a running program are made to fail.
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
: >err
mkfifo in
"$PROGRAM" wait <in >said &
program=$!
exec 3>in
await said waiting
"$MTRACE" --export json:"$JSON" --inject malloc:fail:min-size=1000 \
	--inject 'malloc:fail:when=3+2:caller=^counted$' -p $program 2>err &
tracer=$!
await err 'attached to'
echo >&3
await said done
kill -TERM $tracer
wait $tracer || { echo "mtrace: $?"; cat err; exit 1; }
grep -q '^mtrace: 11 requests were made to fail$' err || { cat err; exit 1; }
echo >&3
wait $program
status=$?
[ $status = 0 ] || { echo "the program ended with $status"; exit 1; }
exec "$OUT/../../expect" "$EXPECT" "$JSON"
