#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package of the last commit, on fresh machines. On one it is built twice, by root and by
# somebody else in another place and time zone: the packages must be the same to the byte. On another
# it is installed beside the reference plugins, a task is attached and detached, and it is removed.
#
#   test/package.sh                    all of it
#   test/package.sh build|use|attach   what happens on the machines, the last in a namespace there

set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
VERSION=$(sed -n 's/^VERSION *:= *//p' Makefile)
PACKAGE=/shared/taskvpc_${VERSION}_$(dpkg --print-architecture).deb

on_machines() {
	# shellcheck source=test/machine.sh
	. test/machine.sh
	base
	for name in build use; do
		t "$name"
		machine "$name" 1200 "bash test/package.sh $name" || { fail "on a fresh machine" && finish; }
		pass
	done
	finish
}

# build: two packages that are the same; the first goes to /shared.
build() {
	local home=/home/somebody package
	t "built by root"
	runs "make deb" make deb
	cp build/deb/*.deb /shared

	t "built by another user, elsewhere, in another time zone, with another umask"
	mkdir -p "$home"
	tar -x -C "$home" -f /shared/taskvpc.tar
	chown -R 1234:1234 "$home"
	runs "make deb" env -i PATH="$PATH" HOME="$home" TZ=Pacific/Chatham LC_ALL=C \
		setpriv --reuid 1234 --regid 1234 --clear-groups \
		bash -c 'umask 077; cd ~/taskvpc && make deb'

	t "the same to the byte, debugging symbols as well"
	is 2 "$(find /shared -name '*.deb' | wc -l)" packages
	for package in /shared/*.deb; do
		runs cmp cmp "$package" "$home/taskvpc/build/deb/${package##*/}"
	done

	t "its version is the Makefile's, its programs are hardened"
	is "$VERSION" "$(dpkg-parsechangelog -S Version)" debian/changelog
	dpkg -x "$PACKAGE" /tmp/package
	mapfile -t programs < <(find /tmp/package -type f -perm -100)
	runs hardening env BIN=build/deb/taskvpc/build/bin test/hardening.sh "${programs[@]}"
}

# install NAME…: without what they recommend, so that what they depend on is seen to be enough.
install() { apt-get install -y -qq --no-install-recommends "$@"; }

# use: install, look, attach, remove.
use() {
	local plugin file files
	t "what the test itself needs, and who must not be disturbed"
	runs install install iproute2 iputils-ping systemd-standalone-tmpfiles containernetworking-plugins

	t "installed"
	runs install install "$PACKAGE"
	is "" "$(dpkg --verify taskvpc)" "files that differ"
	for plugin in awsvpc task-bridge task-host task-none task-ipam; do
		like "^CNI $plugin plugin v$VERSION" "$(/usr/lib/cni/"$plugin" --help </dev/null)" "$plugin --help"
	done
	like "^taskvpc $VERSION" "$(taskvpc --version)" "taskvpc --version"
	runs "the manual" gzip -t /usr/share/man/man1/taskvpc.1.gz
	runs "completion" bash -c '. /usr/share/bash-completion/completions/taskvpc && complete -p taskvpc'
	is "$(cd netconf-examples && printf '%s\n' *)" "$(ls /usr/share/doc/taskvpc/examples)" "examples"
	is "containernetworking-plugins: /usr/lib/cni/loopback" "$(dpkg -S /usr/lib/cni/loopback)" "owner of loopback"
	is "700 root" "$(stat -c '%a %U' /run/taskvpc)" "the store's directory"

	t "a task is attached and detached"
	if unshare --net --mount bash test/package.sh attach; then pass; else fail "see above"; fi

	t "removed"
	mapfile -t files < <(dpkg --listfiles taskvpc)
	runs purge apt-get purge -y -qq taskvpc
	is "" "$(for file in "${files[@]}"; do [ -d "$file" ] || ls "$file"; done 2>/dev/null)" "files left"
	runs "no folder" test ! -e /usr/share/doc/taskvpc
	runs "the reference loopback" test -x /usr/lib/cni/loopback
}

# cni VERB: the plugin as a runtime calls it, for the task t1.
cni() {
	env -i CNI_COMMAND="$1" CNI_CONTAINERID=t1 CNI_NETNS=/run/netns/t1 CNI_IFNAME=eth0 /usr/lib/cni/awsvpc <<-END
		{"cniVersion": "1.1.0", "name": "lab", "type": "awsvpc", "ipMasq": true, "vpc": {"cidr": "10.0.0.0/16"},
		"ipam": {"type": "task-ipam", "ranges": [[{"subnet": "10.0.1.0/24"}]]}}
	END
}

attach() {
	mount -t tmpfs tmpfs /run
	mkdir /run/netns
	ip link set lo up
	ip addr add 192.0.2.1/32 dev lo
	ip netns add t1
	t "ADD"
	like '"10\.0\.1\.4/24"' "$(cni ADD)" result
	runs "ping" ping -n -q -c 1 -W 2 10.0.1.4
	runs "ping from the task" ip netns exec t1 ping -n -q -c 1 -W 2 10.0.1.1
	t "DEL"
	runs "DEL" cni DEL
	t "taskvpc finds the plugins"
	like 'inet 10\.' "$(taskvpc run -- ip -4 -o addr show eth0 2>&1)" "address of a task"
	is "" "$(taskvpc ls --quiet)" "tasks left"
	is lo "$(ip -o link | sed 's/^[0-9]*: \([^:]*\):.*/\1/')" "links of the host"
}

case ${1:-} in
"") on_machines ;;
build | use | attach)
	# shellcheck source=test/checks.sh
	. test/checks.sh
	"$1"
	finish
	;;
*) echo "usage: test/package.sh [build|use|attach]" >&2 && exit 2 ;;
esac
