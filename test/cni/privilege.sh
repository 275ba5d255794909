#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a plugin may do while it works: the capabilities that its verb needs and no more, by no exec either;
# what it opens; and that of the environment only CNI's own variables count.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
need setpriv strace flock
STRACE=$(command -v strace)
netns c1
baseline

# Of capabilities(7).
DAC_OVERRIDE=1 KILL=5 NET_ADMIN=12 SYS_PTRACE=19 SYS_ADMIN=21 BPF=39
# mask NUMBER…: as /proc/PID/status shows a set.
mask() {
	local bit bits=0
	for bit; do bits=$((bits | 1 << bit)); done
	printf '%016x' $bits
}
LOOKS=$(mask $DAC_OVERRIDE $NET_ADMIN $BPF)
WORKS=$(mask $DAC_OVERRIDE $NET_ADMIN $BPF $SYS_PTRACE $SYS_ADMIN)
LOOKS_FOREIGN=$(mask $DAC_OVERRIDE $NET_ADMIN $BPF $KILL)
WORKS_FOREIGN=$(mask $DAC_OVERRIDE $NET_ADMIN $BPF $SYS_PTRACE $SYS_ADMIN $KILL)

# rights PID: "CapPrm CapEff NoNewPrivs".
rights() { awk '/^(CapPrm|CapEff|NoNewPrivs):/ { printf "%s%s", sep, $2; sep = " " }' "/proc/$1/status"; }
OWN=$(rights self)

fewer() { [ "$(rights "$1" 2>/dev/null)" != "$OWN" ]; }

# held VERB CONF [NAME=VALUE…]: the rights of a plugin that waits for the store's lock.
held() {
	local verb=$1 config=$2 pid
	shift 2
	exec 8>"$DATA/lock"
	flock 8
	printf %s "$config" >"$TMP/stdin"
	env -i CNI_COMMAND="$verb" CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 CNI_PATH="$BIN" \
		ASAN_OPTIONS="${ASAN_OPTIONS:-}" "$@" "$PLUGIN" <"$TMP/stdin" >"$TMP/stdout" 2>"$TMP/stderr" 8>&- &
	pid=$!
	until_true fewer $pid
	rights $pid
	flock -u 8
	wait $pid || echo "rc $?: $(<"$TMP/stdout")"
}

if group capabilities; then
	t "each verb, while it works: what it needs, and exec() would give nothing back"
	works ADD "$CONF"
	works DEL "$CONF"
	is "$WORKS $WORKS 1" "$(held ADD "$CONF")" ADD
	cp "$TMP/stdout" "$TMP/result/c1.eth0"
	is "$WORKS $WORKS 1" "$(held CHECK "$(with_prev c1)")" CHECK
	is "$WORKS $WORKS 1" "$(held GC "$(jq -c '.["cni.dev/valid-attachments"]=[{containerID:"c1",ifname:"eth0"}]' <<<"$CONF")")" GC
	is "$LOOKS $LOOKS 1" "$(held STATUS "$CONF")" STATUS
	is "$WORKS $WORKS 1" "$(held DEL "$CONF")" DEL
	t "VERSION: none"
	for name in awsvpc task-bridge task-host task-none task-ipam loopback; do
		like 'capset\(.*permitted=0.*PR_SET_NO_NEW_PRIVS, 1' "$(env -i CNI_COMMAND=VERSION strace -e trace=capset,prctl \
			"$BIN/$name" 2>&1 <<<'{"cniVersion":"1.1.0"}' | tr '\n' ' ')" "system calls of $name"
	done
	clean
fi

