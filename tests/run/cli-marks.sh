#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Marks, set by signals and by the clock: what is open that was allocated between
# them.  The program does one thing after the other, as it is told.
. "${0%/*}/told.sh"

# begin OPTION...: launched, with its input at descriptor 3
begin() {
	rm -f fifo err said
	mkfifo fifo
	"$MTRACE" --export json:out.json "$@" "$PROGRAM" <fifo >said 2>err &
	tracer=$!
	exec 3>fifo
	done=0 marks=0
	await 1 ready said
}

mark() {
	kill -"$1" $tracer
	marks=$((marks + 1))
	await 1 "mark $marks\$" err
}

finish() {
	exec 3>&-
	wait $tracer || wrong "status $?"
	tr -d ' \n' <out.json | sed 's/"at_ns":[0-9]*,//g' >flat
}

has() {
	grep -qF -e "$1" flat || wrong "not in the export: $1"
}

run_all() { # SIGNAL OPTION...
	sig=$1
	shift
	begin "$@"
	tell 'one 0 100' 'two 1 10' 'one 2 1000'
	mark $sig
	tell 'one 3 200' 'one 4 200' 'two 5 20' 'free 2'
	mark $sig
	tell 'one 6 400' 'free 4' 'grow 0 150'
	mark $sig
	tell 'two 7 800'
	finish
}

run_all USR2 --on-signal USR2:mark
has '"marks":[{"nr":1,"blocks":2,"bytes":220},{"nr":2,"blocks":2,"bytes":550},{"nr":3,"blocks":1,"bytes":800}]'
has '"by_mark":[{"mark":1,"blocks":1,"bytes":200},{"mark":2,"blocks":1,"bytes":400}]'
has '"by_mark":[{"mark":1,"blocks":1,"bytes":20},{"mark":3,"blocks":1,"bytes":800}]'
grep -Eq '^grown +600 bytes in 2 blocks +between mark 1 and 3$' err || wrong "the first caller"
grep -Eq '^grown +150 bytes in 1 block +between mark 1 and 3$' err || wrong "realloc"
grep -Eq '^grown +20 bytes in 1 block +between mark 1 and 3$' err || wrong "the second caller"
[ "$(grep -c ^grown err)" = 3 ] || wrong "too many"
grep -Eq '^    by age +10 bytes in 1 block, before mark 1 \(over ' err &&
	grep -Eq '^ +220 bytes in 2 blocks, from mark 1 to 2 \(' err &&
	grep -Eq '^ +550 bytes in 2 blocks, from mark 2 to 3 \(' err &&
	grep -Eq '^ +800 bytes in 1 block, after mark 3 \(under ' err || wrong "ages"

run_all USR1 --on-signal=USR1:mark --between 1:2 -o report.txt
grep -Eq '^grown +200 bytes in 1 block +between mark 1 and 2$' report.txt &&
	[ "$(grep -c ^grown report.txt)" = 2 ] || wrong "--between 1:2: $(cat report.txt)"
run_all USR2 --on-signal USR2:mark --between 3:
grep -Eq '^grown +800 bytes in 1 block +since mark 3$' err && [ "$(grep -c ^grown err)" = 1 ] ||
	wrong "--between 3:"
run_all USR2 --on-signal USR2:mark --between :2
grep -Eq '^grown +30 bytes in 2 blocks +before mark 2$' err &&
	grep -Eq '^grown +200 bytes in 1 block +before mark 2$' err || wrong "--between :2"

# One mark: from there until now.  None: not a word.
begin --on-signal USR2:mark
tell 'one 0 100'
mark USR2
tell 'one 1 77'
finish
grep -Eq '^grown +77 bytes in 1 block +since mark 1$' err && [ "$(grep -c ^grown err)" = 1 ] || wrong "one mark"
begin
tell 'one 0 100'
finish
! grep -Eq 'grown|by age' err || wrong "no mark"
has '"marks":[]'
has '"by_mark":[]'

# What a child releases of what it has inherited is none of its own.
begin -f --on-signal USR2:mark
mark USR2
tell 'one 0 100' 'two 1 50' 'fork 0'
finish
has '"marks":[{"nr":1,"blocks":2,"bytes":150}]'
has '"by_mark":[{"mark":1,"blocks":1,"bytes":100}]'

# By the clock.
begin -v --mark-every 20ms
await 1 'mark 1$' err
tell 'one 0 100'
await 1 'mark 3$' err
finish
[ "$(tr ',' '\n' <flat | grep -c '"nr":')" -ge 3 ] || wrong "--mark-every: fewer than three marks"

# Attached.
rm -f fifo err said
mkfifo fifo
"$PROGRAM" <fifo >said &
pid=$!
exec 3>fifo
done=0 marks=0
await 1 ready said
"$MTRACE" --on-signal USR2:mark --between 1:2 -p $pid 2>err 3>&- &
tracer=$!
await 1 'attached to' err
mark USR2
tell 'one 0 123'
mark USR2
tell 'one 1 5'
kill -TERM $tracer
wait $tracer || wrong "attached: status $?"
exec 3>&-
wait $pid || wrong "attached: the program was harmed"
grep -Eq '^grown +123 bytes in 1 block +between mark 1 and 2$' err || wrong "attached"
exit $failed
