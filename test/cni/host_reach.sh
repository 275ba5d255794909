#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# CAP_NET_ADMIN in the host's user namespace: the other end of a veth is an id of the host's namespace in the
# task's, and by that id the kernel takes requests about the host's links (IFLA_TARGET_NETNSID). It asks for
# the capability in the user namespace of the target. So docs/isolation.md says, and doctor names such tasks.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
need perl setpriv
baseline
CONFIG=$(conf '.ipam.cooldown=0')
add a "$CONFIG"
ip link add victim0 type bridge

# delete_in_host COMMAND…: the task, by COMMAND, has the host's link victim0 deleted. Prints the kernel's errno.
delete_in_host() {
	in_ns a "$@" perl -e '
		socket(my $s, 16, 3, 0) or die "socket: $!";
		my $at = sub { my ($t, $v) = @_; my $l = 4 + length $v; pack("SSa*x![4]", $l, $t, $v) };
		my $body = pack("CxSlLL", 0, 0, 0, 0, 0) . $at->(3, "victim0\0") . $at->(46, pack("L", $ARGV[0]));
		send($s, pack("LSSLL", 16 + length $body, 17, 5, 1, 0) . $body, 0) or die "send: $!";
		recv($s, my $answer, 4096, 0);
		print -unpack("l", substr($answer, 16, 4)), "\n"' "$HOST_ID" 2>&1
}
HOST_ID=$(ip -n a -j link show eth0 | jq '.[0].link_netnsid')

t "a task without CAP_NET_ADMIN does not reach the host's links: EPERM"
is 1 "$(delete_in_host setpriv --bounding-set -net_admin --inh-caps -all --reuid 65534 --clear-groups)" "errno of nobody"
is 1 "$(delete_in_host setpriv --bounding-set -net_admin)" "errno of root without the capability"
t "nor does one that has it in a user namespace of its own"
if in_ns a unshare -Ur true 2>/dev/null; then
	is 1 "$(delete_in_host unshare -Ur)" errno
else
	skip "no user namespaces here"
fi
runs "the host's link is there" ip link show victim0
t "one that has it in the host's user namespace deletes a link of the host: told in docs/isolation.md"
is 0 "$(delete_in_host)" errno
fails "the host's link is there" ip link show victim0

t "doctor names the task and the process, as long as there is one"
exec {RULER}< <(exec nsenter --net=$NETNS/a sh -c 'echo here; exec sleep 60')
PID=$!
read -r -t 5 -u $RULER _ || fail "no process"
warned() { "$BIN/taskvpc" doctor | grep privilege; }
like "warn +privilege +1 with CAP_NET_ADMIN in the host's user namespace.*: a \(process $PID\)" "$(warned)" doctor
stop $PID
exec {RULER}<&-
like "ok +privilege" "$(warned)" "doctor without it"
exec {RULER}< <(exec nsenter --net=$NETNS/a setpriv --bounding-set -net_admin sh -c 'echo here; exec sleep 60')
PID=$!
read -r -t 5 -u $RULER _ || fail "no process"
like "ok +privilege" "$(warned)" "doctor with one that has not the capability"
stop $PID
exec {RULER}<&-

t "an address on a host end: CHECK names it, who could have given it, and the command that takes it away"
ip addr add 203.0.113.5/24 dev "$(host_link a)"
ID=a plugin CHECK "$(with_prev a "$CONFIG")"
expect_error 106 "$(host_link a) on the host has the address 203.0.113.5/24, which another program .*systemd-networkd"
# With the last address of an interface the kernel drops its routes and neighbours: CHECK tells one by one.
for ((i = 0; i < 6 && RC != 0; i++)); do
	sh -c "$(jq -r '.details | sub("to repair it: "; "")' <<<"$OUT")"
	ID=a plugin CHECK "$(with_prev a "$CONFIG")"
done
is 0 "$RC" "CHECK after the fixes: $OUT"
ping_ok host "$(address a)"
del a "$CONFIG"
drop a
clean

finish
