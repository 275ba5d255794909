#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a runtime or a kernel withholds: memory, descriptors, the size of files, a standard output that is read,
# sysctls, nftables, libnftables; and tables that change while they are read. One document on stdout, no death,
# nothing left; and without the limit the verbs work.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns c1 c2
CONFIG=$(conf '.ipMasq=true | .ipam.cooldown=0')
BRIDGE='{"cniVersion":"1.1.0","name":"br","type":"task-bridge","bridge":"cni0","isDefaultGateway":true,"ipMasq":true,
	"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80}]},
	"ipam":{"cooldown":0,"ranges":[[{"subnet":"10.88.0.0/16"}]]}}'
BRIDGE=$(jq -c . <<<"$BRIDGE")
# The skeleton's forwarding is there already, so that nothing differs after the first DEL.
add c1 "$CONFIG" && del c1 "$CONFIG"
baseline

# wrapped COMMAND…: from now on the plugin is run by it; unwrapped: not any more.
wrapped() {
	printf '#!/bin/bash\nexec %s %s\n' "$*" "$BIN/${TYPE:-awsvpc}" >"$TMP/wrapped"
	chmod +x "$TMP/wrapped"
	PLUGIN=$TMP/wrapped
}
unwrapped() { PLUGIN=$BIN/${TYPE:-awsvpc}; }

# one_answer VERB: success, or exactly one error. Counts in SERVED and REFUSED.
one_answer() {
	if [ "$RC" = 0 ]; then
		SERVED=$((SERVED + 1))
	else
		REFUSED=$((REFUSED + 1))
		expect_error '100+|[1-9][0-9]?' .
	fi
}

# starved OPTION VALUE…: ADD and DEL at each value of that limit, from no store on. An ADD that failed has left
# nothing; a DEL that failed is made up for by the next.
starved() {
	local option=$1 value
	SERVED=0 REFUSED=0
	shift
	for value; do
		t "ADD and DEL with $option=$value"
		forget
		wrapped prlimit "--$option=$value"
		plugin ADD "$CONFIG"
		one_answer ADD
		unwrapped
		if [ "$RC" = 0 ]; then
			cp "$TMP/stdout" "$TMP/result/c1.eth0"
			verify c1 "$CONFIG"
		else
			clean
			add c1 "$CONFIG"
		fi
		wrapped prlimit "--$option=$value"
		plugin DEL "$CONFIG"
		one_answer DEL
		unwrapped
		del c1 "$CONFIG"
		clean
	done
	t "limits of $option: some were low enough, some high enough"
	isnt 0 "$REFUSED" "refused"
	isnt 0 "$SERVED" "served"
}

if group limits; then
	# AddressSanitizer needs terabytes of addresses, and descriptors of its own.
	if [ -z "$SAN" ]; then
		# Below this the loader ends the process before main(): 3.2 MB with libc 2.41.
		FLOOR=$(seq 3000000 200000 20000000 | while read -r as; do
			CNI_COMMAND=VERSION prlimit --as="$as" "$PLUGIN" </dev/null 2>/dev/null | grep -q cniVersion && echo "$as" && break
		done)
		starved as $(seq "$FLOOR" $((400000 + RANDOM % 100000)) 20000000)
		starved nofile 4 5 6 7 8 9 10 11 12 13 14 15 16 20
	fi
	starved fsize 2048 4096 65536 100000 unlimited
fi

