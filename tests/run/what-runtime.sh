#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A library whose symbols have versions, with binding at start and at the first call.
set -u

cd "$OUT" || exit 1
for how in now lazy; do
	rm -f "$EXPECT"
	"$MTRACE" --export json:"$JSON" ./$how 2>"$STDERR" || { cat "$STDERR"; exit 1; }
	"$OUT/../../expect" "$EXPECT" "$JSON" || { echo "with -z $how"; exit 1; }
done
