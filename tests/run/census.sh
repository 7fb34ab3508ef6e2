#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Attaches to a program that is quiet and has a ledger of its blocks, and compares
# the census with it.
#
#   census.sh exact BLOCKS MODE   it has each block of the ledger with its usable
#                                 size, and as many others as a launched run shows:
#                                 the C library's own
#   census.sh off TEXT [LIBRARY]  it is off, and TEXT is in the reason; LIBRARY is
#                                 preloaded
set -u
cd "$OUT" || exit 1
what=$1 blocks=$2 mode=${3:-quiet} preload= failed=0

wrong() {
	echo "$*"
	failed=1
}

await() {
	tries=0
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 1500 ] || { echo "no $2 in $1"; cat err; exit 1; }
		sleep 0.02
	done
}

launch() {
	"$MTRACE" -q --export json:launched.json "$PROGRAM" 400 exit >launched || wrong "launched: $?"
	mv ledger launched.ledger
	rm -f "$EXPECT"
}

attach() {
	mkfifo in
	LD_PRELOAD=$preload "$PROGRAM" "$blocks" "$mode" <in >said &
	program=$!
	exec 3>in
	await said ready
	pid=$(sed -n 's/^ready //p' said)
	MTRACE_CENSUS=blocks "$MTRACE" -D --census --export json:"$JSON" -p "$pid" 2>err &
	tracer=$!
	await err 'census: .*\(stopped for\|off,\)'
	echo >&3
	await said released
	kill -TERM $tracer
	wait $tracer || wrong "mtrace: $?"
	echo >&3
	wait $program
	status=$?
	[ $status = 6 ] || wrong "the program ended with $status"
	grep -qw BUG err && wrong "BUG"
}

check_off() {
	grep -q "^mtrace: census: off, .*$1" err || wrong "no reason like: $1"
	[ "$(grep -c "^mtrace: census: off" err)" = 2 ] || wrong "said at once, and in the report"
	grep -q '"before_attach": null' "$JSON" || wrong "it is in the export"
}

check_exact() {
	extra=$(sed -n '/"open_blocks"/{s/[^0-9]*\([0-9]*\).*/\1/p;q}' launched.json)
	extra=$((extra - $(wc -l <launched.ledger)))
	grep -q 'census: some' err && wrong "it is not sure"
	mv ledger want
	mv blocks have
	awk 'FILENAME == "have" { has[$0]; next } !($0 in has)' have want >missing
	awk 'FILENAME == "want" { has[$0]; next } !($0 in has)' want have >others
	[ ! -s missing ] || wrong "$(wc -l <missing) of $(wc -l <want) blocks are missing"
	[ "$(wc -l <others)" = $extra ] || wrong "$(wc -l <others) other blocks instead of $extra"
	grep -q "^before attach " err || wrong "not in the report"
	"$OUT/../../expect" "$EXPECT" "$JSON" || wrong "the export is not what the program did"
}

[ "$what" = exact ] || { blocks=1000 mode=quiet preload=${3:-}; }
if [ "$what" = exact ]; then
	launch
	attach
	check_exact
else
	attach
	check_off "$2"
fi
[ $failed = 0 ] || cat err
exit $failed
