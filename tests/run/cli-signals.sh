#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each scenario of cli-signals.c that is named.
failed=0
for scenario; do
	"$PROGRAM" "$scenario" || { echo "failed: $scenario"; failed=1; }
done
exit $failed
