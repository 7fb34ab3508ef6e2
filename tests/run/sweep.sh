#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The command is run for each caller; what is bad is listed, and decides.
set -u
cd "$OUT" || exit 1
wrong() {
	echo "$*"
	cat out err
	exit 1
}
sweep() { # ARGUMENTS...: leaves $status
	timeout -k 5 "$TIMEOUT" "$MTRACE" --inject sweep:caller=^main$ "$@" >out 2>err
	status=$?
}
has() {
	grep -Eq -- "$1" err || wrong "nothing like $1"
}
echo in >file

sweep "$PROGRAM" </dev/null
[ $status = 0 ] || wrong "status $status of a good program"
has '^mtrace: sweep: 3 requests from 1 caller;'
has '^mtrace: sweep: 1 caller tried, 0 crashes, 0 aborts, 0 hangs$'

# What it is given it reads in each run; what the reruns write nobody sees.
sweep "$PROGRAM" careless strict <file
[ $status = 1 ] || wrong "status $status"
[ "$(cat out)" = "in
end" ] || wrong "stdout"
has '^crashes  *SIGSEGV after request 4 failed$'
has '^    malloc\(30\)$'
has '^    careless  *sweep.c:1[0-9]$'
has '^aborts  *SIGABRT after request 5 failed$'
has '^    calloc\(40, 1\)$'
has '^    strict '
has '^mtrace: sweep: 3 callers tried, 1 crash, 1 abort, 0 hangs$'
! grep -q prepared err || wrong "a caller that is prepared is listed"

# No more runs than allowed.
sweep --sweep-max=1 "$PROGRAM" careless </dev/null
[ $status = 0 ] || wrong "status $status with one run"
has '^mtrace: 1 caller was not tried \(--sweep-max\)$'

# The command may be wrong in itself.
sweep sh -c 'kill -SEGV $$'
[ $status = 125 ] && grep -q 'even when no request fails' err || wrong "dies anyway: $status"
sweep ./no-such-command
[ $status = 127 ] || wrong "no such command: $status"
sweep -p 1 "$PROGRAM"
[ $status = 125 ] || wrong "with -p: $status"

if [ "${1-}" = hang ]; then
	sweep "$PROGRAM" patient </dev/null
	[ $status = 1 ] || wrong "status $status"
	has '^hangs  *after request 4 failed$'
	has '^    patient '
	has '1 hang$'
fi
