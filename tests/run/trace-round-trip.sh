#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A program's trace, read again as the heap log that it is (--import), gives the report
# of the run itself: the totals, and what each call site has done.
#
#   trace-round-trip.sh FORMAT ARG...
set -u
cd "$OUT" || exit 1
format=$1
shift
command -v jq >/dev/null || { echo "no jq here"; exit 77; }

# Of a call site the log knows the innermost frame alone: an address, or an offset in a
# file.  Requests of no bytes that got NULL were not refused, but no log tells that.
case $format in
mbed) place='.addr' ;;
glibc) place='"\(.module // "" | sub(".*/"; "")) \(.offset)"' ;;
esac
figures='.processes[0] | {
	totals: [.allocs, .frees, .bytes_allocated, .open_blocks, .open_bytes, .peak_blocks, .peak_bytes,
		.failed, .unknown_releases],
	sites: [.stacks[] | select(.kind == "heap") | . + { place: (.frames[0] | '$place') }] | group_by(.place) |
		map({ place: .[0].place, open_blocks: map(.open_blocks) | add, open_bytes: map(.open_bytes) | add,
			total_blocks: map(.total_blocks) | add, total_bytes: map(.total_bytes) | add,
			released: map(.released) | add, failed: map(.failed) | add,
			min_size: map(.min_size) | min, max_size: map(.max_size) | max })
}'

timeout -k 5 50 "$MTRACE" -q --trace="$format" -o trace --export json:run.json "$PROGRAM" "$@" \
	</dev/null >said 2>err || { echo "status $?"; cat err; exit 1; }
timeout -k 5 50 "$MTRACE" -q --import "$format" --export json:read.json trace </dev/null >out 2>err ||
	{ echo "the trace cannot be read: status $?"; cat err; exit 1; }
jq "$figures" run.json >run && jq "$figures" read.json >read || exit 1
diff run read || { echo "$format: the run's figures (<) are others than those of its trace"; exit 1; }
[ "$(jq '.sites | length' run)" -gt 3 ] || { echo "hardly any call sites"; exit 1; }
