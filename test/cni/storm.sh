#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Many at once: two runtimes on one host, each with workers of its own and networks of its own, that attach,
# check, detach, collect garbage and lose namespaces as fast as they can; then the same while somebody meddles
# with rules, links and bridges; then calls that meet, two by two.
#
# Held all the time: an error has one of the documented codes, nobody hangs or crashes, no address and no
# port is given twice; undisturbed, what ADD has made passes CHECK and answers a ping at once. At the end
# nothing is left.
#
#   DURATION=N   seconds of the calm storm (12), and half of it disturbed; SLOW=1: 240
#   WORKERS=N    of each runtime (3)
#   ROUNDS=N     of each pair of calls that meet (2; SLOW=1: 20)
[ -z "${SLOW:-}" ] || export TEST_TIMEOUT=${TEST_TIMEOUT:-3600}
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
DURATION=${DURATION:-${SLOW:+240}}
DURATION=${DURATION:-12}
WORKERS=${WORKERS:-3}
ROUNDS=${ROUNDS:-${SLOW:+20}}
ROUNDS=${ROUNDS:-2}

# ---- the networks of the two runtimes ----

netns lan
ip link add lan0 type veth peer name lan1 netns lan
ip addr add 10.0.3.2/24 dev lan0
ip link set lan0 up
ip -n lan addr add 10.0.3.1/24 dev lan1
ip -n lan link set lan1 up
ip link set lo up

BRIDGE='{"cniVersion":"1.1.0","name":"br","type":"task-bridge","bridge":"cni0","isDefaultGateway":true,
	"ipMasq":true,"macspoofchk":true,"ingressPolicy":"same-bridge",
	"ipam":{"dataDir":"'$DATA'","cooldown":0,"ranges":[[{"subnet":"10.88.0.0/26"}]]}}'
VPC='.ipMasq=true | .ipam.cooldown=0'
declare -A CONF_OF=(
	[veth1]=$(conf "$VPC | .name=\"veth1\" | .ipam.ranges=[[{subnet:\"10.0.1.0/28\"}],[{subnet:\"fd00:10:1::/64\"}]]")
	[veth2]=$(conf "$VPC | .name=\"veth2\" | .ipam.ranges=[[{subnet:\"10.0.2.0/28\"}]]")
	[lan1]=$(conf '.name="lan1" | .attach="macvlan" | .master="lan0" | .hostAccess=true | .ipam.cooldown=0
		| .ipam.ranges=[[{subnet:"10.0.3.0/24",rangeStart:"10.0.3.10"}]]')
	[br1]=$(jq -c '.name="br1"' <<<"$BRIDGE")
	[br2]=$(jq -c '.name="br2"' <<<"$BRIDGE") # over the same bridge and subnet
	[host1]='{"cniVersion":"1.1.0","name":"host1","type":"task-host"}'
	[host2]='{"cniVersion":"1.1.0","name":"host2","type":"task-host"}'
)
declare -A PLUGIN_OF=([veth1]=awsvpc [veth2]=awsvpc [lan1]=awsvpc [br1]=task-bridge [br2]=task-bridge
	[host1]=task-host [host2]=task-host)
NETWORKS=([1]="veth1 lan1 br1 br1 host1" [2]="veth2 veth2 br2 br2 host2")
baseline

# ---- one call ----

STORM=$TMP/storm
DISTURBED="" ME=main
SLOWED=()
# ask VERB NETWORK CONTAINER [NETNS [KEYS]]: sets CODE (0: success). KEYS: more of the configuration. The answer
# is in $STORM/$ME.out. Hanging, dying and dirty words are told at once.
ask() {
	local verb=$1 net=$2 id=$3 at=${4-$NETNS/$3} config=${CONF_OF[$2]} rc=0
	[ -z "${5:-}" ] || config="${config%\}},$5}"
	timeout -s KILL 60 env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" CNI_COMMAND="$verb" CNI_CONTAINERID="$id" \
		CNI_NETNS="$at" CNI_IFNAME=eth0 CNI_PATH="$BIN" "${SLOWED[@]}" "$BIN/${PLUGIN_OF[$net]}" <<<"$config" \
		>"$STORM/$ME.out" 2>"$STORM/$ME.err" || rc=$?
	CODE=$rc
	if [ $rc = 1 ]; then
		CODE=none
		[[ $(<"$STORM/$ME.out") =~ \"code\":[[:space:]]*([0-9]+) ]] && CODE=${BASH_REMATCH[1]}
	fi
	echo "$verb $CODE" >>"$STORM/$ME.calls"
	# A GC after a storm names the sysctls and tables that it has restored.
	[ -n "$DISTURBED" ] || ! grep -qv 'warning: restored: ' "$STORM/$ME.err" || complain "$verb of $id in $net"
	case $(<"$STORM/$ME.err") in
	*Sanitizer* | *'runtime error:'* | *'calls are busy'*) complain "$verb of $id in $net" ;;
	esac
}
complain() {
	local text
	text="$*: code $CODE: $(<"$STORM/$ME.out") $(<"$STORM/$ME.err")"
	echo "${text//$'\n'/ }" >>"$STORM/$ME.bad"
}
# want CODES WHAT: the last call ended with one of these.
want() { [[ $CODE =~ ^($1)$ ]] || complain "$2 (expected $1)"; }

# ---- the life of a container ----

# hold KIND…: nobody else who lives may have this address or port. let_go: before what may end it.
hold() {
	local what
	for what; do
		if (set -C && echo "$ID" >"$STORM/held/$what") 2>/dev/null; then
			HELD+=("$what")
		else
			echo "$what is held by $(cat "$STORM/held/$what") and by $ID" >>"$STORM/$ME.bad"
		fi
	done
}
let_go() {
	local what
	for what in ${HOLDS[$1]:-}; do rm -f "$STORM/held/$what"; done
	unset "HOLDS[$1]"
}

# attach NETWORK NETNS: ADD of $ID. A list for GC must not be older than an ADD, so the runtime keeps the two apart
# within a network.
attach() {
	local lock
	exec {lock}<"$STORM/valid/$1"
	flock -s "$lock"
	wish "$1"
	touch "$STORM/valid/$1/$ID"
	ask ADD "$1" "$ID" "$2" "$WISH"
	exec {lock}<&-
}

# place NETWORK: CNI_NETNS of the container $ID.
place() { case $1 in host*) echo /proc/self/ns/net ;; *) echo "$NETNS/$ID" ;; esac; }

