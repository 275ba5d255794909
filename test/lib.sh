# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The harness of the black-box tests. Sourcing it moves the script into network, mount and pid
# namespaces of its own with an empty /run: "the host" of a test is that private namespace, and
# whatever a test leaves behind, processes included, ends with it.
#
# A script is: source lib.sh, then as test/checks.sh says, which this one sources.
#
#   BIN=DIR        plugins under test (default build/bin; build/san/bin for AddressSanitizer)
#   CNI_REF=DIR    the reference plugins (default /usr/lib/cni)
#   EMULATED=N     what is waited for may take N times as long: the processor is emulated (default 1)
#   SLOW=1         also the cases that wait for a time-out of the plugin (a minute)

set -u -o pipefail
export LC_ALL=C

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BIN=$(realpath -m "${BIN:-$ROOT/build/bin}")
CNI_REF=${CNI_REF:-/usr/lib/cni}

if [ "${TASKVPC_TEST:-}" != inside ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "skip: needs root"
		echo "0 passed, 0 failed, 1 skipped"
		exit 0
	fi
	exec env TASKVPC_TEST=inside BIN="$BIN" CNI_REF="$CNI_REF" \
		timeout --foreground -k 5 "${TEST_TIMEOUT:-900}" \
		unshare --net --mount --pid --fork --kill-child --mount-proc \
		--propagation private bash "$0" "$@"
fi

mount -t tmpfs -o mode=755 tmpfs /run
# shellcheck disable=SC2174 # the mode of /run/netns matters, that of /run is set above
mkdir -p -m 755 /run/netns
mkdir /run/lock
TMP=/run/test
mkdir -p "$TMP/result" "$TMP/job"
NETNS=/run/netns
DATA=/run/taskvpc
ip link set lo up
# A host without any address would have nothing to ping from.
ip addr add 192.0.2.1/32 dev lo
ip -6 addr add 2001:db8::1/128 dev lo nodad

EMULATED=${EMULATED:-1}
PLUGIN=$BIN/awsvpc
# AddressSanitizer needs a long start and finds leaks at the exit, gcov writes what it counted, valgrind
# interprets: exact times mean nothing there.
# shellcheck disable=SC2034 # for the scripts
case $BIN in */san/* | */cov/* | */valgrind/*) SAN=1 ;; *) SAN= ;; esac

# shellcheck source=test/checks.sh
. "$ROOT/test/checks.sh"
need jq ip nft

if [ ! -x "$BIN/awsvpc" ] && [ -z "${HARNESS_ONLY:-}" ]; then
	fail "no $BIN/awsvpc: run make first"
	finish
fi

# ---- the host and its namespaces ----

# netns NAME…: fresh namespaces of tasks, empty, lo down, as a runtime leaves them.
netns() {
	local name
	for name; do ip netns add "$name"; done
}

no_link() { ! ip link show "$1" >/dev/null 2>&1; }

# drop NAME…: end namespaces as a dying container does.
drop() {
	local name link links
	for name; do
		# The kernel takes a namespace apart in the background: wait for the host's ends to go.
		links=$(ip -o link show | awk -v "name=$name" '
			$0 ~ "link-netns " name "([^[:alnum:]_.-]|$)" { sub(/@.*/, "", $2); print $2 }')
		ip netns del "$name" 2>/dev/null || continue
		for link in $links; do until_true no_link "$link"; done
	done
	return 0
}

# in_ns NAME COMMAND…: run in a task's namespace; "host" is the host's.
in_ns() {
	local name=$1
	shift
	if [ "$name" = host ]; then "$@"; else nsenter --net="$NETNS/$name" -- "$@"; fi
}

# sysctl_of NAME KEY: a sysctl in a namespace; with slashes.
sysctl_of() { in_ns "$1" cat "/proc/sys/$2"; }

# Seconds for one echo.
ECHO_WAIT=0.5
[ "$EMULATED" = 1 ] || ECHO_WAIT=$EMULATED

# pings FROM TO [OPTION…]: does one echo come back?
pings() {
	local from=$1 to=$2
	shift 2
	in_ns "$from" ping -n -q -c 1 -W "$ECHO_WAIT" "$@" "$to" >/dev/null 2>&1
}

