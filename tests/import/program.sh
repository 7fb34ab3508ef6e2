# SPDX-License-Identifier: GPL-2.0-or-later
# Read by check-import: callers in programs.

cat >"$dir/target.c" <<'END'
__attribute__((noinline)) int take(int n) { return n + 1; }
__attribute__((noinline)) int poll_sensor(int n)
{
	return 3 *
		take(n);
}
int main(int argc, char **argv) { (void)argv; return poll_sensor(argc); }
END

# The return address of poll_sensor's call, as the linker has it.
return_address() { # OBJDUMP PROGRAM
	"$1" -d "$2" | awk '/<poll_sensor>:$/ { on = 1 } found { sub(":", "", $1); print $1; exit }
		on && /<take>|jalr/ { found = 1 }'
}

if "$CC" -g -O1 -fno-inline -fno-optimize-sibling-calls -o "$dir/target" "$dir/target.c" 2>"$dir/err" &&
	command -v objdump >/dev/null; then
	echo "#m:0x20003240;0x$(return_address objdump "$dir/target")-50" >"$dir/native"
	import mbed "$dir/native" --elf "$dir/target" >/dev/null
	result "--elf: function, file and line of a native program" "malloc poll_sensor $dir/target.c 5" \
		"$(first_frames | head -n 1)"
else
	skip "--elf: a native program" "no compiler, or no objdump"
fi

# -- other CPUs: neither their instructions nor their registers are of interest
freestanding="-g -O1 -ffreestanding -nostdlib -Wl,-e,main -fno-inline -fno-optimize-sibling-calls"
cross() { # NAME TRIPLE [OPTION...]: with a cross compiler, or with clang and lld
	name=$1 triple=$2
	shift 2
	objdump=llvm-objdump
	# shellcheck disable=SC2086
	if command -v "$triple-gcc" >/dev/null; then
		objdump=$triple-objdump
		"$triple-gcc" $freestanding "$@" -o "$dir/$name" "$dir/target.c"
	elif command -v clang >/dev/null && command -v ld.lld >/dev/null && command -v $objdump >/dev/null; then
		clang --target="$triple" $freestanding "$@" -fuse-ld=lld -o "$dir/$name" "$dir/target.c"
	else
		false
	fi 2>"$dir/err"
}
called() { # NAME ADDRESS: its caller
	printf '#m:0x20003240;0x%x-50\n' "$(($2))" >"$dir/called"
	import mbed "$dir/called" --elf "$dir/$1" >/dev/null
	first_frames | head -n 1
}
there="malloc poll_sensor $dir/target.c 5"
if cross arm arm-linux-gnueabihf -mthumb || cross arm armv7m-none-eabi -mthumb; then
	result "--elf: Thumb code, of which a caller has bit 0 set" "$there" \
		"$(called arm "0x$(return_address "$objdump" "$dir/arm") + 1")"
else
	skip "--elf: Thumb code" "nothing here compiles and links for ARM"
fi
if cross riscv riscv32-none-elf; then
	riscv=$(return_address "$objdump" "$dir/riscv")
	result "--elf: RISC-V" "$there" "$(called riscv "0x$riscv")"
	# The same said to be for Xtensa: of a CPU nothing but its number is looked at.
	printf '\136' | dd of="$dir/riscv" bs=1 seek=18 conv=notrunc 2>/dev/null
	printf '\0' | dd of="$dir/riscv" bs=1 seek=19 conv=notrunc 2>/dev/null
	result "--elf: a file for Xtensa" "$there" "$(called riscv "0x$riscv")"
else
	skip "--elf: RISC-V and Xtensa" "nothing here compiles and links for RISC-V"
fi

# -- mtrace(3) of the C library here
cat >"$dir/glibc.c" <<'END'
#include <mcheck.h>
#include <stdlib.h>
static char *volatile kept;
__attribute__((noinline)) static void read_line(void)
{
	kept = malloc(100);
}
int main(void)
{
	mtrace();
	read_line();
	free(kept);
	read_line();
	muntrace();
	return 0;
}
END
glibc() { # NAME OPTION...: traces itself; its figures and caller
	name=$1
	shift
	"$CC" -g -O0 "$@" -o "$dir/$name" "$dir/glibc.c" 2>"$dir/err" || return
	MALLOC_TRACE=$dir/$name.log LD_PRELOAD=libc_malloc_debug.so.0 "$dir/$name" 2>"$dir/err"
	test -s "$dir/$name.log"
}
for kind in -pie -no-pie; do
	if glibc "glibc$kind" $kind; then
		result "mtrace(3) of a $kind program" "2 1 1 100 0 0 0 0 0" "$(import auto "$dir/glibc$kind.log")"
		result "its caller" "malloc read_line $dir/glibc.c 6" "$(first_frames | head -n 1)"
	else
		skip "mtrace(3) of a $kind program" "the C library here does not write its log"
	fi
done
cat >"$dir/elsewhere" <<'END'
= Start
@ ./gone:(read_line+0x11)[0x11a0] + 0x5616877f64a0 0x64
@ ./gone:[0x11fb] + 0x5616877f66a0 0x10
= End
END
import glibc "$dir/elsewhere" >/dev/null
result "a program that is not here: what the log calls it" "malloc read_line null null
malloc null null null" "$(first_frames)"
