#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Are the tests worth their name? Breaks the code in chosen places, one after the other, and runs the tests
# that must notice. The places, and what each would do to a user, are in the file `mutations`. Works in
# copies of the tree, one for each job, in build/mutation. Needs root, as the tests do.
#
#   run.sh [REGEX]    those whose name matches (all); each is caught, or it survived
#   run.sh --stale    only look: does every mutation still have its place in the code? (no root, no build)
#   JOBS=N            at once (one a processor)
#   UNBROKEN=no       do not run the tests on the code as it is first. What fails there proves nothing.
set -u -o pipefail
export LC_ALL=C
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LIST=$ROOT/test/mutation/mutations
COPIES=$ROOT/build/mutation
LIMIT=${LIMIT:-600} # seconds of one test
JOBS=${JOBS:-$(nproc)}

# ---- the list ----

# names: of all mutations, in order.
names() { sed -n 's/^\([a-z0-9-]*\): .*/\1/p' "$LIST"; }
# about NAME: the lines of one: "NAME: what it breaks", its tests, its hunks.
about() { awk -v name="$1:" '$1 == name { on = 1 } /^$/ { on = 0 } on' "$LIST"; }
# says NAME, and tests_of NAME.
says() { about "$1" | sed -n '1s/^[^:]*: //p'; }
tests_of() { about "$1" | sed -n 2p; }

# hunks NAME COMMAND…: run COMMAND FILE OLD NEW for each hunk of a mutation: lines that go and lines that come.
hunks() {
	local file='' old='' new='' line
	local name=$1
	shift
	while IFS= read -r line; do
		if [[ $line != +* && -n $new$old && ( $line != -* || -n $new ) ]]; then
			"$@" "$file" "$old" "$new" || return
			old='' new=''
		fi
		case $line in
		'--- '*) file=${line#--- } ;;
		-*) old+=${line#-}$'\n' ;;
		+*) new+=${line#+}$'\n' ;;
		esac
	done < <(about "$name" | tail -n +3 && echo)
}

# replaced FILE OLD NEW: the file with NEW in the place of the lines OLD, which must stand there once.
replaced() {
	local text
	text=$'\n'$(<"$1") || return
	text+=$'\n'
	local rest=${text//$'\n'"$2"/$'\n'}
	if [ $(((${#text} - ${#rest}) / (${#2}))) != 1 ]; then
		echo "$1 does not have this exactly once: ${2%$'\n'}" >&2
		return 1
	fi
	text=${text/$'\n'"$2"/$'\n'"$3"}
	printf %s "${text#$'\n'}"
}
replace() { replaced "$@" >"$1.new" && cat "$1.new" >"$1" && rm "$1.new"; }
look() { replaced "$ROOT/$1" "$2" "$3" >/dev/null; }
# restore FILE OLD NEW: as it was.
restore() { cat "$ROOT/$1" >"$1"; }

# ---- copies of the tree ----

# built TEST…: make what these tests need.
built() {
	local test
	local -a targets=(all)
	for test; do
		[[ $test == *.sh* ]] || targets+=("build/test/${test##*/}")
	done
	env -u MAKEFLAGS -u MAKELEVEL -u BUILD make -j "$JOBS" "${targets[@]}" >make.log 2>&1
}

# first_failure TEST[:GROUP]: run it; prints the first thing that it says is wrong. Returns its exit code.
first_failure() {
	local path=test/${1%:*} only=. rc
	[[ $1 != *:* ]] || only=${1#*:}
	[[ $path == *.sh ]] || path=build/test/${1##*/}
	env -u BIN ONLY="$only" TEST_TIMEOUT="$LIMIT" timeout -k 5 "$LIMIT" "$path" 2>&1 |
		grep -m 1 -E '^FAIL: |^\[  ERROR   \]|^after [0-9]+ kills: ' | cut -c1-150
	rc=${PIPESTATUS[0]}
	[ "$rc" != 124 ] || echo "no end within $LIMIT s"
	return "$rc"
}

# The next two run in processes of their own, in the copy number $SLOT.

# unbroken TEST: does it pass on the code as it is?
unbroken() {
	local seen
	cd "$COPIES/$SLOT" || exit
	seen=$(first_failure "$1") || echo "FAIL: $1 fails on the code as it is, so it proves nothing: $seen"
}

# mutant NAME: break that place, and run its tests until one fails.
mutant() {
	local name=$1 test seen began=$SECONDS verdict
	local -a tests
	cd "$COPIES/$SLOT" || exit
	read -ra tests <<<"$(tests_of "$name")"
	verdict="FAIL: $name: SURVIVED ${tests[*]}: $(says "$name")"
	if ! seen=$(hunks "$name" replace 2>&1); then
		verdict="FAIL: $name: stale: $seen"
	elif ! built "${tests[@]}"; then
		verdict="FAIL: $name: does not build: $(grep -m 1 -E 'error|undefined' make.log)"
	else
		for test in "${tests[@]}"; do
			seen=$(first_failure "$test") && continue
			verdict="ok: $name: caught by $test in $((SECONDS - began)) s: ${seen#FAIL: }"
			break
		done
	fi
	hunks "$name" restore
	echo "$verdict"
}

# each FUNCTION: for each line of stdin, JOBS at once.
each() { xargs -r -P "$JOBS" --process-slot-var=SLOT -I{} bash -c "$1 {}"; }

# ---- what is asked for ----

if [ "${1:-}" = --stale ]; then
	wrong=0
	for name in $(names); do
		seen=$(hunks "$name" look 2>&1) || { echo "FAIL: mutation $name is stale: $seen" && wrong=1; }
		for test in $(tests_of "$name"); do
			compgen -G "$ROOT/test/${test%:*}" >/dev/null || compgen -G "$ROOT/test/$test.c" >/dev/null ||
				{ echo "FAIL: mutation $name names $test, which does not exist" && wrong=1; }
		done
	done
	[ "$wrong" = 0 ] && echo "mutations: $(names | wc -l) places, all there"
	exit "$wrong"
fi
[ "$(id -u)" = 0 ] || { echo "skip: needs root" && exit; }

export ROOT LIST COPIES LIMIT JOBS
export -f about says tests_of hunks replaced replace restore built first_failure unbroken mutant
mapfile -t chosen < <(names | grep -E -- "${1:-.}")
[ "${#chosen[@]}" -gt 0 ] || { echo "FAIL: no mutation is called ${1:-.}" && exit 1; }
mapfile -t tests < <(for name in "${chosen[@]}"; do tests_of "$name"; done | tr ' ' '\n' | sort -u)

rm -rf "$COPIES"
mkdir -p "$COPIES/0"
tar -c -C "$ROOT" --exclude=./build --exclude=./.git . | tar -x -C "$COPIES/0"
(cd "$COPIES/0" && built "${tests[@]}") || { tail "$COPIES/0/make.log" && exit 1; }
for ((i = 1; i < JOBS; i++)); do cp -a "$COPIES/0" "$COPIES/$i"; done

: >"$COPIES/unbroken"
if [ "${UNBROKEN:-}" != no ]; then
	printf '%s\n' "${tests[@]}" | each unbroken | tee "$COPIES/unbroken"
fi
printf '%s\n' "${chosen[@]}" | each mutant | tee "$COPIES/mutants"
failed=$(cat "$COPIES/unbroken" "$COPIES/mutants" | grep -c ^FAIL)
echo "mutation: $(grep -c ^ok "$COPIES/mutants") passed, $failed failed"
[ "$failed" = 0 ]
