#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What cannot be attached to, with its reason; set-user-ID programs.  $PROGRAM is
# a program that traces its child (cli-targets.c).
set -u
cd "$OUT" || exit 1
failed=0

# refuses REGEX PID
refuses() {
	timeout -k 5 20 "$MTRACE" -p "$2" 2>err
	got=$?
	[ $got = 125 ] && [ "$(wc -l <err)" = 1 ] && grep -Eq "$1" err ||
		{ echo "$2: status $got, or not one line like: $1"; cat err; failed=1; }
}

mkfifo go
"$PROGRAM" <go >pids 2>program.err &
program=$!
exec 3>go
tries=0
until [ "$(wc -l <pids)" = 2 ]; do
	tries=$((tries + 1))
	[ $tries -lt 500 ] || { echo "the program does not begin"; exit 1; }
	sleep 0.02
done
zombie=$(sed -n 1p pids) traced=$(sed -n 2p pids)
refuses "cannot attach to $zombie .*: it is a zombie; its parent" "$zombie"
refuses "cannot attach to $traced .*: already traced by .*$program" "$traced"
"$MTRACE" -p $program 2>err &
tracer=$!
tries=0
until grep -q 'attached to' err || [ $tries -gt 500 ]; do
	tries=$((tries + 1))
	sleep 0.02
done
kill -TERM $tracer
wait $tracer
grep -q 'traces other programs itself' err || { echo "no hint for one that traces"; cat err; failed=1; }
echo >&3
wait $program || { echo "the program was harmed: $?"; failed=1; }

# Kernel threads can be seen outside containers only.
for pid in 2 3 4; do
	if [ "$(sed -n 's/^PPid:[^0-9]*//p' /proc/$pid/status 2>/dev/null)" = 2 ]; then
		[ "$(id -u)" != 0 ] || refuses "it is a kernel thread" $pid
		break
	fi
done

# As under strace: the user who traces keeps his rights.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && id nobody >/dev/null 2>&1 &&
	setpriv --reuid nobody --clear-groups "$MTRACE" -V >/dev/null 2>&1; then
	cp "$(command -v id)" suid-id && chmod 4755 suid-id
	setpriv --reuid nobody --clear-groups ./suid-id >plain
	setpriv --reuid nobody --clear-groups "$MTRACE" -q ./suid-id >traced 2>err ||
		{ echo "set-user-ID: status $?"; cat err; failed=1; }
	# On a nosuid file system it gets no rights without us either.
	! grep -q 'euid=0' plain || ! grep -q 'euid=0' traced ||
		{ echo "set-user-ID: root's rights while traced"; failed=1; }
	grep -q "uid=$(id -u nobody)" traced || { echo "set-user-ID: $(cat traced)"; failed=1; }
	rm -f suid-id
fi
exit $failed
