#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc as a runtime: what plugins are given, in which order, and what happens when one of them fails.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

uplink
FAKE=$TMP/fake
mkdir -p "$FAKE/say"
# The fake writes down how it was called, then does what $FAKE/say/NAME.VERB says, if there is such.
cat >"$FAKE/one" <<'END'
#!/bin/sh
here=${0%/*} me=${0##*/}
echo "$me $CNI_COMMAND" >>"$here/calls"
cat >"$here/$me.$CNI_COMMAND.stdin"
env | grep '^CNI_' | sort >"$here/$me.$CNI_COMMAND.env"
ls /proc/self/fd | wc -l >"$here/$me.$CNI_COMMAND.fds"
if [ -e "$here/say/$me.$CNI_COMMAND" ]; then . "$here/say/$me.$CNI_COMMAND"; fi
END
chmod +x "$FAKE/one"
ln "$FAKE/one" "$FAKE/two"
LIST='{"cniVersion":"1.0.0","cniVersions":["0.4.0","1.0.0","1.1.0"],"name":"fakes","plugins":[
	{"type":"one","a":[1,2],"capabilities":{"portMappings":true}},
	{"type":"two","capabilities":{"mac":true,"ips":true}}]}'
ONE='{"cniVersion":"1.1.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01","sandbox":"/run/netns/t"}],
	"ips":[{"address":"10.9.9.9/24","interface":0}],"dns":{"nameservers":["192.0.2.9"]}}'
TWO=$(jq -c '.ips[0].address = "10.9.9.10/24"' <<<"$ONE")
say() { printf '%s\n' "$2" >"$FAKE/say/$1"; }
stdin_of() { jq -c "$2" "$FAKE/$1.stdin"; }
calls() {
	tr '\n' ' ' <"$FAKE/calls" | sed 's/ $//'
	rm -f "$FAKE/calls"
}
fakes() { told "$1" run --bin-dir "$FAKE" --net "$TMP/fakes.conflist" "${@:2}"; }
printf '%s' "$LIST" >"$TMP/fakes.conflist"
say one.ADD "echo '$ONE'"
say two.ADD "echo '$TWO'"
baseline

if group "what plugins are given"; then
	fakes 0 --name t -p 8080:80 --mac 02:00:00:00:00:05 -- sh -c 'hostname; cat /etc/hosts /etc/resolv.conf; ip -o link show lo'
	is "one ADD two ADD two DEL one DEL" "$(calls)" "order"
	like 't.*10\.9\.9\.10 t.*nameserver 192\.0\.2\.9' "${OUT//$'\n'/ }" "the last result counts"
	like 'LOOPBACK,UP' "$OUT" "lo is up"
	t "ADD of the first"
	is '"fakes"' "$(stdin_of one.ADD .name)" "name"
	is '"1.1.0"' "$(stdin_of one.ADD .cniVersion)" "the newest version of both"
	is '[1,2]' "$(stdin_of one.ADD .a)" "its own keys"
	is '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}' "$(stdin_of one.ADD .runtimeConfig)" "runtimeConfig"
	is null "$(stdin_of one.ADD .prevResult)" "prevResult"
	is "CNI_ARGS=|CNI_COMMAND=ADD|CNI_CONTAINERID=t|CNI_IFNAME=eth0|CNI_NETNS=/run/netns/t" \
		"$(grep -v CNI_PATH "$FAKE/one.ADD.env" | tr '\n' '|' | sed 's/|$//')" "environment"
	like "CNI_PATH=$FAKE:" "$(<"$FAKE/one.ADD.env")" "CNI_PATH"
	t "ADD of the second"
	is '{"mac":"02:00:00:00:00:05"}' "$(stdin_of two.ADD .runtimeConfig)" "runtimeConfig"
	is "$(jq -c . <<<"$ONE")" "$(stdin_of two.ADD .prevResult)" "prevResult"
	t "DEL"
	for plugin in one two; do
		is "$(jq -c . <<<"$TWO")" "$(stdin_of $plugin.DEL .prevResult)" "prevResult of $plugin"
		is CNI_NETNS=/run/netns/t "$(grep CNI_NETNS "$FAKE/$plugin.DEL.env")" "namespace of $plugin"
	done
	is "$(stdin_of one.ADD .runtimeConfig)" "$(stdin_of one.DEL .runtimeConfig)" "runtimeConfig"
	t "no descriptors"
	is 4 "$(cat "$FAKE"/*.fds | sort -u)" "stdin, stdout, stderr, and that of ls itself"
	t "what no plugin declares goes by CNI_ARGS"
	jq '.plugins[1].capabilities = {}' <<<"$LIST" >"$TMP/fakes.conflist"
	fakes 0 --name t --ip 10.9.9.9 --mac 02:00:00:00:00:05 -- true
	is "CNI_ARGS=IgnoreUnknown=1;IP=10.9.9.9;MAC=02:00:00:00:00:05" "$(grep CNI_ARGS "$FAKE/one.ADD.env")" "CNI_ARGS"
	t "a published port that nobody takes is refused, not forgotten"
	jq '.plugins[0].capabilities = {}' <<<"$LIST" >"$TMP/fakes.conflist"
	calls >/dev/null
	refuses 65 'no plugin of the network fakes takes published ports' run --bin-dir "$FAKE" \
		--net "$TMP/fakes.conflist" -p 80:80 -- true
	printf '%s' "$LIST" >"$TMP/fakes.conflist"
	t "older versions: no prevResult at DEL before 0.4.0"
	jq '.cniVersion = "0.3.1" | del(.cniVersions)' <<<"$LIST" >"$TMP/fakes.conflist"
	fakes 0 --name t -- true
	is null "$(stdin_of one.DEL .prevResult)" "prevResult"
	printf '%s' "$LIST" >"$TMP/fakes.conflist"
	clean
