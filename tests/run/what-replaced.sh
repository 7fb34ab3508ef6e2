#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A running program whose own file and library were replaced by other content (an
# upgrade): names and frames are those of what is running.  As an ordinary user, too,
# who cannot open what is gone.
#
#   what-replaced.sh
set -u

cp "$PROGRAM" "$OUT/prog" && cp "$OUT/what-replaced-lib.so" "$OUT/keep.so" || exit 1
check() {
	"$OUT/../../expect" "$EXPECT" "$JSON" || { echo "$1"; cat "$STDERR"; kill "$pid"; exit 1; }
}

attach() {
	rm -f "$JSON"
	"$@" --export json:"$JSON" -p "$pid" 2>"$STDERR" &
	tracer=$!
	tries=0
	until grep -q 'attached to' "$STDERR"; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || { cat "$STDERR"; kill "$pid" $tracer; exit 1; }
		sleep 0.02
	done
	sleep 1
	kill -TERM $tracer
	wait $tracer
	[ -s "$JSON" ] || { cat "$STDERR"; kill "$pid"; exit 1; }
}

"$OUT/prog" & pid=$!
sleep 0.2
rm "$OUT/prog" "$OUT/what-replaced-lib.so"
cp /bin/true "$OUT/prog"
echo "not a library" >"$OUT/what-replaced-lib.so"
cat >"$EXPECT" <<'END'
allocs > 5
unwind.broken 0
stack library_get total_blocks > 5
END
attach "$MTRACE"
# Static names need the file itself.
[ "$(id -u)" != 0 ] || echo 'stack program_get total_blocks > 5' >>"$EXPECT"
check "attached"
kill "$pid"
wait "$pid" || { echo "it ended with status $?"; exit 1; }
cp "$OUT/keep.so" "$OUT/what-replaced-lib.so"
