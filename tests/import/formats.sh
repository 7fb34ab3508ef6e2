# SPDX-License-Identifier: GPL-2.0-or-later
# Read by check-import: logs as they are.
# Figures: allocs frees open_blocks open_bytes failed unknown unseen null errors

# -- mbed: a nested line, a failed request, free(NULL), a double free, an unknown one, and
# an address that is handed out twice
cat >"$dir/mbed" <<'END'
boot 1.2
#m:0x20003240;0x600d-50
x=3 #c:0x20003280;0x6021-4;8
#r:0x200032c0;0x6031-0x20003240;100
#f:0x0;0x602f-0x20003240
#m:0x0;0x600d-5000
#f:0x0;0x602f-0x0
#f:0x0;0x602f-0x2000dea0
#m:0x20003280;0x600d-7
bye
END
mbed="4 2 2 107 1 1 1 1 1"
# Of the two unknown releases one is an error, which the ledger counts among both.
mbed="4 2 2 107 1 2 1 1 1"
result "mbed" "$mbed" "$(import mbed "$dir/mbed")"
result "mbed, recognised" "$mbed" "$(import auto "$dir/mbed")"
sed 's/$/\r/' "$dir/mbed" >"$dir/crlf"
result "mbed with CR LF" "$mbed" "$(import mbed "$dir/crlf")"
tr '\n' '\r' <"$dir/mbed" >"$dir/cr"
result "mbed with CR" "$mbed" "$(import mbed "$dir/cr")"
result "mbed from a pipe" "$mbed" "$(import mbed - <"$dir/mbed")"

report "$dir/mbed" --import mbed
contains "the report's end counts records" '^mbed (mbed heap log) ends after 8 records$' "$dir/out"
contains "the high-water mark has no seconds" 'high-water mark .* after 3 records$' "$dir/out"
contains "a double free is told" '^[a-z0-9]*: double free of 0x20003240 (50 bytes)$' "$dir/out"
contains "free(NULL) is a warning" 'warnings  *1 release of NULL$' "$dir/out"
contains "an address that was handed out twice" 'handed out twice  *1 ' "$dir/out"
contains "callers are addresses" '^    0x6031$' "$dir/out"

timeout 60 "$MTRACE" --import mbed --error-exitcode=7 "$dir/mbed" >"$dir/out" 2>&1
result "--error-exitcode" 7 $?
timeout 60 "$MTRACE" --import mbed --fail-if 'open_bytes > 106' "$dir/mbed" >"$dir/out" 2>&1
result "--fail-if" 1 $?
timeout 60 "$MTRACE" --import mbed --fail-if 'open_bytes > 107' "$dir/mbed" >"$dir/out" 2>&1
result "--fail-if that is not true" 0 $?

# -- damage
cat >"$dir/damaged" <<'END'
#m:0x20003240;0x600d-50
#f:0x0;0x602f-0x20003240
#m:0x2000%240;0x60
#f:0x0;0x602f-0x20003240
#m:0x20003240;0x600d-10
END
printf '#m:0x20003340;0x60' >>"$dir/damaged"
result "damaged and truncated lines: no error is made of them" "2 1 1 10 0 1 0 0 0" \
	"$(import mbed "$dir/damaged")"
report "$dir/damaged" --import mbed
contains "damage is counted" ': damaged: 2 damaged records were skipped, the first one in line 3:' "$dir/out"

head -c 200000 /dev/zero | tr '\0' 'x' >"$dir/long"
printf ' #m:0x20003240;0x600d-50\n#m:0x20003340;0x600d-51\n' >>"$dir/long"
result "a very long line" "1 0 1 51 0 0 0 0 0" "$(import mbed "$dir/long")"

head -c 100000 /dev/urandom >"$dir/noise"
timeout 60 "$MTRACE" --import auto "$dir/noise" >"$dir/out" 2>&1
result "noise is no heap log" 125 $?
: >"$dir/empty"
result "an empty log of a known format" "0 0 0 0 0 0 0 0 0" "$(import mbed "$dir/empty")"

# -- other text
timeout 60 "$MTRACE" -q --import mbed --other-text "$dir/mbed" >"$dir/out" 2>/dev/null
result "other text passes through" "boot 1.2
x=3 
bye" "$(cat "$dir/out")"
printf '\033[31mred\n#m:0x20003240;0x600d-50\n' >"$dir/colour"
timeout 60 "$MTRACE" -q --import mbed --other-text "$dir/colour" >"$dir/out" 2>/dev/null
result "but no control characters" "?[31mred" "$(cat "$dir/out")"

# -- the audit
timeout 60 "$MTRACE" -q --import mbed --audit "$dir/mbed" >"$dir/out" 2>/dev/null
result "an audit line per operation" "1 50 used 0x20003240 +50 malloc(50) 0x600d
2 82 used 0x20003280 +32 calloc(4, 8) 0x6021
2 132 used 0x200032c0 +50 realloc(100): from 0x20003240 0x6031
2 132 used 0x20003240 free: double free 0x602f
2 132 used 0x0 malloc(5000): failed 0x600d
2 132 used 0x0 free: of NULL 0x602f
2 132 used 0x2000dea0 free: of no block that is known 0x602f
1 100 used 0x20003280 -32 calloc: its release was not seen, and the address is handed out again 0x6021
2 107 used 0x20003280 +7 malloc(7) 0x600d" "$(sed 's/^ *//; s/  */ /g' "$dir/out")"
timeout 60 "$MTRACE" -q --import mbed --audit --color=always "$dir/mbed" >"$dir/out" 2>/dev/null
result "red: what failed and errors; yellow: warnings" "2 3" \
	"$(grep -c '^.\[1;31m' "$dir/out") $(grep -c '^.\[33m' "$dir/out")"
