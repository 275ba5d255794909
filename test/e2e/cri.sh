#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Pods by containerd's CRI, as the kubelet makes them: addresses in their status, ports, an end without
# residue, a pool that is full, a containerd that is killed. Without Kubernetes: test/cri.pl asks.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
# shellcheck source=test/runtimes.sh
. "$(dirname "$0")/../runtimes.sh"
t CRI
cp "$BIN/loopback" /opt/cni/bin/
LIST=/etc/cni/net.d/10-lab.conflist
# network FILTER [CONF]: the only one of CRI from now on. It looks at the folder by itself.
network() {
	CONF=${2:-$CONF} conflist "$1" >"$TMP/list"
	mv "$TMP/list" $LIST
	[ -z "${DAEMON:-}" ] || until_true has_read "$(jq -r .name $LIST)"
}
has_read() { cri networks | grep -qxF "$1"; }
VPC='{"cniVersion":"1.1.0","name":"vpc","type":"awsvpc","vpc":{"cidr":"10.0.0.0/16"},"ipMasq":true,
"ipam":{"type":"task-ipam","cooldown":0,"ranges":[[{"subnet":"10.0.1.0/24"}],[{"subnet":"fd00:1::/64"}]]}}'
lan
network . "$VPC"
cri_works || finish
baseline

# hello FROM ADDRESS PORT: what a pod's server sends back.
hello() { echo hello | in_ns "$1" timeout 5 busybox nc -w 2 "$2" "$3" 2>/dev/null | tr -d '\r'; }
answers() { until_true hears "$@"; is hello "$(hello "$@")" "from $1 to $2:$3"; }
hears() { [ "$(hello "$@")" = hello ]; }
# started NAME [PORT…]: its id in POD, its status in STATE and IPS, its process in PID.
started() {
	POD=$(cri_pod "$@" 2>&1) || { fail "run $1: $POD"; return 1; }
	pass
	read -r STATE IPS <<<"$(cri status "$POD")"
	PID=${IPS##* } IPS=${IPS% *}
}
ended() {
	runs "stop" cri stop "$1"
	runs "remove" cri remove "$1"
}

t "the network is ready"
until_true has_read vpc
like 'NetworkReady=1' "$(cri conditions)" "conditions"

t "a pod: both addresses in its status are its own"
started web
WEB=$POD
is ready "$STATE" state
like '^10\.0\.1\.[0-9]+ fd00:1::[0-9a-f]+$' "$IPS" "addresses"
for ip in $IPS; do
	like " $ip/" "$(nsenter -t "$PID" -n ip -o addr show eth0)" "inside"
	answers host "$ip" 7007
done
like 'LOOPBACK,UP' "$(nsenter -t "$PID" -n ip link show lo)" lo
t "a second one: they talk"
started db
is hello "$(echo hello | nsenter -t "$PID" -n timeout 5 busybox nc -w 2 "${IPS%% *}" 7007 | tr -d '\r')" "db to itself"
answers host "${IPS%% *}" 7007
is 2 "$(records)" records
t "awsvpc publishes no other port: the pod is refused, by name, and nothing of it is left"
seen=$(cri_pod wrong 8080:7007 2>&1)
like 'hostPort.*8080' "$seen" "error"
is 2 "$(records)" records
t "stop takes the address back, remove the pod"
runs "stop" cri stop "$WEB"
is 1 "$(records)" records
like '^notready' "$(cri status "$WEB")" "status"
runs "stop again" cri stop "$WEB"
runs "remove" cri remove "$WEB"
fails "status" cri status "$WEB"
ended "$POD"
clean

t "a pool that is full: the error says so, the pods that are there go on, the next one has room"
network '.ipam.ranges = [[{subnet: "10.0.9.0/29", reserve: "minimal"}]]' "$(jq -c '.name = "small"' <<<"$VPC")"
pods=()
for i in 1 2 3 4 5; do started "p$i" && pods+=("$POD"); done
seen=$(cri_pod p6 2>&1)
like '10\.0\.9\.0/29|no address' "$seen" "error"
for pod in "${pods[@]}"; do
	read -r state ip _ <<<"$(cri status "$pod")"
	is ready "$state" "state of $ip"
	answers host "$ip" 7007
done
is 5 "$(records)" records
ended "${pods[0]}"
started p6
ended "$POD"
for pod in "${pods[@]:1}"; do ended "$pod"; done
clean

t "task-bridge publishes ports"
network .
started front 8080:7007 9053:53/udp
answers outside 198.51.100.1 8080
answers host 127.0.0.1 8080
is "8080 tcp|9053 udp" "$("$BIN/taskvpc" ports --json | jq -r '[.[] | "\(.hostPort) \(.protocol)"] | sort | join("|")')" "ports"
seen=$(cri_pod twin 8080:7007 2>&1)
like '8080.*(held|since)' "$seen" "a second pod"
ended "$POD"
is "" "$(hello outside 198.51.100.1 8080)" "the port afterwards"
clean

t "ten pods at once"
job() { cri_pod "n$1" >"$TMP/pod$1" 2>&1; }
many 10 job
is 10 "$(cri list | wc -l)" pods
is 10 "$(for i in 1 2 3 4 5 6 7 8 9 10; do cri status "$(<"$TMP/pod$i")" | awk '{ print $2 }'; done | sort -u | wc -l)" "addresses"
job() { cri stop "$(<"$TMP/pod$1")" && cri remove "$(<"$TMP/pod$1")"; }
many 10 job
is "" "$(cri list)" "pods left"
clean

t "task-none: CRI wants an address, and says so; nothing is left"
network '{type: "task-none"} + {capabilities}' "$(jq -c '{cniVersion, name: "nothing", type: "task-none"}' <<<"$VPC")"
seen=$(cri_pod none 2>&1)
like 'network info|ip|address' "$seen" "error"
is 0 "$(records)" records
clean

t "containerd is killed: its pods answer; a new containerd knows and ends them"
network . "$VPC"
started stays
IP=${IPS%% *}
kill -KILL "$DAEMON"
wait "$DAEMON" 2>/dev/null
answers host "$IP" 7007
cri_starts
like "^ready $IP" "$(cri status "$POD")" "status"
ended "$POD"
clean

finish
