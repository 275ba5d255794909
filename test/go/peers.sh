#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds released versions of the runtimes that Debian does not have with Go, into FOLDER/bin, and of the
# reference plugins into FOLDER/cni. Some five minutes the first time; later only what is missing.
#
#   test/go/peers.sh FOLDER
#
# Exit code 77: there is no Go here, or it does not get the modules.
set -euo pipefail
CONTAINERD=v2.4.2 CRICTL=v1.37.0 PLUGINS=v1.10.0 NERDCTL=v2.2.1
plugins=(main/bridge main/macvlan main/ptp main/loopback ipam/host-local ipam/static ipam/dhcp meta/portmap
	meta/firewall meta/bandwidth meta/tuning meta/sbr meta/vrf)
export CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOTOOLCHAIN=local
mkdir -p "$1/bin" "$1/cni"
cd "$1"

if ! command -v go >/dev/null; then
	echo "skip: test-go: needs go"
	exit 77
fi
# installs FOLDER NAME MODULE@VERSION
installs() {
	[ -x "$1/$2" ] || GOBIN=$PWD/$1 go install "$3" >>log 2>&1 && return
	echo "skip: test-go: go install $3: $(tail -n 1 log)"
	exit 77
}
for command in containerd containerd-shim-runc-v2 ctr; do
	installs bin $command github.com/containerd/containerd/v2/cmd/$command@$CONTAINERD
done
installs bin crictl sigs.k8s.io/cri-tools/cmd/crictl@$CRICTL
for plugin in "${plugins[@]}"; do
	installs cni "${plugin#*/}" "github.com/containernetworking/plugins/plugins/$plugin@$PLUGINS"
done

# nerdctl is not installable by name: its go.mod replaces a module, which only its own tests need, by a folder
# that the module's archive does not have.
nerdctl() {
	local source
	source=$(go mod download -json "github.com/containerd/nerdctl/v2@$NERDCTL" | jq -er .Dir)
	rm -rf source
	cp -r "$source" source
	chmod -R u+w source
	mkdir -p source/mod/tigron
	printf 'module github.com/containerd/nerdctl/mod/tigron\n\ngo 1.24\n' >source/mod/tigron/go.mod
	rm -f source/cmd/nerdctl/helpers/testing*.go
	(cd source && go build -o ../bin/nerdctl ./cmd/nerdctl)
	chmod -R u+w source
	rm -rf source
}
[ -x bin/nerdctl ] || nerdctl >>log 2>&1 || {
	echo "skip: test-go: nerdctl $NERDCTL: $(tail -n 1 log)"
	exit 77
}
