#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A lab VPC, explained: two subnets, two tasks, and everything that happens between them. It runs in
# network, mount and pid namespaces of its own with an empty /run, so the real host sees none of it,
# and all of it ends with the script. Everything that is shown was done and printed a moment ago.
#
#   sudo test/demo.sh        BIN=DIR: where the plugins are (default build/bin)
#
# Exit code 0: everything went as the text says.

set -Eeuo pipefail
export LC_ALL=C

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BIN=$(realpath -m "${BIN:-$ROOT/build/bin}")

stop() {
	printf '\ndemo: %s\n' "$*" >&2
	exit 1
}

if [ "${TASKVPC_DEMO:-}" != inside ]; then
	[ "$(id -u)" = 0 ] || stop "needs root, to make network namespaces: sudo ${BASH_SOURCE[0]}"
	[ -x "$BIN/awsvpc" ] || stop "there is no $BIN/awsvpc: run make first"
	for tool in ip nft jq ping busybox unshare nsenter diff; do
		command -v "$tool" >/dev/null || stop "needs the command $tool: run sudo make deps-demo"
	done
	exec env TASKVPC_DEMO=inside BIN="$BIN" unshare --net --mount --pid --fork --kill-child \
		--mount-proc --propagation private bash "${BASH_SOURCE[0]}"
fi

# ---- how it looks ----

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	BOLD=$'\e[1m' TITLE=$'\e[1;36m' COMMAND=$'\e[1;33m' GOOD=$'\e[1;32m' BAD=$'\e[1;31m' END=$'\e[0m'
else
	BOLD='' TITLE='' COMMAND='' GOOD='' BAD='' END=''
fi
ACT=0
ACTS=10
LAST=

act() {
	ACT=$((ACT + 1))
	local rule='────────────────────────────────────────────────────────────────────────────────'
	[ "$LAST" = text ] || echo
	printf '%s%s\n%2d/%d  %s\n%s%s\n' "$TITLE" "$rule" "$ACT" "$ACTS" "$*" "$rule" "$END"
}

# say: the text on stdin, between empty lines.
say() {
	echo
	fmt -w 80 | sed 's/  */ /g; s/^/  /'
	echo
	LAST=text
}

# show COMMAND: how a command is shown. indent: what it printed.
show() {
	printf '    %s$ %s%s\n' "$COMMAND" "$*" "$END"
	LAST=
}
indent() { expand -t 4 | sed 's/^/      /; s/ *$//'; }

# run COMMAND…: show it, do it, show what it printed.
run() {
	show "$*"
	"$@" 2>&1 | indent
}

good() { printf '      %s✔ %s%s\n' "$GOOD" "$*" "$END"; }

failed() {
	[ "$BASH_SUBSHELL" = 0 ] || exit 1
	printf '\n%sdemo: act %s went wrong: line %s: %s%s\n' "$BAD" "$ACT" "$1" "$2" "$END" >&2
	exit 1
}
trap 'failed "$LINENO" "$BASH_COMMAND"' ERR

# must WHAT COMMAND…: the demo's own checks: what the text claims must be true.
must() {
	local what=$1
	shift
	"$@" >/dev/null 2>&1 || failed "${BASH_LINENO[0]}" "$what"
}

# ---- a runtime in a few lines ----

# cni VERB TASK CONFIG: call the plugin as containerd or podman would. Shown, answer in $ANSWER.
cni() {
	show "CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/run/netns/$2 CNI_IFNAME=eth0 \\"
	printf '          %sawsvpc < %s%s\n' "$COMMAND" "$3" "$END"
	quiet "$1" "$2" "$3"
}

# quiet VERB TASK CONFIG: the same, not shown. Return: the plugin's exit code.
quiet() {
	local code=0
	ANSWER=$(env -i PATH="$PATH" CNI_COMMAND="$1" CNI_CONTAINERID="$2" CNI_NETNS="/run/netns/$2" \
		CNI_IFNAME=eth0 "$BIN/awsvpc" <"$3") || code=$?
	return "$code"
}

