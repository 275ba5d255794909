#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The README's two commands, each on a fresh Debian that has nothing but what the README says, with the
# last commit. What they print is shown. Here they find out what they forgot to install.
#
#   test/fresh.sh [TARGET…]     default: demo test
# shellcheck source=test/machine.sh
. "$(dirname "$0")/machine.sh"

# network: what must not change on this host.
network() {
	ls -1 /sys/class/net /run/netns 2>/dev/null
	cat /proc/net/route /proc/net/ipv6_route /proc/sys/net/ipv4/ip_forward
}
before=$(network)

base
[ $# -gt 0 ] || set -- demo test
for target; do
	t "make $target"
	if machine "$target" 5400 "make $target"; then pass; else fail "it failed on a fresh machine"; fi
done

t "the network of this host"
is "$before" "$(network)" "links, namespaces, routes"
finish
