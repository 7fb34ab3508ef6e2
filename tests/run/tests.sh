# SPDX-License-Identifier: GPL-2.0-or-later
# What tests.in says, step by step: sourced by run-tests and tests/cross/run.  $here is
# this folder, $out has a folder for each test.
#
#   list FILE…        the lines that count
#   each FUNCTION SHOW NAME…   FUNCTION NAME BUILD RUN CHECK for those of $out/list (all of
#                     them without a NAME), $JOBS at once, then SHOW NUMBER NAME in their order
#
# FUNCTION works in $OUT, with:
#
#   build BUILD       leaves the program in $PROGRAM, which runs with its libraries in $THERE
#                     (default: $OUT)
#   read_run RUN      sets $options and $arguments
#   without SIDE WORDS…   those that are not for the tracer or the report alone, in $kept
#   wanted_status CHECK   prints mtrace's exit status
#   check_all CHECK   by $EXPECT $JSON $STDERR
#   finish RESULT     ends it

# Every line of the lists that counts, continued lines joined.
list() { # FILE…
	sed -e ':a' -e '/\\$/{N;s/\\\n[ \t]*/ /;ba' -e '}' "$@" |
		sed -e '/^[ \t]*#/d' -e '/^[ \t]*$/d'
}

trim() {
	echo "$1" | sed 's/^[ 	]*//; s/[ 	]*$//'
}

# The result of a test goes to $OUT/result: ok, not ok, or skip and a reason.
finish() {
	echo "$*" >"$OUT/result"
	exit 0
}

has() {
	case $1 in
	lib*.so*) ldconfig -p 2>/dev/null | grep -q "[[:space:]]$1 " ||
		PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | grep -q "[[:space:]]$1 " ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# Can the compiler build anything with these flags?  (No 32-bit libc, say.)
can_build() {
	printf '#include <errno.h>\nint main(void) { return 0; }\n' >"$OUT/probe.$1"
	shift
	"$@" -o "$OUT/probe" "$OUT"/probe.c* >/dev/null 2>&1
}