# explain WHAT TASK CONFIG
explain() {
	env -i PATH="$PATH" CNI_CONTAINERID="$2" CNI_NETNS="/run/netns/$2" CNI_IFNAME=eth0 \
		"$BIN/awsvpc" --explain "$1" <"$3"
}

# pretty: JSON with each object of a list on one line.
pretty() {
	jq -r 'def flat: tojson | gsub("\":"; "\": ") | gsub(",\""; ", \"");
		def value: if type == "array" and length > 0
			then "[\n    " + (map(flat) | join(",\n    ")) + "\n  ]" else flat end;
		"{\n" + (to_entries | map("  \"\(.key)\": \(.value | value)") | join(",\n")) + "\n}"'
}

# The same for errors, whose texts are long.
pretty_error() {
	jq -r '"{ \"code\": \(.code),",
		"  \"msg\": \(.msg | tojson),",
		"  \"details\": \(.details | tojson) }"'
}

address() { jq -r '.ips[0].address | split("/")[0]' "$1.result"; }
host_end() { jq -r '.interfaces[0].name' "$1.result"; }

# snapshot: all that a plugin could leave behind on the host.
snapshot() {
	ip -br link | sort
	ip route show table all
	ip -6 route show table all
	ip neigh show nud permanent
	nft list ruleset
	ls /run/netns
}

# ---- the lab's host ----

mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lab
cd /run/lab
ip link set lo up
ip link add lan0 type veth peer name lan1
ip addr add 198.51.100.10/24 dev lan0
ip link set lan0 addrgenmode none up
ip link set lan1 addrgenmode none up
STARTED=$SECONDS

cat <<END

  ${BOLD}taskvpc: a VPC on one Linux host${END}

  A container needs a network interface. A container runtime (containerd, podman)
  does not make one itself: it starts a small program, a ${BOLD}CNI plugin${END}, tells it by
  environment variables and JSON what is wanted, and reads the answer from its
  standard output. That is all of CNI. In this demo, we play the runtime.

  The plugin is ${BOLD}awsvpc${END} (build/bin/awsvpc): each container, here called a task, gets
  its own interface and its own address out of the subnets of a VPC, as in Amazon ECS.

  The lab is a Linux host with one address on its LAN, 198.51.100.10. It is made of
  namespaces that end with this script: your own host is not changed.
END

# ----
act "A VPC is a few lines of JSON"
say <<'END'
The network: a VPC of 65 536 addresses, and in it two subnets that stand for two availability
zones. A task may go to either: "ranges" lists them as alternatives.
END
cat >lab.json <<'END'
{
  "cniVersion": "1.1.0", "name": "lab", "type": "awsvpc",
  "vpc": { "cidr": "10.0.0.0/16" },
  "ipam": {
    "type": "task-ipam",
    "ranges": [[
      { "subnet": "10.0.1.0/24", "id": "subnet-a", "az": "lab-1a" },
      { "subnet": "10.0.2.0/24", "id": "subnet-b", "az": "lab-1b" }
    ]]
  }
}
END
run cat lab.json
say <<'END'
Two tasks are to be attached, "web" and "db". A task is a network namespace: an empty room with
interfaces, addresses and routes of its own. A runtime makes it before it calls a plugin.
END
snapshot >before
run ip netns add web
run ip netns add db

