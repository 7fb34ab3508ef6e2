#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A tracer that writes a log protects itself from the OOM killer when it is root,
# and nothing that it starts.
set -u

fail() {
	echo "$*"
	exit 1
}

says() { # WANTED COMMAND…: as a process with a score of its own
	wanted=$1
	shift
	said=$(echo 77 >/proc/self/oom_score_adj && timeout 60 "$@" 2>err) ||
		fail "$*: status $?, $(cat err)"
	[ "$said" = "$wanted" ] || fail "$*: '$said', not '$wanted'"
}

tracer=77
if [ "$(id -u)" = 0 ]; then
	for tracer in -1000 0 none; do
		(echo 77 >/proc/self/oom_score_adj &&
			echo $tracer >/proc/self/oom_score_adj) 2>/dev/null && break
	done
	[ $tracer != none ] || {
		echo "root that may not lower its score"
		exit 77
	}
fi
says "program 77 tracer $tracer child 77" "$MTRACE" -q -f -l oom.log "$PROGRAM"
# Who reports only is nothing special.
says "program 77 tracer 77 child 77" "$MTRACE" -q -f -o report "$PROGRAM"
# Another user may not lower it again.
if [ $tracer != 77 ] && id nobody >/dev/null 2>&1; then
	says 77 "$MTRACE" -q -l oom.log -u nobody cat /proc/self/oom_score_adj
fi
