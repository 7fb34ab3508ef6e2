#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The pool of what-pool.c by OBJECT+OFFSET in a stripped copy, and by symbol with
# the symbols in a separate debug file; on the command line and in a configuration
# file.
set -u

at() {
	echo "$program+$(sed -n "s/^$1 //p" "$OUT/places")"
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
get=$(at get) put=$(at put) more=$(at more) many=$(at many) far=$(at far)
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
grep -qF "    $get(2097152)" "$STDERR" || { echo "no $get"; cat "$STDERR"; exit 1; }

program=pool-separate
run --alloc pool_get:size=2 --free pool_put:ptr=2 --realloc pool_more:ptr=2,size=3 \
	--alloc pool_many:out=1,align=2,count=3,size=4 --alloc pool_far:size=7,out=8
