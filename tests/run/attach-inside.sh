#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Attaches while the program is inside its malloc.
. "$(dirname "$0")/background.sh"

launch
await said inside
attach --export json:"$JSON"
await err 'attached to' # which is said when it has its breakpoints
echo >&3
await said done
end_tracer
end_program 6
exec "$OUT/../../expect" "$EXPECT" "$JSON"