# wish NETWORK: what the runtime asks for: of few ports one that others may want too.
wish() {
	PORT=$((8000 + RANDOM % 12))
	case $1 in
	br*) WISH='"runtimeConfig":{"portMappings":[{"containerPort":53,"protocol":"udp"},{"hostPort":'$PORT',"containerPort":80}]}' ;;
	host*) WISH='"runtimeConfig":{"portMappings":[{"containerPort":'$PORT'}]}' ;;
	*) WISH='"nothing":null' PORT="" ;;
	esac
}

# born NETWORK: attach $ID; if it has come about, it is whole.
born() {
	local net=$1 at prev
	local -a HELD=()
	at=$(place "$net")
	[[ $net == host* ]] || ip netns add "$ID"
	attach "$net" "$at"
	want "0|104|107${DISTURBED:+|100|103}" "ADD of $ID in $net"
	[ "$CODE" = 0 ] || { gone "$net"; return 1; }
	cp "$STORM/$ME.out" "$STORM/result/$ID"
	# shellcheck disable=SC2046 # words
	hold ${PORT:+tcp.$PORT} $([[ $net == host* ]] || grep -o '"address":"[^"/]*' "$STORM/result/$ID" | cut -d'"' -f4)
	HOLDS[$ID]="${HELD[*]}"
	LIVE[$ID]=$net
	whole "$ID"
}

# whole CONTAINER: undisturbed, it passes CHECK and is reached.
whole() {
	local ID=$1 net=${LIVE[$1]} to
	ask CHECK "$net" "$ID" "$(place "$net")" "\"prevResult\":$(<"$STORM/result/$ID")"
	want "0${DISTURBED:+|106}" "CHECK of $ID in $net"
	[[ -n $DISTURBED || $net == host* ]] && return
	to=$(grep -o '"gateway":"[^":]*"' "$STORM/result/$ID" | head -1 | cut -d'"' -f4)
	in_ns "$ID" ping -n -q -c 1 -W 5 "$to" >/dev/null 2>&1 || complain "ping from $ID in $net to $to"
}

# gone NETWORK: nobody knows of $ID any more.
gone() {
	rm -f "$STORM/valid/$1/$ID"
	unset "LIVE[$ID]"
	[[ $1 == host* ]] || ip netns del "$ID" 2>/dev/null
}

