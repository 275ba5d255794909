#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two calls at once, one of which is stopped behind a request of its own choice: what it has looked at must
# still be so when it goes on. GC takes down and mends what other calls are at just then.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
need strace
[[ $BIN != */san/* ]] || { skip "the leak checker does not run under strace"; finish; }
baseline

VETH=$(one 10.0.1.0/24 '.ipMasq=true | .ipam.cooldown=0')
BRIDGE='{"cniVersion":"1.1.0","name":"br","type":"task-bridge","bridge":"cni0","isGateway":true,"ipMasq":true,
"ipam":{"type":"task-ipam","cooldown":0,"ranges":[[{"subnet":"10.88.0.0/24"}]]}}'
BRIDGE=$(jq -c . <<<"$BRIDGE")

# valid CONF NAME…: CONF with the list of a GC that keeps these.
valid() {
	jq -c '."cni.dev/valid-attachments"=[$ARGS.positional[] | {containerID: ., ifname: "eth0"}]' --args "${@:2}" <<<"$1"
}

# halt N VERB NAME CONF: the call in the background, until it has stopped behind its N-th request. Sets
# STRACE and HALTED.
halt() {
	rm -f "$TMP/trace"
	env -i CNI_COMMAND="$2" CNI_CONTAINERID="$3" CNI_NETNS="$NETNS/$3" CNI_IFNAME=eth0 CNI_PATH="$BIN" \
		strace -qq -o "$TMP/trace" -e trace=sendto -e "inject=sendto:signal=STOP:when=$1" \
		"$PLUGIN" <<<"$4" >"$TMP/halted.out" 2>"$TMP/halted.err" &
	STRACE=$!
	until_true grep -qs 'stopped by' "$TMP/trace"
	HALTED=$(ps -o pid= --ppid "$STRACE")
}

# go_on: the halted call, to its end, which must be a good one.
go_on() {
	# shellcheck disable=SC2086 # a number with blanks around it
	kill -CONT $HALTED
	wait "$STRACE"
	is 0 $? "rc of the one that was stopped: $(<"$TMP/halted.out")"
}

# beside VERB NAME CONF: a call in the background, until it waits for another at the same attachment, or
# has ended. Sets BESIDE.
beside() {
	local major minor inode # as /proc/locks spells a file
	read -r major minor inode < <(stat -c '%Hd %Ld %i' "$DATA/turn")
	TURN=$(printf '%02x:%02x:%s' "$major" "$minor" "$inode")
	call "$1" "$2" <<<"$3" >"$TMP/beside.out" 2>"$TMP/beside.err" &
	BESIDE=$!
	until_true waits_or_ended
}
waits() { grep -q -e "-> OFDLCK .* $TURN " /proc/locks; }
waits_or_ended() { waits || ! kill -0 "$BESIDE" 2>/dev/null; }
ended() {
	wait "$BESIDE"
	is 0 $? "rc of the one beside it: $(<"$TMP/beside.out")"
}

if group first; then
	PLUGIN=$BIN/task-bridge
	for n in 1 2 3 4; do # before its lease: later, who restores rules would wait for it
		t "two ADDs are the first of a bridge: one has stopped behind request $n when the other makes it"
		netns a
		halt $n ADD a "$BRIDGE"
		add b "$BRIDGE"
		go_on
		is 2 "$(ip -j link show master cni0 | jq length)" "ports of the bridge"
		ping_ok a 10.88.0.1
		del b "$BRIDGE"
		ping_ok a 10.88.0.1
		del a "$BRIDGE"
		drop a b
		clean
	done
	PLUGIN=$BIN/awsvpc
fi

if group survivor; then
	for type in awsvpc task-bridge; do
		PLUGIN=$BIN/$type
		if [ $type = awsvpc ]; then CONFIG=$VETH; else CONFIG=$BRIDGE; fi
		for n in 1 2 3; do
			t "$type: GC mends what the last attachment shares (request $n), which its DEL takes down meanwhile"
			add a "$CONFIG"
			halt $n GC x "$(valid "$CONFIG" a)"
			beside DEL a "$CONFIG"
			runs "DEL waits for GC" waits
			go_on
			ended
			drop a
			clean
		done
	done
	PLUGIN=$BIN/awsvpc
fi

if group busy; then
	t "the others are busy for longer than GC waits: it says so, and mends what is shared by one that nobody is at"
	add a "$VETH"
	add b "$VETH"
	halt 1 DEL a "$VETH"
	nft flush set inet taskvpc own4
	ip route del table local 10.0.1.1 dev lo
	plugin GC "$(valid "$VETH" a b)"
	expect_error 11 'restoring rules.*turn: locked for 5 seconds by process'
	like 'local 10\.0\.1\.1 ' "$(ip route show table local)" "the gateway's route"
	fails "an element, as nothing was restored" sh -c 'nft list set inet taskvpc own4 | grep -q elements'
	go_on
	t "and the next GC restores the rules"
	plugin GC "$(valid "$VETH" b)"
	is "0 " "$RC $ERR" "rc and stderr"
	verify b "$VETH"
	del b "$VETH"
	drop a b
	clean
fi

if group others; then
	OTHERS=$(jq -c '.bridge="br9"' <<<"$BRIDGE")
	t "GC restores the rules of all, whatever became of what its own network shares"
	ip link add br9 type bridge
	add a "$VETH"
	PLUGIN=$BIN/task-bridge add b "$OTHERS"
	ip link del br9
	nft flush set inet taskvpc own4
	PLUGIN=$BIN/task-bridge plugin GC "$(valid "$OTHERS" b)"
	expect_error 100 br9
	verify a "$VETH"
	PLUGIN=$BIN/task-bridge works GC "$(valid "$OTHERS")"
	t "and where its own network has nothing left, or never had anything"
	for config in "$OTHERS" "$(jq -c '.name="nobody"' <<<"$VETH")"; do
		nft flush set inet taskvpc own4
		works GC "$(valid "$config")"
		verify a "$VETH"
	done
	del a "$VETH"
	drop a b
	clean
fi

if group links; then
	t "GC deletes links by their index, which none of them loses to another meanwhile"
	for id in a b; do add $id "$VETH"; done
	halt 2 GC x "$(valid "$VETH")" # it has looked at both
	beside DEL a "$VETH"
	runs "DEL waits for GC" waits
	go_on
	ended
	is 0 "$(records)" records
	drop a b
	clean
	t "what another call is at is left out, and holds up none of the other links"
	for id in a b c; do add $id "$VETH"; done
	halt 1 DEL a "$VETH"
	beside GC x "$(valid "$VETH")"
	runs "GC waits for DEL" waits
	runs "the link of a" ip link show "$(host_link a)"
	for id in b c; do fails "the link of $id" ip link show "$(host_link "$id")"; done
	go_on
	ended
	is 0 "$(records)" records
	drop a b c
	clean
fi

finish
