#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rules as docker, nerdctl, firewalld and kube-proxy write them (test/data/firewalls): explain says of each
# packet what a real one meets, and doctor has no doubt.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

RULES=$(cd "$(dirname "$0")/../data/firewalls" && pwd)
uplink
ip netns add lan
ip link set up1 netns lan
printf '%s\n' 'link set lo up' 'link set up1 up' 'addr add 198.51.100.1/24 dev up1' \
	'addr add 203.0.113.1/32 dev lo' | ip -n lan -batch -
ip netns exec lan busybox nc -ll -p 443 -e /bin/cat &
LAN_SERVER=$!
cleanup() { kill "$LAN_SERVER" 2>/dev/null; }
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
start a -- sleep 9999
start b -- busybox nc -ll -p 80 -e /bin/cat
start c --mode bridge -p 8080:80 -- busybox nc -ll -p 80 -e /bin/cat
until_true listens b 80
until_true listens c 80
B=$(ip_of b)
# A container of docker and one of nerdctl, behind their bridges.
for one in docker0:172.17.0:2 nerdctl0:10.4.0:5; do
	IFS=: read -r bridge net host <<<"$one"
	ip link add "$bridge" type bridge
	ip addr add "$net.1/24" dev "$bridge"
	ip link set "$bridge" up
	ip netns add "of-$bridge"
	ip link add "ve-$bridge" type veth peer name eth0 netns "of-$bridge"
	ip link set "ve-$bridge" master "$bridge" up
	printf '%s\n' "addr add $net.$host/24 dev eth0" 'link set eth0 up' "route add default via $net.1" | ip -n "of-$bridge" -batch -
	ip netns exec "of-$bridge" busybox nc -ll -p 80 -e /bin/cat &
	LAN_SERVER+=" $!"
done
cleanup() {
	# shellcheck disable=SC2086 # several
	kill $LAN_SERVER 2>/dev/null
}

load() {
	local text
	text=$(sed "s/@SERVER@/$B/g; s/@UPLINK@/up0/g; s|@SUBNET@|10.200.1.0/24|g" "$RULES/$1")
	case $1 in
	*.nft) nft -f - <<<"$text" ;;
	*) iptables-nft-restore <<<"$text" ;;
	esac || fail "cannot load $1"
}
unload() {
	local table
	nft list tables | while read -r _ family table; do
		[ "$table" = taskvpc ] || nft delete table "$family" "$table"
	done
}

# real NS ADDRESS [PORT]
real() {
	if [ -z "${3:-}" ]; then
		if pings "$1" "$2" -c 2 -i 0.1; then echo arrives; else echo dies; fi
		return
	fi
	case $(echo hello | in_ns "$1" timeout -s KILL 1 busybox nc -w 1 "$2" "$3" 2>&1) in
	hello) echo arrives ;;
	*refused*) echo refused ;;
	*) echo dies ;;
	esac
}
# agrees WANT NS SRC DST ADDRESS [PORT]: the packet and explain say WANT; who rejects, refuses.
agrees() {
	local want=$1 ns=$2 src=$3 dst=$4 said seen
	OUT=$("$TASKVPC" explain "$src" "$dst" --json 2>"$TMP/stderr")
	said=$(jq -r .verdict <<<"$OUT" | sed 's/leaves/arrives/; s/refused/dies/')
	seen=$(real "$ns" "${@:5}" | sed s/refused/dies/)
	is "$want" "$seen" "the packet $src $dst (${*:5})"
	is "$want" "$said" "explain $src $dst: $(jq -r .reason <<<"$OUT") $(<"$TMP/stderr")"
}
reason() { like "$1" "$(jq -r .reason <<<"$OUT")" "reason"; }
healed() {
	sh -c "$(jq -r .fix <<<"$OUT")" || fail "fix: $(jq -r .fix <<<"$OUT")"
	agrees arrives "$@"
}
firewall() {
	"$TASKVPC" doctor --json >"$TMP/doctor"
	jq -r '[.[] | select(.check == "firewall") | .verdict] | join(" ")' "$TMP/doctor"
}

if group "without any"; then
	agrees arrives a a b:80 "$B" 80
	agrees arrives a a outside:443 203.0.113.1 443
	is ok "$(firewall)" "doctor"
fi

command -v iptables-nft >/dev/null || skip "needs iptables-nft"

