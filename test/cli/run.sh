#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc run, exec and rm: what a task sees, in each mode; signals, exit codes, names; what is refused.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

uplink
baseline

if group "a task's own"; then
	told 0 run --name t1 -- sh -c 'ip -o -4 addr show eth0; hostname; grep t1 /etc/hosts; ls /sys/class/net
		ps -e | wc -l; cat /etc/hostname; echo $$'
	like 'inet 10\.200\.[12]\.4/24' "$OUT" "address"
	is "t1" "$(sed -n 2p <<<"$OUT")" "hostname"
	like '^10\.200\.[12]\.4 t1' "$(sed -n 3p <<<"$OUT")" "/etc/hosts"
	is "eth0 lo" "$(sed -n 4,5p <<<"$OUT" | tr '\n' ' ' | sed 's/ $//')" "/sys/class/net"
	within 7 "$(sed -n 6p <<<"$OUT")" "processes"
	is t1 "$(sed -n 7p <<<"$OUT")" "/etc/hostname"
	is 2 "$(sed -n 8p <<<"$OUT")" "pid"
	t "the host's are as they were"
	isnt t1 "$(hostname)" "hostname"
	fails "hosts of the host" grep -q t1 /etc/hosts
	t "the directory, the environment and the standard descriptors are ours"
	export ODD="a b"
	told 0 run -- sh -c 'pwd; echo "$ODD"; ls -l /proc/self/fd | grep -c " -> "; cat' <<<"by stdin"
	is "$PWD|a b|$(sh -c 'ls -l /proc/self/fd | grep -c " -> "')|by stdin" "$(tr '\n' '|' <<<"${OUT%$'\n'}" | sed 's/|$//')" "seen"
	t "mounts stay inside"
	told 0 run -- mount -t tmpfs tmpfs /mnt
	fails "/mnt of the host" mountpoint -q /mnt
	t "a name server of the result"
	conf '.ipam.dns = {nameservers: ["192.0.2.53"], search: ["lab.internal"]}
		| {cniVersion: "1.1.0", name: "dns", plugins: [del(.name, .cniVersion)]}' >"$TMP/dns.conflist"
	told 0 run --net "$TMP/dns.conflist" -- cat /etc/resolv.conf
	is "nameserver 192.0.2.53|search lab.internal" "$(tr '\n' '|' <<<"$OUT" | sed 's/|$//')" "resolv.conf"
	t "none on the host's loopback"
	cp /etc/resolv.conf "$TMP/resolv"
	printf 'nameserver 127.0.0.53\nnameserver 192.0.2.1\n' >"$TMP/resolv.own"
	mount --bind "$TMP/resolv.own" /etc/resolv.conf
	told 0 run -- cat /etc/resolv.conf
	is "nameserver 192.0.2.1" "$OUT" "resolv.conf"
	is "" "$ERR" "a server is left: no warning"
	t "none at all is told, and --dns names one"
	echo 'nameserver 127.0.0.53' >"$TMP/resolv.own"
	told 0 run -- cat /etc/resolv.conf
	is "" "$OUT" "resolv.conf"
	like 'warning: no name server that task-1 can reach.*--dns ADDRESS' "${ERR//$'\n'/ }" "told"
	start b -- sleep 60
	like 'warning: no name server that b can reach' "$ERR" "in the background, by who starts it"
	is "" "$("$TASKVPC" logs b)" "and not in its log"
	refuses 64 '--task: .*--dns' run --task b --dns 192.0.2.1 -- true
	told 0 rm -t 0 b
	told 0 run --mode none -- true
	is "" "$ERR" "a task without a network lacks none"
	told 0 run --mode host -- cat /etc/resolv.conf
	is "nameserver 127.0.0.53" "$OUT$ERR" "a task in the host's network reaches it"
	told 0 run --dns 192.0.2.7 --dns 2001:db8::7 --dns-search a.internal --dns-search b -- cat /etc/resolv.conf
	is "nameserver 192.0.2.7|nameserver 2001:db8::7|search a.internal b|" "$(tr '\n' '|' <<<"$OUT")" "resolv.conf"
	is "" "$ERR" "no warning"
	umount /etc/resolv.conf
	for bad in x 192.0.2 ''; do refuses 64 "--dns: \"$bad\" is no IP" run --dns "$bad" -- true; done
	for bad in '' 'a b' $'a\nb'; do refuses 64 '--dns-search: .* is no domain' run --dns-search "$bad" -- true; done
	clean
fi