# dies CONTAINER: in one of the ways that containers die in.
dies() {
	local ID=$1 net=${LIVE[$1]}
	[ -n "$DISTURBED" ] || whole "$ID"
	let_go "$ID"
	case $((RANDOM % 8)) in
	0) # the runtime was killed with it: the next that needs what it had, or GC, takes it
		rm -f "$STORM/valid/$net/$ID"
		[[ $net == host* ]] || { gone "$net"; return; }
		ask DEL "$net" "$ID" ""
		;;
	1 | 2) # its namespace first
		[[ $net == host* ]] || ip netns del "$ID"
		ask DEL "$net" "$ID"
		;;
	3) ask DEL "$net" "$ID" "" ;;
	4) # twice
		ask DEL "$net" "$ID" "$(place "$net")"
		want 0 "DEL of $ID in $net"
		ask DEL "$net" "$ID" "$(place "$net")"
		;;
	*) ask DEL "$net" "$ID" "$(place "$net")" ;;
	esac
	want 0 "DEL of $ID in $net"
	gone "$net"
}

# stillborn NETWORK: its namespace is deleted while ADD is at it.
stillborn() {
	local net=$1 killer
	ip netns add "$ID"
	(sleep "0.0$((RANDOM % 3))$((RANDOM % 10))" && ip netns del "$ID") &
	killer=$!
	attach "$net" "$NETNS/$ID"
	want '0|4|100|104|107' "ADD of $ID in $net, its namespace deleted meanwhile"
	wait $killer
	ask DEL "$net" "$ID"
	want 0 "DEL of $ID in $net, its namespace deleted"
	gone "$net"
}

# collect NETWORK [null]: GC with the runtime's own list: all that it may have begun to attach.
collect() {
	local list="" id lock
	exec {lock}<"$STORM/valid/$1"
	flock "$lock"
	for id in "$STORM/valid/$1"/*; do
		[ ! -e "$id" ] || list+=",{\"containerID\":\"${id##*/}\",\"ifname\":\"eth0\"}"
	done
	list="[${list#,}]"
	ask GC "$1" - "" "\"cni.dev/valid-attachments\":${2:-$list}"
	want 0 "GC of $1"
	exec {lock}<&-
}