fi

if group "where plugins are looked for"; then
	# A taskvpc that has no plugins beside it, as an installed one.
	mkdir -p "$TMP/bin" && cp "$TASKVPC" "$TMP/bin/"
	installed() { TASKVPC=$TMP/bin/taskvpc told "$@"; }
	mount -t tmpfs tmpfs /opt
	mkdir -p /opt/cni/bin
	t "nowhere"
	installed 66 run --mode none -- true
	like 'no plugin "task-none" in /opt/cni/bin:/usr/lib/cni.*make install' "${ERR//$'\n'/ }" "error"
	t "where make install puts them"
	cp "$BIN/task-none" /opt/cni/bin/
	installed 0 run --mode none -- true
	t "CNI_PATH before it, --bin-dir before that"
	printf '#!/bin/sh\nexit 3\n' >"$FAKE/task-none" && chmod +x "$FAKE/task-none"
	CNI_PATH=$FAKE installed 69 run --mode none -- true
	like "plugin $FAKE/task-none" "$ERR" "error"
	CNI_PATH=$FAKE installed 0 run --bin-dir "$BIN" --mode none -- true
	installed 69 run --bin-dir "$FAKE" --mode none -- true
	umount /opt
	rm "$FAKE/task-none"
	told 0 gc --bin-dir "$BIN"
	is "" "$(tasks)" "tasks"
	clean
fi

