#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --list and --source: every open block with its place and its variable, as the program
# says; of a run, from its log, by way of a server, and by a client that comes late.
set -u
cd "$OUT" || exit 1
failed=0 server=
source=$(dirname "$0")/list.cc
[ -r "$source" ] || { echo "the program's source is not here"; exit 77; }

wrong() {
	echo "$*"
	failed=1
}

trap '[ -z "$server" ] || kill -KILL $server 2>/dev/null' EXIT

# lists WHAT FILE: the text has each of the blocks that the program told, and no other
lists() {
	awk '/^0x.* list\.cc:/ {
		op = $3 == "operator"
		split($(4 + op), place, ":")
		name = 5 + op + ($(5 + op) ~ /,$/)
		sub(/,/, "", $2)
		print $2, place[2], $name, $(name + 1)
	}' "$2" | sort >have
	sort said >want
	diff want have || wrong "$1: not the blocks that the program has (<)"
}

run="timeout -k 5 50"
$run "$MTRACE" --list -l log "$PROGRAM" </dev/null >said 2>err || wrong "status $?"
lists "--list" err
grep -Eq '^address +size +operation +place +function +variable +age$' err || wrong "no titles"
$run "$MTRACE" --list -l log -o text || wrong "from the log: status $?"
lists "from the log" text
sizes=$(sed -n 's/^0x[0-9a-f]*  *\([0-9,]*\)  .*/\1/p' text | tr -d ,)
[ "$sizes" = "$(echo "$sizes" | sort -rn)" ] || wrong "in a file the largest is not the first:" $sizes

$run "$MTRACE" --source -l log -o text || wrong "--source: status $?"
grep -q '^    char \*buffer = (char \*)malloc(1000);$' text || wrong "--source: no line"
$run "$MTRACE" --list -m 2 -l log -o text || wrong "-m 2: status $?"
[ "$(grep -c '^0x' text)" = 2 ] && grep -q ' more blocks of ' text || wrong "-m 2: $(grep -c ^0x text) blocks"

if command -v jq >/dev/null; then
	$run "$MTRACE" -q --list --source -l log --export json >json || wrong "export: status $?"
	jq -r '.processes[0].blocks[] | select(.file) | select(.file | endswith("list.cc")) |
		"\(.size) \(.line) \(.function) \(.variable // "-")"' json | sort >have
	diff want have || wrong "the export has other blocks"
	[ "$(jq '.processes[0] | .open_blocks == (.blocks | length)' json)" = true ] || wrong "not all blocks"
	[ "$(jq -r '.processes[0].blocks[] | select(.size == 33).source' json)" = 'tab[i] = calloc(3, 11);' ] ||
		wrong "the export has no source"
	$run "$MTRACE" -q -l log --export json | jq -e '.processes[0].blocks == null' >/dev/null ||
		wrong "blocks without --list"
fi

# Elsewhere than the debug information says: only below --source-path.
mkdir -p other/deep
sed 's/buffer = /puffer = /' "$source" >other/deep/list.cc
$run "$MTRACE" --list --source-path other/deep -l log -o text || wrong "--source-path: status $?"
grep -q ' puffer ' text || wrong "--source-path is not looked at first"

# Several processes have a list each.
$run "$MTRACE" -f --list sh -c '"$0"; "$0"; true' "$PROGRAM" </dev/null >/dev/null 2>err ||
	wrong "two processes: status $?"
[ "$(grep -Ec '^list \(pid [0-9]+\)$' err)" = 2 ] && [ "$(grep -c ' buffer ' err)" = 2 ] ||
	wrong "two processes: $(grep pid err)"

# Where the compiler was told relative names, its folder is in the debug information.
mkdir -p built/inside
cp "$source" built/inside/
(cd built && $CXX -g -fno-builtin -o ../relative inside/list.cc) || wrong "$CXX failed"
(cd / && $run "$MTRACE" --list -o "$OUT/text" "$OUT/relative" </dev/null >"$OUT/said" 2>/dev/null)
lists "relative names" text

# An imported log that names the variable.
echo 'Memory allocated at 0x3ffb1234, caps 0x1800, size 100 bytes, in main/app.c, line 12, function app_main, variable this->ssid' |
	$run "$MTRACE" --import esp --list -o imported - || wrong "--import: status $?"
grep -Eq '^0x00003ffb1234 +100  heap_caps_malloc +app.c:12 +app_main +this->ssid ' imported || wrong "imported: $(grep ^0x imported)"

# A client that is there from the beginning, and leaves; one that comes when all is
# allocated, and asks.
rm -f said
mkfifo input
"$MTRACE" -q -r ./server -w "$PROGRAM" wait <input >said 2>server.err &
server=$!
exec 4>input
await() { # COMMAND...: waits until it succeeds
	tries=0
	until "$@" || [ $tries -ge 1500 ]; do
		sleep 0.02
		tries=$((tries + 1))
	done
}
await [ -S server ]
"$MTRACE" --list -o first -r ./server </dev/null 2>first.err &
client=$!
await grep -q '^31 ' said
kill -INT $client
wait $client || wrong "client: status $?: $(cat first.err)"
lists "a client" first
"$MTRACE" --list -o late -r ./server </dev/null 2>late.err &
client=$!
await grep -q 'connected to' late.err
kill -INT $client
wait $client || wrong "late client: status $?: $(cat late.err)"
[ "$(grep -c '^0x.* list.cc:' late)" = "$(wc -l <said)" ] || wrong "a late client: $(cat late)"
exec 4>&-
$run "$MTRACE" -q -r ./server </dev/null 2>/dev/null # it waits for one at its end
wait $server || wrong "server: status $?: $(cat server.err)"
server=
exit $failed
