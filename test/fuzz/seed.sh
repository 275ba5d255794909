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
	echo '{"network":"n","containerID":"c","ifname":"eth0","mode":"awsvpc-veth","netns":"/run/netns/c","eniID":"eni-0123456789abcdef0","hostIfname":"eni0123456789ab","mac":"02:00:00:00:00:01","hostMac":"06:00:00:00:00:01","ifindex":1048577,"mtu":1500,"addresses":[{"cidr":"10.0.1.4/24","gateway":"10.0.1.1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.1.1"}],"ports":[{"host":8080,"task":80,"protocol":"tcp"}]}' | seed record "r$i" "\\000$i"
done
# A link message and an error, as the kernel would send them.
printf '\x40\x00\x40\x00\x00\x00\x10\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02\x00\x00\x00\x43\x10\x01\x00\x00\x00\x00\x00\x09\x00\x03\x00eth0\x00\x00\x00\x00\x0a\x00\x01\x00\x02\x00\x00\x00\x00\x01\x00\x00' | seed netlink link '\0000'
printf '\x24\x00\x24\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xed\xff\xff\xff\x24\x00\x00\x00\x12\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00' | seed netlink error '\0001'
for i in 0 1 2 3; do head -c 96 /dev/zero | tr '\0' '\377' | seed store "s$i" "\\000$i\\0100\\0000"; done
