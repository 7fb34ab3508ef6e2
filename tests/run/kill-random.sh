#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# SIGKILL of the tracee at random moments: mtrace reports what it knows, ends as
# by SIGKILL, and leaves nobody behind.
#
#   kill-random.sh [PROGRAM [ARGUMENT...]]
set -u
: "${KILLS:=${EMULATED:+5}}" "${KILLS:=20}" "${OUT:=.}"
[ $# -gt 0 ] || set -- "$PROGRAM"

i=0
while [ $i -lt "$KILLS" ]; do
	i=$((i + 1))
	timeout -s KILL 20 "$MTRACE" -f --export json:"$OUT/kill.json" "$@" \
		>/dev/null 2>"$OUT/kill.err" &
	tracer=$!
	tries=0
	until grep -q 'tracing .* (pid' "$OUT/kill.err" || [ $tries -gt 500 ]; do
		tries=$((tries + 1))
		sleep 0.01
	done
	# 1 … 250 ms, spread by the number of the round.
	sleep "$(awk "BEGIN { printf \"%.3f\", 0.001 + ($i * 37 % 250) / 1000 }")"
	tracee=$(sed -n 's/.*tracing .* (pid \([0-9]*\)).*/\1/p' "$OUT/kill.err")
	[ -z "$tracee" ] || kill -KILL "$tracee" 2>/dev/null
	wait $tracer
	status=$?
	# After it was over there was nobody to kill.
	case $status in
	137) grep -q 'was killed by SIGKILL' "$OUT/kill.err" || {
		echo "round $i: the report does not say so: $(tail -3 "$OUT/kill.err")"; exit 1; } ;;
	0) ;;
	*) echo "round $i: exit status $status: $(cat "$OUT/kill.err")"; exit 1 ;;
	esac
	[ -z "$tracee" ] || ! kill -0 "$tracee" 2>/dev/null || {
		echo "round $i: $tracee is still there"; exit 1; }
done
