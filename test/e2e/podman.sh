#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# podman with its CNI backend: static address and MAC, two subnets that talk, an end without residue.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/runtimes.sh
. "$(dirname "$0")/../runtimes.sh"
# podman: as a user types it, with a storage of the test's own.
typed_podman() {
	mkdir -p "$TMP/bin" "$P"
	cat >"$TMP/bin/podman" <<-END
		#!/bin/bash
		verb=\$1
		shift
		[ "\$verb" != run ] || set -- --rm ${LIMITS[*]} "\$@"
		exec timeout 60 $(command -v podman) --root $P/root --runroot $P/run --cgroup-manager cgroupfs "\$verb" "\$@"
	END
	chmod +x "$TMP/bin/podman"
	PATH=$TMP/bin:$PATH
}
# engine [NETWORK]: podman's configuration as the README has it, and what a machine of tests needs besides.
engine() {
	mkdir -p /etc/containers
	{
		[ $# = 0 ] || awk -v word="**podman" '/^\*\*/ { on = index($0, word) == 1 } /^```toml/ { code = 1; next }
			/^```/ { code = 0 } on && code' "$ROOT/README.md"
		printf '[engine]\nevents_logger = "none"\nruntime = "runc"\nlock_type = "file"\n'
	} >/etc/containers/containers.conf
}

if group "lines of the README" && has podman conmon runc; then
	PATH_BEFORE=$PATH
	typed_podman
	engine
	baseline
	t "by hand, for any podman: a namespace with an interface of ours"
	if SEEN=$(podman run --network none --rootfs "$ROOTFS" /bin/true 2>&1); then
		follows "by hand" podman 4 "--rootfs $ROOTFS /bin/ip -4 addr show eth0"
		like 'inet 10\.0\.[12]\.[0-9]+/24' "$SEEN" "inside"
		clean
	else
		skip "podman cannot start a container here: $SEEN"
	fi
	t "by podman's CNI"
	if podman_works; then
		unset CONTAINERS_CONF
		engine network
		follows "backend" podman 1
		is cni "$SEEN" "backend"
		follows "awsvpc" podman 2 "--rootfs $ROOTFS /bin/ip addr show eth0"
		like '02:00:00:00:01:50' "$SEEN" "inside"
		like 'inet 10\.0\.1\.50/24' "$SEEN" "inside"
		follows "task-bridge" podman 3 "--rootfs $ROOTFS /bin/ip -4 addr show eth0"
		like 'inet 10\.61\.1\.[0-9]+/24' "$SEEN" "inside"
		clean
		rm /etc/cni/net.d/*
	fi
	PATH=$PATH_BEFORE
fi

t podman
LIST=/etc/cni/net.d/lab.conflist
conflist '.ipMasq = true | .ipam.cooldown = 0' >$LIST
podman_works || finish
inspect() { pod_says lab "$@"; }
baseline

t "the network is known"
like '(^|[[:space:]])lab([[:space:]]|$)' "$(pod network ls 2>&1)" "network ls"

t "a static address and MAC"
runs "run" pod_start lab web --ip 10.0.1.50 --mac-address 02:00:00:00:01:50
is "10.0.1.50 24 02:00:00:00:01:50" \
	"$(inspect web IPAddress) $(inspect web IPPrefixLen) $(inspect web MacAddress)" inspect
is "10.0.1.1" "$(inspect web Gateway)" gateway
like 'inet 10\.0\.1\.50/24' "$(pod_inside web ip addr show eth0)" "inside"
like '02:00:00:00:01:50' "$(pod_inside web ip link show eth0)" "inside"
is 1 "$(records)" records
t "an address that is taken: podman shows who holds it"
seen=$(pod_start lab twin --ip 10.0.1.50)
like '10\.0\.1\.50.*(held|lab|web|[0-9a-f]{12})' "$seen" "error"
pod rm -f -t 0 twin >/dev/null 2>&1
t "an address outside"
seen=$(pod_start lab outside --ip 10.9.9.9)
like '10\.9\.9\.9' "$seen" "error"
pod rm -f -t 0 outside >/dev/null 2>&1
is 1 "$(records)" records

t "a second container, in the other subnet"
runs "run" pod_start lab db
B=$(inspect db IPAddress)
like '^10\.0\.2\.[0-9]+$' "$B" address
for pair in "web $B" "db 10.0.1.50"; do
	read -r from to <<<"$pair"
	like ' 0% packet loss' "$(pod_inside "$from" ping -c 2 -W 2 "$to" | tr '\n' ' ')" "ping from $from to $to"
	is hello "$(pod_inside "$from" sh -c "echo hello | nc -w 3 $to 7007" | tr -d '\r')" "TCP from $from to $to"
done
ping_ok host 10.0.1.50
is hello "$(echo hello | timeout 5 busybox nc -w 3 "$B" 7007)" "TCP from the host"

t "published ports: only the container's own"
runs "run -p 80:80" pod_start lab port -p 80:80
pod rm -f -t 0 port >/dev/null 2>&1
seen=$(pod_start lab port -p 8080:80)
like 'hostPort.*8080' "$seen" "run -p 8080:80"
pod rm -f -t 0 port >/dev/null 2>&1

t "stop and start: another namespace, an address of the pool again"
runs "stop" pod stop -t 0 db
is 1 "$(records)" records
runs "start" pod start db
like '^10\.0\.2\.' "$(inspect db IPAddress)" address
ping_ok host "$(inspect db IPAddress)"

t "the end leaves nothing"
runs "rm" pod rm -f -t 0 web
runs "rm" pod rm -f -t 0 db
clean

t "run --rm"
is "10.0.1.60" "$(pod run --rm "${LIMITS[@]}" --network lab --ip 10.0.1.60 --rootfs "$ROOTFS" \
	/bin/ip -4 -o addr show eth0 2>&1 | sed -n 's/.*inet \([0-9.]*\).*/\1/p')" "address"
clean

t "everything of it is killed: GC takes away what is left"
runs "run" pod_start lab web --ip 10.0.1.50
pod_killed web
collect $LIST
is 0 "$(records)" records
is "" "$(ip -br link | grep '^vpc')" links
is "" "$(nft list tables)" rules

finish
