# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Debian's packages: which there are to be, how to tell that one is there already, and how to get the rest.
#
# A package counts as there when its probe says so, whoever installed it: a command, a pkg-config module, or a file.
packages=(
	# for     package              probe
	"run      gcc                  command gcc"
	"run      libc6-dev            file /usr/include/stdio.h"
	"run      make                 command make"
	"run      autoconf             command autoconf"
	"run      automake             command automake"
	"run      pkg-config           command pkg-config"
	"run      curl                 command curl"
	"run      libmicrohttpd-dev    module libmicrohttpd"
	"run      libjansson-dev       module jansson"
	"run      libproc2-dev         module libproc2"
	"run      libsystemd-dev       module libsystemd"
	"run      zlib1g-dev           module zlib"
	"run      libgnutls28-dev      module gnutls"
	"run      libseccomp-dev       module libseccomp"
	"run      libcurl4-gnutls-dev  module libcurl"
	"run      libsmartcols-dev     module smartcols"
	"test     libcmocka-dev        module cmocka"
	"test     python3              file /usr/bin/python3"
	"test     openssl              command openssl"
	"test     xz-utils             command xz"
	"test     mandoc               command mandoc"
	"test     shellcheck           command shellcheck"
	"test     cppcheck             command cppcheck"
	"test     clang                command clang"
	"test     libclang-rt-14-dev   file /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a"
	"test     clang-tidy           command clang-tidy"
	"test     gcovr                command gcovr"
	"test     valgrind             command valgrind"
	"test     iproute2             command ip"
	"test     systemd              file /lib/systemd/systemd"
	"test     systemd-container    command systemd-nspawn"
	"test     zsh                  command zsh"
	"test     bash-completion      file /usr/share/bash-completion/bash_completion"
	"test     qemu-system-x86      command qemu-system-x86_64"
	"test     e2fsprogs            file /sbin/mke2fs"
	"test     kmod                 file /sbin/depmod"
	"test     sparse               command sparse"
	"test     gcc-12               command gcc-12"
	"test     libelf1              file /usr/lib/x86_64-linux-gnu/libelf.so.1"
	"test     nodejs               command node"
	"test     npm                  command npm"
	"test     chromium             command chromium"
	"test     fonts-dejavu-core    file /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
	"test     ca-certificates      file /etc/ssl/certs/ca-certificates.crt"
)

# is_there KIND WHAT: does the probe find it?
is_there() {
	case $1 in
	command) command -v "$2" >/dev/null ;;
	module) pkg-config --exists "$2" 2>/dev/null ;;
	file) compgen -G "$2" >/dev/null ;;
	esac
}

# missing run|test: the packages whose probe finds nothing; a test needs what running needs.
missing() {
	local row need package kind what
	for row in "${packages[@]}"; do
		read -r need package kind what <<<"$row"
		[[ $need == run || $need == "$1" ]] || continue
		is_there "$kind" "$what" || echo "$package"
	done
}

# What apt says is for those who look into a failure.
apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"
}

# The lists are fetched when they do not know a package, or when what they name cannot be had any more.
install() {
	local log
	log=$(mktemp)
	if ! apt-cache show "$@" >/dev/null 2>&1 || ! apt install --no-install-recommends -y "$@" >"$log" 2>&1; then
		{ apt update && apt install --no-install-recommends -y "$@"; } >"$log" 2>&1 || {
			cat "$log" >&2
			rm -f "$log"
			return 1
		}
	fi
	rm -f "$log"
}

# packages_provide run|test: installs what is missing; says so, and fails, where it cannot.
packages_provide() {
	local -a wanted
	mapfile -t wanted < <(missing "$1")
	[[ ${#wanted[@]} -gt 0 ]] || return 0
	if ! command -v apt-get >/dev/null; then
		echo "quickstart: this is not Debian: please install what Debian calls ${wanted[*]}" >&2
		return 1
	elif [[ $EUID != 0 ]]; then
		echo "quickstart: not root: please have these installed: apt-get install ${wanted[*]}" >&2
		return 1
	fi
	echo "installing ${#wanted[@]} Debian packages: ${wanted[*]}"
	install "${wanted[@]}" || {
		echo "quickstart: apt-get could not install them; its words stand above" >&2
		return 1
	}
}

# What tests stand beside, unpacked and not installed: Debian's packages would start them as services.
peers=(
	# for  package
	"test  prometheus"
	"both  prometheus-node-exporter"
	"bench smem"
	"bench vmtouch"
)

# peers_provide DIRECTORY test|bench: programs are then in DIRECTORY/usr/bin; where they cannot be had, who wants them does without.
peers_provide() {
	local directory=$1 row need package debs
	for row in "${peers[@]}"; do
		read -r need package <<<"$row"
		[[ $need == both || $need == "$2" ]] || continue
		if command -v "$package" >/dev/null || [[ -x $directory/usr/bin/$package ]]; then
			continue
		fi
		echo "unpacking Debian's $package"
		debs=$(mktemp -d)
		(cd "$debs" && { apt-get -qq download "$package" || { apt update && apt-get -qq download "$package"; }; }) >/dev/null 2>&1 &&
			mkdir -p "$directory" && dpkg -x "$debs/$package"_*.deb "$directory" ||
			echo "quickstart: Debian's $package cannot be had: what wants it does without" >&2
		rm -rf "$debs"
	done
}
