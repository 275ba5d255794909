#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The pool: what is a valid one, which addresses come out of it, how many, and when again.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns c1
baseline

# ipam SUBNET [FILTER]: a configuration of the stand-alone task-ipam (reserve minimal by default).
ipam() { one "$1" '.type="task-ipam" | '"${2:-.}"; }

# fill NUMBER CONF: NUMBER ADDs for n1, n2, … must work; their addresses come in $TMP/given, in order.
fill() {
	local i
	: >"$TMP/given"
	for ((i = 1; i <= $1; i++)); do
		works ADD "$2" CNI_CONTAINERID="n$i" CNI_NETNS="${FILL_NETNS:-$NETNS/c1}" CNI_IFNAME="e$i" || return
		jq -r '.ips[0].address | split("/")[0]' <<<"$OUT" >>"$TMP/given"
	done
}
# empty NUMBER CONF: DEL of them.
empty() {
	local i
	for ((i = 1; i <= $1; i++)); do works DEL "$2" CNI_CONTAINERID="n$i" CNI_IFNAME="e$i"; done
}

if group wrong; then
	t "pools that are none"
	while read -r regex ranges; do
		refused 7 "$regex" ADD "$(conf ".ipam.ranges=$ranges")"
	done <<-'END'
		10\.0\.1\.0/31 [[{"subnet":"10.0.1.0/31"}]]
		10\.0\.1\.1/32 [[{"subnet":"10.0.1.1/32"}]]
		fd00::/127|fd00::/128 [[{"subnet":"fd00::/128"}]]
		10\.0\.1\.0/24 [[{"subnet":"10.0.1.5/24"}]]
		foo [[{"subnet":"foo"}]]
		subnet [[{"subnet":"10.0.1.0"}]]
		subnet [[{"subnet":"10.0.1.0/33"}]]
		subnet [[{"id":"x"}]]
		subnet [[{}]]
		rangeStart.*10\.0\.1\.50 [[{"subnet":"10.0.1.0/24","rangeStart":"10.0.1.50","rangeEnd":"10.0.1.40"}]]
		rangeStart.*10\.0\.2\.5 [[{"subnet":"10.0.1.0/24","rangeStart":"10.0.2.5"}]]
		rangeEnd.*10\.0\.2\.5 [[{"subnet":"10.0.1.0/24","rangeEnd":"10.0.2.5"}]]
		rangeStart.*x [[{"subnet":"10.0.1.0/24","rangeStart":"x"}]]
		rangeStart.*fd00::5 [[{"subnet":"10.0.1.0/24","rangeStart":"fd00::5"}]]
		overlap [[{"subnet":"10.0.1.0/24"},{"subnet":"10.0.1.128/25"}]]
		overlap [[{"subnet":"10.0.1.0/24"},{"subnet":"10.0.1.0/24"}]]
		overlap [[{"subnet":"10.0.1.0/24"}],[{"subnet":"10.0.0.0/16"}]]
		famil [[{"subnet":"10.0.1.0/24"},{"subnet":"fd00::/64"}]]
		empty|ranges\[0\] [[]]
		gateway.*10\.0\.2\.1 [[{"subnet":"10.0.1.0/24","gateway":"10.0.2.1"}]]
		gateway.*x [[{"subnet":"10.0.1.0/24","gateway":"x"}]]
		exclude.*x [[{"subnet":"10.0.1.0/24","exclude":["x"]}]]
		exclude [[{"subnet":"10.0.1.0/24","exclude":[5]}]]
		reserve.*gcp [[{"subnet":"10.0.1.0/24","reserve":"gcp"}]]
		ranges\[0\] [{"subnet":"10.0.1.0/24"}]
		ranges {"subnet":"10.0.1.0/24"}
		ranges "10.0.1.0/24"
		ranges [[5]]
		subnet [[{"subnet":5}]]
		ranges [[{"subnet":"10.1.0.0/24"}],[{"subnet":"10.2.0.0/24"}],[{"subnet":"10.3.0.0/24"}],[{"subnet":"10.4.0.0/24"}],[{"subnet":"10.5.0.0/24"}],[{"subnet":"10.6.0.0/24"}],[{"subnet":"10.7.0.0/24"}],[{"subnet":"10.8.0.0/24"}],[{"subnet":"10.9.0.0/24"}]]
	END
	t "a subnet too small for the reserved addresses"
	refused 7 '10\.0\.1\.0/30' ADD "$(one 10.0.1.0/30)"
	clean
