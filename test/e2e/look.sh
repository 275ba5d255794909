#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc looks at what containerd and podman have attached: it lists, checks and explains it like its own,
# keeps off what is theirs, and takes back what they left.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"
t runtimes
# shellcheck source=test/runtimes.sh
. "$(dirname "$0")/../runtimes.sh"
# ctr takes the first file, podman the network that it is told.
conflist . >/etc/cni/net.d/20-br.conflist
CONF='{"cniVersion":"1.1.0","name":"vpc","type":"awsvpc","vpc":{"cidr":"10.0.0.0/16"},"ipMasq":true,
"ipam":{"type":"task-ipam","cooldown":0,"ranges":[[{"subnet":"10.0.1.0/24"}]]}}' conflist . >/etc/cni/net.d/10-vpc.conflist
lan

# of TASK FILTER: of its row, as inspect tells it.
of() { "$TASKVPC" inspect "$1" --json | jq -r ".[0] | $2"; }
# are_dead: does ls say so of all tasks?
are_dead() { [ "$("$TASKVPC" ls --json | jq -r '[.[].state] | unique | join(" ")')" = dead ]; }
# arrives SRC DST: so does the packet, says explain.
arrives() {
	told 0 explain "$@" --json
	like '^(arrives|leaves)$' "$(jq -r .verdict <<<"$OUT")" "explain $*: $(jq -r .reason <<<"$OUT")"
}
# repaired TASK REGEX: check finds it wrong, and the remedy that it tells, done, repairs it.
repaired() {
	told 1 check "$1" --json
	like "$2" "$(jq -r '.[0].message' <<<"$OUT")" "what check says"
	runs "the remedy" sh -c "$(jq -r '.[0].remedy' <<<"$OUT")"
	told 0 check "$1"
}
# theirs TASK: taskvpc has not started it, so it does not end it or run anything in it.
theirs() {
	refuses 66 'no task .* that taskvpc runs' exec "$1" true
	refuses 66 'no task .* that taskvpc runs' run --task "$1" -- true
	refuses 66 'no task' rm "$1"
	refuses 66 'nothing that .* has said was kept' logs "$1"
	told 0 rm --all
	told 0 gc
	is "" "$OUT" "what gc removed"
}

if group containerd && containerd_works; then
	t "containerd: ls and inspect"
	begin web
	begin db
	WEB=$(addr_of web) DB=$(addr_of db)
	is "default-db default-web" "$("$TASKVPC" ls -q | sort | xargs)" "tasks"
	is "awsvpc-veth vpc eth0 up other $WEB/24" "$(row default-web '"\(.mode) \(.network) \(.interface) \(.state) \(.runtime) \(.address)"')" "row"
	is "$(inside web cat /sys/class/net/eth0/address | tr -d '\r')" "$(of default-web .mac)" "MAC"
	told 0 inspect default-web
	like "Addresses +$WEB/24 via 10.0.1.1" "$OUT" "inspect"
	t "containerd: check"
	told 0 check
	like "^default-web +vpc +ok" "$(grep default-web <<<"$OUT")" "check"
	ip route del "$WEB"
	repaired default-web "$WEB"
	t "containerd: explain, and the packet"
	arrives default-web default-db:7007
	is hello "$(inside web sh -c "echo hello | nc -w 2 $DB 7007" | tr -d '\r')" "from web to db"
	arrives default-db outside
	arrives host default-web:7007
	told 1 explain default-web default-db:7008
	told 0 explain default-web
	like 'ip link add .*netns' "$OUT" "plan"
	t "containerd: capture"
	"$TASKVPC" capture default-web -c 1 icmp >"$TMP/captured" 2>&1 &
	pid=$!
	until_true grep -q 'listening on eth0' "$TMP/captured"
	ping_ok host "$WEB"
	wait $pid
	like "> $WEB: ICMP echo request" "$(<"$TMP/captured")" "captured"
	t "containerd: what is theirs"
	theirs default-web
	ping_ok host "$WEB"
	t "containerd: one ends"
	ends web
	is default-db "$("$TASKVPC" ls -q)" "tasks"
	ends db
	clean
	t "containerd: killed"
	killed web db
	until_true are_dead
	is "dead dead" "$("$TASKVPC" ls --json | jq -r '[.[].state] | join(" ")')" "states"
	told 1 check default-web
	like 'taskvpc gc' "$OUT" "remedy"
	told 0 gc
	is "default-db default-web" "$(awk 'NR > 1 { print $1 }' <<<"$OUT" | sort | xargs)" "what gc removed"
	clean
fi

if group podman && podman_works; then
	t "podman: ls, inspect, ports"
	ID=$(pod_start br web -p 8080:7007 -p 9053:53/udp)
	ADDRESS=$(pod_says br web IPAddress)
	is "$ID" "$("$TASKVPC" ls -q)" "tasks"
	is "bridge br cni0 up other $ADDRESS/16" "$(of "${ID:0:12}" '"\(.mode) \(.network) \(.bridge) \(.state) \(.runtime) \(.address)"')" "row"
	is "8080 7007 tcp|9053 53 udp" "$("$TASKVPC" ports --json | jq -r --arg id "$ID" '[.[] | select(.task == $id)
		| "\(.hostPort) \(.containerPort) \(.protocol)"] | sort | join("|")')" "ports"
	t "podman: check"
	told 0 check
	nft flush map inet taskvpc ports4
	told 1 check "${ID:0:12}"
	told 0 gc
	told 0 check "${ID:0:12}"
	t "podman: explain, and the packet"
	arrives outside host:8080
	is hello "$(echo hello | in_ns outside timeout 5 busybox nc -w 2 198.51.100.1 8080)" "from outside"
	arrives "${ID:0:12}" outside
	told 1 explain outside host:8081
	t "podman: what is theirs"
	theirs "$ID"
	t "podman: beside a task of its own"
	start own --mode bridge -- sleep 60
	arrives own "${ID:0:12}:7007"
	refuses 73 "host port 8080/tcp is held by container $ID" run --mode bridge -p 8080:80 -- true
	told 0 rm own
	t "podman: killed; the namespace has a name and stays, so whether it is dead is podman's to say"
	pod_killed web
	told 0 gc
	is "up" "$("$TASKVPC" ports --json | jq -r '[.[].state] | unique | join(" ")')" "state of its ports"
	runs "rm" pod rm -f -t 0 web
	is "" "$("$TASKVPC" ls -q)" "tasks"
	clean
fi

finish
