#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# compare: each cell is there and has a verdict, what must hold holds, and the report needs nothing else.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=test/cli.sh
. "$(dirname "$0")/../cli.sh"
uplink
baseline

MODES='awsvpc-veth awsvpc-macvlan bridge host none'
DOC=$TMP/doc.json
HTML=$TMP/report.html

# compare WORD…: it works. Sets OUT.
compare() {
	RC=0
	timeout -s KILL 200 "$TASKVPC" compare "$@" >"$TMP/stdout" 2>"$TMP/stderr" || RC=$?
	OUT=$(<"$TMP/stdout")
	is "0 " "$RC $(<"$TMP/stderr")" "compare $*: exit code and stderr"
}
# verdicts KEY: those of a question, in the order of the modes. detail KEY MODE.
verdicts() {
	jq -r --arg k "$1" '[.modes[].key] as $m | .questions[] | select(.key == $k) | .cells as $c
		| [$m[] | $c[.] | .word // .value // .verdict | tostring | gsub(" "; "-")] | join(" ")' "$DOC"
}
detail() { jq -r --arg k "$1" --arg m "$2" '.questions[] | select(.key == $k) | .cells[$m].detail' "$DOC"; }

if group "all modes"; then
	start web --mode awsvpc -- sleep 200
	before=$(snapshot web)
	ms compare --json --html "$HTML"
	echo "$OUT" >"$DOC"
	quick 150000 "$MS" "milliseconds, on a busy machine too"
	t "this host and its tasks are as they were"
	is "$before" "$(snapshot web)" "host"
	is web "$("$TASKVPC" ls -q)" "tasks"
	told 0 rm web
	clean

	t "every cell is there, and says something"
	is "$MODES" "$(jq -r '[.modes[].key] | join(" ")' "$DOC")" "modes"
	within "$(jq '.questions | length' "$DOC")" 29 "questions"
	is "" "$(jq -r '[.modes[].key] as $m | .questions[] | .key as $q | .cells as $c
		| $m - ($c | keys) | .[] | "\($q) \(.)"' "$DOC")" "cells that are missing"
	is "" "$(jq -r '.questions[] | .key as $q | .cells | to_entries[]
		| select(.value.verdict | IN("yes", "no", "word", "figure", "not tried") | not) | "\($q) \(.key)"' "$DOC")" \
		"cells without a verdict"
	is "" "$(jq -r '.questions[] | .key as $q | .cells | to_entries[]
		| select(.value.verdict != "figure" and .value.detail == "") | "\($q) \(.key)"' "$DOC")" \
		"answers that do not say what was seen"
	is "" "$(jq -r '.questions[] | .key as $q | .unit as $u | .cells | to_entries[] | select(.value.verdict == "figure")
		| select(($u | type) != "string" or (.value | .low > .value or .value > .high)) | "\($q) \(.key)"' "$DOC")" \
		"figures without a unit or outside of their range"
	t "of modes with an interface everything could be tried"
	is "" "$(jq -r '.questions[] | .key as $q | .cells | to_entries[]
		| select(.key != "none" and .value.verdict == "not tried") | "\($q) \(.key): \(.value.detail)"' "$DOC")" "not tried"

	t "what holds in every mode by its nature"
	while read -r key want; do
		is "$want" "$(verdicts "$key")" "$key"
	done <<-'END'
		own-address         yes yes yes no no
		same-port           yes yes yes no yes
		from-host           yes no yes yes no
		from-host-loopback  no no yes yes no
		from-lan            no yes yes yes no
		from-lan-routed     yes yes yes yes no
		from-task           yes yes yes yes no
		to-lan              yes yes yes yes no
		host-loopback       no no no yes no
		source-task         its-own its-own its-own the-host's not-tried
		source-lan          the-host's its-own the-host's the-host's not-tried
		source-client       the-client's the-client's the-client's the-client's not-tried
		spoofed-address     yes no no no not-tried
		spoofed-mac         yes no no no not-tried
		spoofed-arp         yes no no no not-tried
		forged-router       yes yes yes no not-tried
		sniffing            yes yes yes no not-tried
		loopback-service    yes yes yes no not-tried
		metadata            yes no no-such-key no-such-key not-tried
		addresses           1 1 1 0 0
		ports               0 0 1 1 0
		links               1 0 1 0 0
		fit                 11 11 1 1 at-least-20
	END
	like '^10\.201\.0\.[0-9]+:80 and 10\.201\.0\.[0-9]+:80; published once: task-bridge: host port 80/tcp is held by container a' "$(detail same-port bridge)" "a port that is published twice"
	like 'host port 80/tcp is held by container a' "$(detail same-port host)" "a port of the host, twice"
	like 'exhausted' "$(detail fit awsvpc-veth)" "why no more fit"
	like '^16 of 16 ' "$(detail sniffing host)" "datagrams"
	like 'no interface' "$(detail sniffing none)" "why it was not tried"
	for mode in awsvpc-veth bridge; do
		is "of two frames of a, that to 127.0.0.1 did not arrive" "$(detail loopback-service $mode)" "$mode: the other did"
	done
	like 'reached, with blockInstanceMetadata' "$(detail metadata awsvpc-macvlan)" "root in the task removes the route"
	t "figures are of this world"
	for key in start stop rtt-task rtt-lan flood-task flood-lan; do
		is "" "$(jq -r --arg k $key '.questions[] | select(.key == $k) | .cells | to_entries[]
			| select(.value.verdict == "figure" and .value.value <= 0) | .key' "$DOC")" "$key"
	done
	is "12 7 5" "$(jq -r '[.questions[] | select(.key | IN("start", "rtt-lan", "flood-lan"))
		| .cells["awsvpc-veth"].samples] | join(" ")' "$DOC")" "rounds"

	t "the report is one whole file"
	if command -v xmllint >/dev/null; then
		is "" "$(xmllint --noout "$HTML" 2>&1)" "xmllint"
	fi
	for tag in html head style body main table thead tbody tr th td figure figcaption svg g b small span p div footer; do
		is "$(grep -oE "<${tag}[ >]" "$HTML" | wc -l)" "$(grep -o "</$tag>" "$HTML" | wc -l)" "<$tag> closed"
	done
	is "$(($(jq '.questions | length' "$DOC") * 5))" "$(grep -oE '<td[ >]' "$HTML" | wc -l)" "cells"
	is "11" "$(grep -o '<svg ' "$HTML" | wc -l)" "drawings and charts"
	is "4 2" "$(grep -o 'Less is better' "$HTML" | wc -l) $(grep -o 'More is better' "$HTML" | wc -l)" "which way charts are read"
	is 0 "$(grep -icE 'https?:|src=|href=|url\(|@import|<script|<link|<iframe' "$HTML")" "what it would load"
	like 'prefers-color-scheme:dark' "$(<"$HTML")" "by night"
	like '@media print' "$(<"$HTML")" "on paper"
	like 'host&#39;s' "$(<"$HTML")" "escaped"
	t "one long round squeezes no chart: a bar of half the width is in each"
	is 0 "$(grep -o 'class="range"[^/]*H[0-9.]*' "$HTML" | sed 's/.*H//' | awk '$1 > 352.1' | wc -l)" "ranges that leave the paper"
	is "" "$(awk 'BEGIN { RS = "<svg " } /class="axis"/ { n++; most = 0; s = $0
		while (match(s, /class="bar"[^>]* width="[0-9.]*/)) { w = substr(s, RSTART, RLENGTH); sub(/.*="/, "", w)
			if (w + 0 > most) most = w + 0; s = substr(s, RSTART + RLENGTH) }
		if (most < 109.9) print n, most }' "$HTML")" "charts whose longest bar is short"
	is 644 "$(stat -c %a "$HTML")" "mode of the file"
	is "$HTML" "$(ls "$HTML"*)" "files beside it"