fi

if group sizes; then
	t "/28 with aws: exactly 11, never base+0..+3 or the last"
	AWS=$(ipam 10.0.1.0/28 '.ipam.ranges[0][0].reserve="aws" | .ipam.placement="first"')
	PLUGIN=$BIN/task-ipam
	fill 11 "$AWS"
	is "$(seq -f '10.0.1.%g' 4 14 | xargs)" "$(sort -V "$TMP/given" | xargs)" "addresses"
	refused 104 'exhausted' ADD "$AWS" CNI_CONTAINERID=n12
	like '10\.0\.1\.0/28.*11 used' "$OUT" "counts"
	full 'exhausted.*10\.0\.1\.0/28' "$AWS"
	works DEL "$AWS" CNI_CONTAINERID=n5 CNI_IFNAME=e5
	works STATUS "$AWS"
	works ADD "$AWS" CNI_CONTAINERID=n12
	is 10.0.1.8/28 "$(jq -r '.ips[0].address' <<<"$OUT")" "the freed address, for nothing else is left"
	works DEL "$AWS" CNI_CONTAINERID=n12
	empty 11 "$AWS"

	t "the same of awsvpc, by default, with links"
	PLUGIN=$BIN/awsvpc
	ENI=$(one 10.0.1.0/28 '.ipam.routes=[{dst:"192.0.2.0/24",table:9}]')
	for ((i = 1; i <= 11; i++)); do add "n$i" "$ENI"; done
	refused 104 'exhausted' ADD "$ENI"
	is 11 "$(ip -br link | grep -c '^vpc')" "links"
	is 11 "$(for ((i = 1; i <= 11; i++)); do address "n$i"; done | sort -u | wc -l)" "distinct addresses"
	for ((i = 1; i <= 11; i++)); do
		del "n$i" "$ENI"
		drop "n$i"
	done
	clean

	t "minimal: /30 gives exactly 1, /29 exactly 5"
	PLUGIN=$BIN/task-ipam
	fill 1 "$(ipam 10.0.3.0/30)"
	is 10.0.3.2 "$(<"$TMP/given")" "address"
	refused 104 'exhausted' ADD "$(ipam 10.0.3.0/30)" CNI_CONTAINERID=n2
	full 'exhausted' "$(ipam 10.0.3.0/30)"
	t "the one address is free again at once: there is no other"
	empty 1 "$(ipam 10.0.3.0/30)"
	works STATUS "$(ipam 10.0.3.0/30)"
	fill 1 "$(ipam 10.0.3.0/30)"
	empty 1 "$(ipam 10.0.3.0/30)"
	fill 5 "$(ipam 10.0.4.0/29)"
	is "$(seq -f '10.0.4.%g' 2 6 | xargs)" "$(sort -V "$TMP/given" | xargs)" "addresses"
	refused 104 'exhausted' ADD "$(ipam 10.0.4.0/29)" CNI_CONTAINERID=n6
	empty 5 "$(ipam 10.0.4.0/29)"

	t "rangeStart, rangeEnd, gateway and exclude shape the pool"
	shaped=$(ipam 10.0.5.0/24 '.ipam.ranges[0][0] += {rangeStart:"10.0.5.10",rangeEnd:"10.0.5.17",
		gateway:"10.0.5.12",exclude:["10.0.5.14/31","10.0.5.17/32"]} | .ipam.placement="first"')
	fill 4 "$shaped"
	is "10.0.5.10 10.0.5.11 10.0.5.13 10.0.5.16" "$(sort -V "$TMP/given" | xargs)" "addresses"
	is 10.0.5.12 "$(jq -r '.ips[0].gateway' <<<"$OUT")" "gateway"
	refused 104 'exhausted' ADD "$shaped" CNI_CONTAINERID=n5
	empty 4 "$shaped"
	t "an IPv6 /64, a /16 and a /8"
	fill 1 "$(ipam fd00:10:1::/64)"
	is fd00:10:1::2 "$(<"$TMP/given")" "address"
	empty 1 "$(ipam fd00:10:1::/64)"
	for net in 10.0.0.0/16 10.0.0.0/8; do
		forget
		fill 1 "$(ipam $net)"
		is 10.0.0.2 "$(<"$TMP/given")" "address of $net"
		empty 1 "$(ipam $net)"
	done
	t "the legacy keys of host-local"
	legacy=$(conf '.type="task-ipam" | .ipam |= (del(.ranges) + {subnet:"10.0.6.0/24",
		rangeStart:"10.0.6.20",rangeEnd:"10.0.6.21",gateway:"10.0.6.9"})')
	fill 2 "$legacy"
	is "10.0.6.20 10.0.6.21" "$(sort -V "$TMP/given" | xargs)" "addresses"
	is 10.0.6.9 "$(jq -r '.ips[0].gateway' <<<"$OUT")" "gateway"
	refused 104 'exhausted' ADD "$legacy" CNI_CONTAINERID=n3
	empty 2 "$legacy"
	t "runtimeConfig.ipRanges: one more address, before that of the ranges"
	works ADD "$(ipam 10.0.1.0/24 '.runtimeConfig.ipRanges=[[{subnet:"10.0.8.0/24"}]] | .ipam.placement="first"')"
	is '10.0.8.2/24 10.0.1.2/24' "$(jq -r '[.ips[].address] | join(" ")' <<<"$OUT")" "addresses"
	works DEL "$(ipam 10.0.1.0/24)"
	PLUGIN=$BIN/awsvpc
	clean
