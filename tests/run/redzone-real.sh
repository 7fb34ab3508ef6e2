#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs of others have no errors with red zones, and say what they say without.
set -u
cd "$OUT" || exit 1
seen=0
same() { # COMMAND...
	command -v "$1" >/dev/null || return 0
	seen=1
	"$@" </dev/null >plain 2>&1
	timeout -k 5 "$TIMEOUT" "$MTRACE" -f --redzone-size=64 -o report --export json:export.json \
		"$@" </dev/null >zoned 2>err || { echo "$*: status $?"; cat err; exit 1; }
	cmp plain zoned || { echo "$*: says something else"; exit 1; }
	! grep -q '"error_count": *[1-9]' export.json || { echo "$*: errors"; cat report; exit 1; }
	grep -q '"allocs": *[1-9]' export.json || { echo "$*: nothing was traced"; exit 1; }
}
export HOME="$OUT" GIT_CONFIG_NOSYSTEM=1
mkdir -p repository
same git init -q repository
same git -C repository status --short
same python3 -c 'import json; print(json.dumps({str(i): [i] * 50 for i in range(200)})[:80])'
same sqlite3 :memory: 'create table t(a); insert into t values(1),(2); select sum(a) from t;'
[ $seen = 1 ] || { echo "none of them is here"; exit 77; }
