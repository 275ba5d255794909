#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes the seeds of the corpus from what the tree has: examples, golden records, words that hurt. The first
# byte of most inputs chooses what the target does with the rest.
set -eu
cd "$(dirname "$0")/../.."
OUT=test/fuzz/corpus

# seed TARGET NAME BYTE: one input from stdin behind a byte (\0NNN).
seed() {
	mkdir -p "$OUT/$1"
	{ printf '%b' "${3:-}"; cat; } >"$OUT/$1/$2"
}
n=0
for file in netconf-examples/*.conflist; do
	name=$(basename "$file" .conflist)
	n=$((n + 1))
	jq -c '.plugins[0] + { name, cniVersion, runtimeConfig: { ips: ["10.0.1.9"], mac: "02:00:00:00:00:01",
		portMappings: [ { hostPort: 0, containerPort: 80, protocol: "udp", hostIP: "127.0.0.1" } ],
		bandwidth: { ingressRate: 8000, ingressBurst: 80000 } },
		args: { cni: { ips: ["10.0.1.8/24"] } } }' "$file" | seed conf "$name" "\\000$((n % 5))"
	jq -c '.plugins[0].ipam // {}' "$file" | seed pool "$name" '\0001'
done
printf '{"name":"n","ipam":{"ranges":[[{"subnet":"10.0.0.0/24"}]]}}\0IP=10.0.0.9;MAC=02:00:00:00:00:01;GATEWAY=10.0.0.2' | seed conf args '\0000'
echo '{"ranges":[[{"subnet":"10.0.0.0/28","rangeStart":"10.0.0.3","rangeEnd":"10.0.0.9","exclude":["10.0.0.4/31"]}],[{"subnet":"fd00::/120"}]]}' | seed pool ends '\0001'
echo '{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","mac":"02:00:00:00:00:01","sandbox":"/run/netns/a"}],"ips":[{"address":"10.0.0.4/24","gateway":"10.0.0.1","interface":0}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{"nameservers":["10.0.0.2"]}}' | seed result one '\0000'
echo '{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.4/24","gateway":"10.0.0.1","routes":[{"dst":"0.0.0.0/0"}]},"ip6":{"ip":"fd00::4/64"}}' | seed result old '\0001'
echo '{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.4/24","gateway":"10.0.0.1"}],"routes":[{"dst":"10.9.0.0/16","gw":"10.0.0.1"}]}' | seed result ipam '\0001'
echo -n 'IgnoreUnknown=1;IP=10.0.0.9,fd00::9/64;MAC=02:00:00:00:00:01;GATEWAY=10.0.0.1' | seed args pairs
echo -n '../../etc/passwd' | seed args escape
echo -n 'eth0.5' | seed args name
for i in 0 1 2 3 4; do
	echo '{"network":"n","containerID":"c","ifname":"eth0","mode":"awsvpc-veth","netns":"/run/netns/c","eniID":"eni-0123456789abcdef0","hostIfname":"vpc0123456789ab","mac":"02:00:00:00:00:01","hostMac":"06:00:00:00:00:01","ifindex":1048577,"mtu":1500,"addresses":[{"cidr":"10.0.1.4/24","gateway":"10.0.1.1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.1.1"}],"ports":[{"host":8080,"task":80,"protocol":"tcp"}]}' | seed record "r$i" "\\000$i"
done
# A link message and an error, as the kernel would send them.
printf '\x40\x00\x40\x00\x00\x00\x10\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x00\x00\x00\x43\x10\x01\x00\x00\x00\x00\x00\x09\x00\x03\x00eth0\x00\x00\x00\x00\x0a\x00\x01\x00\x02\x00\x00\x00\x00\x01\x00\x00' | seed netlink link '\0000'
printf '\x24\x00\x24\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xed\xff\xff\xff\x24\x00\x00\x00\x12\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00' | seed netlink error '\0001'

# ---- what the kernel answers, in hexadecimal: each message a piece of its own behind its length ----

le16() { printf '%02x%02x' $(($1 & 255)) $(($1 >> 8)); }
le32() { le16 $(($1 & 65535)) && le16 $(($1 >> 16)); }
text() { printf '%s\0' "$1" | od -An -v -tx1 | tr -d ' \n'; }
# attr TYPE HEX…: an attribute around others, or bytes.
attr() {
	local type=$1 body
	shift
	body=$(printf %s "$@")
	le16 $((${#body} / 2 + 4)) && le16 "$type"
	while [ $((${#body} % 8)) != 0 ]; do body+=00; done
	printf %s "$body"
}
# message TYPE SEQ HEX…
message() {
	local type=$1 seq=$2 body
	shift 2
	body=$(printf %s "$@")
	le16 $((${#body} / 2 + 16)) # what a piece is long
	le32 $((${#body} / 2 + 16)) && le16 "$type" && le16 2 && le32 "$seq" && le32 0
	printf %s "$body"
}
# ack SEQ [ERRNO]: an error, or none.
ack() { message 2 "$1" "$(le32 $((-${2:-0} & 0xffffffff)))" "$(printf '%032d' 0)"; }
# answers NAME QUESTION HEX…: the number of the question as fuzz_netlink.c counts them.
answers() {
	local name=$1 n=$2
	shift 2
	printf %s "$@" | sed 's/../\\x&/g' | xargs -0 printf '%b' | seed netlink "$name" "$(printf '\\0%03o' "$n")"
}
nfgen() { printf '%02x000000' "$1"; }
element=$(attr 1 "$(attr 1 "$(attr 1 06000000)")" "$(attr 2 "$(attr 1 0a00000100500000)")")
interval=$(attr 1 "$(attr 1 "$(attr 1 060000000a000000)")" "$(attr 10 "$(attr 1 060000000a0000ff)")")
answers map 16 "$(message 2572 0 "$(nfgen 1)" "$(attr 1 "$(text t)")" "$(attr 3 "$element")")" "$(ack 0)"
answers mapped 17 "$(message 2572 0 "$(nfgen 1)" "$(attr 3 "$element")")" "$(ack 0)"
answers interval 18 "$(message 2572 0 "$(nfgen 1)" "$(attr 3 "$interval")")" "$(ack 0)"
answers count 19 "$(message 2572 0 "$(nfgen 1)" "$(attr 3 "$interval" "$element")")" "$(message 3 0 00000000)"
answers chains 20 "$(message 2563 0 "$(nfgen 1)" "$(attr 6 00000001)")" "$(ack 0)" \
	"$(message 2563 1 "$(nfgen 1)" "$(attr 6 00000002)")" "$(ack 1)"
answers idle 21 "$(message 2575 0 "$(nfgen 0)" "$(attr 1 00000007)")" "$(ack 0)" "$(message 3 1 00000000)" \
	"$(message 3 2 00000000)" "$(ack 4)"
answers busy 21 "$(message 2575 0 "$(nfgen 0)" "$(attr 1 00000007)")" "$(ack 0)" \
	"$(message 2572 1 "$(nfgen 1)" "$(attr 3 "$element")")" "$(message 3 1 00000000)"
answers generation 23 "$(message 2575 0 "$(nfgen 0)" "$(attr 1 00000007)")" "$(ack 0)"
hook=$(attr 4 "$(attr 1 00000002)")
drop=$(attr 1 "$(attr 1 "$(text immediate)")" "$(attr 2 "$(attr 2 "$(attr 2 "$(attr 1 00000000)")")")")
target=$(attr 1 "$(attr 1 "$(text target)")" "$(attr 2 "$(attr 1 "$(text REJECT)")")")
answers forward 24 "$(message 2563 0 "$(nfgen 2)" "$(attr 1 "$(text filter)")" "$(attr 3 "$(text FORWARD)")" \
	"$hook" "$(attr 5 00000000)")" "$(message 3 0 00000000)" \
	"$(message 2566 1 "$(nfgen 2)" "$(attr 4 "$target" "$drop")")" "$(message 3 1 00000000)"
# verdict CODE [CHAIN], expression NAME HEX…, rule SEQ HEX…
verdict() { attr 2 "$(attr 2 "$(attr 1 "$1")" "${2:+$(attr 2 "$(text "$2")")}")"; }
expression() { attr 1 "$(attr 1 "$(text "$1")")" "$(attr 2 "${@:2}")"; }
rule() { message 2566 "$1" "$(nfgen 1)" "$(attr 4 "${@:2}")"; }
answers leads 24 "$(message 2563 0 "$(nfgen 1)" "$(attr 1 "$(text m)")" "$(attr 3 "$(text c)")" "$hook" \
	"$(attr 5 00000001)")" "$(message 3 0 00000000)" \
	"$(rule 1 "$(expression lookup "$(attr 1 "$(text v)")" "$(attr 3 00000000)")")" \
	"$(rule 1 "$(expression target "$(attr 1 "$(text LOG)")")" "$(expression immediate "$(verdict fffffffd d)")")" \
	"$(message 3 1 00000000)" \
	"$(message 2572 2 "$(nfgen 1)" "$(attr 3 "$(attr 1 "$(verdict fffffffc d)")")")" "$(message 3 2 00000000)" \
	"$(rule 3 "$(expression counter)" "$(expression immediate "$(verdict 00000000)")")" "$(message 3 3 00000000)" \
	"$(message 2560 4 "$(nfgen 1)" "$(attr 2 00000000)")" "$(ack 4)"
ingress=$(attr 4 "$(attr 1 00000000)" "$(attr 4 "$(attr 1 "$(text b)")" "$(attr 2 61)")")
answers device 37 "$(message 2563 0 "$(nfgen 5)" "$(attr 1 "$(text m)")" "$(attr 3 "$(text c)")" "$ingress" \
	"$(attr 5 00000000)")" "$(message 3 0 00000000)" "$(message 3 1 00000000)" \
	"$(message 2560 2 "$(nfgen 5)" "$(attr 2 00000000)")" "$(ack 2)"
tc=$(printf '00000000%s0000010000000100%s' "$(le32 2)" "$(le32 2)")
tbf=$(attr 2 "$(attr 1 0001000000000000e8030000 000000000000000000000000 010400000000000000000000)")
answers tbf 25 "$(message 36 0 "$tc" "$(attr 1 "$(text tbf)")" "$tbf")" "$(ack 0)"
answers ingress 26 "$(message 36 0 "$tc" "$(attr 1 "$(text ingress)")")" "$(ack 0)"
mirred=$(attr 7 "$(attr 1 "$(attr 1 "$(text mirred)")" "$(attr 2 "$(attr 2 \
	0000000000000000040000000000000000000000 0100000003000000)")")")
answers redirect 27 "$(message 44 0 "$tc" "$(attr 1 "$(text u32)")" "$(attr 2 \
	"$(attr 5 01000100000000000000000000000000 00000000000000000000000000000000)" "$mirred")")" "$(message 3 0 00000000)"
answers bpf 28 "$(message 44 0 "$tc" "$(attr 1 "$(text bpf)")" "$(attr 2 "$(attr 8 01000000)" \
	"$(attr 10 0102030405060708)")")" "$(message 3 0 00000000)"
route=02200000fe03000100000000
way=$(message 24 0 "$route" "$(attr 1 0a000001)" "$(attr 4 02000000)" "$(attr 5 0a000002)" "$(attr 7 0a000003)")
answers way 13 "$way" "$(ack 0)" "$(message 24 1 "$route" "$(attr 1 0a000000)" "$(attr 15 fe000000)")" "$(ack 1)"
answers via 14 "$(message 24 0 "$route" "$(attr 18 02000a000001)")" "$(ack 0)" "$(ack 1 101)"
answers neighbour 15 "$(message 28 0 02000000 02000000 80000001 "$(attr 1 0a000001)" "$(attr 2 020000000001)")" "$(ack 0)"
answers batch 29 "$(ack 0 2)" "$(ack 1)"
answers transaction 30 "$(ack 0 85)"
socket=0a0a0000 # family, state, timer; then ports and addresses
answers socket 31 "$(message 20 0 $socket 00350000 "$(printf '%0128d' 0)" "$(attr 11 00)")" "$(message 3 0 00000000)"
flow=$(attr 32769 "$(attr 32769 "$(attr 1 0a000009)" "$(attr 2 0a000001)")" "$(attr 32770 "$(attr 1 11)" "$(attr 3 0035)")")
answers flow 32 "$(message 256 0 "$(nfgen 2)" "$flow" "$(attr 12 00000001)")" "$(message 3 0 00000000)" "$(ack 0)"
answers flows 33 "$(message 256 0 "$(nfgen 2)" "$flow" "$(attr 12 00000001)")" "$(message 3 0 00000000)" "$(ack 0)" \
	"$(message 3 1 00000000)"

for i in 0 1 2 3; do head -c 96 /dev/zero | tr '\0' '\377' | seed store "s$i" "\\000$i\\0100\\0000"; done
