#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Callers, names and files that mean harm: paths that lead astray, names that would be commands, links in the
# state directory, sizes at the limit and one beyond.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns c1
baseline

if group netns; then
	t "the host's own namespace by other names"
	touch "$TMP/self"
	mount --bind /proc/self/ns/net "$TMP/self"
	ln -s "$TMP/self" "$TMP/to-host"
	ln -s "$TMP/to-host" "$TMP/to-link"
	ln -s "$TMP/loop" "$TMP/loop"
	for path in "$TMP/self" "$TMP/to-host" "$TMP/to-link" /proc/$$/ns/net /proc/$$/task/$$/ns/net \
		/proc/thread-self/ns/net /proc/self/ns/../ns/net /proc/self/root/proc/self/ns/net; do
		refused 4 "CNI_NETNS.*host's own" ADD "$CONF" CNI_NETNS="$path"
	done
	refused 4 'CNI_NETNS' ADD "$CONF" CNI_NETNS="$TMP/loop"
	t "DEL and CHECK with the host's own: of a task that is not there, and of one that is elsewhere"
	works DEL "$CONF" CNI_NETNS="$TMP/self"
	add c1
	refused '4|106' . CHECK "$(with_prev c1)" CNI_NETNS="$TMP/self"
	works DEL "$CONF" CNI_NETNS="$TMP/self"
	is 1 "$(ip -n c1 -o link | wc -l)" "links in the namespace"
	clean
	t "a link that leads to the task at one moment and to the host at the next"
	swap() {
		while :; do
			ln -sfn $NETNS/c1 "$TMP/swap.1" && mv -Tf "$TMP/swap.1" "$TMP/swapped"
			ln -sfn "$TMP/self" "$TMP/swap.2" && mv -Tf "$TMP/swap.2" "$TMP/swapped"
		done
	}
	ln -s $NETNS/c1 "$TMP/swapped"
	swap &
	pid=$!
	attached=0 turned_away=0
	for ((i = 0; i < 60 || (i < 400 && (attached == 0 || turned_away == 0)); i++)); do
		plugin ADD "$CONF" CNI_NETNS="$TMP/swapped"
		case $RC.$(ip -o link show eth0 2>/dev/null) in
		0.) attached=$((attached + 1)) ;;
		1.) turned_away=$((turned_away + 1)) ;;
		*) fail "call $i: rc $RC, and on the host: $(ip -o link show eth0 2>&1)" ;;
		esac
		plugin DEL "$CONF" CNI_NETNS="$TMP/swapped"
		[ "$RC" = 0 ] || fail "DEL $i: $OUT"
	done
	stop $pid
	isnt 0 $attached "ADDs that went to the task"
	isnt 0 $turned_away "ADDs that were turned away"
	umount "$TMP/self"
	rm -f "$TMP/self" "$TMP"/to-* "$TMP/loop" "$TMP"/swap*
	is 1 "$(ip -n c1 -o link | wc -l)" "links in the namespace"
	clean
fi

