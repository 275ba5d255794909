#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make coverage` has counted: lines and branches of each layer, as a table; of each file and line in
# BUILD/coverage. A branch is one way out of a condition, so `if (a && b)` has four.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/cov}
OUT=$BUILD/coverage
rm -rf "$OUT"
mkdir -p "$OUT"
gcovr --root . --object-directory "$BUILD/obj" --filter '(lib|plugins|cli)/' --exclude-unreachable-branches \
	--json-summary "$OUT/summary.json" --html-details "$OUT/index.html" --txt "$OUT/lines.txt" "$BUILD/obj" >"$OUT/log" 2>&1 ||
	{ cat "$OUT/log" && exit 1; }
jq -r '
	def share($covered; $total): if $total == 0 then "-" else "\(100 * $covered / $total * 10 | floor / 10) %" end;
	def row($name): [$name, length, (map(.line_total) | add), share(map(.line_covered) | add; map(.line_total) | add),
		(map(.branch_total) | add), share(map(.branch_covered) | add; map(.branch_total) | add)];
	(["layer", "files", "lines", "covered", "branches", "covered"],
	 (.files | group_by(.filename | split("/") | if .[0] == "lib" then .[0:2] else .[0:1] end | join("/"))[]
	  | row(.[0].filename | split("/") | if .[0] == "lib" then .[0:2] else .[0:1] end | join("/"))),
	 (.files | row("all"))) | @tsv' "$OUT/summary.json" | column -t -s $'\t' -R 2,3,4,5,6 | tee "$OUT/layers.txt"
echo "each line: $OUT/index.html"
