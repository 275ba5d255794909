#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# nerdctl over a current containerd, as a user types it: addresses, ports, two networks, compose, inspect. PATH
# has what test/go/peers.sh builds (make test-go).
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
# shellcheck source=test/runtimes.sh
. "$(dirname "$0")/../runtimes.sh"
t nerdctl
has nerdctl containerd runc || finish
cp -n "$CNI_REF"/* /opt/cni/bin/
mkdir -p /etc/nerdctl
cat >/etc/nerdctl/nerdctl.toml <<END
address = "$C/sock"
snapshotter = "native"
cni_path = "/opt/cni/bin"
cni_netconfpath = "/etc/cni/net.d"
cgroup_manager = "cgroupfs"
END
containerd_works || finish
IMAGE=lab.invalid/pause:1
runs "an image" cri_image default
lan
cp "$ROOT"/netconf-examples/{task-bridge,task-bridge-dualstack,awsvpc-masquerade,task-none}.conflist /etc/cni/net.d/
nerd() { timeout 60 nerdctl "$@"; }
# start NAME OPTION…: a container that serves on port 7007.
start() { runs "run $1" nerd run -d --name "$1" --cgroup-parent "$CGROUP" "${@:2}" "$IMAGE"; }
ends() { runs "rm" nerd rm -f "$@"; }
inside() { nerd exec "$1" /bin/"$2" "${@:3}" 2>&1; }
hello() { echo hello | in_ns "$1" timeout 5 busybox nc -w 2 "$2" "$3" 2>/dev/null | tr -d '\r'; }
hears() { [ "$(hello "$@")" = hello ]; }
answers() { until_true hears "$@"; is hello "$(hello "$@")" "from $1 to $2:$3"; }
# The first run makes nerdctl's own default network and its chains, which stay.
runs "the first run" nerd run --rm --network none --cgroup-parent "$CGROUP" "$IMAGE" /bin/true
baseline

t "the networks are found, each once"
for name in task-bridge task-bridge-dualstack awsvpc-masquerade; do
	is 1 "$(nerd network ls --format '{{.Name}}' | grep -cx $name)" "$name"
	is "$name" "$(nerd network inspect $name | jq -r '.[].Name')" "inspect $name"
done
is 10.61.1.0/24 "$(nerd network inspect task-bridge | jq -r '.[0].IPAM.Config[0].Subnet')" "its subnet"

t "run, --ip, -p"
start web --network task-bridge --ip 10.61.1.50 -p 8080:7007 -p 9053:53/udp
like 'inet 10\.61\.1\.50/24' "$(inside web ip -4 addr show eth0)" "inside"
is 10.61.1.50 "$(nerd inspect web | jq -r '.[0].NetworkSettings.IPAddress')" "inspect"
is unknown-eth0 "$(nerd inspect web | jq -r '.[0].NetworkSettings.Networks | keys[0]')" "the network in inspect, without nerdctlID"
answers outside 198.51.100.1 8080
answers host 127.0.0.1 8080
start db --network task-bridge
is hello "$(inside db sh -c 'echo hello | nc -w 2 10.61.1.50 7007' | tr -d '\r')" "from db to web by address"
is hello "$(inside db sh -c 'echo hello | nc -w 2 web 7007' | tr -d '\r')" "from db to web by name"
t "a port that is taken: the error names it"
like '8080' "$(nerd run -d --name twin --network task-bridge -p 8080:7007 --cgroup-parent "$CGROUP" "$IMAGE" 2>&1)" "error"
nerd rm -f twin >/dev/null 2>&1
t "stop and start"
runs "stop" nerd stop -t 1 web
runs "start" nerd start web
answers outside 198.51.100.1 8080
ends web db
is "" "$(hello outside 198.51.100.1 8080)" "the port afterwards"
clean

t "--ip6 on a dual-stack network"
start six --network task-bridge-dualstack --ip6 fd00:10:61:3::50 -p 8081:7007 -p '[::]:8081:7007'
like 'inet6 fd00:10:61:3::50/64' "$(inside six ip -6 addr show eth0)" "inside"
answers host fd00:10:61:3::50 7007
answers outside 198.51.100.1 8081
answers outside fd00:51::1 8081
ends six
clean

t "awsvpc"
start task --network awsvpc-masquerade --ip 10.0.1.50
like 'inet 10\.0\.1\.50/24' "$(inside task ip -4 addr show eth0)" "inside"
answers host 10.0.1.50 7007
like 'hostPort.*8080' "$(nerd run -d --name wrong --network awsvpc-masquerade -p 8080:80 --cgroup-parent "$CGROUP" "$IMAGE" 2>&1)" \
	"another host port"
nerd rm -f wrong >/dev/null 2>&1
ends task
clean

t "two networks of one container"
start both --network task-bridge --network awsvpc-masquerade
like 'inet 10\.61\.1\.' "$(inside both ip -4 addr show eth0)" "eth0"
like 'inet 10\.0\.[12]\.' "$(inside both ip -4 addr show eth1)" "eth1"
answers host "$(inside both ip -4 -o addr show eth0 | sed -n 's/.*inet \([0-9.]*\).*/\1/p')" 7007
answers host "$(inside both ip -4 -o addr show eth1 | sed -n 's/.*inet \([0-9.]*\).*/\1/p')" 7007
ends both
clean

t "compose: two services find each other by name"
mkdir -p "$TMP/shop"
cat >"$TMP/shop/compose.yaml" <<END
services:
  front: {image: $IMAGE, networks: [lan], ports: ["8082:7007"], cgroup_parent: $CGROUP}
  back: {image: $IMAGE, networks: [lan], cgroup_parent: $CGROUP}
networks:
  lan: {external: true, name: task-bridge}
END
runs "up" nerd compose -f "$TMP/shop/compose.yaml" up -d
answers outside 198.51.100.1 8082
is hello "$(nerd compose -f "$TMP/shop/compose.yaml" exec -T front /bin/sh -c 'echo hello | nc -w 2 back 7007' 2>&1 | tr -d '\r')" \
	"from front to back"
is 2 "$(records)" records
runs "down" nerd compose -f "$TMP/shop/compose.yaml" down
clean

t "refused by nerdctl itself, as the README says"
like 'driver|unsupported' "$(nerd network create --driver awsvpc mine 2>&1)" "network create --driver awsvpc"
like 'mac' "$(nerd run --rm --network awsvpc-masquerade --mac-address 02:00:00:00:01:50 --cgroup-parent "$CGROUP" "$IMAGE" /bin/true 2>&1)" \
	"--mac-address"
clean

t "a file without nerdctlID: network rm and prune leave it alone"
nerd network rm task-bridge >/dev/null 2>&1
nerd network prune -f >/dev/null 2>&1
runs "the file" test -e /etc/cni/net.d/task-bridge.conflist

t "the lines of the README"
rm /etc/cni/net.d/task*.conflist
nerdctl_of_readme() { SEEN=; follows nerdctl nerdctl 1 "--rm --cgroup-parent $CGROUP $IMAGE /bin/ip -4 addr show eth0"; }
nerdctl_of_readme
like 'inet 10\.61\.1\.50/24' "$SEEN" "inside"
clean

finish
