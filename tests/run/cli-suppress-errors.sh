#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Heap errors under --suppressions and --gen-suppressions: what is left of them at
# the call, in the figures and in the exit status; and that valgrind takes what we write.
set -u
cd "$OUT" || exit 1
ulimit -c 0
failed=0

wrong() {
	echo "$*"
	tail -n 40 err
	failed=1
}

# figures STATUS ERRORS SUPPRESSED OPTION...
figures() {
	want=$1 errors=$2 suppressed=$3
	shift 3
	timeout -k 5 30 "$MTRACE" --error-exitcode=9 --export json:out.json "$@" "$PROGRAM" </dev/null 2>err
	status=$?
	[ $status = "$want" ] || wrong "$*: status $status"
	tr -d ' \n' <out.json >flat
	grep -q "\"error_count\":$errors," flat || wrong "$*: error_count"
	grep -q "\"suppressed\":{\"blocks\":0,\"bytes\":0,\"errors\":$suppressed," flat || wrong "$*: suppressed"
	grep -q ", $errors error" err || wrong "$*: the verdict"
	if [ "$suppressed" = 0 ]; then
		! grep -q 'errors suppressed' err || wrong "$*: something is said to be suppressed"
	else
		grep -Eq "^    errors suppressed +$suppressed$" err || wrong "$*: the summary"
	fi
}

figures 9 5 0
grep -q 'mismatched free of' err || wrong "nothing is told at the call"

cat >mismatch.supp <<'END'
{
   known one
   Memcheck:Free
   fun:free
   fun:*mismatch*
}
{
   a leak
   Memcheck:Leak
   fun:free
   ...
}
END
figures 9 2 3 --suppressions mismatch.supp
! grep -q 'operator new made it, free releases it' err || wrong "the suppressed one is told"
grep -q 'double free of' err || wrong "the others are not"
grep -q '"by":\[{"name":"knownone","blocks":0,"bytes":0,"errors":3}\]' flat || wrong "by which"
! grep -q '"function":"mismatch()"' flat || wrong "the suppressed one is exported"
echo 'leak:mismatch' >leak.txt
figures 9 5 0 --suppressions leak.txt

timeout 30 "$MTRACE" -q --fail-if 'errors != 2 || suppressed_errors != 3' --suppressions mismatch.supp \
	"$PROGRAM" </dev/null 2>err || wrong "the figures of --fail-if"

timeout 30 "$MTRACE" -q --suppressions mismatch.supp --export xml:out.xml "$PROGRAM" </dev/null 2>err
tr -d ' \n' <out.xml >flat
grep -q '<suppcounts><pair><count>3</count><name>knownone</name></pair></suppcounts>' flat || wrong "suppcounts"
[ "$(grep -c '<kind>MismatchedFree' out.xml)" = 1 ] || wrong "errors in XML"

# What we write suppresses all of it, here, with --stop-on-error, and under valgrind.
timeout 30 "$MTRACE" --gen-suppressions=all -o gen.txt "$PROGRAM" inside </dev/null 2>err
[ "$(grep -c '^   Memcheck:Free$' gen.txt)" = 4 ] && grep -q '^   fun:_ZdlPv' gen.txt &&
	grep -q '^   fun:realloc$' gen.txt && grep -q '^   fun:_ZL5twicev$' gen.txt ||
	{ cat gen.txt; wrong "what --gen-suppressions prints"; }
sed -n '/^{$/,/^}$/p' gen.txt >gen.supp
figures 0 0 5 --suppressions gen.supp
! grep -q ' of 0x' err || wrong "something is told at the call"
figures 0 0 5 --suppressions gen.supp --gen-suppressions=all
! grep -q Memcheck:Free err || wrong "suppressed ones are not to be printed again"
figures 0 0 5 --suppressions gen.supp --stop-on-error

if command -v valgrind >/dev/null && valgrind -q "$PROGRAM" >valgrind.log 2>&1; then
	valgrind --suppressions=gen.supp --error-exitcode=9 "$PROGRAM" inside >valgrind.log 2>&1 ||
		{ cat valgrind.log; wrong "valgrind does not take what we wrote"; }
	grep -q 'ERROR SUMMARY: 0 errors .*(suppressed: 6 from 4)' valgrind.log ||
		{ cat valgrind.log; wrong "valgrind suppresses something else"; }
	valgrind --gen-suppressions=all "$PROGRAM" >valgrind.log 2>&1
	sed -n '/^{$/,/^}$/p' valgrind.log >theirs.supp
	figures 0 0 5 --suppressions theirs.supp
fi
exit $failed
