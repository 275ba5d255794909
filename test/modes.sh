# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every mode as a scene in which a call can be disturbed, and what must heal it. For scripts that disturb,
# after test/lib.sh: `scene MODE`, then `prepare VERB`, a disturbed call of c1, `healed N WHAT`, and
# `scene_end`.
#
#   PHASE=N     which calls a sample begins with (default: the day of the year, so that each day takes others)
#   SHARD=I/N   only each N-th call or case, so that several of these share the work
SHARD=${SHARD:-0/1}
PHASE=${PHASE:-$(date +%-j)}
# shellcheck disable=SC2034 # for the scripts
MODES_ALL=(veth macvlan bridge beside host none ipam foreign loopback)

# ---- the modes: PLUGIN, CONFIG, IFNAME; WHERE: the one namespace of all, else each has its own; POOL: where
# a foreign IPAM plugin keeps its store; and who must not be touched: a CHECK of BESIDE ----

scene() {
	netns c1 c2
	WHERE='' BESIDE='' POOL='' IFNAME=eth0
	"scene_$1"
	# The other container wants no port that the first one may still hold.
	OTHER=$(jq -c 'if .runtimeConfig then del(.runtimeConfig.portMappings) else . end' <<<"$CONFIG")
	VALID=$(jq -c '.["cni.dev/valid-attachments"]=[{containerID: "beside", ifname: "eth0"}]' <<<"$CONFIG")
	baseline
	snapshot c1 >"$TMP/before"
	rm -f "$TMP/well"
}
scene_end() {
	clean
	[ -z "$BESIDE" ] || del beside "$CONFIG"
	[ ! -e "$NETNS/beside" ] || drop beside
	drop c1 c2
	[ ! -e "$NETNS/lan" ] || drop lan
}

# Everything that a veth can have.
scene_veth() {
	PLUGIN=$BIN/awsvpc
	CONFIG=$(conf '.ipMasq=true | .hostRouting="bpf" | .ipam.cooldown=0 | .ipam.ranges += [[{subnet:"fd00:10:1::/64"}]]')
}
scene_macvlan() {
	PLUGIN=$BIN/awsvpc
	netns lan
	ip link add lan0 type veth peer name lan1 netns lan
	ip addr add 10.0.1.2/24 dev lan0
	ip link set lan0 up
	ip -n lan link set lan1 up
	CONFIG=$(conf '.attach="macvlan" | .master="lan0" | .hostAccess=true | .ipam.cooldown=0
		| .ipam.ranges=[[{subnet:"10.0.1.0/24",rangeStart:"10.0.1.10"}]]')
}
# Everything that a bridge can have.
scene_bridge() {
	PLUGIN=$BIN/task-bridge
	CONFIG='{"cniVersion":"1.1.0","name":"br","type":"task-bridge","bridge":"cni0","isDefaultGateway":true,
		"ipMasq":true,"macspoofchk":true,"ingressPolicy":"same-bridge","runtimeConfig":{
		"portMappings":[{"hostPort":8080,"containerPort":80},{"containerPort":53,"protocol":"udp"},
			{"hostPort":8443,"containerPort":443,"hostIP":"192.0.2.1"}],
		"bandwidth":{"ingressRate":10000000,"ingressBurst":800000,"egressRate":10000000,"egressBurst":800000}},
		"ipam":{"dataDir":"'$DATA'","cooldown":0,"ranges":[[{"subnet":"10.88.0.0/16"}],[{"subnet":"fd00:88::/64"}]]}}'
	CONFIG=$(jq -c . <<<"$CONFIG")
}
# One of many: what is shared stays.
scene_beside() {
	scene_bridge
	netns beside
	add beside "$(jq -c '.runtimeConfig.portMappings=[{containerPort:80}]' <<<"$CONFIG")"
	BESIDE=$(with_prev beside "$CONFIG")
}
scene_host() {
	PLUGIN=$BIN/task-host
	WHERE=/proc/self/ns/net
	CONFIG='{"cniVersion":"1.1.0","name":"lab","type":"task-host","runtimeConfig":{"portMappings":[
		{"containerPort":80},{"containerPort":53,"protocol":"udp"}]}}'
	CONFIG=$(jq -c . <<<"$CONFIG")
}
scene_none() {
	PLUGIN=$BIN/task-none
	CONFIG='{"cniVersion":"1.1.0","name":"lab","type":"task-none"}'
}
# As another plugin's delegate.
scene_ipam() {
	PLUGIN=$BIN/task-ipam
	CONFIG=$(conf '.type="bridge" | .ipam.cooldown=0')
}
# An interface of ours with the addresses of a foreign IPAM plugin, with a store of its own.
scene_foreign() {
	PLUGIN=$BIN/awsvpc POOL=$TMP/pool
	mkdir -p "$TMP/bin"
	cp "$BIN/task-ipam" "$TMP/bin/pool"
	CONFIG=$(conf '.ipam={type: "pool", dataDir: "'"$POOL"'", cooldown: 0, ranges: [[{subnet: "10.0.1.0/24"}]]}')
}

