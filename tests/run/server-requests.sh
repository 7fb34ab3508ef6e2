#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every request that a client may make, and what it does.
. "${0%/*}/server-lib.sh"
INFO=1 SCAN=2 WHY=3 READ=4 CENSUS=5 STOP=6 START=7 DEPTH=8 MARK=9 RESET=10 DETACH=11 KILL=12 BLOCKS=13
ROWS=14 HEAPS=15

serve -w
connect -c
await 1 ready said || exit 1
pid=$(sed -n 's/.*(pid \([0-9]*\))$/\1/p' err)
tell 'one 0 100' 'one 1 50' 'two 2 7'

ask $INFO 0 0 0
answer ok
has "^$pid .* 3 open blocks" client.1
ask $INFO 999999 0 0
answer 'No such process'
ask $ROWS 0 3 0
answer 'Bad message: these are no rows'

ask $SCAN 0 0 0
answer ok
ask $SCAN $pid 1 0
answer ok

# An address: that of a block, which only a listing tells.
ask $BLOCKS 0 0 0
answer ok
ask $WHY 0 0x10 0
answer ok
has '^why found=0' client.1
block=$(sed -n 's/^block \(0x[0-9a-f]*\) 100$/\1/p' client.1)
ask $WHY 0 $block 0
answer ok
has '^why found=1 size=100' client.1
ask $READ $pid $block 100
answer ok
grep -aq '^data 100 ' client.1 || wrong "a block is not read"
ask $WHY 0 0 0
answer 'Invalid argument'

# The heap has memory, with blocks in it.
ask $HEAPS 0 0 0
answer ok
has '^heap [123] 0x[0-9a-f]* [1-9][0-9]*$' client.1
ask $HEAPS 999999 0 0
answer 'No such process'

# Memory: breakpoints are not in it.  The code of the program's entry point.
ask $READ $pid 0x1 16
answer 'Bad address'
ask $READ $pid 0x1 70000
answer 'Invalid argument'
start=$(sed -n "s/^\([0-9a-f]*\)-.* r.*$(basename "$PROGRAM")\$/\1/p;" /proc/$pid/maps | head -n 1)
ask $READ $pid "0x$start" 4
answer ok
grep -aq '^data 4 .ELF' client.1 || wrong "the beginning of the program is not read"

ask $CENSUS 0 0 0
answer ok
ask $DEPTH 0 0 0
answer 'Invalid argument'
ask $DEPTH 0 3 0
answer ok
ask $INFO 0 0 0
has ', 3 frames of' client.1
ask $MARK 0 0 0
answer ok
ask 77 0 0 0
answer 'Function not implemented'

# Not observed, nothing is counted; what was taken meanwhile is no error later, nor
# what was released and handed out again.
ask $STOP 0 0 0
answer ok
tell 'free 1' 'one 1 50' 'one 3 1000' 'one 4 1000' 'free 4'
ask $INFO 0 0 0
has ' 3 open blocks, not observed' client.1
ask $START 0 0 0
answer ok
tell 'free 1' 'free 3' 'one 5 11'
ask $INFO 0 0 0
has ' [34] open blocks$' client.1

# All is forgotten, and its releases are no errors.
ask $RESET 0 0 0
answer ok
ask $INFO 0 0 0
has ' 0 open blocks$' client.1
tell 'free 0' 'one 6 33'
ask $KILL 0 0 0
answer 'Invalid argument'
ask $KILL 1 0 0
answer 'No such process'

ask $DETACH $pid 0 0
answer ok
tell 'one 7 1'
finish
wait $pid1
has '^bye' client.1
has '^count block 3' client.1
has '^count mark 1' client.1
has '^count scan 5' client.1
has '^count heap [1-9]' client.1
has '^count reset 1' client.1
! grep -q '^count error' client.1 || wrong "there are errors"
has "^process $pid allocs=1 frees=0 open=1 bytes=33 .* ended=1" client.1
[ $status = 0 ] || wrong "status $status"
has '^done' said

# To kill is another thing than to let go.
serve -w
connect -c
await 1 ready said
pid=$(sed -n 's/.*(pid \([0-9]*\))$/\1/p' err)
ask $KILL $pid 0 0
answer ok
finish
wait $pid1
has "^process $pid .* ended=1" client.1
[ $status = 137 ] || wrong "killed: status $status"
[ ! -e s ] || wrong "killed: the socket is still there"

# Ended before anybody came, nothing was launched.
serve -w
await 1 'waiting for a client' err
kill -TERM $server
finish
[ $status = 143 ] || wrong "-w: status $status"
[ ! -s said ] && [ ! -e s ] || wrong "-w: it has begun, or the socket is still there"
exit $failed
