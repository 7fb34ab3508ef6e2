#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# On a terminal: colours, unless NO_COLOR or --color=never; at most ten stacks.
command -v script >/dev/null && script -qec true /dev/null </dev/null >/dev/null 2>&1 ||
	{ echo "script(1) makes no terminal here"; exit 77; }
cd "$OUT" || exit 1
escape=$(printf '\033')
TERM=xterm
export TERM
unset NO_COLOR
on_terminal() { script -qec "$*" /dev/null </dev/null >shown 2>&1; }
on_terminal "$MTRACE" ls /
grep -q "$escape\\[" shown || { echo "no colours"; exit 1; }
[ "$(grep -c '\[[0-9]*\]' shown)" -le 12 ] || { echo "too many stacks"; exit 1; }
on_terminal NO_COLOR=1 "$MTRACE" ls /
! grep -q "$escape\\[" shown || { echo "colours with NO_COLOR"; exit 1; }
on_terminal "$MTRACE" --color=never ls /
! grep -q "$escape\\[" shown || { echo "colours with --color=never"; exit 1; }
"$MTRACE" --color=always "$PROGRAM" 2>shown
grep -q "$escape\\[" shown || { echo "no colours with --color=always"; exit 1; }
"$MTRACE" "$PROGRAM" 2>shown
! grep -q "$escape\\[" shown || { echo "colours in a file"; exit 1; }
on_terminal "$MTRACE" ls /
grep -q "^$escape\\[2m[^ ]*: tracing ls (pid [0-9]*)$escape\\[m" shown || { echo "the first line is not dim"; exit 1; }
# What the program wrote and the report are apart.
"$MTRACE" "$PROGRAM" 2>shown
sed -n 2p shown | grep -q '^$' || { echo "no empty line before the report"; exit 1; }
