#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real containerd with runc: containers by `ctr run --cni`, one subnet each, that talk; what their end
# leaves, and what a killed containerd leaves for GC.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
t containerd
need containerd ctr runc busybox containerd-shim-runc-v2
scratch /etc /opt /var/lib || { skip "needs overlay mounts" && finish; }
rm -rf /etc/cni /opt/cni /var/lib/cni
mkdir -p /etc/cni/net.d /opt/cni/bin
cp "$BIN"/* /opt/cni/bin/
rootfs "$TMP/rootfs"

LIST=/etc/cni/net.d/10-lab.conflist
jq '{cniVersion: "1.0.0", cniVersions: ["0.4.0", "1.0.0", "1.1.0"], name,
	plugins: [del(.cniVersion, .name) + {capabilities: {ips: true}} | .ipMasq = true | .ipam.cooldown = 0]}' \
	<<<"$CONF" >$LIST

C=$TMP/containerd
mkdir -p "$C"
cat >"$C/config.toml" <<END
version = 2
root = "$C/root"
state = "$C/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "$C/sock"
[debug]
  level = "warn"
END
start_containerd() {
	containerd -c "$C/config.toml" >>"$C/log" 2>&1 &
	DAEMON=$!
	until_true timeout 5 ctr -a "$C/sock" version >/dev/null 2>&1
}
declare -A JOB=()
start_containerd || { skip "containerd does not start: $(tail -n 3 "$C/log" | tr '\n' ' ')" && finish; }

lab() { timeout 60 ctr -a "$C/sock" "$@"; }
# start NAME: a container in the foreground of a job, as `ctr run` must be to call DEL at the end.
start() {
	lab run --rm --cni --cgroup "$CGROUP/$1" --rootfs "$TMP/rootfs" "$1" /bin/sh -c "$ECHO_SERVER" \
		</dev/null >"$C/$1.out" 2>&1 &
	JOB[$1]=$!
	until_true sh -c "timeout 5 ctr -a $C/sock task ls | grep -q '^$1 .*RUNNING'" &&
		until_true inside "$1" ip -4 addr show eth0 2>/dev/null | grep -q inet
}
inside() {
	local name=$1
	shift
	lab task exec --exec-id "x$RANDOM$RANDOM" "$name" /bin/"$1" "${@:2}" </dev/null 2>&1
}
addr_of() { inside "$1" ip -4 -o addr show eth0 | sed -n 's/.* inet \([0-9.]*\)\/.*/\1/p'; }
# ends NAME: kill its task, wait for ctr to be done with it.
ends() {
	lab task kill -s KILL "$1" 2>/dev/null
	wait "${JOB[$1]}" 2>/dev/null
}
cleanup() {
	kill "$DAEMON" 2>/dev/null
	remove_cgroups
}

t "can this machine run a container at all?"
if ! seen=$(lab run --rm --cgroup "$CGROUP/try" --rootfs "$TMP/rootfs" try /bin/true 2>&1); then
	skip "runc cannot start a container here: $seen"
	finish
fi
baseline

t "two containers get addresses of two subnets"
start web
start db
A=$(addr_of web) B=$(addr_of db)
like '^10\.0\.[12]\.[0-9]+$' "$A" "address of web ($(tail -n 2 "$C/web.out" | tr '\n' ' '))"
like '^10\.0\.[12]\.[0-9]+$' "$B" "address of db"
isnt "${A%.*}" "${B%.*}" "subnets"
is 2 "$(records)" records
is 2 "$(ip -br link | grep -c '^eni')" "links"
t "they talk, both ways, and with the host"
for pair in "web $B" "db $A" "web 10.0.1.1" "web 10.0.2.1"; do
	read -r from to <<<"$pair"
	like ' 0% packet loss' "$(inside "$from" ping -c 2 -i 1 -W 2 "$to" | tr '\n' ' ')" "ping from $from to $to"
done
ping_ok host "$A"
ping_ok host "$B"
for pair in "web $B" "db $A"; do
	read -r from to <<<"$pair"
	is hello "$(inside "$from" sh -c "echo hello | nc -w 3 $to 7007" | tr -d '\r')" "TCP from $from to $to"
done
is hello "$(echo hello | timeout 5 busybox nc -w 3 "$A" 7007)" "TCP from the host"
t "lo is up"
like 'LOOPBACK,UP' "$(inside web ip link show lo)" lo

t "one ends: its part is gone, the other talks on"
ends web
is 1 "$(records)" records
is 1 "$(ip -br link | grep -c '^eni')" links
ping_ok host "$B"
t "the next gets a free address"
start next
isnt "$B" "$(addr_of next)" address
ping_ok host "$(addr_of next)"
ends next
ends db
t "all ended: nothing is left"
is "" "$(find /var/lib/cni -type f 2>/dev/null)" "cached results"
clean

t "six containers at once"
job() { start "n$1"; }
many 6 job
is 6 "$(lab task ls -q | wc -l)" "tasks"
is 6 "$(records)" "records"
is 6 "$(for i in 1 2 3 4 5 6; do addr_of "n$i"; done | sort -u | wc -l)" "distinct addresses"
for i in 1 2 3 4 5 6; do lab task kill -s KILL "n$i"; done
until_true sh -c "[ -z \"\$(timeout 5 ctr -a $C/sock container ls -q)\" ]"
no_records() { [ "$(records)" = 0 ]; }
until_true no_records
clean

t "containerd, shims and tasks are killed: GC takes away what they left"
# Detached: a ctr in the foreground would still call DEL by itself.
for name in web db; do
	lab run -d --cni --cgroup "$CGROUP/$name" --rootfs "$TMP/rootfs" "$name" /bin/sleep 60 </dev/null ||
		fail "ctr run -d $name"
done
mapfile -t tasks < <(lab task ls | awk 'NR > 1 { print $2 }')
mapfile -t shims < <(for pid in "${tasks[@]}"; do awk '/^PPid/ { print $2 }' "/proc/$pid/status"; done)
kill -KILL "$DAEMON"
wait "$DAEMON" 2>/dev/null
kill -KILL "${shims[@]}" "${tasks[@]}" 2>/dev/null
is 2 "$(records)" "records left"
isnt "" "$(nft list tables)" "rules left"
jq -c '.plugins[0] + {cniVersion: "1.1.0", name, "cni.dev/valid-attachments": []}' $LIST >"$TMP/gc"
works GC "@$TMP/gc" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
clean
t "and a containerd started again gives addresses as before"
rm -rf "$C/root" "$C/state"
start_containerd
start again
like '^10\.0\.[12]\.[0-9]+$' "$(addr_of again)" "address ($(tail -n 2 "$C/again.out" "$C/log" | tr '\n' ' '))"
ends again
clean

finish
