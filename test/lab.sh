#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lessons of docs/lab are true: each is followed from top to bottom, in a host of its own, and
# what every command prints must be what the lesson says it prints.
#
#   sudo test/lab.sh [LESSON.md…]     BIN=DIR: the plugins and taskvpc (default build/bin)
#                                     SHOW=1: print each command and what it printed
#
# What is run are the blocks that begin with ```console, in one shell, so that variables, directories
# and a shell within the shell stay. In a block
#
#   # COMMAND or $ COMMAND    is typed; the prompt of a block is that of its first line, so that a block
#                             with $ may show output that begins with #
#   > MORE                    directly below it continues it, as the shell's second prompt does
#   everything else           is what the command prints, stdout and stderr, up to the next command
#
# and in what it prints
#
#   …                         matches anything within a line
#   a line of … alone         matches any number of lines, none too
#   blanks                    any run of them is as good as any other; at the ends of a line they are nothing
#
# A reader is slower than a server, the test is not: behind a command that starts one in the background
# (`run -d` with $server or nc, or a command that ends in &), it waits until one more socket listens. Commands that read their stdin need one: here it
# is where the next command comes from.

HARNESS_ONLY=1
# shellcheck source=test/lib.sh
. "$(dirname "$0")/lib.sh"

LESSONS=$ROOT/docs/lab
PROMPT_END='[lab: this command has ended with'
export PATH=$BIN:$PATH
[ -x "$BIN/taskvpc" ] || { fail "no $BIN/taskvpc: run make first"; finish; }
# Networks of this machine are none of our business.
mount -t tmpfs tmpfs /etc/cni 2>/dev/null

# ---- comparing ----

# tidy: blanks of stdin, as above.
tidy() { sed -E 's/[[:blank:]]+/ /g; s/^ //; s/ $//'; }

# pattern LINE: the regular expression that a line of a lesson stands for, in PATTERN.
pattern() {
	local text=$1 c i
	if [ "$text" = … ]; then
		PATTERN=$'([^\n]*\n)*'
		return
	fi
	PATTERN=
	text=${text//…/$'\x01'}
	for ((i = 0; i < ${#text}; i++)); do
		c=${text:i:1}
		case $c in
		$'\x01') PATTERN+=$'[^\n]*' ;;
		[][\\.^\$*+?\(\)\{\}\|]) PATTERN+=\\$c ;;
		*) PATTERN+=$c ;;
		esac
	done
	PATTERN+=$'\n'
}

# matches EXPECTED SEEN: both tidy, each line ended.
matches() {
	local line whole=
	while IFS= read -r line; do
		pattern "$line"
		whole+=$PATTERN
	done < <(printf %s "$1")
	[[ $2 =~ ^${whole}$ ]]
}

# difference EXPECTED SEEN: as diff -u shows it; lines that match are shown as the lesson has them.
difference() {
	local line want
	local -a wanted=()
	mapfile -t wanted < <(printf %s "$1")
	while IFS= read -r line; do
		for want in "${wanted[@]}"; do
			pattern "$want"
			if [ "$want" != … ] && [[ $line$'\n' =~ ^$PATTERN$ ]]; then
				line=$want
				break
			fi
		done
		printf '%s\n' "$line"
	done < <(printf %s "$2") | diff -u --label lesson --label seen <(printf %s "$1") - | tail -n +4
}

# ---- the shell that the lesson is typed into ----

start_shell() {
	rm -f "$TMP/typed" "$TMP/printed"
	mkfifo "$TMP/typed" "$TMP/printed"
	# Bars are drawn with block characters where the locale has them; the lessons show these.
	LC_ALL=C.UTF-8 bash --norc <"$TMP/typed" >"$TMP/printed" 2>&1 &
	SHELL_PID=$!
	exec {TO}>"$TMP/typed" {FROM}<"$TMP/printed"
}
stop_shell() {
	exec {TO}>&- {FROM}<&-
	wait "$SHELL_PID" 2>/dev/null
	return 0
}

# type_in COMMAND: what it prints in SEEN, what it ends with in STATUS. The prompt that we put behind it
# hands $? on, as the reader's would. False: it did not end within 20 seconds.
type_in() {
	local line
	SEEN=
	printf '%s\n%s\n' "$1" "(s=\$?; echo '$PROMPT_END' \$s]; exit \$s)" >&"$TO"
	while IFS= read -r -t 20 -u "$FROM" line; do
		case $line in
		*"$PROMPT_END"*)
			SEEN+=${line%%"$PROMPT_END"*}
			STATUS=${line##*"$PROMPT_END" }
			STATUS=${STATUS%]}
			return 0
			;;
		esac
		SEEN+=$line$'\n'
	done
	return 1
}

