#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --between with --diff: of both runs what was allocated between two marks.
. "${0%/*}/told.sh"

# run LOG COMMAND...: the commands lie between two marks, and have one block before and
# after them
run() {
	log=$1
	shift
	rm -f fifo err said
	mkfifo fifo
	"$MTRACE" -l "$log" --on-signal USR2:mark "$PROGRAM" <fifo >said 2>err &
	tracer=$!
	exec 3>fifo
	done=0
	await 1 ready said
	tell 'one 0 1000'
	kill -USR2 $tracer
	await 1 'mark 1$' err
	tell "$@"
	kill -USR2 $tracer
	await 1 'mark 2$' err
	tell 'two 9 2000'
	exec 3>&-
	wait $tracer || wrong "status $?"
}
has() { # PATTERN
	grep -Eq -e "$1" report || { cat report; wrong "not in the report: $1"; }
}

run old 'one 1 50' 'two 2 7' 'two 3 7'
run new 'one 1 50' 'one 4 50' 'one 5 50' 'free 1' 'two 2 7'
"$MTRACE" -l new --diff old --between 1:2 -o report --export json:out.json || wrong "--between: status $?"
has '^grown +\+50 bytes in \+1 block +50 → 100 bytes, 1 → 2 blocks$'
has '^shrunk +−7 bytes in −1 block +14 → 7 bytes, 2 → 1 block$'
[ "$(grep -Ec '^(new|grown|shrunk|gone)' report)" = 2 ] || { cat report; wrong "not two stacks"; }
tr -d ' \n' <out.json >flat
grep -qF '"diff":{"blocks":0,"bytes":43,"old_blocks":3,"old_bytes":64,"new_blocks":3,"new_bytes":107,' flat ||
	wrong "not in the export: $(grep -o '"diff":{[^[]*' flat)"
# All of both, for comparison.
"$MTRACE" -l new --diff old -o report || wrong "without: status $?"
has '1,050 → 1,100 bytes, 2 → 3 blocks$'

# What cannot show it says so.
"$MTRACE" -l new --diff old --export xml:out.xml >report 2>&1
[ $? = 125 ] || wrong "--diff with XML is not refused"
has 'XML export.* knows no --diff'
exit $failed
