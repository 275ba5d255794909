# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fresh Debian machines for tests, made by debootstrap: what apt calls minimal, not even make is
# there. Sourcing it moves the script into a mount and a pid namespace of its own, where all of it
# lies in memory: nothing is left of it however the script ends. The network is the host's, because
# apt needs one. Packages come from where the host's apt gets them, by the same settings.
#
# A script is: source machine.sh; `base`; `machine NAME SECONDS COMMAND` as often as needed, each time
# a new one with the last commit in it; and checks as in test/checks.sh.
#
#   SUITE=NAME                  Debian's suite (default bookworm)
#   MACHINE_TIMEOUT=SECONDS     for all of the script (default 7200)

set -u -o pipefail
export LC_ALL=C
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
SUITE=${SUITE:-bookworm}
MACHINES=$ROOT/build/machines
# shellcheck source=test/checks.sh
. "$ROOT/test/checks.sh"

if [ "${TASKVPC_TEST:-}" != machine ]; then
	[ "$(id -u)" = 0 ] || { skip "needs root" && finish; }
	need debootstrap
	mkdir -p "$MACHINES"
	trap - EXIT
	exec env TASKVPC_TEST=machine timeout --foreground -k 5 "${MACHINE_TIMEOUT:-7200}" \
		unshare --mount --pid --fork --kill-child --mount-proc --propagation private bash "$0" "$@"
fi
mount -t tmpfs -o mode=755 tmpfs "$MACHINES"
mkdir "$MACHINES/shared"

# sources: the host's own sources of Debian with this suite in place of the host's, a line each. sid has
# neither updates nor security.
sources() {
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' |
		awk -v suite="$SUITE" '$4 == "Debian" && $3 == "main" { part = match($2, /-(updates|security)$/) ? substr($2, RSTART) : ""
			if (part == "" || suite != "sid") print "deb", $1, suite part, $3 }' |
		sort -u >"$MACHINES/sources"
	grep -q "^deb [^ ]* $SUITE main" "$MACHINES/sources" ||
		echo "deb http://deb.debian.org/debian $SUITE main" >"$MACHINES/sources"
	cat "$MACHINES/sources"
}

# bootstrap: what the machines are copies of. debootstrap fetches with wget, which does not know apt's
# proxy.
bootstrap() {
	local mirror etc=$MACHINES/base/etc
	mirror=$(sources | awk -v suite="$SUITE" '$3 == suite { print $2; exit }')
	eval "$(apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy)"
	export http_proxy https_proxy
	timeout -k 5 1200 debootstrap --variant=minbase "$SUITE" "$MACHINES/base" "$mirror" \
		>"$MACHINES/log" 2>&1 || return
	cp "$MACHINES/sources" "$etc/apt/sources.list"
	apt-config dump | grep '^Acquire::' >"$etc/apt/apt.conf.d/80host"
	# A mirror that stands still is good enough for a test.
	echo 'Acquire::Check-Valid-Until "false";' >"$etc/apt/apt.conf.d/81mirror"
	cp -L /etc/resolv.conf /etc/hosts "$etc/"
}

# base: bootstrap, and the last commit, not what else lies about here; or the script ends.
base() {
	t "debootstrap of $SUITE"
	bootstrap || { fail "$(tail -n 20 "$MACHINES/log")" && finish; }
	t "the last commit"
	git -c safe.directory="$ROOT" -C "$ROOT" archive --prefix=taskvpc/ -o "$MACHINES/shared/taskvpc.tar" HEAD ||
		{ fail "no git archive of $ROOT" && finish; }
}

# What a fresh machine needs before `make` can be said.
UNPACK='tar -x -C /root -f /shared/taskvpc.tar && cd /root/taskvpc && apt-get update -qq &&
	apt-get install -y -qq --no-install-recommends make >/dev/null'

# machine NAME SECONDS COMMAND: in a new machine with so much time, as root, by sh in the unpacked
# commit. /shared is the same folder in all machines.
machine() {
	local code=0
	cp -a "$MACHINES/base" "$MACHINES/$1"
	timeout --foreground -k 5 "$2" unshare --mount --pid --uts --ipc --fork --kill-child --propagation private \
		bash -c "$(declare -f enter)"'; enter "$@"' - "$MACHINES" "$1" "$UNPACK && $3" </dev/null || code=$?
	rm -rf "${MACHINES:?}/$1"
	return "$code"
}

# enter FOLDER NAME COMMAND: become the machine, as a container would; the old root is out of reach.
enter() {
	set -e
	hostname "$2"
	mount --bind "$1/$2" "$1/$2"
	cd "$1/$2"
	mount -t proc proc proc
	mount --rbind /sys sys
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
	mount -t tmpfs -o mode=1777 tmpfs dev/shm
	mkdir shared .host
	mount --bind "$1/shared" shared
	pivot_root . .host
	umount -l /.host
	rmdir /.host
	exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive sh -c "$3"
}