timeout 60 "$MTRACE" -q --import mbed --audit --export json "$dir/mbed" >"$dir/json" 2>/dev/null
result "the audit leaves an export on the standard output alone" "$mbed" "$(figures "$dir/json")"

# -- our own log, comparing, the console
timeout 60 "$MTRACE" -q --import mbed -l "$dir/own" "$dir/mbed" 2>"$dir/err"
import mbed "$dir/mbed" >/dev/null
timeout 60 "$MTRACE" -q -l "$dir/own" --export "json:$dir/json2" 2>/dev/null
result "converted to a log of our own: the same export" "" "$(diff "$dir/json" "$dir/json2")"
sed '$d' "$dir/mbed" | sed 's/0x600d-7/0x600d-9/' >"$dir/mbed2"
report "$dir/mbed2" --import mbed --diff "$dir/own"
contains "--diff" 'in use before  *107 bytes in 2 blocks' "$dir/out"
report "$dir/mbed2" --import mbed --diff "$dir/mbed"
contains "--diff with another heap log" 'in use before  *107 bytes in 2 blocks' "$dir/out"
printf 'list\nmark\nscan\n' | timeout 60 "$MTRACE" --import mbed -x - "$dir/mbed" >"$dir/out" 2>&1
result "the console lists open blocks" "0x000020003280 7
0x0000200032c0 100" "$(awk '/^0x/ { print $1, $2 }' "$dir/out")"
result "and has nobody to ask" 2 "$(grep -c 'this is a log$' "$dir/out")"
timeout 60 "$MTRACE" -q --import mbed --export "xml:$dir/xml" "$dir/mbed" >"$dir/out" 2>&1
contains "XML" '<kind>InvalidFree</kind>' "$dir/xml"

# -- micro:bit: a heap that begins, and begins anew
cat >"$dir/microbit" <<'END'
heap_start : 0x20000000
heap_end   : 0x20001000
heap_size  : 4096
malloc: ALLOCATED: 100 [0x20000004]
malloc: ALLOCATED: 20 [0x20000070]
free:   0x20000004
free:   0x20000800
malloc: OUT OF MEMORY [5000]
heap_start : 0x20000000
heap_end   : 0x20001000
heap_size  : 4096
malloc: ALLOCATED: 64 [0x20000004]
END
result "micro:bit, after a reset" "1 0 1 64 0 0 0 0 1" "$(import auto "$dir/microbit")"
report "$dir/microbit" --import microbit
contains "a reset" 'before a reset  *20 bytes in 1 block in use, 2 allocs, 1 free' "$dir/out"
cat >"$dir/full" <<'END'
heap_start : 0x20000000
heap_end   : 0x20000100
heap_size  : 256
malloc: ALLOCATED: 100 [0x20000004]
malloc: ALLOCATED: 20 [0x2000006c]
free:   0x20000004
malloc: OUT OF MEMORY [128]
END
report "$dir/full" --import microbit
contains "out of memory: the map is printed" '^080 20000080 \.\{64\}$' "$dir/out"
contains "and why" \
	'^232 bytes free in 2 pieces, the largest 128: a request for 128 and its header cannot succeed$' "$dir/out"
report "$dir/mbed" --import mbed --heap 0x20003200:4K:8
contains "with --heap, too" '^3,944 bytes free .* a request for 5,000 cannot succeed$' "$dir/out"
report "$dir/mbed" --import mbed --heapmap --heap 0x20003200:4K:8
contains "--heapmap" '^080 20003280 \*\{8\}' "$dir/out"
timeout 60 "$MTRACE" -q --import microbit --audit "$dir/microbit" >"$dir/out" 2>/dev/null
result "what is free is known with the heap's size" "3,992 free" \
	"$(awk '/ALLOCATED|malloc\(100\)/ { print $2, $3 }' "$dir/out")"
contains "the audit tells of the reset" '^microbit was reset: 20 bytes in 1 block had been in use$' "$dir/out"

# -- ESP-IDF: callers in words
cat >"$dir/esp" <<'END'
I (123) boot: hi
Memory allocated at 0x3ffb1234, caps 0x00001800, size 256 bytes, in main.c, line 42, function app_main, variable buf
Memory allocated at 0x3ffb2234, caps 0x00001800, size 16 bytes, in net.c, line 7, function conn_new, variable c
Failed to allocate 99999 bytes for heap_caps_malloc in big at big.c:12
END
result "ESP-IDF" "2 0 2 272 1 0 0 0 0" "$(import auto "$dir/esp")"
result "callers in words" "heap_caps_malloc app_main main.c 42
heap_caps_malloc conn_new net.c 7
heap_caps_malloc big big.c 12" "$(first_frames)"
timeout 60 "$MTRACE" -q --import esp -l "$dir/own2" "$dir/esp" 2>"$dir/err"
timeout 60 "$MTRACE" -q -l "$dir/own2" --export "json:$dir/json2" 2>/dev/null
result "they are in a log of our own, too" "" "$(diff "$dir/json" "$dir/json2")"

# -- wrong ways to ask
for words in "--import nothing $dir/mbed" "--import mbed" "--import mbed $dir/none" "--import mbed $dir" \
	"--import mbed --elf $dir/mbed $dir/mbed" "--import mbed --baud 7 $dir/mbed" "--follow true" \
	"--import mbed -d 3 $dir/mbed" "--import mbed --fail-if definite_bytes>0 $dir/mbed"; do
	# shellcheck disable=SC2086
	timeout 60 "$MTRACE" $words >"$dir/out" 2>&1
	result "refused in one line: ${words##*"$dir"}" "125 1" "$? $(wc -l <"$dir/out" | tr -d ' ')"
done
