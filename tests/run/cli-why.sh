#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --why=ADDR: what leads to the block there, in the text and in JSON; and that JSON
# has each block's stack by its address, and the stack's number.
set -u
here=$(dirname "$0")
cd "$OUT" || exit 1
failed=0

wrong() {
	echo "$*"
	cat err
	failed=1
}

mkfifo in
"$PROGRAM" <in >said &
program=$!
exec 3>in
tries=0
until grep -q ready said; do
	tries=$((tries + 1))
	[ $tries -lt 1000 ] || { echo "it is not ready"; kill $program; exit 1; }
	sleep 0.02
done

# at NAME: the address it said
at() {
	sed -n "s/^$1 //p" said
}

# plain NAME: the same without the tag that pointers may have where the highest byte is ignored
plain() {
	case $(uname -m) in
	aarch64) printf '0x%x\n' $(($(at "$1") & 0xffffffffffffff)) ;;
	*) at "$1" ;;
	esac
}

# ask ADDR [OPTION...]: attaches, and is ended when it traces.
ask() {
	addr=$1
	shift
	rm -f err out.json
	"$MTRACE" --why="$addr" --export json:out.json "$@" -p $program 2>err &
	tracer=$!
	tries=0
	until grep -Eq 'census:|report and detach' err; do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || { wrong "it does not begin"; break; }
		sleep 0.02
	done
	kill -TERM $tracer
	wait $tracer || wrong "$addr: status $?"
	tr -d ' \n' <out.json >flat
}

# asked REGEX: the answer in JSON
asked() {
	sed 's/.*"asked":\[//; s/"unwind".*//' flat >answer
	grep -Eq "$1" answer || { cat answer; wrong "not in the answer: $1"; }
}

size=$(printf '%d' $(($(plain last) + 7)))
ask "$(printf '0x%x' $(($(at last) + 7)))" --list-blocks
asked "^\\{\"addr\":\"$(printf '0x%x' "$size")\",\"kind\":\"reachable\",\"block\":\"$(plain last)\""
asked '"why":\[\{"step":0,"from":"memory","symbol":"chain","section":".bss"'
asked "\"step\":2,\"from\":\"block\",\"at\":(16|8),\"block\":\"$(plain last)\""
grep -Eq "^still reachable +1[0-9]+ bytes at $(plain last) +\\+7 was asked for" err || wrong "the text's heading"
grep -Eq '└─ chain [(]cli-why .bss[)] → ' err || wrong "the text's way"
grep -q '"addr":"'"$(plain lost)"'","size":[0-9]*,"kind":"definite","leak":[0-9]' flat || wrong "no stack for an address"
grep -q '"leak_stacks":\[{"number":1,"kind":"definite"' flat || wrong "no number for a stack"
"$OUT/../../../json-schema" "$here/../../doc/JSON.md" out.json || wrong "the schema"

ask "$(at first)"
asked '"why":\[\{"step":0,"from":"memory","symbol":"chain",.*"frames":\[\]\}\],'
ask "$(at held)"
asked "\"kind\":\"indirect\",\"block\":\"$(plain held)\".*\"holder\":\"$(plain lost)\",\"why\":\\[\\]"
grep -q "held by the lost block at $(plain lost)" err || wrong "who holds it"
ask "$(at lost)"
asked "\"kind\":\"definite\",\"block\":\"$(plain lost)\".*\"holder\":null,\"why\":\\[\\]"
grep -q 'nothing points to it' err || wrong "nothing points to it"
ask "$(at into)"
asked '"kind":"possible",.*"symbol":"inside".*"offset":50'
ask "$(at none)"
asked "^\\{\"addr\":\"$(plain none)\",\"kind\":null,\"block\":null,\"size\":null,\"holder\":null,\"why\":\\[\\],\"allocated\":null\\}\\],"
grep -Eq "^no block +covers $(plain none)" err || wrong "no block"

echo >&3
exec 3>&-
wait $program || wrong "the program ended with $?"
"$MTRACE" --why=nowhere true 2>err
[ $? = 125 ] && grep -q "'nowhere' is no address" err || wrong "no address"
exit $failed