fi

if group placement; then
	PLUGIN=$BIN/task-ipam
	two=$(ipam 10.0.1.0/28 '.ipam.ranges[0] += [{subnet:"10.0.2.0/28"}]')
	t "spread alternates"
	forget
	fill 4 "$two"
	is "2 2" "$(cut -d. -f3 "$TMP/given" | sort | uniq -c | awk '{ print $1 }' | xargs)" "tasks by subnet"
	empty 4 "$two"
	t "pack fills one first"
	forget
	fill 4 "$(jq -c '.ipam.placement="pack"' <<<"$two")"
	is 4 "$(cut -d. -f3 "$TMP/given" | sort | uniq -c | awk '{ print $1 }' | xargs)" "tasks by subnet"
	empty 4 "$two"
	forget
	t "first goes on when the first subnet is full; exhaustion counts each subnet"
	ordered=$(jq -c '.ipam.placement="first" | .ipam.ranges[0][0].subnet="10.0.1.0/30"' <<<"$two")
	fill 3 "$ordered"
	is "1 2 2" "$(cut -d. -f3 "$TMP/given" | xargs)" "subnets in order"
	empty 3 "$ordered"
	small=$(jq -c '.ipam.ranges[0][1].subnet="10.0.2.0/29" | .ipam.cooldown=60' <<<"$ordered")
	fill 6 "$small"
	refused 104 'exhausted' ADD "$small" CNI_CONTAINERID=n7
	like '10\.0\.1\.0/30.*1 used.*10\.0\.2\.0/29.*5 used' "$OUT" "counts of each subnet"
	like 'reserved.*cooling' "$OUT" "counts of each kind"
	empty 6 "$small"
	PLUGIN=$BIN/awsvpc
	clean
fi

