#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Clients that come late, go, and come back; and when none is there.
. "${0%/*}/server-lib.sh"

# One that comes late is told what one from the beginning was.
serve
await 1 ready said
tell 'one 0 100' 'one 1 50' 'free 0'
connect -c
tell 'two 2 7' 'grow 2 70'
echo quit >&4
await 1 'has left' err
tell 'free 1' 'one 3 9'
connect -c
finish
wait $pid1
has '^process .* allocs=5 frees=3 open=2 bytes=79 .* ended=1' client.1
[ $status = 0 ] || wrong "status $status"

# It is over, and nobody was there.
serve
await 1 ready said
tell 'one 0 123'
exec 3>&-
await 1 'no client was here' err
connect
exec 4>&-
wait $server || wrong "waited: status $?"
wait $pid1
has '^bye' client.1
has '^process .* allocs=1 frees=0 open=1 bytes=123 .* ended=1' client.1
[ ! -e s ] || wrong "the socket is still there"

# … and nobody comes.
serve
await 1 ready said
exec 3>&-
await 1 'no client was here' err
kill -TERM $server
wait $server || wrong "interrupted: status $?"
[ ! -e s ] || wrong "interrupted: the socket is still there"

# Killed, a server leaves its socket; the next one takes the name.
serve
await 1 ready said
kill -KILL $server
wait $server
exec 3>&-
[ -S s ] || wrong "no socket was left"
rm -f said err
mkfifo fifo2
"$MTRACE" -r ./s "$PROGRAM" <fifo2 >said 2>err &
server=$!
exec 3>fifo2
done=0
await 1 ready said
has 'left behind' err
timeout 20 "$MTRACE" -r ./s "$PROGRAM" </dev/null >said2 2>err2
[ $? = 125 ] || wrong "a second server has taken the socket of the first"
connect
finish
[ $status = 0 ] || wrong "status $status"
wait $pid1

# The last client is gone: stopped, nothing is counted until one is back.
serve --on-disconnect stop
connect -c
await 1 ready said
tell 'one 0 10'
echo quit >&4
await 1 'nothing is observed' err
tell 'one 1 10' 'one 2 10'
connect -c
ask 1 0 0 0
tell 'one 3 10'
finish
wait $pid1
has '^process .* allocs=2 frees=0 open=2 bytes=20 .* ended=1' client.1

# … or let go.
serve --on-disconnect detach -w
connect -c
await 1 ready said
echo quit >&4
await 1 'no client was here' err
tell 'one 1 10'
connect
has '^state' client.1
finish
wait $pid1
has '^process .* ended=1' client.1
exit $failed
