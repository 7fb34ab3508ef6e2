#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is wrong is told in one line, and by the exit status: 125 ours, 126 not
# executable, 127 not found.
set -u
cd "$OUT" || exit 1
failed=0

# says STATUS REGEX ARGUMENTS...: one line, like that, with that status
says() {
	want=$1 like=$2
	shift 2
	timeout -k 5 20 "$MTRACE" "$@" </dev/null >out 2>err
	got=$?
	if [ $got != "$want" ] || [ "$(grep -vc ': tracing ' err)" != 1 ] || ! grep -Eq "$like" err; then
		echo "$*: status $got instead of $want, or not one line like: $like"
		cat err
		failed=1
	fi
}

try="; try '.*--help'"
says 125 "nothing to trace.*$try"
says 125 "'x' is not a number.*$try" -p x
says 125 "needs PID$try" -p
says 125 "1 to 1024$try" --depth 0 true
says 125 "1 to 1024$try" -d 1025 true
says 125 "1 to 1024$try" -d -3 true
says 125 "unknown option --bogus$try" --bogus
says 125 "unknown option -Z$try" -Z true
says 125 "takes no argument but yes or no$try" --calls=x true
says 125 "none of .*$try" -s bogus true
says 125 "trace: 'perl' is none of mbed, glibc$try" --trace=perl true
says 125 "choose one$try" --calls --trace=mbed true
says 125 "no --output, .*--trace" -i --trace=mbed true
says 125 "cannot write /no/such/file: No such file" --trace=mbed -o /no/such/file true
says 125 "none of json, xml$try" --export sarif true
says 125 "red zones would look free$try" --heapmap --redzone-size=16 true
says 125 "heap: '0x2000' is not like 0x20000000:20K.*$try" --heap 0x2000 true
says 125 "heap: '0x2000:8:8' has no room for a block$try" --heap 0x2000:8:8 true
says 125 "heap: '0x2000:8:5000' has no header of 0 to 4096 bytes$try" --heap 0x2000:8:5000 true
says 125 "heap: '0x20ff:1' lies on another$try" --heap 0x2000:256 --heap 0x20ff:1 true
says 125 "needs a command$try" -u root -p 1
says 125 "no such user" -u nobody-of-that-name true
says 125 "is empty$try" ''
says 127 "command not found" no-such-command-anywhere
says 127 "No such file" ./no-such-file
says 126 "is a directory" /etc
says 126 "make it executable" /etc/passwd
says 126 "Not a directory" /etc/passwd/x
says 125 "cannot write .*No such file" -o /no/such/folder true
says 125 "cannot write .*No such file" --export json:/no/such/folder true
says 125 "cannot write /no/such/%p: No such file" -o /no/such/%p touch has-run
says 125 "cannot write /no/such/%p: No such file" --export json:/no/such/%p touch has-run
says 125 "cannot write /no/such/%p: No such file" --calls -o /no/such/%p touch has-run
[ ! -e has-run ] || { echo "a program ran, though its report cannot be written"; failed=1; }
says 125 "cannot write .*Is a directory" -o . true
says 126 "Permission denied|make it executable|Exec format" /dev/null
says 125 "cannot attach to 2147483647: no such process" -p 2147483647
says 125 "no such process" -p 2147483647 true
if [ -w /dev/full ]; then
	says 125 "cannot write /dev/full: No space" -o /dev/full true
	says 125 "cannot write /dev/full: No space" -q --export json:/dev/full true
	says 125 "cannot write calls to /dev/full: No space" -q --calls -o /dev/full ls /
fi

if "$MTRACE" -V | grep -Eq 'ncurses +yes'; then
	like="--top needs a terminal|nothing is known of a terminal"
else
	like="without ncurses"
fi
if command -v setsid >/dev/null; then
	for word in true -r./server; do
		timeout -k 5 20 setsid -w "$MTRACE" --top $word </dev/null >out 2>err
		[ $? = 125 ] && grep -Eq -e "$like" err || { echo "--top $word: no word of its terminal"; failed=1; }
	done
fi
says 125 "top and --interactive are two views.*$try" --top -i true
says 125 "top and --execute are two views.*$try" --top -x /dev/null true
says 125 "top and --calls .*$try" --top --calls true
says 125 "top and --trace .*$try" --top --trace=mbed true
says 125 "top and --inject sweep .*$try" --top --inject sweep true
says 125 "nothing changes in a log.*$try" --top -l /dev/null
says 125 "for the side that reports.*$try" --top -r ./server true
says 125 "l - and --top .*$try" --top -l - true

printf 'exit 3\n' >no-interpreter
printf '#!/no/such/interpreter\n' >bad-interpreter
: >empty
head -c 40 "$PROGRAM" >short
chmod +x no-interpreter bad-interpreter empty short
says 126 "needs a #! line" ./no-interpreter
says 127 "interpreter it asks for" ./bad-interpreter
says 126 "needs a #! line" ./empty
says 126 "Exec format error; it is damaged, or for a machine" ./short

# One's own pid is not known before; a shell that becomes mtrace knows it.
sh -c 'exec "$MTRACE" -p $$' 2>err
[ $? = 125 ] && grep -q 'itself' err || { echo "own pid"; cat err; failed=1; }

sleep 30 &
sleeper=$!
"$MTRACE" -q -p $sleeper 2>first &
first=$!
sleep 0.5
says 125 "already traced by .*mtrace" -p $sleeper
kill -TERM $first
wait $first
[ $? = 0 ] || { echo "an attached one that is ended by SIGTERM: not 0"; failed=1; }
kill -0 $sleeper || { echo "the attached one did not survive"; failed=1; }
kill $sleeper

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && id nobody >/dev/null 2>&1; then
	"$MTRACE" -q -u nobody sh -c 'exit $(id -u | cut -c1-2)' 2>err
	[ $? = "$(id -u nobody | cut -c1-2)" ] || { echo "-u nobody"; cat err; failed=1; }
	if setpriv --reuid nobody --clear-groups "$MTRACE" -V >/dev/null 2>&1; then
		setpriv --reuid nobody --clear-groups "$MTRACE" -p 1 2>err
		[ $? = 125 ] && grep -q 'belongs to another user; use sudo' err ||
			{ echo "-p 1 as nobody"; cat err; failed=1; }
		setpriv --reuid nobody --clear-groups "$MTRACE" -u root true 2>err
		[ $? = 125 ] && grep -q 'only root' err || { echo "-u as nobody"; cat err; failed=1; }
	fi
fi
exit $failed
