#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An upgrade within one boot: the programs of the previous release attach, those of this one check, add
# beside, collect and delete. And a store that this program cannot read is refused by every verb.
#
#   PREVIOUS_BIN=DIR   the programs of the previous release, if they are built already
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/modes.sh
. "$ROOT/test/modes.sh"
# shellcheck source=test/cli.sh
. "$ROOT/test/cli.sh"
NEW=$BIN
PREVIOUS=b6b5444	# the last commit of 0.1.0
OLD=${PREVIOUS_BIN:-$ROOT/build/previous-$PREVIOUS/bin}

# Root in somebody else's checkout: git refuses that without being told.
git_here() { GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' git -C "$ROOT" "$@"; }

# build_previous: into $OLD. Prints why not.
build_previous() {
	local from=$TMP/previous
	command -v git >/dev/null || { echo "no git" && return 1; }
	git_here rev-parse -q --verify "$PREVIOUS^{commit}" >/dev/null 2>&1 ||
		{ echo "$PREVIOUS is not in the history of this tree" && return 1; }
	command -v gcc >/dev/null || { echo "no gcc" && return 1; }
	mkdir -p "$from" "${OLD%/bin}"
	git_here archive "$PREVIOUS" | tar -x -C "$from"
	env -u SAN -u COV -u MAKEFLAGS make -s -j"$(nproc)" -C "$from" BUILD="$from/build" \
		CNI_BIN_DIR=/opt/cni/bin all >"$TMP/previous.log" 2>&1 ||
		{ echo "$PREVIOUS does not build: $(tail -n 3 "$TMP/previous.log")" && return 1; }
	cp -r "$from/build/bin" "$OLD.new.$$" && mv -T "$OLD.new.$$" "$OLD"
	rm -rf "$from"
}
have_previous() {
	local why
	[ ! -x "$OLD/awsvpc" ] || return 0
	why=$(build_previous) && return
	skip "the previous release: $why"
	return 1
}

# by old|new COMMAND…: with the programs of that release.
by() {
	local BIN=$NEW type=${PLUGIN##*/} PLUGIN
	[ "$1" = new ] || BIN=$OLD
	PLUGIN=$BIN/$type
	shift
	"$@"
}
# silent WHAT COMMAND…: it prints nothing, which is how modes.sh tells of a failure.
silent() {
	local what=$1 seen
	shift
	seen=$("$@")
	is "" "${seen//$'\n'/ | }" "$what"
}
# two: c1 by the old programs, c2 by the new ones; in the end both are as these would have them.
two() {
	silent "ADD by the old" by old must ADD
	cp "$TMP/stdout" "$TMP/result/c1.eth0"
	# Rules of the table that this release has otherwise are told as such, with what brings them up to date.
	by new run CHECK "$(prev c1 "$CONFIG")" ||
		like '^106 .*rules.* taskvpc gc$' "$(jq -r '"\(.code) \(.msg) \(.details)"' "$TMP/stdout")" "CHECK of what is old"
	silent "ADD beside it" by new must ADD "$OTHER" c2
	cp "$TMP/stdout" "$TMP/result/c2.eth0"
	silent "GC" by new must GC "$BOTH"
	both
}
prev() { jq -c --slurpfile p "$TMP/result/$1.eth0" 'if $p == [] then . else .prevResult=$p[0] end' <<<"$2"; }
both() {
	[ "$IFNAME" = lo ] || [[ $PLUGIN == */task-none ]] || is 2 "$(records)" records
	silent "CHECK of the old" by new must CHECK "$(prev c1 "$CONFIG")"
	silent "CHECK of the new" by new must CHECK "$(prev c2 "$OTHER")" c2
}
# answers NAME: its address and, if it has published one, its port.
answers() {
	local address pid
	address=$(address "$1")
	ping_ok host "$address"
	[[ $PLUGIN == */task-bridge && $1 = c1 ]] || return
	nsenter --net="$NETNS/$1" -- busybox nc -ll -p 80 -e echo "this is $1" &
	pid=$!
	until_true in_ns "$1" sh -c 'ss -Hltn "sport = 80" | grep -q .'
	is "this is $1" "$(busybox nc -w 2 192.0.2.1 8080 </dev/null 2>&1)" "the published port of $1"
	stop $pid
}

for mode in "${MODES_ALL[@]}"; do
	[ "$mode" != beside ] || continue	# of a bridge; two is beside one
	group "upgrade $mode" || continue
	have_previous || break
	scene "$mode"
	BOTH=$(jq -c --arg i "$IFNAME" '.["cni.dev/valid-attachments"]=[{containerID: "c1", ifname: $i}, {containerID: "c2", ifname: $i}]' <<<"$CONFIG")
	t "$mode: attached by the previous release, kept by this one"
	two
	case $mode in veth | bridge | foreign) answers c1 && answers c2 && ping_ok c2 "$(address c1)" ;; esac
	t "$mode: the old one goes first"
	silent "DEL of the old" by new must DEL
	silent "CHECK of the new" by new must CHECK "$(prev c2 "$OTHER")" c2
	silent "DEL of the new" by new must DEL "$OTHER" c2
	silent "residue" residue
	t "$mode: the new one goes first"
	two
	silent "DEL of the new" by new must DEL "$OTHER" c2
	silent "CHECK of the old" by new must CHECK "$(prev c1 "$CONFIG")"
	silent "DEL of the old" by new must DEL
	silent "residue" residue
	t "$mode: both go by GC"
	two
	silent "GC of all" by new must GC "$VALID"
	silent "DEL of the old" by new must DEL
	silent "DEL of the new" by new must DEL "$OTHER" c2
	silent "residue" residue
	t "$mode: nothing is between the old ADD and the new DEL"
	silent "ADD by the old" by old must ADD
	silent "DEL by the new" by new must DEL
	silent "residue" residue
	if [[ $mode =~ ^(veth|macvlan|bridge)$ ]]; then
		t "$mode: an address that the old one holds is not given, one of a dead task is"
		silent "ADD by the old" by old must ADD
		held=$(jq -r '.ips[0].address | split("/")[0]' "$TMP/stdout")
		by new run ADD "$(jq -c --arg a "$held" '.runtimeConfig={ips: [$a]}' <<<"$OTHER")" c2
		like "103 .*$held is held by container c1" "$(jq -r '"\(.code) \(.msg)"' "$TMP/stdout")" "ADD"
		drop c1
		silent "ADD once it is dead" by new must ADD "$(jq -c --arg a "$held" '.runtimeConfig={ips: [$a]}' <<<"$OTHER")" c2
		silent "DEL" by new must DEL "$OTHER" c2
		netns c1
		silent "residue" residue
	fi
	scene_end
done

if group "upgrade namespace" && have_previous; then
	t "a namespace that the previous release made keeps its name as long as one is in it"
	PLUGIN=$NEW/awsvpc
	CONFIG=$(conf '.createNamespace=true | .ipam.cooldown=0')
	baseline
	by old works ADD "$CONFIG" CNI_CONTAINERID=made CNI_NETNS=$NETNS/made
	by new works ADD "$(jq -c '.name="second" | .ipam.ranges=[[{subnet:"10.0.3.0/24"}]]' <<<"$CONFIG")" \
		CNI_CONTAINERID=made CNI_NETNS=$NETNS/made CNI_IFNAME=eth1
	by new works DEL "$CONFIG" CNI_CONTAINERID=made CNI_NETNS=$NETNS/made
	runs "the namespace" ip netns exec made ip link show eth1
	by new works DEL "$(jq -c '.name="second"' <<<"$CONFIG")" CNI_CONTAINERID=made CNI_NETNS=$NETNS/made CNI_IFNAME=eth1
	fails "the namespace" test -e "$NETNS/made"
	clean
fi

if group "upgrade command" && have_previous; then
	t "tasks that the previous taskvpc runs are listed, entered, checked and ended by this one"
	uplink
	baseline
	# Each command finds the plugins that lie beside it, and the tasks remember them: so they are replaced.
	cp -r "$OLD" "$TMP/installed"
	"$TMP/installed/taskvpc" run -d --name a -- sleep 60 >/dev/null
	"$TMP/installed/taskvpc" run -d --name b --mode bridge -p 8080:80 -- sleep 60 >/dev/null
	cp --remove-destination "$NEW"/* "$TMP/installed/"
	is "a b" "$("$TASKVPC" ls -q | sort | xargs)" "ls"
	told 0 exec a -- true
	start c -- sleep 60
	told 0 gc
	told 0 check
	told 0 rm a b
	is c "$("$TASKVPC" ls -q | xargs)" "ls"
	told 0 check
	told 0 rm c
	clean
	ip link del up0
fi

if group "another version"; then
	PLUGIN=$NEW/awsvpc
	CONFIG=$(conf '.ipMasq=true | .ipam.cooldown=0')
	WHY='store in /run/taskvpc has version 2, this program reads version 1.*end its tasks with the version of taskvpc that wrote it'
	versioned() { printf '%b' "\\0$(printf %o "$1")" | dd of="$DATA/records" bs=1 seek=8 conv=notrunc status=none; }
	netns c1 c2
	baseline
	add c1 "$CONFIG"
	versioned 2
	for verb in ADD DEL GC; do
		t "$verb over a store of another version: refused with the remedy, nothing changes"
		ID=c2 refused 101 "$WHY" $verb "$CONFIG"
	done
	t "CHECK and STATUS say the same"
	refused 101 "$WHY" CHECK "$(with_prev c1 "$CONFIG")"
	refused 50 "$WHY" STATUS "$CONFIG"
	t "so does every command"
	for command in ls "inspect c1" ports subnets gc topology; do
		RC=0
		# shellcheck disable=SC2086 # a word and its arguments
		seen=$("$TASKVPC" $command 2>&1) || RC=$?
		isnt 0 "$RC" "exit code of $command"
		like "$WHY" "$(tr '\n' ' ' <<<"$seen")" "$command"
	done
	RC=0
	seen=$("$TASKVPC" doctor 2>&1) || RC=$?
	is 1 "$RC" "exit code of doctor"
	like "fail +store +.*has version 2" "$seen" "doctor"
	is "" "$(find "$DATA" -name '*.broken-*')" "files set aside"
	t "the task lives, and goes when a program that reads its store is there"
	ping_ok host "$(address c1)"
	versioned 1
	verify c1 "$CONFIG"
	del c1 "$CONFIG"
	clean
fi

finish
