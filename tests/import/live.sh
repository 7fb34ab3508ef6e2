# SPDX-License-Identifier: GPL-2.0-or-later
# Read by check-import: what is read as it comes.  Nothing is decided by time: each step
# waits until the one before can be seen, and gives up after very long.

await() { # FILE PATTERN: until a line matches
	for _ in $(seq 600); do
		grep -q -e "$2" "$1" 2>/dev/null && return 0
		sleep 0.1
	done
	echo "# '$2' does not come in $1" >&2
	return 1
}

# -- a serial line
open_line() { # NAME: what is written to descriptor 3 is said on the line
	rm -f "$dir/name" "$dir/in"
	mkfifo "$dir/in"
	"$top_builddir/tests/import/serial-line" "$dir/name" <"$dir/in" >"$dir/line" 2>&1 &
	line=$!
	children="$children $line"
	exec 3>"$dir/in"
	await "$dir/name" . && device=$(cat "$dir/name")
}

if open_line; then
	"$top_builddir/tests/import/foreground" "$MTRACE" --import mbed --audit --other-text \
		"$device" >"$dir/audit" 2>"$dir/report" 3>&- &
	reader=$!
	children="$children $reader"
	await "$dir/line" raw
	result "the line is raw, at 115200 baud" "raw 115200" "$(head -n 1 "$dir/line")"
	printf 'hello\r\n#m:0x20003240;0x600d-50\r\n' >&3
	await "$dir/audit" 'malloc(50)'
	result "an audit line comes while the line is open" "hello
1 50 used 0x20003240 +50 malloc(50) 0x600d" "$(sed 's/^ *//; s/  */ /g' "$dir/audit")"
	printf '#m:0x20003280;0x6' >&3
	printf '021-7\n#f:0x0;0x602f-0x20003240\n' >&3
	await "$dir/audit" 'free'
	kill -INT $reader
	wait $reader
	result "Ctrl-C ends it without an error" 0 $?
	contains "and the report follows" 'in use  *7 bytes in 1 block$' "$dir/report"
	contains "its times are seconds" '(mbed heap log) was read for [0-9.]* s$' "$dir/report"
	exec 3>&-
	wait $line
	result "the line is as it was" "cooked" "$(tail -n 1 "$dir/line" | cut -d ' ' -f 1)"
else
	skip "a serial line" "no pseudo-terminal here"
fi

if open_line; then
	"$MTRACE" --import auto --audit "$device" >"$dir/audit" 2>"$dir/report" 3>&- &
	reader=$!
	children="$children $reader"
	printf '#m:0x20003240;0x600d-50\n' >&3
	await "$dir/audit" 'malloc(50)'
	exec 3>&-
	wait $reader
	result "a device that is unplugged ends it" 0 $?
	contains "and that is told" ' is gone: this is what it said until then$' "$dir/report"
	contains "before the report" 'in use  *50 bytes in 1 block$' "$dir/report"
	wait $line
else
	skip "a device that is unplugged" "no pseudo-terminal here"
fi

# A console on the line.
if open_line; then
	rm -f "$dir/commands"
	mkfifo "$dir/commands"
	"$MTRACE" --import mbed -x "$dir/commands" "$device" >"$dir/console" 2>"$dir/report" 3>&- &
	reader=$!
	children="$children $reader"
	exec 4>"$dir/commands"
	printf '#m:0x20003240;0x600d-50\n' >&3
	for _ in $(seq 600); do # until the record has come
		echo list >&4
		grep -q 0x20003240 "$dir/console" && break
		sleep 0.1
	done
	printf 'mark\nscan\nkill 1\n' >&4
	await "$dir/report" 'no process to do that to'
	printf '#m:0x20003280;0x6021-7\n' >&3
	for _ in $(seq 600); do
		echo 'list' >&4
		grep -q 20003280 "$dir/console" && break
		sleep 0.1
	done
	echo 'show marks' >&4
	exec 4>&-
	wait $reader
	contains "a console on the line lists blocks" '^0x000020003240 ' "$dir/console"
	contains "sets marks" '^mark 1 after [0-9.]* s$' "$dir/console"
	contains "has no memory to scan" "the target's memory is not here" "$dir/report"
	exec 3>&-
	wait $line
else
	skip "a console on the line" "no pseudo-terminal here"
fi