# Reads the BUILD column and leaves the program's path in $PROGRAM.
build() {
	src= cc= flags= libs= plugins= makes=
	for word in $1; do
		case $word in
		src=*) src=${word#src=} ;;
		cc=*) cc=${word#cc=} ;;
		lib=*) libs="$libs ${word#lib=}" ;;
		plugin=*) plugins="$plugins ${word#plugin=}" ;;
		make=*) makes="$makes ${word#make=}" ;;
		need=*) has "${word#need=}" || finish "skip no ${word#need=} here" ;;
		*) flags="$flags $word" ;;
		esac
	done
	case $src in
	*/*)
		PROGRAM=$src
		[ -x "$PROGRAM" ] || finish "skip no $PROGRAM here"
		return ;;
	'')
		src=$name.c
		[ -f "$here/$src" ] || src=$name.cc ;;
	esac
	[ -f "$here/$src" ] || finish "not ok: tests/run/$src does not exist"
	case $src in
	# What g++ does by default, clang++ 14 does when it is told.
	*.cc) kind=cc flags="-fsized-deallocation $flags"; : "${cc:=$CXX}" ;;
	*) kind=c; : "${cc:=$CC}" ;;
	esac
	has "${cc%% *}" || finish "skip no ${cc:-C++ compiler} here"
	# The kernel's headers lie where only the 64-bit compiler looks, unless
	# gcc-multilib, which conflicts with cross compilers, is installed.
	case " $flags " in
	*' -m32 '*) flags="$flags -idirafter /usr/include/$($cc -print-multiarch 2>/dev/null)" ;;
	esac
	can_build $kind $cc $flags || finish "skip $cc builds no programs with $1 here"
	rm -f "$OUT"/probe*
	set -- $cc -g -D_GNU_SOURCE -I"$here" $flags
	for lib in $libs $plugins; do
		"$@" -shared -fPIC -o "$OUT/$lib.so" "$here/$lib.c" >>"$OUT/build.log" 2>&1 ||
			finish "not ok: $lib.c does not compile"
	done
	PROGRAM=$OUT/${src%.*}
	set -- "$@" -o "$PROGRAM" "$here/$src"
	for lib in $libs; do
		set -- "$@" "-L$OUT" "-l:$lib.so" "-Wl,-rpath,${THERE:-$OUT}"
	done
	"$@" >>"$OUT/build.log" 2>&1 || finish "not ok: $src does not compile"
	for make in $makes; do
		make_more "$make"
	done
}

# A script builds what else the test wants, with $cc and the tools of its machine.
make_more() { # FILE
	(cd "$OUT" && OUT=$OUT CC=$cc PROGRAM=$PROGRAM THERE=${THERE:-$OUT} NM=${NM:-nm} STRIP=${STRIP:-strip} \
		OBJCOPY=${OBJCOPY:-objcopy} sh "$here/$1") >>"$OUT/build.log" 2>&1
	case $? in
	0) ;;
	77) finish "skip $(tail -n 1 "$OUT/build.log")" ;;
	*) finish "not ok: $1 builds nothing" ;;
	esac
}

# Reads the RUN column into $options and $arguments.
read_run() {
	options= arguments= behind=
	eval "set -- $1"
	for word; do
		if [ -n "$behind" ]; then
			arguments="$arguments $word"
		elif [ "$word" = -- ]; then
			behind=yes
		else
			options="$options $word"
		fi
	done
}

# Those of the words given that are not for SIDE (tracer or report) alone, in $kept.
without() { # SIDE WORD…
	unwanted=$1 kept=
	shift
	while [ $# -gt 0 ]; do
		word=$1 argument=
		case $word in
		--*) option=${word%%=*} ;;
		*) option=$(printf %.2s "$word") ;;
		esac
		row=$(grep -e "^$option " -e " $option " "$out/options")
		read -r short long takes kind side more <<-EOF
			$row
		EOF
		shift
		if [ "$takes" != - ] && [ "$word" = "$option" ]; then
			argument=$1
			shift
		fi
		[ "$side" = "$unwanted" ] || kept="$kept $word${argument:+ $argument}"
	done
}

# One item of the CHECK column.
check() {
	kind=${1%% *}
	case $1 in
	*' '*) rest=$(trim "${1#* }") ;;
	*) rest= ;;
	esac
	case $kind in
	exit) ;; # done before, whatever its place
	expect)
		"$expect" "$EXPECT" "$JSON" >"$OUT/expect.log" ||
			finish "not ok: the export is not what the program did"
		"$schema" "$top_srcdir/doc/JSON.md" "$JSON" >>"$OUT/expect.log" ||
			finish "not ok: the export is not what doc/JSON.md says" ;;
	stderr)
		grep -Eq -- "$rest" "$STDERR" || finish "not ok: nothing on stderr like: $rest" ;;
	not)
		! grep -Eq -- "$rest" "$STDERR" || finish "not ok: on stderr: $rest" ;;
	script)
		(cd "$OUT" && timeout -k 5 "$TIMEOUT" sh "$here"/$rest) >"$OUT/script.log" 2>&1
		case $? in
		0) ;;
		77) finish "skip $(tail -n 1 "$OUT/script.log")" ;;
		*) finish "not ok: script $rest" ;;
		esac ;;
	*) finish "not ok: tests.in knows no check '$kind'" ;;
	esac
}

wanted_status() { # CHECK
	status=$(echo "$1" | tr ';' '\n' | sed -n 's/^[ \t]*exit  *\([0-9]*\)[ \t]*$/\1/p')
	echo "${status:-0}"
}

check_all() { # CHECK
	echo "${1:-expect}" | tr ';' '\n' >"$OUT/checks"
	while IFS= read -r item; do
		check "$(trim "$item")"
	done <"$OUT/checks"
}

show() {
	read -r verdict <"$out/$2/result" 2>/dev/null || verdict="not ok: the test did not end"
	case $verdict in
	ok) echo "ok $1 - $2" ;;
	skip*) echo "ok $1 - $2 # SKIP ${verdict#skip }" ;;
	*)
		echo "not ok $1 - $2"
		echo "# ${verdict#not ok: }"
		for log in build.log expect.log script.log stderr; do
			[ -s "$out/$2/$log" ] && tail -n 30 "$out/$2/$log" | sed "s/^#* */# $log: /"
		done ;;
	esac
}

count=0
each() { # FUNCTION SHOW NAME…
	function=$1 show=$2 running=
	shift 2
	while IFS='|' read -r name build run check; do
		name=$(trim "$name")
		if [ $# -gt 0 ]; then
			case " $* " in *" $name "*) ;; *) continue ;; esac
		fi
		("$function" "$name" "$(trim "$build")" "$(trim "$run")" "$(trim "$check")") </dev/null &
		running="$running $!:$name"
		# Wait for the oldest when as many as may run are running.
		while [ "$(echo $running | wc -w)" -ge "$JOBS" ]; do
			first=${running# }
			first=${first%% *}
			wait "${first%%:*}"
			count=$((count + 1))
			"$show" $count "${first#*:}"
			running=${running# }
			case $running in *' '*) running=" ${running#* }" ;; *) running= ;; esac
		done
	done <"$out/list"
	for entry in $running; do
		wait "${entry%%:*}"
		count=$((count + 1))
		"$show" $count "${entry#*:}"
	done
}
