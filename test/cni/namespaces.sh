#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# createNamespace: the plugin makes the task's namespace and takes it away again; and only what it made.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
baseline
MAKE=$(conf '.createNamespace=true | .ipMasq=true')

if group off; then
	t "the default: a missing namespace is an error, and not made"
	refused 4 "CNI_NETNS.*$NETNS/c1" ADD "$CONF"
	refused 4 "CNI_NETNS.*$NETNS/c1" ADD "$(conf '.createNamespace=false')"
fi

# made NAME: ADD made this namespace.
made() {
	runs "namespace" ip netns exec "$1" true
	like 'LOOPBACK,UP' "$(ip -n "$1" -o link show lo)" "lo"
	like 'inet 10\.0\.' "$(ip -n "$1" addr show eth0)" "eth0"
}

# killed_add CALL N: an ADD that is killed as it begins its N-th CALL; false if it makes fewer.
killed_add() {
	printf '#!/bin/sh\nexec strace -qq -o /dev/null -e trace=%s -e inject=%s:signal=KILL:when=%s %s\n' \
		"$1" "$1" "$2" "$PLUGIN" >"$TMP/killed"
	chmod +x "$TMP/killed"
	PLUGIN=$TMP/killed call ADD c1 <<<"$MAKE" >"$TMP/out" 2>&1
	[ $? = 137 ]
}
# is_bare: it has a file, but that is no namespace.
is_bare() { [ -f $NETNS/c1 ] && [ "$(stat -f -c %T $NETNS/c1)" != nsfs ]; }

in_other_net() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

if group killed; then
	calls=()
	if [ -n "$SAN" ] || ! command -v strace >/dev/null; then skip "needs strace and few calls"; else calls=(mount openat); fi
	for call in "${calls[@]}"; do
		bare=0
		for ((n = 1; n < 40; n++)); do
			t "ADD is killed at $call $n: the next makes the namespace, or has it"
			killed_add "$call" "$n" || break
			! is_bare || bare=1
			# Spelled otherwise it is the same.
			works ADD "$MAKE" CNI_NETNS="$([ $((n % 2)) = 0 ] || echo /var)$NETNS/c1"
			made c1
			works DEL "$MAKE"
			fails "the namespace" test -e $NETNS/c1
			clean
		done
		works DEL "$MAKE"
		[ "$call" != mount ] || is 1 "$bare" "a file without a namespace was left once"
		for ((n = 1; n < 40; n++)); do
			t "ADD is killed at $call $n, and the next fails: nothing is left"
			killed_add "$call" "$n" || break
			plugin ADD "$MAKE" CNI_ARGS=IP=10.0.1.1
			expect_error 103 '10\.0\.1\.1'
			is_bare || fails "the namespace" test -e $NETNS/c1
			works DEL "$MAKE"
			rm -f $NETNS/c1 # a bare file that no record tells of
			clean
		done
		works DEL "$MAKE"
	done
	clean
fi

if group "a name that is gone"; then
	t "somebody takes the name of a living namespace away: GC mends the rest"
	works ADD "$MAKE"
	ip netns exec c1 sleep 300 &
	sleeper=$!
	until_true in_other_net $sleeper
	ip netns del c1
	netns c2
	add c2
	works GC "$(jq -c '."cni.dev/valid-attachments"=[{containerID:"c1",ifname:"eth0"},{containerID:"c2",ifname:"eth0"}]' <<<"$MAKE")" \
		-CNI_CONTAINERID -CNI_NETNS -CNI_IFNAME
	is 2 "$(records)" records
	stop $sleeper
	works DEL "$MAKE"
	del c2
	drop c2
	clean
fi

