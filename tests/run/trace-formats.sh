#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --trace=FORMAT: the program says which lines there should be, one for one, and the
# callers are addresses of the lines where it calls.  From a log the trace is the same.
#
#   trace-formats.sh mbed|glibc
set -u
cd "$OUT" || exit 1
failed=0
command -v addr2line >/dev/null || { echo "no addr2line here"; exit 77; }

wrong() {
	echo "$*"
	failed=1
}

timeout -k 5 50 "$MTRACE" --trace="$1" -o trace -l log "$PROGRAM" "$1" </dev/null >said 2>err ||
	wrong "status $?: $(tail -n 3 err)"
grep -q 'in use at exit' err || wrong "no report"

if [ "$1" = mbed ]; then
	cp trace records
	sed -n 's/^#[a-z]:[^;]*;\(0x[0-9a-f]*\)-.*/\1/p' records >callers
	sed 's/;0x[0-9a-f]*-/;@-/' records >what
else
	[ "$(sed -n 1p trace)" = '= Start' ] && [ "$(sed -n '$p' trace)" = '= End' ] ||
		wrong "no = Start or = End"
	sed '1d; $d' trace >records
	sed -n 's/^@ [^ ]*\[\(0x[0-9a-f]*\)\] .*/\1/p' records >callers
	sed 's/^@ [^ ]*\] //' records >what
	# Where in a library, and only there, the function is named.
	grep -v '^@ [^ ]*:([a-zA-Z_]*+0x[0-9a-f]*)\[' records | grep -Fv "@ $PROGRAM:[" &&
		wrong "not the program's, and no function"
fi
# The call lies before where it returns to.
while read -r caller; do
	printf '0x%x\n' $((caller - 1))
done <callers | addr2line -e "$PROGRAM" | sed 's/ .*//; s/.*://; s/^?*$/0/' >lines
if [ "$1" = glibc ]; then
	sed -n 's/^@ [^ ]*:(\([a-zA-Z_]*\)+0x.*/\1/p; t
		s/.*/-/p' records | paste -d' ' - lines | sed 's/^- //; s/^\([a-z_]*\) .*/\1/; s/^__strdup$/strdup/' >named
	mv named lines
fi
paste -d' ' lines what >have
diff said have || wrong "$1: other lines than the program says (<)"

timeout -k 5 50 "$MTRACE" --trace="$1" -o - -l log </dev/null >again 2>err || wrong "from the log: status $?"
cmp trace again || wrong "from the log it is another trace"
timeout -k 5 50 "$MTRACE" -q -l without "$PROGRAM" "$1" </dev/null >/dev/null 2>&1
timeout -k 5 50 "$MTRACE" --trace="$1" -o - -l without </dev/null >again 2>err
grep -q 'the log has no calls' err || wrong "a log without calls: $(cat err)"
exit $failed
