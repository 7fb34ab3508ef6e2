# SPDX-License-Identifier: GPL-2.0-or-later
# --top in a terminal of tmux's: what it shows, what keys do, and that the terminal, the
# shell in it and the program are as they were when it is gone, however it went.
#
#   top.sh keys   figures and keys, of a command
#   top.sh ends   every way out, of commands, processes and servers
. "$(dirname "$0")/background.sh"
"$MTRACE" -V | grep -Eq 'ncurses +yes' || { echo "built without ncurses"; exit 77; }
folder=$(mktemp -d) || exit 1
trap 'tmux -S "$folder/socket" kill-server 2>/dev/null; rm -rf "$folder"' EXIT
trap 'exit 1' TERM

pane() { # COMMAND ARG...
	tmux -S "$folder/socket" "$@"
}
type_() {
	pane send-keys -t top "$@"
}
shows() { # REGEX
	pane capture-pane -p -t top >screen && grep -Eq "$1" screen
}
await_screen() { # REGEX
	patiently shows "$1" || { cat screen; fail "the screen does not show $1"; }
}
# What the first row of the list is about.
first_row() { # NAME
	pane capture-pane -p -t top >screen
	awk -v name="$1" '/CALLER$/ { getline; found = $0 ~ name } END { exit !found }' screen
}
await_first() {
	patiently first_row "$1" || { cat screen; fail "$1 is not the first"; }
}
last_line() { # NUMBER REGEX: it is there
	pane capture-pane -p -t top >screen && sed -n "$1p" screen | grep -Eq "$2"
}
shell() { # NAME COMMAND: in the pane; shell_ended says when, and how
	type_ "clear; $2; echo $1-\"ended:\$?\"" Enter
}
# The shell's turn again, and all is as it was.
shell_ended() { # NAME STATUS
	await_screen "(^|\\$ )$1-ended:$2\$"
	[ "$(pane display-message -p -t top '#{alternate_on} #{cursor_flag}')" = "0 1" ] ||
		fail "$1: the terminal is not what it was"
	type_ "stty -g >stty-$1; echo $1-\"asked\"" Enter
	await_screen "(^|\\$ )$1-asked\$" # the prompt may come after what is typed
	cmp stty-before "stty-$1" || fail "$1: the terminal's settings changed"
}
untraced() { # PID
	grep -q '^TracerPid:[[:space:]]*0$' "/proc/$1/status"
}
gone() { # PID: its parent may not have looked
	! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null
}

pane -u -f /dev/null new-session -d -s top -x 100 -y 30 "env PS1='$ ' LC_ALL=C.UTF-8 sh" || fail "no tmux"
await_screen '^\$ *$'
type_ "stty -g >stty-before; echo \"before\"-asked" Enter
await_screen 'before-asked$'