# ----
act "ADD: attach the two tasks"
say <<'END'
The verb ADD says: give this container an interface with this name. The answer tells the runtime
what came about: the interfaces (one on the host, one in the task), address, gateway, routes.
END
cni ADD web lab.json
echo "$ANSWER" >web.result
pretty <web.result | indent
echo
cni ADD db lab.json
echo "$ANSWER" >db.result
WEB=$(address web) DB=$(address db) HWEB=$(host_end web) HDB=$(host_end db)
printf '      { … "ips": [ %s ] … }\n' "$(jq -r '.ips[0] | "{\"address\": \"\(.address)\", \"gateway\": \"\(.gateway)\"}"' db.result)"
say <<END
"web" got $WEB of subnet-a. "db" got $DB of subnet-b: the subnet with the most free
addresses is taken, so tasks spread over the zones. Addresses begin at .4, because in a VPC the
first four and the last of every subnet are held back.
END
must "web is in subnet-a" test "${WEB%.*}" = 10.0.1
must "db is in subnet-b" test "${DB%.*}" = 10.0.2

# ----
act "What a task sees"
say <<'END'
One interface, one address, and one way out: the gateway of its subnet. There is no route to the
"neighbours" of the same subnet either: they too are reached by the gateway.
END
for task in web db; do
	run ip -n "$task" -br addr show dev eth0
	run ip -n "$task" route
	run ip -n "$task" neigh
	[ "$task" = db ] || echo
done
say <<'END'
PERMANENT: the gateway's hardware address is written down, not asked for. So there is no ARP, and
what is never asked cannot be answered by a liar.
END

# ----
act "What the host got"
say <<'END'
The other end of each interface, named after the id of the task's network interface (eni-…), which
it also bears as its alias; and one route to each task.
END
show "ip -br link | grep vpc"
ip -br link | grep ^vpc | indent
run ip route show proto static
say <<'END'
The gateways 10.0.1.1 and 10.0.2.1 answer, although no interface has these addresses: the host
takes what is sent to them as sent to itself.
END
run ip route show table local proto static
say <<'END'
The guard: who may send what. Interface, hardware address and IP address belong together; any other
packet that comes out of a task is dropped (you will see it in act 6).
END
run nft list set inet taskvpc own4

# ----
act "The packet's way"
# The names of interfaces are 15 characters, the addresses here 8.
cat <<END

          task web                         host                        task db
    ┌──────────────────┐   ┌──────────────────────────────────┐   ┌─────────────────┐
    │             eth0 │   │ $HWEB  $HDB │   │ eth0            │
    │ $WEB    ━━━━━┿━━━┿━━▶ guard ━━▶ forward ━━▶ route ━━┿━━━┿━▶ $DB     │
    │ by 10.0.1.1      │   │     the router of the VPC        │   │     by 10.0.2.1 │
    └──────────────────┘   └──────────────────────────────────┘   └─────────────────┘
END
say <<'END'
Every packet passes the host, which is the router of the VPC. From task to task, ttl=63 instead
of 64 tells that there was exactly one router in between.
END
# ping1 FROM TO
ping1() {
	show "ip netns exec $1 ping -c 1 $2"
	ip netns exec "$1" ping -n -c 1 -W 2 "$2" | sed -n '2p' | indent
}
ping1 web "$DB"
ping1 db "$WEB"
say <<'END'
To the gateway, to the host, and from the host to a task:
END
ping1 web 10.0.1.1
ping1 web 198.51.100.10
show "ping -c 1 $WEB"
ping -n -c 1 -W 2 "$WEB" | sed -n '2p' | indent
say <<'END'
And TCP: a server in "db" that sends back what it gets, asked by "web", then by the host.
END
show "ip netns exec db busybox nc -ll -p 7007 -e /bin/cat &"
ip netns exec db busybox nc -ll -p 7007 -e /bin/cat &
server=$!
for ((i = 0; i < 60; i++)); do
	! ip netns exec db busybox netstat -ltn | grep -q ':7007 ' || break
	sleep 0.05
done
show "echo 'hello from web' | ip netns exec web busybox nc $DB 7007"
seen=$(echo 'hello from web' | ip netns exec web timeout 5 busybox nc -w 3 "$DB" 7007)
indent <<<"$seen"
must "TCP from web to db" test "$seen" = 'hello from web'
show "echo 'hello from the host' | busybox nc $DB 7007"
seen=$(echo 'hello from the host' | timeout 5 busybox nc -w 3 "$DB" 7007)
indent <<<"$seen"
must "TCP from the host to db" test "$seen" = 'hello from the host'
kill "$server"
wait "$server" 2>/dev/null || true

# ----
act "A liar is not heard"
say <<END
Suppose somebody breaks into "web" and sends packets that claim to come from "db" ($DB).
To watch, the host counts such packets twice: as they leave web's interface, and behind the guard.
END
cat >watch.nft <<END
table inet watch {
  counter sent_by_web { }
  counter passed_the_guard { }
  chain before { type filter hook prerouting priority -500; iifname "$HWEB" ip saddr $DB counter name sent_by_web; }
  chain behind { type filter hook prerouting priority -200; iifname "$HWEB" ip saddr $DB counter name passed_the_guard; }
}
END
nft -f watch.nft
run ip -n web addr add "$DB/32" dev eth0
show "ip netns exec web ping -c 3 -I $DB 198.51.100.10"
ip netns exec web ping -n -q -c 3 -i 0.2 -W 0.5 -I "$DB" 198.51.100.10 2>&1 | sed -n '/transmitted/p' | indent || true
show "nft list counters table inet watch      # in short:"
LAST=
nft -j list counters table inet watch | jq -r '.nftables[].counter // empty
	| "      \(.name): \(.packets) packets"' >counted
cat counted
must "3 forged packets were sent" grep -q 'sent_by_web: 3 ' counted
must "no forged packet passed" grep -q 'passed_the_guard: 0 ' counted
ip -n web addr del "$DB/32" dev eth0
nft delete table inet watch
say <<'END'
Three left the task, none got further. The same holds for a changed hardware address.
END

# ----
act "CHECK: is everything as it should be?"
say <<'END'
CHECK compares each part of the attachment with the kernel. The runtime hands back the result of
ADD as "prevResult"; no output and exit code 0 mean that all is well.
END
show "jq '.prevResult = input' lab.json web.result > web.check"
jq '.prevResult = input' lab.json web.result >web.check
cni CHECK web web.check
must "CHECK is silent" test -z "$ANSWER"
good "exit code 0"
say <<'END'
Now somebody takes the task's address away:
END
run ip -n web addr del "$WEB/24" dev eth0
if cni CHECK web web.check; then stop "CHECK did not see that the address is gone"; fi
printf '%s' "$ANSWER" | pretty_error | indent
repair=$(jq -r '.details | sub("^to repair it: "; "")' <<<"$ANSWER")
say <<'END'
The error says what is wrong and which command repairs it. So we do what it says, until CHECK is
content: with the address, the kernel has dropped what needed it.
END
for ((i = 0; i < 8; i++)); do
	show "$repair"
	sh -c "$repair" 2>&1 | indent
	show "CNI_COMMAND=CHECK …  awsvpc < web.check"
	if quiet CHECK web web.check; then break; fi
	jq -r '"\"msg\": \(.msg | tojson)"' <<<"$ANSWER" | indent
	repair=$(jq -r '.details | sub("^to repair it: "; "")' <<<"$ANSWER")
done
must "CHECK is content after the repair" quiet CHECK web web.check
good "exit code 0"
must "web talks again" ip netns exec web ping -n -q -c 1 -W 2 "$DB"

# ----
act "The plan: nothing is hidden"
say <<'END'
The plugin runs no commands: it sends requests to the kernel. But each step can be printed as the
command that does the same. This is the whole of what ADD did for "web":
END
show "CNI_CONTAINERID=web CNI_NETNS=/run/netns/web CNI_IFNAME=eth0 awsvpc --explain < lab.json"
explain add web lab.json >plan
awk -v skip="      ⋮    the table of the guard, the same for every task" '
	/^nft -f/ { print "      " $0; inside = 1; n = 0; next }
	/^EOF$/ && inside { print skip " (" n " lines)"; print "      " $0; inside = 0; next }
	inside { n++; next }
	{ gsub(/ mtu /, " \\\n          mtu "); gsub(/ peer /, " \\\n          peer "); print "      " $0 }' plan
say <<'END'
The long numbers are interface indexes. They are chosen beforehand, so that the guard stands before
there is an interface to be guarded.

ADD, DEL, CHECK and this print-out are four readings of one list, so they cannot disagree. This is
what DEL will do:
END
show "CNI_CONTAINERID=web …  awsvpc --explain del < lab.json"
explain del web lab.json | indent

# ----
act "A subnet is full"
say <<'END'
A subnet of 16 addresses (/28). Five are held back, so eleven tasks fit. Here ADD also makes the
tasks' namespaces ("createNamespace": true), for runtimes that leave that to the plugin.
END
jq '.name = "tiny" | .createNamespace = true | .ipam.ranges = [[{subnet: "10.0.3.0/28", id: "subnet-c"}]]' \
	lab.json >tiny.json
show "for i in 1 2 … 11; do  CNI_COMMAND=ADD CNI_CONTAINERID=t\$i …  awsvpc < tiny.json;  done"
start=${EPOCHREALTIME/./}
given=()
for i in 1 2 3 4 5 6 7 8 9 10 11; do
	quiet ADD "t$i" tiny.json
	given+=("$ANSWER")
done
took=$(((${EPOCHREALTIME/./} - start) / 1000))
printf '%s\n' "${given[@]}" | jq -r '.ips[0].address | split("/")[0]' | paste -sd' ' | fold -s -w 74 | indent
good "11 tasks attached in $took ms on this machine"
echo
if cni ADD t12 tiny.json; then stop "the twelfth ADD got an address of a full subnet"; fi
pretty_error <<<"$ANSWER" | indent
must "code 104" jq -e '.code == 104' <<<"$ANSWER"
say <<'END'
The twelfth is refused, with the counts of the subnet as the reason; nothing was made for it. One
leaves, and there is room again. (An address rests for 30 seconds before it is given again, unless
no other is free, as here.)
END
cni DEL t5 tiny.json
cni ADD t12 tiny.json
printf '      %s\n' "$(jq -r '.ips[0].address' <<<"$ANSWER")"
say <<'END'
What is given now, of all three subnets:
END
for i in 1 2 3 4 6 7 8 9 10 11 12; do tiny+=("t$i"); done
printf '      %-10s %-14s %-8s %s\n' \
	subnet range zone tasks \
	subnet-a 10.0.1.0/24 lab-1a "$WEB (web)" \
	subnet-b 10.0.2.0/24 lab-1b "$DB (db)" \
	subnet-c 10.0.3.0/28 '' "11 addresses (t1 … t12)"

# ----
act "DEL: and nothing is left"
say <<'END'
DEL needs nothing but the name of the task: what is to be removed is in the plugin's own record.
It may be called any number of times, and also when the task has died before.
END
cni DEL web lab.json
run ip netns del web
show "ip netns del db            # this task dies before its DEL"
ip netns del db
cni DEL db lab.json
cni DEL db lab.json
for task in "${tiny[@]}"; do quiet DEL "$task" tiny.json; done
show "…                          # and the eleven tasks of the full subnet"
say <<'END'
The proof: links, routes of all tables, neighbours, nftables rules and namespaces of the host, as
they were before the first ADD and as they are now; and the plugin's own memory of "web".
END
show "diff before after"
snapshot >after
diff before after | indent || stop "something was left behind, see above"
good "no difference"
show "CNI_CONTAINERID=web …  awsvpc --explain del < lab.json"
explain del web lab.json | indent
say <<END
What stays: the switch net.ipv4.ip_forward, which others may rely on by now, and the empty store
in /run/taskvpc. Done in $((SECONDS - STARTED)) seconds. Try it with a runtime of yours: README.md.
END
