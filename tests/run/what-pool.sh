#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The pool of what-pool.c by OBJECT+OFFSET in a stripped copy, and by symbol with
# the symbols in a separate debug file; on the command line and in a configuration
# file.
#
#   what-pool.sh PROGRAM
set -u

for tool in nm strip objcopy; do
	command -v $tool >/dev/null || { echo "no $tool here"; exit 77; }
done
at() {
	echo "$1+0x$(nm "$PROGRAM" | sed -n "s/ t $2\$//p")"
}
run() {
	rm -f "$EXPECT"
	"$MTRACE" --export json:"$JSON" "$@" "$OUT/$program" 2>"$STDERR" || {
		echo "$program: exit status $?"; cat "$STDERR"; exit 1; }
	"$EXPECT_TOOL" "$EXPECT" "$JSON" || { echo "$program"; exit 1; }
	! grep 'matched nothing' "$STDERR" || exit 1
}

EXPECT_TOOL=$OUT/../../expect
program=pool-stripped
strip -o "$OUT/$program" "$PROGRAM" || exit 77
get=$(at $program pool_get) put=$(at $program pool_put) more=$(at $program pool_more)
many=$(at $program pool_many) far=$(at $program pool_far)
run --alloc "$get:size=2" --free "$put:ptr=2" --realloc "$more:ptr=2,size=3" \
	--alloc "$many:out=1,align=2,count=3,size=4" --alloc "$far:size=7,out=8"
cat >"$OUT/config" <<END
alloc $get:size=2
free $put:ptr=2
realloc $more:ptr=2,size=3
alloc $many:out=1,align=2,count=3,size=4
alloc $far:size=7,out=8
END
run -F "$OUT/config"
# Reports name them by their places.
name=$(echo "$get" | sed 's/+0x0*/+0x/')
grep -qF "    $name(2097152)" "$STDERR" || { echo "no $name"; cat "$STDERR"; exit 1; }

program=pool-separate
objcopy --only-keep-debug "$PROGRAM" "$OUT/$program.debug" &&
	strip -o "$OUT/$program" "$PROGRAM" &&
	(cd "$OUT" && objcopy --add-gnu-debuglink=$program.debug $program) || exit 77
run --alloc pool_get:size=2 --free pool_put:ptr=2 --realloc pool_more:ptr=2,size=3 \
	--alloc pool_many:out=1,align=2,count=3,size=4 --alloc pool_far:size=7,out=8
