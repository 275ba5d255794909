#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc check, gc, status and explain: the verbs of networks as a runtime calls them, and plans.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

uplink
baseline
verdict() { "$TASKVPC" check --json "$@" | jq -r 'map("\(.task) \(.check)") | join(" ")'; }

if group check; then
	start a -- sleep 60
	start b --mode bridge -p 8080:80 -- sleep 60
	start h --mode host -p 9000:9000 -- sleep 60
	start n --mode none -- sleep 60
	told 0 check
	is "a ok b ok h ok n ok" "$(verdict a b h n)" "verdicts"
	t "a route that is gone, with its remedy"
	ip route del "$(ip_of a)"
	told 1 check
	like "a +lab-awsvpc +wrong +.*route $(ip_of a).*gone" "$OUT" "difference"
	is "b ok" "$(verdict b)" "the others"
	told 0 check b
	told 1 check a
	sh -c "$("$TASKVPC" check a --json | jq -r '.[0].remedy')"
	told 0 check a
	t "an address in the task"
	in_ns b ip addr flush dev eth0
	told 1 check b
	like 'wrong' "$OUT" "verdict"
	t "rules that were flushed; gc puts them back"
	nft flush ruleset
	told 1 check a
	told 0 gc
	like 'nothing to remove' "$ERR" "gc"
	told 0 check a
	refuses 66 'there is no task "nope"' check nope
	refuses 66 'there is no task "nope"' check a nope
	told 0 rm a b h n
	clean
fi

if group "one command repairs it"; then
	start a -p 80:80 -- sleep 60
	start b --mode bridge -p 8080:80 -- sleep 60
	t "links that went down and up, in the task and on the host"
	in_ns a ip link set eth0 down && in_ns a ip link set eth0 up
	ip link set "$(row a .hostInterface)" down && ip link set "$(row a .hostInterface)" up
	in_ns b ip link set eth0 down
	told 1 check
	told 0 check --fix
	like 'a: fixed: awsvpc: .*route default.*ip -n a route replace default' "${OUT//$'\n'/ }" "told with its commands"
	like 'a +lab-awsvpc +ok' "$OUT" "a"
	told 0 check
	ping_ok host "$(ip_of a)"
	ping_ok host "$(ip_of b)"
	t "all at once, as JSON"
	nft flush ruleset
	sysctl -qw net.ipv4.ip_forward=0
	in_ns a ip addr flush dev eth0
	told 0 check --fix --json a
	is "ok true" "$(jq -r '.[0] | "\(.check) \(.fixed | length > 1)"' <<<"$OUT")" "verdict"
	told 0 check --fix b
	told 0 check
	t "a namespace without its name, a task that is dead"
	umount /run/netns/a && rm /run/netns/a
	told 0 check --fix a
	like 'fixed: its network namespace is not /run/netns/a any more.*ip netns attach a' "${OUT//$'\n'/ }" "told"
	slay b
	until_true eval '[ "$(row b .state)" = dead ]'
	told 0 check --fix
	like 'b: fixed: the task is gone' "$OUT" "told"
	is a "$("$TASKVPC" ls -q)" "tasks"
	t "what it cannot repair is told, once"
	mkdir -p "$TMP/fake"
	printf '#!/bin/sh\n[ "$CNI_COMMAND" != CHECK ] || { echo "{\\"code\\":106,\\"msg\\":\\"astray\\",\\"details\\":\\"to repair it: touch %s\\"}"; exit 1; }\n' \
		"$TMP/obeyed" >"$TMP/fake/odd" && chmod +x "$TMP/fake/odd"
	echo '{"cniVersion":"1.0.0","name":"odd","type":"odd"}' >"$TMP/odd.conf"
	start o --bin-dir "$TMP/fake" --net "$TMP/odd.conf" -- sleep 60
	told 1 check --fix --bin-dir "$TMP/fake" o
	like 'odd: astray' "$OUT" "told"
	fails "the advice of a plugin of others is not run" test -e "$TMP/obeyed"
	told 0 rm -t 0 a o
	t "gc tells what it puts back"
	start a -- sleep 60
	told 0 gc
	is "" "$OUT" "nothing"
	sysctl -qw net.ipv4.ip_forward=0
	nft flush ruleset
	told 0 gc
	like 'restored \(network lab-awsvpc\): the nftables rules of table inet taskvpc' "$OUT" "rules"
	like 'restored \(network lab-awsvpc\): the sysctl net/ipv4/ip_forward is 0 instead of 1' "$OUT" "sysctl"
	sysctl -qw net.ipv4.ip_forward=0
	told 0 gc --json
	is "lab-awsvpc the sysctl net/ipv4/ip_forward is 0 instead of 1" "$(jq -r '.[0] | "\(.network) \(.restored)"' <<<"$OUT")" "as JSON"
	told 0 rm -t 0 a
	clean
fi