# ping_ok FROM TO [OPTION…] and ping_no: as checks. More tries: a neighbour may have to be found.
ping_ok() {
	local from=$1 to=$2 seen
	shift 2
	if pings "$from" "$to" "$@" || seen=$(in_ns "$from" ping -n -c 3 -i 0.2 -W 1 "$@" "$to" 2>&1); then
		pass
	else
		fail "ping from $from to $to: expected an answer, seen: ${seen//$'\n'/ }"
	fi
}
ping_no() {
	local from=$1 to=$2
	shift 2
	if in_ns "$from" ping -n -q -c 2 -i 0.1 -W 0.4 "$@" "$to" >/dev/null 2>&1; then
		fail "ping from $from to $to: expected no answer, there was one"
	else
		pass
	fi
}

# tcp_ok FROM TO-NAME ADDRESS: a line sent over TCP comes back. The server runs in TO-NAME.
tcp_ok() {
	local from=$1 to=$2 address=$3 pid seen
	in_ns "$to" timeout 5 busybox nc -l -p 7007 -e /bin/cat &
	pid=$!
	until_true in_ns "$to" sh -c 'ss -Hltn "sport = 7007" | grep -q .'
	seen=$(echo hello | in_ns "$from" timeout 3 busybox nc -w 2 "$address" 7007 2>&1)
	is hello "$seen" "TCP from $from to $to ($address)"
	stop "$pid"
}

# quick MS SEEN WHAT: within so many milliseconds, where times mean anything.
quick() { [ -n "$SAN" ] || within $(($1 * EMULATED)) "${@:2}"; }

# until_true COMMAND…: wait up to 3 s for it.
until_true() {
	local i
	for ((i = 0; i < 60 * EMULATED; i++)); do
		"$@" && return
		sleep 0.05
	done
	return 1
}

# The kernel makes the route of that address in the background: before the first snapshot it is there.
until_true sh -c 'ip -6 route show table local | grep -q 2001:db8::1'

# no_walker: no process deletes the connections of tasks that are gone any more; until then their
# addresses are for nobody, and it holds the store open.
no_walker() { ps -eo comm= | awk '$1 == "taskvpc-flows" { found = 1 } END { exit found }'; }

# stop PID…: end processes that this test started.
stop() {
	kill "$@" 2>/dev/null
	wait "$@" 2>/dev/null
	return 0
}

# records: how many live records the store holds: slots of 1024 bytes that begin with the word LIVE
# (lib/store/slots.h).
records() {
	local at n=0
	while IFS=: read -r at _; do
		[ $((at % 1024)) != 0 ] || n=$((n + 1))
	done < <(grep -abo LIVE "$DATA/records" 2>/dev/null)
	echo "$n"
}

# snapshot [NAME]: what a failing verb must leave as it was, on the host and in the namespace NAME: links
# with their MACs, routes, written neighbours, rules, namespaces, records. Left out is what comes and
# goes by itself: the state of links, and what the kernel makes of its own addresses after forwarding or
# DAD; and lo of a task, which an ADD may have raised.
snapshot() {
	{
		printf 'link show\nroute show table all\nneigh show nud permanent\n' | ip -o -batch -
		nft -s list ruleset
		if [ -n "${1:-}" ] && [ -e "$NETNS/$1" ]; then
			echo "task"
			printf 'link show\nroute show table all\n' | ip -n "$1" -o -batch - 2>/dev/null
		fi
	} | awk '/^\tset (task_flows|bridge_flows|refused_flows)/ { of_packets = 1 } /^\t}/ { of_packets = 0 }
		of_packets { next } # elements that packets make
		/^[0-9]+: / { sub(/@.*/, "", $2); for (i = 3; i < NF; i++) if ($i ~ /^link\/.*/) mac = $(i + 1)
			print "link", $2, mac; next }
		/^task$/ { task = 1 }
		/^anycast/ || /(^| )fe80::/ || / ff00::\/8/ || task && / dev lo / { next }
		{ sub(/ linkdown/, ""); sub(/ expires [0-9a-z]*/, ""); print }'
	(cd "$NETNS" && echo "namespaces" *)
	echo "records $(records)"
}

# forget: an empty store, so that the first address of a pool is the first given.
forget() { rm -rf "$DATA"; }