if group "CHECK, STATUS, GC"; then
	rm -f "$FAKE/calls"
	CNI_PATH=$FAKE told 0 run -d --name t --net "$TMP/fakes.conflist" -- sleep 60
	CNI_PATH=$FAKE told 0 check t
	is "one ADD two ADD one CHECK two CHECK" "$(calls)" "order"
	is "$(jq -c . <<<"$TWO")" "$(stdin_of one.CHECK .prevResult)" "prevResult"
	say two.CHECK 'echo "{\"code\":106,\"msg\":\"gone astray\",\"details\":\"do this\"}"; exit 1'
	told 1 check t
	like 't +fakes +wrong +two: gone astray.*t: fix: do this' "$OUT" "difference"
	rm "$FAKE/say/two.CHECK" "$FAKE/calls"
	CNI_PATH=$FAKE told 0 status "$TMP/fakes.conflist"
	t "a plugin older than STATUS"
	say one.STATUS 'echo "{\"code\":3,\"msg\":\"missing containerID\"}"; exit 1'
	say one.VERSION 'echo "{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.4.0\",\"1.0.0\"]}"'
	CNI_PATH=$FAKE told 1 status "$TMP/fakes.conflist"
	like ' no .*one has no STATUS, and does not speak cniVersion 1\.1\.0' "$OUT" "and than the version"
	say one.VERSION 'echo "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"1.1.0\"]}"'
	CNI_PATH=$FAKE told 0 status "$TMP/fakes.conflist"
	like ' unknown .*one has no STATUS' "$OUT" "not than the version"
	rm "$FAKE"/say/one.STATUS "$FAKE"/say/one.VERSION
	rm -f "$FAKE/calls"
	CNI_PATH=$FAKE told 0 status "$TMP/fakes.conflist"
	is "one STATUS two STATUS" "$(calls)" "order"
	say one.STATUS 'echo "{\"code\":50,\"msg\":\"not today\"}"; exit 1'
	CNI_PATH=$FAKE told 1 status "$TMP/fakes.conflist"
	like 'fakes +one +no .*one: not today' "$OUT" "status"
	rm "$FAKE/say/one.STATUS" "$FAKE/calls"
	t "plugins of others are not asked for GC: without a list it would mean all"
	CNI_PATH=$FAKE told 0 gc
	fails "calls" test -e "$FAKE/calls"
	is "10.9.9.10/24 up" "$(row t '"\(.address) \(.state)"')" "ls knows it by its result"
	t "explain"
	CNI_PATH=$FAKE told 0 explain "$TMP/fakes.conflist"
	like '# one: not a plugin of taskvpc' "$OUT" "says so"
	t "rm does not need to be told where the plugins are"
	told 0 rm t
	is "two DEL one DEL" "$(calls)" "order"
	clean
fi

if group "what a list asks of its runtime"; then
	NETD=/etc/cni/net.d
	t "disableCheck: no CHECK, and nothing is said to be well"
	for value in true '"True"'; do
		jq --argjson v "$value" '.disableCheck = $v' <<<"$LIST" >$NETD/fakes.conflist
		CNI_PATH=$FAKE told 0 run -d --name t --net fakes -- sleep 60
		rm -f "$FAKE/calls"
		CNI_PATH=$FAKE told 0 check t
		like 't +fakes +off +disableCheck of its network is true' "$OUT" "verdict for $value"
		fails "calls for $value" test -e "$FAKE/calls"
		CNI_PATH=$FAKE told 0 rm t
	done
	jq '.disableCheck = "false"' <<<"$LIST" >$NETD/fakes.conflist
	CNI_PATH=$FAKE told 0 run -d --name t --net fakes -- sleep 60
	rm -f "$FAKE/calls"
	CNI_PATH=$FAKE told 0 check t
	is "one CHECK two CHECK" "$(calls)" "calls for false"
	CNI_PATH=$FAKE told 0 rm t
	t "disableGC: what is dead stays for the runtime that may, others are collected"
	jq '.disableGC = true | .name = "lab"' <<<"{\"cniVersion\":\"1.1.0\",\"plugins\":[$CONF]}" >$NETD/lab.conflist
	for name in lab other; do
		ip netns add gone && ID=gone works ADD "$(conf ".name = \"$name\"")" CNI_NETNS=$NETNS/gone
		drop gone
	done
	told 0 gc
	is "gone other" "$(awk 'NR > 1 { print $1, $NF }' <<<"$OUT")" "collected"
	like '# network lab: not collected, its disableGC is true' "$ERR" "told"
	told 0 gc lab
	like 'nothing to remove' "$ERR" "by name"
	is "gone dead" "$("$TASKVPC" ls --json | jq -r 'map("\(.task) \(.state)") | join(" ")')" "left"
	rm $NETD/lab.conflist
	told 0 gc
	is "gone lab" "$(awk 'NR > 1 { print $1, $NF }' <<<"$OUT")" "collected without it"
	t "plugins in files beside the list, in their order, after its own"
	mkdir -p "$NETD/fakes/dir.conf"
	jq '{cniVersion, name, plugins: .plugins[:1]}' <<<"$LIST" >$NETD/fakes.conflist
	echo '{"type":"two","b":2}' >$NETD/fakes/20.conf
	echo '{"type":"one","b":1}' >$NETD/fakes/10.conf
	echo '{' >$NETD/fakes/30.json
	told 0 inspect fakes
	is '[["one",null],["one",1],["two",2]]' "$(jq -c '[.plugins[] | [.type, .b]]' <<<"$OUT")" "plugins"
	rm -f "$FAKE/calls"
	CNI_PATH=$FAKE told 0 run --name t --net $NETD/fakes.conflist -- true
	is "one ADD one ADD two ADD two DEL one DEL one DEL" "$(calls)" "order"
	jq 'del(.plugins)' <<<"$LIST" >$NETD/fakes.conflist
	told 0 inspect fakes
	is '["one","two"]' "$(jq -c '[.plugins[].type]' <<<"$OUT")" "no plugins in the list itself"
	t "loadOnlyInlinedPlugins: only its own"
	jq '.plugins |= .[:1] | .loadOnlyInlinedPlugins = "TRUE"' <<<"$LIST" >$NETD/fakes.conflist
	CNI_PATH=$FAKE told 0 inspect fakes
	is '["one"]' "$(jq -c '[.plugins[].type]' <<<"$OUT")" "plugins"
	jq 'del(.plugins) | .loadOnlyInlinedPlugins = true' <<<"$LIST" >$NETD/fakes.conflist
	refuses 65 'fakes.conflist: plugins: must be a list, and not empty' status $NETD/fakes.conflist
	t "what cannot be read is told by its place"
	for key in disableCheck disableGC loadOnlyInlinedPlugins; do
		for value in '"yes"' 1 '[]'; do
			jq --argjson v "$value" ".$key = \$v" <<<"$LIST" >$NETD/fakes.conflist
			refuses 65 "fakes.conflist: $key: must be true or false" status $NETD/fakes.conflist
		done
	done
	jq '.plugins = []' <<<"$LIST" >$NETD/fakes.conflist
	refuses 65 'fakes.conflist: plugins: must be a list, and not empty' status $NETD/fakes.conflist
	printf '%s' "$LIST" >$NETD/fakes.conflist
	echo '{"typ":"two"}' >$NETD/fakes/20.conf
	refuses 65 'fakes/20.conf: type: must be a string' status $NETD/fakes.conflist
	echo '{' >$NETD/fakes/20.conf
	refuses 65 'fakes/20.conf.*no valid JSON' status $NETD/fakes.conflist
	rm -r $NETD/fakes $NETD/fakes.conflist
	clean
