#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Requests in the midst of a storm of threads, which check themselves: observed and
# not, scanned, forgotten, and at last let go.
. "${0%/*}/server-lib.sh"

storm() { # HOW: what becomes of it in the end
	serve -w
	connect -c
	await 1 ready said
	i=0
	while [ $((i += 1)) -le 10 ]; do
		ask 6 0 0 0
		answer ok
		ask 7 0 0 0
		answer ok
		[ $((i % 3)) != 0 ] || ask 2 0 0 0
		[ $((i % 4)) != 0 ] || ask 10 0 0 0
		ask 9 0 0 0
		answer ok
	done
	[ "$1" = stays ] || ask 11 0 0 0
	answer ok
	finish
	wait $pid1
	await 1 fine said
	[ $status = 0 ] || wrong "$1: status $status"
	has '^bye' client.1
	has '^count mark 10' client.1
	! grep -q '^count error' client.1 || wrong "$1: there are errors"
	! grep -q damaged client.1 || wrong "$1: damaged records"
}

storm stays
storm goes
exit $failed