# clean: the host is as it was at the start of the script (`baseline`).
baseline() { snapshot >"$TMP/baseline"; }
clean() {
	local seen
	# A deleted link is gone for every observer when DEL returns; its IPv6 routes go with it.
	if seen=$(snapshot | diff "$TMP/baseline" - 2>&1); then
		pass
	else
		seen=$(grep '^[<>]' <<<"$seen")
		seen=${seen//$'\n'/ | }
		fail "residue: expected the host as it was, seen: ${seen:0:600}"
		# Told once: later cases are judged by what they add.
		baseline
	fi
}

# ---- configurations ----

CONF='{"cniVersion":"1.1.0","name":"lab","type":"awsvpc","attach":"veth","vpc":{"cidr":"10.0.0.0/16"},
"ipMasq":false,"blockInstanceMetadata":true,"mtu":1500,"ipam":{"type":"task-ipam","dataDir":"'$DATA'",
"placement":"spread","cooldown":30,"ranges":[[{"subnet":"10.0.1.0/24","id":"subnet-a","az":"lab-1a"},
{"subnet":"10.0.2.0/24","id":"subnet-b","az":"lab-1b"}]]}}'
# shellcheck disable=SC2034 # for the scripts
CONF6='[{"subnet":"fd00:10:1::/64","id":"subnet-a"},{"subnet":"fd00:10:2::/64","id":"subnet-b"}]'

# conf [FILTER]: the configuration, changed by a jq filter.
conf() {
	if [ $# = 0 ]; then printf %s "$CONF"; else jq -c "$1" <<<"$CONF"; fi
}

# one SUBNET [FILTER]: a configuration whose pool is this one subnet.
one() { conf ".ipam.ranges=[[{subnet:\"$1\"}]] | ${2:-.}"; }

# ---- calling a plugin ----

# plugin VERB CONF [NAME=VALUE | -NAME]…: call $PLUGIN as a runtime does. CONF may be @FILE.
# Sets RC, OUT (stdout), ERR (stderr). -NAME takes a variable away. Container and namespace default
# to $ID, the interface to eth0.
ID=c1
plugin() {
	local verb=$1 config=$2 stdin=$TMP/stdin pair
	shift 2
	local -A vars=([CNI_COMMAND]=$verb [CNI_CONTAINERID]=$ID [CNI_NETNS]=$NETNS/$ID
		[CNI_IFNAME]=eth0 [CNI_PATH]=$BIN:$CNI_REF [PATH]=$PATH)
	for pair; do
		case $pair in
		-*) unset "vars[${pair#-}]" ;;
		*) vars[${pair%%=*}]=${pair#*=} ;;
		esac
	done
	local -a line=()
	for pair in "${!vars[@]}"; do line+=("$pair=${vars[$pair]}"); done
	case $config in
	@*) stdin=${config#@} ;;
	*) printf %s "$config" >"$stdin" ;;
	esac
	RC=0
	timeout -s KILL 90 env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" \
		"${line[@]}" "$PLUGIN" <"$stdin" >"$TMP/stdout" 2>"$TMP/stderr" || RC=$?
	{
		OUT=$(<"$TMP/stdout")
		ERR=$(<"$TMP/stderr")
	} 2>/dev/null
	sane "$verb"
}

# sane WHAT: no crash and no sanitizer report in the last call.
sane() {
	[ "$RC" -lt 126 ] || fail "$1: expected an exit code, seen a death by signal ($RC): $ERR"
	case $ERR in
	*Sanitizer* | *'runtime error:'*) fail "$1: sanitizer report: $ERR" ;;
	esac
}

# works VERB CONF […]: as plugin, and it must succeed: rc 0; silence but for the result of ADD.
works() {
	plugin "$@"
	if [ "$RC" != 0 ]; then
		fail "$1: expected success, seen rc $RC: $OUT $ERR"
		return 1
	fi
	pass
	case $1 in
	ADD | VERSION) ;;
	*) is "" "$OUT" "$1: stdout" ;;
	esac
	case $1 in
	ADD | DEL | CHECK) is "" "$ERR" "$1: stderr" ;;
	esac
}

# One jq for all errors: a line of stdout in (newlines as \x1f), "code msg details" out, or nothing if
# it is not exactly one object with an integer code and a string msg.
coproc JUDGE {
	jq --unbuffered -Rr 'def one_line: gsub("[\n\r]"; " ");
		try (gsub("\u001f"; "\n") | fromjson
		| if type == "object" and (.code | type) == "number" and (.code | floor) == .code
			and .code >= 0 and (.msg | type) == "string" and (.details | type | . == "string" or . == "null")
		then "\(.code) \(.msg | one_line) \(.details // "" | one_line)" else "" end) catch ""'
}

