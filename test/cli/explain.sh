#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc explain SRC DST: what it says becomes of a packet is what becomes of a real one; and what it
# names as the repair, done, repairs.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

# The LAN: its router has the addresses of the world as well, and knows no way to any task.
uplink
ip netns add lan
ip link set up1 netns lan
printf '%s\n' 'link set lo up' 'link set up1 up' 'addr add 198.51.100.1/24 dev up1' \
	'addr add 203.0.113.1/32 dev lo' | ip -n lan -batch -
ip -6 addr add 2001:db8:1::2/64 dev up0 nodad
ip -n lan -6 addr add 2001:db8:1::1/64 dev up1 nodad
baseline

SERVER=(busybox nc -ll -p 80 -e /bin/cat)
# real NS ADDRESS [PORT]: what a packet sees: arrives, refused or dies.
real() {
	local seen
	if [ -z "${3:-}" ]; then
		if pings "$1" "$2" -c 2 -i 0.1; then echo arrives; else echo dies; fi
		return
	fi
	seen=$(echo hello | in_ns "$1" timeout -s KILL 1 busybox nc -w 1 "$2" "$3" 2>&1)
	case $seen in
	hello) echo arrives ;;
	*refused*) echo refused ;;
	*) echo dies ;;
	esac
}
# agrees WANT NS SRC DST ADDRESS [PORT]: explain SRC DST, and a packet from NS to ADDRESS, both say WANT.
agrees() {
	local want=$1 ns=$2 src=$3 dst=$4 said
	RC=0
	OUT=$("$TASKVPC" explain "$src" "$dst" --json 2>"$TMP/stderr") || RC=$?
	said=$(jq -r .verdict <<<"$OUT")
	[ "$said" != leaves ] || said=arrives
	is "$want" "$(real "$ns" "${@:5}")" "the packet $src $dst ($5)"
	is "$want" "$said" "explain $src $dst: $(jq -r .reason <<<"$OUT") $(<"$TMP/stderr")"
	is "$([ "$want" = arrives ] && echo 0 || echo 1)" "$RC" "exit code of $src $dst"
}
# reason REGEX: of the last one.
reason() { like "$1" "$(jq -r .reason <<<"$OUT")" "reason"; }
# same NS SRC DST ADDRESS [PORT]: do they agree?
same() { [ "$("$TASKVPC" explain "$2" "$3" --json | jq -r .verdict | sed s/leaves/arrives/)" = "$(real "$1" "${@:4}")" ]; }
# heals NS SRC DST ADDRESS [PORT]: it is broken, and each fix is done until it is not; explain and the
# packet agree all the time.
heals() {
	local round fix
	agrees dies "$@"
	for ((round = 0; round < 6; round++)); do
		[ "$(jq -r .verdict <<<"$OUT")" = dies ] || break
		fix=$(jq -r .fix <<<"$OUT")
		sh -c "$fix" >/dev/null 2>&1 || fail "fix: $fix"
		until_true same "$@" # a port of a bridge takes a moment to forward
		agrees "$(real "$1" "${@:4}")" "$@"
	done
	is arrives "$(real "$1" "${@:4}")" "after the fixes: the last was: ${fix:-none}"
}
link_of() { row "$1" .hostInterface; }
# without SET KEY: an element less.
without() { nft delete element inet taskvpc "$1" "{ $2 }"; }

