# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Real runtimes for the scripts of test/e2e: containerd by ctr, and podman; sourced behind test/lib.sh.
# Both find our plugins in /opt/cni/bin and their networks in /etc/cni/net.d, which are the test's own.
# Containers have busybox alone for a root filesystem.

scratch /etc /opt /var/lib || { skip "needs overlay mounts" && finish; }
rm -rf /etc/cni /opt/cni /var/lib/cni
mkdir -p /etc/cni/net.d /opt/cni/bin
cp "$BIN"/* /opt/cni/bin/

# Containers of a test go below this cgroup, which is removed at its end.
CGROUP=/taskvpc-test-$$-$RANDOM
remove_cgroups() {
	find /sys/fs/cgroup -depth -type d -path "/sys/fs/cgroup/*$CGROUP*" -exec rmdir {} \; 2>/dev/null
	return 0
}
cleanup() {
	[ -z "${DAEMON:-}" ] || kill "$DAEMON" 2>/dev/null
	[ -z "${PODMAN:-}" ] || pod rm -f -t 0 -a >/dev/null 2>&1
	remove_cgroups
}

ROOTFS=$TMP/rootfs
mkdir -p "$ROOTFS"/{bin,dev,etc,proc,run,sys,tmp,var}
cp "$(command -v busybox)" "$ROOTFS/bin/busybox"
for applet in sh sleep ping nc cat ip true; do ln -s busybox "$ROOTFS/bin/$applet"; done

# The main program of a container: it sends back what comes on TCP port 7007.
ECHO_SERVER='exec nc -ll -p 7007 -e /bin/cat'

# conflist FILTER: $CONF as both take it, the plugin changed by a jq filter: of a cniVersion that their
# libcni knows; and its plugin declares "ips", without which podman's --ip takes all other capabilities away.
conflist() {
	jq '{cniVersion: "1.0.0", cniVersions: ["0.4.0", "1.0.0", "1.1.0"], name, plugins: [del(.cniVersion, .name)
		+ {capabilities: {ips: true, portMappings: true, mac: true}} | '"$1"']}' <<<"$CONF"
}
# collect LIST: GC of its first plugin, of which nothing is valid any more.
collect() {
	jq -c '.plugins[0] + {cniVersion: "1.1.0", name, "cni.dev/valid-attachments": []}' "$1" >"$TMP/gc"
	works GC "@$TMP/gc" -CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
}
# readme WORD N IMAGE: the Nth block of commands in the README's paragraph **WORD…**, without sudo.
readme() {
	awk -v word="**$1" -v n="$2" '/^\*\*/ { on = index($0, word) == 1 } on && /^```sh/ { block++; code = 1; next }
		/^```/ { code = 0 } on && code && block == n' "$ROOT/README.md" | sed "s|sudo ||g; s|IMAGE|${3:-}|"
}
# follows WHAT WORD N [IMAGE]: do as the README says; what was said is in SEEN.
follows() {
	mkdir -p "$TMP/readme"
	ln -sfn "$ROOT/netconf-examples" "$TMP/readme/netconf-examples"
	if SEEN=$(cd "$TMP/readme" && bash -e -c "$(readme "${@:2}")" 2>&1); then
		pass
	else
		fail "$1: the lines of the README: $SEEN"
	fi
}
# has COMMAND…: or a skip.
has() {
	local command
	for command; do command -v "$command" >/dev/null || { skip "needs $command" && return 1; }; done
}
# parent PID: its parent's.
parent() { awk '/^PPid/ { print $2 }' "/proc/$1/status"; }

# ---- containerd ----

