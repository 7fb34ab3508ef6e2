#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Attaches while the program is inside its malloc.
. "$(dirname "$0")/background.sh"

launch
await said inside
attach -q --export json:"$JSON"
is_attached() {
	grep -q "^TracerPid:.$tracer\$" /proc/$program/status
}
patiently is_attached || fail "not attached"
# Seized first, planted then: until libc, or the program, has its breakpoints.
sleep 0.5
echo >&3
await said done
end_tracer
end_program 6
exec "$OUT/../../expect" "$EXPECT" "$JSON"
