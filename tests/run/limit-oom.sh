#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Killed by the kernel for want of memory, in a control group of its own, and killed by
# somebody else: the report tells them apart.
set -u
cd "$OUT" || exit 1
failed=0 group=

wrong() {
	echo "wrong: $*"
	cat err
	failed=1
}

has() { # REGEX: in the report
	grep -Eq -e "$1" err || wrong "no '$1'"
}

await() { # REGEX FILE
	tries=0
	until grep -q -e "$1" "$2" 2>/dev/null; do
		[ $((tries += 1)) -lt 300 ] || { wrong "no '$1' in $2"; return 1; }
		sleep 0.1
	done
}

skip() {
	echo "$*"
	exit 77
}

# Is not the kernel's doing: no word of it.
mkfifo said
"$MTRACE" --no-autoscan --export json:killed.json "$PROGRAM" wait >said 2>err &
tracer=$!
read -r word <said
pid=$(sed -n 's/^mtrace: tracing .* (pid \([0-9]*\)).*/\1/p' err)
kill -KILL "$pid"
wait $tracer
[ $? = 137 ] || wrong "SIGKILL: another status"
has 'was killed by SIGKILL after'
! grep -q 'out of memory' err || wrong "SIGKILL is called an OOM kill"
tr -d ' \n' <killed.json | grep -qF '"out_of_memory":{"killed":null,"refused":null}' || wrong "the export of SIGKILL"
[ $failed = 0 ] || exit 1

# A group, of version 2 or 1, in which the limit is.
[ "$(id -u)" = 0 ] || skip "only root makes control groups"
try() { # FOLDER LIMIT-FILE
	[ -e "$1/cgroup.procs" ] && mkdir "$1/mtrace-$$" 2>/dev/null || return 1
	group=$1/mtrace-$$
	echo 33554432 2>/dev/null >"$group/$2" && return 0
	rmdir "$group"
	group=
	return 1
}
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
old=$(sed -n 's/^[0-9]*:\([^:]*,\)*memory\(,[^:]*\)*://p' /proc/self/cgroup)
# Where nobody has given the controller to groups below the root, it is lent for a moment.
root=/sys/fs/cgroup lent=
if grep -qw memory $root/cgroup.controllers 2>/dev/null && ! grep -qw memory $root/cgroup.subtree_control; then
	echo +memory 2>/dev/null >$root/cgroup.subtree_control && lent=yes
fi
give_back() {
	[ -z "$group" ] || rmdir "$group" || wrong "something is left in $group"
	[ -z "$lent" ] || echo -memory >$root/cgroup.subtree_control
	group= lent=
}
trap give_back EXIT
try $root memory.max || try "$root$own" memory.max ||
	try "$root/memory$old" memory.limit_in_bytes ||
	skip "no control group can be made whose memory is limited"
for swap in memory.swap.max memory.memsw.limit_in_bytes; do
	[ ! -e "$group/$swap" ] || echo 33554432 2>/dev/null >"$group/$swap"
done
[ ! -e "$group/memory.swap.max" ] || echo 0 2>/dev/null >"$group/memory.swap.max"
[ -e "$group/memory.events" ] || grep -q oom_kill "$group/memory.oom_control" ||
	skip "this kernel does not count whom it kills in a control group"

cat >enter <<END
echo \$\$ >$group/cgroup.procs
exec "$PROGRAM" "\$@"
END
"$MTRACE" --no-autoscan -l log --export json:oom.json sh enter touch 2>err >/dev/null
[ $? = 137 ] || wrong "OOM: another status"
has '^out of memory +limit-memory \(pid [0-9]+\) was killed by the kernel$'
has '^    its control group may have 33,554,432 bytes, and counts 1 process killed for want of memory$'
has '^    [0-9,]+ bytes in [0-9]+ blocks were in use, most of it by$'
has '^    [0-9,]+ bytes in [0-9]+ blocks  100 %  malloc, grow '
has 'was killed by SIGKILL \(out of memory\) after'
[ "$(grep -v -e '^$' -e '^mtrace: ' err | sed 1q | cut -c 1-13)" = 'out of memory' ] || wrong "the report does not begin with it"
tr -d ' \n' <oom.json | grep -qF '"killed":{"by":"cgroup","limit":33554432,"kills":1}' || wrong "the export of an OOM kill"

# The log says so, too.
"$MTRACE" --export json:log.json -l log 2>err >/dev/null
has '^out of memory +limit-memory \(pid [0-9]+\) was killed by the kernel$'
cmp oom.json log.json || wrong "the log tells something else"

# Killed by hand in the same group, where others were killed before: it is not that.
rm -f said
mkfifo said
"$MTRACE" --no-autoscan sh enter wait >said 2>err &
tracer=$!
read -r word <said
kill -KILL "$(sed -n 's/^mtrace: tracing .* (pid \([0-9]*\)).*/\1/p' err)"
wait $tracer
has 'was killed by SIGKILL after'
! grep -q 'out of memory' err || wrong "SIGKILL is called an OOM kill, in a group that has seen one"

# A child, of a group in that group: the limit is the upper one's.
mkdir "$group/inner"
cat >enter-inner <<END
echo \$\$ >$group/inner/cgroup.procs
"$PROGRAM" touch
exit 5
END
"$MTRACE" -f --no-autoscan sh enter-inner 2>err >/dev/null
[ $? = 5 ] || wrong "a child that is killed: another status"
has '^out of memory +limit-memory \(pid [0-9]+\) was killed by the kernel$'
has '^    its control group may have 33,554,432 bytes, and counts 1 process killed'
[ "$(grep -c '^out of memory' err)" = 1 ] || wrong "the parent was not killed"
rmdir "$group/inner"

# Without a group that could be looked at there is the system's count.
cat >enter-unseen <<END
echo \$\$ >&9
exec "$PROGRAM" touch
END
exec 9>"$group/cgroup.procs"
if unshare -m sh -c 'mount -t tmpfs none /sys/fs/cgroup' 2>/dev/null; then
	unshare -m sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"' sh \
		"$MTRACE" --no-autoscan sh enter-unseen 2>err >/dev/null
	[ $? = 137 ] || wrong "OOM, group unknown: another status"
	has '^out of memory +limit-memory \(pid [0-9]+\) was killed, probably by the kernel$'
	has '^    its control group is not known; [0-9]+ process.* of the system w'
fi
exec 9>&-

give_back
exit $failed