# The fake: notes its caller's rights and its own; does what $FAKE/do says.
FAKE=$TMP/fake
mkdir -p "$FAKE"
cat >"$FAKE/fake" <<'END_OF_FAKE'
#!/bin/sh
here=${0%/*}
cat >/dev/null
cat /proc/$PPID/status >"$here/caller"
cat /proc/self/status >"$here/own"
[ "$CNI_COMMAND" != ADD ] || . "$here/do"
END_OF_FAKE
chmod +x "$FAKE/fake"
OK='{"cniVersion":"1.1.0","ips":[{"address":"10.0.7.7/24","gateway":"10.0.7.1"}]}'
FCONF=$(conf '.ipam={"type":"fake"}')
noted() { awk '/^(CapPrm|CapEff|NoNewPrivs):/ { printf "%s%s", sep, $2; sep = " " }' "$FAKE/$1"; }
# fake VERB CONF WANT: WANT is in effect at the caller, the rest only rests: the fake, which has what this
# test has, would gain it otherwise, and lose the signal that ends it with its caller.
fake() {
	works "$1" "$2" CNI_PATH="$FAKE"
	is "${OWN%% *} $3 0" "$(noted caller)" "$1: the rights of the plugin"
	is "$OWN" "$(noted own)" "$1: the rights of the foreign IPAM plugin"
}

if group foreign; then
	echo "echo '$OK'" >"$FAKE/do"
	t "a foreign IPAM plugin is run as we were"
	fake ADD "$FCONF" "$WORKS_FOREIGN"
	cp "$TMP/stdout" "$TMP/result/c1.eth0"
	fake CHECK "$(with_prev c1 "$FCONF")" "$WORKS_FOREIGN"
	fake STATUS "$FCONF" "$LOOKS_FOREIGN"
	fake GC "$(jq -c '.["cni.dev/valid-attachments"]=[{containerID:"c1",ifname:"eth0"}]' <<<"$FCONF")" "$WORKS_FOREIGN"
	fake DEL "$FCONF" "$WORKS_FOREIGN"
	t "one that has become another user, and talks without end: ended"
	echo "exec setpriv --reuid=65534 --clear-groups sh -c 'yes; sleep 100'" >"$FAKE/do"
	chmod 755 /run/test
	ms refused 100+ 'fake.*bytes' ADD "$FCONF" CNI_PATH="$FAKE"
	within 20000 "$MS" "milliseconds"
	clean
fi

# only NUMBER…: from now on the plugin is started with these capabilities alone. -NUMBER: with all but it.
only() {
	local bit drop="" last
	read -r last </proc/sys/kernel/cap_last_cap
	for ((bit = 0; bit <= last; bit++)); do
		case " $* " in
		*" -$bit "*) drop+=",-cap_$bit" ;;
		*" -"*) ;;
		*" $bit "*) ;;
		*) drop+=",-cap_$bit" ;;
		esac
	done
	printf '#!/bin/sh\nexec setpriv --bounding-set %s %s "$@"\n' "${drop#,}" "$BIN/awsvpc" >"$TMP/confined"
	chmod +x "$TMP/confined"
	PLUGIN=$TMP/confined
}

if group needed; then
	MASQ=$(conf '.ipMasq=true')
	PROGRAM=$(conf '.hostRouting="bpf"')
	elsewhere() { [ "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$1/ns/net")" ]; }
	nsenter --net=$NETNS/c1 sleep 60 &
	pid=$!
	until_true elsewhere $pid
	mkdir -p "$TMP/home/nobody"
	chown 65534 "$TMP/home/nobody"
	chmod 700 "$TMP/home/nobody"
	PRIVATE=$(conf ".ipam.dataDir=\"$TMP/home/nobody/state\"")
	t "with these five alone all is well"
	only $DAC_OVERRIDE $NET_ADMIN $BPF $SYS_PTRACE $SYS_ADMIN
	add c1 "$MASQ"
	verify c1 "$MASQ"
	works STATUS "$MASQ"
	del c1 "$MASQ"
	add c1 "$PROGRAM"
	verify c1 "$PROGRAM"
	works STATUS "$PROGRAM"
	del c1 "$PROGRAM"
	add c1 "$CONF" CNI_NETNS=/proc/$pid/ns/net
	del c1 "$CONF" CNI_NETNS=/proc/$pid/ns/net
	add c1 "$PRIVATE"
	del c1 "$PRIVATE"
	t "STATUS alone tries a program with less than that"
	only $DAC_OVERRIDE $NET_ADMIN $BPF
	works STATUS "$PROGRAM"
	t "without one of them: told by its name, or by what cannot be done"
	only -$NET_ADMIN
	refused 100+ 'CAP_NET_ADMIN' ADD "$MASQ"
	only -$SYS_ADMIN
	refused 4\|100+ 'CAP_SYS_ADMIN' ADD "$MASQ"
	only -$SYS_PTRACE
	refused 4 'CNI_NETNS.*cannot open.*denied' ADD "$CONF" CNI_NETNS=/proc/$pid/ns/net
	only -$DAC_OVERRIDE -2
	refused 100+ 'state directory.*denied' ADD "$PRIVATE"
	PLUGIN=$BIN/awsvpc
	stop $pid
	rm -rf "${TMP:?}/home"
	clean
fi

# opened VERB CONF [NAME=VALUE…]: what $PLUGIN opens or changes by name, a path a line; "not closed PATH" for
# what a child would inherit.
opened() {
	local verb=$1 config=$2
	shift 2
	printf %s "$config" >"$TMP/stdin"
	env -i CNI_COMMAND="$verb" CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 CNI_PATH="$BIN" "$@" \
		"$STRACE" -f -y -s 200 -o "$TMP/strace" -e trace=open,openat,openat2,creat,mkdir,mkdirat,unlink,unlinkat,rename,renameat,renameat2,execve,mount,umount2 \
		"$PLUGIN" <"$TMP/stdin" >"$TMP/stdout" 2>"$TMP/stderr" || echo "rc $?: $(<"$TMP/stdout")"
	sed -nE 's/^[0-9]+ +//
		t start
		:start
		s/^(openat|mkdirat|unlinkat|renameat2?)\([^<]*<([^>]*)>, "([^\/"][^"]*)".*/\1 \2\/\3 &/p; t
		s/^([a-z0-9]+)\([^"]*"([^"]+)".*/\1 \2 &/p' "$TMP/strace" |
		awk '$1 ~ /^open/ && !/O_CLOEXEC/ { print "not closed", $2 } { print $1 == "execve" ? "execve " $2 : $2 }' | sort -u
}
# What belongs to the loader, and to libnftables where rules are loaded.
LIBRARIES='/etc/ld\.so\.cache|(/usr)?/lib/[^ ]*/lib(cjson|c|nftables|mnl|nftnl|xtables|jansson|gmp)\.so\.[0-9]+'
TABLES='/etc/iproute2/(rt_marks|rt_realms|group)|/etc/connlabel\.conf|/usr/share/iproute2/(rt_marks|rt_realms|group)'
# strangers: of these paths, those that nobody has said we need.
strangers() {
	grep -vxE "execve $PLUGIN|$LIBRARIES|(not closed )?($TABLES)|/run|$DATA|$DATA/(lock|records|index|turn|records\.new|index\.new)|$1"
}
SYSCTLS='/proc/sys/net/ipv[46]/[a-z0-9_/]*'
BOOT=/proc/sys/kernel/random/boot_id
# Of iptables-legacy STATUS reads which tables there are, and asks for those alone.
LEGACY='/proc/thread-self/net/ip6?_tables_names'

if [ -n "$SAN" ]; then
	t "files"
	skip "sanitizers open files of their own"
elif group files; then
	NETNS_FILE="$NETNS/c1"
	# files NAME CONF: each verb opens these and no others.
	files() {
		local verb config
		PLUGIN=$BIN/$1
		for verb in ADD CHECK STATUS GC DEL; do
			t "$1, $3: $verb opens what it needs"
			config=$2
			case $verb in
			CHECK) config=$(with_prev c1 "$2") ;;
			GC) config=$(jq -c '.["cni.dev/valid-attachments"]=[{containerID:"c1",ifname:"eth0"}]' <<<"$2") ;;
			esac
			is "" "$(opened $verb "$config" | strangers "$NETNS_FILE|$SYSCTLS|$BOOT|$([ $verb != STATUS ] || echo "$LEGACY|")/dev/null")" "strangers"
			[ $verb != ADD ] || cp "$TMP/stdout" "$TMP/result/c1.eth0"
		done
	}
	DUAL=$(conf ".ipam.ranges += [$CONF6] | .ipMasq=true")
	files awsvpc "$DUAL" veth
	files awsvpc "$(conf '.hostRouting="bpf"')" "past the stack"
	ip link add lan0 type veth peer name lan1
	ip link set lan0 up
	files awsvpc "$(conf '.attach="macvlan" | .master="lan0" | .blockInstanceMetadata=false')" macvlan
	ip link del lan0
	files task-bridge "$(conf '.type="task-bridge" | .bridge="cni0" | .isGateway=true | .ipMasq=true | .macspoofchk=true
		| .ingressPolicy="isolated" | .ipam.ranges=[[{subnet:"10.88.0.0/16"}]]
		| .runtimeConfig={portMappings:[{hostPort:8080,containerPort:80}],
			bandwidth:{ingressRate:10000000,ingressBurst:800000,egressRate:10000000,egressBurst:800000}}')" "all that it can"
	files task-none '{"cniVersion":"1.1.0","name":"none","type":"task-none"}' nothing
	files loopback '{"cniVersion":"1.1.0","name":"lo","type":"loopback"}' lo
	files task-ipam "$(conf '.type="awsvpc"')" pool
	NETNS_FILE=/proc/1/ns/net
	PLUGIN=$BIN/awsvpc
	t "VERSION opens nothing"
	is "" "$(opened VERSION "$CONF" | grep -vxE "execve $PLUGIN|$LIBRARIES")" "strangers"
	t "DEL where there is no store makes none"
	forget
	is "" "$(opened DEL "$CONF" | grep -vxE "execve $PLUGIN|$LIBRARIES|$DATA")" "strangers"
	fails "the state directory" test -e "$DATA"
	clean
fi

if [ -n "$SAN" ]; then
	:
elif group environment; then
	t "an environment full of rubbish changes nothing"
	mkdir "$TMP/trap"
	RUBBISH=(LANG=tr_TR.UTF-8 LC_ALL=xx LANGUAGE=xx LOCPATH="$TMP/trap" TZ=":$TMP/trap/tz" TMPDIR="$TMP/trap" HOME="$TMP/trap"
		XDG_CONFIG_HOME="$TMP/trap" PATH="$TMP/trap" ENV="$TMP/trap/env" BASH_ENV="$TMP/trap/env" IFS=/ POSIXLY_CORRECT=1
		CNI_FOO=1 CNI_DATADIR="$TMP/trap" CNI_SUBNET=x NLDBG=9 NLCB=debug XTABLES_LIBDIR="$TMP/trap" NLSPATH="$TMP/trap/%N"
		GCONV_PATH="$TMP/trap" MALLOC_TRACE="$TMP/trap/mtrace" MALLOC_PERTURB_=85 HOSTALIASES="$TMP/trap/hosts"
		http_proxy=http://192.0.2.1 USER=nobody SHELL=/bin/false NFT_DEBUG=all UUID=x DEBUG=1 EMPTY= A=B=C
		LONG="$(head -c 100000 /dev/zero | tr '\0' x)")
	BUSY=$(conf ".ipam.ranges=[[{subnet:\"10.0.1.0/24\"}]] | .ipMasq=true | .runtimeConfig.ips=[\"10.0.1.9\"]")
	forget
	clean_files=$(opened ADD "$BUSY" PATH="$PATH" | sed -E 's/vpc[0-9a-f]{12}/vpc/')
	clean_result=$(jq -S '[.ips, .routes, .dns]' "$TMP/stdout")
	works DEL "$BUSY"
	forget
	files=$(PATH=$PATH opened ADD "$BUSY" "${RUBBISH[@]}" | sed -E 's/vpc[0-9a-f]{12}/vpc/')
	is "$clean_files" "$files" "files opened"
	is "$clean_result" "$(jq -S '[.ips, .routes, .dns]' "$TMP/stdout")" "result"
	is "" "$(<"$TMP/stderr")" stderr
	works DEL "$BUSY" "${RUBBISH[@]}"
	is "" "$(ls "$TMP/trap")" "files in the trap"
	clean
fi

finish
