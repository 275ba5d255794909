# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts of test/cli share; sourced behind test/lib.sh.

TASKVPC=$BIN/taskvpc
# Networks of this machine are none of our business. Debian sid has no such folder.
[ -d /etc/cni ] || { scratch /etc && mkdir /etc/cni; }
mkdir -p "$TMP/net.d" && mount -t tmpfs tmpfs /etc/cni 2>/dev/null && mkdir -p /etc/cni/net.d

# uplink: the host has a LAN and a default route.
uplink() {
	ip link add up0 type veth peer name up1
	ip addr add 198.51.100.2/24 dev up0
	ip link set up0 up
	ip link set up1 up
	ip route add default via 198.51.100.1
}

# told RC WORD…: taskvpc with these words; its exit code must be RC. Sets OUT, ERR, RC.
told() {
	local want=$1
	shift
	RC=0
	timeout -s KILL 60 "$TASKVPC" "$@" >"$TMP/stdout" 2>"$TMP/stderr" || RC=$?
	OUT=$(<"$TMP/stdout") ERR=$(<"$TMP/stderr")
	case $ERR in
	*Sanitizer* | *'runtime error:'*) fail "taskvpc $*: sanitizer report: $ERR" ;;
	esac
	if [ "$RC" = "$want" ]; then pass; else fail "taskvpc $*: expected exit code $want, seen $RC: $OUT $ERR"; fi
}

# refuses RC REGEX WORD…: it fails so, says so on stderr, says nothing on stdout, and changes nothing.
refuses() {
	local want=$1 regex=$2 before after
	shift 2
	before=$(state)
	told "$want" "$@" </dev/null
	is "" "$OUT" "taskvpc $*: stdout"
	like "$regex" "$(tr '\n' ' ' <<<"$ERR")" "taskvpc $*: stderr"
	after=$(state)
	is "$before" "$after" "taskvpc $*: what there is"
}
state() {
	snapshot
	tasks
}
# tasks: those that have a directory. Hidden files are not tasks.
tasks() { (cd /run/taskvpc/run 2>/dev/null && printf '%s\n' *) | grep -vFx '*'; }

# start NAME OPTION… -- COMMAND…: a task in the background.
start() {
	local name=$1
	shift
	told 0 run -d --name "$name" "$@"
	is "$name" "$OUT" "name"
}

row() { "$TASKVPC" ls --json | jq -r --arg t "$1" ".[] | select(.task == \$t) | $2"; }
ip_of() { row "$1" '.address | split("/")[0]'; }
gone_task() { ! "$TASKVPC" ls -q | grep -qx "$1"; }
listens() { "$TASKVPC" exec "$1" -- ss -Hltn "sport = $2" 2>/dev/null | grep -q .; }
# pid_of TASK CONTAINER [KEY]: of its supervisor, or (pid) of its first process.
pid_of() { jq -r ".${3:-supervisor}" "/run/taskvpc/run/$1/$2.pid"; }
# slay TASK: its supervisor is killed, and the guard that would take it down.
slay() {
	local supervisor
	supervisor=$(pid_of "$1" main)
	pkill -KILL -P "$supervisor" -x taskvpc-guard
	kill -KILL "$supervisor"
}
no_container() { [ ! -e "/run/taskvpc/run/$1/$2.pid" ]; }
# runs_in TASK COMMAND: is it among its processes?
runs_in() { "$TASKVPC" exec "$1" -- ps -e -o args= 2>/dev/null | grep -q "^$2"; }
gone() { ! pgrep -fx "$1" >/dev/null; }
# Wherever it runs. state: as ps(1) prints it.
runs_anywhere() { pgrep -fx "$1" >/dev/null; }
state_of() { ps -o stat= -p "$(pgrep -fx "$1" | head -n 1)"; }
is_stopped() { [[ $(state_of "$1") == T* ]]; }
is_running() { [[ $(state_of "$1") == S* ]]; }
