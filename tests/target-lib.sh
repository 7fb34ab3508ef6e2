# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by check-target and check-musl: builds the target side alone in a folder of its
# own, $work, and holds the log that it writes of a program against a direct run.
: "${top_srcdir:=.}" "${top_builddir:=.}" "${CC:=cc}"
: "${MTRACE:=$(cd "$top_builddir" && pwd)/mtrace}"
MEMORY_MAX=$((4 * 1024)) # kB that are ours alone while a small program is traced
number=0

skip() {
	echo "1..0 # SKIP $*"
	exit 0
}

top_srcdir=$(cd "$top_srcdir" && pwd) || exit 99
[ -x "$top_srcdir/configure" ] || skip "there is no configure"
[ ! -f "$top_srcdir/config.status" ] || skip "the source folder is configured itself"
timeout 60 "$top_builddir/tests/run/can-trace" >/dev/null 2>&1 || skip "nothing can be traced here"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
unset MAKEFLAGS MFLAGS MAKELEVEL

result() { # TEXT COMPLAINT: passed when there is none
	number=$((number + 1))
	if [ -z "$2" ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

build_target() { # ARGUMENT OF CONFIGURE…: ./mtrace
	if "$MTRACE" -V | grep -q 'maintainer-mode  *yes'; then
		set -- --enable-maintainer-mode "$@"
	fi
	"$top_srcdir/configure" -q --without-client "$@" >out 2>&1 && make -j2 mtrace >>out 2>&1 || {
		sed 's/^/# /' out
		echo "Bail out! it cannot be built"
		exit 1
	}
	target=$work/mtrace
}

run() { # OUTPUT MTRACE OPTIONS… PROGRAM: tests/run/small.c
	said=$1
	shift
	timeout 300 "$@" >"$said" 2>&1
	[ $? = 7 ] || sed "s/^/$1: /" "$said"
}

# Not what is another in each run: addresses, times, the pid.
same() {
	sed -E 's/"0x[0-9a-f]+"/"ADDRESS"/; s/("[a-z_]*ns"|"pid"|"bytes_read"): [0-9]+/\1: N/' "$1"
}

# The report of the target side's log is that of a direct run; target.out has what the
# program said.
compare_runs() { # TEXT PROGRAM
	text=$1
	set -- -q -a --show-leak-kinds=all --alloc=_ZN4pool3getEi:size=1 "$2"
	bad=$(run direct.out "$MTRACE" --export json:direct.json "$@"
		run target.out "$target" -l target.log "$@"
		timeout 300 "$MTRACE" -q -a --show-leak-kinds=all --export json:target.json -l target.log 2>&1 |
			grep -i '^mtrace')
	same direct.json >direct
	same target.json >target
	grep -q '"op": "pool::get(int)"' target || bad="$bad the probe's name; "
	result "$text" "$bad$(diff direct target)"
}

# Of the last of these runs.
check_memory() {
	private=$(sed -n 's/^private \([0-9]*\) kB$/\1/p' target.out)
	echo "# $private kB private while it traces"
	result "at most $MEMORY_MAX kB of private memory" "$(
		[ "${private:-0}" -gt 0 ] || echo "nothing is known of it"
		[ "${private:-0}" -le $MEMORY_MAX ] || echo "$private kB")"
}
