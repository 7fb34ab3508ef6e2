#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A client that takes nothing for a while, by TCP too; and the bound of the blocks
# that are kept track of.
. "${0%/*}/server-lib.sh"
rounds=30000
port=$((20000 + $$ % 20000))
total=$((rounds + 1))

# slow ADDRESS OPTION...: while the client reads nothing
slow() {
	address=$1
	shift
	rm -f err talk.1 s
	"$MTRACE" -r "$address" --calls -w "$@" "$PROGRAM" $rounds </dev/null >said 2>err 4>&- &
	server=$!
	await 1 ' -r ' err
	mkfifo talk.1
	: >client.1
	"$client" -c "$address" <talk.1 >client.1 2>&1 &
	pid1=$!
	exec 4>talk.1
	echo pause >&4
	await 1 'is connected' err
}

# The program waits, and nothing is lost.
for address in ./s 127.0.0.1:$port; do
	slow $address
	exec 4>&-
	wait $server || wrong "$address: status $?"
	wait $pid1
	has "^process .* allocs=$total frees=$rounds open=1 bytes=77 .* ended=1" client.1
	has "^count alloc $total\$" client.1
	has "^count release $rounds\$" client.1
	has '^bye' client.1
	[ "$(grep -c '^state' client.1)" = 1 ] || wrong "$address: the state was told again"
done

# The program does not wait: what is lost is made up for by the state.
slow ./s --when-full drop
await 1 done said
exec 4>&-
wait $server || wrong "drop: status $?"
wait $pid1
has "^process .* allocs=$total frees=$rounds open=1 bytes=77 .* ended=1" client.1
has '^bye' client.1
[ "$(grep -c '^state' client.1)" = 2 ] || wrong "drop: the state was not told again"
has 'is too slow: events were left out' err

# Two blocks are known, the others are counted.
"$MTRACE" -q --max-blocks 2 --export json:x.json "$PROGRAM" </dev/null 2>err || wrong "--max-blocks: status $?"
has '4 blocks are not known: beyond --max-blocks' err
tr -d ' \n' <x.json >flat
has '"allocs":2,' flat
exit $failed