if group "what arrives, and what does not"; then
	sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	start a -- sleep 9999
	start b -- "${SERVER[@]}"
	start far --ip 10.200.2.9 -- "${SERVER[@]}"
	start c --mode bridge -p 8080:80 -p 127.0.0.1:8081:80 -p 9000:9000 -- "${SERVER[@]}"
	start d --mode bridge -- sleep 9999
	start h --mode host -- busybox nc -ll -p 7070 -e /bin/cat
	for task in b far c; do until_true listens $task 80; done
	t "task to task"
	agrees arrives a a b "$(ip_of b)"
	agrees arrives a a b:80 "$(ip_of b)" 80
	agrees refused a a b:81 "$(ip_of b)" 81
	agrees arrives a a far:80 10.200.2.9 80
	agrees arrives a a c:80 "$(ip_of c)" 80
	agrees arrives d d c:80 "$(ip_of c)" 80
	agrees arrives c c far:80 10.200.2.9 80
	agrees arrives d d c "$(ip_of c)"
	agrees arrives a a a "$(ip_of a)"
	t "an address that no task has ends at the host"
	agrees dies a a 10.200.1.99 10.200.1.99
	reason '^no task has the address 10.200.1.99: 10.200.1.0/24 is unreachable$'
	is null "$(jq -r .fix <<<"$OUT")" "fix"
	agrees dies host host 10.200.1.99 10.200.1.99
	reason '^no task has the address'
	t "the host"
	agrees arrives host host b:80 "$(ip_of b)" 80
	agrees arrives host host c:80 "$(ip_of c)" 80
	agrees arrives a a host 10.200.1.1
	agrees arrives a a 198.51.100.2 198.51.100.2
	agrees arrives a a host:7070 198.51.100.2 7070
	agrees arrives a a h:7070 198.51.100.2 7070
	agrees refused d d host:7071 198.51.100.2 7071
	t "published ports"
	agrees arrives lan 198.51.100.1 host:8080 198.51.100.2 8080
	agrees refused lan 198.51.100.1 host:9000 198.51.100.2 9000
	agrees refused lan 198.51.100.1 host:8081 198.51.100.2 8081
	agrees refused lan 198.51.100.1 host:8082 198.51.100.2 8082
	agrees arrives lan outside host:8080 198.51.100.2 8080
	agrees arrives host host 127.0.0.1:8081 127.0.0.1 8081
	agrees arrives host host 198.51.100.2:8080 198.51.100.2 8080
	agrees arrives a a 198.51.100.2:8080 198.51.100.2 8080
	agrees arrives c c 198.51.100.2:8080 198.51.100.2 8080
	agrees arrives d d 198.51.100.2:8080 198.51.100.2 8080
	t "the host's own address is the one that it would use"
	for ends in "host b" "host c" "host outside" "b host"; do
		# shellcheck disable=SC2086 # they are words
		told 0 explain $ends --json
		want=$(ip route get "$(jq -r '(if .source.name == "host" then .destination else .source end).address' <<<"$OUT")" |
			sed -n 's/.* src \([^ ]*\).*/\1/p')
		is "$want" "$(jq -r '(if .source.name == "host" then .source else .destination end).address' <<<"$OUT")" "$ends"
	done
	t "SCTP: the way is known, who listens is not"
	told 1 explain a b:5000/sctp --json
	is unsure "$(jq -r .verdict <<<"$OUT")" verdict
	reason "^$(ip_of b) takes it\$"
	like 'whether anybody listens' "$(jq -r .fix <<<"$OUT")" "what is not looked at"
	t "a subnet's broadcast address: nobody has it, and there is nothing to repair"
	told 1 explain a 10.200.1.255 --json
	is "dies null" "$(jq -r '"\(.verdict) \(.fix)"' <<<"$OUT")" "verdict and fix"
	reason 'for all of its subnet'
	told 1 explain d 10.201.0.255 --json
	is "dies null" "$(jq -r '"\(.verdict) \(.fix)"' <<<"$OUT")" "verdict and fix, on a bridge"
	reason 'for all of its subnet'
	t "the outside"
	agrees arrives a a outside 203.0.113.1
	is 198.51.100.2 "$(jq -r '.request[] | select(.about == "masquerade").finding' <<<"$OUT" | sed 's/.* becomes //')" "source"
	agrees arrives c c 198.51.100.1 198.51.100.1
	ip -n lan route add 10.200.0.0/16 via 198.51.100.2
	agrees arrives lan 198.51.100.1 b:80 "$(ip_of b)" 80
	ip -n lan route del 10.200.0.0/16
	t "each hop tells the command that asks the kernel the same"
	told 0 explain a outside --json
	while read -r command; do
		runs "$command" sh -c "$command >/dev/null 2>&1"
	done < <(jq -r '.request[].command, .answer[].command | select(.)' <<<"$OUT")
