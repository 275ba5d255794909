#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# awsvpc with a foreign IPAM plugin that behaves, and with one that misbehaves in every known way.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns c1 hung
baseline

# The fake: writes down how it was called, then does what $FAKE/VERB (or else $FAKE/ADD.ok) says.
FAKE=$TMP/fake
mkdir -p "$FAKE/say"
cat >"$FAKE/fake" <<'END'
#!/bin/sh
here=${0%/*}
echo "$CNI_COMMAND" >>"$here/calls"
cat >"$here/stdin.$CNI_COMMAND"
env | grep -v -e '^_=' -e '^PWD=' -e '^OLDPWD=' -e '^SHLVL=' | sort >"$here/env.$CNI_COMMAND"
ls -l /proc/self/fd >"$here/fd.$CNI_COMMAND"
[ ! -e "$here/say/$CNI_COMMAND" ] || . "$here/say/$CNI_COMMAND"
END
chmod +x "$FAKE/fake"
FCONF=$(conf '.ipam={"type":"fake","a":[1, 2],"b":null}')
OK='{"cniVersion":"1.1.0","ips":[{"address":"10.0.7.7/24","gateway":"10.0.7.1"}],"routes":[{"dst":"0.0.0.0/0"}]}'

# say VERB SHELL: what the fake does for VERB. calls: the verbs it saw, and forget them.
say() { printf '%s\n' "$2" >"$FAKE/say/$1"; }
calls() {
	[ ! -e "$FAKE/calls" ] || tr '\n' ' ' <"$FAKE/calls"
	rm -f "$FAKE/calls"
}
# fake VERB [CONF [VAR=VALUE…]], fake_refused CODE REGEX VERB […]
fake() { works "$1" "${2:-$FCONF}" CNI_PATH="/none:$FAKE" "${@:3}"; }
fake_refused() { refused "$1" "$2" "$3" "${4:-$FCONF}" CNI_PATH="/none:$FAKE" "${@:5}"; }
say_ok() {
	rm -f "$FAKE/say/"*
	say ADD "echo '$OK'"
}

# It hangs: a minute, in the background, with all that it writes in a directory of its own. The end of this
# script sees what has become of it.
HUNG=$TMP/hung
hang() {
	local TMP=$HUNG ID=hung
	plugin ADD "$FCONF" CNI_PATH="/none:$HUNG"
	echo "$RC" >"$HUNG/rc"
}
if group hangs; then
	cp -r "$FAKE" "$HUNG"
	echo 'sleep 120' >"$HUNG/say/ADD"
	hang &
	HANGING=$!
fi

if group behaving; then
	t "a result is merged into ours"
	say_ok
	fake ADD
	is '["10.0.7.7/24","10.0.7.1","eth0"]' \
		"$(jq -c '.interfaces as $i | .ips[0] | [.address, .gateway, $i[.interface].name]' <<<"$OUT")" "ips"
	is '[{"dst":"0.0.0.0/0","gw":"10.0.7.1"}]' "$(jq -c '[.routes[] | {dst, gw}]' <<<"$OUT")" "routes"
	like 'inet 10.0.7.7/24' "$(ip -n c1 addr show eth0)" "kernel"
	like 'default via 10.0.7.1' "$(ip -n c1 route)" "kernel"
	cp "$TMP/stdout" "$TMP/result/c1.eth0"
	is "ADD " "$(calls)" "calls"
	t "stdin byte for byte, the same environment but for the verb, no other descriptor"
	runs "stdin" cmp "$FAKE/stdin.ADD" <(printf %s "$FCONF")
	env -i CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 \
		CNI_PATH="/none:$FAKE" PATH="$PATH" CNI_ARGS="A=b" TRACEPARENT="x y" \
		ASAN_OPTIONS="${ASAN_OPTIONS:-}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-}" env | sort >"$TMP/env"
	fake DEL
	calls >/dev/null
	exec 9</dev/null
	fake ADD "$FCONF" CNI_ARGS="A=b" TRACEPARENT="x y"
	exec 9<&-
	cp "$TMP/stdout" "$TMP/result/c1.eth0"
	runs "environment" diff "$TMP/env" "$FAKE/env.ADD"
	fake CHECK "$(with_prev c1 "$FCONF")"
	is "ADD CHECK " "$(calls)" "calls"
	runs "stdin of CHECK" cmp "$FAKE/stdin.CHECK" <(with_prev c1 "$FCONF" | tr -d '\n')
	# ls has the directory that it lists open as well.
	is "" "$(awk 'NR > 1 && $9 > 2 && !/\/proc\/[0-9]+\/fd$/' "$FAKE/fd.ADD")" "descriptors"
	fake DEL "$FCONF" CNI_NETNS=
	is "DEL " "$(calls)" "calls"
	is "CNI_COMMAND=DEL" "$(grep CNI_COMMAND "$FAKE/env.DEL")" "verb of DEL"
	clean
	t "DEL goes to it again and again"
	fake DEL
	is "DEL " "$(calls)" "calls"

	t "results in other clothes"
	while read -r text; do
		say ADD "echo noise >&2; echo '$text'"
		plugin ADD "$FCONF" CNI_PATH="$FAKE"
		is 0 "$RC" "rc for $text ($OUT)"
		is '["10.0.7.7/24"]' "$(jq -c '[.ips[].address]' <<<"$OUT")" "ips of $text"
		like noise "$ERR" "its stderr comes through"
		fake DEL
	done <<-'END'
		{"ips":[{"address":"10.0.7.7/24","gateway":"10.0.7.1"}]}
		{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.7.7/24"}],"dns":{}}
		{"cniVersion":"0.2.0","ip4":{"ip":"10.0.7.7/24","gateway":"10.0.7.1","routes":[{"dst":"0.0.0.0/0"}]}}
		{"cniVersion":"1.0.0","IPs":[{"Address":"10.0.7.7/24"}],"routes":null,"dns":null}
	END
	t "dns: its own unless the configuration has one"
	say ADD "echo '$(jq -c '.dns={nameservers:["192.0.2.1"]}' <<<"$OK")'"
	fake ADD
	is '["192.0.2.1"]' "$(jq -c .dns.nameservers <<<"$OUT")" "its own"
	fake DEL
	fake ADD "$(jq -c '.dns={nameservers:["192.0.2.2"]}' <<<"$FCONF")"
	is '["192.0.2.2"]' "$(jq -c .dns.nameservers <<<"$OUT")" "the configuration's"
	fake DEL
	calls >/dev/null
	clean
fi

# told FILTER: the kept result of c1.
told() { jq -c "$1" <<<"$OUT"; }
if group gateway; then
	t "it names no gateway: the host is one, by the first address of the prefix"
	for routes in '' ',"routes":[{"dst":"0.0.0.0/0"}]'; do
		say ADD "echo '{\"ips\":[{\"address\":\"10.0.7.7/24\"}]$routes}'"
		fake ADD
		is '["10.0.7.1"] [{"dst":"0.0.0.0/0","gw":"10.0.7.1"}]' "$(told '[.ips[].gateway]') $(told .routes)" "result"
		like 'default via 10.0.7.1' "$(ip -n c1 route show default)" "kernel"
		ping_ok c1 10.0.7.1
		ping_ok c1 192.0.2.1
		ping_ok host 10.0.7.7
		fake DEL
		clean
	done
	t "where that is the task's own, or there is none: by an address of the link alone"
	while read -r address gateway dst there; do
		say ADD "echo '{\"ips\":[{\"address\":\"$address\"}],\"routes\":[{\"dst\":\"$dst\"}]}'"
		fake ADD
		is "[\"$gateway\"]" "$(told '[.ips[].gateway]')" "$address: gateway in the result"
		ping_ok c1 "$there"
		cp "$TMP/stdout" "$TMP/result/c1.eth0"
		fake CHECK "$(with_prev c1 "$FCONF")"
		fake DEL
		clean
	done <<-'END'
		10.0.7.1/24 169.254.1.1 0.0.0.0/0 192.0.2.1
		10.0.7.7/32 169.254.1.1 192.0.2.0/24 192.0.2.1
		fd00:7::7/64 fd00:7::1 ::/0 2001:db8::1
		fd00:7::7/128 fe80::1 ::/0 2001:db8::1
	END
	if [ -x "$CNI_REF/static" ]; then
		t "the reference static, with an address alone"
		STATIC=$(conf '.cniVersion="1.0.0" | .ipam={type:"static",addresses:[{address:"10.0.7.7/24"}]}')
		add s1 "$STATIC"
		like 'default via 10.0.7.1' "$(ip -n s1 route show default)" "kernel"
		ping_ok s1 192.0.2.1
		del s1 "$STATIC"
		drop s1
		clean
	else
		skip "needs the reference static"
	fi
	t "an address that is the gateway of others already, or the host's own, is refused"
	say ADD "echo '{\"ips\":[{\"address\":\"10.0.7.7/24\"}]}'"
	fake ADD
	netns c2
	say ADD "echo '{\"ips\":[{\"address\":\"10.0.7.1/24\"}]}'"
	ID=c2 fake_refused 105 "result of fake: 10\.0\.7\.1 is an address of this host, or the gateway" ADD
	fake DEL
	say ADD "echo '{\"ips\":[{\"address\":\"192.0.2.1/24\"}]}'"
	ID=c2 fake_refused 105 "result of fake: 192\.0\.2\.1 is an address of this host" ADD
	drop c2
	clean
	t "a route that leads to the link itself leads nowhere: refused"
	for dst in 0.0.0.0/0 192.0.2.0/24; do
		say ADD "echo '{\"ips\":[{\"address\":\"10.0.7.7/24\"}],\"routes\":[{\"dst\":\"$dst\",\"scope\":253}]}'"
		fake_refused 7 "routes: the scope 253 of $dst leaves it without a gateway.*leave out \"scope\"" ADD
	done
	refused 7 'routes: the scope 253 of 192\.0\.2\.0/24' ADD "$(conf '.ipam.routes=[{dst:"192.0.2.0/24",scope:253}]')"
	calls >/dev/null
	clean
fi

if group misbehaving; then
	t "its own error goes up unchanged, and it is told to undo"
	while read -r code regex program; do
		rm -f "$FAKE/say/DEL"
		say ADD "$program"
		fake_refused "$code" "$regex" ADD
		is "ADD DEL " "$(calls)" "calls for: $program"
		say_ok
		fake ADD && fake DEL
		calls >/dev/null
	done <<-'END'
		11 busy echo '{"cniVersion":"1.1.0","code":11,"msg":"busy"}'; exit 1
		999 own.words echo '{"code":999,"msg":"own words","details":"d"}'; exit 2
		100+ fake.*a-text echo a-text; exit 1
		100+ fake echo only-stderr >&2; exit 1
		100+ fake exit 3
		100+ fake.*(signal|SIGSEGV|segmentation) kill -SEGV $$
		100+ fake.*(signal|SIGKILL|killed) kill -KILL $$
		100+ fake true
		100+ fake echo hello
		100+ fake echo '{}'
		100+ fake echo '[]'
		100+ fake echo '{"ips":[]}'
		100+ fake echo '{"ips":5}'
		100+ fake.*prefix echo '{"ips":[{"address":"10.0.7.7"}]}'
		7 ^routes:.*169\.254\.169\.254/32.*blockInstanceMetadata echo '{"ips":[{"address":"10.0.7.7/24"}],"routes":[{"dst":"169.254.169.254/32"}]}'
		100+ fake echo '{"ips":[{"address":"nope/24"}]}'
		100+ fake echo '{"ips":[{}]}'
		100+ fake echo '{"cniVersion":"9.0.0","ips":[{"address":"10.0.7.7/24"}]}'
		100+ fake echo '{"ips":[{"address":"10.0.7.7/24"}],"routes":[{"dst":"x"}]}'
		100+ fake echo '{"ips":[{"address":"10.0.7.7/24"}]}'; echo '{}'
		100+ fake echo '{"ips":[{"address":"10.0.7.7/24"}]}'; exit 1
		100+ fake head -c 3000000 /dev/zero | tr '\\0' x
	END
	is '"own words" "d"' "$(say ADD "echo '{\"code\":999,\"msg\":\"own words\",\"details\":\"d\"}'; exit 1"
		plugin ADD "$FCONF" CNI_PATH="$FAKE"
		jq -c '.msg, .details' <<<"$OUT" | xargs -d '\n')" "msg and details unchanged"
	calls >/dev/null
	t "it dies before reading its stdin"
	sed 's/^cat .*/[ "$CNI_COMMAND" != ADD ] || exit 1/' "$FAKE/fake" >"$FAKE/deaf"
	chmod +x "$FAKE/deaf"
	{
		printf %s "${FCONF%\}}" | sed 's/"fake"/"deaf"/'
		head -c 2000000 /dev/zero | tr '\0' ' '
		printf '}'
	} >"$TMP/big"
	fake_refused 100+ 'deaf' ADD "@$TMP/big"
	calls >/dev/null
	t "it fails to undo as well: the first error is told"
	say ADD "echo '{\"code\":110,\"msg\":\"first\"}'; exit 1"
	say DEL "echo '{\"code\":111,\"msg\":\"second\"}'; exit 1"
	fake_refused 110 'first' ADD
	calls >/dev/null
	t "it hands out an address and then our part fails: it is told to undo"
	say_ok
	ip -n c1 link add eth0 type veth peer name x
	fake_refused 102 'eth0' ADD
	like '^(ADD DEL |)$' "$(calls)" "calls"
	ip -n c1 link del eth0
	say ADD "echo '$(jq -c '.routes=[{dst:"192.0.2.0/24",gw:"198.51.100.1"}]' <<<"$OK")'"
	fake_refused '7|100' '198\.51\.100\.1' ADD
	is "ADD DEL " "$(calls)" "calls"
	clean

	t "its DEL fails: told, but our part is gone"
	say_ok
	say DEL "echo '{\"code\":112,\"msg\":\"stuck\"}'; exit 1"
	fake ADD
	plugin DEL "$FCONF" CNI_PATH="$FAKE" CNI_NETNS=
	expect_error 112 'stuck'
	clean
	say DEL true
	fake DEL
	calls >/dev/null

	t "we are killed in the midst of its ADD: it ends with us, or it would finish that after DEL"
	say ADD "kill -KILL \$PPID; exec sleep 64"
	{
		env -i CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 CNI_PATH="$FAKE" PATH="$PATH" \
			ASAN_OPTIONS="${ASAN_OPTIONS:-}" "$PLUGIN" <<<"$FCONF"
		RC=$?
	} >/dev/null 2>&1
	is 137 "$RC" "rc of the killed ADD"
	ended() { ! pgrep -fx "sleep 64" >/dev/null; }
	runs "the fake ends" until_true ended
	fake DEL
	is "ADD DEL " "$(calls)" "calls"
	say_ok

	t "its end cannot be watched: it is not left to itself, and nobody waits a minute for it"
	if command -v strace >/dev/null; then
		# blind ERROR: $PLUGIN, which gets no pidfd. The leak checker does not run under strace.
		blind() {
			cat >"$TMP/blind" <<-END
				#!/bin/sh
				export ASAN_OPTIONS=detect_leaks=0
				exec strace -qq -o /dev/null -e trace=pidfd_open -e inject=pidfd_open:error=$1 "$PLUGIN"
			END
			chmod +x "$TMP/blind"
		}
		blind ENFILE
		say ADD 'exec sleep 63'
		PLUGIN=$TMP/blind fake_refused 100+ 'fake.*cannot be run.*too many open files' ADD
		fails "the fake runs on" pgrep -fx 'sleep 63'
		t "there is no such call: its end is seen all the same, soon"
		blind ENOSYS
		say_ok
		PLUGIN=$TMP/blind ms fake ADD
		within 2000 "$MS" "milliseconds of ADD"
		PLUGIN=$TMP/blind fake DEL
		say ADD "echo '{\"code\":112,\"msg\":\"stuck\"}'; exit 1"
		PLUGIN=$TMP/blind fake_refused 112 stuck ADD
		say_ok
		calls >/dev/null
	else
		skip "needs strace"
	fi

	clean
fi

if group "a DEL that fails"; then
	t "the plugin hears of no DEL while the task may have the address still"
	say_ok
	fake ADD
	calls >/dev/null
	printf '%s' "$FCONF" >"$TMP/stdin"
	CNI_PATH="/none:$FAKE" CNI_COMMAND=DEL CNI_CONTAINERID=c1 CNI_NETNS=$NETNS/c1 CNI_IFNAME=eth0 fails "a DEL without buffers" \
		strace -qq -o /dev/null -e trace=sendto -e inject=sendto:error=ENOBUFS "$PLUGIN" <"$TMP/stdin"
	is "" "$(calls)" "calls"
	like 'inet 10.0.7.7/24' "$(ip -n c1 addr show eth0)" "kernel"
	fake DEL
	is "DEL " "$(calls)" "calls of the next"
	clean
fi

if group search; then
	say_ok
	t "types that cannot be found, and paths that are none"
	mkdir "$FAKE/dir"
	fake_refused 4 'missing.*(/none|CNI_PATH)|CNI_PATH.*missing' ADD "$(jq -c '.ipam.type="missing"' <<<"$FCONF")"
	fake_refused 4 'dir' ADD "$(jq -c '.ipam.type="dir"' <<<"$FCONF")"
	fake_refused 7 '\.\./fake' ADD "$(jq -c '.ipam.type="../fake"' <<<"$FCONF")"
	fake_refused 7 '/bin/true' ADD "$(jq -c '.ipam.type="/bin/true"' <<<"$FCONF")"
	fake_refused 7 'type' ADD "$(jq -c '.ipam.type=5' <<<"$FCONF")"
	refused 4 'CNI_PATH' ADD "$FCONF" CNI_PATH=
	refused 4 'CNI_PATH' ADD "$FCONF" -CNI_PATH
	refused 4 'fake' ADD "$FCONF" CNI_PATH="a::b"
	is "" "$(calls)" "calls"
	t "an empty element of CNI_PATH is passed over"
	works ADD "$FCONF" CNI_PATH="::$FAKE:"
	works DEL "$FCONF" CNI_PATH="::$FAKE:"
	t "a busy text file is tried again"
	cp "$FAKE/fake" "$FAKE/busy"
	sleep 0.7 9>>"$FAKE/busy" &
	works ADD "$(jq -c '.ipam.type="busy"' <<<"$FCONF")" CNI_PATH="$FAKE"
	wait $!
	works DEL "$(jq -c '.ipam.type="busy"' <<<"$FCONF")" CNI_PATH="$FAKE"
	calls >/dev/null
	t "a plugin that is named as its own IPAM plugin does not call itself without end"
	SELF=$(jq -c '.ipam.type="awsvpc"' <<<"$FCONF")
	refused 7 'ipam.type: "awsvpc" gives no addresses' ADD "$SELF"
	works DEL "$SELF"
	works GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$SELF")"
	t "task-ipam under another name"
	cp "$BIN/task-ipam" "$FAKE/pool"
	OTHER=$(jq -c '.ipam={type: "pool", dataDir: "'"$FAKE/store"'", ranges: [[{subnet: "10.0.7.0/24"}]]}' <<<"$FCONF")
	fake ADD "$OTHER"
	like '10\.0\.7\.' "$OUT" "its address"
	fake DEL "$OTHER"
	is 0 "$(DATA=$FAKE/store records)" "records of it"
	t "no \$PATH search"
	refused 4 'true' ADD "$(jq -c '.ipam.type="true"' <<<"$FCONF")" CNI_PATH="$FAKE"
	clean
fi

if group forwarding; then
	t "CHECK, STATUS and GC are forwarded and their errors returned"
	say_ok
	fake ADD
	cp "$TMP/stdout" "$TMP/result/c1.eth0"
	calls >/dev/null
	fake STATUS
	is "STATUS " "$(calls)" "calls"
	GC=$(jq -c '.["cni.dev/valid-attachments"]=[{containerID:"c1",ifname:"eth0"}]' <<<"$FCONF")
	fake GC "$GC"
	is "GC " "$(calls)" "calls"
	runs "stdin of GC" cmp "$FAKE/stdin.GC" <(printf %s "$GC")
	isnt "" "$(ip -n c1 -br link show eth0)" "the valid attachment"
	for verb in CHECK STATUS GC; do
		say $verb "echo '{\"code\":5$verb}' >/dev/null; echo '{\"cniVersion\":\"1.1.0\",\"code\":51,\"msg\":\"no $verb\"}'; exit 1"
	done
	fake_refused 51 'no CHECK' CHECK "$(with_prev c1 "$FCONF")"
	fake_refused 51 'no STATUS' STATUS
	fake_refused 51 'no GC' GC "$GC"
	t "GC of everything: it goes on after the delegate's error"
	plugin GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$FCONF")" CNI_PATH="$FAKE"
	expect_error 51 'no GC'
	clean
	say_ok
	fake DEL
fi

if group none; then
	t "no ipam at all: awsvpc needs an address"
	for filter in 'del(.ipam)' '.ipam={}' '.ipam=null' '.ipam.ranges=[]'; do
		refused 7 'ipam|ranges|address' ADD "$(conf "$filter")"
	done
	clean
fi

if group hangs; then
	t "it hangs: killed after a minute, and told to undo; the next one works"
	wait "$HANGING"
	RC=$(<"$HUNG/rc") OUT=$(<"$HUNG/stdout")
	expect_error 105 'fake.* did not end within 60000 ms and was killed'
	is "ADD DEL " "$(tr '\n' ' ' <"$HUNG/calls")" "calls"
	is 1 "$(ip -n hung -o link | wc -l)" "links in the task"
	clean
	echo "echo '$OK'" >"$HUNG/say/ADD"
	ID=hung works ADD "$FCONF" CNI_PATH="/none:$HUNG"
	ID=hung works DEL "$FCONF" CNI_PATH="/none:$HUNG"
	clean
fi

finish