fi

if group "some modes, as a table"; then
	compare none host
	is "host none" "$(head -n 1 <<<"$OUT" | xargs)" "columns"
	like 'An address of its own  *no  *no' "$OUT" "row"
	like 'taskvpc compare --why' "$OUT" "where there is more"
	is "" "$(grep -P '[^\x00-\x7f]' <<<"$OUT")" "ASCII in an ASCII locale"
	t "as wide as the terminal"
	COLUMNS=80 compare
	is "" "$(grep '^.\{81\}' <<<"$OUT")" "lines over 80 columns"
	is "awsvpc, veth awsvpc, macvlan|bridge host none" \
		"$(grep -E '^ {20}' <<<"$OUT" | xargs -L 1 echo | grep . | paste -sd '|')" "blocks"
	is 2 "$(grep -c 'Blocks passive sniffing' <<<"$OUT")" "each has all questions"
	compare none host bridge
	is 1 "$(grep -c 'Blocks passive sniffing' <<<"$OUT")" "a pipe has no width"
	compare --why none
	like $'Blocks passive sniffing\n[^\n]*\n  none  *not tried: a has no interface' "$OUT" "reasons"
	is 29 "$(grep -c '^  none ' <<<"$OUT")" "answers"
	t "a link stays one, a file is replaced"
	echo old >"$TMP/real.html"
	ln -s real.html "$TMP/link.html"
	compare --html "$TMP/link.html" none
	is real.html "$(readlink "$TMP/link.html")" "link"
	like '^<!DOCTYPE html>' "$(<"$TMP/real.html")" "file"
	t "progress on a terminal, and none elsewhere"
	if command -v script >/dev/null; then
		like '100|9[0-9]%  none: ' "$(TERM=xterm script -qec "$TASKVPC compare none" /dev/null </dev/null)" "progress"
	else
		skip "needs script"
	fi
	clean
fi

