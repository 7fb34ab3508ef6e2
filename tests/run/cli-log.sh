#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Logs on the command line: the pipe, what stays off it, what is refused, a full
# disk, a tracer that is killed, a reader that does not read.
set -u

fail() {
	echo "$*"
	exit 1
}

report() { # LOG: the summary's figures
	"$MTRACE" -l "$1" 2>&1 | grep -E 'heap usage|in use at'
}

# The stream on standard output: what the program prints, and we, is elsewhere.
"$MTRACE" -l - "$PROGRAM" says 2>err >stream || fail "-l -: status $?"
grep -q '^the program says so$' err || fail "the program's output went astray"
"$MTRACE" -l - <stream 2>piped || fail "a log on standard input: status $?"
"$MTRACE" --color=never -l stream 2>named || fail "a log by name: status $?"
cmp piped named || fail "-l - reads otherwise than -l FILE"
"$MTRACE" -l - "$PROGRAM" 2>/dev/null | "$MTRACE" -l - 2>&1 | grep -q '10 allocs' || fail "the pipe"

# %p, and a log that is there already is written anew.
"$MTRACE" -q -l 'log.%p' "$PROGRAM" || fail "%p: status $?"
ls log.[0-9]* >/dev/null || fail "%p is not the pid"
"$MTRACE" -q -l stream "$PROGRAM" || fail "an older log is not overwritten"
[ "$(report stream)" = "$(report log.[0-9]*)" ] || fail "written again it differs"

# A report is made with the log when something is asked of it.
"$MTRACE" -l log --export json:x.json -o x.txt "$PROGRAM" 2>/dev/null || fail "-l with --export"
[ -s x.json ] && [ -s x.txt ] || fail "no report beside the log"
"$MTRACE" -q --fail-if 'allocs > 5' -l log "$PROGRAM" && fail "--fail-if beside a log"
"$MTRACE" -q --fail-if 'allocs > 5' -l log && fail "--fail-if of a log"
"$MTRACE" -q --fail-if 'allocs > 50' -l log || fail "--fail-if of a log is always true"

# By way of ssh, or what stands for it here: no port, no token, no disk.
cat >ssh <<'EOF'
#!/bin/sh
shift # the machine
exec sh -c "$*"
EOF
chmod +x ssh
"$PROGRAM" wait &
pid=$!
tries=0
until grep -q sigsuspend /proc/$pid/wchan 2>/dev/null || [ "$(ps -o stat= -p $pid | cut -c 1)" = S ]; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || fail "the program does not start"
	sleep 0.05
done
./ssh board timeout -s INT 1 "$MTRACE" -a --census -l - -p $pid 2>there | "$MTRACE" -a -l - >here 2>&1 ||
	fail "the pipe through ssh: $(cat here)"
kill $pid
grep -q "attached to $pid" there || fail "ssh: nothing is said there: $(cat there)"
grep -q 'was let go' here && grep -q 'before the attach' here || fail "ssh: no report here: $(cat here)"

# What belongs to the other side.
"$MTRACE" -d 3 -l log 2>err && fail "-d with a log was taken"
grep -q -- '--depth is for the side that traces' err || fail "-d: $(cat err)"
"$MTRACE" -l none 2>err && fail "a log that is not there was read"
grep -q 'cannot read none' err || fail "no log: $(cat err)"
"$MTRACE" -l - </dev/null 2>err && fail "an empty log was read"
grep -q 'is empty' err || fail "empty: $(cat err)"
"$MTRACE" -l log "$PROGRAM.not" 2>/dev/null && fail "what does not exist was traced"
[ "$(report log)" = "$(report stream)" ] || fail "a launch that failed has touched the log"

# The binary is another one by now: its names would be wrong.
mkdir -p bin
$CC -g -Wl,--build-id -o bin/prog "$top_srcdir/tests/run/cli-log.c" || fail "it does not compile"
"$MTRACE" -q -l moved bin/prog || fail "a copy of the program"
"$MTRACE" -l moved 2>&1 | grep -q 'once  *cli-log.c' || fail "no names in the copy"
$CC -g -O2 -DOTHER -Wl,--build-id -o bin/prog "$top_srcdir/tests/run/cli-log.c" ||
	fail "the other build does not compile"
"$MTRACE" -l moved >out 2>&1
grep -q 'bin/prog is another build of prog than the traced one' out || fail "another build: $(cat out)"
! grep -q 'once  *cli-log.c' out || fail "names of another build"

# A full disk: one message, the program's work is done.
if [ -c /dev/full ]; then
	"$MTRACE" -l /dev/full "$PROGRAM" work >out 2>err
	[ $? = 125 ] || fail "/dev/full: status $?"
	grep -q '^done$' out || fail "/dev/full: the program did not end"
	[ "$(grep -c 'cannot write' err)" = 1 ] || fail "/dev/full: $(cat err)"
fi

# Killed, it leaves a log that can be read.
"$MTRACE" -q -l killed "$PROGRAM" wait >out &
tracer=$!
tries=0
until [ -s killed ] && "$MTRACE" -l killed 2>&1 | grep -q '1,000 allocs'; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] || fail "nothing is written while the program waits"
	sleep 0.1
done
kill -KILL $tracer
wait $tracer 2>/dev/null
"$MTRACE" -l killed >out 2>&1 || fail "the log of a killed tracer: status $?"
grep -q 'has no end' out || fail "it is not said that the log has no end"
grep -q 'still running' out || fail "the program is not said to run"

# Nobody reads: the program is held up, Ctrl-C ends it all the same.
mkfifo fifo
sleep 60 <fifo & # opens it and reads nothing
reader=$!
"$MTRACE" -q --no-compress -l fifo "$PROGRAM" forever &
tracer=$!
tries=0
until [ "$(ps -o stat= -p $tracer)" ] && [ -n "$(ls /proc/$tracer/task 2>/dev/null)" ]; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || fail "it does not start"
	sleep 0.05
done
sleep 1 # it fills the pipe and the queue; were it not full yet, this proves less
kill -TERM $tracer
tries=0
while kill -0 $tracer 2>/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 40 ] || break
	sleep 0.5
	kill -TERM $tracer 2>/dev/null # not to wait for the reader
done
kill $reader
[ $tries -lt 40 ] || { kill -KILL $tracer; fail "it cannot be ended"; }
wait $tracer
exit 0