# -- a file that grows
echo '#m:0x20003240;0x600d-50' >"$dir/growing"
"$MTRACE" --import mbed --audit --follow "$dir/growing" >"$dir/audit" 2>"$dir/report" 3>&- &
reader=$!
children="$children $reader"
await "$dir/audit" 'malloc(50)'
echo '#m:0x20003280;0x6021-7' >>"$dir/growing"
await "$dir/audit" 'malloc(7)'
: >"$dir/growing"
await "$dir/report" 'growing begins anew$'
echo '#m:0x20003280;0x6021-9' >>"$dir/growing"
await "$dir/audit" 'malloc(9)'
mv "$dir/growing" "$dir/rotated"
echo '#m:0x20003280;0x6021-11' >"$dir/growing"
await "$dir/audit" 'malloc(11)'
kill -TERM $reader
wait $reader
result "--follow, truncation, rotation, SIGTERM" 0 $?
contains "each beginning is a reset" 'before a reset  *57 bytes in 2 blocks in use' "$dir/report"
contains "the last log counts" 'in use  *11 bytes in 1 block$' "$dir/report"

# -- --audit is for traced programs, too
if why=$("$top_builddir/tests/run/can-trace" 2>&1); then
	cat >"$dir/traced.c" <<'END'
#include <stdlib.h>
int main(void)
{
	char *a = malloc(100), *b = realloc(calloc(3, 7), 50);
	free(a);
	free(b);
	return 0;
}
END
	"$CC" -g -O0 -fno-builtin -o "$dir/traced" "$dir/traced.c" &&
		timeout 60 "$MTRACE" -q --audit "$dir/traced" >"$dir/audit" 2>"$dir/report"
	result "--audit of a traced program" "1 100 used +100 malloc(100) main traced.c:4
2 121 used +21 calloc(3, 7) main traced.c:4
2 150 used +29 realloc(50): from main traced.c:4
1 50 used -100 free
0 0 used -50 free" "$(sed 's/0x[0-9a-f]* *//g; s/^ *//; s/  */ /g; s/ $//' "$dir/audit")"
else
	skip "--audit of a traced program" "$why"
fi

# -- the full screen
if command -v tmux >/dev/null && "$MTRACE" -V | grep -Eq 'ncurses +yes'; then
	echo '#m:0x20003240;0x600d-50' >"$dir/growing"
	pane() {
		tmux -S "$dir/socket" "$@"
	}
	await_screen() { # REGEX
		for _ in $(seq 600); do
			pane capture-pane -p -t top >"$dir/screen" 2>/dev/null
			grep -Eq "$1" "$dir/screen" && return
			sleep 0.1
		done
	}
	pane -u -f /dev/null new-session -d -s top -x 100 -y 30 "env LC_ALL=C.UTF-8 sh" &&
		await_screen '[$#]' &&
		pane send-keys -t top "'$MTRACE' --top --import mbed --follow '$dir/growing' 2>'$dir/report'" Enter
	await_screen '^in use 50 bytes'
	contains "--top shows a log" '^growing (mbed heap log) is still being read' "$dir/screen"
	seq 100 | awk '{ printf "#m:0x%x;0x6021-7\n", 536936448 + $1 * 16 }' >>"$dir/growing"
	await_screen '^in use 750 bytes in 101 blocks'
	contains "and what is added to it" '^in use 750 bytes in 101 blocks' "$dir/screen"
	pane send-keys -t top q
	await "$dir/report" '750 bytes in 101 blocks in use'
	contains "a report follows" 'in use  *750 bytes in 101 blocks$' "$dir/report"
	pane kill-server 2>/dev/null
else
	skip "--top of a log that grows" "no tmux here, or built without ncurses"
fi

# -- what never pauses
"$MTRACE" --import mbed /dev/zero >"$dir/audit" 2>"$dir/report" &
reader=$!
children="$children $reader"
reads_zero() { ls -l /proc/$reader/fd 2>/dev/null | grep -q '/dev/zero$'; }
for _ in $(seq 600); do
	reads_zero && break
	sleep 0.1
done
kill -TERM $reader
for _ in $(seq 600); do
	[ -d /proc/$reader ] && ! grep -q '^State:.Z' /proc/$reader/status || break
	sleep 0.1
done
kill -KILL $reader 2>/dev/null
wait $reader
result "a signal ends it where there is always more to read" 0 $?