C=$TMP/containerd
# containerd 2.2 and newer warn in each answer of cgroup v1.
lab() { timeout 60 ctr -a "$C/sock" "$@" 2> >(sed '/DEPRECATION/d' >&2); }
containerd_starts() {
	mkdir -p "$C"
	cat >"$C/config.toml" <<-END
		version = 2
		root = "$C/root"
		state = "$C/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
		[grpc]
		  address = "$C/sock"
		[debug]
		  level = "warn"
	END
	containerd -c "$C/config.toml" >>"$C/log" 2>&1 &
	DAEMON=$!
	until_true timeout 5 ctr -a "$C/sock" version >/dev/null 2>&1
}
# containerd_works: it starts, and so do containers; or a skip says why not.
containerd_works() {
	local seen
	has containerd ctr runc containerd-shim-runc-v2 || return
	containerd_starts || { skip "containerd does not start: $(tail -n 3 "$C/log" | tr '\n' ' ')" && return 1; }
	seen=$(lab run --rm --cgroup "$CGROUP/try" --rootfs "$ROOTFS" try /bin/true 2>&1) && return
	skip "runc cannot start a container here: $seen"
	return 1
}
declare -A JOB=()
# begin NAME: a container in the foreground of a job, as `ctr run` must be to call DEL at the end.
begin() {
	lab run --rm --cni --cgroup "$CGROUP/$1" --rootfs "$ROOTFS" "$1" /bin/sh -c "$ECHO_SERVER" \
		</dev/null >"$C/$1.out" 2>&1 &
	JOB[$1]=$!
	until_true sh -c "timeout 5 ctr -a $C/sock task ls 2>/dev/null | grep -q '^$1 .*RUNNING'" &&
		until_true inside "$1" ip -4 addr show eth0 2>/dev/null | grep -q inet
}
# inside NAME COMMAND…: run in it, a command that says something. On a busy machine ctr now and then loses what
# a short process has said: it is asked again, then.
inside() {
	local name=$1 said="" rc=0 _
	shift
	for _ in 1 2 3; do
		rc=0
		said=$(lab task exec --exec-id "x$RANDOM$RANDOM" "$name" /bin/"$1" "${@:2}" </dev/null 2>&1) || rc=$?
		[ -z "$said" ] || break
	done
	echo "$said"
	return $rc
}
addr_of() { inside "$1" ip -4 -o addr show eth0 | sed -n 's/.* inet \([0-9.]*\)\/.*/\1/p'; }
# ends NAME: kill its task, wait for ctr to be done with it.
ends() {
	lab task kill -s KILL "$1" 2>/dev/null
	wait "${JOB[$1]}" 2>/dev/null
}
# killed NAME…: such containers, and then containerd, shims and containers are killed. Detached: a ctr in the
# foreground would still call DEL by itself.
killed() {
	local name pid
	local -a tasks shims=()
	for name; do
		lab run -d --cni --cgroup "$CGROUP/$name" --rootfs "$ROOTFS" "$name" /bin/sleep 60 </dev/null ||
			fail "ctr run -d $name"
	done
	mapfile -t tasks < <(lab task ls | awk 'NR > 1 { print $2 }')
	for pid in "${tasks[@]}"; do shims+=("$(parent "$pid")"); done
	kill -KILL "$DAEMON"
	wait "$DAEMON" 2>/dev/null
	DAEMON=
	kill -KILL "${shims[@]}" "${tasks[@]}" 2>/dev/null
}

# ---- CRI: containerd as the kubelet drives it ----

