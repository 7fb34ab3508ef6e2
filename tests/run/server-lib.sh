# SPDX-License-Identifier: GPL-2.0-or-later
# For tests of the server: a program that does what it is told at descriptor 3
# (cli-marks.c), and clients that are told at descriptors 4 and 5 (wire-client.c).
. "${0%/*}/told.sh"
client=${MTRACE%/*}/tests/run/wire-client

# serve OPTION...: the program is launched, at ./s
serve() {
	rm -f fifo err said s
	mkfifo fifo
	"$MTRACE" -r ./s "$@" "$PROGRAM" <fifo >said 2>err 4>&- 5>&- &
	server=$!
	exec 3>fifo
	done=0
	await 1 ' -r \./s' err
}

# connect OPTION...: what it says is in client.1
connect() {
	rm -f talk.1
	mkfifo talk.1
	: >client.1
	"$client" "$@" ./s <talk.1 >client.1 2>&1 3>&- 5>&- &
	pid1=$!
	exec 4>talk.1
	asked=0
	await 1 '^\(ready\|refused\|closed\)' client.1
}

# The same, in client.2.
connect_2() {
	rm -f talk.2
	mkfifo talk.2
	: >client.2
	"$client" "$@" ./s <talk.2 >client.2 2>&1 3>&- 4>&- &
	pid2=$!
	exec 5>talk.2
	await 1 '^\(ready\|refused\|closed\)' client.2
}

ask() { # KIND PID A B
	asked=$((asked + 1))
	echo "ask $*" >&4
	await 1 "^answer $asked " client.1
}

answer() { # PATTERN: of the last request
	grep -q "^answer $asked $1" client.1 || wrong "the answer to $asked is not $1"
}

has() { # PATTERN FILE
	grep -q -e "$1" "$2" || wrong "no '$1' in $2"
}

# The program ends, and so do all.
finish() {
	exec 3>&- 4>&- 5>&-
	wait $server
	status=$?
}
