#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A census in the midst of an allocation storm, several times.
. "$(dirname "$0")/background.sh"

: "${ROUNDS:=${EMULATED:+1}}" "${ROUNDS:=3}"
for round in $(seq "$ROUNDS"); do
	rm -f "$EXPECT"
	launch
	await said ready
	sleep 0.2
	attach -D --census --export json:"$JSON"
	await err 'census: .*\(stopped for\|off,\)'
	sleep 0.2
	echo >&3
	await said released
	end_tracer
	end_program 6
	! grep -w 'BUG\|census: off' err || fail "round $round"
	"$OUT/../../expect" "$EXPECT" "$JSON" || fail "round $round"
done
