# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every mode as a scene in which a call can be disturbed, and what must heal it. For scripts that disturb,
# after test/lib.sh: `scene MODE`, then `prepare VERB`, a disturbed call of c1, `healed N WHAT`, and
# `scene_end`.
#
#   PHASE=N   which calls a sample begins with (default: the day of the year, so that each day takes others)
PHASE=${PHASE:-$(date +%-j)}
# shellcheck disable=SC2034 # for the scripts
MODES_ALL=(veth macvlan bridge beside host none ipam foreign)

# ---- the modes: PLUGIN, CONFIG; WHERE: the one namespace of all, else each has its own; POOL: where a
# foreign IPAM plugin keeps its store; and who must not be touched: a CHECK of BESIDE ----

scene() {
	netns c1 c2
	WHERE='' BESIDE='' POOL=''
	"scene_$1"
	# The other container wants no port that the first one may still hold.
	OTHER=$(jq -c 'if .runtimeConfig then del(.runtimeConfig.portMappings) else . end' <<<"$CONFIG")
	VALID=$(jq -c '.["cni.dev/valid-attachments"]=[{containerID: "beside", ifname: "eth0"}]' <<<"$CONFIG")
	baseline
	snapshot c1 >"$TMP/before"
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

# ---- calls ----

# line VERB [NAME]: the environment of the call, in LINE; the plugin follows, its configuration on stdin.
line() {
	LINE=(env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" CNI_COMMAND="$1" CNI_CONTAINERID="${2:-c1}" CNI_IFNAME=eth0
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
checked() { must CHECK "$(jq -c --slurpfile p "$TMP/stdout" '.prevResult=$p[0]' <<<"${1:-$CONFIG}")" "${2:-}"; }

# config_of VERB: what a runtime sends with it: GC has the list of who may stay.
config_of() { if [ "$1" = GC ]; then echo "$VALID"; else echo "$CONFIG"; fi; }

# prepare VERB: what there must be before it; two that go, for GC.
prepare() {
	case $1 in
	DEL) must ADD ;;
	GC) must ADD && must ADD "$OTHER" c2 ;;
	esac
}

# residue: what is left, or missing, or does the one beside harm; nothing if all is well.
residue() {
	snapshot c1 | diff "$TMP/before" - | grep '^[<>]'
	ip -n c2 -br link show dev eth0 2>/dev/null
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

# need_inject: strace that can inject, or the script ends with a skip. Leaks cannot be looked for under it.
need_inject() {
	[ -z "$SAN" ] || export ASAN_OPTIONS=detect_leaks=0
	command -v strace >/dev/null && strace -o /dev/null -e inject=getppid:error=EIO true 2>/dev/null && return
	skip "needs strace with injection"
	finish
}

# trace VERB: one run of it, its system calls in $TMP/trace as strace -f tells them.
trace() {
	local -a LINE
	line "$1"
	config_of "$1" | timeout -s KILL 60 "${LINE[@]}" strace -f -o "$TMP/trace" "$PLUGIN" >/dev/null 2>&1
}

# sampled N: N lines of stdin, evenly spread, on each day others; with SLOW=1 all.
sampled() {
	if [ -n "${SLOW:-}" ]; then cat; else
		awk -v want="$1" -v phase="$PHASE" '{ line[NR] = $0 } END {
			for (i = 1; i <= NR; i++)
				if (int((i + phase) * want / NR) != int((i + phase - 1) * want / NR)) print line[i] }'
	fi
}
