#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs fuzz targets side by side, one a processor, from the corpus in the tree and what earlier runs found
# (build/fuzz/found). An input that fails is kept in build/fuzz/failed and named.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
SECONDS_EACH=${FUZZ_SECONDS:-60}
mkdir -p "$BUILD/fuzz/found" "$BUILD/fuzz/failed"

one() {
	local found=$BUILD/fuzz/found/$1 log=$BUILD/fuzz/$1.log
	mkdir -p "$found"
	if timeout -k 5 "$((SECONDS_EACH * 3 + 60))" "$BUILD/fuzz/$1" -max_total_time="$SECONDS_EACH" -max_len=8192 -timeout=10 \
		-artifact_prefix="$BUILD/fuzz/failed/$1-" "$found" "test/fuzz/corpus/$1" >"$log" 2>&1; then
		echo "ok: $1: $(grep -o 'Done [0-9]* runs' "$log"), $(grep -o 'cov: [0-9]*' "$log" | tail -1)"
	else
		echo "FAIL: $1: $(grep -E 'SUMMARY|not so:|Test unit written' "$log" | tr '\n' ' ')"
	fi
}
export -f one
export BUILD SECONDS_EACH

out=$(printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'one {}')
echo "$out"
failed=$(grep -c ^FAIL <<<"$out" || true)
echo "fuzz: $(($# - failed)) passed, $failed failed"
[ "$failed" = 0 ]
