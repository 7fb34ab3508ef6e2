# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by tests of a program that does one thing after the other, as it is told at
# descriptor 3 (cli-marks.c).  They work in $OUT.
set -u
cd "$OUT" || exit 1
failed=0 done=0

wrong() {
	echo "wrong: $*"
	tail -n 30 err said client.* 2>/dev/null
	failed=1
}

await() { # COUNT PATTERN FILE
	tries=0
	until [ "$(grep -c -e "$2" "$3" 2>/dev/null)" -ge "$1" ]; do
		[ $((tries += 1)) -lt 300 ] || { wrong "no '$2' in $3"; return 1; }
		sleep 0.1
	done
}

tell() { # COMMAND...
	for command; do
		echo "$command" >&3
		done=$((done + 1))
		await $done done said
	done
}