if group "what check tells to do repairs it"; then
	PATH=$BIN:$PATH
	# heals TASK COMMAND…: this breaks it; then each fix is done, until check finds nothing more.
	heals() {
		local task=$1 round fix=
		CASE="check: ${*:2}"
		"${@:2}" || fail "not broken"
		told 1 check "$task"
		for ((round = 0; round < 12 && RC != 0; round++)); do
			fix=$("$TASKVPC" check "$task" --json | jq -r '.[0].remedy')
			sh -c "$fix" >"$TMP/fixed" 2>&1 || fail "fix: $fix: $(<"$TMP/fixed")"
			RC=0
			"$TASKVPC" check "$task" >/dev/null || RC=$?
		done
		is 0 "$RC" "check after the fixes; the last was: $fix"
		ping_ok host "$(ip_of "$task")"
		# Begin anew: what comes next must not find it half healed.
		told 0 rm "$task"
		clean
	}
	begin() { start a -- sleep 60; end=$(row a .hostInterface); }
	begin_bridge() { start b --mode bridge -p 8080:80 -- sleep 60; end=$(row b .hostInterface); }
	begin; heals a ip -n a addr del "$(ip_of a)/24" dev eth0
	begin; heals a ip -n a link set eth0 down
	begin; heals a ip link set "$end" down
	begin; heals a ip link del "$end"
	begin; heals a ip -n a link set eth0 address 02:00:00:00:00:77
	begin; heals a ip link set "$end" address 02:00:00:00:00:77
	begin; heals a ip -n a route del default
	begin; heals a ip -n a route flush table main
	begin; heals a ip route del "$(ip_of a)"
	begin; heals a ip neigh del "$(ip_of a)" dev "$end"
	begin; heals a ip -n a neigh flush all nud permanent
	begin; heals a sh -c 'ip -n a link set eth0 down && ip -n a link set eth0 name eth5 && ip -n a link set eth5 up'
	begin; heals a nft flush ruleset
	begin; heals a nft flush chain inet taskvpc guard
	for set in tasks own4 masq4 vpc4; do begin; heals a nft flush set inet taskvpc $set; done
	begin; heals a ip netns del a
	begin; heals a sysctl -qw net.ipv4.ip_forward=0
	begin_bridge; heals b ip -n b addr flush dev eth0
	begin_bridge; heals b ip link set "$end" nomaster
	begin_bridge; heals b ip link set br-lab down
	begin_bridge; heals b ip addr flush dev br-lab
	begin_bridge; heals b ip link del "$end"
	begin_bridge; heals b nft flush map inet taskvpc ports4
	begin_bridge; heals b nft flush ruleset
	t "gc puts back what was taken out of a set, of all tasks"
	begin; begin_bridge
	nft flush set inet taskvpc own4
	nft flush map inet taskvpc ports4
	is "a wrong b wrong" "$(verdict a b)" "verdicts"
	told 0 gc
	is "a ok b ok" "$(verdict a b)" "verdicts"
	told 0 rm a b
	clean
fi

if group gc; then
	told 0 gc
	like 'nothing to remove' "$ERR" "nothing"
	is "[]" "$("$TASKVPC" gc --json | jq -c .)" "JSON"
	start alive -- sleep 60
	start dead -- sleep 61
	add container
	ip netns add gone && ID=gone works ADD "$CONF" CNI_NETNS=$NETNS/gone
	slay dead
	drop gone
	until_true gone 'sleep 61'
	told 0 gc --json
	is "dead gone" "$(jq -r 'map(.task) | sort | join(" ")' <<<"$OUT")" "removed"
	is "alive up container up" "$("$TASKVPC" ls --json | jq -r 'sort_by(.task) | map("\(.task) \(.state)") | join(" ")')" "left"
	t "of one network"
	ip netns add gone && ID=gone works ADD "$CONF" CNI_NETNS=$NETNS/gone
	drop gone
	told 0 gc lab-awsvpc
	like 'nothing to remove' "$ERR" "another network"
	told 0 gc lab
	like '^gone ' "$(tail -n 1 <<<"$OUT")" "its own"
	refuses 66 'network "nope"' gc nope
	del container
	ip netns del container
	told 0 rm alive
	clean
fi