# cri VERB ARG…: of test/cri.pl.
cri() { "$ROOT/test/cri.pl" "$C/sock" "$@"; }
# pod NAME [HOSTPORT:PORT]…: a pod that serves by its first container; says its id.
cri_pod() { cri run "$1" "$CGROUP" "${@:2}"; }
# cri_image NAMESPACE: an image as a docker archive, of busybox alone: a pod's pause container serves.
cri_image() {
	local digest
	mkdir -p "$C/image"
	tar -c -C "$ROOTFS" -f "$C/image/layer.tar" .
	digest=$(sha256sum <"$C/image/layer.tar" | cut -d' ' -f1)
	jq -n --arg digest "sha256:$digest" --arg server "$ECHO_SERVER" --arg arch "$(dpkg --print-architecture)" \
		'{architecture: $arch, os: "linux", config: {Cmd: ["/bin/sh", "-c", $server], Env: ["PATH=/bin"]}, rootfs: {type: "layers", diff_ids: [$digest]}}' \
		>"$C/image/config.json"
	echo '[{"Config":"config.json","RepoTags":["lab.invalid/pause:1"],"Layers":["layer.tar"]}]' >"$C/image/manifest.json"
	tar -c -C "$C/image" -f "$C/image.tar" config.json layer.tar manifest.json
	timeout 60 ctr -a "$C/sock" -n "$1" image import "$C/image.tar"
}
cri_starts() {
	mkdir -p "$C"
	cat >"$C/config.toml" <<-END
		version = 2
		root = "$C/root"
		state = "$C/state"
		disabled_plugins = ["io.containerd.internal.v1.opt"]
		[grpc]
		  address = "$C/sock"
		[debug]
		  level = "warn"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "lab.invalid/pause:1"
		  restrict_oom_score_adj = true
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    snapshotter = "native"
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "/opt/cni/bin"
		    conf_dir = "/etc/cni/net.d"
	END
	containerd -c "$C/config.toml" >>"$C/log" 2>&1 &
	DAEMON=$!
	until_true cri conditions >/dev/null 2>&1
}
# cri_works: it starts, and so do pods in the host's network; or a skip says why not.
cri_works() {
	local seen
	has containerd ctr runc containerd-shim-runc-v2 curl perl || return
	[ -x /opt/cni/bin/loopback ] || { skip "needs loopback" && return 1; }
	cri_starts || { skip "containerd has no CRI here: $(tail -n 3 "$C/log" | tr '\n' ' ')" && return 1; }
	seen=$(cri_image k8s.io 2>&1) || { skip "containerd takes no image here: $seen" && return 1; }
}

# ---- podman ----

P=$TMP/podman
# The limits are those that a machine without CAP_SYS_RESOURCE can give.
LIMITS=(--cgroup-parent "$CGROUP" --ulimit nofile=20000:20000 --ulimit nproc=1000:1000)
pod() { timeout 60 podman --root "$P/root" --runroot "$P/run" --cgroup-manager cgroupfs "$@"; }
# podman_works: with networks by CNI, and containers start; or a skip says why not.
podman_works() {
	local seen
	has podman conmon runc || return
	case $(podman --version) in
	*' '[0-4].*) ;;
	*) skip "$(podman --version) is built without CNI" && return 1 ;;
	esac
	mkdir -p "$P"
	cat >"$P/containers.conf" <<-END
		[network]
		network_backend = "cni"
		cni_plugin_dirs = ["/opt/cni/bin", "$CNI_REF"]
		network_config_dir = "/etc/cni/net.d"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "none"
		runtime = "runc"
		lock_type = "file"
	END
	export CONTAINERS_CONF=$P/containers.conf
	case $(pod info 2>&1) in *'networkBackend: cni'*) ;; *) skip "this podman has no CNI backend" && return 1 ;; esac
	PODMAN=1
	seen=$(pod run --rm "${LIMITS[@]}" --network none --rootfs "$ROOTFS" /bin/true 2>&1) && return
	skip "podman cannot start a container here: $seen"
	return 1
}
# pod_start NETWORK NAME OPTION…: a container that serves.
pod_start() {
	pod run -d --name "$2" --network "$1" "${LIMITS[@]}" "${@:3}" --rootfs "$ROOTFS" /bin/sh -c "$ECHO_SERVER" 2>&1
}
pod_inside() { pod exec "$1" /bin/"$2" "${@:3}" 2>&1; }
# pod_says NETWORK NAME KEY: what podman says of a container's network.
pod_says() { pod inspect "$2" | jq -r ".[0].NetworkSettings.Networks[\"$1\"].$3"; }
# pod_killed NAME: and what watches over it.
pod_killed() {
	local pid
	pid=$(pod inspect "$1" | jq '.[0].State.Pid')
	kill -KILL "$(parent "$pid")" "$pid"
}