if group on; then
	t "ADD makes it, DEL takes it away"
	works ADD "$MAKE"
	made c1
	cp "$TMP/stdout" "$TMP/result/c1.eth0"
	is $NETNS/c1 "$(result c1 '.interfaces[] | select(.name == "eth0") | .sandbox')" sandbox
	verify c1 "$MAKE"
	ping_ok c1 "$(result c1 '.ips[0].gateway')"
	del c1 "$MAKE"
	fails "the namespace" test -e $NETNS/c1
	clean
	t "DEL twice, and without a namespace"
	works ADD "$MAKE"
	works DEL "$MAKE" CNI_NETNS=
	clean
	works DEL "$MAKE"
	clean
	t "DEL by a configuration that no longer says so: the record knows"
	works ADD "$MAKE"
	works DEL "$CONF"
	clean
	t "by way of /var/run"
	if [ -L /var/run ]; then
		works ADD "$MAKE" CNI_NETNS=/var/run/netns/c1
		made c1
		works DEL "$MAKE" CNI_NETNS=/var/run/netns/c1
		clean
	else
		skip "/var/run is no link to /run"
	fi
	t "/run/netns itself is missing"
	umount $NETNS 2>/dev/null
	umount $NETNS 2>/dev/null
	rmdir $NETNS
	works ADD "$MAKE"
	made c1
	works DEL "$MAKE"
	mkdir -p $NETNS
	clean
	t "GC takes it away"
	works ADD "$MAKE"
	works ADD "$MAKE" CNI_CONTAINERID=c2 CNI_NETNS=$NETNS/c2
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[{containerID:"c2",ifname:"eth0"}]' <<<"$MAKE")"
	fails "c1" test -e $NETNS/c1
	made c2
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$MAKE")"
	clean
	t "a second interface in a namespace that we made: it stays until the first goes"
	works ADD "$MAKE"
	LAB2=$(one 10.0.9.0/24 '.name="lab2" | .createNamespace=true')
	plugin ADD "$LAB2" CNI_IFNAME=eth1
	[ "$RC" != 0 ] || works DEL "$LAB2" CNI_IFNAME=eth1
	made c1
	works DEL "$MAKE"
	clean
	t "and of another network, which makes none: it stays until the last of them goes"
	LAB3=$(one 10.0.8.0/24 '.name="lab3"')
	for order in "1 2" "2 1"; do
		works ADD "$MAKE"
		works ADD "$LAB3" CNI_IFNAME=eth1
		for which in $order; do
			runs "the namespace before DEL $which of $order" ip netns exec c1 true
			case $which in
			1) works DEL "$MAKE" ;;
			2) works DEL "$LAB3" CNI_IFNAME=eth1 ;;
			esac
		done
		fails "the namespace after $order" test -e $NETNS/c1
		clean
	done
	t "a second ADD that fails leaves it to the first"
	works ADD "$MAKE"
	refused 103 '' ADD "$LAB3" CNI_IFNAME=eth1 CNI_ARGS=IP=10.99.0.1
	refused 100 'File exists' ADD "$(jq -c '.ipam.routes=[{dst:"10.0.8.1/32"}]' <<<"$LAB3")" CNI_IFNAME=eth1
	made c1
	works DEL "$MAKE"
	clean
	t "an attachment that somebody broke is made anew, in a namespace that keeps its name"
	works ADD "$MAKE"
	ip -n c1 link del eth0
	works ADD "$MAKE"
	made c1
	works DEL "$MAKE"
	clean
	t "made twice under one name: each is borne by who is in it"
	works ADD "$MAKE"
	ip netns del c1
	works ADD "$MAKE" CNI_CONTAINERID=c2
	made c1
	works DEL "$MAKE" CNI_CONTAINERID=c2
	fails "the second" test -e $NETNS/c1
	works DEL "$MAKE"
	clean
	t "the namespace was removed by somebody else"
	works ADD "$MAKE"
	ip netns del c1
	works DEL "$MAKE"
	clean
	t "and another one has its name by now: it stays"
	works ADD "$MAKE"
	ip netns del c1
	netns c1
	works ADD "$MAKE" CNI_CONTAINERID=c2
	works DEL "$MAKE" CNI_CONTAINERID=c2
	works DEL "$MAKE"
	runs "the stranger" ip netns exec c1 true
	drop c1
	clean
fi