if group names; then
	touch "$TMP/canary"
	# Each would do something, were it ever part of a shell's line, of nft's text or of a path.
	t "interface names that would be commands: used as they are, or refused"
	# shellcheck disable=SC2016 # that is the point
	NAMES=('$(reboot)' '`id`' ';reboot' 'a"b' "a'b" 'a;b' '}drop' '{' '*' '?' '-rf' '--help' '@own4' '#x' '\n' 'a\b' '!!' '~' '&x' '|x' '<x' '=x')
	for name in "${NAMES[@]}"; do
		plugin ADD "$CONF" CNI_IFNAME="$name"
		if [ "$RC" = 0 ]; then
			is "$name" "$(ip -n c1 -j link | jq -r '.[] | select(.ifname != "lo") | .ifname')" "its name"
			works DEL "$CONF" CNI_IFNAME="$name"
		else
			expect_error 4 'CNI_IFNAME'
		fi
	done
	clean
	t "they are data in what --explain prints, for whoever runs it"
	# shellcheck disable=SC2016
	for name in '$(>canary)' '`>canary`' ';>canary' "'>canary'" '">canary"'; do
		rm -f "$TMP/canary"
		env -i CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME="$name" PATH="$PATH" \
			ASAN_OPTIONS="${ASAN_OPTIONS:-}" "$BIN/awsvpc" --explain <<<"$CONF" >"$TMP/plan" 2>"$TMP/stderr"
		is 0 $? "--explain for $name: $(<"$TMP/stderr")"
		# Every command of the plan, as a shell reads it, without what it would do.
		sed -E "/^nft -f/,/^EOF/d; s/^(ip|sysctl|tc|nft|bridge) /: /" "$TMP/plan" >"$TMP/plan.sh"
		runs "the plan for $name is shell" bash -c "cd '$TMP' && bash -u '$TMP/plan.sh'"
		fails "canary of $name" test -e "$TMP/canary"
	done
	t "bridges: a name that would be more"
	PLUGIN=$BIN/task-bridge
	# shellcheck disable=SC2016
	for name in '../x' '/etc' 'a/b' 'a b' 'x"; flush ruleset; "' '$(reboot)' 'cni0;drop' '' 'all' 'default' '.' '..' 'lo' \
		"$(printf 'b%.0s' {1..16})" 'br%d'; do
		plugin ADD "$(conf ".type=\"task-bridge\" | .bridge=$(jq -nc --arg n "$name" '$n') | .ipam.ranges=[[{subnet:\"10.88.0.0/24\"}]] | .isGateway=true")"
		if [ "$RC" = 0 ]; then
			is "$name" "$(ip -j link show type bridge | jq -r '.[].ifname')" "its name"
			works DEL "$(conf ".type=\"task-bridge\"")"
		else
			expect_error '7|100+' "bridge|$name"
		fi
		clean
	done
	PLUGIN=$BIN/awsvpc
	t "sysctls of all interfaces are what they were"
	is 0 "$(cat /proc/sys/net/ipv6/conf/all/disable_ipv6)" "disable_ipv6 of all"
	is 0 "$(cat /proc/sys/net/ipv6/conf/default/disable_ipv6)" "disable_ipv6 of default"
	t "paths in what is a name"
	for name in ../../../etc/x 'x/../../y' '..' '.'; do
		refused '4|6|7' . ADD "$CONF" CNI_CONTAINERID="$name"
		refused '4|6|7' . ADD "$(jq -c --arg n "$name" '.name=$n' <<<"$CONF")"
		refused 7 'ipam.type' ADD "$(jq -c --arg n "$name" '.ipam.type=$n' <<<"$CONF")" CNI_PATH="$TMP:$BIN"
	done
	clean
fi

if group state; then
	# trap NAME…: an empty state directory, but for a link of that name that leads to a file of somebody's.
	mkdir "$TMP/theirs"
	precious() {
		echo "precious" >"$TMP/theirs/file"
		chmod 600 "$TMP/theirs/file"
	}
	untouched() {
		is "precious" "$(<"$TMP/theirs/file")" "what is behind it"
		is 1 "$(find "$TMP/theirs" -type f | wc -l)" "files beside that"
	}
	for name in lock records index turn records.new index.new; do
		for kind in link dangling hard fifo directory foreign; do
			t "$name of the store is a trap: $kind"
			forget
			mkdir -m 700 "$DATA"
			precious
			case $kind in
			link) ln -s "$TMP/theirs/file" "$DATA/$name" ;;
			dangling) ln -s "$TMP/theirs/new" "$DATA/$name" ;;
			hard) ln "$TMP/theirs/file" "$DATA/$name" ;;
			fifo) mkfifo -m 600 "$DATA/$name" ;;
			directory) mkdir "$DATA/$name" ;;
			foreign) touch "$DATA/$name" && chown 65534 "$DATA/$name" ;;
			esac
			ms plugin ADD "$CONF"
			within 20000 "$MS" "milliseconds"
			if [ "$RC" = 0 ]; then
				works DEL "$CONF"
			else
				expect_error '101|100' "$DATA|$name"
			fi
			untouched
			rm -rf "${DATA:?}"
			clean
		done
	done
	t "the state directory of another user, and one below a link"
	forget
	mkdir -m 700 "$DATA"
	chown 65534 "$DATA"
	refused 101 'belongs to user 65534' ADD "$CONF"
	rmdir "$DATA"
	ln -s "$TMP/theirs" "$DATA"
	refused 101 'symbolic link' ADD "$CONF"
	refused 101 'symbolic link' ADD "$(conf ".ipam.dataDir=\"$DATA/\"")"
	rm "$DATA"
	untouched
	clean
