# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by tests/cross/run: what is tested besides the behaviour tests.  Each part has a
# script in parts, which the guest runs, and two functions here: prepare_PART puts what it
# needs into $root, and examine_PART looks at what it left in $OUT.
PARTS='unit attach_cycles tags slots memory server'

# Compiles a program of tests/run for the guest.
program() { # NAME FLAGS…
	name=$1
	shift
	$CC -g -D_GNU_SOURCE -DEMULATED -I"$here" $own_flags "$@" -o "$root/p/$name" "$here/$name.c" || {
		echo "Bail out! tests/run/$name.c does not compile"
		exit 1
	}
}

# The guest is to run parts/SCRIPT; its result is that of NAME, of which it is told.
part() { # SCRIPT, or SCRIPT:NAME
	cp "$cross/parts/${1%%:*}" "$root/parts"
	mkdir -p "$out/${1#*:}"
	echo "part $1" >>"$root/t/list"
}

# -- unit tests -----------------------------------------------------------------------

# Those that are programs: scripts need what is not in the guest.
unit_tests() {
	printf 'include Makefile\nprint:\n\t@echo $(filter $(check_PROGRAMS),$(UNIT_TESTS))\n' |
		make -s -C "$work/mtrace" -f - print
}

prepare_unit() {
	selected=
	for test in $(unit_tests); do
		! wanted "${test##*/}" || selected="$selected $test"
	done
	[ -n "$selected" ] || return
	make -s -C "$work/mtrace" -j"$jobs" $selected >"$work/unit.log" 2>&1 || {
		sed 's/^/# /' "$work/unit.log"
		echo "Bail out! the unit tests do not build"
		exit 1
	}
	mkdir -p "$root/unit"
	for test in $selected; do
		cp "$work/mtrace/$test" "$root/unit"
		part "unit:${test##*/}"
		parts="$parts unit:${test##*/}"
	done
}

examine_unit() {
	sed 's/^not ok/# &/' "$OUT/stdout" >"$OUT/script.log"
	grep -q '^ok' "$OUT/stdout" || finish "not ok: it said nothing"
	[ "$(cat "$OUT/status")" = 0 ] || finish "not ok: exit status $(cat "$OUT/status")"
}

# -- attaching ------------------------------------------------------------------------

prepare_attach_cycles() {
	wanted attach-cycles || return
	program harm-text -pthread
	part attach-cycles
	parts="$parts attach_cycles:attach-cycles"
}

examine_attach_cycles() {
	cp "$OUT/stdout" "$OUT/script.log"
	[ "$(cat "$OUT/status")" = 0 ] || finish "not ok: $(head -n 1 "$OUT/stdout")"
	"$MTRACE" -q -l "$OUT/log" -b "$root" --export "json:$OUT/export.json" >"$OUT/script.log" 2>&1 ||
		finish "not ok: the last log cannot be read"
	for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		grep -q "\"text_alloc_$i\"" "$OUT/export.json" || finish "not ok: thread $i was not seen"
	done
}

# -- tags of memory -------------------------------------------------------------------

prepare_tags() {
	case $environment in
	*mem.tagging*) wanted tags || return ;;
	*) return ;;
	esac
	program what-errors-twice -w
	part tags
	parts="$parts tags:tags"
}

examine_tags() {
	cp "$OUT/stdout" "$OUT/script.log"
	case $(cat "$OUT/status") in
	0) ;;
	77) finish "skip $(basename "$qemu") mixes up the tags of memory: $environment was left out everywhere" ;;
	*) finish "not ok: $(head -n 1 "$OUT/stdout")" ;;
	esac
	for how in free realloc moved; do
		"$MTRACE" -q -l "$OUT/$how.log" -b "$root" --export "json:$OUT/$how.json" >"$OUT/script.log" 2>&1 ||
			finish "not ok: the log of $how cannot be read"
		"$expect" "$OUT/$how.expected" "$OUT/$how.json" >>"$OUT/script.log" || finish "not ok: $how"
	done
}

# -- no memory for slots ---------------------------------------------------------------

# Where there is a single step, and exclusive loads.
prepare_slots() {
	wanted slots || return
	case $programs in
	aarch64-* | powerpc-*) ;;
	*) return ;;
	esac
	program what-exclusive
	part slots
	parts="$parts slots:slots"
}

examine_slots() {
	cp "$OUT/stdout" "$OUT/script.log"
	[ "$(cat "$OUT/status")" = 0 ] || finish "not ok: $(head -n 1 "$OUT/stdout")"
}

# -- what the target side takes -------------------------------------------------------

# The limits are those of tests/check-target.
MEMORY_MAX=4096

prepare_memory() {
	wanted memory || return
	program small
	part memory
	parts="$parts memory:memory"
}

examine_memory() {
	cp "$OUT/stdout" "$OUT/script.log"
	[ "$(cat "$OUT/status")" = 0 ] || finish "not ok: exit status $(cat "$OUT/status")"
	private=$(sed -n 's/^private \([0-9]*\) kB$/\1/p' "$OUT/stdout")
	cp "$work/mtrace/mtrace" "$OUT/stripped"
	"$tracer-strip" "$OUT/stripped"
	code=$(find "$work/mtrace/src" "$work/mtrace/arch" -name '*.o' -exec "$tracer-size" {} + |
		awk '$1 ~ /^[0-9]+$/ { n += $1 + $2 } END { print n }')
	echo "# $arch: $code bytes of code and data in $(wc -c <"$OUT/stripped") bytes of file; $private kB private"
	[ "${private:-0}" -gt 0 ] || finish "not ok: nothing is known of it"
	[ "$private" -le $MEMORY_MAX ] || finish "not ok: $private kB of private memory"
}

