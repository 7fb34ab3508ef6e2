#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --suppressions and --gen-suppressions: what is left, and what is said of the
# rest; that valgrind reads what we write, and we what it writes.
set -u
cd "$OUT" || exit 1
failed=0

wrong() {
	echo "$*"
	tail -n 12 err
	failed=1
}

# figures LEAKS SUPPRESSED OPTION...: definite:indirect bytes, and blocks:bytes
figures() {
	want=$1 suppressed=$2
	shift 2
	timeout -k 5 30 "$MTRACE" -a --export json:out.json "$@" "$PROGRAM" </dev/null 2>err || wrong "$*: status $?"
	tr -d ' \n' <out.json >flat
	have=$(sed 's/.*"leaks":{"definite":{"blocks":[0-9]*,"bytes":\([0-9]*\)},"indirect":{"blocks":[0-9]*,"bytes":\([0-9]*\)}.*/\1:\2/' flat)
	[ "$have" = "$want" ] || wrong "$*: $have instead of $want bytes"
	have=$(sed 's/.*"suppressed":{"blocks":\([0-9]*\),"bytes":\([0-9]*\),.*/\1:\2/' flat)
	[ "$have" = "$suppressed" ] || wrong "$*: suppressed $have instead of $suppressed"
	if [ "$suppressed" = 0:0 ]; then
		! grep -q ' suppressed ' err || wrong "$*: something is said to be suppressed"
	else
		grep -Eq "^    suppressed +${suppressed#*:} bytes in ${suppressed%:*} block" err ||
			wrong "$*: the summary does not say what was suppressed"
	fi
}

figures 65:44 0:0
grep -q lose_plain err && grep -q 'from 3 stacks' err || wrong "without suppressions"

echo 'leak:space::' >one.txt
figures 54:44 1:11 --suppressions one.txt
! grep -q space::lose err && grep -q lose_plain err && grep -q 'from 2 stacks' err || wrong "LSan: one"
grep -q '"by":\[{"name":"leak:space::","blocks":1,"bytes":11,"errors":0}\]' flat || wrong "by which"
echo 'leak:lose_node' >node.txt
figures 33:0 2:76 --suppressions=node.txt
figures 22:0 3:87 --suppressions node.txt --suppressions one.txt

cat >node.supp <<'END'
{
   the node alone
   Memcheck:Leak
   fun:calloc
   fun:*lose_node*
}
{
   the one that is kept
   Memcheck:Leak
   match-leak-kinds: reachable
   fun:calloc
   ...
   fun:main
}
END
figures 33:44 2:87 --suppressions node.supp
figures 65:44 0:0 --suppressions /dev/null

# What we write suppresses all of it, here and under valgrind.
timeout 30 "$MTRACE" --gen-suppressions=all -o gen.txt "$PROGRAM" </dev/null 2>err || wrong "--gen-suppressions"
[ "$(grep -c '^{$' gen.txt)" = 3 ] && grep -q '^   fun:_ZN5space4loseEi$' gen.txt &&
	grep -q '^   fun:_Zn?[mj]$' gen.txt && grep -q '^   match-leak-kinds: definite$' gen.txt ||
	wrong "what --gen-suppressions prints: $(cat gen.txt)"
tail -n 1 gen.txt | grep -q 'definitely lost in 3 blocks' || wrong "the verdict is not the last line"
sed -n '/^{$/,/^}$/p' gen.txt >gen.supp
figures 0:44 3:65 --suppressions gen.supp --error-exitcode=9
grep -q 'no leaks, 0 errors' err || wrong "the verdict"
figures 65:44 0:0 --gen-suppressions=no
timeout 30 "$MTRACE" --suppressions gen.supp --show-leak-kinds=all --gen-suppressions=yes "$PROGRAM" </dev/null 2>err
grep -q '^   match-leak-kinds: reachable$' err && ! grep -q '^   match-leak-kinds: definite$' err ||
	wrong "suppressed ones are not to be printed again"

timeout 30 "$MTRACE" --error-exitcode=9 --suppressions one.txt "$PROGRAM" </dev/null 2>err
[ $? = 9 ] || wrong "what is left decides on the status"

# Nothing runs with a file that is wrong.
echo 'leek: x' >bad.txt
"$MTRACE" --suppressions bad.txt "$PROGRAM" 2>err
[ $? = 125 ] && grep -q 'bad.txt:1: ' err || wrong "a bad file"
"$MTRACE" --suppressions missing.txt "$PROGRAM" 2>err
[ $? = 125 ] && grep -q 'cannot read suppressions missing.txt' err || wrong "no file"

if command -v valgrind >/dev/null && valgrind -q "$PROGRAM" >/dev/null 2>&1; then
	valgrind --leak-check=full --suppressions=gen.supp --error-exitcode=9 "$PROGRAM" >valgrind.log 2>&1 ||
		{ cat valgrind.log; wrong "valgrind does not take what we wrote"; }
	valgrind --leak-check=full --gen-suppressions=all "$PROGRAM" >valgrind.log 2>&1
	sed -n '/^{$/,/^}$/p' valgrind.log >theirs.supp
	figures 0:44 3:65 --suppressions theirs.supp
fi
exit $failed