if group cooldown; then
	PLUGIN=$BIN/task-ipam
	t "a released address is not given again while another is free"
	cool=$(ipam 10.0.11.0/29 '.ipam.placement="first"')
	works ADD "$cool" && works DEL "$cool"
	fill 4 "$cool"
	is "10.0.11.3 10.0.11.4 10.0.11.5 10.0.11.6" "$(xargs <"$TMP/given")" "addresses"
	works ADD "$cool" && is 10.0.11.2/29 "$(jq -r '.ips[0].address' <<<"$OUT")" "when nothing else is left"
	works DEL "$cool"
	empty 4 "$cool"
	t "of several that cool, the one released first"
	works ADD "$cool" && is 10.0.11.2/29 "$(jq -r '.ips[0].address' <<<"$OUT")" address
	works DEL "$cool"
	t "a static request may have a cooling address"
	works ADD "$cool" CNI_ARGS="IP=10.0.11.4"
	works DEL "$cool"
	t "the cooldown is that of DEL's configuration: 0 is free at once, 1 after a second"
	full=$(ipam 10.0.12.0/29 '.ipam.placement="first"')
	fill 5 "$full"
	mapfile -t held <"$TMP/given"
	drop_one() { works DEL "$(jq -c ".ipam.cooldown=$2" <<<"$full")" CNI_CONTAINERID="n$1" CNI_IFNAME="e$1"; }
	next_is() {
		works ADD "$full" CNI_CONTAINERID="n$1" CNI_IFNAME="e$1"
		is "${held[$1 - 1]}/29" "$(jq -r '.ips[0].address' <<<"$OUT")" "address"
	}
	drop_one 2 30
	drop_one 4 0
	next_is 4
	next_is 2
	drop_one 2 30
	drop_one 4 1
	sleep 1.2
	next_is 4
	empty 5 "$full"
	PLUGIN=$BIN/awsvpc
	clean
fi

if group dead; then
	SMALL=$(one 10.0.1.0/30 '.ipam.ranges[0][0].reserve="minimal"')
	t "the address of a dead attachment is given to the next one"
	add dead "$SMALL"
	drop dead
	add next "$SMALL"
	is 10.0.1.2 "$(address next)" address
	ID=c1
	refused 104 'exhausted' ADD "$SMALL"
	t "a static request: a live holder is named, a dead one is reclaimed"
	refused 103 'lab.*next.*eth0|next' ADD "$SMALL" CNI_ARGS="IP=10.0.1.2"
	drop next
	works ADD "$SMALL" CNI_ARGS="IP=10.0.1.2"
	works DEL "$SMALL"
	t "the same container again, after its namespace died"
	add again
	drop again
	add again
	verify again
	t "the same container again in another namespace, while the first lives: the holder stays"
	netns other
	refused 102 'container again has interface .* since 20[-0-9]+T[0-9:]+Z' ADD "$CONF" CNI_CONTAINERID=again CNI_NETNS=$NETNS/other
	verify again
	del again
	drop again other
	t "a namespace of the same name is not the same namespace"
	add reborn "$SMALL"
	drop reborn
	netns reborn
	ID=reborn works ADD "$SMALL"
	del reborn "$SMALL"
	drop reborn
	clean
fi

if group reboot; then
	t "a reboot: the namespaces are gone, the boot id is another, the store file may have stayed"
	POOL=$(one 10.0.1.0/28)
	for ((i = 1; i <= 11; i++)); do add "n$i" "$POOL"; done
	for ((i = 1; i <= 11; i++)); do drop "n$i"; done
	nft delete table inet taskvpc 2>/dev/null
	cat /proc/sys/kernel/random/uuid >"$TMP/boot_id"
	mount --bind "$TMP/boot_id" /proc/sys/kernel/random/boot_id
	add n3 "$POOL"
	is 1 "$(records)" "records"
	del n3 "$POOL"
	for ((i = 1; i <= 11; i++)); do add "n$i" "$POOL"; done
	is 11 "$(records)" "the whole pool"
	for ((i = 1; i <= 11; i++)); do
		del "n$i" "$POOL"
		drop "n$i"
	done
	umount /proc/sys/kernel/random/boot_id
	clean
fi