# expect_error CODE REGEX: the last call failed as CNI wants it: rc != 0, exactly one JSON object on
# stdout with integer code (CODE: alternatives with |; 100+ is any of ours) and string msg; msg or
# details match.
expect_error() {
	local code=${1//100+/[1-9][0-9]{2,\}} seen=""
	if [ "$RC" = 0 ]; then
		fail "expected an error (code $1), seen success: $OUT"
		return
	fi
	if [ -n "$OUT" ]; then
		printf '%s\n' "${OUT//$'\n'/$'\x1f'}" >&"${JUDGE[1]}"
		IFS= read -r -t 10 -u "${JUDGE[0]}" seen
	fi
	if [ -z "$seen" ]; then
		fail "expected one JSON object with code and msg on stdout, seen '$OUT' (stderr '$ERR')"
		return
	fi
	if [[ $seen =~ ^($code)\  ]]; then pass; else fail "code: expected $1, seen '$seen'"; fi
	like "$2" "${seen#* }" "message"
}

# refused CODE REGEX VERB CONF […]: the call fails with this error and changes nothing at all.
refused() {
	local code=$1 regex=$2 before after pair name=$ID
	shift 2
	for pair in "${@:3}"; do
		case $pair in CNI_NETNS="$NETNS"/*) name=${pair#*"$NETNS"/} ;; esac
	done
	before=$(snapshot "$name")
	plugin "$@"
	expect_error "$code" "$regex"
	after=$(snapshot "$name")
	if [ "$before" = "$after" ]; then
		pass
	else
		after=$(diff <(echo "$before") <(echo "$after") | grep '^[<>]' | tr '\n' '|')
		fail "expected nothing changed by the failed $1, seen: ${after:0:600}"
	fi
}

# full REGEX CONF: STATUS warns of a full pool and succeeds; with statusExhausted it is code 50.
full() {
	works STATUS "$(jq -c 'del(.statusExhausted)' <<<"$2")"
	like "warning.*$1" "$ERR" "STATUS: stderr"
	works STATUS "$(jq -c '.statusExhausted = "warn"' <<<"$2")"
	like "warning.*$1" "$ERR" "STATUS with statusExhausted warn: stderr"
	refused 50 "$1" STATUS "$(jq -c '.statusExhausted = "error"' <<<"$2")"
}

# add NAME [CONF [VAR=VALUE…]]: ADD for the container NAME in the namespace NAME (made if need be);
# the result is kept. CNI_IFNAME=… for another interface.
add() {
	local ID=$1 config=${2:-$CONF} pair ifname=eth0
	shift $(($# > 1 ? 2 : 1))
	[ -e "$NETNS/$ID" ] || ip netns add "$ID"
	for pair; do case $pair in CNI_IFNAME=*) ifname=${pair#*=} ;; esac; done
	works ADD "$config" "$@" || return 1
	cp "$TMP/stdout" "$TMP/result/$ID.$ifname"
}

# del NAME [CONF [VAR=VALUE…]]: DEL for it, as a runtime does that has forgotten everything.
del() {
	local ID=$1 config=${2:-$CONF}
	shift $(($# > 1 ? 2 : 1))
	works DEL "$config" "$@"
}

# with_prev NAME [CONF [IFNAME]]: the configuration with the kept result as prevResult.
with_prev() {
	jq -c --slurpfile prev "$TMP/result/$1.${3:-eth0}" '.prevResult=$prev[0]' <<<"${2:-$CONF}"
}

# verify NAME [CONF [VAR=VALUE…]]: CHECK must succeed.
verify() {
	local ID=$1 config=${2:-$CONF} pair ifname=eth0
	shift $(($# > 1 ? 2 : 1))
	for pair; do case $pair in CNI_IFNAME=*) ifname=${pair#*=} ;; esac; done
	works CHECK "$(with_prev "$ID" "$config" "$ifname")" "$@"
}

# result NAME FILTER [IFNAME]: a value of the kept result.
result() { jq -r "$2" "$TMP/result/$1.${3:-eth0}" 2>/dev/null; }

# address NAME [N [IFNAME]]: the N-th address without its prefix length. cidr: with it.
address() {
	local text
	text=$(result "$1" ".ips[${2:-0}].address" "${3:-eth0}")
	echo "${text%/*}"
}

# host_link NAME: the host's end of the task's link.
host_link() {
	result "$1" '[.interfaces[] | select((.sandbox // "") == "") | .name][0]' "${2:-eth0}"
}

# ms COMMAND…: milliseconds it took, in MS.
ms() {
	local start=${EPOCHREALTIME/./} end
	"$@"
	end=${EPOCHREALTIME/./}
	# shellcheck disable=SC2034 # for the caller
	MS=$(((end - start) / 1000))
}

# many NUMBER COMMAND: run COMMAND I in parallel for I = 1…NUMBER, each in a subshell; its stdout and
# exit code are in $TMP/job/I.out and I.rc.
many() {
	local n=$1 i
	local -a pids=()
	shift
	rm -f "$TMP"/job/*
	for ((i = 1; i <= n; i++)); do
		{
			"$@" "$i" >"$TMP/job/$i.out" 2>"$TMP/job/$i.err"
			echo $? >"$TMP/job/$i.rc"
		} &
		pids+=($!)
	done
	wait "${pids[@]}"
	! grep -l -e Sanitizer -e 'runtime error:' "$TMP"/job/*.err >"$TMP/reports" ||
		fail "sanitizer report: $(head -c 2000 "$(head -n 1 "$TMP/reports")")"
}
# many_rc RC: how many of them ended so.
many_rc() { cat "$TMP"/job/*.rc | grep -cx "$1"; }

# call VERB NAME [IFNAME]: the bare call, config on stdin, for use in `many` and loops.
call() {
	env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" CNI_COMMAND="$1" CNI_CONTAINERID="$2" \
		CNI_NETNS="$NETNS/$2" CNI_IFNAME="${3:-eth0}" CNI_PATH="$BIN:$CNI_REF" PATH="$PATH" \
		"$PLUGIN"
}

# ---- a chain of plugins, driven as libcni does ----

# chain VERB LIST NAME [RUNTIMECONFIG [CNI_ARGS]]: run the plugins of the conflist file LIST. Each
# gets name, cniVersion, the capabilities it declared out of RUNTIMECONFIG, and the result so far.
# Stops at the first error, as libcni does; RC, OUT and ERR are the last plugin's, OUT of ADD the
# final result, kept like that of `add`. CHAIN_VERSION overrides cniVersion.
chain() {
	local verb=$1 list=$2 ID=$3 runtime=${4:-null} args=${5:-} order=. version type config
	[ -n "$runtime" ] || runtime=null
	version=${CHAIN_VERSION:-$(jq -r .cniVersion "$list")}
	[ "$verb" != DEL ] || order=reverse
	local -a configs
	mapfile -t configs < <(jq -r --arg v "$version" --argjson r "$runtime" '
		(.name) as $name | .plugins | '"$order"' | .[]
		| . + {name: $name, cniVersion: $v}
		| (.capabilities // {}) as $cap
		| (($r // {}) | with_entries(select($cap[.key] == true))) as $mine
		| if ($mine | length) > 0 then .runtimeConfig = $mine else . end
		| "\(.type) \(tojson)"' "$list")
	[ "${#configs[@]}" -gt 0 ] || { RC=1 OUT="" ERR="no plugins in $list"; return 1; }
	local prev=$TMP/result/$ID.eth0 use_prev=
	case $verb in
	ADD) rm -f "$prev" ;;
	CHECK) use_prev=1 ;;
	DEL) [[ $version == 0.[0-3].* ]] || [ ! -s "$prev" ] || use_prev=1 ;;
	esac
	for config in "${configs[@]}"; do
		type=${config%% *}
		config=${config#* }
		if [ "$verb" != ADD ] && [ -n "$use_prev" ] || { [ "$verb" = ADD ] && [ -s "$prev" ]; }; then
			config=$(jq -c --slurpfile p "$prev" '.prevResult=$p[0]' <<<"$config")
		fi
		CHAIN_AT=$type
		PLUGIN=$(find_plugin "$type") plugin "$verb" "$config" "CNI_ARGS=$args"
		[ "$RC" = 0 ] || return 1
		if [ "$verb" = ADD ]; then cp "$TMP/stdout" "$prev"; fi
	done
	return 0
}

# find_plugin TYPE: ours before the reference's.
find_plugin() {
	if [ -x "$BIN/$1" ]; then echo "$BIN/$1"; else echo "$CNI_REF/$1"; fi
}

# chain_ok VERB LIST NAME [RUNTIMECONFIG [CNI_ARGS]]: as a check.
chain_ok() {
	if chain "$@"; then
		pass
	else
		fail "$1 of chain: expected success, seen $CHAIN_AT rc $RC: $OUT $ERR"
		return 1
	fi
}

# ---- files ----

# scratch DIR…: changes below these directories go to memory, and are gone with the test.
scratch() {
	local dir name
	for dir; do
		name=$TMP/scratch/${dir//\//_}
		mkdir -p "$dir" "$name.up" "$name.work"
		mount -t overlay -o "lowerdir=$dir,upperdir=$name.up,workdir=$name.work" overlay "$dir" || return
	done
}
