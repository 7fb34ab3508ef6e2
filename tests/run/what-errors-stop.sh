#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --stop-on-error: the process is stopped, not traced, and stands at the entry of
# the function that it calls wrongly; mtrace waits for it, and ends as it does.
set -u
fail() { echo "$1"; cat "$STDERR"; kill -KILL "$pid" "$tracer" 2>/dev/null; exit 1; }
pid=
timeout -k 5 40 "$MTRACE" --stop-on-error --export json:"$JSON" "$PROGRAM" free \
	2>"$STDERR" >"$STDOUT" &
tracer=$!
tries=0
until line=$(grep -o 'gdb -p [0-9]*' "$STDERR"); do
	tries=$((tries + 1))
	[ $tries -lt 300 ] || fail "nothing was stopped"
	sleep 0.1
done
pid=${line##* }
grep -q 'double free of 0x' "$STDERR" || fail "the error was not told"
# Tracing has ended when the line appears; the stop may take a moment.
tries=0
until grep -q '^State:.T (stopped)' "/proc/$pid/status"; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || fail "it is not stopped"
	sleep 0.1
done
grep -q '^TracerPid:.0$' "/proc/$pid/status" || fail "it is still traced"
if command -v gdb >/dev/null; then
	timeout 60 gdb -batch -p "$pid" -ex 'x/i $pc' -ex bt >"$OUT/gdb" 2>&1 </dev/null
	grep -q '^#0 .*free' "$OUT/gdb" && grep -q '^#1 .* release ' "$OUT/gdb" ||
		{ cat "$OUT/gdb"; fail "gdb does not find it at free()"; }
	grep -q int3 "$OUT/gdb" && fail "a breakpoint is left"
	# gdb lets it run on.
	tries=0
	while kill -0 "$tracer" 2>/dev/null && ! grep -q '^State:.T' "/proc/$pid/status" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || break
		sleep 0.1
	done
fi
kill -CONT "$pid" 2>/dev/null
wait "$tracer"
status=$?
[ $status = 134 ] || fail "status $status instead of that of abort()"
"$OUT/../../expect" "$EXPECT" "$JSON"