fi

if group "what is broken dies where it is said to, and is healed by the fix"; then
	t "route of the task"
	ip -n a route del default
	heals a a b:80 "$(ip_of b)" 80
	ip -n a route flush table main
	heals a a b:80 "$(ip_of b)" 80
	t "route of the host"
	ip route del "$(ip_of b)"
	agrees dies a a b:80 "$(ip_of b)" 80
	reason 'the route "unreachable 10.200.2.0/24" of table 254 refuses it'
	heals a a b:80 "$(ip_of b)" 80
	ip route del "$(ip_of a)"
	agrees dies a a b "$(ip_of b)"
	reason '^the answer: .*the route "unreachable 10.200.1.0/24"'
	heals a a b "$(ip_of b)"
	t "links"
	ip -n a link set eth0 down
	agrees dies a a b "$(ip_of b)"
	reason 'eth0 is down'
	heals a a b "$(ip_of b)"
	ip link set "$(link_of b)" down
	heals a a b:80 "$(ip_of b)" 80
	ip link set "$(link_of c)" down
	heals d d c "$(ip_of c)"
	ip link set br-lab down
	heals d d c "$(ip_of c)"
	ip link set br-lab down
	heals a a c:80 "$(ip_of c)" 80
	ip link set "$(link_of c)" nomaster
	heals d d c "$(ip_of c)"
	t "addresses"
	ip -n b addr flush dev eth0
	heals a a b:80 "$(ip_of b)" 80
	t "another MAC: the fix is to take it back, not to let the guard pass it"
	ip -n a link set eth0 address 02:00:00:00:00:66
	heals a a b "$(ip_of b)"
	is "$(row a .mac)" "$(ip -n a -o link show eth0 | sed 's/.*ether \([^ ]*\).*/\1/')" "MAC"
	t "neighbours"
	ip -n a neigh replace 10.200.1.1 lladdr 02:00:00:00:00:99 dev eth0 nud permanent
	heals a a b "$(ip_of b)"
	t "neighbours that are gone: nobody can be asked for them"
	ip -n a neigh del 10.200.1.1 dev eth0
	agrees dies a a b "$(ip_of b)"
	reason 'entry of 10.200.1.1 is gone'
	is 1 "$(jq '[.request[] | select(.about == "neighbour")] | length' <<<"$OUT")" "told once, and not as asked for"
	heals a a b "$(ip_of b)"
	ip neigh del "$(ip_of b)" dev "$(link_of b)"
	heals a a b "$(ip_of b)"
	ip -n a neigh flush all nud permanent
	heals a a b "$(ip_of b)"
	t "the gateway's address is gone; the route to the task cannot come back without"
	ip route del local 10.200.1.1 dev lo
	agrees arrives a a b "$(ip_of b)"
	ip route del "$(ip_of a)"
	heals a a b "$(ip_of b)"
	t "rules"
	index=$(ip -o link show "$(link_of a)" | sed "s/:.*//")
	without own4 "$index . $(row a .mac) . $(ip_of a)"
	agrees dies a a b "$(ip_of b)"
	reason 'not what the task may send'
	heals a a b "$(ip_of b)"
	ip -n a addr add 10.200.1.77/32 dev eth0
	ip -n a route replace default via 10.200.1.1 dev eth0 src 10.200.1.77
	agrees dies a a b "$(ip_of b)"
	ip -n a route replace default via 10.200.1.1 dev eth0 proto static
	ip -n a addr del 10.200.1.77/32 dev eth0
	without ports4 "6 . 8080"
	agrees refused lan outside host:8080 198.51.100.2 8080
	nft add element inet taskvpc ports4 "{ 6 . 8080 : $(ip_of c) . 80 }"
	agrees arrives lan outside host:8080 198.51.100.2 8080
	t "settings of the host"
	sysctl -qw net.ipv4.ip_forward=0
	agrees dies a a outside 203.0.113.1
	reason 'does not forward'
	heals a a b "$(ip_of b)"
	sysctl -qw net.ipv4.ip_forward=0
	heals c c 198.51.100.1 198.51.100.1
	sysctl -qw "net.ipv4.conf.$(link_of a).rp_filter=1"
	ip route del "$(ip_of a)"
	agrees dies a a b "$(ip_of b)"
	reason 'should not come in by vpc'
	heals a a b "$(ip_of b)"
	ip route del default
	agrees dies a a outside 203.0.113.1
	reason 'no route'
	ip route add default via 198.51.100.1
	ip link set up0 down
	agrees dies a a outside 203.0.113.1
	ip link set up0 up
	ip route replace default via 198.51.100.1
	ip -6 addr add 2001:db8:1::2/64 dev up0 nodad
	t "rules of others: what the fix says repairs it"
	nft 'table inet mine { chain out { type filter hook forward priority 0; policy drop; }; }'
	agrees dies a a b "$(ip_of b)"
	reason 'inet mine out drops'
	sh -c "$(jq -r .fix <<<"$OUT")"
	ping_ok a "$(ip_of b)"
	told 0 explain a b --json
	is arrives "$(jq -r .verdict <<<"$OUT")" "a rule of others accepts it"
	nft delete table inet mine
	agrees arrives a a b "$(ip_of b)"
	told 0 rm --all --time 1
