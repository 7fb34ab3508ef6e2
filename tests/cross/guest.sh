# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by tests/cross/run: the machines of qemu, the guest's files, and booting it.

# Options of qemu, the console, the kind of virtio devices; $network: what the kernel is told
# where there is one.
machine() { # KERNEL
	bus=device network=
	case $1 in
	armhf) qemu=qemu-system-arm machine='-M virt -cpu cortex-a15 -m 512' console=ttyAMA0 ;;
	arm64) qemu=qemu-system-aarch64 machine='-M virt -cpu cortex-a57 -m 512' console=ttyAMA0 ;;
	ppc32) qemu=qemu-system-ppc machine='-M g3beige -m 512 -vga none' console=ttyPZ0 bus=pci
		network=ip=dhcp ;;
	riscv64) qemu=qemu-system-riscv64 machine='-M virt -m 512' console=ttyS0 ;;
	amd64) qemu=qemu-system-x86_64 machine='-M q35 -m 512 -vga none' console=ttyS0 bus=pci ;;
	*) echo "Bail out! no kernel is named $1"; exit 1 ;;
	esac
}

# How a compiler finds headers and libraries of a machine.
in_sysroot() { # MACHINE SYSROOT
	if debian_name "$1" >/dev/null; then
		echo "--sysroot=$2"
	else
		echo "-I$2/usr/include -L$2/usr/lib -Wl,-rpath-link,$2/usr/lib"
	fi
}

# Where libraries of a machine lie, here.
library_folders() { # MACHINE SYSROOT
	echo "$2/lib/$1 $2/usr/lib/$1 $2/lib $2/usr/lib /usr/$1/lib"
}

library() { # NAME MACHINE SYSROOT: prints its path
	for candidate in $(library_folders "$2" "$3"); do
		[ ! -e "$candidate/$1" ] || { echo "$candidate/$1"; return; }
	done
	return 1
}

# Copies the libraries that these need, and those that they need, to where the dynamic
# linker looks for them.
add_libraries() { # MACHINE SYSROOT FILE…
	lib_machine=$1 lib_root=$2 into=$root/lib/$1
	shift 2
	mkdir -p "$into"
	interpreter=$(LC_ALL=C readelf -lW "$@" 2>/dev/null |
		sed -n 's/.*program interpreter: \(.*\)]/\1/p' | head -n 1)
	while [ $# -gt 0 ]; do
		needed=$(LC_ALL=C readelf -dW "$@" 2>/dev/null |
			sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' | sort -u)
		set --
		# libgcc_s is what the C library loads when a thread is cancelled; libanl is
		# small, and there for a test to load.
		for name in $needed ${interpreter:+libgcc_s.so.1 libanl.so.1 "${interpreter##*/}"}; do
			[ ! -e "$into/$name" ] || continue
			found=$(library "$name" "$lib_machine" "$lib_root") || continue
			cp -L "$found" "$into/$name"
			set -- "$@" "$into/$name"
		done
	done
	[ -z "$interpreter" ] || [ -L "$root$interpreter" ] || [ -e "$root$interpreter" ] ||
		{ mkdir -p "$root${interpreter%/*}"; ln -s "/lib/$lib_machine/${interpreter##*/}" "$root$interpreter"; }
}

# For unit tests: qemu 10.0.2 ends with an assertion (gen_pc_plus_diff) when a CPU that knows BTI
# executes braa or blraa.
unit_environment() {
	case $qemu:$(qemu_version "$qemu") in
	*aarch64:9.* | *aarch64:10.0) echo WITHOUT_BRAA=1 ;;
	esac
}

# The part of the guest's files that every run has.
begin_root() {
	rm -rf "$root"
	mkdir -p "$root/bin" "$root/lib" "$root/t" "$root/p" "$root/parts" "$root/files" "$root/etc"
	: >"$root/t/list"
	cp "$busybox" "$root/bin"
	cp "$cross/guest" "$root/init"
	[ ! -d "$kernel_files/modules" ] || cp -r "$kernel_files/modules" "$root"
	echo "KERNEL_MODULES='$KERNEL_MODULES' TIMEOUT=$TIMEOUT ENVIRONMENT='$environment' UNIT='$(unit_environment)' PROGRAMS=$programs" >"$root/settings"
	echo root:x:0:0:root:/:/bin/sh >"$root/etc/passwd"
}

# Packs $root.  Programs find their libraries where those of their machine are.
pack_root() {
	add_libraries "$tracer" "$tracer_root" $(find "$root/bin" "$root/unit" -type f 2>/dev/null)
	add_libraries "$programs" "$programs_root" $(find "$root/t" "$root/p" "$root/files" -type f -perm -100)
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$work/initrd"
}

# The guest's port 4576 is this one here, and cannot be reached from elsewhere.  There are
# no option ROMs in all packages of qemu, and none is needed.
network_of() { # PORT
	if [ -n "$1" ]; then
		echo "-netdev user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$1-:4576" \
			"-device virtio-net-$bus,netdev=net$([ $bus = device ] || echo ,romfile=)"
	else
		echo -nic none
	fi
}

run_qemu() { # LIMIT PORT
	timeout -k 5 "$1" $qemu $machine $qemu_options -nographic -no-reboot $(network_of "$2") \
		-fsdev "local,id=share,path=$share,security_model=none" \
		-device "virtio-9p-$bus,fsdev=share,mount_tag=share" \
		-kernel "$kernel_files/vmlinuz" -initrd "$work/initrd" \
		-append "console=$console panic=-1 quiet ${2:+$network}" </dev/null >"$work/console" 2>&1 &
	guest_pid=$!
	trap ': >"$work/ended"; kill $guest_pid; exit 1' HUP INT TERM
	wait $guest_pid
	trap - HUP INT TERM
	sed -i 's/\r//g' "$work/console"
}

# Boots it; the console is in $work/console.  Fails when it does not come to the end of its
# list within LIMIT seconds.
boot() { # LIMIT
	pack_root
	port=
	for try in 1 2 3 4 5; do
		rm -rf "$share" "$work/ended"
		mkdir -p "$share"
		if [ -n "$forward" ]; then
			port=$((20000 + ($$ + try * 1000) % 20000))
			clients $port &
		fi
		run_qemu "$1" "$port"
		: >"$work/ended"
		wait
		# Another one may have the port.
		grep -q 'host forwarding rule' "$work/console" || break
	done
	grep -q '^ALL DONE' "$work/console"
}