if group "a mode that cannot be attached here"; then
	mount -t tmpfs tmpfs /mnt
	cp "$TASKVPC" "$BIN"/task-* /mnt/
	printf '%s\n' '#!/bin/sh' 'echo "{\"cniVersion\":\"1.1.0\",\"code\":100,\"msg\":\"no <such> kernel\"}"' 'exit 1' >/mnt/awsvpc
	chmod +x /mnt/awsvpc
	TASKVPC=/mnt/taskvpc compare --json --html "$HTML" awsvpc-macvlan host
	echo "$OUT" >"$DOC"
	is "not-tried no" "$(verdicts own-address)" "own-address"
	is "not tried" "$(jq -r '[.questions[].cells["awsvpc-macvlan"].verdict] | unique | join(" ")' "$DOC")" "its cells"
	is "awsvpc: no <such> kernel" "$(jq -r '[.questions[].cells["awsvpc-macvlan"].detail] | unique | join("|")' "$DOC")" "why"
	is "" "$(jq -r '.questions[] | select(.cells.host.verdict == "not tried") | .key' "$DOC")" "not tried in the other mode"
	is "29 0" "$(grep -c 'no &lt;such&gt; kernel' "$HTML") $(grep -c '<such>' "$HTML")" "escaped"
	t "a plugin that fails for another reason than that something is taken"
	# wrap PLUGIN LINE…: these lines of sh, then the plugin itself.
	wrap() {
		printf '%s\n' '#!/bin/sh' "real=$BIN/$1" "${@:2}" 'exec $real' >/mnt/new
		chmod +x /mnt/new
		mv /mnt/new "/mnt/$1"
	}
	wrap task-none 'case $CNI_COMMAND,$CNI_CONTAINERID in ADD,second | ADD,fit-2)' \
		'echo "{\"cniVersion\":\"1.1.0\",\"code\":100,\"msg\":\"broken\"}"; exit 1 ;; esac'
	TASKVPC=/mnt/taskvpc compare --json none
	echo "$OUT" >"$DOC"
	is "not-tried not-tried" "$(verdicts same-port) $(verdicts fit)" "same-port, fit"
	like '^the second could not be attached: .*broken' "$(detail same-port none)" "why"
	like '^2, then: .*broken' "$(detail fit none)" "why"
	t "a frame that cannot be sent is no attack that failed"
	wrap task-bridge '[ "$CNI_COMMAND,$CNI_CONTAINERID" = ADD,a ] || exec $real' 'result=$($real) || exit' \
		'nsenter --net="$CNI_NETNS" nft "table netdev mute { chain c { type filter hook egress device eth0 priority 0' \
		'meta protocol arp drop; }; }" >/dev/null 2>&1' 'echo "$result"; exit'
	TASKVPC=/mnt/taskvpc compare --json bridge
	echo "$OUT" >"$DOC"
	is not-tried "$(verdicts spoofed-arp)" "spoofed-arp"
	like '^a cannot send ARP: No buffer space' "$(detail spoofed-arp bridge)" "why"
	umount /mnt
	clean
fi

if group "bad input"; then
	refuses 64 '"nope" is no mode.*there are awsvpc-veth, awsvpc-macvlan, bridge, host, none' compare nope
	refuses 64 'no mode' compare none ''
	refuses 64 'no mode' compare awsvpc
	refuses 64 '/nowhere/r.html: No such file or directory' compare --html /nowhere/r.html none
	refuses 64 'not a regular file' compare --html /dev/null none
	refuses 64 'not a regular file' compare --html "$TMP" none
	refuses 64 '--html' compare --html '' none
	refuses 64 '--html: a value is missing' compare --html
	refuses 64 'too long' compare --html "/$(printf 'x%.0s' {1..5000})" none
	if [ ! -e /opt/cni/bin/awsvpc ]; then
		t "plugins that are not there, or not in a lab"
		mkdir "$TMP/alone"
		cp "$TASKVPC" "$TMP/alone/"
		TASKVPC=$TMP/alone/taskvpc refuses 66 'no plugin "awsvpc".*make install' compare none
		cp "$BIN"/* "$TMP/alone/" 2>/dev/null
		TASKVPC=$TMP/alone/taskvpc refuses 66 'lab of the mode none.*a /run of its own' compare none
	fi
	setpriv --reuid 65534 --clear-groups "$TASKVPC" compare >"$TMP/out" 2>&1
	is 77 $? "without root: rc"
	like 'needs root' "$(<"$TMP/out")" "without root"
	clean
fi

if group "killed"; then
	t "the labs end with it"
	"$TASKVPC" compare --html "$TMP/killed.html" none bridge >/dev/null 2>&1 &
	pid=$!
	labs() { [ "$(pgrep -c -P "$pid")" = 2 ]; }
	until_true labs
	mapfile -t processes < <(pgrep -P "$pid")
	is 2 "${#processes[@]}" "labs"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	ended() { ! kill -0 "${processes[@]}" 2>/dev/null; }
	until_true ended
	runs "all have ended" ended
	fails "no report" test -e "$TMP/killed.html"
	clean
fi

if group "completion"; then
	# shellcheck source=cli/taskvpc.bash
	. "$ROOT/cli/taskvpc.bash"
	PATH=$BIN:$PATH COMP_WORDS=(taskvpc compare '') COMP_CWORD=2
	_taskvpc
	is "$MODES" "${COMPREPLY[*]}" "modes"
fi

finish
