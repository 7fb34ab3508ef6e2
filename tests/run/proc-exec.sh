#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Execs, children and what is said of them.
set -u
cd "$OUT" || exit 1
failed=0
# Children that borrow the shell's memory are let go when they are another program.  Those of
# busybox's shell, which is that of an emulated machine, are copies and let go as such, and
# what is part of it, it executes as /proc/self/exe.
one=true three='true, ls' again=sh
[ -z "${EMULATED-}" ] || one=sh three=sh again='(sh|exe)'

# expects STATUS REGEX ARGUMENTS...
expects() {
	want=$1 like=$2
	shift 2
	timeout -k 5 30 "$MTRACE" "$@" </dev/null >out 2>err
	got=$?
	if [ $got != "$want" ] || ! grep -Eq "$like" err; then
		echo "$*: status $got instead of $want, or nothing like: $like"
		tail -n 5 err
		failed=1
	fi
}

expects 7 'earlier image +sh: .* in use at exec' sh -c "exec \"$PROGRAM\""
expects 7 'earlier image +sh: ' -e sh -c "exec \"$PROGRAM\""
expects 4 "went on as $again, untraced: --no-follow-exec" --no-follow-exec \
	sh -c 'exec sh -c "sleep 0.2; echo ran; exit 4"'
grep -q ran out || { echo "the program did not run on"; failed=1; }
expects 0 "not followed: 1 child \\($one\\); use -f" sh -c '/bin/true; exit 0'
expects 0 "not followed: 3 children \\($three\\); use -f" \
	sh -c '/bin/true; /bin/true; ls >/dev/null; exit 0'
expects 143 'was killed by SIGTERM' sh -c 'kill -TERM $$'
expects 139 'was killed by SIGSEGV' sh -c 'kill -SEGV $$'
expects 137 'was killed by SIGKILL' sh -c 'kill -KILL $$'
[ -z "$(ls core* 2>/dev/null)" ] || { echo "a core file"; failed=1; }
# The launched one's status, whatever the others'.
expects 5 'exited with status 7' -f sh -c "\"$PROGRAM\"; exit 5"
# Processes in the export: the launched one first, none missing.
expects 0 'nothing|in use' -f --export json:all.json sh -c '/bin/true; ls >/dev/null; (exit 3); exit 0'
grep -c '"pid"' all.json >count
[ "$(cat count)" -ge 4 ] || { echo "$(cat count) processes in the export"; failed=1; }
exit $failed
