#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real containerd with runc: containers by `ctr run --cni`, one subnet each, that talk; what their end
# leaves, and what a killed containerd leaves for GC.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/runtimes.sh
. "$(dirname "$0")/../runtimes.sh"
t containerd
LIST=/etc/cni/net.d/10-lab.conflist
conflist '.ipMasq = true | .ipam.cooldown = 0' >$LIST
containerd_works || finish
baseline

t "the lines of the README"
mv $LIST "$TMP/list"
export CONTAINERD_ADDRESS=$C/sock
follows ctr "containerd, by" 1 "--cgroup $CGROUP/readme --env PATH=/bin --rootfs $ROOTFS"
unset CONTAINERD_ADDRESS
like 'inet 10\.0\.[12]\.[0-9]+/24' "$SEEN" "inside"
rm /etc/cni/net.d/*
mv "$TMP/list" $LIST
clean

t "two containers get addresses of two subnets"
begin web
begin db
A=$(addr_of web) B=$(addr_of db)
like '^10\.0\.[12]\.[0-9]+$' "$A" "address of web ($(tail -n 2 "$C/web.out" | tr '\n' ' '))"
like '^10\.0\.[12]\.[0-9]+$' "$B" "address of db"
isnt "${A%.*}" "${B%.*}" "subnets"
is 2 "$(records)" records
is 2 "$(ip -br link | grep -c '^vpc')" "links"
t "they talk, both ways, and with the host"
for pair in "web $B" "db $A" "web 10.0.1.1" "web 10.0.2.1"; do
	read -r from to <<<"$pair"
	like ' 0% packet loss' "$(inside "$from" ping -c 2 -i 1 -W 2 "$to" | tr '\n' ' ')" "ping from $from to $to"
done
ping_ok host "$A"
ping_ok host "$B"
for pair in "web $B" "db $A"; do
	read -r from to <<<"$pair"
	is hello "$(inside "$from" sh -c "echo hello | nc -w 3 $to 7007" | tr -d '\r')" "TCP from $from to $to"
done
is hello "$(echo hello | timeout 5 busybox nc -w 3 "$A" 7007)" "TCP from the host"
t "lo is up"
like 'LOOPBACK,UP' "$(inside web ip link show lo)" lo

t "one ends: its part is gone, the other talks on"
ends web
is 1 "$(records)" records
is 1 "$(ip -br link | grep -c '^vpc')" links
ping_ok host "$B"
t "the next gets a free address"
begin next
isnt "$B" "$(addr_of next)" address
ping_ok host "$(addr_of next)"
ends next
ends db
t "all ended: nothing is left"
is "" "$(find /var/lib/cni -type f 2>/dev/null)" "cached results"
clean

t "six containers at once"
job() { begin "n$1"; }
many 6 job
is 6 "$(lab task ls -q | wc -l)" "tasks"
is 6 "$(records)" "records"
mapfile -t seen < <(for i in 1 2 3 4 5 6; do addr_of "n$i"; done)
is 6 "$(printf '%s\n' "${seen[@]}" | grep . | sort -u | wc -l)" "distinct addresses of ${seen[*]}"
for i in 1 2 3 4 5 6; do lab task kill -s KILL "n$i"; done
until_true sh -c "[ -z \"\$(timeout 5 ctr -a $C/sock container ls -q 2>/dev/null)\" ]"
no_records() { [ "$(records)" = 0 ]; }
until_true no_records
clean

t "containerd, shims and tasks are killed: GC takes away what they left"
killed web db
is 2 "$(records)" "records left"
isnt "" "$(nft list tables)" "rules left"
collect $LIST
clean
t "and a containerd started again gives addresses as before"
rm -rf "$C/root" "$C/state"
containerd_starts
begin again
like '^10\.0\.[12]\.[0-9]+$' "$(addr_of again)" "address ($(tail -n 2 "$C/again.out" "$C/log" | tr '\n' ' '))"
ends again
clean

finish
