#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the console reports of a log is the report.
set -u
cd "$OUT" || exit 1
failed=0

wrong() {
	echo "$*"
	failed=1
}

"$MTRACE" -q -f -l log "$PROGRAM" || wrong "no log: status $?"

# The report, letter for letter; from a pipe nothing is echoed.
same() { # COMMAND OPTION...
	command=$1
	shift
	"$MTRACE" --color=never -l log "$@" 2>report
	echo "$command" | "$MTRACE" -i -l log >out 2>err || wrong "$command: status $?"
	{ echo; cat out; } | cmp report - || wrong "$command is not the report"
	"$MTRACE" -l log -o report "$@"
	echo "$command >'a file'" | "$MTRACE" -i -l log >out 2>err || wrong "$command: status $?"
	cmp report 'a file' || wrong "$command >FILE is not the report"
	[ ! -s out ] || wrong "$command >FILE prints"
}
same dump
same 'dump alloc' -s allocations
same 'du tsc -l' -L -s tsc
"$MTRACE" -l log --export json:1.json --export xml:1.xml 2>/dev/null
printf 'export json 2.json\nexp x 2.xml\n' | "$MTRACE" -i -l log || wrong "export: status $?"
cmp 1.json 2.json || wrong "export json"
[ -s 2.xml ] && [ "$(wc -l <1.xml)" = "$(wc -l <2.xml)" ] || wrong "export xml"
"$MTRACE" -a --color=never -l log 2>report
echo dump | "$MTRACE" -a -i -l log >out
{ echo; cat out; } | cmp report - || wrong "dump with -a"
exit $failed
