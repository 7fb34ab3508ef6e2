#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Scans a program of 16 threads that allocate as fast as they can, $SCANS times
# (default 5; 100 in the long run), and holds the result of each scan against the
# program's ledger, which the same scan sees; the program checks its blocks, and at
# its end the last scan must be exact.
#
#   scan-storm.sh [PROGRAM]
set -u

program=${1:-$PROGRAM}
: "${SCANS:=${EMULATED:+2}}" "${SCANS:=5}" "${OUT:=.}"
: "${top_builddir:=.}"
tool=$top_builddir/tests/run/expect
cd "$OUT" || exit 1
rm -f in said err now.json
EXPECT=$PWD/expected
export EXPECT
rm -f "$EXPECT"

fail() {
	echo "$*"
	tail -n 20 err
	kill -TERM "$tracer" 2>/dev/null
	exec 3>&-
	exit 1
}

# await COMMAND...: waits for it to succeed, a minute at most.
await() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 3000 ] || fail "waited in vain: $*"
		kill -0 "$tracer" 2>/dev/null || fail "it has ended before: $*"
		sleep 0.02
	done
}

scans_told() {
	[ "$(grep -c 'stopped for' err)" -ge "$1" ]
}

# The report after scan number $1 is there, all of it; asked for again when it was
# refused, because the one before was still being made.
reported() {
	if [ "$(grep -c 'still being made' err)" -gt "$refused" ]; then
		refused=$((refused + 1))
		sleep 0.1
		kill -USR1 "$tracer"
	fi
	cp now.json scan.json 2>/dev/null && [ "$(tail -n 1 scan.json)" = '}' ] &&
		grep -q "^    \"nth\": $1,$" scan.json
}

# Blocks of each kind, by the function that allocated them: "definite lose 12"
by_function() {
	awk '/^   "leak_stacks": \[/ { inside = 1 }
	/^   \],?$/ { inside = 0 }
	!inside { next }
	/^     "kind": / { kind = $2; gsub(/[",]/, "", kind) }
	/^     "blocks": / { blocks = $2; sub(/,/, "", blocks) }
	/^     "frames": / { frames = 1 }
	/^       "function": / && frames { gsub(/[",]/, "", $2); print kind, $2, blocks; frames = 0 }' "$1"
}

mkfifo in
"$MTRACE" --show-leak-kinds=all --on-signal=USR2:scan -o report.txt --export json:now.json \
	"$program" <in >said 2>err &
tracer=$!
exec 3>in
await grep -q ready said

scan=0 refused=0
while [ $scan -lt "$SCANS" ]; do
	scan=$((scan + 1))
	kill -USR2 $tracer
	await scans_told $scan
	kill -USR1 $tracer
	await reported $scan
	by_function scan.json >found
	lost=$(awk '$1 == "definite" && $2 == "lose" { n += $3 } END { print n + 0 }' found)
	entries=$(awk '$2 == "enter" { n += $3 } END { print n + 0 }' found)
	other=$(awk '$1 == "indirect" || ($1 == "definite" && $2 != "lose")' found)
	[ -z "$other" ] || fail "scan $scan: lost, but not by lose(): $other"
	more=$((lost - entries))
	[ $more -le 16 ] && [ $more -ge -16 ] ||
		fail "scan $scan: $lost lost, $entries in the ledger"
	echo "scan $scan: $lost lost, $entries in the ledger"
done
[ "$lost" -gt 0 ] || fail "nothing was lost"

echo >&3
exec 3>&-
wait $tracer
status=$?
[ $status = 6 ] || fail "exit status $status"
"$tool" "$EXPECT" now.json || fail "the last scan is not what the ledger says"
echo "$scan scans"