if [ "$1" = keys ]; then
	# A command: rows, figures, keys.
	shell run "\"$MTRACE\" --top \"$PROGRAM\" stop"
	await_screen 'keep_big top.c:[0-9]+, malloc$'
	await_first 'keep_big'
	pid=$(sed -n 's/^top (pid \([0-9]*\)) is still running.*/\1/p' screen)
	await_screen '^in use 1,022,9[0-9]* bytes in 1,01[34] blocks'
	await_screen ' [1-9][0-9.k]* +[1-9][0-9.k]* +- +churn top.c'
	await_screen '█'
	type_ s
	await_first 'keep_small'
	type_ Left Left
	patiently last_line 30 'h help' || fail "no keys in the last line"
	await_screen ' CALLER'
	type_ Right
	await_first 'keep_big'
	pane resize-window -t top -x 70 -y 16
	patiently last_line 16 'h help' || { cat screen; fail "not made smaller"; }
	pane resize-window -t top -x 120 -y 40
	patiently last_line 40 'q quit' || { cat screen; fail "not made larger"; }
	type_ Enter
	await_screen '^stack, as it is now'
	await_screen 'keep_big .*top.c:[0-9]+ '
	await_screen 'main .*top.c:[0-9]+ '
	type_ Escape
	await_first 'keep_big'
	type_ h
	await_screen '^keys$'
	type_ q
	type_ m
	await_screen 'mark 1$'
	type_ l
	# A pointer to the last one may be left in some register.
	await_screen '^lost definitely (8,642|12,963), '
	await_screen '(8642|12.7k) +lose top.c'
	type_ ' '
	await_screen 'paused'
	type_ ' '
	grep -q SPOILT screen && fail "the program writes on the screen"
	# Stopped, and on again.
	type_ C-z
	patiently shows '\[1\].*(Stopped|Suspended)' || { cat screen; fail "Ctrl-Z does not stop it"; }
	[ "$(pane display-message -p -t top '#{alternate_on}')" = 0 ] || fail "Ctrl-Z leaves the screen there"
	type_ 'fg; echo run-"ended:$?"' Enter
	await_first 'keep_big'
	type_ q
	shell_ended run 0
	grep -q SPOILT screen && fail "the program wrote on the screen"
	pane capture-pane -p -S - -t top | grep -Eq 'in use +1,0[0-9,]+ bytes in' || fail "no report follows"
	kill -0 "$pid" || fail "the program has ended"
	untraced "$pid" || fail "the program is still traced"
	: >stop
	patiently gone "$pid" || fail "the program does not go on"
	exit 0
fi

# The end of the program leaves the picture there.
shell end "\"$MTRACE\" --top \"$PROGRAM\" 2>/dev/null"
await_screen '^top .pid [0-9]+. exited with status 0   ended: q leaves'
type_ s
await_first 'keep_small'
type_ q
shell_ended end 0

# Attached; ended by signals.
rm -f stop
"$PROGRAM" stop >/dev/null 2>&1 &
program=$!
for sig in TERM HUP INT; do
	status=143
	[ $sig = HUP ] && status=129
	[ $sig = INT ] && status=0
	rm -f pid
	shell $sig "sh -c 'echo \$\$ >pid; exec \"$MTRACE\" -q --top -p $program'"
	await_screen 'churn top.c'
	kill -$sig "$(cat pid)"
	shell_ended $sig $status
	patiently untraced "$program" || fail "SIG$sig: the program is still traced"
	kill -0 "$program" || fail "SIG$sig: the program has ended"
done
# Output that is a file gets the report; the screen is the terminal's.
shell file "\"$MTRACE\" --top -o - -p $program >report"
await_screen 'churn top.c'
type_ C-c
shell_ended file 0
grep -q 'heap usage' report || { cat report; fail "no report in the file"; }

: >stop
wait "$program" || fail "the program: status $?"
program=

# A client, which leaves the server as it was; the connection is lost.
rm -f stop
"$MTRACE" -r ./server "$PROGRAM" stop >/dev/null 2>&1 &
tracer=$!
patiently test -S server || fail "no server"
shell client "\"$MTRACE\" --top -r ./server"
await_screen 'churn top.c'
type_ l
await_screen '^lost definitely (8,642|12,963), '
type_ q
shell_ended client 0
kill -0 "$tracer" || fail "the server has ended"
shell lost "\"$MTRACE\" -q --top -r ./server"
await_first 'keep_big'
kill -KILL "$tracer"
shell_ended lost 125
pane capture-pane -p -t top | grep -q 'the connection is lost' || fail "nothing is said of the loss"
tracer=

# Where it cannot be.
shell type "TERM=nothing \"$MTRACE\" --top true"
await_screen "nothing is known of a terminal of type 'nothing'"
shell_ended type 125
setsid -w "$MTRACE" --top true </dev/null >/dev/null 2>err
status=$?
[ $status = 125 ] && grep -q -e '--top needs a terminal' err || fail "without a terminal: status $status"
exit 0
