#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may connect, who is in control, and what becomes of those who talk nonsense.
. "${0%/*}/server-lib.sh"

printf 'open sesame\n' >token
chmod 600 token
serve --token-file token
await 1 ready said
[ "$(stat -c %a s)" = 600 ] || wrong "the socket has the mode $(stat -c %a s)"
connect -c
has '^hello token=1' client.1
has '^refused: it has no token' client.1
connect -c -t 'open sesam'
has '^refused: its token is wrong' client.1
tell 'one 0 100'

# The first is in control, the second is not, a third has no place.
connect -c -t 'open sesame'
has '^ready$' client.1
connect_2 -c -t 'open sesame'
has '^ready: another client is in control' client.2
echo 'ask 12 0 0 0' >&5
await 1 '^answer 1 Operation not permitted' client.2
echo 'rows 3 01000000' >&5
await 1 '^answer 2 Operation not permitted' client.2
ask 1 0 0 0
answer ok
"$client" -c -t 'open sesame' ./s </dev/null >client.3 2>&1
has '^refused: two clients' client.3

for kind in random huge long event early twice half; do
	timeout 30 "$client" -g $kind ./s >client.3 2>&1 || wrong "$kind: status $?"
	grep -Eq '^(closed|lost|refused)' client.3 || wrong "$kind: it is not cut off"
done
# A login that does not come to its end is not waited for.
timeout 40 "$client" -g trickle ./s </dev/null >client.3 2>&1 || wrong "trickle: status $?"
has 'does not log in: cut off' err

# All that was nothing to the others, or to the program.
tell 'one 1 10'
ask 1 0 0 0
answer ok
# In control is the next one that asks for it.
echo quit >&4
wait $pid1
await 1 'has left' err
connect -c -t 'open sesame'
has '^ready$' client.1
finish
[ $status = 0 ] || wrong "status $status"
wait $pid1 $pid2
has '^bye' client.1
has '^bye' client.2
has ' allocs=2 frees=0 open=2 bytes=110 ' client.1
has ' allocs=2 frees=0 open=2 bytes=110 ' client.2
[ ! -e s ] || wrong "the socket is still there"

# Others that can reach a port must know something.
timeout 20 "$MTRACE" -r '*' -P 45760 "$PROGRAM" </dev/null >said 2>err
[ $? = 125 ] || wrong "all addresses without a token"
has 'token-file' err
exit $failed
