# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
# Sourced by the checks that need a Debian of their own, in the folder $root (root, debootstrap).

# Leaves the machine's folders out of it again.
root_leave() {
	local mounted
	[ -n "${root:-}" ] || return 0
	for mounted in dev proc sys; do
		! mountpoint -q "$root/$mounted" || umount --recursive --lazy "$root/$mounted"
	done
}

# root_make RELEASE: makes it anew, with what the machine has in /dev, /proc and /sys, and its way to
# the packages.
root_make() {
	local mounted
	root_leave
	rm -rf --one-file-system "${root:?}"
	debootstrap --variant=minbase "$1" "$root" || return 1
	for mounted in dev proc sys; do
		mount --rbind --make-rslave "/$mounted" "$root/$mounted" || return 1
	done
	rm -f "$root/etc/apt/apt.conf.d/docker-clean"
	cp -n /etc/apt/apt.conf.d/*prox* "$root/etc/apt/apt.conf.d" 2>/dev/null || true
}

# inside [NAME=VALUE…] COMMAND [ARGUMENT…]
inside() {
	chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive "$@"
}