fi

if group limits; then
	# limit KEY MOST FILTER: FILTER makes a configuration with $n of them.
	limit() {
		local key=$1 most=$2 filter=$3
		t "$key: $most are taken, $((most + 1)) are refused"
		plugin ADD "$(jq -c --argjson n "$most" "$filter" <<<"$CONF")"
		is 0 "$RC" "$most of $key: $OUT"
		works DEL "$CONF"
		refused '7|4' "$key" ADD "$(jq -c --argjson n $((most + 1)) "$filter" <<<"$CONF")"
	}
	limit 'vpc.cidr' 8 '.vpc.cidr=[range($n) | "10.\(.).0.0/16"]'
	limit 'ipam.ranges.0..0..exclude' 32 '.ipam.ranges[0][0].exclude=[range($n) | "10.0.1.\(. + 100)"]'
	limit 'ipam.ranges.0.' 64 '.ipam.ranges=[[range($n) | {subnet: "10.0.\(.).0/24"}]]'
	limit 'ipam.ranges' 8 '.ipam.ranges=[range($n) | [{subnet: "10.0.\(.).0/24"}]]'
	limit 'ipam.routes' 64 '.ipam.routes=[range($n) | {dst: "198.51.\(.).0/24"}]'
	limit 'dns.nameservers' 8 '.dns.nameservers=[range($n) | "192.0.2.\(.)"]'
	limit 'portMappings' 1024 '.runtimeConfig.portMappings=[range($n) | {containerPort: (. + 1000)}]'
	t "CNI_IFNAME: 15 bytes, not 16"
	works ADD "$CONF" CNI_IFNAME=abcdefghijklmno
	works DEL "$CONF" CNI_IFNAME=abcdefghijklmno
	refused 4 'CNI_IFNAME.*15 bytes' ADD "$CONF" CNI_IFNAME=abcdefghijklmnop
	t "CNI_NETNS: 511 bytes, not 512"
	deep=$TMP/d
	mkdir "$deep"
	path=$(printf '%s/%s' "$deep" "$(printf './%.0s' {1..400})")
	path=${path:0:$((511 - 2))}
	path=${path%/}
	touch "$deep/n"
	mount --bind $NETNS/c1 "$deep/n"
	while [ ${#path} -lt 509 ]; do path+=/; done
	works ADD "$CONF" CNI_NETNS="$path/n"
	is 511 "$(printf %s "$path/n" | wc -c)" bytes
	works DEL "$CONF" CNI_NETNS="$path/n"
	refused 4 'CNI_NETNS.*too long' ADD "$CONF" CNI_NETNS="$path//n"
	umount "$deep/n"
	t "stdin: 16 MiB, not a byte more"
	{
		printf '%s' "${CONF%\}}"
		head -c $((16 * 1024 * 1024 - ${#CONF})) /dev/zero | tr '\0' ' '
		printf '}'
	} >"$TMP/most"
	is $((16 * 1024 * 1024)) "$(stat -c %s "$TMP/most")" "bytes"
	works ADD "@$TMP/most"
	works DEL "$CONF"
	{ cat "$TMP/most"; printf ' '; } >"$TMP/more"
	refused 5 '16 MiB' ADD "@$TMP/more"
	refused 5 '16 MiB' DEL "@$TMP/more"
	rm "$TMP/most" "$TMP/more"
	clean
fi

finish
