# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by tests/cross/run and the recipes beside it: the cache, and packages of other
# architectures.  $cross is this folder; $cache the cache, $jobs the jobs of make.
#
# Nothing of the machine is changed: packages are taken, unpacked and not installed, by an
# apt whose state is in the cache and which knows one archive only, that of the machine.

say() {
	echo "# $*" >&2
}

# Ends with the reason: the status of a skip, or of a failure when the user asked for
# this architecture by name.
cannot() {
	if [ -n "${asked-}" ]; then
		echo "Bail out! $arch: $*"
		exit 1
	fi
	echo "1..0 # SKIP $arch: $*"
	echo "0 passed, 0 failed, 1 skipped"
	exit 77
}

# What Debian calls a machine.  Fails when it is not among its architectures.
debian_name() {
	case $1 in
	arm-linux-gnueabihf) echo armhf ;;
	arm-linux-gnueabi) echo armel ;;
	aarch64-linux-gnu) echo arm64 ;;
	x86_64-linux-gnu) echo amd64 ;;
	*) return 1 ;;
	esac
}

# The compiler's name has the version of the host's in Debian's packages that go
# together with gcc-multilib; elsewhere it may have none.
cross_compiler() { # MACHINE gcc|g++
	version=$(gcc -dumpversion 2>/dev/null | sed 's/\..*//')
	for compiler in "$1-$2-$version" "$1-$2"; do
		command -v "$compiler" && return
	done
	return 1
}

# -- packages -------------------------------------------------------------------------

# The archive and the release that this machine itself uses; with $archive_suite (-backports)
# what is newer and was built for that release, too.
: "${archive_suite=}"
own_archive() {
	release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	uri=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
		awk -v r="$release" '$1 == r && $2 == "main" { print $3; exit }')
	[ -n "$uri" ] || return 1
	ring=/usr/share/keyrings/debian-archive-keyring.gpg
	signed=
	[ ! -f $ring ] || signed="[signed-by=$ring] "
	echo "$signed$uri $release main"
	[ -z "$archive_suite" ] || echo "$signed$uri $release$archive_suite main"
}

# apt ARCHITECTURE COMMAND ARGUMENTS…: COMMAND is apt-get or apt-cache, on a state of its own.
private_apt() {
	state=$cache/apt-$1$archive_suite
	architecture=$1 tool=$2
	shift 2
	"$tool" -q -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" \
		-o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/nonexistent \
		-o Dir::State::status=/dev/null -o Dir::State::lists="$state/lists" \
		-o Dir::State::extended_states="$state/extended" -o Dir::Cache="$state" \
		-o Dir::Cache::pkgcache=packages.bin -o Dir::Cache::srcpkgcache=sources.bin \
		-o Acquire::Languages=none -o Acquire::GzipIndexes=true -o Acquire::Retries=3 \
		-o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=false "$@"
}

# Makes the state; its lists are fetched once a day.
update_lists() { # ARCHITECTURE
	state=$cache/apt-$1$archive_suite
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	archive=$(own_archive) || return 1
	echo "$archive" | sed 's/.*/deb &\ndeb-src &/' >"$state/sources.list.new"
	cmp -s "$state/sources.list.new" "$state/sources.list" &&
		[ -n "$(find "$state/updated" -mtime -1 2>/dev/null)" ] && return
	say "lists of packages for $1"
	mv "$state/sources.list.new" "$state/sources.list"
	private_apt "$1" apt-get update >"$state/update.log" 2>&1 && touch "$state/updated" && return
	# Old ones will do where the archive cannot be reached.
	[ -f "$state/updated" ] || { sed 's/^/# /' "$state/update.log" >&2; return 1; }
}

# Name, and with it version and checksum, of all files that these packages need.
files_of() { # ARCHITECTURE PACKAGE…
	fetch_for=$1
	shift
	private_apt "$fetch_for" apt-get -qq install --print-uris -y "$@" 2>/dev/null |
		sed -n "s/^'[^']*' \([^ ]*\) [0-9]* \([^ ]*\)$/\1 \2/p" | sort
}

