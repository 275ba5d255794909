#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs test programs, JOBS at once (default: one a processor); each in namespaces of its own, so they are not
# in each other's way. What one prints comes in one piece, with its seconds. All of them run, whichever
# fails; the last line names those that did.
#
#   SUITE_TIMEOUT=N   seconds that one may take (1200); scripts have TEST_TIMEOUT of their own (test/lib.sh)
set -u
OUT=$(mktemp -d)
export OUT
trap 'rm -rf "$OUT"' EXIT

one() {
	local log began=$SECONDS rc
	log=$(mktemp "$OUT/log.XXXXXX")
	timeout -k 5 "${SUITE_TIMEOUT:-1200}" "$1" >"$log" 2>&1
	rc=$?
	[ "$rc" = 0 ] || echo "$1" >>"$OUT/failed"
	case $rc in
	124 | 137) echo "FAIL: $1: no end after $((SECONDS - began)) seconds" >>"$log" ;;
	esac
	flock "$OUT" bash -c "echo '== $1 ($((SECONDS - began)) s)'; cat '$log'"
	rm -f "$log"
}
export -f one

printf '%s\n' "$@" | xargs -r -P "${JOBS:-$(nproc)}" -I{} bash -c 'one {}'
[ -e "$OUT/failed" ] || exit 0
echo "failed: $(sort "$OUT/failed" | xargs)"
exit 1
