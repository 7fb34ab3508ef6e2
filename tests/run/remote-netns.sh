#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Server and client on two machines: network namespaces with a cable (cable.c) between
# them.  Needs root, ip(8) and /dev/net/tun.
#
#   remote-netns.sh cut    the cable is cut for moments, which loses packets, and then for
#                          good
#   remote-netns.sh loss   it takes 20 ms, and every 20th packet is lost
#   remote-netns.sh ipv6   the same, by IPv6
. "${0%/*}/remote-lib.sh"
PATH=$PATH:/sbin:/usr/sbin
board=mt-board-$$ host=mt-host-$$ cable=

skip() {
	echo "$*"
	exit 77
}

[ "$(id -u)" = 0 ] || skip "network namespaces are made by root"
command -v ip >/dev/null || skip "no ip(8) here"
ip netns add $board 2>/dev/null || skip "no network namespace can be made here"

clean() {
	[ -z "$server" ] || kill -KILL "$server" 2>/dev/null
	exec 8>&- # ends the cable
	[ -z "$cable" ] || wait $cable
	ip netns del $board 2>/dev/null
	ip netns del $host 2>/dev/null
}
trap clean EXIT

# lay DELAY_MS LOSS
lay() {
	rm -f cable.in
	mkfifo cable.in
	"${MTRACE%/*}/tests/run/cable" $board mtb$$ $host mth$$ "$1" "$2" <cable.in >cable.out 2>&1 &
	cable=$!
	exec 8>cable.in
	tries=0
	until grep -q ready cable.out; do
		kill -0 $cable 2>/dev/null || { cable=; skip "no cable: $(cat cable.out)"; }
		[ $((tries += 1)) -lt 200 ] || fail "the cable is not laid"
		sleep 0.05
	done
}
# plug NAMESPACE DEVICE ADDRESS/LENGTH: may be refused
plug() {
	case $3 in
	*:*) ip -n "$1" addr add "$3" dev "$2" nodad 2>/dev/null ;;
	*) ip -n "$1" addr add "$3" dev "$2" ;;
	esac && ip -n "$1" link set "$2" up
}
# handle cut|mend: done when this returns
handle() {
	handled=$((handled + 1))
	echo "$1" >&8
	tries=0
	until [ "$(grep -c done cable.out)" -ge $handled ]; do
		[ $((tries += 1)) -lt 200 ] || fail "the cable is not $1"
		sleep 0.02
	done
}
flap() { # TIMES
	n=0
	while [ $n -lt "$1" ]; do
		n=$((n + 1))
		handle cut
		sleep 0.1
		handle mend
		sleep 0.3
	done
}

ip netns add $host || fail "no second network namespace"
handled=0
case $1 in
cut) lay 0 0 ;;
*) lay 20 20 ;;
esac
if [ "$1" = ipv6 ]; then
	address=[fd99::1]:4576 net=fd99:: length=64
else
	address=10.99.0.1 net=10.99.0. length=24
fi
plug $board mtb$$ ${net}1/$length && plug $host mth$$ ${net}2/$length || skip "no $1 between namespaces here"

served() { # OPTION... COMMAND
	rm -f stop
	serve board ip netns exec $board "$MTRACE" -r $address --token-file token -l log "$@" 8>&-
}

echo "a secret of some length" >token
chmod 600 token
served -w "$PROGRAM" "$OUT/stop"
ip netns exec $host timeout -k 5 100 "$MTRACE" -r $address --token-file token -o client.txt \
	--export json:client.json 2>client.err 8>&- &
client=$!
sleep 0.5
[ "$1" != cut ] || flap 5
: >stop
wait $client || fail "the client's exit status is $?"
finish 0
same "by way of a cable"
if [ "$1" != cut ]; then
	exec 8>&-
	wait $cable
	cable=
	grep -q '^[1-9][0-9]* carried, [1-9][0-9]* lost, 0 cut off$' cable.out ||
		fail "the cable has lost nothing: $(tail -n 1 cable.out)"
	exit 0
fi

# Cut for good: the program is held up at most until the server gives the client up,
# and ends as it would have.
served --when-full=drop "$PROGRAM" "$OUT/stop"
ip netns exec $host timeout -s KILL 30 "$MTRACE" -q -r $address --token-file token 2>client.err 8>&- &
client=$!
tries=0
until grep -q connected server.err; do
	[ $((tries += 1)) -lt 100 ] || fail "the second client does not get through"
	sleep 0.05
done
handle cut
sleep 1
: >stop
tries=0
while [ -n "$(cat /proc/$server/task/$server/children 2>/dev/null)" ]; do
	[ $((tries += 1)) -lt 200 ] || fail "the program does not end without its client"
	sleep 0.1
done
kill -TERM $server # its client would be waited for, for a minute
kill -TERM $client 2>/dev/null # timeout hands it on
wait $client 2>/dev/null
wait $server
server=
grep -q 'events in' server.err || fail "the server does not say what it wrote"
"$MTRACE" -l log >log.txt 2>&1 || fail "the log of the second run cannot be read"
grep -q 'exited with status 0' log.txt || fail "the program did not end as it would have"
exec 8>&-
wait $cable
cable=
grep -q ' [1-9][0-9]* cut off$' cable.out || fail "nothing was cut off: $(tail -n 1 cable.out)"
exit 0