# Into the folder.
fetch_with_needs() { # ARCHITECTURE FOLDER PACKAGE…
	fetch_for=$1 fetch_to=$2
	shift 2
	private_apt "$fetch_for" apt-get -qq install --download-only -y \
		-o Dir::Cache::archives="$fetch_to" "$@" >&2
}

fetch_alone() { # ARCHITECTURE FOLDER PACKAGE…
	fetch_for=$1 fetch_to=$2
	shift 2
	(cd "$fetch_to" && private_apt "$fetch_for" apt-get -qq download "$@" >&2)
}

# -- the cache ------------------------------------------------------------------------

folder_of() { # NAME KEY
	echo "$cache/$1-$(printf '%s' "$2" | sha256sum | cut -c 1-16)"
}

# made NAME KEY RECIPE ARGUMENTS…: prints the folder that RECIPE has filled, now or in an earlier
# run with the same KEY; RECIPE gets the arguments and, last, the folder.
made() {
	name=$1 folder=$(folder_of "$1" "$2")
	shift 2
	mkdir -p "$cache"
	(
		flock 9
		if [ -d "$folder" ]; then
			touch "$folder"
			exit 0
		fi
		say "making $name in $folder"
		rm -rf "$folder.new"
		mkdir -p "$folder.new"
		"$@" "$folder.new" >"$folder.log" 2>&1 9>&- && mv "$folder.new" "$folder" || {
			tail -n 30 "$folder.log" | sed 's/^/# /' >&2
			rm -rf "$folder.new"
			exit 1
		}
		# Those that no run of two weeks has wanted.
		find "$cache" -maxdepth 1 -name "$name-*" ! -path "$folder*" -mtime +14 -exec rm -rf {} +
	) 9>"$cache/$name.lock" || return 1
	echo "$folder"
}

# -- what is made ---------------------------------------------------------------------

SYSROOT_PACKAGES='libc6-dev libc6-dbg libstdc++6 libelf-dev libdw-dev libbz2-dev libcmocka-dev libjansson-dev libiberty-dev'
# In the order in which they are loaded.
KERNEL_MODULES='virtio virtio_ring virtio_mmio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net netfs fscache 9pnet 9pnet_virtio 9p'
# Where Debian has none: their sources.
SYSROOT_SOURCES='zlib elfutils cmocka libiberty jansson'
# For musl, of which Debian has none at all.
MUSL_SOURCES='zlib elfutils zydis'
export cache jobs archive_suite SYSROOT_SOURCES MUSL_SOURCES KERNEL_MODULES

# Names and checksums of the sources.
sources_of() { # ARCHITECTURE PACKAGE…
	fetch_for=$1
	shift
	private_apt "$fetch_for" apt-get -qq source --print-uris "$@" 2>/dev/null | sed "s/^'[^']*' //" | sort
}

# Fetches and unpacks them here.
fetch_sources() { # ARCHITECTURE PACKAGE…
	fetch_for=$1
	shift
	private_apt "$fetch_for" apt-get -qq source --download-only "$@"
	for source in *.dsc; do
		dpkg-source --no-check -x "$source"
	done
}

qemu_version() { # QEMU
	"$1" --version | sed -n 's/.*version \([0-9]*\.[0-9]*\).*/\1/p'
}

# qemu that keeps tags of memory: from 7.2 to 8.0 it mixes them up (tests/cross/tags.c).  Then
# there may be a newer one among the backports, which needs no other libraries; with it are
# all modules, since it would open those of the other.  Prints the path.
QEMU_PACKAGES='qemu-system-arm qemu-system-common qemu-system-data qemu-system-gui qemu-system-modules-opengl qemu-system-modules-spice qemu-block-extra'
qemu_with_tags() { # QEMU
	case $(qemu_version "$1") in
	7.2 | 8.0) ;;
	*) echo "$1"; return ;;
	esac
	archive_suite=-backports native=$(dpkg --print-architecture)
	update_lists "$native" && version=$(private_apt "$native" apt-cache madison qemu-system-arm |
		awk -v suite="$archive_suite/" 'index($0, suite) { print $3; exit }') && [ -n "$version" ] &&
		folder=$(made qemu-arm "$version $(cat "$cross/qemu-debian")" \
			"$cross/qemu-debian" "$native" "$version" "$QEMU_PACKAGES") &&
		echo "$folder/$1"
}

