#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --error-exitcode and --fail-if: which exit status comes of it.
set -u
cd "$OUT" || exit 1
failed=0

wrong() {
	echo "$*"
	tail -n 5 err
	failed=1
}

# gives STATUS OPTION... -- ARG...
gives() {
	wanted=$1
	shift
	options=
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	timeout -k 5 30 "$MTRACE" $options "$PROGRAM" "$@" </dev/null >out 2>err
	status=$?
	[ $status = "$wanted" ] || wrong "$options -- $*: status $status instead of $wanted"
}

gives 3 -- lose 10 status 3
gives 9 --error-exitcode=9 -- lose 10
gives 9 --error-exitcode=9 -- lose 10 status 3
gives 0 --error-exitcode=9 -- keep 10
gives 3 --error-exitcode=9 -- keep 10 status 3
gives 3 --error-exitcode=0 -- lose 10 status 3
gives 3 --error-exitcode=9 --no-autoscan -- lose 10 status 3

gives 1 --fail-if 'definite_bytes>9' -- lose 10 status 3
grep -q 'mtrace: failed: definite_bytes>9: true of cli-gates (pid [0-9]*)$' err || wrong "no reason"
tail -n 1 err | grep -q 'definitely lost in 1 block' || wrong "the verdict is not the last line"
gives 3 --fail-if 'definite_bytes>10' -- lose 10 status 3
! grep -q failed: err || wrong "a reason that is none"
gives 1 --fail-if 'open_bytes>=2K' -- keep 2048
gives 0 --fail-if 'open_bytes>2K' -- keep 2048
gives 1 --fail-if 'definite_blocks==2&&reachable_bytes==30' -- lose 1 lose 1 keep 30
gives 9 --error-exitcode=9 --fail-if 'open_bytes>=2K' -- keep 2048
gives 1 --fail-if 'failed' --fail-if '!failed' -- keep 1
gives 1 -q --fail-if 'open_blocks==1' -- keep 1
grep -q 'failed: open_blocks==1' err || wrong "-q says nothing of what failed"

# Of several processes one is enough.
timeout 30 "$MTRACE" -f --fail-if 'definite_bytes==77' sh -c "
	'$PROGRAM' lose 5; '$PROGRAM' lose 77; '$PROGRAM' lose 6" </dev/null >out 2>err
[ $? = 1 ] || wrong "one of several processes"
timeout 30 "$MTRACE" -f --fail-if 'definite_bytes==78' sh -c "'$PROGRAM' lose 77; true" </dev/null >out 2>err
[ $? = 0 ] || wrong "none of several processes"

# Death by a signal wins; what cannot be is said before the program runs.
sh -c '"$@" 2>err' - "$MTRACE" --error-exitcode=9 --fail-if open_blocks "$PROGRAM" keep 1 abort
[ $? = 134 ] || wrong "a signal"
gives 125 --fail-if 'open_bites>1' -- lose 10
grep -q "no figure 'open_bites'" err && ! grep -q tracing err || wrong "an unknown name"
gives 125 --fail-if 'open_bytes>' -- lose 10
gives 125 --error-exitcode=256 -- lose 10
gives 125 --no-autoscan --fail-if 'definite_blocks>1' -- lose 10
gives 127 --error-exitcode=9 /does/not/exist -- lose

# Attached: the scan is asked for by what needs it.
await() { # PATTERN FILE
	tries=0
	until grep -q "$1" "$2" 2>/dev/null; do
		[ $((tries += 1)) -lt 300 ] || return 1
		sleep 0.1
	done
}

attached() { # STATUS OPTION...
	wanted=$1
	shift
	rm -f fifo err
	mkfifo fifo
	: >out
	"$PROGRAM" keep 1 wait <fifo >out &
	pid=$!
	exec 3>fifo
	await ready out || wrong "the program does not begin"
	"$MTRACE" "$@" -p $pid 2>err 3>&- &
	tracer=$!
	await 'attached to' err || wrong "not attached"
	kill -TERM $tracer
	wait $tracer
	status=$?
	exec 3>&-
	wait $pid || wrong "the program did not outlive it"
	[ $status = "$wanted" ] || wrong "-p $*: status $status instead of $wanted"
}
attached 1 --fail-if 'open_blocks == 0'
attached 0 --fail-if 'open_blocks != 0'
attached 0 --error-exitcode=9
grep -q 'no leaks' err || wrong "--error-exitcode -p: no scan"
attached 0 --fail-if 'definite_blocks > 0'
grep -q 'no leaks' err || wrong "--fail-if -p: no scan"

exit $failed