# worker RUNTIME NUMBER: until the time is up.
worker() {
	local runtime=$1 net n=0 end=$((SECONDS + LASTS))
	local -a nets
	local -A LIVE=() HOLDS=()
	ME=$1.$2.$DISTURBED
	RANDOM=$((runtime * 1000 + $2 * 7 + $$))
	read -ra nets <<<"${NETWORKS[$runtime]}"
	while [ $SECONDS -lt $end ]; do
		net=${nets[RANDOM % ${#nets[@]}]}
		ID=r$runtime-$2${DISTURBED:+d}-$((n++))
		case $((RANDOM % 12)) in
		0) collect "$net" ;;
		1) collect "$net" null ;;
		2)
			ask STATUS "$net" - ""
			want '0|50' "STATUS of $net"
			;;
		3) [[ $net == host* ]] || stillborn "$net" ;;
		*) born "$net" ;;
		esac
		while [ ${#LIVE[@]} -gt $((RANDOM % 4)) ]; do dies "$(printf '%s\n' "${!LIVE[@]}" | shuf -n 1)"; done
	done
	for ID in "${!LIVE[@]}"; do echo "$ID ${LIVE[$ID]}"; done >"$STORM/$ME.live"
	for ID in "${!HOLDS[@]}"; do let_go "$ID"; done
}

# storm SECONDS [DISTURBER]: all workers at once. Sets ALIVE: "CONTAINER NETWORK" of what they left.
storm() {
	local LASTS=$1 DISTURBED=${2:+yes} runtime n disturber=""
	local -a pids=()
	rm -rf "$STORM"
	mkdir -p "$STORM/held" "$STORM/result"
	for n in "${!CONF_OF[@]}"; do mkdir -p "$STORM/valid/$n"; done
	for runtime in 1 2; do
		for ((n = 0; n < WORKERS; n++)); do
			worker "$runtime" "$n" &
			pids+=($!)
		done
	done
	[ -z "$DISTURBED" ] || { "$2" & disturber=$!; }
	wait "${pids[@]}"
	touch "$STORM/over"
	[ -z "$DISTURBED" ] || wait "$disturber"
	mapfile -t ALIVE < <(cat "$STORM"/*.live)
	told
	echo "storm: $(cat "$STORM"/*.calls | sort | uniq -c | awk '{ printf "%s%s %s: %s", sep, $2, $3, $1; sep = ", " }')"
}
# told: what the workers had to complain of; each is a failure.
told() {
	local line n=0
	while IFS= read -r line; do
		[ $((n++)) -ge 10 ] || fail "${line:0:700}"
	done < <(cat "$STORM"/*.bad 2>/dev/null)
	[ $n -le 10 ] || fail "and $((n - 10)) more"
	[ $n != 0 ] || pass
	rm -f "$STORM"/*.bad
}

# survivors: all that were left alive are whole. aftermath: all goes, and nothing is left.
survivors() {
	local line
	local -A LIVE=()
	ME=survivors
	for line in "${ALIVE[@]}"; do LIVE[${line% *}]=${line#* }; done
	for line in "${!LIVE[@]}"; do whole "$line"; done
	told
}
plugins_run() { pgrep -x 'awsvpc|task-.*' >/dev/null; }
all_ended() { ! plugins_run; }
aftermath() {
	local net line
	ME=aftermath
	for net in "${!CONF_OF[@]}"; do
		ask GC "$net" - "" '"cni.dev/valid-attachments":[]'
		want 0 "the last GC of $net"
	done
	told
	is 0 "$(records)" records
	mapfile -t line < <(cd $NETNS && ls)
	for net in "${line[@]}"; do [ "$net" = lan ] || drop "$net"; done
	until_true all_ended
	is "" "$(pgrep -a -x 'awsvpc|task-.*')" "processes"
	clean
}

# gc_all LIST: GC of every network, as by a runtime that knows of these.
gc_all() {
	local net
	ME=gc
	for net in "${!CONF_OF[@]}"; do
		ask GC "$net" - "" "\"cni.dev/valid-attachments\":$1"
		want 0 "GC of $net"
	done
	told
}

# ---- who disturbs ----

# flushes: what others do to rules and sysctls; a GC heals all of it.
flushes() {
	until [ -e "$STORM/over" ]; do
		sleep 0.15
		case $((RANDOM % 6)) in
		0) nft flush ruleset ;;
		1) nft delete table inet taskvpc ;;
		2) nft flush set inet taskvpc tasks ;;
		3) nft flush map inet taskvpc ports4 ;;
		4) echo 0 >/proc/sys/net/ipv4/ip_forward ;;
		5) # as firewalld reloads
			nft -f - <<-'END'
				add table inet firewalld
				delete table inet firewalld
				table inet firewalld {
					chain filter_INPUT { type filter hook input priority filter + 10; ct state invalid drop; }
				}
			END
			;;
		esac
	done 2>/dev/null
}

# cuts: what others do to links and bridges.
cuts() {
	local link
	until [ -e "$STORM/over" ]; do
		sleep 0.1
		link=$(ip -o link show | awk -F'[ :@]+' '$2 ~ /^vpc/ { print $2 }' | shuf -n 1)
		case $((RANDOM % 7)) in
		0) ip link del cni0 ;;
		1) ip link set cni0 down ;;
		2) ip addr flush dev cni0 ;;
		3) ip link del "$link" ;;
		4) ip link set "$link" down name "cut$RANDOM" ;;
		5) ip link set "$link" nomaster ;;
		6) ip link del "$(ip -o link show type macvlan | awk -F'[ :@]+' '{ print $2 }')" ;;
		esac
	done 2>/dev/null
}

if group calm; then
	t "a storm of $DURATION seconds"
	storm "$DURATION"
	isnt 0 "${#ALIVE[@]}" "tasks that are left"
	survivors
	t "GC of one runtime, with a list of its own, leaves the other's tasks alone"
	for net in veth1 lan1 br1 host1; do ME=gc ask GC $net - "" '"cni.dev/valid-attachments":[]'; done
	mapfile -t ALIVE < <(printf '%s\n' "${ALIVE[@]}" | grep -E ' (veth2|br2|host2)$')
	survivors
	aftermath
fi

if group flushes; then
	t "a storm of $((DURATION / 2)) seconds while rules are flushed"
	storm $((DURATION / 2)) flushes
	t "one GC heals all that are left"
	nft delete table inet firewalld 2>/dev/null
	gc_all null
	survivors
	aftermath
fi

if group cuts; then
	t "a storm of $((DURATION / 2)) seconds while links and bridges are deleted, renamed and set down"
	storm $((DURATION / 2)) cuts
	aftermath
fi

# ---- calls that meet, one of them slowed down so that the other falls into the midst of it ----

if [ -z "$SAN" ] && command -v strace >/dev/null; then
	SLOW_CALL=(strace -f -qq -o /dev/null -e 'trace=sendto,sendmsg' -e 'inject=sendto,sendmsg:delay_enter=20000')
else
	SLOW_CALL=()
fi
# meet [VERB NETWORK CONTAINER [KEYS]] -- …: these calls at once, the first one slowly. Sets CODES, in order;
# the results of ADDs are in $STORM/result.
meet() {
	local n=0 at
	local -a pids=() call SLOWED=("${SLOW_CALL[@]}")
	while [ $# -gt 0 ]; do
		call=()
		while [ $# -gt 0 ] && [ "$1" != -- ]; do call+=("$1") && shift; done
		shift $(($# > 0))
		(
			ME=meet$n
			at=$NETNS/${call[2]}
			ask "${call[0]}" "${call[1]}" "${call[2]}" "$at" "${call[3]:-}"
			[ "$CODE" != 0 ] || [ "${call[0]}" != ADD ] || cp "$STORM/$ME.out" "$STORM/result/${call[2]}"
			echo "$CODE" >"$STORM/$ME.code"
		) &
		pids+=($!)
		n=$((n + 1))
		SLOWED=()
		sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
	done
	wait "${pids[@]}"
	CODES=$(cat "$STORM"/meet*.code | xargs)
	rm -f "$STORM"/meet*
	ME=meet
}
# stands NETWORK CONTAINER: it is whole. ends NETWORK CONTAINER: DEL.
stands() {
	local -A LIVE=([$2]=$1)
	whole "$2"
	told
}
ends() {
	ask DEL "$1" "$2"
	want 0 "DEL of $2 in $1"
	told
}

# all_or_nothing: c1 is attached and whole, or nothing of it is there.
all_or_nothing() {
	if [ "$(records)" = 1 ]; then
		stands "$NET" c1
		ends "$NET" c1
	fi
	no_link cni0 || fail "the bridge is still there"
	is 1 "$(ip -n c1 -o link | wc -l)" "links of c1"
	clean
}
NONE='"cni.dev/valid-attachments":[]'
mkdir -p "$STORM/result"

if group "same attachment"; then
	netns c1
	baseline
	for ((i = 0; i < ROUNDS; i++)); do
		for NET in veth1 lan1 br1; do
			t "$NET: two ADDs of one container at once: one is told of the other"
			meet ADD $NET c1 -- ADD $NET c1
			is "0 102" "$(tr ' ' '\n' <<<"$CODES" | sort -n | xargs)" codes
			is 1 "$(records)" records
			t "$NET: two DELs at once"
			meet DEL $NET c1 -- DEL $NET c1
			is "0 0" "$CODES" codes
			is 0 "$(records)" records
			all_or_nothing
			t "$NET: ADD, and DEL or GC in the midst of it"
			meet ADD $NET c1 -- DEL $NET c1
			is "0 0" "$CODES" codes
			all_or_nothing
			meet ADD $NET c1 -- GC $NET c1 "$NONE"
			is "0 0" "$CODES" codes
			all_or_nothing
		done
	done
	drop c1
	baseline
fi

if group "heirs"; then
	for ((i = 0; i < ROUNDS; i++)); do
		for NET in veth1 br1; do
			for verb in DEL GC; do
				t "$NET: $verb of a dead task, and an ADD that takes its address over: what the heir has stays"
				netns dead heir
				IP=10.88.0.9
				[ $NET = br1 ] || IP=10.0.1.9
				WISH='"runtimeConfig":{"ips":["'$IP'"],"portMappings":[{"hostPort":80,"containerPort":80}]}'
				ask ADD $NET dead $NETNS/dead "$WISH"
				drop dead
				meet $verb $NET dead "$NONE" -- ADD $NET heir "$WISH"
				is "0 0" "$CODES" codes
				# A GC that looks behind the ADD takes both.
				[ "$verb$(records)" = GC0 ] || stands $NET heir
				ends $NET heir
				drop heir
				clean
			done
		done
	done
fi

if group "last of its kind"; then
	for ((i = 0; i < ROUNDS; i++)); do
		t "the last task of one plugin goes while the first of another comes: they share a table"
		netns last first
		ask ADD veth1 last
		meet ADD br1 first -- DEL veth1 last
		is "0 0" "$CODES" codes
		stands br1 first
		meet ADD veth1 last -- DEL br1 first
		is "0 0" "$CODES" codes
		stands veth1 last
		ends veth1 last
		drop last first
		clean
	done
fi

if group "one name"; then
	t "two runtimes and one name: GC of one takes the other's tasks, as the README says"
	netns mine theirs
	for c in mine theirs; do
		ask ADD veth1 $c
		cp "$STORM/$ME.out" "$STORM/result/$c"
	done
	ask GC veth1 - "" '"cni.dev/valid-attachments":[{"containerID":"mine","ifname":"eth0"}]'
	stands veth1 mine
	is 1 "$(records)" records
	ends veth1 mine
	drop mine theirs
	clean
fi

finish
