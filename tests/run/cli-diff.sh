#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --diff: two runs of one program, of another build of it, of one with a renamed
# function; what is not there, damaged, or of another program.
set -u
cd "$OUT" || exit 1
here=$(cd "$(dirname "$0")" && pwd)
source=$here/cli-diff.c
failed=0

wrong() {
	echo "$*"
	cat err
	failed=1
}

log() { # NAME PROGRAM ARGUMENT...
	name=$1
	shift
	"$MTRACE" -q -l "$name" "$@" 2>err || { wrong "log $name: status $?"; exit 1; }
}

compare() { # OPTION...
	"$MTRACE" --export json:out.json "$@" 2>err || wrong "$*: status $?"
	tr -d ' \n' <out.json >flat
}

has() { # PATTERN...: all are in the report
	for pattern; do
		grep -Eq -e "$pattern" err || wrong "not in the report: $pattern"
	done
}

exports() {
	grep -qF -e "$1" flat || wrong "not in the export: $1"
}

verdict='mtrace: '

log old "$PROGRAM" read_config 2 100 open_log 1 50 descend 1 300
log new "$PROGRAM" read_config 5 100 descend 1 200 lose 2 7

# One program, at other addresses.
compare -l new --diff old
has '^grown +\+300 bytes in \+3 blocks +200 → 500 bytes, 2 → 5 blocks$' \
	'^shrunk +−100 bytes in 0 blocks +300 → 200 bytes, 1 → 1 block$' \
	'^gone +−50 bytes in −1 block +50 → 0 bytes, 1 → 0 blocks$' \
	'^new +\+14 bytes in \+2 blocks +0 → 14 bytes, 0 → 2 blocks$' \
	'^    in use before +550 bytes in 4 blocks: 1 stack new, 1 grown, 1 shrunk, 1 gone$' \
	"^${verdict}164 bytes more in 4 blocks than old: 1 stack new, 1 grown, 1 shrunk, 1 gone, 0 errors$"
[ "$(grep -E '^(new|grown|shrunk|gone)' err | cut -d ' ' -f 1 | tr '\n' ' ')" = 'new gone shrunk grown ' ] ||
	wrong "the order on a terminal"
exports '"diff":{"blocks":4,"bytes":164,"old_blocks":4,"old_bytes":550,"new_blocks":8,"new_bytes":714,"new":1,"grown":1,"shrunk":1,"gone":1,"same":0,'
exports '"change":"gone","kind":null,"op":"calloc","blocks":-1,"bytes":-50,'
grep -A 3 ^gone err | grep -q 'open_log  *cli-diff.c:' || wrong "the caller that is gone has no name"
compare -l new --diff old -o report.txt
[ "$(grep -E '^(new|grown|shrunk|gone)' report.txt | cut -d ' ' -f 1 | tr '\n' ' ')" = 'grown shrunk gone new ' ] ||
	wrong "the order in a file"

# The options of the report.
compare -l new --diff old -m 1
has '^grown ' '^… 3 more stacks differ by 164 bytes: -m 0$'
[ "$(grep -Ec '^(new|grown|shrunk|gone)' err)" = 1 ] || wrong "-m 1"
compare -l new --diff old -s allocations
[ "$(grep -E '^(new|grown|shrunk|gone)' err | cut -d ' ' -f 1 | tr '\n' ' ')" = 'shrunk gone new grown ' ] ||
	wrong "-s allocations"
compare -l new --diff old -L
has '__libc_start_main|_start'
compare -l new --diff old -q
[ ! -s err ] || wrong "-q is not quiet"
echo 'ignore lose' >rc
compare -F rc -l new --diff old
has "^${verdict}164 bytes more in 4 blocks than old: 1 stack grown, 1 shrunk, 1 gone, 0 errors$"

# Leaks, and those that are suppressed, in both.
log lost "$PROGRAM" lose 1 7
compare -a -l new --diff lost
has '^grown +\+7 bytes in \+1 block +7 → 14 bytes, 1 → 2 blocks$' '^    malloc\(7\) +definitely lost$' \
	"^${verdict}7 bytes more lost in 1 block than lost: 1 stack grown, 0 errors$"