scene_loopback() {
	PLUGIN=$BIN/loopback IFNAME=lo
	CONFIG='{"cniVersion":"1.1.0","name":"lo","type":"loopback"}'
}

# ---- calls ----

# line VERB [NAME]: the environment of the call, in LINE; the plugin follows, its configuration on stdin.
line() {
	LINE=(env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" CNI_COMMAND="$1" CNI_CONTAINERID="${2:-c1}" CNI_IFNAME="$IFNAME"
		CNI_NETNS="${WHERE:-$NETNS/${2:-c1}}" CNI_PATH="$BIN:$TMP/bin")
}
# run VERB [CONFIG [NAME]]: stdout is kept.
run() {
	local -a LINE
	line "$1" "${3:-}"
	timeout -s KILL 60 "${LINE[@]}" "$PLUGIN" <<<"${2:-$CONFIG}" >"$TMP/stdout" 2>"$TMP/stderr"
}
# must VERB [CONFIG [NAME]]: it succeeds; if not, that is printed.
must() { run "$@" || echo "$1${3:+ of $3}: $(<"$TMP/stdout")$(<"$TMP/stderr")"; }
# checked [CONFIG [NAME]]: CHECK of the ADD whose result is in $TMP/stdout.
checked() {
	local config=${1:-$CONFIG}
	must CHECK "${config%\}},\"prevResult\":$(<"$TMP/stdout")}" "${2:-}"
}

# prepare VERB: what there must be before it: no store, unless it is shared, so that ADD makes it; two that go,
# for GC.
prepare() {
	case $1 in
	ADD) [ -n "$BESIDE" ] || rm -rf "$DATA" "${POOL:-$DATA}" ;;
	DEL) must ADD ;;
	GC) must ADD && must ADD "$OTHER" c2 ;;
	esac
}

# seen: what snapshot reads, as it comes.
seen() {
	ip -o -batch - <<<$'link show\nroute show table all\nneigh show nud permanent'
	nft -s list ruleset
	ip -n c1 -o -batch - <<<$'link show\nroute show table all'
	ls "$NETNS"
	records
}

# residue: what is left, or missing, or does the one beside harm; nothing if all is well. What looks the same
# as when all was well is so; only else it is looked into, which takes three times as long.
residue() {
	local now was='' told
	now=$(seen)
	[ ! -e "$TMP/well" ] || IFS= read -r -d '' was <"$TMP/well"
	if [ "$now" != "$was" ]; then
		told=$(snapshot c1 | diff "$TMP/before" - | grep '^[<>]')
		if [ -n "$told" ]; then echo "$told"; else printf '%s\0' "$now" >"$TMP/well"; fi
	fi
	[ "$IFNAME" = lo ] || ip -n c2 -br link show dev eth0 2>/dev/null
	[ -z "$POOL" ] || [ "$(DATA=$POOL records)" = 0 ] || echo "a lease of the foreign IPAM plugin"
	[ -z "$BESIDE" ] || call CHECK beside <<<"$BESIDE"
}