if group parallel; then
	job() {
		ip netns add "p$1"
		call ADD "p$1" <<<"$POOL"
	}
	undo() {
		call DEL "p$1" <<<"$POOL"
		local rc=$?
		ip netns del "p$1"
		return "$rc"
	}
	t "50 ADDs at once on a /26"
	POOL=$(one 10.0.1.0/26)
	many 50 job
	is 50 "$(many_rc 0)" "successes"
	is 50 "$(cat "$TMP"/job/*.out | jq -r '.ips[0].address' | sort -u | wc -l)" "distinct addresses"
	is 50 "$(records)" "records"
	many 50 undo
	is 50 "$(many_rc 0)" "DELs"
	t "40 ADDs at once on a /27 of 27"
	POOL=$(one 10.0.2.0/27)
	many 40 job
	is 27 "$(many_rc 0)" "successes"
	is 27 "$(cat "$TMP"/job/*.out | jq -r '.ips[0].address // empty' | sort -u | wc -l)" "distinct addresses"
	is 13 "$(cat "$TMP"/job/*.out | jq -r '.code // empty' | grep -cx 104)" "errors of code 104"
	is 27 "$(ip -br link | grep -c '^vpc')" "links"
	many 40 undo
	is 40 "$(many_rc 0)" "DELs"
	clean
fi