# -- the server -----------------------------------------------------------------------

make_token() {
	echo "a secret of some length" >"$root/token"
	chmod 600 "$root/token"
}

prepare_server() {
	wanted server || return
	program remote -pthread
	make_token
	part server
	parts="$parts server:server"
	forward="$forward server"
}

# While the guest runs: the clients of each part, whose names are in $forward.  What they
# say is in $out/PART.
clients() { # PORT
	for name in $forward; do
		(
			cd "$out/$name" || exit 1
			address=127.0.0.1:$1
			cp "$root/token" . && chmod 600 token
			"clients_$name"
		) >"$out/$name/clients" 2>&1
	done
}

client() { # OPTION…
	timeout -k 5 $((TIMEOUT * 10)) "$MTRACE" -r $address --token-file token "$@" -b "$root"
}

clients_server() {
	await "$share/server/up.1"
	client -o client.1.txt --export json:client.1.json 2>client.1.err || echo "the first client: $?"

	# A console, one that is killed, and one that is there at the end.
	await "$share/server/up.2"
	printf '%s\n' 'wait 1' status mark scan 'top 3' 'set depth 6' errors quit >script
	tries=0
	# At first it may not have allocated anything.
	until grep -q 'storm' console.out 2>/dev/null || [ $((tries += 1)) -gt 50 ]; do
		client -x script >console.out 2>console.err || echo "the console: $?"
	done
	timeout -s KILL 2 "$MTRACE" -q -r $address --token-file token -b "$root" >/dev/null 2>killed.err
	client -o client.2.txt --export json:client.2.json 2>client.2.err &
	last=$!
	sleep 2
	touch "$share/server/stop"
	wait $last || echo "the last client: $?"
}

# Until the file is there, or the guest is no more.
await() { # FILE
	until [ -e "$1" ]; do
		[ ! -e "$work/ended" ] || exit 1
		sleep 0.2
	done
}

examine_server() {
	cat "$OUT"/*.err "$OUT/stdout" "$OUT/clients" >"$OUT/script.log"
	[ "$(cat "$OUT/status")" = 0 ] || finish "not ok: $(tail -n 1 "$OUT/stdout")"
	[ ! -s "$OUT/clients" ] || finish "not ok: $(head -n 1 "$OUT/clients")"
	for n in 1 2; do
		"$MTRACE" -l "$OUT/log.$n" -b "$root" -o "$OUT/log.txt" --export "json:$OUT/log.json" 2>>"$OUT/script.log" ||
			finish "not ok: log $n cannot be read"
		cmp "$OUT/log.json" "$OUT/client.$n.json" >>"$OUT/script.log" 2>&1 &&
			cmp "$OUT/log.txt" "$OUT/client.$n.txt" >>"$OUT/script.log" 2>&1 ||
			finish "not ok: client $n does not report what its server's log reports"
	done
	grep -q 'still running' "$OUT/console.out" || finish "not ok: the console knows of no program"
	grep -q 'storm' "$OUT/console.out" || finish "not ok: the console knows no stacks"
}

# -- rows from the host ---------------------------------------------------------------

# Neither program nor library has tables there, and Debian's C library for ARM next to
# none; here are the debug files of all three.
PARTS="$PARTS rows"

prepare_rows() {
	wanted rows || return
	set -- -O2 -fno-asynchronous-unwind-tables -fno-unwind-tables -Wl,--build-id
	program rows-lib "$@" -fPIC -shared -Wl,-soname,rows-lib
	program rows "$@" -Wl,--no-as-needed "$root/p/rows-lib" -Wl,-rpath,/p
	part server:rows
	mkdir -p "$out/rows/files/p"
	for name in rows rows-lib; do
		cp "$root/p/$name" "$out/rows/files/p"
		"$tracer-strip" "$root/p/$name"
	done
	make_token
	parts="$parts rows:rows"
	forward="$forward rows"
}

clients_rows() {
	await "$share/rows/up.1"
	client -b files -b "$programs_root" -v --export json:client.json 2>client.err ||
		echo "the client: $?"
}

# Not one frame is found by other means than tables.
examine_rows() {
	cat "$OUT/client.err" "$OUT/stdout" "$OUT/clients" >"$OUT/script.log"
	[ "$(cat "$OUT/status")" = 0 ] || finish "not ok: $(tail -n 1 "$OUT/stdout")"
	[ ! -s "$OUT/clients" ] || finish "not ok: $(head -n 1 "$OUT/clients")"
	for name in rows rows-lib; do
		grep -q "/$name: a client gave its rows" "$OUT/stdout" || finish "not ok: no rows of $name"
	done
	"$expect" "$OUT/expected" "$OUT/client.json" >>"$OUT/script.log" || finish "not ok: frames are lost"
	ways='prologue frame_pointer search'
	# Of its C library there is no debug file, and tables of little.
	[ "$programs" != riscv64-linux-gnu ] || ways='prologue frame_pointer'
	for way in $ways; do
		grep -q "\"$way\": 0" "$OUT/client.json" || finish "not ok: frames are found by $way"
	done
}