if group existing; then
	t "one that existed is used, and never removed"
	netns c1
	works ADD "$MAKE"
	made c1
	works DEL "$MAKE"
	runs "after DEL" ip netns exec c1 true
	works ADD "$MAKE"
	works DEL "$MAKE" CNI_NETNS=
	runs "after DEL without CNI_NETNS" ip netns exec c1 true
	works ADD "$MAKE"
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$MAKE")"
	runs "after GC" ip netns exec c1 true
	refused 103 '' ADD "$MAKE" CNI_ARGS=IP=10.99.0.1
	runs "after a failed ADD" ip netns exec c1 true
	works DEL "$MAKE" CNI_CONTAINERID=never
	runs "after DEL of another container" ip netns exec c1 true
	drop c1
	clean
fi

if group failing; then
	t "a failing ADD takes away what it made"
	refused 103 '' ADD "$MAKE" CNI_ARGS=IP=10.99.0.1
	refused 7 mtu ADD "$(jq -c '.mtu=-1' <<<"$MAKE")"
	refused 100 'File exists' ADD "$(jq -c '.ipam.routes=[{dst:"10.0.1.1/32"},{dst:"10.0.2.1/32"}]' <<<"$MAKE")"
	t "paths that we make nothing at"
	for path in /run/other/c1 "$TMP/c1" $NETNS/a/b $NETNS/../c1 /proc/99999/ns/net c1 "$NETNS/" $NETNS/. $NETNS/..; do
		refused 4 'CNI_NETNS' ADD "$MAKE" CNI_NETNS="$path"
		fails "$path" test -f "$path"
	done
	t "a file that is no namespace: an error, and it stays"
	touch $NETNS/c1
	refused 4 "CNI_NETNS.*rm $NETNS/c1" ADD "$MAKE"
	refused 4 "CNI_NETNS.*no network namespace" ADD "$CONF"
	runs "the file" test -f $NETNS/c1
	works DEL "$MAKE"
	runs "the file after DEL" test -f $NETNS/c1
	rm $NETNS/c1
	t "a dangling link: an error, and nothing is made behind it"
	ln -s "$TMP/behind" $NETNS/c1
	refused 4 'CNI_NETNS' ADD "$MAKE"
	fails "the file behind" test -e "$TMP/behind"
	rm $NETNS/c1
	clean
fi

if group explain; then
	t "the printed plan begins with ip netns add"
	PLAN=$(env -i CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 PATH="$PATH" \
		ASAN_OPTIONS="${ASAN_OPTIONS:-}" "$BIN/awsvpc" --explain <<<"$MAKE" 2>&1)
	like 'ip netns add c1' "$PLAN" plan
	clean
fi

if group killed; then
	t "SIGKILL at any moment of ADD, then DEL"
	left=0
	for ((i = 0; i < 60; i++)); do
		(exec env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=eth0 \
			CNI_NETNS=$NETNS/c1 CNI_PATH="$BIN" "$BIN/awsvpc" <<<"$MAKE" >/dev/null 2>&1) &
		pid=$!
		sleep "0.00$((RANDOM % 9))$((RANDOM % 10))"
		kill -KILL $pid 2>/dev/null
		wait $pid 2>/dev/null
		works DEL "$MAKE" CNI_NETNS=$NETNS/c1
		[ ! -e $NETNS/c1 ] || left=$((left + 1))
	done
	is 0 "$left" "namespaces left"
	clean
	t "SIGKILL at any moment of DEL, then DEL"
	for ((i = 0; i < 40; i++)); do
		works ADD "$MAKE"
		(exec env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_IFNAME=eth0 \
			CNI_NETNS=$NETNS/c1 CNI_PATH="$BIN" "$BIN/awsvpc" <<<"$MAKE" >/dev/null 2>&1) &
		pid=$!
		sleep "0.00$((RANDOM % 9))$((RANDOM % 10))"
		kill -KILL $pid 2>/dev/null
		wait $pid 2>/dev/null
		works DEL "$MAKE"
	done
	clean
fi

finish
