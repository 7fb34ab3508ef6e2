#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --threshold and --on-threshold.  The program allocates and releases as it is told.
. "${0%/*}/told.sh"

# begin OPTION...: launched, with its input at descriptor 3
begin() {
	rm -f fifo err said ran
	mkfifo fifo
	"$MTRACE" --no-autoscan "$@" "$PROGRAM" <fifo >said 2>err &
	tracer=$!
	exec 3>fifo
	done=0
	await 1 ready said
	pid=$(sed -n 's/^mtrace: tracing .* (pid \([0-9]*\)).*/\1/p' err)
}

# ended STATUS: by itself, or because its input does
ended() {
	wait $tracer
	status=$?
	[ $status = "$1" ] || wrong "status $status instead of $1"
	exec 3>&-
}

finish() {
	exec 3>&-
	ended "$1"
}

has() { # COUNT REGEX FILE
	n=$(grep -c -E -e "$2" "$3")
	[ "$n" = "$1" ] || wrong "$n times '$2' in $3 instead of $1"
}

lines() { # what was said about thresholds
	grep -E '^mtrace: [0-9,]+ bytes? in use, |^ .* block.* % ' "$1"
}

passed='bytes in use, .* above the threshold of'

# Up, a little down and up, far down and up.
begin -l log --threshold 1600
tell 'one 0 1000' 'two 1 600'
await 1 done said
has 0 "$passed" err
tell 'one 2 1'
await 1 "$passed" err
tell 'free 2' 'one 2 50' 'free 2' 'one 2 1' 'free 0' 'one 0 1001' 'free 1' 'two 1 700'
await 3 "$passed" err
finish 0
has 1 '^mtrace: 1,601 bytes in use, 1 above the threshold of 1,600: 1 byte by malloc, caller_one ' err
has 1 '^ +1,001 bytes in 2 blocks +63 %  malloc, caller_one ' err
has 2 '^ +600 bytes in 1 block +37 %  calloc, caller_two ' err
has 1 '^mtrace: 1,602 bytes in use, 2 above the threshold of 1,600: 1,001 bytes by malloc, caller_one ' err
has 1 '^mtrace: 1,702 bytes in use, 102 above the threshold of 1,600: 700 bytes by calloc, caller_two ' err
has 3 "$passed" err

# A log tells the same, whenever it is asked.
"$MTRACE" --threshold 1600 -l log >/dev/null 2>later || wrong "reading the log: $?"
lines err >one
lines later >two
cmp one two || wrong "the log tells something else: $(cat two)"
"$MTRACE" --threshold 1700 --on-threshold exec:'echo $MTRACE_BYTES >ran' -l log >/dev/null 2>later ||
	wrong "reading the log: $?"
has 1 "$passed" later
await 1 '^1702$' ran
for action in stop detach kill mark; do
	"$MTRACE" --threshold 1600 --on-threshold $action -l log >/dev/null 2>later
	[ $? = 125 ] || wrong "--on-threshold $action of a log: no status 125"
	has 1 "^mtrace: --on-threshold $action is for a program that runs" later
done
"$MTRACE" -q --threshold 1700 --on-threshold dump -l log >/dev/null 2>later || wrong "dump of a log: $?"

# Each line of the audit tells how far it is.
begin -q --audit --threshold 1K
tell 'one 0 1000' 'two 1 600' 'free 1'
finish 0
has 2 ' 0x[0-9a-f]+ .* heap_allocated \(1000 bytes\) - delta with heap_threshold \(24 bytes\)$' said
has 1 ' calloc.* heap_allocated \(1600 bytes\) is above heap_threshold \(1024 bytes\)$' said

# Two of them; both at once.
begin --threshold 2K --threshold 1K
tell 'one 0 1500'
await 1 'threshold of 1,024' err
has 0 'threshold of 2,048' err
tell 'one 1 600' 'free 0' 'free 1' 'two 2 5000'
await 2 'threshold of 2,048' err
has 2 'threshold of 1,024' err
finish 0
has 1 '^mtrace: 2,100 bytes in use, 52 above the threshold of 2,048: 600 bytes by malloc, ' err
has 1 '^mtrace: 5,000 bytes in use, 3,976 above the threshold of 1,024: 5,000 bytes by calloc, ' err
has 1 '^mtrace: 5,000 bytes in use, 2,952 above the threshold of 2,048: 5,000 bytes by calloc, ' err

# What it was is the size, not the growth, of a block that was made larger.
begin --threshold 1K
tell 'one 0 1000' 'grow 0 1025'
await 1 "$passed" err
has 1 ': 1,025 bytes by realloc, grow ' err
finish 0

# A child begins with what its parent had.
begin -f --threshold 1K
tell 'one 0 2000' 'fork 0'
finish 0
has 1 "$passed" err

