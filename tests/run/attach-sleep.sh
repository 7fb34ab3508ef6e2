#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A relative sleep goes on for what is left of it when mtrace attaches and makes a system
# call in the sleeper: /proc/PID/syscall then has the number of restart_syscall(2), as
# after SIGSTOP and SIGCONT.  And one of so many SECONDS does not end too early.
#
#   attach-sleep.sh sleep|poll SECONDS
# shellcheck disable=SC1091  # it lies beside this one
. "$(dirname "$0")/background.sh"

number() {
	sed -n 's/^\([0-9][0-9]*\) .*/\1/p' /proc/"$program"/syscall
}

# In the state S it is in the call that the kernel restarted.
sleeps() {
	grep -q '^State:[[:space:]]*S' /proc/"$program"/status 2>/dev/null && [ -n "$(number)" ]
}

attach_and_leave() {
	attach
	await err 'attached to'
	patiently sleeps || fail "it does not sleep"
	restarted=$(number)
	end_tracer
	patiently sleeps || fail "it does not sleep after mtrace has left"
}

[ -r /proc/self/syscall ] || { echo "no /proc/PID/syscall here"; exit 77; }
launch "$1" 1000
await said ready
patiently sleeps || fail "it does not sleep"
first=$(number)
kill -STOP "$program"
patiently grep -q '^State:[[:space:]]*T' /proc/"$program"/status || fail "it does not stop"
kill -CONT "$program"
patiently sleeps || fail "it does not go on"
restart=$(number)
for _ in 1 2; do
	attach_and_leave
	echo "$1: call $first, $restart when continued, $restarted when attached to, $(number) afterwards"
	[ "$restarted" = "$restart" ] && [ "$(number)" = "$restart" ] || fail "it has begun anew"
done
kill -KILL "$program"
wait "$program"
seconds=$2
[ -z "${EMULATED-}" ] || seconds=8
launch "$1" "$seconds"
await said ready
attach
wait "$tracer" # until the program ends, if it has not ended before
wait "$program" || fail "a short sleep: exit status $?"
