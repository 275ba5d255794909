#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# task-bridge under podman with -p and under containerd's ctr: published ports from everywhere, and an
# end without residue.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
# shellcheck source=test/runtimes.sh
. "$(dirname "$0")/../runtimes.sh"
t runtimes
LIST=/etc/cni/net.d/10-br.conflist
conflist . >$LIST
lan

# hello FROM ADDRESS PORT: what comes back over TCP from a container's echo server.
hello() { echo hello | in_ns "$1" timeout 5 busybox nc -w 2 "$2" "$3" 2>/dev/null | tr -d '\r'; }
# says WANT WHAT COMMAND…: with more tries, the server takes a moment from one client to the next.
says() {
	local want=$1 what=$2 seen="" i
	for i in 1 2 3 4 5; do
		seen=$("${@:3}")
		[ "$seen" != "$want" ] || break
		[ -z "$want" ] || sleep 0.1
	done
	is "$want" "$seen" "$what (try $i)"
}
# answers WANT FROM ADDRESS PORT
answers() { says "$1" "from $2 to $3:$4" hello "$2" "$3" "$4"; }
start() { pod_start br "$@"; }
inspect() { pod_says br "$@"; }
pod_hello() { pod exec "$1" /bin/sh -c "echo hello | nc -w 2 $2 $3" 2>/dev/null | tr -d '\r'; }

if group podman && podman_works; then
	baseline
	t "podman: a published port, reached from everywhere"
	runs "run" start web -p 8080:7007
	runs "run" start db --ip 10.88.0.50 --mac-address 02:00:00:00:01:50
	like '^10\.88\.' "$(inspect web IPAddress)" "address"
	is "10.88.0.50 16 02:00:00:00:01:50 10.88.0.1" \
		"$(inspect db IPAddress) $(inspect db IPPrefixLen) $(inspect db MacAddress) $(inspect db Gateway)" "inspect"
	answers hello outside 198.51.100.1 8080
	answers hello third 203.0.113.1 8080
	answers hello host 198.51.100.1 8080
	answers hello host 127.0.0.1 8080
	says hello "from the other container by the host's address" pod_hello db 198.51.100.1 8080
	says hello "from the container itself" pod_hello web 198.51.100.1 8080
	says hello "from container to container" pod_hello web 10.88.0.50 7007
	answers "" outside 198.51.100.1 7007
	t "podman: the port is taken, and podman shows who has it"
	seen=$(start twin -p 8080:7007)
	like '8080' "$seen" "error"
	like 'web|[0-9a-f]{12}|since|in use' "$seen" "error"
	pod rm -f -t 0 twin >/dev/null 2>&1
	answers hello outside 198.51.100.1 8080
	t "podman: one host address, a range, udp"
	runs "run" start more -p 198.51.100.3:9000:7007 -p 9100-9102:7007-7009 -p 9053:53/udp
	answers hello outside 198.51.100.3 9000
	answers "" outside 198.51.100.1 9000
	answers hello outside 198.51.100.1 9100
	is "9053 9100 9101 9102" "$(published | awk '$3 == "any" && $2 > 9000 { print $2 }' | sort | tr '\n' ' ' | sed 's/ $//')" \
		"published ports"
	t "podman: stop and start"
	runs "stop" pod stop -t 0 web
	answers "" outside 198.51.100.1 8080
	runs "start" pod start web
	answers hello outside 198.51.100.1 8080
	answers hello host 127.0.0.1 8080
	t "podman: killed with its conmon, and run again on the same port"
	pod_killed more
	pod rm -f -t 0 more >/dev/null 2>&1
	runs "run" start again -p 9100:7007
	answers hello outside 198.51.100.1 9100
	t "podman: rm leaves nothing"
	for name in web db again; do runs "rm" pod rm -f -t 0 $name; done
	is "" "$(published)" "published ports"
	clean
fi

ctr_hello() { inside "$1" sh -c "echo hello | nc -w 2 $2 $3" | tr -d '\r'; }

if group containerd && containerd_works; then
	t "containerd: two containers on a bridge"
	# ctr passes no ports: what the network itself cannot say is not asked for.
	is 0 "$(records)" "records at the beginning"
	baseline
	begin web
	begin db
	A=$(addr_of web) B=$(addr_of db)
	like '^10\.88\.' "$A" "address of web ($(tail -n 2 "$C/web.out" | tr '\n' ' '))"
	like '^10\.88\.' "$B" "address of db"
	is 2 "$(ip -o link show master cni0 | wc -l)" "ports of the bridge"
	for pair in "web $B" "db $A" "web 10.88.0.1" "web 203.0.113.2"; do
		read -r from to <<<"$pair"
		like ' 0% packet loss' "$(inside "$from" ping -c 1 -W 2 "$to" | tr '\n' ' ')" "ping from $from to $to"
	done
	says hello "TCP from web to db" ctr_hello web "$B" 7007
	answers hello host "$A" 7007
	t "containerd: one ends, the other talks on; DEL has no namespace then"
	ends web
	is 1 "$(records)" records
	is 1 "$(ip -o link show master cni0 | wc -l)" "ports of the bridge"
	ping_ok host "$B"
	t "containerd: the last ends, the bridge goes"
	ends db
	fails "the bridge" ip link show cni0
	is "" "$(find /var/lib/cni -type f 2>/dev/null)" "cached results"
	clean
	t "containerd: a published port (in the list itself, as ctr passes none), reached from everywhere"
	jq '.plugins[0].runtimeConfig = {portMappings: [{hostPort: 8080, containerPort: 7007, protocol: "tcp"}]}' $LIST >"$TMP/list"
	begin db
	cp $LIST "$TMP/list.plain"
	cp "$TMP/list" $LIST
	begin web
	answers hello outside 198.51.100.1 8080
	answers hello third 203.0.113.1 8080
	answers hello host 198.51.100.1 8080
	answers hello host 127.0.0.1 8080
	is hello "$(inside db sh -c "echo hello | nc -w 2 198.51.100.1 8080" | tr -d '\r')" "from the other container by the host's address"
	is hello "$(inside web sh -c "echo hello | nc -w 2 198.51.100.1 8080" | tr -d '\r')" "from the container itself"
	answers "" outside 198.51.100.1 7007
	t "containerd: the port is taken, and the error says by whom"
	seen=$(lab run --rm --cni --cgroup "$CGROUP/twin" --rootfs "$ROOTFS" twin /bin/true 2>&1)
	like 'host port 8080/tcp is held by container [a-z]*-web' "$seen" "error"
	answers hello outside 198.51.100.1 8080
	t "containerd: the port goes with its container, and the next has it"
	ends web
	answers "" outside 198.51.100.1 8080
	begin next
	answers hello outside 198.51.100.1 8080
	ends next
	ends db
	cp "$TMP/list.plain" $LIST
	clean
	t "containerd is killed with all: GC takes away what is left"
	killed web db
	is 2 "$(records)" "records left"
	collect $LIST
	fails "the bridge" ip link show cni0
	clean
fi

finish
