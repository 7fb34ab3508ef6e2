#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The program and its library have no call-frame information where they run; the client
# has it, and gives it, before the program begins: the server's own log has whole stacks.
# Nobody's files, damaged rows and a client without a word cost frames, no more.
. "${0%/*}/remote-lib.sh"
command -v objcopy >/dev/null || { echo "no objcopy"; exit 77; }
readelf -n "$PROGRAM" | grep -q 'Build ID' || { echo "the linker makes no build ids"; exit 77; }
lib=rows-lib.so plugin=rows-plugin.so
client=${MTRACE%/*}/tests/run/wire-client
debug=root/usr/lib/debug

# In a copy of the target's file system: the program as a whole, of the libraries what is
# on the target, and beside it their debug files, by the build id.
mkdir -p "root$OUT"
cp "$PROGRAM" "root$OUT/"
for file in $plugin $lib; do
	id=$(readelf -n $file | sed -n 's/.*Build ID: *//p')
	mkdir -p "$debug/.build-id/${id%"${id#??}"}"
	objcopy --only-keep-debug $file "$debug/.build-id/${id%"${id#??}"}/${id#??}.debug"
	objcopy --strip-all $file
	cp $file "root$OUT/"
done
objcopy --strip-all "$PROGRAM"

broken() { # JSON
	sed -n 's/.*"broken": \([0-9]*\).*/\1/p' "$1"
}

# run_with WHAT CLIENT...: the server's log is read with the files, but of stacks that
# broke there it has nothing more than the server had.
run_with() {
	what=$1
	shift
	rm -f "$EXPECT"
	serve "$what" "$MTRACE" -v -r ./s -w -l log "$PROGRAM"
	"$@" >client.out 2>client.err || fail "$what: the client's status is $?"
	finish 0
}

unwound() { # WHAT: no frame is lost
	timeout -k 5 60 "$MTRACE" -q -l log -b root --export json:log.json 2>log.err || fail "$1: the log"
	[ "$(broken log.json)" = 0 ] || fail "$1: $(broken log.json) stacks are broken"
	"$OUT/../../expect" "$EXPECT" log.json || fail "$1: the log's stacks"
	"$OUT/../../expect" "$EXPECT" client.json || fail "$1: the client's stacks"
}

lost() { # WHAT: stacks are broken, the rest is as ever
	timeout -k 5 60 "$MTRACE" -q -l log --export json:log.json 2>log.err || fail "$1: the log"
	[ "$(broken log.json)" -gt 0 ] || fail "$1: nothing is lost"
	grep -q '"allocs": 4,' log.json || fail "$1: allocations are missing"
}

mtrace() {
	timeout -k 5 60 "$MTRACE" -v --export json:client.json "$@" -r ./s
}

run_with "a client with the files" mtrace -b root
unwound "a client with the files"
grep -q "rows-lib.so: a client gave its rows" server.err || fail "it does not say so"

run_with "a client without the files" mtrace -b /nonexistent
lost "a client without the files"
run_with "a client that says nothing of files" mtrace # what it finds are those that run
lost "a client that says nothing of files"

# until_there WHAT COMMAND…: waits until that succeeds.
until_there() {
	what=$1 tries=0
	shift
	until "$@"; do
		[ $((tries += 1)) -lt 400 ] || fail "$what"
		sleep 0.05
	done
}

# The program waits when stacks were taken, and broke off, for a client to come; he goes on
# with these, too.
serve_late() { # WHAT
	rm -rf "$EXPECT" first given client.json
	serve "$1" "$MTRACE" -f -v -r ./s -l log "$PROGRAM" "$OUT/first" "$OUT/given"
	until_there "$1: nothing was allocated" [ -d first ]
}

all_given() {
	[ "$(grep -c 'a client gave its rows' server.err)" = 2 ]
}

# From then on they do not.
end_late() { # WHAT PID
	: >given
	wait "$2" || fail "$1: its status is $?"
	finish 0
	"$OUT/../../expect" "$EXPECT" client.json || fail "$1: its stacks"
}

serve_late "a late client"
mtrace -b root >client.out 2>client.err &
late=$!
until_there "a late client: no rows" all_given
end_late "a late client" $late

# Control is another matter: a console can have it beside the one that gives rows.
serve_late "a console beside"
mtrace -b root >client.out 2>client.err &
late=$!
until_there "a console beside: no rows" all_given
echo mark >commands
timeout -k 5 60 "$MTRACE" -r ./s -x commands >console.out 2>console.err || fail "a console beside: its status is $?"
grep -q 'is connected, and in control' server.err || fail "the console is not in control"
! grep -q 'control' console.err || fail "the console: $(cat console.err)"
end_late "a console beside" $late

# begin_talk WHAT OPTION: a client that gives no rows; what it is to say goes to descriptor 4.
begin_talk() {
	mkfifo talk
	"$client" "$2" ./s <talk >talk.out 2>&1 &
	first=$!
	exec 4>talk
	rm talk
	until_there "$1: the first client is told nothing" grep -q '^wanted' talk.out
}

# Of two that could, one gives rows; when it leaves without a word, the other one does.
serve_late "two that could"
begin_talk "two that could" -r
mtrace -b root >client.out 2>client.err &
late=$!
until_there "two that could: the second one is not refused" grep -q 'another client gives rows' client.err
! all_given || fail "two that could: both do"
echo quit >&4
exec 4>&-
wait $first
until_there "two that could: the second one gives none" all_given
end_late "two that could" $late

# While they are awaited, whoever has the files goes on from where stacks broke off: of a
# library that the program loads by itself, and nobody gives the rows of.
rm -f "$EXPECT" client.json
serve "rows that do not come" "$MTRACE" -r ./s -w "$PROGRAM" "$OUT/$plugin"
begin_talk "rows that do not come" -c
mtrace -b root >client.out 2>client.err || fail "rows that do not come: the client's status is $?"
exec 4>&-
wait $first
finish 0
grep -q "^wanted .*/$plugin" talk.out || fail "rows that do not come: nobody is asked for the plug-in's"
"$OUT/../../expect" "$EXPECT" client.json || fail "rows that do not come: the stacks"

# A console of one's own is such a client, too.
rm -f "$EXPECT" client.json
printf 'start\nwait\nexport json client.json\n' >commands
timeout -k 5 60 "$MTRACE" -b root -x commands "$PROGRAM" >client.out 2>client.err ||
	fail "a console: the status is $?"
"$OUT/../../expect" "$EXPECT" client.json || fail "a console's stacks"

# Rows that are no rows.  Of each module the first part that is wrong ends it.
talk() { # LINE: what is said of the library
	mkfifo talk
	"$client" -c ./s <talk >client.out 2>client.err &
	exec 4>talk
	rm talk
	tries=0
	until grep -q "^wanted $id .*/$lib" client.out; do
		[ $((tries += 1)) -lt 200 ] || fail "the library's rows are not wanted"
		sleep 0.05
	done
	for line; do
		echo "$line" >&4
	done
	exec 4>&-
	wait $!
}
n=$(printf %02x $((${#id} / 2)))
none="rows 4 $n$(readelf -n "root$OUT/rows" | sed -n 's/.*Build ID: *//p')"
run_with "rows that are none" talk "rows 3 ff" "rows 3 $n$id" "rows 3 ${n}${id}0001" "$none"
grep -q '^answer 1 Bad message: these are no rows' client.out || fail "the first answer"
grep -q '^answer 2 Bad message: damaged' client.out || fail "the second answer"
grep -q '^answer 3 Operation already' client.out || fail "the third answer"
[ "$(grep -c "the rows that a client gives of .*$lib are damaged: they are not used" server.err)" = 1 ] ||
	fail "the server does not say it once"
lost "rows that are none"
run_with "rows of other code" talk "rows 3 ${n}${id}ffffffffff7f01000707a001000801" "$none"
grep -q '^answer 1 Bad message' client.out || fail "other code is taken"
lost "rows of other code"
# Nothing is there to wait for, when no answer comes: a moment at most.
run_with "no answer" talk
lost "no answer"
exit 0
