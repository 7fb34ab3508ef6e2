#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Attaching to a process with 64 threads, by one thread's id, to a stopped one,
# to two at once, and together with a command.
set -u
cd "$OUT" || exit 1
failed=0 threads=64
[ -z "${EMULATED-}" ] || threads=8

wrong() {
	echo "$*"
	cat err
	failed=1
}

await() {
	tries=0
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || return 1
		sleep 0.02
	done
}

begin() { # ARGUMENTS...: mtrace in the background, until it has attached
	: >err
	"$MTRACE" "$@" 2>err >out &
	tracer=$!
	await err 'attached to' || wrong "$*: not attached"
}

end() {
	sleep 0.5
	kill -TERM $tracer
	wait $tracer
	[ $? = 0 ] || wrong "not 0"
	for pid; do
		grep -q '^TracerPid:.0$' /proc/"$pid"/status || wrong "$pid is traced, or dead"
	done
}

state() {
	sed -n 's/^State:[^A-Za-z]*\(.\).*/\1/p' /proc/"$1"/status
}

# How often it was off its CPU: it runs.
switches_of() {
	awk '/ctxt_switches/ { n += $2 } END { print n + 0 }' /proc/"$1"/status
}

await_stopped() {
	tries=0
	until [ "$(state "$1")" = T ]; do
		tries=$((tries + 1))
		[ $tries -lt 500 ] || { wrong "$1 does not stop"; return; }
		sleep 0.02
	done
}

rm -f stop
"$PROGRAM" >many & many=$!
"$PROGRAM" one >one & one=$!
await many ready && await one ready || { echo "the programs did not begin"; exit 1; }

begin -p $many
end $many
grep -q "attached to .*: $threads threads" err && grep -q ' heap usage .* allocs' err || wrong "$threads threads"
thread=$(ls /proc/$many/task | grep -vx $many | head -n 1)
begin -p "$thread"
await err "$thread is a thread"
end $many
grep -q "$thread is a thread of $many; attaching to that" err || wrong "a thread's id"
begin -p $many -p $one
await err "attached to $one" || wrong "the second was not attached"
end $many $one
begin --detach-on-exit --export json:both.json -p "$many,$one" sleep 0.1
await err 'tracing sleep' || wrong "the command was not launched"
end $many $one
[ "$(grep '"how"' both.json | tr -d ' \n",')" = how:launchedhow:attachedhow:attached ] ||
	wrong "not three in the export, the launched one first"

# It stays stopped, while it is attached and after, and goes on after SIGCONT.
kill -STOP $one
await_stopped $one
begin -p $one
sleep 0.3
case $(state $one) in [tT]) ;; *) wrong "it runs: $(state $one)" ;; esac
kill -CONT $one
switches=$(switches_of $one) tries=0
until [ "$(switches_of $one)" -gt $((switches + 20)) ] || [ $((tries += 1)) -gt 500 ]; do
	sleep 0.05
done
end $one
grep -Eq 'heap usage .* [1-9][0-9]* allocs?,' err || wrong "nothing was seen after SIGCONT"
kill -STOP $one
await_stopped $one
begin -p $one
end $one
sleep 0.1
[ "$(state $one)" = T ] || wrong "it is not stopped any more: $(state $one)"
kill -CONT $one

# crashed STATUS REGEX WHAT: no report, but nothing is left behind
crashed() {
	[ $? = "$1" ] && grep -q "$2 .*breakpoints are taken out" err || wrong "$3"
	grep -q '^TracerPid:.0$' /proc/$many/status || wrong "$many is traced, or dead, after $3"
}

# Signals of a fault, sent to us at any moment.  (A sanitizer takes them for
# itself.)
ulimit -c 0
faults='SEGV:139 ABRT:134 SEGV:139 BUS:135 SEGV:139' midway='3 10 40 77 150 333'
[ -z "${EMULATED-}" ] || faults='SEGV:139' midway='3 40 150'
! "$MTRACE" -V | grep -q 'sanitizers  *yes' || faults= midway=
for sig in $faults; do
	begin -p $many
	sleep 0.2
	kill -"${sig%:*}" $tracer
	wait $tracer
	crashed "${sig#*:}" 'it dies of .*, which was sent' "$sig sent to us"
done
# A fault of ours, between a stop's report and what it asks for.
for stops in $midway; do
	MTRACE_CRASH=$stops "$MTRACE" -D -p $many 2>err >out
	crashed 139 'BUG: it dies of' "a fault at stop $stops"
done

: >stop
wait $many
[ $? = 6 ] || wrong "64 threads: harmed"
wait $one
[ $? = 6 ] || wrong "one thread: harmed"
exit $failed