if group stdout; then
	# into WHAT: ADD with its standard output there: nobody can be told, so nothing may stand.
	into() {
		t "stdout: $1"
		RC=0
		"into_$1" || RC=$?
		isnt 0 "$RC" "exit code of ADD"
		like 'stdout: cannot write' "$(<"$TMP/stderr")" "stderr"
		clean
	}
	into_closed() { call ADD c1 <<<"$CONFIG" >&- 2>"$TMP/stderr"; }
	into_full() { call ADD c1 <<<"$CONFIG" >/dev/full 2>"$TMP/stderr"; }
	# A pipe whose reader is gone before the plugin begins.
	into_reader_gone() {
		local rc=0
		mkfifo "$TMP/fifo"
		exec 4<>"$TMP/fifo"
		exec 5>"$TMP/fifo" 4>&-
		call ADD c1 <<<"$CONFIG" >&5 2>"$TMP/stderr" || rc=$?
		exec 5>&-
		rm "$TMP/fifo"
		return "$rc"
	}
	for what in closed full reader_gone; do into $what; done
	t "and that DEL and GC do not mind, for they have nothing to say"
	for out in '>&-' '>/dev/full' '2>&-' '>&- 2>&-'; do
		add c1 "$CONFIG"
		eval "call DEL c1 <<<\"\$CONFIG\" $out" 2>/dev/null
		is 0 $? "exit code of DEL $out"
		clean
	done
	t "stdin: closed, empty"
	RC=0
	OUT=$(call ADD c1 <&- 2>/dev/null) || RC=$?
	expect_error '5|6|7' 'stdin'
	RC=0
	OUT=$(call ADD c1 </dev/null 2>/dev/null) || RC=$?
	expect_error '5|6|7' 'stdin'
	clean
fi

if group kernel; then
	t "/proc/sys is read-only: the step is named, and the remedy"
	read_only() { mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys; }
	read_only
	refused 100 'sysctl .*/proc/sys/net/.*Read-only file system' ADD "$CONFIG"
	like 'mount' "$(jq -r '.details // ""' <<<"$OUT")" "remedy"
	umount /proc/sys
	add c1 "$CONFIG"
	t "and in the middle of a life: DEL takes back what ADD wrote, through a mount of proc of its own"
	read_only
	del c1 "$CONFIG"
	umount /proc/sys
	clean
	t "so does a bridge with published ports, with route_localnet"
	TYPE=task-bridge unwrapped
	add c1 "$BRIDGE"
	read_only
	del c1 "$BRIDGE"
	umount /proc/sys
	clean
	unwrapped

	t "the kernel has no nf_tables: nothing of it can be asked for, and nothing is left of it"
	if [ -n "$SAN" ]; then
		skip "AddressSanitizer wants to be the first library"
	elif command -v gcc >/dev/null; then
		gcc -shared -fPIC -x c -o "$TMP/no-nft.so" - <<-'END'
			#include <errno.h>
			#include <sys/socket.h>
			#include <sys/syscall.h>
			#include <unistd.h>
			int socket(int domain, int type, int protocol)
			{
				if (domain != AF_NETLINK || protocol != 12)
					return (int)syscall(SYS_socket, domain, type, protocol);
				errno = EPROTONOSUPPORT;
				return -1;
			}
		END
		for TYPE in awsvpc task-bridge; do
			case $TYPE in awsvpc) config=$CONFIG ;; *) config=$BRIDGE ;; esac
			wrapped env LD_PRELOAD="$TMP/no-nft.so"
			refused 100 'netlink socket .protocol 12.: Protocol not supported' ADD "$config"
			like 'nf_tables' "$(jq -r '.details // ""' <<<"$OUT")" "remedy"
			refused 50 'nftables is not usable on this host.*Protocol not supported' STATUS "$(jq -c 'del(.runtimeConfig)' <<<"$config")"
			works DEL "$config"
			unwrapped
			add c1 "$config"
			del c1 "$config"
			clean
		done
		TYPE=awsvpc
		unwrapped
	else
		skip "needs gcc"
	fi
fi

