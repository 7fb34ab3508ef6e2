#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --calls, -q, -o with %p, -o -, --export, -b, -t, -e, -E, -D: where things go.
set -u
cd "$OUT" || exit 1
failed=0

wrong() {
	echo "$*"
	tail -n 5 err
	failed=1
}

run() {
	timeout -k 5 30 "$MTRACE" "$@" </dev/null >out 2>err || wrong "$*: status $?"
}

hex='0x[0-9a-f]+'
run --calls -q "$PROGRAM"
for call in "malloc\\(10\\) = $hex" "realloc\\($hex, 20\\) = $hex" "free\\($hex\\)" \
	"mmap\\(NULL, 5000\\) = $hex" "munmap\\($hex, 5000\\)" "posix_memalign\\($hex, 64, 100\\) = $hex" \
	"mmap\\(NULL, 0\\) = MAP_FAILED" \
	"sbrk\\(4096\\) = $hex" "sbrk\\(-4096\\) = $hex" "brk\\($hex\\) = 0"; do
	grep -Eq "^[a-z-]*mtrace\\[[0-9]+\\]: $call  cli-report.c:[0-9]+ main\$" err || wrong "no call like $call"
done
grep -Eq "malloc\\(77\\) = $hex  cli-report-lib.c:8 in_library\$" err || wrong "no call in the library"
run --calls -o calls.txt "$PROGRAM"
grep -q 'malloc(10)' calls.txt && grep -q 'in use at exit' calls.txt && ! grep -q 'malloc(10)' err ||
	wrong "--calls -o"
run --calls -o calls.%p "$PROGRAM"
pid=$(sed -n 's/.*(pid \([0-9]*\)).*/\1/p' err)
grep -q 'malloc(10)' "calls.$pid" && grep -q 'in use at exit' "calls.$pid" || wrong "--calls -o with %p"
run -t -e -E CLI_REPORT=1 -o report.%p.%%.txt "$PROGRAM"
pid=$(sed -n 's/.*(pid \([0-9]*\)).*/\1/p' err)
grep -q 'malloc(77)' "report.$pid.%.txt" || wrong "-o with %p"
run -o - "$PROGRAM"
grep -q 'malloc(77)' out && ! grep -q 'malloc(77)' err || wrong "-o -"
run -q --export json "$PROGRAM"
grep -q '"allocs"' out && [ "$(sed -n 1p out | cut -c1)" = '{' ] || wrong "--export json"
run -q --export json:file.%p "$PROGRAM"
[ ! -s out ] && grep -q '"allocs"' file.[0-9]* || wrong "--export json:FILE"
run -E CLI_REPORT=1 -o - sh -c 'echo "<$CLI_REPORT>"'
grep -q '<1>' out || wrong "-E NAME=VALUE"
run -E HOME -o - sh -c 'echo "<${HOME-none}>"'
grep -q '<none>' out || wrong "-E NAME"
run -D "$PROGRAM"
run -q true
[ ! -s err ] || wrong "-q, and nothing is wrong"

# A binary that has its names elsewhere: only one of the same build id is taken.
if command -v strip >/dev/null && readelf -n cli-report-lib.so | grep -q 'Build ID'; then
	mkdir -p names/inner "names/whole$OUT" other
	cp cli-report-lib.so names/inner/
	cp cli-report-lib.so "names/whole$OUT/"
	cp "$PROGRAM" other/cli-report-lib.so
	cp cli-report-lib.so kept.so
	strip cli-report-lib.so
	run "$PROGRAM"
	! grep -q 'cli-report-lib.c:8' err || wrong "stripped, and yet there are lines"
	run -b names/inner "$PROGRAM"
	grep -q 'cli-report-lib.c:8' err || wrong "-b, the last part of the name"
	run -b other -b names/whole "$PROGRAM"
	grep -q 'cli-report-lib.c:8' err || wrong "-b, the whole name"
	run -b other "$PROGRAM"
	! grep -q 'cli-report-lib.c:8' err || wrong "-b took another file"
	# Its debug file, in a copy of the target's file system: by build id, by path, by
	# the link in the binary.
	if command -v objcopy >/dev/null; then
		id=$(readelf -n kept.so | sed -n 's/.*Build ID: *//p')
		debug=root/usr/lib/debug
		objcopy --only-keep-debug kept.so lib.dbg
		for place in ".build-id/${id%"${id#??}"}/${id#??}.debug" "$OUT/cli-report-lib.so.debug" \
			"$OUT/cli-report-lib.so"; do
			rm -rf root
			mkdir -p "$debug/${place%/*}" "root$OUT"
			cp lib.dbg "$debug/$place"
			cp cli-report-lib.so "root$OUT/"
			run -b root "$PROGRAM"
			grep -q 'cli-report-lib.c:8' err || wrong "-b, the debug file at $place"
		done
		objcopy --only-keep-debug "$PROGRAM" "$debug/$place"
		run -b root "$PROGRAM"
		! grep -q 'cli-report-lib.c:8' err || wrong "-b took another debug file"
		rm -rf root
		mkdir -p "$debug$OUT"
		cp lib.dbg "$debug$OUT/linked.dbg"
		objcopy --add-gnu-debuglink="$debug$OUT/linked.dbg" cli-report-lib.so
		run -b root "$PROGRAM"
		grep -q 'cli-report-lib.c:8' err || wrong "-b, by the debug link"
	fi
	mv kept.so cli-report-lib.so
fi
exit $failed