if group "behind another plugin"; then
	t "task-ipam answers with addresses of its own alone, whatever prevResult says"
	PLUGIN=$BIN/task-ipam works ADD "$(conf '.type="ptp" | .ipam.placement="first" | .prevResult={cniVersion: "1.1.0", interfaces: [{name: "x0"}],
		ips: [{address: "10.9.0.5/24"}], routes: [{dst: "10.9.0.0/16"}], dns: {search: ["x"]}}')"
	like '^\["10\.0\.1\.[0-9]+/24"\] 0 \["0\.0\.0\.0/0"\] \{\}$' "$(jq -r '"\([.ips[].address]) \(.interfaces // [] | length) \([.routes[].dst]) \(.dns // {})"' <<<"$OUT")" result
	PLUGIN=$BIN/task-ipam works DEL "$(conf '.type="ptp"')"
	clean
	t "a namespace that a descriptor alone keeps: its address is not given to another; nor where it had a number before"
	ONE=$(conf '.type="ptp" | .ipam.cooldown=0 | .ipam.ranges=[[{subnet:"10.0.1.0/24",rangeStart:"10.0.1.77",rangeEnd:"10.0.1.77"}]]')
	may_add() { plugin ADD "$ONE" CNI_CONTAINERID=b CNI_NETNS="$NETNS/b" && [ "$RC" = 0 ]; }
	PLUGIN=$BIN/task-ipam
	for link in '' x0; do
		netns a b
		[ -z "$link" ] || ip link add x0 type veth peer name x1 netns a
		add a "$ONE"
		[ -z "$link" ] || ip link del x0
		exec {KEPT}<$NETNS/a
		ip netns del a
		refused 104 'exhausted' ADD "$ONE" CNI_CONTAINERID=b CNI_NETNS=$NETNS/b
		exec {KEPT}<&-
		# The kernel gives the number that it chose to the next, once it is free.
		if [ -n "$link" ]; then
			until_true sh -c '! ip netns list-id | grep -q "nsid 0 "'
			netns other
			ip link add x0 type veth peer name x1 netns other
			like 'id: 0' "$(ip netns list | grep '^other')" "number of the other"
		fi
		until_true may_add || fail "ADD: $OUT"
		is 1 "$(records)" records
		del b "$ONE"
		drop b
		drop other
		clean
	done
	PLUGIN=$BIN/awsvpc
fi

if group del; then
	t "DEL with ranges removed or wrong by now"
	for filter in '.ipam.ranges=[]' 'del(.ipam.ranges)' '.ipam.ranges="x"' '.ipam.ranges=[[{subnet:"x"}]]' \
		'del(.ipam)' '.ipam.ranges=[[{subnet:"172.16.0.0/24"}]] | .mtu=-1' '.attach="none"' '.vpc=5'; do
		add c1
		del c1 "$(conf "$filter")"
		is 0 "$(records)" "records after DEL with $filter"
		is 1 "$(ip -n c1 -o link | wc -l)" "links after DEL with $filter"
	done
	clean
	t "the stand-alone plugin likewise"
	PLUGIN=$BIN/task-ipam
	for filter in '.ipam.ranges=[]' '.ipam.ranges="x"'; do
		works ADD "$(ipam 10.0.1.0/24)"
		works DEL "$(ipam 10.0.1.0/24 "$filter")"
		is 0 "$(records)" "records after DEL with $filter"
	done
	t "the result of the stand-alone plugin is abbreviated"
	forget
	works ADD "$(ipam 10.0.1.0/24 '.ipam.routes=[{dst:"0.0.0.0/0"}]')"
	is '{"ips":[{"address":"10.0.1.2/24","gateway":"10.0.1.1"}]}' \
		"$(jq -Sc '{ips: [.ips[] | {address, gateway}]}' <<<"$OUT")" "ips"
	is 'false false' "$(jq -r '"\((.interfaces // []) | length > 0) \(.ips[0] | has("interface"))"' <<<"$OUT")" \
		"interfaces, ips[].interface"
	is '0.0.0.0/0' "$(jq -r '.routes[0].dst' <<<"$OUT")" routes
	t "its CHECK sees whether the reservation stands"
	cp "$TMP/stdout" "$TMP/result/c1.eth0"
	verify c1 "$(ipam 10.0.1.0/24)"
	works DEL "$(ipam 10.0.1.0/24)"
	refused 100+ 'c1|10\.0\.1\.2|attachment' CHECK "$(with_prev c1 "$(ipam 10.0.1.0/24)")"
	PLUGIN=$BIN/awsvpc
	clean
fi

if group directory; then
	t "the state directory: 0700, never through a link, never another's"
	works ADD "$CONF"
	is 700 "$(stat -c %a "$DATA")" "mode"
	is "" "$(find "$DATA" -perm /077)" "files others may read"
	works DEL "$CONF"
	mkdir "$TMP/elsewhere" "$TMP/open"
	ln -s "$TMP/elsewhere" "$TMP/linked"
	refused 101 'linked' ADD "$(conf ".ipam.dataDir=\"$TMP/linked\"")"
	is "" "$(ls "$TMP/elsewhere")" "files behind the link"
	chmod 777 "$TMP/open"
	refused 101 'open' ADD "$(conf ".ipam.dataDir=\"$TMP/open\"")"
	touch "$TMP/plain"
	refused 101 'plain' ADD "$(conf ".ipam.dataDir=\"$TMP/plain\"")"
	refused 7 'dataDir' ADD "$(conf '.ipam.dataDir="relative/dir"')"
	t "a file of the store replaced by garbage: set aside, never trusted"
	works ADD "$CONF" && works DEL "$CONF"
	find "$DATA" -type f -exec sh -c 'head -c 70000 /dev/urandom >"$1"' - {} \;
	plugin ADD "$CONF"
	is 0 "$RC" "rc: $OUT"
	works DEL "$CONF"
	is 1 "$(find "$DATA" -name '*.broken*' | wc -l)" "broken file kept"
	t "a file of the store cut short"
	find "$DATA" -type f ! -name '*broken*' -exec truncate -s 100 {} \;
	plugin ADD "$CONF"
	is 0 "$RC" "rc: $OUT"
	works DEL "$CONF"
	t "what is shared stayed, for tasks whose records were lost: a store that lost none takes it down"
	forget
	works ADD "$CONF" && works DEL "$CONF"
	t "no room left for the store"
	mkdir "$TMP/full"
	mount -t tmpfs -o size=4k,mode=700 tmpfs "$TMP/full"
	refused 101 'full|space' ADD "$(conf ".ipam.dataDir=\"$TMP/full/x\"")"
	umount "$TMP/full"
	clean
fi

finish
