#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Killed at any instant, the next call heals: SIGKILL at random moments, then at every system call.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns c1
baseline
MASQ=$(conf '.ipMasq=true | .ipam.ranges += [[{subnet:"fd00:10:1::/64"}]]')
KILLS=${KILLS:-200}

# killed VERB: start the verb and kill it after 0 to 9.9 ms.
killed() {
	local pid
	(exec env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" CNI_COMMAND="$1" CNI_CONTAINERID=c1 CNI_IFNAME=eth0 \
		CNI_NETNS=$NETNS/c1 CNI_PATH="$BIN" "$BIN/awsvpc" <<<"$MASQ" >/dev/null 2>&1) &
	pid=$!
	sleep "0.00$((RANDOM % 10))$((RANDOM % 10))"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
}

# residue: what is left on the host and in the task, briefly: addresses and routes go with their links.
residue() {
	local links tables routes
	links=$(ip -br link && ip -n c1 -br link)
	tables=$(nft list tables)
	routes=$(ip route show table all && ip -6 route show table all)
	grep -o -e '^eni[^ ]*' -e '^eth0' <<<"$links"
	[ -z "$tables" ] || echo "$tables"
	grep -e ' 10\.0\.' -e '^10\.0' -e 'fd00:10:' <<<"$routes"
	[ "$(records)" = 0 ] || echo "records"
}

if group random; then
	t "SIGKILL at $KILLS random moments of ADD, then DEL"
	bad=0
	for ((i = 1; i <= KILLS; i++)); do
		killed ADD
		call DEL c1 <<<"$MASQ" >"$TMP/stdout" 2>&1 || { bad=$((bad + 1)) && cp "$TMP/stdout" "$TMP/bad"; }
		[ -z "$(residue)" ] || { fail "after kill $i: $(residue | tr '\n' '|')" && break; }
	done
	is 0 "$bad" "DELs that failed: $(cat "$TMP/bad" 2>/dev/null)"
	clean
	t "SIGKILL at $((KILLS / 8)) random moments of ADD, then ADD and DEL"
	for ((i = 1; i <= KILLS / 8; i++)); do
		killed ADD
		plugin ADD "$MASQ"
		if [ "$RC" = 0 ]; then
			cp "$TMP/stdout" "$TMP/result/c1.eth0"
			verify c1 "$MASQ"
		else
			expect_error 102 'c1|eth0'
		fi
		del c1 "$MASQ"
	done
	clean
	t "SIGKILL at $((KILLS / 4)) random moments of DEL, then DEL"
	for ((i = 1; i <= KILLS / 4; i++)); do
		call ADD c1 <<<"$MASQ" >"$TMP/stdout" 2>&1 || fail "ADD $i: $(<"$TMP/stdout")"
		killed DEL
		call DEL c1 <<<"$MASQ" >"$TMP/stdout" 2>&1 || fail "DEL $i: $(<"$TMP/stdout")"
		[ -z "$(residue)" ] || { fail "after kill $i: $(residue | tr '\n' '|')" && break; }
	done
	clean
	t "SIGKILL of ADD, then GC"
	for ((i = 1; i <= KILLS / 10; i++)); do
		killed ADD
		works GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$MASQ")"
		[ -z "$(residue)" ] || { fail "after kill $i: $(residue | tr '\n' '|')" && break; }
	done
	clean
	t "SIGKILL of ADD, the namespace dies, another container comes"
	SMALL=$(one 10.0.1.0/30 '.ipam.ranges[0][0].reserve="minimal"')
	for ((i = 1; i <= KILLS / 16; i++)); do
		MASQ=$SMALL killed ADD
		drop c1
		netns c1
		add next "$SMALL"
		del next "$SMALL"
		del c1 "$SMALL"
	done
	drop next
	clean
fi

# System calls that change something outside of the process; SLOW=1 takes all for such.
CHANGING='sendto|sendmsg|write|pwrite64|ftruncate|fallocate|rename.*|unlink.*|mkdir.*|openat|mount|umount2'
CHANGING+='|clone.*|vfork|setns|unshare|flock|msync|exit_group'

# calls_of VERB: the system calls of the verb to kill it at, in order, as "NAME N" (the N-th of that
# name): those that change something, and what comes after each of them.
calls_of() {
	strace -f -o "$TMP/trace" env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" CNI_COMMAND="$1" CNI_CONTAINERID=c1 \
		CNI_IFNAME=eth0 CNI_NETNS=$NETNS/c1 CNI_PATH="$BIN" "$BIN/awsvpc" <<<"$MASQ" >/dev/null 2>&1
	# Of the plugin's own process only; env, which starts it, makes calls of its own before the execve.
	awk -v changing="^(${SLOW:+.*|}$CHANGING)\$" -v pid="$(awk 'NR == 1 { print $1 }' "$TMP/trace")" '
		$1 == pid && match($2, /^[a-z0-9_]+\(/) {
			name = substr($2, 1, RLENGTH - 1); n[name]++
			now = name ~ changing
			if (seen && (now || before)) print name, n[name]
			before = now
		}
		/taskvpc/ && $1 == pid && !/execve/ { seen = 1 }' "$TMP/trace"
}

# each VERB: kill the verb at each of these calls, once the store is open, then one DEL.
each() {
	local verb=$1 name n total=0 killed=0 seen residue="" kinds=""
	[ "$verb" = ADD ] || call ADD c1 <<<"$MASQ" >/dev/null
	calls_of "$verb" >"$TMP/calls"
	call DEL c1 <<<"$MASQ" >/dev/null
	isnt 0 "$(wc -l <"$TMP/calls")" "system calls of $verb"
	while read -r name n <&3; do
		if [ "$SECONDS" -ge "$DEADLINE" ]; then
			skip "out of time after $total of $(wc -l <"$TMP/calls") calls; LIMIT=120 gives it more"
			break
		fi
		total=$((total + 1))
		[ "$verb" = ADD ] || call ADD c1 <<<"$MASQ" >"$TMP/stdout" 2>&1 || fail "ADD: $(<"$TMP/stdout")"
		# In braces: their redirection takes in what the shell says of a killed job.
		{
			strace -f -o /dev/null -e "trace=$name" -e "inject=$name:signal=KILL:when=$n" \
				env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" CNI_COMMAND="$verb" CNI_CONTAINERID=c1 \
				CNI_IFNAME=eth0 CNI_NETNS=$NETNS/c1 CNI_PATH="$BIN" "$BIN/awsvpc" \
				<<<"$MASQ" || killed=$((killed + 1))
		} >/dev/null 2>&1
		if ! call DEL c1 <<<"$MASQ" >"$TMP/stdout" 2>"$TMP/stderr"; then
			fail "$verb killed at $name $n, then DEL: $(<"$TMP/stdout")"
			continue
		fi
		seen=$(residue)
		if [ -z "$seen" ]; then
			pass
		else
			residue+=" $name:$n"
			kinds+="$seen"$'\n'
			call GC c1 <<<"$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$MASQ")" >/dev/null 2>&1
			[ -z "$(residue)" ] || kinds+="not even GC takes it away"$'\n'
			call ADD c1 <<<"$MASQ" >/dev/null && call DEL c1 <<<"$MASQ" >/dev/null
		fi
	done 3<"$TMP/calls"
	[ -z "$residue" ] || fail "$verb killed at$residue, then DEL: left $(sort <<<"$kinds" | uniq -c | sort -rn | tr '\n' '|')"
	[ "$killed" -gt $((total * 2 / 3)) ] || fail "expected most of $total calls to be killed at, seen $killed"
}

if group syscalls; then
	if ! command -v strace >/dev/null || ! strace -o /dev/null -e inject=getppid:signal=KILL true 2>/dev/null; then
		skip "needs strace with injection"
	else
		for verb in ADD DEL; do
			t "SIGKILL at every system call of $verb"
			DEADLINE=$((SECONDS + ${LIMIT:-20}))
			each $verb
			clean
		done
	fi
fi

finish
