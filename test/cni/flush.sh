#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A flush of nftables is seen by each store, even where another one has loaded the table again.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
baseline

ONE=$(conf '.name="one" | .ipam.dataDir="'$DATA'/one" | .ipam.cooldown=0 | .ipam.ranges=[[{subnet:"10.0.1.0/24"}]]')
TWO=$(conf '.name="two" | .ipam.dataDir="'$DATA'/two" | .ipam.cooldown=0 | .ipam.ranges=[[{subnet:"10.0.2.0/24"}]]')
elements() { nft -j list set inet taskvpc "$1" 2>/dev/null | jq '[.nftables[].set.elem // empty | .[]] | length'; }
list() { jq -c --arg n "$1" '."cni.dev/valid-attachments"=($n / " " | map({containerID:., ifname:"eth0"}))' <<<"$2"; }

if group stores; then
	t "each store has a marker, which goes with its last attachment"
	add a "$ONE"
	add b "$TWO"
	is 2 "$(elements stores)" "markers"
	verify a "$ONE"
	verify b "$TWO"
	t "a flush, and an ADD of the other store: CHECK and STATUS of this one say it"
	nft flush ruleset
	add c "$TWO"
	is "1 2" "$(elements stores) $(elements tasks)" "markers, and tasks with a guard"
	ID=a plugin CHECK "$(with_prev a "$ONE")"
	expect_error 106 'nftables'
	plugin STATUS "$ONE"
	is 0 "$RC" "STATUS"
	like 'nftables rules were flushed.*taskvpc gc' "$ERR" "STATUS: stderr"
	plugin STATUS "$TWO"
	is "0 " "$RC $ERR" "STATUS of the store that loaded the table"
	t "the next ADD of this store restores all of it"
	add d "$ONE"
	is "2 4" "$(elements stores) $(elements tasks)" "markers, and tasks with a guard"
	verify a "$ONE"
	plugin STATUS "$ONE"
	is "0 " "$RC $ERR" "STATUS"
	t "so does GC"
	nft flush ruleset
	add e "$TWO"
	works GC "$(list "a d" "$ONE")"
	is "2 5" "$(elements stores) $(elements tasks)" "markers, and tasks with a guard"
	verify d "$ONE"
	t "a flush between the elements of an ADD and its end"
	# The marker is what the ADD looks at last: without it, it restores those of all.
	nft flush set inet taskvpc stores
	nft flush set inet taskvpc own4
	add f "$ONE"
	verify a "$ONE"
	verify d "$ONE"
	verify f "$ONE"
	for name in a d f; do del $name "$ONE"; done
	add g "$TWO"
	is 1 "$(elements stores)" "markers after the last attachment of the first store"
	verify b "$TWO"
	del g "$TWO"
	for name in b c e; do del $name "$TWO"; done
	drop a b c d e f g
	clean
fi

if group bridge; then
	t "task-bridge: the same"
	PLUGIN=$BIN/task-bridge
	BRIDGE=$(jq -c '{cniVersion, name:"br", type:"task-bridge", bridge:"br9", isGateway:true, ipMasq:true,
		ipam:(.ipam | .ranges=[[{subnet:"10.9.0.0/24"}]])}' <<<"$ONE")
	add a "$BRIDGE"
	is 1 "$(elements stores)" "markers"
	nft flush ruleset
	PLUGIN=$BIN/awsvpc add b "$TWO"
	ID=a plugin CHECK "$(with_prev a "$BRIDGE")"
	expect_error 106 'nftables'
	add c "$BRIDGE"
	verify a "$BRIDGE"
	del a "$BRIDGE"
	del c "$BRIDGE"
	PLUGIN=$BIN/awsvpc del b "$TWO"
	drop a b c
	clean
	PLUGIN=$BIN/awsvpc
fi
finish
