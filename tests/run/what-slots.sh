#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The same counts where no page can be injected and slots are in the padding behind
# text (padding), or where there is no room at all and instructions are stepped over
# while the other threads are held (none).
#
#   what-slots.sh padding|none...
set -u

for slots; do
	rm -f "$EXPECT"
	MTRACE_SLOTS=$slots timeout 30 "$MTRACE" -D --export json:"$JSON" "$PROGRAM" >"$STDOUT" 2>"$STDERR" || {
		echo "$slots: exit status $?"; tail -20 "$STDERR"; exit 1; }
	"$OUT/../../expect" "$EXPECT" "$JSON" || { echo "with MTRACE_SLOTS=$slots"; exit 1; }
done