if group status; then
	told 0 status
	is "lab-awsvpc lab-bridge lab-host lab-none" "$(awk 'NR > 1 && $3 == "ok" { print $1 }' <<<"$OUT" | sort | tr '\n' ' ' | sed 's/ $//')" "built in"
	t "files: one more, one that replaces, one that is broken, one that is old"
	cp "$ROOT/netconf-examples/task-bridge.conflist" /etc/cni/net.d/10-bridge.conflist
	"$TASKVPC" inspect lab-none 2>/dev/null >/etc/cni/net.d/20-none.conflist
	echo '{' >/etc/cni/net.d/30-broken.conflist
	told 1 status
	like 'task-bridge +bridge +ok +/etc/cni/net.d/10-bridge.conflist' "$OUT" "one more"
	like 'lab-none +none +ok +/etc/cni/net.d/20-none.conflist' "$OUT" "one that replaces"
	is 1 "$(grep -c lab-none <<<"$OUT")" "lines of it"
	like '- +- +wrong +/etc/cni/net.d/30-broken.conflist .*no valid JSON' "$OUT" "broken"
	rm /etc/cni/net.d/30-broken.conflist
	told 0 status
	jq '.cniVersions = ["0.4.0", "1.0.0"]' "$ROOT/netconf-examples/task-bridge.conflist" >/etc/cni/net.d/10-bridge.conflist
	told 0 status
	like 'task-bridge +bridge +unknown .*before cniVersion 1.1.0' "$OUT" "old"
	t "a pool that is full, a plugin that is missing"
	one 10.9.0.0/29 '.ipam.ranges[0][0].reserve = "minimal" | .name = "tiny" | del(.vpc)' >/etc/cni/net.d/tiny.conf
	for i in 1 2 3 4 5; do start s$i --net tiny -- sleep 60; done
	told 1 status tiny
	like 'tiny +awsvpc +no .*exhausted' "$OUT" "full"
	told 0 rm --all --time 1
	echo '{"cniVersion":"1.1.0","name":"n","type":"nosuch"}' >/etc/cni/net.d/n.conf
	told 1 status n
	like 'n +nosuch +no .*no plugin "nosuch"' "$OUT" "missing"
	t "warnings of the plugin"
	jq '.cniVersions = ["1.1.0"] | .plugins[0].ipam.nonsense = 5 | .name = "warn"' "$ROOT/netconf-examples/task-bridge.conflist" >"$TMP/warn.conflist"
	told 0 status "$TMP/warn.conflist"
	like 'warning: .*nonsense' "$OUT" "message"
	jq '.plugins += [{type: "loopback"}]' "$TMP/warn.conflist" >"$TMP/chained.conflist"
	told 0 status "$TMP/chained.conflist"
	like 'warning: .*nonsense' "$OUT" "one that says nothing stands behind it"
	jq '.plugins += [.plugins[0] | .ipam.rubbish = 6]' "$TMP/warn.conflist" >"$TMP/chained.conflist"
	told 0 status "$TMP/chained.conflist"
	like 'nonsense.*; .*rubbish' "$OUT" "both"
	refuses 66 'no network "nope"' status nope
	rm /etc/cni/net.d/*
	clean
fi

if group explain; then
	for network in lab-awsvpc lab-bridge lab-none; do
		told 0 explain $network
		isnt "" "$(grep -v '^#' <<<"$OUT")" "commands of $network"
		like '^# ' "$(grep -m 1 '^#' <<<"$OUT")" "reasons of $network"
	done
	told 0 explain lab-host
	like 'Nothing is made' "$OUT" "host"
	t "ports and addresses that would be asked for"
	told 0 explain lab-bridge -p 8080:80 --ip 10.201.0.9 --mac 02:00:00:00:00:09
	like "ports4 '\{ 6 \. 8080 : 10\.201\.0\.9 \. 80 \}'" "$OUT" "port"
	like '02:00:00:00:00:09' "$OUT" "MAC"
	told 0 explain --name web lab-awsvpc
	like 'ip netns add web' "$OUT" "name"
	told 0 explain --verb del lab-bridge
	like 'ip link del dev vpc' "$OUT" "del"
	clean
	t "what is printed does what the plugin does"
	"$TASKVPC" explain --name made lab-awsvpc >"$TMP/plan.sh"
	runs "the plan" sh -e "$TMP/plan.sh"
	ping_ok made 198.51.100.2
	ip netns exec made ip route >"$TMP/made.route"
	drop made
	start task -- sleep 60
	is "$(sed 's/10\.200\.[12]\.[0-9]*/X/g' "$TMP/made.route")" "$(in_ns task ip route | sed 's/10\.200\.[12]\.[0-9]*/X/g')" "routes"
	told 0 rm task
	nft delete table inet taskvpc 2>/dev/null
	for gw in 10.200.1.1 10.200.2.1; do ip route del local $gw 2>/dev/null; done
	clean
	t "of a task: what it has"
	start task --mode bridge -p 8080:80 -- sleep 60
	told 0 explain task
	like "index [0-9]+ address $(row task .hostMac)" "$OUT" "its own MAC"
	told 0 explain --verb del task
	like "ip link del dev $(row task .hostInterface)" "$OUT" "del"
	t "as JSON: a command and its reason"
	told 0 explain task --json
	is 0 "$(jq '[.[] | select((.command | type) != "string" or (.why | type) != "string")] | length' <<<"$OUT")" "rows"
	like 'nft -f - .*EOF' "$(jq -r '.[0].command' <<<"$OUT" | tr '\n' ' ')" "a here-document is one command"
	told 0 rm task
	t "refused"
	refuses 66 'no network "nope"' explain nope
	refuses 64 'neither add nor del' explain --verb x lab-bridge
	refuses 64 'is no name' explain --name 'X y' lab-bridge
	refuses 64 '-p ' explain -p x lab-bridge
	refuses 65 'gateway|reserved' explain --ip 10.201.0.1 lab-bridge
	refuses 65 'port' explain -p 8080:80 lab-awsvpc
	clean
fi

finish