exports '"leaked":{"blocks":1,"bytes":7,"old_blocks":1,"old_bytes":7,"new_blocks":2,"new_bytes":14,'
echo 'leak:lose' >supp
compare -a -l new --diff lost --suppressions supp
has "^${verdict}as much as in lost: no stack differs, 0 errors$"
"$MTRACE" -q -l new --diff lost --fail-if 'diff_leaked_bytes > 6' 2>err && wrong "--fail-if: leaks"

# Conditions, also for a program that is traced now.
"$MTRACE" -q -l new --diff old --fail-if 'diff_bytes > 163 && diff_blocks == 4 && diff_new' 2>err && wrong "--fail-if"
"$MTRACE" -q -l new --diff old --fail-if 'diff_bytes > 164 || diff_new > 1' 2>err || wrong "--fail-if is always true"
"$MTRACE" -q -l old --diff new --fail-if 'diff_bytes' 2>err || wrong "less is no more"
"$MTRACE" -q -l new --fail-if 'diff_bytes' 2>err && wrong "--fail-if without --diff"
has "needs --diff"
"$MTRACE" --diff old "$PROGRAM" open_log 1 50 open_log 2 60 read_config 2 100 descend 1 300 2>err || wrong "live"
has "^grown +\+120 bytes in \+2 blocks" "^${verdict}120 bytes more in 2 blocks than old: 1 stack grown, 0 errors$"

# Another build, whose lines and addresses are others, under another name.
mkdir -p other
{ yes '' | head -n 40; cat "$source"; } >other/cli-diff.c
$CC -g -O1 -fno-builtin -DSHIFTED -D_GNU_SOURCE -o other/program2 other/cli-diff.c || exit 1
log built other/program2 read_config 2 100 open_log 1 50 descend 1 600
compare -l built --diff old
has '^grown +\+300 bytes in 0 blocks' "^${verdict}300 bytes more in 0 blocks than old: 1 stack grown, 0 errors$" \
	'^mtrace: old is of another program, cli-diff: compared all the same$'
exports '"same":2'

# A function that has another name is another caller.
$CC -g -fno-builtin -Dopen_log=open_journal -D_GNU_SOURCE -o renamed "$source" || exit 1
log named ./renamed read_config 2 100 open_log 1 50 descend 1 300
compare -l named --diff old
has '^new +\+50 bytes in \+1 block' '^gone +−50 bytes in −1 block' \
	"^${verdict}as much as in old: 1 stack new, 1 gone, 0 errors$"

# The older build is there no more, but elsewhere.
mkdir -p kept
log before other/program2 read_config 2 100
mv other/program2 kept
cp "$PROGRAM" other/program2
log after other/program2 read_config 3 100
compare -l after --diff before
has 'the build of program2 that before is of has no names'
compare -l after --diff before -b kept
has "^${verdict}100 bytes more in 1 block than before: 1 stack grown, 0 errors$"

# Another program altogether; more processes than there are now.
log forked "$PROGRAM" read_config 1 100 fork open_log 1 50
"$MTRACE" -q -f -l children "$PROGRAM" read_config 1 100 fork open_log 1 50 2>err || wrong "-f: status $?"
compare -l forked --diff children
has '^mtrace: only children has cli-diff \(pid [0-9]+\): 50 bytes in 1 block in use$' \
	"^${verdict}50 bytes less in 1 block than children: 1 stack gone, 0 errors$"
grep -q '"gone":\[{' flat || wrong "a process that is gone is not in the export"
compare -l children --diff children
has "^${verdict}as much as in children: no stack differs, 0 errors$"

# What cannot be read.
"$MTRACE" -l new --diff none 2>err && wrong "no OLD: status 0"
has 'cannot read none'
"$MTRACE" --diff none "$PROGRAM" 2>err && wrong "no OLD, live: status 0"
"$MTRACE" -l new --diff "$source" 2>err && wrong "OLD is no log: status 0"
has 'is no log of'
"$MTRACE" -l - --diff - <new 2>err && wrong "both from the standard input: status 0"
has 'cannot both be'
"$MTRACE" -q --no-compress -l plain "$PROGRAM" read_config 2 100 2>err || wrong "plain: status $?"
head -c "$(($(wc -c <plain) - 3))" plain >cut
compare -l new --diff cut
has 'cut ends in the middle of a record' "^$verdict.* than cut: "
compare -l new --diff - <old
has "than the older run: "
exit $failed
