#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The console on a log, from a pipe and from a file: each command, abbreviations, and
# what is wrong.
set -u
cd "$OUT" || exit 1
# What the program keeps, and with what else it has.
many=2,000 most=200,000 all='200,250 bytes in 2,005 blocks'
[ -z "${EMULATED-}" ] || { many=400 most=40,000 all='40,250 bytes in 405 blocks'; }
failed=0

wrong() {
	echo "$*"
	failed=1
}

# console STATUS COMMANDS: from a pipe; what it prints is in out and err
console() {
	printf '%b\n' "$2" | "$MTRACE" -i -l log >out 2>err
	got=$?
	[ $got = "$1" ] || wrong "$2: status $got instead of $1: $(cat err)"
}

# prints REGEX COMMANDS: it succeeds, and a line is like that
prints() {
	console 0 "$2"
	grep -Eq -e "$1" out || wrong "$2 does not print $1: $(head -n 20 out)"
	[ ! -s err ] || wrong "$2: $(cat err)"
}

# refuses REGEX COMMAND: kept for refuse_all, which wants a line like that of each
: >commands
: >likes
refuses() {
	echo "$2" >>commands
	echo "$1" >>likes
}

# One after the other: none ends the console, but the exit status is 1.
refuse_all() {
	echo 'show marks' >>commands
	"$MTRACE" -x commands -l log >out 2>err
	got=$?
	[ $got = 1 ] || wrong "commands that are wrong: status $got"
	[ "$(cat out)" = 'no marks were set' ] || wrong "commands that are wrong print: $(cat out)"
	[ "$(wc -l <err)" = "$(wc -l <likes)" ] || wrong "not a line for each command: $(cat err)"
	number=0
	while read -r like; do
		number=$((number + 1))
		sed -n "${number}p" err | grep -Eq -e "$like" ||
			wrong "line $number does not say $like: $(sed -n "${number}p" err)"
	done <likes
}

"$MTRACE" -q -f -v --why --show-leak-kinds=all -l log "$PROGRAM" 2>/dev/null
set -- $("$MTRACE" -q -l log -o - | sed -n 's/^console (pid \([0-9]*\)).*/\1/p')
prints "^ *[0-9]+  console .*exited with status 0 .*$all +1\$" proclist
child=$(awk '/status 3/ { print $1 }' out) parent=$(awk '/status 0/ { print $1 }' out)
[ -n "$child" ] && [ -n "$parent" ] || { wrong "proclist: $(cat out)"; exit 1; }

# One process of two.
prints 'keep_in_child' "dump $child"
! grep -q keep_many out || wrong "dump $child shows the parent"
prints 'keep_many' "dump $parent"
! grep -q keep_in_child out || wrong "dump $parent shows the child"
prints "^console \(pid $child\) exited with status 3" "status $child"
[ "$(grep -c '^console (pid' out)" = 1 ] || wrong "status $child shows others"
prints "^console \(pid $parent\)" status
[ "$(grep -c '^console (pid' out)" = 2 ] || wrong "status does not show both"

# Lists, and the numbers in them.
prints "^$all\$" "list $parent"
[ "$(grep -Ec '^0x[0-9a-f]+ +100  malloc +console.c:[0-9]+  keep_many +[^ ]+ +[0-9.]+ s$' out)" = $(echo $many | tr -d ,) ] ||
	wrong "list: $(head -n 3 out)"
[ "$(grep -c keep_few out)" = 5 ] || wrong "list: not five blocks of keep_few"
address=$(awk '/keep_few/ { print $1 }' out | sort | head -n 1)
grep -q 'keep_few  *kept\[i\] ' out && source=here || source=
prints '50 bytes at 0x[0-9a-f]+ ' "block $address"
grep -q keep_few out || wrong "block: no stack"
[ -z "$source" ] || prints ' assigned to kept\[i\]' "block $address"
last=$(awk '/keep_few/ { a = $1 } END { print a }' out)
prints '^still reachable' "list >/dev/null\nwhy $address"
grep -q 'kept' out || wrong "why: not from kept: $(cat out)"
prints "^in use +$most bytes in $many blocks" "top 1"
! grep -q keep_few out || wrong "top 1 shows two"
prints '^… 1 more stack holds 250 bytes .*: top 0$' "top 1"
prints "^in use +$most bytes" "top >x\nstack 1"
grep -q '_start' out || wrong "stack: not the whole one"
prints '^in use +250 bytes' "stack 2"
prints '^still reachable' "top >x\nwhy 1"
prints '.' "leaks"
prints '^ *posix_memalign|^ *main ' errors
grep -q 'misaligned request' out || wrong "errors: $(cat out)"
prints '^traced by +mtrace ' 'show info'
prints "^command +$PROGRAM\$" 'sho i'
prints '^/tmp:/usr$' 'set searchpath /tmp:/usr\nshow sea'

