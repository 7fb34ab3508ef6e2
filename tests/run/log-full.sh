#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --when-full=drop: a log that nobody reads from its pipe does not hold the program up,
# and the figures are those of the run all the same.
. "${0%/*}/told.sh"
for plain in --no-compress ''; do
	rm -f pipe said err log
	mkfifo pipe
	"$MTRACE" --when-full=drop $plain -l - "$PROGRAM" 60000 >pipe 2>err &
	tracer=$!
	exec 4<pipe
	await 1 '^done$' err # the program has come to its end, and nothing was read
	cat <&4 >log
	exec 4<&-
	wait $tracer || wrong "$plain: status $?"
	"$MTRACE" -l log -o report || wrong "$plain: reading: status $?"
	grep -q ' 60,001 allocs, 60,000 frees, 0 failed' report || { cat report; wrong "$plain: the figures"; }
	grep -q ' 77 bytes in 1 block' report || wrong "$plain: what is in use"
	# Compressed, it may all have had room.
	[ -z "$plain" ] || grep -q '[1-9][0-9]* events were left out' err || wrong "nothing was left out"
done
"$MTRACE" -l log --diff log -o report || wrong "--diff: status $?"
printf 'list\nstatus\n' | "$MTRACE" -i -l log >out 2>&1 || wrong "the console: status $?"
# As after a late client's beginning, addresses are not known.
grep -Eq '^0x|addresses of 1 more are not known' out || { cat out; wrong "the block is not listed"; }
exit $failed