fi

if group "failures"; then
	t "the second fails: all are deleted, nothing is left"
	say two.ADD 'echo "{\"code\":11,\"msg\":\"try later\",\"details\":\"in a minute\"}"; exit 1'
	rm -f "$FAKE/calls"
	refuses 69 'two: try later +in a minute' run --bin-dir "$FAKE" --net "$TMP/fakes.conflist" -- true
	like '^one ADD two ADD two DEL one DEL' "$(calls)" "order"
	t "in the background too"
	refuses 69 'two: try later' run -d --bin-dir "$FAKE" --net "$TMP/fakes.conflist" -- sleep 60
	t "it talks nonsense, it dies, it says nothing"
	say two.ADD 'echo hello'
	refuses 65 'result of two is no valid JSON' run --bin-dir "$FAKE" --net "$TMP/fakes.conflist" -- true
	say two.ADD 'kill -SEGV $$'
	refuses 69 'two: plugin .*died of signal 11' run --bin-dir "$FAKE" --net "$TMP/fakes.conflist" -- true
	say two.ADD 'exit 3'
	refuses 69 'two: plugin .*failed with status 3' run --bin-dir "$FAKE" --net "$TMP/fakes.conflist" -- true
	t "DEL fails: the task stays, and the next to look tries again"
	say two.ADD "echo '$TWO'"
	say two.DEL 'echo "{\"code\":5,\"msg\":\"no way\"}"; exit 1'
	fakes 69 --name t -- true
	like 'task t stays, it cannot be taken down: two: no way.*taskvpc gc' "${ERR//$'\n'/ }" "told"
	is dead "$(row t .state)" "state"
	told 69 gc
	like 'no way' "$ERR" "gc"
	refuses 69 'no way' run --name t --mode none -- true
	t "rm --force removes it all the same, and says so"
	like 'rm --force t' "${ERR//$'\n'/ }" "the way out"
	told 0 rm --force t
	like 'warning: task t: DEL failed, its resources may stay: two: no way' "$ERR" "told"
	is "" "$("$TASKVPC" ls -q)" "tasks"
	rm "$FAKE/say/two.DEL"
	told 0 gc
	clean
	t "a plugin that is too old for the version refuses DEL, too: it has made nothing"
	old='echo "{\"code\":1,\"msg\":\"incompatible CNI versions\"}"; exit 1'
	for plugin in one two; do
		for verb in ADD DEL; do say $plugin.$verb "$old"; done
		told 65 run --name t --bin-dir "$FAKE" --net "$TMP/fakes.conflist" -- true
		like "^taskvpc run: $plugin: incompatible CNI versions" "$ERR" "$plugin is too old: told once"
		is "" "$(tasks)" "$plugin is too old: tasks"
		told 0 run --name t --mode none -- true
		is "" "$ERR" "$plugin is too old: the next run"
		say $plugin.ADD "echo '$ONE'"
		rm "$FAKE/say/$plugin.DEL"
	done
	t "as it is when the run was killed before it knew"
	say two.ADD "touch \$here/waits; sleep 60; $old"
	say two.DEL "$old"
	"$TASKVPC" run --name t --bin-dir "$FAKE" --net "$TMP/fakes.conflist" -- true 2>/dev/null &
	pid=$!
	until_true test -e "$FAKE/waits"
	kill -KILL $pid
	wait $pid 2>/dev/null
	told 0 rm t
	is "" "$(tasks)" "tasks"
	t "a plugin that refuses ADD and DEL for another reason is warned of, not waited for"
	say two.ADD 'echo "{\"code\":7,\"msg\":\"no such key\"}"; exit 1'
	cp "$FAKE/say/two.ADD" "$FAKE/say/two.DEL"
	told 65 run --name t --bin-dir "$FAKE" --net "$TMP/fakes.conflist" -- true
	like 'warning: DEL after a refused ADD: two: no such key' "$ERR" "told"
	is "" "$(tasks)" "tasks"
	t "one that was attached is: its DEL must succeed"
	say two.ADD "echo '$TWO'"
	say one.DEL 'echo "{\"code\":1,\"msg\":\"incompatible CNI versions\"}"; exit 1'
	rm "$FAKE/say/two.DEL"
	fakes 65 --name t -- true
	is t "$(tasks)" "tasks"
	rm -f "$FAKE/say/one.DEL" "$FAKE/waits"
	told 0 rm t
	clean