# Help, for all of them.
console 0 help
"$MTRACE" --list-commands >table
while read -r name _; do
	grep -q "^  $name " out || wrong "help lacks $name" >&2
	echo "help $name"
done <table >script
"$MTRACE" -x script -l log >out || wrong "help COMMAND: status $?"
while read -r line; do
	grep -qxF "$line" out || wrong "help does not show: $line"
done <table
prints '^dump \[SORT\]' 'hel du'

# Files.
prints '^no marks' '# a comment\n\n  sho   m  # another'
console 0 'show marks >f\nshow marks >>f'
[ "$(grep -c '^no marks' f)" = 2 ] || wrong ">>"
refuses 'cannot write /nowhere/x' 'dump >/nowhere/x'
refuses '^mtrace: cannot write /nowhere/x' 'export json /nowhere/x'

# What is wrong.
refuses "'st' may be one of: stack, start, status, stop" st
refuses "unknown command 'frobnicate'" frobnicate
refuses "'bogus' is no key to sort by" 'dump bogus'
refuses "'a' begins several keys" 'dump a'
refuses 'there is no process 1 here' 'dump 1'
refuses 'there is no process 99999999 here' 'status 99999999'
refuses "'x' is no process id" 'status x'
refuses "'12' is no address" 'block 12'
refuses "'0xzz' is no address" 'block 0xzz'
refuses "'0x11112222333344445' is no address" 'block 0x11112222333344445'
refuses 'no open block covers 0x1' 'block 0x1'
refuses 'the log does not tell what points to 0x1:' 'why 0x1'
refuses 'no stack has the number 99' 'stack 99'
refuses 'no stack has the number 0' 'stack 0'
refuses "'sarif' is no format: json, xml" 'export sarif x'
refuses 'there is no mark 1' 'diff 1 2'
refuses 'no marks were set' 'diff 0 now'
refuses 'usage: stack N' 'stack'
refuses 'usage: proclist$' 'proclist 1'
refuses 'a quote is not closed' 'dump "x'
refuses 'no file is named behind >' 'dump >'
refuses 'there is no folder /nowhere' 'set searchpath /nowhere'
refuses "'x' is no thing to set: depth, searchpath" 'set x 1'
for command in scan 'scan new' start stop reset mark detach kill 'set depth 3'; do
	refuses 'nothing is traced here: this is a log' "$command"
done
refuse_all

# From a file; an error is told with its line, and the rest is done.
printf 'show marks\nfrobnicate\nshow searchpath' >script
"$MTRACE" -x script -l log </dev/null >out 2>err
[ $? = 1 ] || wrong "-x: status"
grep -q '^mtrace: script:2: unknown command' err || wrong "-x: $(cat err)"
[ "$(wc -l <out)" = 2 ] || wrong "-x: the rest was not done"
echo 'show marks' | "$MTRACE" -i -x script -l log >out 2>err
[ "$(grep -c '^no marks' out)" = 2 ] || wrong "-x -i does not go on"
printf 'quit\nfrobnicate\n' >script
echo 'show marks' | "$MTRACE" -i -x script -l log >out 2>err || wrong "quit: status $?"
[ ! -s out ] && [ ! -s err ] || wrong "quit does not end a script, and what follows"
"$MTRACE" -x /nowhere -l log 2>err && wrong "-x /nowhere succeeds"
grep -q 'cannot read /nowhere' err || wrong "-x /nowhere: $(cat err)"
echo 'show marks' | "$MTRACE" -x - -l log | grep -q '^no marks' || wrong "-x -"
"$MTRACE" -x script -l - <log >out 2>err || wrong "-x with -l -: status $?"
for options in -i '-x -'; do
	"$MTRACE" $options -l - <log 2>err && wrong "$options -l - was taken"
	grep -q 'same standard input' err || wrong "$options -l -: $(cat err)"
done
"$MTRACE" -i -l log -o report 2>err </dev/null && wrong "-i -o was taken"
grep -q 'dump >FILE' err || wrong "-i -o: $(cat err)"
"$MTRACE" -i -l log2 "$PROGRAM" </dev/null 2>err && wrong "-i while a log is written was taken"
grep -q 'side that reports' err || wrong "-i -l with a command: $(cat err)"

# Who reads no more ends it, without a word.
yes list | head -n 200 | "$MTRACE" -i -l log 2>err | head -n 1 >out
[ ! -s err ] || wrong "a closed pipe: $(cat err)"
exit $failed