# A report in between.
begin --threshold 1K --on-threshold dump -o report.txt
tell 'two 0 1100'
await 1 'is still running' report.txt
has 1 '^    in use +1,100 bytes in 1 block' report.txt
finish 0
has 1 'exited with status 0' report.txt

# A mark: what came later is told apart.
begin --threshold 1K --on-threshold mark
tell 'one 0 2000'
await 1 'mark 1$' err
tell 'two 1 77'
finish 0
has 1 '^grown +77 bytes in 1 block +since mark 1$' err

# It stands until it is let go on, and is traced on.
begin --threshold 1K --on-threshold stop
echo 'one 0 2000' >&3
await 1 'is stopped; it goes on after: kill -CONT' err
resume=$(sed -n 's/.*: \(kill -CONT [0-9]*\)$/\1/p' err)
[ "$resume" = "kill -CONT $pid" ] || wrong "'$resume' is not about $pid"
tries=0
until grep -q '^State:.*(.*stop' /proc/$pid/status; do
	[ $((tries += 1)) -lt 300 ] || { wrong "it does not stand"; break; }
	sleep 0.1
done
echo 'two 1 77' >&3
$resume
await 2 'done' said
finish 0
has 1 'in use at exit +2,077 bytes in 2 blocks' err

# It runs on, untraced.
begin --threshold 1K --on-threshold detach
echo 'one 0 2000' >&3
wait $tracer || wrong "detach: status $?"
has 1 'was let go after' err
has 1 '^    in use +2,000 bytes in 1 block' err
await 1 'done' said
echo 'two 1 77' >&3
await 2 'done' said
exec 3>&-

# It ends as a program that was killed.
begin --threshold 1K --on-threshold kill
echo 'one 0 2000' >&3
ended 137
has 1 'was killed by SIGKILL' err
has 1 'in use at exit +2,000 bytes in 1 block' err

# A command, which is none of the tracer's children; several things.
begin --threshold 1K --on-threshold mark --on-threshold \
	exec:'echo $MTRACE_PID $MTRACE_BYTES $MTRACE_THRESHOLD >ran; read x || echo nothing >>ran; sed -n "s/^PPid:.//p" /proc/$$/status >>ran; echo end >>ran'
tell 'one 0 2000' 'free 0' 'two 0 3000'
await 1 'mark 2$' err
await 1 end ran
finish 0
grep -qx "$pid 2000 1024" ran || grep -qx "$pid 3000 1024" ran || wrong "what was run: $(cat ran)"
grep -qx nothing ran || wrong "it has something to read"
! grep -qx "$tracer" ran || wrong "it is the tracer's child"

# A command that cannot run, or fails, is nobody's problem.
begin --threshold 1K --on-threshold exec:/no/such/command
tell 'one 0 2000' 'free 0' 'two 0 3000'
finish 0
has 2 "$passed" err

# Through a server: the client watches, and asks the tracer.
serve() { # OPTION... of the client
	rm -f fifo err said s talk
	mkfifo fifo
	"$MTRACE" -r ./s "$PROGRAM" <fifo >said 2>served &
	tracer=$!
	exec 3>fifo
	done=0
	await 1 ' -r \./s' served
	await 1 ready said
	"$MTRACE" -r ./s "$@" 2>err 3>&- &
	client=$!
	await 1 'connected to' err
}
serve --threshold 1K --on-threshold mark
tell 'one 0 2000'
await 1 'mark 1$' served
tell 'two 1 77'
exec 3>&-
wait $client || wrong "client: status $?"
wait $tracer || wrong "server: status $?"
has 1 '^mtrace: 2,000 bytes in use, 976 above the threshold of 1,024: 2,000 bytes by malloc, caller_one ' err
has 1 '^grown +77 bytes in 1 block +since mark 1$' err

serve --threshold 1K --on-threshold kill
echo 'one 0 2000' >&3
wait $client || wrong "client: status $?"
wait $tracer
[ $? = 137 ] || wrong "server: not killed"
has 1 'was killed by SIGKILL' err
exec 3>&-

# What cannot be asked for.
refused() { # REGEX OPTION...
	regex=$1
	shift
	"$MTRACE" "$@" "$PROGRAM" </dev/null >said 2>err
	[ $? = 125 ] || wrong "not refused: $*"
	has 1 "$regex" err
}
for size in '' 1X K 1KB -5 1.5K 99999999999999999999 99999999999G; do
	refused "^mtrace: --threshold: '$size' is no size like" --threshold "$size"
done
refused '^mtrace: --on-threshold needs --threshold' --on-threshold dump
refused "^mtrace: --on-threshold: 'jump' is none of warn, dump, stop, " --threshold 1K --on-threshold jump
refused "^mtrace: --on-threshold: 'exec:' names no command" --threshold 1K --on-threshold exec:
refused 'exclude one another' --threshold 1K --on-threshold stop --on-threshold kill
refused 'for the side that reports' -r ./s --threshold 1K
exit $failed