fi

if group "rules of others, at each hook that a packet comes to"; then
	start a -- sleep 9999
	start b -- "${SERVER[@]}"
	start c --mode bridge -p 8080:80 -- "${SERVER[@]}"
	start d --mode bridge -- sleep 9999
	start h --mode host -- busybox nc -ll -p 7070 -e /bin/cat
	until_true listens b 80
	until_true listens c 80
	# others NS CHAIN HOOK POLICY RULE…: their table "inet mine", or what FAMILY says.
	others() {
		printf 'table %s mine { chain %s { type filter hook %s priority 0; policy %s; %s; }; }\n' \
			"${FAMILY:-inet}" "$2" "$3" "$4" "${*:5}" | in_ns "$1" nft -f - || fail "nft: $*"
	}
	gone() { in_ns "$1" nft delete table "${FAMILY:-inet}" mine; }
	# killed NS SRC DST ADDRESS [PORT]: the packet dies, and explain does not say that it arrives.
	killed() {
		RC=0
		OUT=$("$TASKVPC" explain "$2" "$3" --json 2>"$TMP/stderr") || RC=$?
		is dies "$(real "$1" "${@:4}")" "the packet $2 $3 ($4)"
		like '^(dies|unsure)$' "$(jq -r .verdict <<<"$OUT")" "explain $2 $3: $(<"$TMP/stderr")"
		is 1 "$RC" "exit code of $2 $3"
	}
	verdict() { is "$1" "$(jq -r .verdict <<<"$OUT")" "verdict"; }
	# command REGEX: of the hop that is told first, of all those that do not let it through.
	command_like() {
		like "$1" "$(jq -r '[.request[], .answer[] | select(.verdict != "ok")][0].command' <<<"$OUT")" "command"
	}
	B=$(ip_of b) C=$(ip_of c)
	all_well() {
		agrees arrives a a b "$B"
		agrees arrives a a b:80 "$B" 80
		agrees arrives d d c:80 "$C" 80
		agrees arrives host host b "$B"
		agrees arrives a a host:7070 198.51.100.2 7070
		agrees arrives lan outside host:8080 198.51.100.2 8080
		agrees arrives a a outside 203.0.113.1
	}
	all_well

	t "forward: a rule with conditions"
	others host out forward accept ip daddr 10.200.0.0/16 drop
	killed a a b "$B"
	verdict dies
	reason '^the chain inet mine out drops what is forwarded, by its rule with handle [0-9]+$'
	command_like '^nft -a list chain inet mine out$'
	gone host
	t "forward: reject, and what a rule jumps or goes to, and a map of verdicts"
	others host out forward accept ip daddr "$B" reject
	killed a a b "$B"
	verdict dies
	gone host
	nft 'table inet mine { chain deep { ip daddr 10.200.0.0/16 drop; }; chain more { goto deep; }
		chain out { type filter hook forward priority 0; jump more; }; }'
	killed a a b "$B"
	verdict dies
	gone host
	nft 'table inet mine { chain deep { counter drop; }; map m { type ipv4_addr : verdict; elements = { '"$B"' : jump deep }; }
		chain out { type filter hook forward priority 0; ip daddr vmap @m; }; }'
	killed a a b "$B"
	verdict dies
	nft flush map inet mine m
	agrees arrives a a b "$B"
	gone host
	nft 'table inet mine { chain deep { counter drop; }; chain out { type filter hook forward priority 0; goto deep; }; }'
	killed a a b "$B"
	gone host
	if nft 'table inet mine { chain out { type filter hook forward priority 0; ip daddr 10.200.0.0/16 queue num 7; }; }' 2>/dev/null; then
		t "forward: a queue that nobody reads"
		killed a a b "$B"
		verdict unsure
		gone host
	fi
	if command -v iptables-nft >/dev/null; then
		t "forward: rules of iptables"
		iptables-nft -A FORWARD -d 10.200.0.0/16 -j DROP
		killed a a b "$B"
		verdict dies
		reason '^the chain ip filter FORWARD drops what is forwarded, by its rule'
		command_like '^nft -a list chain ip filter FORWARD$'
		iptables-nft -F FORWARD
		iptables-nft -A FORWARD -m comment --comment all -j REJECT
		agrees dies a a b "$B"
		iptables-nft -F FORWARD
		t "as Docker sets them"
		printf '%s\n' '*filter' ':FORWARD DROP' ':DOCKER-USER -' ':DOCKER-FORWARD -' ':DOCKER-CT -' ':DOCKER -' \
			'-A FORWARD -j DOCKER-USER' '-A FORWARD -j DOCKER-FORWARD' '-A DOCKER-USER -j RETURN' \
			'-A DOCKER-FORWARD -j DOCKER-CT' '-A DOCKER-FORWARD -i docker0 -j ACCEPT' \
			'-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT' \
			'-A DOCKER ! -i docker0 -o docker0 -j DROP' COMMIT '*nat' ':PREROUTING ACCEPT' ':POSTROUTING ACCEPT' ':DOCKER -' \
			'-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER' '-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE' \
			COMMIT | iptables-nft-restore
		killed a a b "$B"
		verdict dies
		reason '^the chain ip filter FORWARD drops what is forwarded$'
		iptables-nft -P FORWARD ACCEPT
		agrees arrives a a b "$B"
		nft delete table ip filter
		nft delete table ip nat
	else
		skip "needs iptables-nft"
	fi
	t "chains that drop nothing do not matter, nor do those of a table that sleeps"
	others host out forward accept 'ct state established counter accept; ip daddr 10.0.0.0/8 log accept; ip saddr 10.0.0.0/8 meta mark set 1 return; counter'
	agrees arrives a a b "$B"
	gone host
	nft 'table inet mine { flags dormant; chain out { type filter hook forward priority 0; policy drop; }; }'
	agrees arrives a a b "$B"
	gone host
	nft 'table ip6 mine { chain out { type filter hook forward priority 0; policy drop; }; }'
	agrees arrives a a b "$B"
	nft delete table ip6 mine
	t "what drops for certain counts more than a doubt before it"
	others host in prerouting accept tcp sport 40000 drop
	told 1 explain a b:80 --json
	verdict unsure
	sysctl -qw net.ipv4.ip_forward=0
	agrees dies a a b:80 "$B" 80
	reason 'does not forward'
	sh -c "$(jq -r .fix <<<"$OUT")" >/dev/null
	gone host
	agrees arrives a a b:80 "$B" 80

	t "the host: prerouting, input, output, postrouting"
	others host every prerouting drop
	agrees dies a a b "$B"
	reason 'inet mine every drops what comes in$'
	gone host
	others host every input drop
	agrees dies a a host:7070 198.51.100.2 7070
	agrees arrives a a b "$B"
	gone host
	others host every output drop
	agrees dies host host b "$B"
	agrees arrives a a b "$B"
	gone host
	others host every postrouting drop
	agrees dies a a b "$B"
	agrees dies a a outside 203.0.113.1
	gone host
	others host every input drop iif lo accept
	killed a a host:7070 198.51.100.2 7070
	verdict dies
	gone host
	t "the host with itself"
	for hook in output postrouting prerouting input; do
		others host every $hook drop
		agrees dies host host 127.0.0.1:7070 127.0.0.1 7070
		gone host
	done
	t "a task of its own"
	for hook in input prerouting; do
		others b every $hook drop
		agrees dies a a b "$B"
		is b "$(jq -r '.request[-1].at' <<<"$OUT")" "where"
		command_like '^ip netns exec b nft -a list chain inet mine every$'
		sh -c "$(jq -r .fix <<<"$OUT")"
		ping_ok a "$B"
		gone b
	done
	for hook in output postrouting; do
		others a every $hook drop
		agrees dies a a b "$B"
		gone a
		others b every $hook drop
		agrees dies a a b "$B"
		reason '^the answer: the chain inet mine every drops'
		gone b
	done
	t "between two of one bridge"
	for hook in prerouting forward postrouting; do
		FAMILY=bridge others host every $hook drop
		agrees dies d d c:80 "$C" 80
		reason 'the chain bridge mine every drops'
		FAMILY=bridge gone host
	done
	FAMILY=bridge others host every forward accept ip daddr "$C" drop
	killed d d c:80 "$C" 80
	verdict dies
	FAMILY=bridge gone host
	FAMILY=bridge others host every input drop
	agrees dies d d outside 203.0.113.1
	agrees arrives d d c:80 "$C" 80
	FAMILY=bridge gone host
	FAMILY=bridge others host every output drop
	agrees dies host host c:80 "$C" 80
	FAMILY=bridge gone host
	t "a device of its own"
	nft "table netdev mine { chain every { type filter hook ingress device $(link_of a) priority 0; policy drop; }; }"
	agrees dies a a b "$B"
	reason "netdev mine every drops what comes in by $(link_of a)"
	agrees arrives host host b "$B"
	nft delete table netdev mine
	nft "table netdev mine { chain every { type filter hook ingress device $(link_of d) priority 0; policy drop; }; }"
	agrees dies d d c:80 "$C" 80
	nft delete table netdev mine
	if nft "table netdev mine { chain every { type filter hook egress device $(link_of b) priority 0; policy drop; }; }" 2>/dev/null; then
		agrees dies a a b "$B"
		nft delete table netdev mine
	fi
	t "a name that is a command is not printed as one"
	jq -n '{nftables: [{add: {table: {family: "inet", name: "x;id"}}},
		{add: {chain: {family: "inet", table: "x;id", name: "$(id)", type: "filter", hook: "input", prio: 0, policy: "drop"}}}]}' |
		in_ns b nft -j -f -
	agrees dies a a b "$B"
	reason 'the chain inet x\?id \?\?id\? drops'
	is "null null" "$(jq -r '"\(.fix) \(.request[-1].command)"' <<<"$OUT")" "fix and command"
	in_ns b nft flush ruleset
	t "nothing of all this is left"
	all_well
	told 0 rm --all --time 1
