#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Test programs and scripts with all of ours under valgrind's memcheck: reads of what was never written or
# is freed, writes beyond the end, and memory that nobody knows of any more when a process ends. The
# scripts find programs in BIN that start the real ones under valgrind; what it says goes to files, because
# stdout and stderr are judged by the tests. One line of it anywhere is a failure.
#
#   test/valgrind.sh PROGRAM|SCRIPT…
#   BUILD=DIR      of what is tested (default build)
set -eu -o pipefail
cd "$(dirname "$0")/.."
ROOT=$PWD
BUILD=$ROOT/${BUILD:-build}
OWN=$BUILD/valgrind

# Names of inlined functions would take a third of each start. Who calls libnftables is far down its stacks.
OPTIONS=(-q --vgdb=no --read-inline-info=no --num-callers=40 --sim-hints=lax-ioctls "--suppressions=$ROOT/test/valgrind.supp" --error-exitcode=99
	--leak-check=full "--errors-for-leak-kinds=definite,possible")

# under REAL NAME: a program that runs REAL under valgrind.
under() {
	cat >"$OWN/$2" <<-END
		#!/bin/bash
		log=\$(mktemp "$OWN/log/${2##*/}.XXXXXX")
		exec valgrind ${OPTIONS[*]} --log-file="\$log" "$1" "\$@"
	END
	chmod +x "$OWN/$2"
}

rm -rf "$OWN"
mkdir -p "$OWN"/{bin,test,log}
for program in "$BUILD"/bin/*; do under "$program" "bin/${program##*/}"; done
wanted=()
for test; do
	case $test in
	*.sh) wanted+=("$test") ;;
	*) under "$ROOT/$test" "test/${test##*/}" && wanted+=("$OWN/test/${test##*/}") ;;
	esac
done

failed=0
BIN=$OWN/bin TEST_TIMEOUT=1500 SUITE_TIMEOUT=1600 test/suite.sh "${wanted[@]}" || failed=1
# Debian's valgrind does not know fsopen() and pidfd_open(), and says so; lib/kernel/sysctl.c and
# lib/ipam/child.c do without.
find "$OWN/log" -type f -exec sed -i -E '/WARNING: unhandled amd64-linux syscall: (430|434)$/,+4d' {} +
mapfile -t told < <(find "$OWN/log" -type f -size +0)
for log in "${told[@]}"; do
	echo "FAIL: valgrind: ${log#"$ROOT/"}"
	head -n 30 "$log"
	failed=1
done
echo "valgrind: $(find "$OWN/log" -type f | wc -l) processes, ${#told[@]} with a complaint"
exit "$failed"
