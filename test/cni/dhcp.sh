#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A foreign IPAM that talks over the task's own link: the reference `dhcp` plugin with its daemon, and
# a DHCP server on the LAN of the macvlan.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
need busybox
busybox --list | grep -qx udhcpd || { skip "busybox has no udhcpd"; finish; }
[ -x "$CNI_REF/dhcp" ] || { skip "no $CNI_REF/dhcp"; finish; }

ip netns add lan
ip link add lan0 type veth peer name lan1 netns lan
ip link set lan0 up
ip -n lan addr add 10.0.1.1/24 dev lan1
ip -n lan link set lan1 up
mkdir -p /run/cni "$TMP/dhcp"
touch "$TMP/dhcp/leases"
cat >"$TMP/dhcp/conf" <<-END
	start 10.0.1.100
	end 10.0.1.101
	interface lan1
	lease_file $TMP/dhcp/leases
	pidfile $TMP/dhcp/pid
	option subnet 255.255.255.0
	option router 10.0.1.1
	option lease 600
END
nsenter --net="$NETNS/lan" -- timeout 100 busybox udhcpd -f "$TMP/dhcp/conf" >"$TMP/dhcp/log" 2>&1 &
SERVER=$!
timeout 100 "$CNI_REF/dhcp" daemon -socketpath /run/cni/dhcp.sock -timeout 2s >"$TMP/dhcp/daemon" 2>&1 &
DAEMON=$!
until_true test -S /run/cni/dhcp.sock

CONFIG=$(conf '.cniVersion="1.0.0" | .attach="macvlan" | .master="lan0" | .ipam={"type":"dhcp"} | del(.vpc)')
baseline

if group "an address by DHCP"; then
	add a "$CONFIG"
	like '^10\.0\.1\.10[01]$' "$(address a)" "address"
	is "$(address a)" "$(ip -n a -j addr show eth0 | jq -r '[.[0].addr_info[] | select(.family == "inet")][0].local')" \
		"address in the kernel"
	like 'default via 10.0.1.1' "$(ip -n a route)" "default route"
	ping_ok a 10.0.1.1
	like 'blackhole 169.254.169.254' "$(ip -n a route)" "instance metadata"
	verify a "$CONFIG"
fi
if group "CHECK sees it lost"; then
	cidr=$(result a '.ips[0].address')
	ip -n a addr del "$cidr" dev eth0
	plugin CHECK "$(with_prev a "$CONFIG")" CNI_CONTAINERID=a CNI_NETNS=$NETNS/a
	expect_error 106 "lost the address $cidr"
fi
if group "DEL"; then
	del a "$CONFIG"
	fails "the link is gone" ip -n a link show eth0
	is "" "$(ip -n a route show type blackhole)$(ip -n a -6 route show type blackhole)" "what the record did not know"
	drop a
	clean
fi
if [ -z "${SLOW:-}" ]; then
	skip "no answer of the server: takes a minute; SLOW=1 runs it"
	stop "$SERVER"
elif group "no answer: nothing is left"; then
	stop "$SERVER"
	netns b
	ID=b PLUGIN=$BIN/awsvpc plugin ADD "$CONFIG" CNI_CONTAINERID=b CNI_NETNS=$NETNS/b
	expect_error 100+ '.'
	fails "no link" ip -n b link show eth0
	drop b
	clean
fi
stop "$DAEMON"
finish