fi

if group "while a plugin is at it"; then
	# Each waits until it is let go.
	say two.ADD "touch \$here/waits; until [ -e \$here/go ]; do sleep 0.05; done; echo '$TWO'"
	say two.DEL 'touch $here/waits; until [ -e $here/go ]; do sleep 0.05; done'
	let_go() {
		rm -f "$FAKE/waits"
		touch "$FAKE/go"
	}
	t "rm during ADD: the task comes up, and is ended"
	"$TASKVPC" run -d --name t --bin-dir "$FAKE" --net "$TMP/fakes.conflist" -- sleep 69 >"$TMP/run" &
	pid=$!
	until_true test -e "$FAKE/waits"
	"$TASKVPC" rm t >"$TMP/rm" 2>&1 &
	rm=$!
	sleep 0.3
	runs "rm waits" kill -0 $rm
	let_go
	wait $rm
	is 0 $? "rm"
	wait $pid
	is 0 $? "run"
	is "" "$(tasks)" "tasks"
	fails "its command" pgrep -fx 'sleep 69'
	t "^C during ADD"
	# on_terminal default|ignore COMMAND… <KEYS: run on a terminal on which these keys are pressed. What they
	# do is the default, or is ignored, as of a job in the background.
	on_terminal() {
		env "--$1-signal=INT,QUIT" script -qefc \
			"exec '$TASKVPC' run --name t --bin-dir '$FAKE' --net '$TMP/fakes.conflist' -- ${*:2}" /dev/null >"$TMP/tty"
	}
	# press OCTAL: this key, while the plugin waits.
	press() {
		until_true test -e "$FAKE/waits"
		# shellcheck disable=SC2059 # an escape of printf
		printf "\\$1"
		sleep 0.3
		let_go
		sleep 1
	}
	if command -v script >/dev/null; then
		say two.ADD "trap '' INT QUIT; $(<"$FAKE/say/two.ADD")"
		for row in 003:130:Interrupt 034:131:Quit; do
			IFS=: read -r key rc word <<<"$row"
			rm -f "$FAKE/go" "$FAKE/waits" "$FAKE/calls"
			press "$key" | on_terminal default sleep 2
			is "$rc" $? "exit code"
			like "before the command began: $word" "$(<"$TMP/tty")" "told"
			is "one ADD two ADD two DEL one DEL" "$(calls)" "calls"
			is "" "$(tasks)" "tasks"
		done
		t "not of one that does not heed it"
		rm -f "$FAKE/go" "$FAKE/waits"
		press 003 | on_terminal ignore true
		is 0 $? "exit code"
	else
		skip "needs script"
	fi
	t "rm during DEL: it returns when nothing is left"
	start t --bin-dir "$FAKE" --net "$TMP/fakes.conflist" -- sleep 69
	rm -f "$FAKE/go" "$FAKE/waits"
	kill -TERM "$(pid_of t main)"
	until_true test -e "$FAKE/waits"
	"$TASKVPC" rm t >"$TMP/rm" 2>&1 &
	rm=$!
	sleep 0.3
	runs "rm waits" kill -0 $rm
	let_go
	wait $rm
	is 0 $? "rm"
	is "" "$(tasks)" "tasks"
	rm "$FAKE/go" "$FAKE/say/two.DEL"
	say two.ADD "echo '$TWO'"
	clean