if group libnftables; then
	LIBRARY=$(ldconfig -p | awk '/libnftables.so.1 .*x86-64|libnftables.so.1 / { print $NF; exit }')
	# library WHAT [SOURCE]: for the plugin, this is in the place of libnftables.
	library() {
		if [ $# = 2 ]; then gcc -shared -fPIC -x c -o "$TMP/fake.so" - <<<"$2"; else : >"$TMP/fake.so"; fi
		wrapped unshare --mount --propagation private sh -c "'mount --bind $TMP/fake.so $LIBRARY && exec \$0'"
		t "libnftables $1"
	}
	back() {
		unwrapped
		add c1 "$CONFIG"
		del c1 "$CONFIG"
		clean
	}
	CALLS='void *nft_ctx_new(int f){return &nft_ctx_new;} void nft_ctx_free(void *c){} int nft_ctx_buffer_error(void *c){return 0;}
		const char *nft_ctx_get_error_buffer(void *c){return "Error: no\nmore\n";}'
	library "is no library"
	refused 50 'cannot load libnftables.so.1: .*too short' ADD "$CONFIG"
	like 'install' "$(jq -r .details <<<"$OUT")" "remedy"
	back
	if command -v gcc >/dev/null; then
		library "lacks a call" 'int nothing;'
		refused 50 'libnftables.so.1 lacks a call' ADD "$CONFIG"
		back
		library "ends the process" "#include <stdlib.h>
			$CALLS int nft_run_cmd_from_buffer(void *c, const char *b){exit(0);}"
		refused 100 'libnftables.so.1 died' ADD "$CONFIG"
		back
		library "dies" "$CALLS int nft_run_cmd_from_buffer(void *c, const char *b){__builtin_trap();}"
		refused 100 'libnftables.so.1 died' ADD "$CONFIG"
		back
		library "says no" "$CALLS int nft_run_cmd_from_buffer(void *c, const char *b){return 1;}"
		refused 100 'nftables: Error: no' ADD "$CONFIG"
		back
		library "says yes and does nothing" "$CALLS int nft_run_cmd_from_buffer(void *c, const char *b){return 0;}"
		refused 100 'add element inet taskvpc .*No such file' ADD "$CONFIG"
		back
		t "an ADD is killed while it waits for libnftables: the child goes with it"
		HANGS="#include <unistd.h>
			$CALLS int nft_run_cmd_from_buffer(void *c, const char *b){for (;;) pause();}"
		library "hangs" "$HANGS"
		call ADD c1 <<<"$CONFIG" >"$TMP/hanging" 2>&1 &
		hangs() { [ "$(pgrep -c -x awsvpc)" = 2 ]; }
		gone() { ! pgrep -x awsvpc >/dev/null; }
		for _ in 1 2 3 4 5; do until_true hangs && break; done
		is 2 "$(pgrep -c -x awsvpc)" "processes: $(<"$TMP/hanging")"
		kill -KILL "$(pgrep -o -x awsvpc)"
		wait $! 2>/dev/null
		until_true gone || fail "the child lives"
		unwrapped
		del c1 "$CONFIG"
		clean
		if [ -n "${SLOW:-}" ]; then
			library "hangs for good" "$HANGS"
			refused 100 'libnftables.so.1 died' ADD "$CONFIG"
			back
		fi
	else
		skip "needs gcc"
	fi
fi

if group "changing tables"; then
	[ -z "$SAN" ] || export ASAN_OPTIONS=detect_leaks=0 # which does not work under strace
	t "addresses and links come and go while they are read: read again, until they stand still"
	HOST='{"cniVersion":"1.1.0","name":"host","type":"task-host"}'
	for ((i = 1; i < 400; i++)); do
		echo "addr add 198.18.$((i / 200)).$((i % 200 + 1))/32 dev lo"
	done >"$TMP/up"
	ip -batch "$TMP/up"
	{
		for ((i = 0; i < 40000; i++)); do printf 'addr add 198.19.0.1/32 dev lo\naddr del 198.19.0.1/32 dev lo\n'; done
	} >"$TMP/churn"
	ip -force -batch "$TMP/churn" >/dev/null 2>&1 &
	CHURN=$!
	TYPE=task-host
	wrapped strace -o "$TMP/trace" -e trace=recvfrom
	interrupted=0
	for ((i = 0; i < 60 && interrupted < 3; i++)); do
		rm -f "$TMP/trace"
		plugin ADD "$HOST" CNI_NETNS=/proc/self/ns/net
		if [ "$RC" != 0 ]; then
			expect_error 100 'tables kept changing'
		else
			pass
		fi
		if grep -q NLM_F_DUMP_INTR "$TMP/trace"; then interrupted=$((interrupted + 1)); fi
		works DEL "$HOST" CNI_NETNS=/proc/self/ns/net
	done
	stop $CHURN
	isnt 0 "$interrupted" "dumps that the kernel said were interrupted"
	sed 's/addr add/addr del/' "$TMP/up" | ip -force -batch - 2>/dev/null
	ip addr del 198.19.0.1/32 dev lo 2>/dev/null
	clean
fi

finish
