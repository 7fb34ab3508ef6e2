#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# As many errors as memcheck counts, of each kind that it knows: double and invalid
# releases are one kind there.
# usage: what-errors-memcheck.sh [ARGUMENT...]: each is a run of the program
set -u
count() { # KIND FILE: how many errors of that kind
	awk -v kind="$1" -F'[<>]' '
		$2 == "error" { inside = 1 }
		$2 == "/error" { inside = 0 }
		$2 == "unique" && inside { unique = $3 }
		$2 == "kind" && inside { of[unique] = $3 }
		$2 == "count" { n = $3 }
		$2 == "unique" && !inside { if (of[$3] == kind) sum += n; }
		END { print sum + 0 }' "$2"
}
one() {
	EXPECT=/dev/null timeout -k 5 60 valgrind -q --xml=yes --xml-file="$OUT/memcheck.xml" \
		--undef-value-errors=no --leak-check=no "$PROGRAM" "$@" >"$OUT/valgrind" 2>&1
	[ -s "$OUT/memcheck.xml" ] && grep -q '<status>' "$OUT/memcheck.xml" || {
		echo "valgrind cannot run it (32 bit: it wants debug symbols of ld-linux.so.2)"
		exit 77
	}
	EXPECT=/dev/null timeout -k 5 30 "$MTRACE" -q --export json:"$JSON" "$PROGRAM" "$@" 2>"$STDERR"
	invalid=$(count InvalidFree "$OUT/memcheck.xml")
	mismatched=$(count MismatchedFree "$OUT/memcheck.xml")
	[ $((invalid + mismatched)) -gt 0 ] || { echo "memcheck found no errors: $*"; exit 1; }
	printf 'error mismatched_free %d\nerror_count %d\n' "$mismatched" $((invalid + mismatched)) \
		>"$OUT/counts"
	"$OUT/../../expect" "$OUT/counts" "$JSON" || { echo "with: $*"; exit 1; }
}
[ $# -gt 0 ] || one
for argument in "$@"; do
	one "$argument"
done
