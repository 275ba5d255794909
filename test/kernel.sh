#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The suites that look at the kernel, on the kernel of another Debian, which QEMU boots: a minimal Debian is
# made by debootstrap, the last commit built in it, and both are put into a disk. It uses KVM where a kernel
# boots by it within 30 seconds, and emulates the processor otherwise: 15 minutes on an idle machine.
#
#   SUITE=NAME test/kernel.sh PACKAGE…    make test-kernel KERNEL=bookworm|trixie
#   JOB=COMMAND     what to run as root in the tree, instead of the quick set
#   DISK=FILE       keep the disk there, and take it from there if it exists
#   ACCEL=tcg|kvm   do not try
# shellcheck source=test/machine.sh
. "$(dirname "$0")/machine.sh"
need qemu-system-x86_64 mke2fs
[ "$(dpkg --print-architecture)" = amd64 ] || { skip "needs an amd64" && finish; }

# The quick set: where kernels differ, and what found it.
QUICK='test/suite.sh build/test/test_netlink build/test/test_netns build/test/test_elements build/test/test_conntrack build/test/test_shaping
test/suite.sh test/cni/bpf.sh test/cni/privilege.sh test/cni/explain.sh
env ONLY=newcomer test/suite.sh test/cni/bridge.sh
test/demo.sh | tail -n 3'
JOB=${JOB:-$QUICK}
DISK=${DISK:-$MACHINES/disk}
MEGABYTES=3000

# make_disk: the machine's root with the kernel, its initramfs and the built tree; $DISK.kernel and
# $DISK.initrd beside it.
make_disk() {
	local prepare="apt-get install -y -qq --no-install-recommends $* >/dev/null"
	# Few modules: under emulation a large initramfs takes longer to unpack than all the rest to boot.
	# shellcheck disable=SC2016 # for the machine's shell
	prepare+=' && sed -i s/^MODULES=.*/MODULES=list/ /etc/initramfs-tools/initramfs.conf
		printf "%s\n" virtio_pci virtio_blk ext4 virtio_rng >/etc/initramfs-tools/modules
		update-initramfs -u >/dev/null && make -s all tests && cp /boot/vmlinuz-* /shared/kernel &&
		cp /boot/initrd.img-* /shared/initrd && uname=$(ls /lib/modules) && echo "Linux $uname" &&
		rm -rf /boot/* /var/cache/apt /var/lib/apt/lists && cd / &&
		tar -c --one-file-system --exclude=./shared --exclude=./proc --exclude=./sys --exclude=./dev -f /shared/root.tar .'
	machine disk 3600 "$prepare" || return
	mkdir "$MACHINES/root"
	tar -x -C "$MACHINES/root" -f "$MACHINES/shared/root.tar"
	rm "$MACHINES/shared/root.tar"
	mkdir -p "$MACHINES/root"/{proc,sys,dev,run,tmp}
	first_process >"$MACHINES/root/job"
	chmod +x "$MACHINES/root/job"
	mke2fs -q -t ext4 -L taskvpc -d "$MACHINES/root" "$DISK" "${MEGABYTES}M" || return
	cp "$MACHINES/shared/kernel" "$DISK.kernel"
	cp "$MACHINES/shared/initrd" "$DISK.initrd"
	rm -rf "$MACHINES/root"
}

# first_process: the machine's init. The job comes by a drive, so that a disk that was kept serves for any.
first_process() {
	cat <<-'END'
		#!/bin/bash
		export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
		mount -t proc proc /proc 2>/dev/null
		mount -t sysfs sysfs /sys 2>/dev/null
		mount -t devtmpfs devtmpfs /dev 2>/dev/null
		mkdir -p /dev/pts /dev/shm
		mount -t devpts devpts /dev/pts
		mount -t tmpfs tmpfs /dev/shm
		mount -t tmpfs -o mode=755 tmpfs /run
		mount -t tmpfs tmpfs /tmp
		mount -t cgroup2 cgroup2 /sys/fs/cgroup
		mount -t bpf bpf /sys/fs/bpf
		hostname kernel
		ip link set lo up
		echo "kernel: booted $(uname -r)"
		cd /root/taskvpc || exit
		set -o pipefail
		code=0
		while read -r line; do
			eval "$line" </dev/null || code=1
		done < <(tr -d '\0' </dev/vdb)
		echo "kernel: ended with $code"
		sync
		echo o >/proc/sysrq-trigger
		sleep 60
	END
}

# boot ACCELERATOR: run the job; what it prints is shown and kept in $MACHINES/console.
boot() {
	{
		echo "export EMULATED=$([ "$1" = kvm ] && echo 1 || echo 10) TEST_TIMEOUT=3000 SUITE_TIMEOUT=3600"
		echo "$JOB"
	} >"$MACHINES/job"
	truncate -s 65536 "$MACHINES/job"
	timeout --foreground -k 5 5400 qemu-system-x86_64 -accel "$1" -cpu max -smp 2 -m 4096 -nic none -nographic -no-reboot \
		-kernel "$DISK.kernel" -initrd "$DISK.initrd" -append "root=LABEL=taskvpc rw console=ttyS0 panic=-1 quiet init=/job" \
		-drive "file=$DISK,format=raw,if=virtio,snapshot=on" -drive "file=$MACHINES/job,format=raw,if=virtio,snapshot=on" \
		-device virtio-rng-pci -pidfile "$MACHINES/pid" </dev/null 2>&1 | sed -u 's/\r//g; s/\x1b[^A-Za-z]*[A-Za-z]//g' | tee "$MACHINES/console"
}
# kvm_works: a stock kernel boots by it, too.
kvm_works() {
	[ -w /dev/kvm ] || return
	JOB=true boot kvm >/dev/null 2>&1 &
	local qemu=$! i
	for ((i = 0; i < 300; i++)); do
		kill -0 $qemu 2>/dev/null || i=300
		grep -q '^kernel: booted' "$MACHINES/console" 2>/dev/null && break
		sleep 0.1
	done
	[ ! -e "$MACHINES/pid" ] || kill "$(<"$MACHINES/pid")" 2>/dev/null
	wait $qemu 2>/dev/null
	[ "$i" -lt 300 ]
}

if [ ! -e "$DISK" ]; then
	base
	t "a disk with the kernel of $SUITE"
	if make_disk "$@"; then pass; else fail "see above" && finish; fi
fi
if [ -z "${ACCEL:-}" ]; then
	if kvm_works; then ACCEL=kvm; else ACCEL=tcg,thread=multi; fi
fi
t "the kernel of $SUITE, by $ACCEL"
boot "$ACCEL"
is "kernel: ended with 0" "$(grep '^kernel: ended' "$MACHINES/console")" "how the job ended"
finish