# same_address: one that both containers have.
same_address() {
	local -a all
	mapfile -t all < <(for name in c1 c2; do ip -n $name -o addr show dev eth0 scope global 2>/dev/null; done |
		awk '{ sub(/\/.*/, "", $4); print $4 }' | sort | uniq -d)
	[ ${#all[@]} = 0 ] || echo "two have the address ${all[*]}"
}

# ---- what heals ----

heal_DEL() { must DEL; }
heal_GC() { must GC "$VALID"; }
heal_ADD() {
	if run ADD; then
		checked
	else
		# It came about after all; then it stands, and that is told.
		[ "$(jq .code "$TMP/stdout")" = 102 ] || echo "ADD: $(<"$TMP/stdout")"
	fi
	must DEL
}
# Another one is served at once, and no address is given twice; what the first left goes with GC.
heal_ANOTHER() {
	if run ADD "$OTHER" c2; then
		same_address
		checked "$OTHER" c2
	elif [ "$(jq .code "$TMP/stdout")" != 102 ]; then
		echo "ADD of another: $(<"$TMP/stdout")"
	fi
	must DEL "$OTHER" c2
	must GC "$VALID"
}
HEALERS=(DEL GC ADD ANOTHER)

# heal VERB N: what may come after VERB was disturbed, by turns. Prints what goes wrong. A DEL of one
# container heals no GC of two.
heal() {
	"heal_${HEALERS[$2 % 4]}"
	[ "$1" != GC ] || must GC "$VALID"
	residue
}

# healed VERB N WHAT: heal, as a check. After a failure the host is cleaned for the next.
healed() {
	local seen
	seen=$(heal "$1" "$2")
	if [ -z "$seen" ]; then
		pass
		return
	fi
	seen=${seen//$'\n'/ | }
	fail "$3, then ${HEALERS[$2 % 4]}: ${seen:0:500}"
	run GC "$VALID"
	[ -z "$(residue)" ] || fail "not even GC heals that"
}

# ---- the system calls of a verb ----

DISTURB=${BIN%/*}/test/disturb

# need_disturb: what disturbs at a system call can be had, or the script ends with a skip. Leaks cannot be
# looked for in who is traced.
need_disturb() {
	[ -z "$SAN" ] || export ASAN_OPTIONS=detect_leaks=0
	if [ ! -x "$DISTURB" ]; then
		DISTURB=$ROOT/build/test/disturb
		make -s -C "$ROOT" BUILD=build "$DISTURB" || fail "cannot build $DISTURB"
	fi
	"$DISTURB" /dev/null EIO 1 1 true >/dev/null 2>&1
	[ $? != 125 ] && return
	skip "system calls cannot be disturbed here"
	finish
}

# disturbed VERB HOW PROCESS CALL: one run of it: HOW is `kill`, or the name of an error, with + from there on
# (test/disturb.c). Sets RC, OUT, ERR, and DISTURBED, the name of the call, or nothing if it was never made.
# shellcheck disable=SC2034 # for the scripts
disturbed() {
	local -a LINE
	local config=$CONFIG
	line "$1"
	RC=0 DISTURBED=''
	[ "$1" != GC ] || config=$VALID
	# In braces: their redirection takes in what the shell says of a job that died.
	{
		timeout -s KILL 60 "${LINE[@]}" "$DISTURB" "$TMP/report" "$2" "$3" "$4" "$PLUGIN" <<<"$config" \
			>"$TMP/stdout" 2>"$TMP/stderr" || RC=$?
	} 2>/dev/null
	read -r DISTURBED <"$TMP/report"
	OUT=$(<"$TMP/stdout") ERR=$(<"$TMP/stderr")
}

# calls_of VERB: its system calls as "PROCESS CALL NAME PLACE", by processes and in order. PLACE: "early",
# before main() has begun; "own"; "child", of a process that it started.
calls_of() {
	disturbed "$1" list 0 0
	awk '($1, $2) in seen { next }
		{ seen[$1, $2]; main = main || $3 == "fcntl" }
		{ print $0, ($1 > 1 ? "child" : main ? "own" : "early") }' "$TMP/report" | sort -s -n -k1,1
}

# sampled N: N lines of stdin, evenly spread, on each day others; with SLOW=1 all.
sampled() {
	awk -v shard="${SHARD%/*}" -v of="${SHARD#*/}" 'NR % of == shard' |
		if [ -n "${SLOW:-}" ]; then cat; else
			awk -v want="$1" -v phase="$PHASE" '{ line[NR] = $0 } END {
				for (i = 1; i <= NR; i++)
					if (int((i + phase) * want / NR) != int((i + phase - 1) * want / NR)) print line[i] }'
		fi
}
