#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A handler for SIGTRAP that was set before mtrace came survives its breakpoints, hit
# with the signal blocked: attach-sigtrap.sh mask|handler
# shellcheck disable=SC1091  # it lies beside this one
. "$(dirname "$0")/background.sh"

blocks_seen() {
	kill -USR1 "$tracer"
	sleep 0.1
	grep -Eq '[1-9][0-9,]* allocs' err
}

launch "$1"
await said ready
attach
await err 'attached to'
patiently blocks_seen || fail "nothing was seen of it"
end_tracer
end_program 0