fi

if group "what is no text is shown, not obeyed"; then
	# One escape sequence is whole, the other has no end.
	say two.ADD "echo '$(jq -c '.ips[0].address = "\u001b[31m9\u001b"' <<<"$TWO")'"
	start t --bin-dir "$FAKE" --net "$TMP/fakes.conflist" -- sh -c $'sleep 60 # \e[31m \e'
	for reading in ls topology "inspect t"; do
		# shellcheck disable=SC2086 # words
		told 0 $reading
		like '[?]\[31m9[?]' "$OUT" "$reading: the address"
		is "" "$(LC_ALL=C grep -P '[\x00-\x08\x0b-\x1f]' <<<"$OUT")" "$reading: control characters"
	done
	like 'sleep 60 # [?]\[31m [?]' "$OUT" "the command"
	told 0 rm t
	say two.ADD "echo '$TWO'"
	clean
fi

if group "reference plugins"; then
	if [ -x "$CNI_REF/portmap" ] && [ -x "$CNI_REF/bridge" ]; then
		export CNI_PATH=$CNI_REF
		t "behind awsvpc"
		start web --net "$ROOT/netconf-examples/awsvpc-chained.conflist" -p 8080:80 -- \
			sh -c 'while busybox nc -l -p 80 -e /bin/hostname; do :; done'
		until_true listens web 80
		is web "$(busybox nc -w 2 198.51.100.2 8080)" "by portmap"
		told 0 rm web
		fails "its port" busybox nc -w 1 198.51.100.2 8080
		t "alone"
		echo '{"cniVersion":"1.0.0","name":"ref","type":"bridge","bridge":"br-ref","isGateway":true,
			"ipam":{"type":"host-local","dataDir":"'"$TMP"'/hl","ranges":[[{"subnet":"10.44.0.0/24"}]]}}' >"$TMP/ref.conf"
		told 0 run --net "$TMP/ref.conf" --name r -- sh -c 'ip -o -4 addr show eth0; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo lo'
		like '10\.44\.0\.2/24.*lo' "${OUT//$'\n'/ }" "address, and lo is up"
		start r --net "$TMP/ref.conf" -- sleep 60
		is "bridge 10.44.0.3/24 ref up" "$(row r '"\(.mode) \(.address) \(.network) \(.state)"')" "ls"
		told 0 rm r
		is "" "$(find "$TMP/hl/ref" -name '10.*')" "leases of host-local"
		ip link del br-ref
	else
		skip "needs the reference plugins"
	fi
fi

finish
