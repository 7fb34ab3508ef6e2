# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by tests that attach to a program in the background.  They work in $OUT.
#
#   launch ARG...        starts the program; descriptor 3 is its standard input, and what
#                        it says goes to `said`
#   attach OPTION...     starts mtrace on it; its messages go to `err`
#   await FILE REGEX     waits until FILE has a line like that
#   patiently COMMAND... waits until that succeeds; fails in the end
#   end_tracer           with SIGTERM, exit status 0
#   end_program STATUS   lets it read a line, and end with that status
#   fail TEXT            says so, and ends what was started
set -u
cd "$OUT" || exit 1
OUT=$PWD program= tracer=

fail() {
	echo "$*"
	[ ! -f err ] || cat err
	for pid in $tracer $program; do
		kill -KILL "$pid" 2>/dev/null
	done
	exit 1
}

patiently() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 2000 ] || return 1
		sleep 0.02
	done
}

await() {
	: >>"$1"
	patiently grep -q "$2" "$1" || fail "no $2 in $1"
}

launch() {
	rm -f in said
	mkfifo in
	"$PROGRAM" "$@" <in >said &
	program=$!
	exec 3>in
}

attach() {
	: >err
	"$MTRACE" "$@" -p "$program" 2>err &
	tracer=$!
}

end_tracer() {
	kill -TERM "$tracer"
	wait "$tracer"
	status=$? tracer=
	[ $status = 0 ] || fail "mtrace: $status"
}

end_program() {
	echo >&3
	exec 3>&-
	wait "$program"
	status=$? program=
	[ $status = "$1" ] || fail "the program ended with $status"
}
