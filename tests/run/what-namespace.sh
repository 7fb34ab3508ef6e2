#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Attaches to a program in another mount and pid namespace, where another library
# lies at the same path: names come from the one inside.  Needs root.
#
#   what-namespace.sh
set -u

[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$OUT/inside"
cat >"$OUT/inside/lib.c" <<'END'
#include <stdlib.h>
int before(int i);
void *library_get(size_t n);
int before(int i) { return i * 7 + 1; } /* so that nothing is where it is outside */
__attribute__((noinline)) static void *inner_get(size_t n)
{
	void *p = malloc(n + 1);
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}
void *library_get(size_t n)
{
	void *p = inner_get(n);
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}
END
$CC -g -shared -fPIC -o "$OUT/inside/lib.so" "$OUT/inside/lib.c" || exit 1
"$PROGRAM" "$OUT/inside/lib.so" "$OUT/what-replaced-lib.so" >"$OUT/pid" & outer=$!
sleep 0.5
kill -0 $outer 2>/dev/null || { echo "no namespaces here"; exit 77; }
# The child knows itself as 1; here it is the child of the outer one.
pid=$(cat /proc/$outer/task/$outer/children 2>/dev/null | tr -d ' ')
[ -n "$pid" ] || { kill $outer; echo "the kernel does not tell children"; exit 77; }
timeout -s INT 1 "$MTRACE" --export json:"$JSON" -p "$pid" 2>"$STDERR"
kill -KILL "$pid" $outer
cat >"$EXPECT" <<'END'
allocs > 5
unwind.broken 0
stack inner_get total_blocks > 5
stack program_get total_blocks > 5
END
"$OUT/../../expect" "$EXPECT" "$JSON" || { cat "$STDERR"; exit 1; }
