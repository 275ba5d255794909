# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How test scripts count and tell: `t NAME` before each case, then checks that say what was expected
# and what was seen, and `finish` as the last line. A script that ends without `finish` has failed.
# Needs no root and changes nothing; test/lib.sh adds the namespaces and the plugins.
#
#   ONLY=REGEX     run only the groups of a script (see `group`) whose name matches

PASSED=0
FAILED=0
SKIPPED=0
FINISHED=
CASE=start

t() { CASE=$*; }

pass() { PASSED=$((PASSED + 1)); }

fail() {
	FAILED=$((FAILED + 1))
	printf 'FAIL: %s: %s: %s\n' "${0##*/}" "$CASE" "$*"
}

skip() {
	SKIPPED=$((SKIPPED + 1))
	printf 'skip: %s: %s: %s\n' "${0##*/}" "$CASE" "$*"
}

# group NAME: start of a group of cases; false if ONLY excludes it. `if group x; then …; fi`
group() { t "$1"; [[ $1 =~ ${ONLY:-.} ]]; }

# is EXPECTED SEEN [WHAT]
is() {
	if [ "$1" = "$2" ]; then pass; else fail "${3:-value}: expected '$1', seen '$2'"; fi
}

isnt() {
	if [ "$1" != "$2" ]; then pass; else fail "${3:-value}: expected anything but '$1'"; fi
}

# like REGEX SEEN [WHAT]: case-insensitive extended regular expression
like() {
	shopt -s nocasematch
	if [[ $2 =~ $1 ]]; then pass; else fail "${3:-text}: expected /$1/, seen '$2'"; fi
	shopt -u nocasematch
}

unlike() {
	shopt -s nocasematch
	if [[ $2 =~ $1 ]]; then fail "${3:-text}: expected nothing like /$1/, seen '$2'"; else pass; fi
	shopt -u nocasematch
}

# within LIMIT SEEN WHAT: numbers, SEEN <= LIMIT
within() {
	if [ "$2" -le "$1" ]; then pass; else fail "$3: expected at most $1, seen $2"; fi
}

# runs WHAT COMMAND…: the command must succeed. fails WHAT COMMAND…: it must not.
runs() {
	local what=$1 seen
	shift
	if seen=$("$@" 2>&1); then pass; else fail "$what: expected '$*' to succeed, seen: $seen"; fi
}
fails() {
	local what=$1
	shift
	if ! "$@" >/dev/null 2>&1; then pass; else fail "$what: expected '$*' to fail, it succeeded"; fi
}

finish() {
	FINISHED=1
	[ "$((PASSED + FAILED))" -gt 0 ] || [ "$SKIPPED" -gt 0 ] || fail "no check was made"
	local closing="${0##*/}: $PASSED passed, $FAILED failed"
	[ "$SKIPPED" = 0 ] || closing+=", $SKIPPED skipped"
	echo "$closing"
	[ "$FAILED" = 0 ]
	exit
}

on_exit() {
	! declare -F cleanup >/dev/null || cleanup
	[ -n "$FINISHED" ] || { echo "FAIL: ${0##*/}: ended early in case: $CASE"; exit 1; }
}
trap on_exit EXIT

# need COMMAND…: end the whole script with a skip if one is missing.
need() {
	local command
	for command; do
		command -v "$command" >/dev/null && continue
		skip "needs $command"
		finish
	done
}
