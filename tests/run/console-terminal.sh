#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The console on a terminal: console-terminal.py types.
set -u
here=$(dirname "$0")
"$MTRACE" -V | grep -Eq 'readline +yes' || { echo "built without readline"; exit 77; }
"$MTRACE" -q -l log "$PROGRAM" || { echo "no log: status $?"; exit 1; }
exec python3 "$here/console-terminal.py" "$MTRACE" log