if group docker && command -v iptables-nft >/dev/null; then
	load docker.rules
	agrees dies a a b:80 "$B" 80
	reason '^the chain ip filter FORWARD drops what is forwarded$'
	agrees dies a a outside:443 203.0.113.1 443
	agrees dies lan outside host:8080 198.51.100.2 8080
	agrees arrives lan 198.51.100.1 host:8888 198.51.100.2 8888
	t "doctor: the fix for DOCKER-USER, for both kinds of tasks, ends it"
	is fail "$(firewall)" "doctor"
	fix=$(jq -r '[.[] | select(.check == "firewall").fix][0]' "$TMP/doctor")
	like 'DOCKER-USER -i vpc\+.*DOCKER-USER -i br-lab' "$fix" "fix"
	mkdir -p "$TMP/bin" && ln -sf "$(command -v iptables-nft)" "$TMP/bin/iptables"
	PATH=$TMP/bin:$PATH sh -c "$fix"
	is ok "$(firewall)" "doctor"
	agrees arrives a a b:80 "$B" 80
	agrees arrives a a outside:443 203.0.113.1 443
	agrees arrives lan outside host:8080 198.51.100.2 8080
	t "explain: its fix is for the two ends alone"
	iptables-nft -F DOCKER-USER
	agrees dies a a b:80 "$B" 80
	healed a a b:80 "$B" 80
	agrees dies a a outside:443 203.0.113.1 443
	unload
fi

if group nerdctl && command -v iptables-nft >/dev/null; then
	load nerdctl.rules
	agrees arrives a a b:80 "$B" 80
	agrees arrives a a outside:443 203.0.113.1 443
	agrees arrives lan outside host:8080 198.51.100.2 8080
	agrees arrives lan 198.51.100.1 host:8889 198.51.100.2 8889
	agrees arrives a a host:8889 198.51.100.2 8889
	is ok "$(firewall)" "doctor"
	unload
fi

if group firewalld; then
	load firewalld.nft
	agrees arrives a a b "$B"
	agrees dies a a b:80 "$B" 80
	reason 'inet firewalld filter_FORWARD drops what is forwarded, by its rule'
	like '^firewall-cmd --permanent --zone=trusted --add-source=10\.200\.1\.0/24; firewall-cmd --reload$' \
		"$(jq -r .fix <<<"$OUT")" "fix"
	agrees dies a a outside:443 203.0.113.1 443
	agrees arrives lan outside host:8080 198.51.100.2 8080
	is fail "$(firewall)" "doctor"
	t "once the subnets are trusted"
	for net in 10.200.1.0/24 10.201.0.0/24; do
		nft insert rule inet firewalld filter_FORWARD_ZONES ip saddr $net goto filter_FWD_trusted
	done
	agrees arrives a a b:80 "$B" 80
	agrees arrives a a outside:443 203.0.113.1 443
	is ok "$(firewall)" "doctor"
	t "the host's own ports"
	agrees dies a a host:23 198.51.100.2 23
	reason 'inet firewalld filter_INPUT'
	agrees arrives a a host 198.51.100.2
	unload
fi

for mode in rules nft; do
	group "kube-proxy.$mode" || continue
	[ $mode = nft ] || command -v iptables-nft >/dev/null || continue
	load kube-proxy.$mode
	agrees arrives a a b:80 "$B" 80
	agrees arrives a a outside:443 203.0.113.1 443
	agrees arrives lan outside host:8080 198.51.100.2 8080
	is ok "$(firewall)" "doctor"
	t "a service, from a task and from the host, a node port, from outside"
	agrees arrives a a 10.96.0.10:80 10.96.0.10 80
	like "$B port 80" "$(jq -r '[.request[] | select(.about == "nat").finding] | first' <<<"$OUT")" "nat"
	agrees arrives host host 10.96.0.10:80 10.96.0.10 80
	agrees arrives lan 198.51.100.1 host:30080 198.51.100.2 30080
	t "one that nobody serves is rejected"
	agrees dies a a 10.96.0.20:80 10.96.0.20 80
	reason 'drops what is forwarded'
	t "which of two endpoints: that cannot be computed"
	OUT=$("$TASKVPC" explain a 10.96.0.11:80 --json)
	is unsure "$(jq -r .verdict <<<"$OUT")" "verdict: $(jq -r .reason <<<"$OUT")"
	unload
done

finish
