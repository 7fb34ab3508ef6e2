# SPDX-License-Identifier: GPL-2.0-or-later
# Read by check-import: thresholds, and requests that a heap has no room for.

# 20 blocks of 64 bytes, each with a header of 8; every other one is released, and what is
# asked for then finds 10 holes.
i=0
while [ $i -lt 20 ]; do
	printf '#m:0x%x;0x1234-64\n' $((0x20000008 + 72 * i))
	i=$((i + 1))
done >"$dir/holes"
i=0
while [ $i -lt 20 ]; do
	printf '#f:0x0;0x1240-0x%x\n' $((0x20000008 + 72 * i))
	i=$((i + 2))
done >>"$dir/holes"
echo '#m:0x0;0x1250-128' >>"$dir/holes"
holes='720 bytes free in 10 pieces, the largest 72: a request for 128 cannot succeed'

# -- what is passed
timeout 60 "$MTRACE" -q --import mbed --threshold 1K --threshold 512 "$dir/holes" >"$dir/out" 2>&1
result "--threshold of a log" "576 512
1,088 1,024" "$(sed -n 's/^mtrace: \([0-9,]*\) bytes in use, .* above the threshold of \([0-9,]*\): 64 bytes by malloc, 0x1234$/\1 \2/p' "$dir/out")"
timeout 60 "$MTRACE" -q --import mbed --threshold 1K --on-threshold mark --on-threshold dump \
	--on-threshold "exec:echo \$MTRACE_BYTES \$MTRACE_THRESHOLD >$dir/ran.new; mv $dir/ran.new $dir/ran" \
	--export "json:$dir/json" "$dir/holes" >"$dir/out" 2>&1
result "a mark is set behind it: what is open since" "2 128" \
	"$(tr -d ' \n' <"$dir/json" | sed -n 's/.*"marks":\[{"nr":1,"at_ns":null,"blocks":\([0-9]*\),"bytes":\([0-9]*\)}\].*/\1 \2/p')"
tries=0
until [ -f "$dir/ran" ] || [ $((tries += 1)) -gt 300 ]; do
	sleep 0.1
done
result "a command is run" "1088 1024" "$(cat "$dir/ran")"
timeout 60 "$MTRACE" --import mbed --threshold 1K --on-threshold kill "$dir/holes" >"$dir/out" 2>&1
result "there is nothing to kill" 125 $?

# -- the audit
timeout 60 "$MTRACE" -q --import mbed --audit --threshold 1K "$dir/holes" >"$dir/out" 2>/dev/null
result "the audit tells how far it is" "heap_allocated (64 bytes) - delta with heap_threshold (960 bytes)
heap_allocated (1088 bytes) is above heap_threshold (1024 bytes)" \
	"$(sed -n 's/.*0x1234  //; 1p; 17p' "$dir/out")"
cat >"$dir/azure" <<'END'
Heap-Tracker lib: malloc(1000)=0xbeee9010... SUCCESS: heap_allocated (1000 bytes) - delta with heap_threshold(200 bytes)
Heap-Tracker lib: malloc(50)=0xbeeea010... SUCCESS: heap_allocated (1050 bytes) - delta with heap_threshold(150 bytes)
Heap-Tracker lib: malloc(200)=0xbeeeb010...WARNING: heap_allocated (1250 bytes) is above heap_threshold (1200 bytes)
Heap-Tracker lib: free(0xbeee9010)... SUCCESS: heap_allocated (250 bytes) - delta with heap_threshold(950 bytes)
END
timeout 60 "$MTRACE" -q --import azsphere --audit "$dir/azure" >"$dir/out" 2>/dev/null
result "the target's own threshold" "heap_allocated (250 bytes) - delta with heap_threshold (950 bytes)" \
	"$(sed -n '$s/.*free  //p' "$dir/out")"
timeout 60 "$MTRACE" -q --import azsphere --audit --threshold 1K "$dir/azure" >"$dir/out" 2>/dev/null
result "or ours" "heap_allocated (250 bytes) - delta with heap_threshold (774 bytes)" \
	"$(sed -n '$s/.*free  //p' "$dir/out")"

# -- out of memory
timeout 60 "$MTRACE" --import mbed --heap 0x20000000:1440:8 "$dir/holes" >"$dir/out" 2>&1
result "why a request cannot succeed is told once" 1 "$(grep -cFx "$holes" "$dir/out")"
report_of() { # OPTION...: the report, in $dir/report
	timeout 60 "$MTRACE" -o "$dir/report" "$@" >"$dir/out" 2>&1
	sed -n 1,4p "$dir/report"
}
leads='out of memory      a request was refused, after 31 records
    malloc(128)
    0x1250
    '$holes
result "and leads the report" "$leads" "$(report_of --import mbed --heap 0x20000000:1440:8 "$dir/holes")"
timeout 60 "$MTRACE" -q --import mbed -l "$dir/holes.log" "$dir/holes" >"$dir/out" 2>&1
result "that of our own log, too" "$leads" "$(report_of -l "$dir/holes.log" --heap 0x20000000:1440:8)"
timeout 60 "$MTRACE" -q --import mbed --heap 0x20000000:1440:8 --export json:"$dir/why" "$dir/holes" >"$dir/out" 2>&1
result "and is in the JSON" '"why":"'"$(echo "$holes" | tr -d ' ')"'"' \
	"$(tr -d ' \n' <"$dir/why" | grep -o '"why":"[^"]*"')"
result "of a heap of unknown size" "not granted        a request was refused, after 31 records
    malloc(128)
    0x1250
    640 bytes in 10 blocks were in use then, most of it by" "$(report_of --import mbed "$dir/holes")"
result "its time is none" '"at_ns":null,"size":128' \
	"$(import mbed "$dir/holes" >/dev/null; tr -d ' \n' <"$dir/json" | grep -o '"at_ns":null,"size":128')"
