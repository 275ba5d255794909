#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Measures, in namespaces of its own; `make bench` builds what it needs and calls it. Figures are ratios
# within one run: nothing here judges. Takes some four minutes.
#
#   BIN=DIR       our plugins (default build/bin)
#   PEER_DIR=DIR  the plugins to compare with (default /usr/lib/cni)
#   OUT=DIR       where figures.jsonl, report.txt and the charts go (default build/bench)
#   ONLY=LIST     suites: latency start memory parallel scale gc packets data store; and churn, a minute for
#                 each of our ways (CHURN_SECONDS)
#   PACKETS=N     rounds of the suite packets (default 400)
set -eu
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BIN=$(realpath "${BIN:-$ROOT/build/bin}")
PEER_DIR=$(realpath "${PEER_DIR:-/usr/lib/cni}")
TOOLS=$ROOT/build/test
OUT=$(realpath -m "${OUT:-$ROOT/build/bench}")
ONLY=${ONLY:-latency start memory parallel scale gc packets data store}
CONTESTANTS=${CONTESTANTS:-$ROOT/test/bench/contestants.json}
HERE=$ROOT/test/bench

export ROOT BIN PEER_DIR TOOLS CONTESTANTS

# suite NAME: its figures on stdout.
suite() {
	case $1 in
	data) "$HERE/dataplane.sh" ;;
	store) "$TOOLS/bench_store" ;;
	*) "$TOOLS/bench_cni" "$CONTESTANTS" "$TOOLS/empty" "$BIN" "$PEER_DIR" "$1" ;;
	esac
}

# host: a LAN, and a default route, so that the plugins find an uplink.
host() {
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p /run/netns /run/lock /var/lib/cni
	mount -t tmpfs tmpfs /var/lib/cni	# where the reference IPAM keeps its leases
	ip link set lo up
	ip link add lan0 type veth peer name lan1
	ip addr add 192.0.2.2/24 dev lan0
	ip link set lan0 up
	ip link set lan1 up
	ip route add default via 192.0.2.1 dev lan0
	sysctl -qw net.ipv4.ip_forward=1
}

[ "$(id -u)" = 0 ] || { echo "skip: needs root"; exit 0; }
if [ "${1:-}" = --inside ]; then
	host
	suite "$2"
	exit
fi
mkdir -p "$OUT"
FIGURES=$OUT/figures.jsonl
# Each on a host of its own: what one has loaded is not in the way of the next.
for name in $ONLY; do
	began=$SECONDS
	unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private \
		bash "$0" --inside "$name"
	echo "measured: $name ($((SECONDS - began)) s)" >&2
done >"$FIGURES"
jq -rs --slurpfile contestants "$CONTESTANTS" -f "$HERE/report.jq" "$FIGURES" | tee "$OUT/report.txt"
for chart in latency scale parallel data; do
	case " $ONLY " in *" $chart "*) ;; *) continue ;; esac
	jq -rs --arg chart "$chart" --slurpfile contestants "$CONTESTANTS" -f "$HERE/charts.jq" "$FIGURES" >"$OUT/$chart.svg"
done
echo "figures and charts: $OUT" >&2
