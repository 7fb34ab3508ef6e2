#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Server and client on two machines: network namespaces with a cable between them.
# Needs root and ip(8).
#
#   remote-netns.sh cut    the cable is unplugged for moments, which loses packets, and
#                          then for good
#   remote-netns.sh netem  it is slow and loses packets (tc-netem(8))
. "${0%/*}/remote-lib.sh"
PATH=$PATH:/sbin:/usr/sbin
board=mt-board-$$ host=mt-host-$$

skip() {
	echo "$*"
	exit 77
}

[ "$(id -u)" = 0 ] || skip "network namespaces are made by root"
command -v ip >/dev/null || skip "no ip(8) here"
ip netns add $board 2>/dev/null || skip "no network namespace can be made here"

clean() {
	[ -z "$server" ] || kill -KILL "$server" 2>/dev/null
	ip netns del $board 2>/dev/null
	ip netns del $host 2>/dev/null
}
trap clean EXIT

ip netns add $host && ip link add mtb$$ type veth peer name mth$$ &&
	ip link set mtb$$ netns $board && ip link set mth$$ netns $host ||
	skip "no veth(4) here"
ip -n $board addr add 10.99.0.1/24 dev mtb$$
ip -n $host addr add 10.99.0.2/24 dev mth$$
ip -n $board link set mtb$$ up
ip -n $host link set mth$$ up
[ "$1" != netem ] || ip netns exec $board tc qdisc add dev mtb$$ root netem delay 20ms loss 5% 2>/dev/null ||
	skip "no netem in this kernel: delay and loss are not tried"

# The cable is out for a moment, again and again.
flap() { # TIMES
	n=0
	while [ $n -lt "$1" ]; do
		n=$((n + 1))
		ip -n $host link set mth$$ down
		sleep 0.1
		ip -n $host link set mth$$ up
		sleep 0.3
	done
}

served() { # OPTION... COMMAND
	rm -f stop
	serve board ip netns exec $board "$MTRACE" -r 10.99.0.1 --token-file token -l log "$@"
}

echo "a secret of some length" >token
chmod 600 token
served -w "$PROGRAM" "$OUT/stop"
ip netns exec $host timeout -k 5 100 "$MTRACE" -r 10.99.0.1 --token-file token -o client.txt \
	--export json:client.json 2>client.err &
client=$!
sleep 0.5
[ "$1" != cut ] || flap 5
: >stop
wait $client || fail "the client's exit status is $?"
finish 0
same "by way of a cable"
[ "$1" = cut ] || exit 0

# Cut for good: the program is held up at most until the server gives the client up,
# and ends as it would have.
served --when-full=drop "$PROGRAM" "$OUT/stop"
ip netns exec $host timeout -s KILL 30 "$MTRACE" -q -r 10.99.0.1 --token-file token 2>client.err &
client=$!
tries=0
until grep -q connected server.err; do
	[ $((tries += 1)) -lt 100 ] || fail "the second client does not get through"
	sleep 0.05
done
ip -n $host link set mth$$ down
sleep 1
: >stop
tries=0
while [ -n "$(cat /proc/$server/task/$server/children 2>/dev/null)" ]; do
	[ $((tries += 1)) -lt 200 ] || fail "the program does not end without its client"
	sleep 0.1
done
kill -TERM $server # its client would be waited for, for a minute
kill -KILL $client 2>/dev/null
wait $client 2>/dev/null
wait $server
server=
grep -q 'events in' server.err || fail "the server does not say what it wrote"
"$MTRACE" -l log >log.txt 2>&1 || fail "the log of the second run cannot be read"
grep -q 'exited with status 0' log.txt || fail "the program did not end as it would have"
exit 0
