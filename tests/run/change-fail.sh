#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Requests of a running program are made to fail.
. "$(dirname "$0")/background.sh"

launch wait
await said waiting
attach --export json:"$JSON" --inject malloc:fail:min-size=1000 \
	--inject 'malloc:fail:when=3+2:caller=^counted$'
await err 'attached to'
echo >&3
await said done
end_tracer
grep -q '^mtrace: 11 requests were made to fail$' err || fail "not told how many"
end_program 0
exec "$OUT/../../expect" "$EXPECT" "$JSON"
