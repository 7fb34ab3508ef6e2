#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A program of others under a sweep that is bounded (SWEEP_MAX callers, 25): every run
# tells, and what is listed happens again when that request alone is made to fail.
set -u
cd "$OUT" || exit 1
max=${SWEEP_MAX:-25}
"$MTRACE" --inject sweep --sweep-max="$max" "$PROGRAM" "$@" >out 2>err </dev/null
status=$?
wrong() {
	echo "$*"
	cat err
	exit 1
}
[ $status -le 1 ] || wrong "status $status"
grep -q "^mtrace: sweep: $max callers tried, " err || wrong "not $max callers"
listed=$(sed -n 's/^\(crashes\|aborts\) .* after request \([0-9]*\) failed$/\2/p' err)
hung=$(grep -c '^hangs ' err)
bad=$(echo "$listed" | grep -c .)
sum=$(sed -n 's/^mtrace: sweep: .* tried, \([0-9]*\) crash[es]*, \([0-9]*\) aborts*, \([0-9]*\) hangs*$/\1 + \2 + \3/p' err)
[ "$(($sum))" = $((bad + hung)) ] || wrong "$bad and $hung listed, $sum told"
[ $status = $(($sum > 0)) ] || wrong "status $status"
again=0
for n in $listed; do
	timeout -k 5 30 "$MTRACE" -q --inject malloc:fail:when="$n" "$PROGRAM" "$@" >out 2>err.again </dev/null
	again=$((again + ($? > 128)))
done
# Two runs are seldom, but not never, the same.
[ $((2 * again)) -ge "$bad" ] || wrong "only $again of $bad again"
