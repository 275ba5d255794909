#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# task-bridge: ingressPolicy between bridges, and bandwidth as it is measured.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/lan.sh
. "$(dirname "$0")/../lan.sh"
lan

# network N POLICY: bridge N with a dual-stack subnet of its own.
network() {
	jq -c ".name=\"n$1\" | .bridge=\"cni$1\" | .ingressPolicy=\"$2\" | .ipam.ranges=[[{subnet:\"10.9$1.0.0/24\"}],
		[{subnet:\"fd00:9$1::/64\"}]] | .runtimeConfig.portMappings=[]" <<<"$CONF"
}

# sees FROM TO: do new connections get through, over both families? "yes" or "no".
sees() {
	local v4=no v6=no
	[ -z "$(asks "$1" tcp "$(address "$2")" 80 0.3)" ] || v4=yes
	[ -z "$(asks "$1" tcp "$(address "$2" 1)" 80 0.3)" ] || v6=yes
	if [ $v4 = $v6 ]; then echo $v4; else echo "v4 $v4, v6 $v6"; fi
}
# allowed WANT FROM TO
allowed() { is "$1" "$(sees "$2" "$3")" "new connections from $2 to $3"; }

if group policy; then
	# a and b on bridge 1, c on bridge 2.
	# policies ONE TWO AB AC CA: what two bridges with these policies let through.
	policies() {
		local one two
		t "ingressPolicy $1 beside $2"
		one=$(network 1 "$1") two=$(network 2 "$2")
		add a "$one"
		add b "$(jq -c '.runtimeConfig.portMappings=[{hostPort:8080,containerPort:80}]' <<<"$one")"
		add c "$two"
		serve a tcp:80
		serve b tcp:80
		serve c tcp:80
		# The first packet of a neighbour unknown may be late.
		pings host "$(address a 1)"
		allowed "$3" a b
		allowed "$3" b a
		allowed "$4" a c
		allowed "$5" c a
		t "ingressPolicy $1 beside $2: the host, the outside and published ports are not concerned"
		reaches host a tcp "$(address a)" 80
		reaches host a tcp "$(address a 1)" 80
		ping_ok a 203.0.113.2
		ping_ok c 203.0.113.2
		reaches outside b tcp 198.51.100.1 8080 198.51.100.2
		reaches host b tcp 127.0.0.1 8080
		verify a "$one"
		verify c "$two"
		t "ingressPolicy $1 beside $2: DEL"
		del c "$two"
		allowed "$3" a b
		verify a "$one"
		unserve a b c
		del a "$one"
		del b "$one"
		drop a b c
		clean
	}
	policies open open yes yes yes
	policies same-bridge same-bridge yes no no
	policies isolated isolated no no no
	policies same-bridge isolated yes no no
	# As in the reference: between bridges that have a policy.
	policies same-bridge open yes yes yes

	t "the default is open"
	add a "$(network 1 open | jq -c 'del(.ingressPolicy)')"
	is "" "$(nft list table inet taskvpc | grep 'hook forward')" "chains in forward"
	del a
	drop a
	t "two networks on one bridge share its policy"
	one=$(network 1 same-bridge)
	two=$(network 2 same-bridge | jq -c '.bridge="cni1"')
	add a "$one"
	add c "$two"
	serve c tcp:80
	reaches a c tcp "$(address c)" 80
	del a "$one"
	verify c "$two"
	unserve c
	del c "$two"
	drop a c
	clean
	t "two policies on one bridge: what the weaker allows holds between its tasks and the others', as documented"
	one=$(network 1 isolated)
	two=$(network 2 same-bridge | jq -c '.bridge="cni1"')
	add a "$one"
	add b "$one"
	add c "$two"
	serve a tcp:80
	serve c tcp:80
	pings host "$(address a 1)"
	allowed no b a
	allowed yes c a
	allowed yes a c
	unserve a c
	del c "$two"
	allowed no b a
	del a "$one"
	del b "$one"
	drop a b c
	clean
	t "values that are none"
	netns a
	for bad in '"closed"' '"same_bridge"' 5 true; do
		ID=a refused 7 'ingressPolicy' ADD "$(conf ".ingressPolicy=$bad")"
	done
	drop a
fi

# megabits FROM TO ADDRESS: what gets through in a second and a half, Mbit/s.
megabits() {
	local fd rate
	exec {fd}< <(exec nsenter --net="${2/#host/\/proc\/$$\/ns\/net}" -- perl "$ROOT/test/peer.pl" receive 7009)
	read -r -t 5 -u "$fd" _
	tell "$1" send "$3" 7009 1.5 || echo 0
	read -r -t 20 -u "$fd" rate
	exec {fd}<&-
	echo "${rate:-0}"
}
# between LOW HIGH SEEN WHAT
between() {
	if awk "BEGIN { exit !($3 >= $1 && $3 <= $2) }"; then pass; else fail "$4: expected $1 to $2 Mbit/s, seen $3"; fi
}
in_mbit() { megabits host "$NETNS/$1" "$(address "$1")"; }
out_mbit() { megabits "$1" host 10.88.0.1; }
# shaped JSON: with this bandwidth.
shaped() { conf ".runtimeConfig.bandwidth=$1"; }

if group bandwidth; then
	t "10 Mbit/s both ways"
	CONFIG=$(shaped '{"ingressRate":10000000,"ingressBurst":800000,"egressRate":10000000,"egressBurst":800000}')
	add a "$CONFIG"
	like 'tbf.*rate 10Mbit' "$(tc qdisc show dev "$(host_link a)")" "qdisc of the host's end"
	is 1 "$(ip -o link show type ifb | wc -l)" "ifb devices"
	if [ -z "$SAN" ]; then
		between 5 13 "$(in_mbit a)" "towards the container"
		between 5 13 "$(out_mbit a)" "out of the container"
	fi
	verify a "$CONFIG"
	t "another container beside it is as fast as it can"
	add b
	between 100 1000000 "$(in_mbit b)" "towards the container"
	between 100 1000000 "$(out_mbit b)" "out of the container"
	is 1 "$(ip -o link show type ifb | wc -l)" "ifb devices"
	del b
	t "DEL without runtimeConfig and namespace takes the ifb away"
	del a "$CONF" CNI_NETNS=
	is 0 "$(ip -o link show type ifb | wc -l)" "ifb devices"
	drop a b
	clean
	t "one way only"
	CONFIG=$(shaped '{"ingressRate":20000000,"ingressBurst":800000}')
	add a "$CONFIG"
	between 10 26 "$(in_mbit a)" "towards the container"
	between 100 1000000 "$(out_mbit a)" "out of the container"
	is 0 "$(ip -o link show type ifb | wc -l)" "ifb devices"
	del a
	CONFIG=$(shaped '{"egressRate":20000000,"egressBurst":800000}')
	add a "$CONFIG"
	between 100 1000000 "$(in_mbit a)" "towards the container"
	between 10 26 "$(out_mbit a)" "out of the container"
	verify a "$CONFIG"
	del a
	drop a
	clean
	t "keys and bursts as containerd's CRI sends them"
	CONFIG=$(shaped '{"IngressRate":10000000,"IngressBurst":4294967295,"EgressRate":10000000,"EgressBurst":4294967295}')
	add a "$CONFIG"
	like 'tbf.*rate 10Mbit' "$(tc qdisc show dev "$(host_link a)")" "qdisc"
	del a
	t "the keys of the reference bandwidth plugin, in the configuration"
	CONFIG=$(conf '.ingressRate=10000000 | .ingressBurst=800000 | .egressRate=5000000 | .egressBurst=800000')
	add a "$CONFIG"
	like 'tbf.*rate 10Mbit' "$(tc qdisc show dev "$(host_link a)")" "qdisc"
	like 'tbf.*rate 5Mbit' "$(tc qdisc show dev "$(ip -o link show type ifb | awk '{ sub(/:.*/, "", $2); print $2 }')")" "qdisc of the ifb"
	t "what the runtime asks for does not lift them, not even those of the other way"
	del a
	add a "$(jq -c '.runtimeConfig.bandwidth={ingressRate:30000000,ingressBurst:800000}' <<<"$CONFIG")"
	like 'tbf.*rate 10Mbit' "$(tc qdisc show dev "$(host_link a)")" "qdisc"
	is 1 "$(ip -o link show type ifb | wc -l)" "ifb devices"
	del a
	CONFIG=$(conf '.ingressRate=10000000 | .ingressBurst=800000
		| .runtimeConfig.bandwidth={egressRate:30000000,egressBurst:800000}')
	add a "$CONFIG"
	like 'tbf.*rate 10Mbit' "$(tc qdisc show dev "$(host_link a)")" "qdisc"
	is 0 "$(ip -o link show type ifb | wc -l)" "ifb devices"
	verify a "$CONFIG"
	del a
	t "zeros are no limits: what the runtime asks for counts"
	add a "$(jq -c '.ingressRate=0 | .ingressBurst=0' <<<"$(shaped '{"ingressRate":30000000,"ingressBurst":800000}')")"
	like 'tbf.*rate 30Mbit' "$(tc qdisc show dev "$(host_link a)")" "qdisc"
	del a
	t "none, empty and zero: nothing is shaped"
	for none in null '{}' '{"ingressRate":0,"ingressBurst":0,"egressRate":0,"egressBurst":0}'; do
		add a "$(shaped "$none")"
		is "" "$(tc qdisc show | grep -e tbf -e ingress)" "qdiscs for $none"
		del a
	done
	drop a
	clean
	netns a
	t "rates that are none"
	while read -r regex bad; do
		ID=a refused 7 "$regex" ADD "$(shaped "$bad")"
	done <<-'END'
		ingressRate.*-1 {"ingressRate":-1,"ingressBurst":8000}
		ingressRate.*fast {"ingressRate":"fast","ingressBurst":8000}
		egressRate.*1\.5 {"egressRate":1.5,"egressBurst":8000}
		ingressBurst.*-8 {"ingressRate":8000,"ingressBurst":-8}
		egressRate.*1e?\+?30|egressRate {"egressRate":1e30,"egressBurst":8000}
		ingressBurst.*8000 {"ingressBurst":8000}
		egressBurst.*true {"egressRate":8000,"egressBurst":true}
		bandwidth [1]
		bandwidth "10M"
	END
	t "a rate without a burst: refused by name, or a burst of its own"
	ID=a plugin ADD "$(shaped '{"ingressRate":10000000}')"
	if [ "$RC" = 0 ]; then
		del a
	else
		expect_error 7 'ingressRate.*10000000'
	fi
	drop a
	clean
	t "20 shaped at once, and away at once"
	CONFIG=$(shaped '{"ingressRate":10000000,"ingressBurst":800000,"egressRate":10000000,"egressBurst":800000}')
	job() {
		ip netns add "p$1"
		call ADD "p$1" <<<"$CONFIG"
	}
	undo() { call DEL "p$1" <<<"$CONF"; }
	many 20 job
	is 20 "$(many_rc 0)" "ADDs: $(jq -r '.msg // empty' "$TMP"/job/*.out | sort | uniq -c)"
	is 20 "$(ip -o link show type ifb | wc -l)" "ifb devices"
	many 20 undo
	is 20 "$(many_rc 0)" "DELs: $(jq -r '.msg // empty' "$TMP"/job/*.out | sort | uniq -c)"
	for ((i = 1; i <= 20; i++)); do drop "p$i"; done
	clean
fi

finish
