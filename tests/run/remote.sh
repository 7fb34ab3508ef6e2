#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A client's report is that of the run: the server writes a log beside, and what is
# read from it must be the same, byte for byte.  By a UNIX socket, by IPv4 and
# IPv6; one client that is there from the beginning, and $CLIENTS (5; 100 in the long
# run) that come, are killed and come back while 16 threads allocate.
set -u
cd "$OUT" || exit 1
: "${CLIENTS:=5}"
port=$((20000 + $$ % 20000))
server=

fail() {
	echo "$*"
	cat server.err client.err 2>/dev/null | tail -n 20
	[ -z "$server" ] || kill -KILL "$server" 2>/dev/null
	exit 1
}

serve() { # ADDRESS COMMAND...
	rm -f log
	: >server.err # not that of the server before
	"$MTRACE" -r "$@" >server.out 2>server.err &
	server=$!
	tries=0
	until grep -q "^mtrace: .*mtrace -r " server.err; do
		kill -0 $server 2>/dev/null || fail "the server has ended: $1"
		[ $((tries += 1)) -lt 200 ] || fail "the server does not come up: $1"
		sleep 0.05
	done
}

finish() {
	wait $server
	status=$?
	server=
	[ $status = "$1" ] || fail "the server's exit status is $status, not $1"
}

same() { # WHAT: the client's last report is the log's
	"$MTRACE" -l log -o log.txt --export json:log.json || fail "$1: the log cannot be read"
	cmp log.json client.json && cmp log.txt client.txt || fail "$1: the reports differ"
}

client() { # ADDRESS
	timeout -k 5 60 "$MTRACE" -o client.txt --export json:client.json -r "$1" 2>client.err ||
		fail "the client's exit status is $?: $1"
}

for address in "$OUT/socket" "127.0.0.1:$port" "[::1]:$port"; do
	case $address in
	*::1*) [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 || continue ;;
	esac
	serve "$address" -w -l log "$PROGRAM"
	client "$address"
	finish 0
	same "$address"
	port=$((port + 1))
done
[ ! -e "$OUT/socket" ] || fail "the socket is left behind"

# Nobody is there when the program ends: its state waits.
serve "$OUT/socket" -l log "$PROGRAM"
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
serve "$OUT/socket" -l log "$PROGRAM" "$OUT/stop"
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