fi

if group "isolation"; then
	bridge() { jq -n --arg n "$1" --arg b "$2" --arg s "$3" --arg p "$4" '{cniVersion: "1.1.0", name: $n, plugins: [{
		type: "task-bridge", capabilities: {portMappings: true}, bridge: $b, isDefaultGateway: true, ipMasq: true,
		ingressPolicy: $p, ipam: {type: "task-ipam", ranges: [[{subnet: $s}]]}}]}' >"/etc/cni/net.d/$1.conflist"; }
	bridge shut br-shut 10.77.0.0/24 isolated
	bridge one br-one 10.78.0.0/24 same-bridge
	bridge two br-two 10.79.0.0/24 same-bridge
	for task in s1 s2; do start $task --net shut -- sleep 9999; done
	for task in o1 o2; do start $task --net one -- sleep 9999; done
	start t1 --net two -- sleep 9999
	agrees dies s1 s1 s2 "$(ip_of s2)"
	reason 'isolated ports'
	agrees dies s1 s1 o1 "$(ip_of o1)"
	agrees arrives o1 o1 o2 "$(ip_of o2)"
	agrees dies o1 o1 t1 "$(ip_of t1)"
	reason 'between these bridges'
	agrees arrives s1 s1 outside 203.0.113.1
	told 0 rm --all --time 1
	rm /etc/cni/net.d/*.conflist
fi

if group "macvlan"; then
	macvlan() { conf ".name = \"mv$1\" | .attach = \"macvlan\" | .master = \"up0\" | del(.vpc) | .hostAccess = $2
		| del(.blockInstanceMetadata) | .ipam.ranges = [[{subnet: \"198.51.100.0/24\", rangeStart: \"198.51.100.$3\", rangeEnd: \"198.51.100.$4\", gateway: \"198.51.100.1\"}]]" >"/etc/cni/net.d/mv$1.conf"; }
	macvlan a false 20 29
	macvlan b true 30 39
	start m1 --net mva -- sleep 9999
	start m2 --net mva -- sleep 9999
	agrees arrives m1 m1 m2 "$(ip_of m2)"
	agrees arrives m1 m1 198.51.100.1 198.51.100.1
	agrees arrives lan 198.51.100.1 m1 "$(ip_of m1)"
	agrees dies m1 m1 198.51.100.2 198.51.100.2
	agrees dies host host m1 "$(ip_of m1)"
	reason 'do not reach each other'
	start m3 --net mvb -- sleep 9999
	agrees arrives host host m3 "$(ip_of m3)"
	agrees arrives m3 m3 198.51.100.2 198.51.100.2
	told 0 rm --all --time 1
	rm /etc/cni/net.d/mv*.conf
fi

if group "IPv6"; then
	conf '.name = "six" | .vpc.cidr = ["10.0.0.0/16", "fd00:10::/32"] | .ipMasq = true | .ipam.ranges = [
		[{subnet: "10.0.1.0/24"}], [{subnet: "fd00:10:1::/64"}]]' >/etc/cni/net.d/six.conf
	start v1 --net six -- sleep 9999
	start v2 --net six -- busybox nc -ll -p 80 -e /bin/cat
	six() { row "$1" '.addresses[1].address | split("/")[0]'; }
	until_true listens v2 80
	agrees arrives v1 v1 "[$(six v2)]:80" "$(six v2)" 80
	agrees arrives v1 v1 "$(six v2)" "$(six v2)"
	agrees arrives v1 v1 2001:db8:1::1 2001:db8:1::1
	agrees dies v1 v1 169.254.169.254 169.254.169.254
	reason 'blackhole'
	sysctl -qw net.ipv6.conf.all.forwarding=0
	heals v1 v1 "$(six v2)" "$(six v2)"
	ip -6 route del "$(six v2)"
	heals v1 v1 "$(six v2)" "$(six v2)"
	t "neighbours"
	ip -n v1 -6 neigh flush dev eth0 nud permanent
	heals v1 v1 "$(six v2)" "$(six v2)"
	ip -6 neigh del "$(six v2)" dev "$(link_of v2)"
	heals v1 v1 "$(six v2)" "$(six v2)"
	told 0 rm --all --time 1
	rm /etc/cni/net.d/six.conf
fi

if group "past the stack"; then
	conf '.name = "past" | .hostRouting = "bpf"' >/etc/cni/net.d/past.conf
	start p1 --net past -- sleep 9999
	start p2 --net past -- busybox nc -ll -p 80 -e /bin/cat
	start s -- sleep 9999
	until_true listens p2 80
	hops() { jq -r '[.request[], .answer[] | .about | select(. == "bpf" or . == "guard")] | join(" ")' <<<"$OUT"; }
	t "a program on both ways, or the guard"
	agrees arrives p1 p1 p2:80 "$(ip_of p2)" 80
	is "bpf bpf" "$(hops)" "who judges"
	agrees arrives p1 p1 s "$(ip_of s)"
	is "guard guard" "$(hops)" "who judges"
	agrees arrives s s p2:80 "$(ip_of p2)" 80
	agrees arrives p1 p1 host "$(row p1 '.addresses[0].gateway')"
	t "other people's rules are asked where there is no program"
	nft 'add table inet stranger; add chain inet stranger fw { type filter hook forward priority 0; policy drop; }'
	agrees arrives p1 p1 p2 "$(ip_of p2)"
	agrees dies p1 p1 s "$(ip_of s)"
	tc filter del dev "$(link_of p1)" ingress
	agrees dies p1 p1 p2 "$(ip_of p2)"
	nft delete table inet stranger
	t "what is broken there"
	ip route del "$(ip_of p2)"
	heals p1 p1 p2 "$(ip_of p2)"
	like 'metric 1986162790' "$(ip route show "$(ip_of p2)")" "the route that the fix has made"
	told 0 rm --all --time 1
	rm /etc/cni/net.d/past.conf
fi

if group "words that cannot be"; then
	start a -- sleep 9999
	start n --mode none -- sleep 9999
	refuses 64 'the port is a number' explain a host:0
	refuses 64 'the port is a number' explain a host:http
	refuses 64 'the port is a number' explain a host:65536
	refuses 64 'the protocol is tcp' explain a host:80/http
	refuses 66 '"example.com" is neither a task nor an address.*not resolved.*getent ahosts example.com' explain a example.com:443
	told 0 explain a host.taskvpc.internal
	is "$(tail -n +2 <<<"$OUT")" "$("$TASKVPC" explain a host | tail -n +2)" "the host's name in a task"
	told 0 explain a outside:53/UDP
	is "$(tail -n +2 <<<"$OUT")" "$("$TASKVPC" explain a outside:53/udp | tail -n +2)" "a protocol in capitals"
	refuses 64 'which port' explain a host/udp
	refuses 64 'icmp has no ports' explain a host:80/icmp
	refuses 64 'the source has no port' explain a:80 host
	refuses 64 'both ends are outside' explain outside 203.0.113.9
	refuses 64 'no task, and no address' explain a ''
	for many in 224.0.0.1 239.255.255.250 255.255.255.255 ff02::1; do
		refuses 64 "\"$many\": an address of many" explain a $many
		refuses 64 "an address of many" explain $many a
	done
	refuses 66 'there is no task "nope"' explain a nope:80
	refuses 1 'no address family in common' explain a n
	refuses 64 'too many words.*"c"' explain a b c
	t "options of a plan"
	refuses 64 '--verb: not of a packet' explain --verb del host a
	refuses 64 '--name: not of a packet' explain --name x host a
	refuses 64 '-p: not of a packet' explain -p 80:80 host a
	refuses 64 '--ip: not of a packet' explain --ip 10.200.1.9 host a
	refuses 64 '--mac: not of a task' explain --mac 02:00:00:00:00:01 a
	refuses 64 '-p: not of a task' explain -p 80:80 a
	told 0 explain --verb del a
	t "a task that is dead"
	start x -- sleep 9999
	slay x
	until_true eval '[ "$(row x .state)" = dead ]'
	refuses 66 'x is dead.*taskvpc gc' explain a x
	told 0 rm --all --time 1
	told 0 gc
fi

finish
