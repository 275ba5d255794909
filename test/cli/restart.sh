#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc restart, ls -a, logs -f and --tail: tasks that have ended, and that begin again.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

uplink
baseline
ended() { "$TASKVPC" ls -a --json | jq -r --arg t "$1" '.[] | select(.task == $t and .exitCode != null) | "\(.exitCode) \(.state)"'; }
has_ended() { [ -n "$(ended "$1")" ]; }

if group "exit codes"; then
	for code in 0 7 143; do
		told 0 run -d --name e$code --mode none -- sh -c "echo said; [ $code = 143 ] && kill -TERM \$\$; exit $code"
		until_true has_ended e$code
		is "$code exited ($code)" "$(ended e$code)" "ls -a"
	done
	told 3 run --name fore -- sh -c 'exit 3'
	is "3 exited (3)" "$(ended fore)" "in the foreground"
	told 0 ls
	is "" "$OUT" "ls has none of them"
	told 0 ls -a
	like 'e7 +none .*exited \(7\)' "$OUT" "table"
	is "e0 e7 e143 fore" "$("$TASKVPC" ls -aq | sort -V | tr '\n' ' ' | sed 's/ $//')" "names"
	t "told by whoever looks for it"
	for words in "exec e7 true" "inspect e7" "check e7"; do
		# shellcheck disable=SC2086 # words
		refuses 66 'the task "e7" has ended, with exit code 7.*taskvpc logs e7.*taskvpc restart e7' $words
	done
	told 0 logs e7
	is said "$OUT" "logs"
	like '# e7 ended with exit code 7' "$ERR" "logs"
	told 0 logs e0
	is "" "$ERR" "logs of one that ended well"
	t "rm forgets it, and so does one of that name"
	told 0 rm e7
	is "" "$(ended e7)" "e7"
	refuses 66 'there is no task "e7"' rm e7
	start e0 --mode none -- sleep 60
	is "" "$(ended e0)" "e0"
	told 0 rm -t 0 e0
	is "" "$(ended e0)" "what rm ended is gone"
	t "the last 32 are kept"
	for i in {1..34}; do told 0 run --mode none --name "k$i" -- true; done
	is 32 "$("$TASKVPC" ls -aq | wc -l)" "number"
	is "k34" "$("$TASKVPC" ls -aq | grep -x k34)" "the last"
	told 0 rm --all
	clean
fi

if group "restart"; then
	cd "$TMP" || fail "cd"
	start w --mode bridge -p 8080:80 -- sh -c 'echo begun "$1"; pwd; exec busybox nc -ll -p 80 -e /bin/hostname' sh ''
	cd "$ROOT" || fail "cd"
	told 0 run -d --task w --name side -- sleep 60
	until_true listens w 80
	before=$(row w '"\(.address) \(.mac) \(.ports | tostring)"') pid=$(pid_of w main)
	told 0 restart -t 0 w
	is "w w/side" "$(tr '\n' ' ' <<<"$OUT" | sed 's/ $//')" "names"
	is "$before" "$(row w '"\(.address) \(.mac) \(.ports | tostring)"')" "address, MAC, ports"
	isnt "$pid" "$(pid_of w main)" "supervisor"
	is "main side" "$("$TASKVPC" inspect w --json | jq -r '[.[0].containers[].name] | join(" ")')" "containers"
	until_true listens w 80
	is w "$(busybox nc -w 2 198.51.100.2 8080)" "its server"
	is "begun $TMP" "$("$TASKVPC" logs w | tr '\n' ' ' | sed 's/ *$//; s/  */ /')" "its words and directory"
	told 0 rm -t 0 w
	t "one that has ended"
	told 0 run -d --name v -- sh -c 'test -e '"$TMP"'/again && exec sleep 60; exit 9'
	until_true has_ended v
	before=$("$TASKVPC" ls -a --json | jq -r '.[] | select(.task == "v") | "\(.address) \(.mac)"')
	like '10\.200' "$before" "its address"
	touch "$TMP/again"
	told 0 restart v
	is "$before" "$(row v '"\(.address) \(.mac)"')" "address and MAC"
	is "" "$(ended v)" "it is none that has ended"
	t "its address is another's by now"
	told 0 rm -t 0 v
	rm "$TMP/again"
	told 0 run -d --name v -- sh -c 'exit 9'
	until_true has_ended v
	start thief --ip "$("$TASKVPC" ls -a --json | jq -r '.[] | select(.task == "v") | .address | split("/")[0]')" -- sleep 60
	told 73 restart v
	like 'is held by container thief' "$ERR" "told"
	told 0 rm -t 0 thief v
	t "every mode"
	for mode in awsvpc bridge host none; do
		start m --mode $mode -- sleep 60
		told 0 restart -t 0 m
		is up "$(row m .state)" "$mode"
		told 0 rm -t 0 m
	done
	t "refused"
	refuses 64 'no task' restart
	refuses 66 'no task "nope"' restart nope
	"$TASKVPC" run --name f --mode none -- sleep 60 &
	pid=$!
	until_true runs_in f sleep
	told 64 restart f
	like 'was not started with -d' "$ERR" "told"
	is up "$(row f .state)" "it runs on"
	kill $pid
	wait $pid
	told 0 rm f
	clean
fi

if group "logs"; then
	start l --mode none -- sh -c 'for i in 1 2 3 4 5; do echo line$i; done; until [ -e '"$TMP"'/go ]; do sleep 0.05; done
		for i in $(seq 1 8000); do echo "more $i"; done; echo last; exit 4'
	until_true eval '"$TASKVPC" logs l | grep -q line5'
	for row in 2:'line4 line5' 0: 1:line5 9:'line1 line2 line3 line4 line5' all:'line1 line2 line3 line4 line5'; do
		told 0 logs --tail "${row%%:*}" l
		is "${row#*:}" "$(tr '\n' ' ' <<<"$OUT" | sed 's/ $//')" "--tail ${row%%:*}"
	done
	for bad in x -1 1x ''; do refuses 64 '--tail: .* is no number of lines' logs --tail "$bad" l; done
	t "-f goes on over a new file, and ends with the container"
	timeout 20 "$TASKVPC" logs -f -n 1 l >"$TMP/followed" 2>"$TMP/said" &
	pid=$!
	until_true grep -q line5 "$TMP/followed"
	touch "$TMP/go"
	wait $pid
	is 0 $? "rc"
	is "line5" "$(head -n 1 "$TMP/followed")" "begins with the last line"
	is last "$(tail -n 1 "$TMP/followed")" "ends with the last word"
	is "" "$(grep -vxE 'line5|more [0-9]+|last' "$TMP/followed" | head)" "whole lines"
	like 'ended with exit code 4' "$(<"$TMP/said")" "told"
	told 0 rm l
	clean
fi

finish
