#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# All of test/cni/crash.sh and test/cni/faults.sh: each system call of each verb in each mode, killed and
# refused. Most of that is waiting for the kernel, so there are several at once, each with its share.
#
#   test/enumerate.sh [crash|faults]    one of the two
#   JOBS=N         at once (four a processor)
#   MODES=REGEX    only these
set -u -o pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
JOBS=${JOBS:-$(($(nproc) * 4))}
export TEST_TIMEOUT=20000 SLOW=1 ONLY=syscalls
OUT=$(mktemp -d)
trap 'rm -rf "$OUT"' EXIT
export ROOT OUT

# job SCRIPT I/N: one share of a script.
job() { SHARD=$2 "$ROOT/test/cni/$1.sh" >"$OUT/$1.${2%/*}" 2>&1 || echo "$1 $2" >>"$OUT/failed"; }
export -f job

# enumerate SCRIPT: all shares of it, each of the whole of the modes, so that all take equally long.
enumerate() {
	local began=$SECONDS
	seq 0 $((JOBS - 1)) | xargs -P "$JOBS" -I{} bash -c "job $1 {}/$JOBS"
	grep -h -e ^FAIL -e ^skip "$OUT/$1".*
	awk -v script="$1" -v took=$((SECONDS - began)) '
		/ (killed at|errors in) / { done += $1; how = $2; all += $4 }
		/ passed, / { passed += $2; failed += $4 }
		END { printf "%s.sh: %d %s of %d, in %d s: %d passed, %d failed\n", script, done, how, all, took, passed, failed }
	' "$OUT/$1".*
}
for script in ${1:-crash faults}; do enumerate "$script"; done
[ ! -e "$OUT/failed" ]
