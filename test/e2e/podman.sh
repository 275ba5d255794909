#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# podman with its CNI backend: static address and MAC, two subnets that talk, an end without residue.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
t podman
need podman conmon runc busybox
scratch /etc /opt /var/lib || { skip "needs overlay mounts" && finish; }
rm -rf /var/lib/cni
rootfs "$TMP/rootfs"

P=$TMP/podman
mkdir -p "$P/net.d"
# What podman needs of a list: "ips" declared by the first plugin, or --ip takes all other capabilities
# away; a cniVersion that its libcni knows.
jq '{cniVersion: "1.0.0", cniVersions: ["0.4.0", "1.0.0", "1.1.0"], name,
	plugins: [del(.cniVersion, .name) + {capabilities: {ips: true, portMappings: true, mac: true}}
	| .ipMasq = true | .ipam.cooldown = 0]}' <<<"$CONF" >"$P/net.d/lab.conflist"
cat >"$P/containers.conf" <<END
[network]
network_backend = "cni"
cni_plugin_dirs = ["$BIN", "$CNI_REF"]
network_config_dir = "$P/net.d"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "runc"
lock_type = "file"
END
export CONTAINERS_CONF=$P/containers.conf
# The limits are those that a machine without CAP_SYS_RESOURCE can give.
lab() { timeout 60 podman --root "$P/root" --runroot "$P/run" --cgroup-manager cgroupfs "$@"; }
start() {
	local name=$1
	shift
	lab run -d --name "$name" --cgroup-parent "$CGROUP" --network lab --ulimit nofile=20000:20000 \
		--ulimit nproc=1000:1000 "$@" --rootfs "$TMP/rootfs" /bin/sh -c "$ECHO_SERVER" 2>&1
}
inside() { lab exec "$1" /bin/"$2" "${@:3}" 2>&1; }
inspect() { lab inspect "$1" | jq -r ".[0].NetworkSettings.Networks.lab.$2"; }
cleanup() {
	lab rm -f -t 0 -a >/dev/null 2>&1
	remove_cgroups
}
case $(lab info 2>&1) in
*'networkBackend: cni'*) ;;
*) skip "this podman has no CNI backend" && finish ;;
esac
t "can this machine run a container at all?"
if ! seen=$(lab run --rm --cgroup-parent "$CGROUP" --network none --ulimit nofile=20000:20000 \
	--ulimit nproc=1000:1000 --rootfs "$TMP/rootfs" /bin/true 2>&1); then
	skip "podman cannot start a container here: $seen"
	finish
fi
baseline

t "the network is known"
like '(^|[[:space:]])lab([[:space:]]|$)' "$(lab network ls 2>&1)" "network ls"

t "a static address and MAC"
runs "run" start web --ip 10.0.1.50 --mac-address 02:00:00:00:01:50
is "10.0.1.50 24 02:00:00:00:01:50" \
	"$(inspect web IPAddress) $(inspect web IPPrefixLen) $(inspect web MacAddress)" inspect
is "10.0.1.1" "$(inspect web Gateway)" gateway
like 'inet 10\.0\.1\.50/24' "$(inside web ip addr show eth0)" "inside"
like '02:00:00:00:01:50' "$(inside web ip link show eth0)" "inside"
is 1 "$(records)" records
t "an address that is taken: podman shows who holds it"
seen=$(start twin --ip 10.0.1.50)
like '10\.0\.1\.50.*(held|lab|web|[0-9a-f]{12})' "$seen" "error"
lab rm -f -t 0 twin >/dev/null 2>&1
t "an address outside"
seen=$(start outside --ip 10.9.9.9)
like '10\.9\.9\.9' "$seen" "error"
lab rm -f -t 0 outside >/dev/null 2>&1
is 1 "$(records)" records

t "a second container, in the other subnet"
runs "run" start db
B=$(inspect db IPAddress)
like '^10\.0\.2\.[0-9]+$' "$B" address
for pair in "web $B" "db 10.0.1.50"; do
	read -r from to <<<"$pair"
	like ' 0% packet loss' "$(inside "$from" ping -c 2 -W 2 "$to" | tr '\n' ' ')" "ping from $from to $to"
	is hello "$(inside "$from" sh -c "echo hello | nc -w 3 $to 7007" | tr -d '\r')" "TCP from $from to $to"
done
ping_ok host 10.0.1.50
is hello "$(echo hello | timeout 5 busybox nc -w 3 "$B" 7007)" "TCP from the host"

t "published ports: only the container's own"
runs "run -p 80:80" start port -p 80:80
lab rm -f -t 0 port >/dev/null 2>&1
seen=$(start port -p 8080:80)
like 'hostPort.*8080' "$seen" "run -p 8080:80"
lab rm -f -t 0 port >/dev/null 2>&1

t "stop and start: another namespace, an address of the pool again"
runs "stop" lab stop -t 0 db
is 1 "$(records)" records
runs "start" lab start db
like '^10\.0\.2\.' "$(inspect db IPAddress)" address
ping_ok host "$(inspect db IPAddress)"

t "the end leaves nothing"
runs "rm" lab rm -f -t 0 web
runs "rm" lab rm -f -t 0 db
clean

t "run --rm"
is "10.0.1.60" "$(lab run --rm --cgroup-parent "$CGROUP" --network lab --ip 10.0.1.60 --ulimit nofile=20000:20000 \
	--ulimit nproc=1000:1000 --rootfs "$TMP/rootfs" /bin/ip -4 -o addr show eth0 2>&1 |
	sed -n 's/.*inet \([0-9.]*\).*/\1/p')" "address"
clean

t "everything of it is killed: GC takes away what is left"
runs "run" start web --ip 10.0.1.50
pid=$(lab inspect web | jq '.[0].State.Pid')
conmon=$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")
kill -KILL "$conmon" "$pid"
jq -c '.plugins[0] + {cniVersion: "1.1.0", name, "cni.dev/valid-attachments": []}' "$P/net.d/lab.conflist" >"$TMP/gc"
works GC "@$TMP/gc" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
is 0 "$(records)" records
is "" "$(ip -br link | grep '^eni')" links
is "" "$(nft list tables)" rules

finish