# The package of the kernel's sources that the release has.
source_package() { # ARCHITECTURE
	private_apt "$1" apt-cache depends linux-source | sed -n 's/.*Depends: \(linux-source-[^: ]*\).*/\1/p' | head -n 1
}

version_of() { # ARCHITECTURE PACKAGE
	private_apt "$1" apt-cache show "$2" | sed -n 's/^Version: //p' | head -n 1
}

# Prints the folder with the libraries of a machine.
sysroot() { # MACHINE
	if architecture=$(debian_name "$1"); then
		update_lists "$architecture" || return 1
		packages=$SYSROOT_PACKAGES
		[ "$architecture" != amd64 ] || packages="$packages libzydis-dev"
		needs=$(files_of "$architecture" $packages busybox-static)
		[ -n "$needs" ] || { say "no $packages for $architecture"; return 1; }
		made "sysroot-$1" "$needs $(cat "$cross/sysroot-debian")" \
			"$cross/sysroot-debian" "$architecture" "$packages"
	else
		native=$(dpkg --print-architecture) && update_lists "$native" || return 1
		sources=$(sources_of "$native" $SYSROOT_SOURCES)
		[ -n "$sources" ] || { say "no sources of $SYSROOT_SOURCES"; return 1; }
		made "sysroot-$1" "$sources $(cat "$cross/sysroot-sources")" \
			"$cross/sysroot-sources" "$native" "$1"
	fi
}

# What the libraries for musl are made from, as far as the lists of packages are known.
musl_key() { # ARCHITECTURE
	sources=$(sources_of "$1" $MUSL_SOURCES)
	[ -n "$sources" ] && echo "$sources $(version_of "$1" libzycore-dev) $(cat "$cross/musl-sources")"
}

# Prints the path of a busybox for the guest.
busybox() { # MACHINE SYSROOT
	if debian_name "$1" >/dev/null; then
		echo "$2/bin/busybox"
		return
	fi
	native=$(dpkg --print-architecture)
	sources=$(sources_of "$native" busybox)
	folder=$(made "busybox-$1" "$sources $(cat "$cross/busybox-sources" "$cross/busybox.config")" \
		"$cross/busybox-sources" "$native" "$1" "$cross/busybox.config") && echo "$folder/busybox"
}

# The package that this one, which has no files, stands for.
image_of() { # ARCHITECTURE PACKAGE
	image=$(private_apt "$1" apt-cache depends "$2" | sed -n 's/.*Depends: \(linux-image-[^: ]*\).*/\1/p' | head -n 1)
	[ -n "$image" ] || return 1
	# Those with a signature come without modules' debug sections, but in larger files.
	if private_apt "$1" apt-cache show "$image-unsigned" >/dev/null 2>&1; then
		image=$image-unsigned
	fi
	echo "$image"
}

# IMAGE: what make builds.
kernel_from_sources() { # KERNEL MACHINE ARCH IMAGE
	native=$(dpkg --print-architecture) && update_lists "$native" || return 1
	package=$(source_package "$native")
	[ -n "$package" ] || { say "no linux-source"; return 1; }
	made "kernel-$1" "$package $(version_of "$native" "$package") $(cat "$cross/kernel-sources" "$cross/$1.config")" \
		"$cross/kernel-sources" "$native" "$2" "$3" "$4" "$cross/$1.config"
}

# Prints the folder with vmlinuz and modules of a kernel of the table.
kernel() { # KERNEL
	case $1 in
	armhf) package=linux-image-armmp ;;
	arm64) package=linux-image-arm64 ;;
	amd64) package=linux-image-amd64 ;;
	ppc32)
		kernel_from_sources "$1" powerpc-linux-gnu powerpc vmlinux
		return ;;
	riscv64)
		kernel_from_sources "$1" riscv64-linux-gnu riscv Image
		return ;;
	esac
	update_lists "$1" && image=$(image_of "$1" $package) || return 1
	made "kernel-$1" "$image $(version_of "$1" "$image") $KERNEL_MODULES $(cat "$cross/kernel-debian")" \
		"$cross/kernel-debian" "$1" "$image"
}