# listening: how many sockets listen, for connections, for packets (tcpdump) or for news of the kernel (nft
# monitor), in all namespaces that the shell's host has processes in.
LISTENING='cat /proc/[0-9]*/net/{tcp,tcp6,packet,netlink} 2>/dev/null |
	awk '\''$4 == "0A" || $2 == 12 && $4 ~ /^[0-9a-f]*[1-9a-f][0-9a-f]*$/ { print $10 } $4 == "0003" { print $NF }'\'' |
	sort -u | wc -l'
listening() {
	type_in "(s=\$?; $LISTENING; exit \$s)"
	echo "$SEEN"
}

# more_listen NUMBER: more than that?
more_listen() { [ "$(listening)" -gt "$1" ]; }

# ---- a lesson ----

# step LINE COMMAND EXPECTED: type it and judge.
step() {
	local at=$LESSON:$1 command=$2 expected before=''
	expected=$(tidy <<<"${3%$'\n'}")$'\n'
	[ -n "$3" ] || expected=
	if [[ $command =~ \ -d\ .*(\$server|\ nc\ )|\&$ ]]; then before=$(listening); fi
	if ! type_in "$command"; then
		fail "$at: \`$command\` did not end; so far: $SEEN"
		return 1
	fi
	[ -z "${SHOW:-}" ] || printf '# %s\n%s' "$command" "$SEEN"
	[ -z "$SEEN" ] || SEEN=$(tidy <<<"${SEEN%$'\n'}")$'\n'
	if ! matches "$expected" "$SEEN"; then
		fail "$at: \`$command\` prints something else (- lesson, + seen):"
		difference "$expected" "$SEEN"
		return 1
	fi
	pass
	if [ -n "$before" ] && [ "$STATUS" = 0 ]; then until_true more_listen "$before"; fi
	return 0
}

# steps FILE: its commands, each as three strings that end in NUL: line number, command, output.
steps() {
	awk '
		function flush() { if (command != "") printf "%d%c%s%c%s%c", at, 0, command, 0, output, 0; command = output = "" }
		/^```/ && inside { flush(); inside = 0; next }
		/^```console$/ { inside = 1; prompt = ""; next }
		!inside { next }
		prompt == "" { prompt = substr($0, 1, 2)
			if (prompt != "# " && prompt != "$ ") { printf "%s:%d: a block begins with a command\n", FILENAME, FNR >"/dev/stderr"; exit 1 } }
		substr($0, 1, 2) == prompt { flush(); at = FNR; command = substr($0, 3); next }
		output == "" && /^> / { command = command "\n" substr($0, 3); next }
		output == "" && /^>$/ { command = command "\n"; next }
		{ output = output $0 "\n" }
		END { if (inside) { print FILENAME ": a block has no end" >"/dev/stderr"; exit 1 } }' "$1"
}

# follow FILE: do what it says; the first difference ends it, what follows would only be its echo.
follow() {
	local line command output n=0
	LESSON=${1##*/}
	steps "$1" >"$TMP/steps" || { fail "$LESSON: cannot be read"; return; }
	start_shell
	while IFS= read -r -d '' line && IFS= read -r -d '' command && IFS= read -r -d '' output; do
		n=$((n + 1))
		step "$line" "$command" "$output" || break
	done <"$TMP/steps"
	stop_shell
	[ "$n" -gt 0 ] || fail "$LESSON: has no commands"
}

# ---- the runner itself: a lesson that is wrong must fail ----

t "the runner"
cat >"$TMP/lesson.md" <<'END'
```console
# printf 'a  b\nc\nd\n'; false
a b
…
# echo $?
1
# echo "0x1f (now)" >&2
0x… (now)
# cat <<EOF
> one
>
> two
> EOF
one

two
# bash
# printf 'no newline'; x=1
no newline
# exit
# echo "x=$x"
x=
# (sleep 0.3; exec busybox nc -ll -p 7007 -e echo hello) &
# busybox nc 127.0.0.1 7007 </dev/null
hello
# kill $!
```
    not this
```console
$ echo '# a comment'
# a comment
```
END
follow "$TMP/lesson.md"
# wrong COMMAND EXPECTED: must be found to differ.
wrong() {
	local seen
	printf '```console\n# %s\n%s\n```\n' "$1" "$2" >"$TMP/lesson.md"
	seen=$(follow "$TMP/lesson.md")
	like 'prints something else|cannot be read' "$seen" "a lesson in which '$1' prints '$2'"
}
wrong 'echo a.c' 'abc'
wrong 'echo abc' 'a.c'
wrong 'echo a' $'a\nb'
wrong 'printf "a\nb\n"' 'a'
wrong 'printf "a\nb\n"' 'a…'
wrong true 'a'
wrong 'echo a' $'…\nb'

# ---- the lessons ----

baseline
[ $# -gt 0 ] || set -- "$LESSONS"/[0-9]*.md
for lesson; do
	t "${lesson##*/}"
	for part in '^# Lesson [0-9]' '^## You will learn' '^## You need' '^<details>' '^## In Amazon ECS' '^## Clean up'; do
		grep -q "$part" "$lesson" || fail "a lesson has a part like /$part/"
	done
	follow "$lesson"
	clean
done

finish