if group "names of others"; then
	start a -- sleep 60
	start b -- sleep 60
	start c --mode bridge -- sleep 60
	told 0 run -d --task b --name side -- sleep 60
	for pair in a:b b:a b/side:a; do
		is "$(ip_of "${pair#*:}")" "$("$TASKVPC" exec "${pair%:*}" getent ahostsv4 "${pair#*:}" | awk '{ print $1; exit }')" "${pair#*:} in ${pair%:*}"
	done
	fails "a task of another network" "$TASKVPC" exec a grep -w c /etc/hosts
	is 1 "$("$TASKVPC" exec a grep -cw a /etc/hosts)" "its own name stands once"
	t "the host"
	for task in a c; do
		told 0 exec $task ping -c 1 -W 1 host.taskvpc.internal
		is "$(in_ns $task ip -4 route show default | awk '{ print $3 }')" \
			"$("$TASKVPC" exec $task getent ahostsv4 host.taskvpc.internal | awk '{ print $1; exit }')" "its router"
	done
	told 0 run --mode host -- getent ahostsv4 host.taskvpc.internal
	like '^127\.0\.0\.1 ' "$OUT" "in the host's own network"
	told 0 run --mode none -- cat /etc/hosts
	fails "without a network" grep -q host.taskvpc.internal <<<"$OUT"
	t "what a task has written itself stays"
	"$TASKVPC" exec a sh -c 'sed "1i192.0.2.9 own" /etc/hosts >/tmp/hosts.a; cat /tmp/hosts.a >/etc/hosts; rm /tmp/hosts.a'
	start d -- sleep 60
	is "192.0.2.9 own" "$("$TASKVPC" exec a head -n 1 /etc/hosts)" "first line"
	runs "d" "$TASKVPC" exec a grep -w d /etc/hosts
	t "they go with the task, however it ends"
	told 0 rm -t 0 d
	fails "d" "$TASKVPC" exec a grep -w d /etc/hosts
	kill -KILL "$(pid_of b side)" "$(pid_of b main)"
	no_b() { ! "$TASKVPC" exec a grep -qw b /etc/hosts; }
	runs "b is gone" until_true no_b
	start localhost -- sleep 60
	fails "a name that every host has" "$TASKVPC" exec a grep -E '10.* localhost' /etc/hosts
	told 0 rm -t 0 a c localhost
	clean
fi

if group "modes"; then
	t "awsvpc is the default"
	told 0 run -- ip route
	like 'default via 10\.200\.[12]\.1 dev eth0' "$OUT" "route"
	t "two tasks talk, each has port 80"
	start a -- busybox nc -ll -p 80 -e /bin/hostname
	start b -- busybox nc -ll -p 80 -e /bin/hostname
	until_true listens a 80 && until_true listens b 80
	told 0 exec a -- busybox nc -w 2 "$(ip_of b)" 80
	is b "$OUT" "from a to b"
	told 0 exec b -- busybox nc -w 2 "$(ip_of a)" 80
	is a "$OUT" "from b to a"
	is b "$(busybox nc -w 2 "$(ip_of b)" 80)" "from the host to b"
	told 0 rm a b
	t "bridge, with a published port"
	start web --mode bridge -p 8080:80 -- busybox nc -ll -p 80 -e /bin/hostname
	until_true listens web 80
	is web "$(busybox nc -w 2 198.51.100.2 8080)" "by the host's address"
	is web "$(busybox nc -w 2 127.0.0.1 8080)" "by loopback"
	refuses 73 'host port 8080/tcp is held by container web' run --mode bridge -p 8080:80 -- true
	for port in :81 81; do
		start free --mode bridge -p $port -- sleep 60
		like '^[1-9][0-9]*->81$' "$("$TASKVPC" ports --json | jq -r '.[] | select(.task == "free") | "\(.hostPort)->\(.containerPort)"')" "-p $port: any free port"
		told 0 rm free
	done
	told 0 rm web
	t "host"
	told 0 run --mode host --name h -- sh -c 'ip -o link show up0 | wc -l; hostname; cat /etc/hosts'
	like '^1.h.' "$OUT" "sees the uplink, has its own name"
	start h --mode host -p 9000:9000 -- sleep 60
	refuses 73 '9000/tcp is held by container h' run --mode host -p 9000:9000 -- true
	refuses 65 'hostPort' run --mode host -p 9001:9002 -- true
	told 0 rm h
	t "none"
	told 0 run --mode none -- sh -c 'ip -o link | wc -l; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo lo'
	is "1|lo" "$(tr '\n' '|' <<<"$OUT" | sed 's/|$//')" "only lo, and it is up"
	refuses 65 'port' run --mode none -p 80:80 -- true
	t "an address and a MAC that are asked for"
	told 0 run --ip 10.200.2.77 --mac 02:00:00:00:00:77 -- ip -o addr show eth0
	like '10\.200\.2\.77/24' "$OUT" "address"
	told 0 run --mac 02:00:00:00:00:77 -- cat /sys/class/net/eth0/address
	is 02:00:00:00:00:77 "$OUT" "MAC"
	clean
fi

if group "exit codes and signals"; then
	for code in 0 1 7 125 126 127 200 255; do told $code run --mode none -- sh -c "exit $code"; done
	told 143 run --mode none -- sh -c 'kill -TERM $$'
	told 137 run --mode none -- sh -c 'kill -KILL $$'
	told 139 run --mode none -- sh -c 'kill -SEGV $$'
	t "signals are passed on"
	for sig in TERM INT HUP USR1 USR2 QUIT ABRT ALRM VTALRM PROF PIPE IO PWR XCPU XFSZ STKFLT RTMIN RTMAX-3; do
		# Of a background job bash ignores INT, and so would what it starts.
		env --default-signal "$TASKVPC" run --mode none --name s -- sleep 60 &
		pid=$!
		until_true runs_in s sleep
		kill -$sig $pid
		wait $pid
		rc=$?
		is $((128 + $(kill -l $sig))) $rc "$sig"
		is "" "$(tasks)" "$sig: tasks"
	done
	t "those that end nobody"
	"$TASKVPC" run --mode none --name s -- sh -c 'trap "echo WINCH" WINCH; trap "echo CONT" CONT
		trap "exit 9" TERM; touch '"$TMP"'/ready; while :; do sleep 0.1; done' >"$TMP/heard" &
	pid=$!
	until_true test -e "$TMP/ready"
	for sig in WINCH URG CONT; do kill -$sig $pid; done
	until_true grep -q CONT "$TMP/heard"
	is "CONT WINCH" "$(sort "$TMP/heard" | tr '\n' ' ' | sed 's/ $//')" "heard"
	kill -TERM $pid
	wait $pid
	is 9 $? "its own exit code"
	rm "$TMP/ready"
	t "a command that handles them"
	$TASKVPC run --mode none --name s -- sh -c 'trap "exit 9" TERM; touch '"$TMP"'/ready; while :; do sleep 0.1; done' &
	pid=$!
	until_true test -e "$TMP/ready"
	kill -TERM $pid
	wait $pid
	is 9 $? "its own exit code"
	t "orphans are reaped, and end with the task"
	told 0 run --mode none -- sh -c '(sleep 0.1 &) ; sleep 0.4; ps -e -o stat= | grep -c Z; true'
	is 0 "$OUT" "zombies"
	told 0 run --mode none -- sh -c 'sleep 61 & exit 0'
	fails "the orphan" pgrep -fx 'sleep 61'
	t "exec"
	start s --mode none -- sleep 60
	told 5 exec s -- sh -c 'exit 5'
	told 143 exec s -- sh -c 'kill -TERM $$'
	told 0 exec s hostname
	is s "$OUT" "without --"
	$TASKVPC exec s -- sleep 62 &
	pid=$!
	until_true runs_in s 'sleep 62'
	kill -TERM $pid
	wait $pid
	is 143 $? "TERM by exec"
	$TASKVPC exec s -- sleep 63 &
	pid=$!
	until_true runs_in s 'sleep 63'
	kill -KILL $pid
	wait $pid 2>/dev/null
	until_true gone 'sleep 63'
	fails "it dies with exec" pgrep -fx 'sleep 63'
	told 0 rm s
	clean
fi

if group "in the background"; then
	told 0 run -d --mode none -- sleep 60
	is task-1 "$OUT" "name"
	told 0 run -d --mode none -- sleep 60
	is task-2 "$OUT" "name"
	told 0 rm task-1
	told 0 run -d --mode none -- sleep 60
	is task-1 "$OUT" "the first that is free"
	ip netns add task-3
	told 0 run --mode none -- hostname
	is task-4 "$OUT" "a network namespace of that name is passed over"
	ip netns del task-3
	t "its end takes the task down"
	told 0 run -d --name brief -- sleep 0.3
	until_true gone_task brief
	is "" "$($TASKVPC ls -q | grep brief)" "in ls"
	t "its output"
	told 0 run -d --name loud --log "$TMP/log" -- sh -c 'echo out; echo err >&2'
	until_true gone_task loud
	is "err out" "$(sort "$TMP/log" | tr '\n' ' ' | sed 's/ $//')" "log"
	t "the caller's pipe is not held"
	is piped "$(timeout 5 "$TASKVPC" run -d --name piped --mode none -- sleep 60)" "name by a pipe"
	t "what goes wrong is told, and nothing is left"
	refuses 65 '--ip: the mode host gives none' run -d --name again --mode host -p 9:9 --ip 10.0.0.1 -- sleep 1
	refuses 69 '--log /nowhere/\?\[31mx: No such file.*taskvpc logs' run -d --log $'/nowhere/\e[31mx' -- sleep 1
	t "as JSON"
	told 0 run -d --json --name j --mode bridge -- sleep 60
	is 'j bridge lab-bridge up' "$(jq -r '.[0] | "\(.task) \(.mode) \(.network) \(.state)"' <<<"$OUT")" "row"
	t "all are ended"
	told 0 rm --all --time 1
	clean
fi

if group "bytes that are not UTF-8"; then
	start raw --mode none -- sh -c $'while :; do sleep 60; done # \xff'
	told 0 exec raw -- true
	told 0 inspect raw
	like 'done # [?]' "$OUT" "the command"
	told 0 rm raw
	mkdir "$TMP/"$'dir\xff'
	cd "$TMP/"$'dir\xff' || fail "cd"
	start raw --mode none --log log -- sh -c $'printf "a\xff"; exec sleep 60'
	until_true test -s log
	told 0 exec raw -- true
	is "$(printf 'a\377' | od -c)" "$(od -c <log)" "log"
	told 0 rm raw
	cd "$ROOT" || fail "cd"
	clean
fi

if group "two containers of one task"; then
	start web -- busybox nc -ll -p 80 -e /bin/hostname
	until_true listens web 80
	t "they share the network, not the processes"
	told 0 run --task web -- sh -c 'busybox nc -w 2 127.0.0.1 80; ps -e | grep -c nc; ip -o -4 addr show eth0'
	is "web|0" "$(sed -n 1,2p <<<"$OUT" | tr '\n' '|' | sed 's/|$//')" "localhost is the neighbour"
	like "$(ip_of web)/24" "$OUT" "one address"
	t "the port is taken within the task"
	told 1 run --task web -- busybox nc -l -p 80
	t "the task lives until the last of them ends"
	told 0 run -d --task web --name side -- sleep 60
	is web/side "$OUT" "name"
	told 0 exec web/side -- true
	is "main side" "$($TASKVPC inspect web --json | jq -r '[.[0].containers[].name] | join(" ")')" "containers"
	kill -TERM "$(pid_of web main)"
	until_true no_container web main
	told 0 exec web -- ip -o -4 addr show eth0
	like '10\.200' "$OUT" "its address"
	told 0 rm web
	t "refused"
	refuses 66 'there is no task "web"' run --task web -- true
	start web --mode none -- sleep 60
	refuses 64 'shares its network' run --task web -p 80:80 -- true
	refuses 64 'shares its network' run --task web --mode bridge -- true
	refuses 73 'has a container "main" already' run --task web --name main -- true
	refuses 66 'no container "side"' exec web/side -- true
	told 0 rm web
	clean
fi

if group "as people of docker, podman and ip type it"; then
	t "names"
	for name in web_1 Web my.app a-; do
		told 0 run -d --name $name --mode none -- sh -c 'hostname; exec sleep 60'
		is $name "$OUT" "name"
		until_true eval '[ -n "$("$TASKVPC" logs '$name')" ]'
		is $name "$("$TASKVPC" logs $name)" "its log"
		told 0 exec $name true
		told 0 inspect $name
		runs "its namespace" test -e /run/netns/$name
	done
	is "Web a- my.app web_1" "$("$TASKVPC" ps -q | sort | tr '\n' ' ' | sed 's/ $//')" "ps"
	told 0 run -d --task my.app --name s_2 -- sh -c 'echo second; exec sleep 60'
	until_true eval '[ -n "$("$TASKVPC" logs my.app/s_2)" ]'
	is second "$("$TASKVPC" logs my.app/s_2)" "log of a second container"
	refuses 64 "name of a container has no '.'" run --task my.app --name a.b -- true
	t "rm of one container"
	told 0 rm -t 0 my.app/s_2
	is main "$("$TASKVPC" inspect my.app --json | jq -r '[.[0].containers[].name] | join(" ")')" "containers"
	refuses 66 'has no container "s_2" that runs' rm my.app/s_2
	told 0 rm -f -t 0 Web my.app web_1
	told 0 rm -t 0 a-/main
	is "" "$(tasks)" "tasks"
	t "options"
	told 0 run --rm --network lab-none -- true
	told 0 run -m awsvpc-veth -- true
	refuses 64 '-i: no such option.*leave it out: the command has this terminal' run -it -- sh
	refuses 64 '--tty: no such option.*leave it out' run --tty -- sh
	refuses 64 '-t: "--" is no task.*-t is --task' run -t -- sh
	refuses 64 '-e: no such option.*env NAME=VALUE' run -e A=1 -- env
	refuses 64 '-i: no such option.*leave it out' exec -it web sh
	refuses 64 '-e: options come before the task.*env NAME=VALUE' exec web -e A=1 -- env
	refuses 64 '--detch: no such option.*did you mean --detach' run --detch -- true
	refuses 127 '"sleep 1": there is no such command.*leave out the quotes: -- sleep 1' run -- "sleep 1"
	refuses 127 'there is no such command.*install it' run -- "nosuch 1"
	t "modes and networks"
	refuses 64 '"brdge" is no mode.*did you mean bridge' run -m brdge -- true
	refuses 64 'no built-in network has the mode awsvpc-macvlan.*awsvpc-macvlan.conflist' run -m awsvpc-macvlan -- true
	refuses 66 'no network "bridge".*did you mean --mode bridge' run -n bridge -- true
	refuses 66 'no network "lab-brdge".*did you mean lab-bridge' run -n lab-brdge -- true
	t "a refusal names the option that was typed"
	refuses 73 'task-bridge: --ip: 10\.0\.0\.1 is outside' run -m bridge --ip 10.0.0.1 -- true
	refuses 65 'task-host: --ip: the mode host gives none' run -m host --ip 10.0.0.1 -- true
	refuses 65 'task-host: --mac 02:00:00:00:00:01: the mode host.*without --mac ' run -m host --mac 02:00:00:00:00:01 -- true
	refuses 65 'task-host: -p\[0\]\.hostPort: 80 differs' run -m host -p 80:81 -- true
	t "ports with a protocol in capitals"
	start cap --mode bridge -p 5353:53/UDP -- sleep 60
	is udp "$("$TASKVPC" ports --json | jq -r '.[0].protocol')" "protocol"
	told 0 rm -t 0 cap
	clean
fi

if group "what is refused"; then
	refuses 64 'no command' run
	refuses 64 'no command' run --
	refuses 127 'there is no such command' run -- nosuchcommand
	refuses 127 'there is no such command' run -- /nowhere/cmd
	refuses 127 'there is no such command' run -- ''
	touch "$TMP/plain"
	refuses 126 'not a program' run -- "$TMP/plain"
	refuses 126 'not a program' run -- /tmp
	printf '#!/nowhere/interpreter\n' >"$TMP/broken" && chmod +x "$TMP/broken"
	refuses 127 'cannot be run' run -- "$TMP/broken"
	refuses 64 '"vpc" is no mode' run --mode vpc -- true
	refuses 66 'no network "nope".*lab-awsvpc' run --net nope -- true
	refuses 66 'no file' run --net ./nope.conflist -- true
	refuses 66 'no file /nowhere/\?\[31m.*taskvpc status' run --net $'/nowhere/\e[31m' -- true
	refuses 69 'cannot read /etc: Is a directory.*a file, \.conflist' run --net /etc -- true
	refuses 66 '--conf-dir /nowhere/\?: No such file.*/etc/cni/net.d' ls --conf-dir $'/nowhere/\e'
	refuses 66 '--conf-dir /etc/passwd: Not a directory' status --conf-dir /etc/passwd
	told 0 status --conf-dir /etc/cni/net.d
	refuses 64 'lab-bridge is of the mode bridge' run --net lab-bridge --mode host -- true
	for bad in '' . .. a/b -a .a _a 'a b' 'a~' ä "$(printf 'a%.0s' {1..64})"; do
		refuses 64 'is no name' run --name "$bad" -- true
	done
	for bad in host outside; do refuses 64 'cannot be the name' run --name $bad -- true; done
	for bad in '' x 80: 8080:80/icmp 70000:80 80:0 80:70000 1:2:3:4 x:1:2 1-2:3 2-1:5-4 '[::1:80:80' 8080:80/ -1:80; do
		refuses 64 '-p ' run --mode bridge -p "$bad" -- true
	done
	refuses 64 'more than 1024' run --mode bridge -p 1000-2999:1000-2999 -- true
	for bad in x 10.200.1 10.200.1.4/33 10.200.1.4,x '' 'fe80::g'; do refuses 64 '--ip' run --ip "$bad" -- true; done
	for bad in x 01:00:00:00:00:01 00:00:00:00:00:00 02:00:00:00:00 ''; do refuses 64 '--mac' run --mac "$bad" -- true; done
	refuses 73 'reserved|gateway' run --ip 10.200.1.1 -- true
	refuses 73 'range|subnet|outside' run --ip 192.0.2.99 -- true
	refuses 65 '--ip: the mode host' run --mode host --ip 10.200.1.9 -- true
	refuses 64 '--log' run --log x -- true
	refuses 64 '--json' run --json -- true
	refuses 64 'no such option' run --nope -- true
	refuses 64 'no such option' run -x -- true
	refuses 64 'value is missing' run --net
	echo '{"cniVersion":"1.0.0","name":"n","type":"nosuch"}' >"$TMP/nosuch.conf"
	refuses 66 'no plugin "nosuch" in /nowhere:.*--bin-dir' run --bin-dir /nowhere --net "$TMP/nosuch.conf" -- true
	for bad in '' '{' '[]' '{}' '{"name":"n"}' '{"name":"n","plugins":[]}' '{"name":"n","plugins":[{}]}' \
		'{"name":"../n","type":"awsvpc"}' '{"cniVersion":"9.0.0","name":"n","type":"awsvpc"}'; do
		echo "$bad" >"$TMP/bad.conf"
		refuses 65 "$TMP/bad.conf" run --net "$TMP/bad.conf" -- true
	done
	cp "$TMP/bad.conf" /etc/cni/net.d/
	refuses 66 'no network "n".*not usable: .*bad.conf' run --net n -- true
	rm /etc/cni/net.d/bad.conf
	t "what could not be written down"
	refuses 64 'not UTF-8' run --bin-dir $'/nowhere\xff' -- true
	CNI_PATH=$'/nowhere\xff' refuses 64 'CNI_PATH.*not UTF-8' run -- true
	refuses 64 '--log.*not UTF-8' run -d --log "$TMP/"$'log\xff' -- true
	"$TASKVPC" inspect lab-none 2>/dev/null >"$TMP/"$'net\xff.conflist'
	refuses 64 'file.*not UTF-8' run --net "$TMP/"$'net\xff.conflist' -- true
	t "a name that is taken"
	start web --mode none -- sleep 60
	refuses 73 'there is a task "web" already.*rm web' run --name web -- true
	told 0 rm web
	ip netns add other
	refuses 73 'namespace /run/netns/other exists' run --name other -- true
	ip netns del other
	t "exec, rm"
	refuses 64 'no task' exec
	start web --mode none -- sleep 60
	refuses 64 'no command' exec web
	refuses 64 'no command' exec web --
	refuses 127 'no such command' exec web nosuchcommand
	refuses 66 'no task "nope".*web' exec nope true
	refuses 66 'no task' exec ../web true
	refuses 66 'no task' exec '' true
	refuses 64 'no task' rm
	refuses 64 'besides' rm --all web
	refuses 66 'no task "nope"' rm nope
	for bad in x -1 4000 2147484 99999999999999999999 '' 1s; do refuses 64 '--time' rm --time "$bad" web; done
	told 0 rm --time 0 web
	t "without root"
	local_user() { setpriv --reuid 65534 --clear-groups "$TASKVPC" "$@"; }
	for command in run exec logs rm ls inspect subnets ports gc check status doctor explain capture; do
		local_user $command x >"$TMP/out" 2>&1
		is 77 $? "$command: rc"
		like 'needs root' "$(<"$TMP/out")" "$command"
		local_user $command --help >/dev/null
		is 0 $? "$command --help: rc"
	done
	clean
fi

if group "a command that does not heed"; then
	start deaf --mode none -- sh -c 'trap "" TERM; while :; do sleep 1; done'
	ms "$TASKVPC" rm --time 1 deaf
	within 4000 "$MS" "milliseconds"
	is "" "$($TASKVPC ls -q)" "tasks"
	clean
fi

finish
