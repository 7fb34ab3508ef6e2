# SPDX-License-Identifier: GPL-2.0-or-later
# --heapmap at the end of a run, from a log, and when an attached program is left; heapmap
# and heapinfo in the console; each free piece is where the program says.
. "$(dirname "$0")/background.sh"

# free_pieces FILE: all that the program told are in it
free_pieces() {
	[ -s wanted ] || fail "the program told nothing"
	while read -r line; do
		grep -q " $line\$" "$1" || fail "$1 does not have the piece $line: $(cat "$1")"
	done <wanted
}

pieces() { grep ' at 0x' "$1" >wanted; }

"$MTRACE" --heapmap -m 0 "$PROGRAM" >said 2>text || fail "status $?"
pieces said
free_pieces text
grep -q '^brk heap .* at 0x' text || fail "no break"
grep -q '^ *free  *[0-9,]* bytes in [0-9]* pieces, the largest' text || fail "no figures"
grep -q '^region  *total  *free  *largest  *low-water' text || fail "no table"
grep -q '1 more region all in use: .* bytes in 1 block' text || fail "the mapping"
LC_ALL=C grep -q '[^ -~]' text && LC_ALL=C sed -n '/^brk heap/,/^region/p' text | LC_ALL=C grep '[^ -~]' &&
	fail "the map is not all ASCII in a file"

# -m
"$MTRACE" --heapmap -m 3 "$PROGRAM" >said 2>text || fail "-m 3: status $?"
sed -n '/^brk heap/,/^ *fragmentation/p' text >map
[ "$(grep -c ' at 0x' map)" = 4 ] || fail "-m 3: $(cat map)"
grep -q '\.\.\. [0-9]* more pieces, [0-9,]* bytes: -m 0' map || fail "-m 3: the rest"

# Neither asked for nor drawn.
"$MTRACE" --export json:plain.json "$PROGRAM" >said 2>text || fail "without: status $?"
! grep -q 'brk heap\|heap map' text || fail "a map without --heapmap"
! grep -q '"heap": {' plain.json || fail "a heap in the export without --heapmap"

# A log knows when it was told to.
"$MTRACE" --heapmap -l log "$PROGRAM" >said 2>/dev/null || fail "log: status $?"
pieces said
"$MTRACE" --heapmap -m 0 -l log 2>text || fail "from a log: status $?"
free_pieces text
printf 'heapmap brk\nheapmap mapping\nheapinfo\n' | "$MTRACE" -m 0 -i -l log >text 2>err || fail "console, log"
free_pieces text
grep -q '^mapping  *1,05[0-9,]* bytes in 1 block, of' text || fail "heapmap mapping"
"$MTRACE" -l plain "$PROGRAM" >said 2>/dev/null
"$MTRACE" --heapmap -l plain 2>text || fail "a plain log: status $?"
grep -q 'no heap map: it was not told' text || fail "a plain log"
echo heapmap | "$MTRACE" -i -l plain >text 2>err && fail "console, plain log: no failure"
grep -q 'this log does not tell' err || fail "console, plain log"

# While it runs: launched …
mkfifo commands hold
exec 4<>hold
"$MTRACE" -m 0 -x commands "$PROGRAM" wait <&4 >text 2>err &
tracer=$!
exec 3>commands
echo start >&3
await text '^ready'
grep '^[0-9,]* at 0x' text >wanted
printf 'heapmap\nheapinfo\nkill\nwait\nheapmap brk\n' >&3
exec 3>&-
wait $tracer
status=$? tracer=
[ $status = 0 ] || fail "console: status $status"
exec 4>&-
free_pieces text
grep -q '^brk heap  *135,168\|^brk heap  *[0-9,]* ' text || fail "heapinfo"

# … told to a client, to the end …
"$MTRACE" -w --heapmap -r ./s "$PROGRAM" >said 2>err &
tracer=$!
patiently [ -S s ] || fail "no server"
timeout 60 "$MTRACE" --heapmap -m 0 -r ./s >out 2>text || fail "client: status $?"
wait $tracer
status=$? tracer=
[ $status = 0 ] || fail "server: status $status"
pieces said
free_pieces text

# … and attached, when it is left.
launch wait
await said ready
attach --heapmap -m 0
await err 'census: '
end_tracer
pieces said
free_pieces err
! grep -q 'look free' err || fail "attached: doubt"

# Without a census nothing older is known.
attach --heapmap --no-census
await err attached
end_tracer
grep -q 'blocks older than the attach are not known, and look free' err || fail "no doubt"

# From the console: as it is at that moment.
printf 'heapmap brk\nquit\n' >script
attach -m 0 -x script --census >text
patiently grep -q fragmentation text || fail "console, attached"
wait "$tracer"
status=$? tracer=
[ $status = 0 ] || fail "console, attached: $status"
free_pieces text
end_program 0
