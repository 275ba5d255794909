#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# taskvpc logs: what commands in the background say; how long it is kept, and how much of it.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"

LOGS=/run/taskvpc/log
baseline
# brief NAME COMMAND…: in the background, to its end.
brief() {
	start "$1" --mode none -- "${@:2}"
	until_true gone_task "$1"
}
# said: the last output, on one line.
said() { tr '\n' ' ' <<<"$OUT" | sed 's/ $//'; }
ends_with() { [ "$("$TASKVPC" logs "$1" | tail -n 1)" = "$2" ]; }

if group "while it runs, and afterwards"; then
	start web --mode none -- sh -c 'echo out; echo err >&2; exec sleep 60'
	until_true ends_with web err
	told 0 logs web
	is "out err" "$(said)" "both streams"
	told 0 logs web/main
	is "out err" "$(said)" "by the name of the container"
	is $LOGS/web.main "$("$TASKVPC" inspect web --json | jq -r '.[0].containers[0].log')" "log in inspect"
	t "each container has its own"
	told 0 run -d --task web --name side -- echo aside
	until_true no_container web side
	told 0 logs web/side
	is aside "$OUT" "its output"
	told 0 rm web
	told 0 logs web
	is "out err" "$(said)" "after rm"
	t "a command that fails at once says why"
	brief bad sh -c 'echo why >&2; exit 1'
	told 0 logs bad
	is why "$OUT" "its output"
	t "killed with its supervisor"
	start k --mode none -- sh -c 'echo last words; exec sleep 60'
	until_true ends_with k "last words"
	slay k
	until_true gone 'sleep 60'
	told 0 gc
	told 0 logs k
	is "last words" "$OUT" "its output"
	t "bytes are kept as they are"
	brief raw sh -c 'printf "a\000b\377\ntail"'
	is "$(printf 'a\000b\377\ntail' | od -c)" "$("$TASKVPC" logs raw | od -c)" "bytes"
	clean
fi

if group "whose it is"; then
	t "of the last of that name"
	brief web echo first
	brief web true
	told 0 logs web
	is "" "$OUT" "the second said nothing"
	t "in the foreground nothing is kept"
	brief web echo first
	told 0 run --mode none --name web -- true
	refuses 66 'nothing that "web" has said was kept' logs web
	"$TASKVPC" run --mode none --name web -- sleep 60 &
	until_true runs_in web sleep
	refuses 66 'web/main was not started with -d' logs web
	told 0 rm web
	t "--log FILE"
	brief web echo first
	told 0 run -d --mode none --name web --log "$TMP/file" -- sh -c 'echo second; exec sleep 60'
	until_true grep -q second "$TMP/file"
	refuses 66 "what web/main says goes to $TMP/file" logs web
	told 0 rm web
	refuses 66 'nothing that "web" has said was kept' logs web
	t "one that could not be started"
	brief web echo first
	refuses 73 'gateway|reserved' run -d --name web --ip 10.200.1.1 -- true
	refuses 66 'nothing that "web"' logs web
	t "what there is, is named"
	brief one true
	refuses 66 'there is.* one/main' logs nope
	for bad in '' / . .. ../run/x web/ /main web/../x web.main web/main.1 "$(printf 'a%.0s' {1..200})"; do
		refuses 66 'nothing that .* was kept' logs "$bad"
	done
	refuses 64 'no task' logs
	refuses 64 'too many words' logs one two
	refuses 64 '--json: no such option' logs --json one
	clean
fi

if group "how much of it"; then
	start flood --mode none -- sh -c 'seq 200000; exec sleep 60'
	until_true ends_with flood 200000
	told 0 logs flood
	within "$(wc -c <<<"$OUT")" 65536 "at least these bytes"
	within 150000 "$(wc -c <<<"$OUT")" "bytes"
	within 150000 "$(cat $LOGS/flood.* | wc -c)" "bytes kept"
	is "$(seq "$(sed -n 2p <<<"$OUT")" 200000 | md5sum)" "$(tail -n +2 <<<"$OUT" | md5sum)" "the end, without a gap"
	told 0 rm flood
	t "one that never stops is heard, and can be ended"
	start yes --mode none -- yes
	until_true ends_with yes y
	ms "$TASKVPC" rm --time 20 yes
	within 10000 "$MS" "milliseconds"
	within 150000 "$(cat $LOGS/yes.* | wc -c)" "bytes kept"
	t "a log that cannot be written holds nobody up"
	mount -t tmpfs -o size=8k tmpfs $LOGS
	brief full sh -c 'seq 200000; touch '"$TMP"'/through'
	runs "it came through" test -e "$TMP/through"
	told 0 logs full
	like '^1.2.3.' "$OUT" "what could be written"
	umount $LOGS
	t "of those that have ended 32 are kept, of those that run all"
	start lives --mode none -- sleep 60
	for n in {1..36}; do brief "n$n" echo "$n"; done
	start last --mode none -- sleep 60
	is 34 "$(find $LOGS -name '*.main' | wc -l)" "logs"
	told 0 logs n36
	is 36 "$OUT" "the newest"
	refuses 66 'nothing that "n1" has said' logs n1
	told 0 logs lives
	told 0 rm lives last
	is 700 "$(stat -c %a $LOGS)" "mode of the directory"
	is 600 "$(stat -c %a $LOGS/n36.main)" "mode of a log"
	clean
fi

finish
