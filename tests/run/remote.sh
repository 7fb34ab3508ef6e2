#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A client's report is that of the run: the server writes a log beside, and what is
# read from it must be the same, byte for byte.
#
#   remote.sh local  by a UNIX socket and by IPv4; one client that is there from the
#                    beginning, one that comes when all is over, and $CLIENTS (5; 100 in
#                    the long run) that come, are killed and come back while 16 threads
#                    allocate
#   remote.sh ipv6   one client, by IPv6
. "${0%/*}/remote-lib.sh"
: "${CLIENTS:=${EMULATED:+2}}" "${CLIENTS:=5}"
port=$((20000 + $$ % 20000))

client() { # ADDRESS
	timeout -k 5 60 "$MTRACE" -o client.txt --export json:client.json -r "$1" 2>client.err ||
		fail "the client's exit status is $?: $1"
}

throughout() { # ADDRESS
	serve "$1" "$MTRACE" -r "$1" -w -l log "$PROGRAM"
	client "$1"
	finish 0
	same "$1"
}

if [ "$1" = ipv6 ]; then
	grep -q ' lo$' /proc/net/if_inet6 2>/dev/null || { echo "no IPv6 loopback here"; exit 77; }
	throughout "[::1]:$port"
	exit 0
fi
throughout "$OUT/socket"
throughout "127.0.0.1:$port"
[ ! -e "$OUT/socket" ] || fail "the socket is left behind"

# Nobody is there when the program ends: its state waits.
serve late "$MTRACE" -r "$OUT/socket" -l log "$PROGRAM"
tries=0
until grep -q 'it is over, and no client' server.err; do
	[ $((tries += 1)) -lt 200 ] || fail "it does not say that it waits"
	sleep 0.05
done
client "$OUT/socket"
finish 0
same "a client that came afterwards"

# Clients come and go in the midst of a storm.
rm -f stop
serve storm "$MTRACE" -r "$OUT/socket" -l log "$PROGRAM" "$OUT/stop"
n=0
while [ $n -lt "$CLIENTS" ]; do
	n=$((n + 1))
	timeout -s KILL 0.$((1 + n % 4)) "$MTRACE" -q -r "$OUT/socket" >/dev/null 2>client.err
	kill -0 $server 2>/dev/null || fail "client $n has ended the server"
done
timeout -k 5 120 "$MTRACE" -o client.txt --export json:client.json -r "$OUT/socket" 2>client.err &
last=$!
sleep 0.5
: >stop
wait $last || fail "the last client's exit status is $?"
finish 0
same "after $CLIENTS clients"
exit 0
