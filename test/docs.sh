#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The documents say what the code says:
#   - the configuration reference in README.md is what `awsvpc --fields` prints, with the modes of
#     `task-bridge --fields` in between; task-host and task-none have no keys of their own;
#   - the plan in README.md is test/golden/veth-ipv4.plan, without the table that comes first;
#   - the table of error codes has the codes of include/base/err.h, no more and no less;
#   - the sizes among the limits of README.md are those of the headers;
#   - `make help` has every target of the Makefile that is explained;
#   - each example has a row in netconf-examples/README.md, and each row a file; none has a name or a block
#     that a runtime reserves;
#   - files that a document names exist, and so do the files and headings that its links lead to;
#   - each answer in docs/trust.md names a case that a test has, and of the 39 complaints each has an answer.
#
#   test/docs.sh            compare, say what differs, exit 1 if anything does
#   test/docs.sh --write    put the reference and the plan into README.md

set -euo pipefail
export LC_ALL=C.UTF-8

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BIN=$(realpath -m "${BIN:-$ROOT/build/bin}")
cd "$ROOT"
FAILED=0

wrong() {
	printf 'FAIL: docs.sh: %s\n' "$*"
	FAILED=1
}

for plugin in awsvpc task-bridge task-host task-none; do
	[ -x "$BIN/$plugin" ] || { wrong "no $BIN/$plugin: run make first"; exit 1; }
done
new=$(mktemp) part=$(mktemp)
trap 'rm -f "$new" "$part"' EXIT

# between NAME: stdin with what stands between the markers of NAME replaced by the file $part.
between() { sed -e "/^<!-- $1:begin -->\$/,/^<!-- $1:end -->\$/{//!d}" -e "/^<!-- $1:begin -->\$/r $part"; }

# modes PLUGIN: its tables of modes; all the other tables are the same for every plugin.
modes() { "$BIN/$1" --fields | awk '/^### / { on = /^### Mode / } on'; }
fields() {
	echo
	"$BIN/awsvpc" --fields | sed '/^### `ipam`$/,$d'
	modes task-bridge
	modes task-host
	modes task-none
	"$BIN/awsvpc" --fields | sed -n '/^### `ipam`$/,$p'
}
plan() {
	echo '```sh'
	sed -n '/^EOF$/,/to detach$/{/^EOF$/d;/to detach$/d;p}' test/golden/veth-ipv4.plan
	echo '```'
}
cp README.md "$new"
for name in fields plan; do
	"$name" >"$part"
	between "$name" <"$new" >"$new.2"
	mv "$new.2" "$new"
done

if [ "${1:-}" = --write ]; then
	cmp -s "$new" README.md || cat "$new" >README.md
	exit 0
fi

if ! seen=$(diff README.md "$new"); then
	wrong "README.md is not what --fields and the golden plan say; run test/docs.sh --write:"$'\n'"$seen"
fi

codes_of_header() { sed -n 's/^\tERR_[A-Z_]* = \([0-9]*\),.*/\1/p' include/base/err.h | sort -n; }
codes_of_readme() { sed -n 's/^| \([0-9]\{1,3\}\) | .*/\1/p' README.md | sort -n; }
if ! seen=$(diff <(codes_of_header) <(codes_of_readme)); then
	wrong "error codes: include/base/err.h (<) and README.md (>) differ: ${seen//$'\n'/ }"
fi

# The sizes that the README names are those of the headers.
size() { sed -n "s/^#define $1 *\([0-9]*\).*/\1/p" include/*/*.h; }
sizes="$(size STORE_ADDRESSES) sets of ranges, $(size POOL_RANGES) ranges a set, $(size POOL_EXCLUDES) \`exclude\` entries a range,"
sizes+=" $(size ATTACHMENT_ROUTES) routes, $(size ATTACHMENT_CIDRS) blocks of \`vpc.cidr\`, $(size STORE_NAME_MAX) bytes for the name"
tr '\n' ' ' <README.md | tr -s ' ' | grep -qF -- "$sizes" || wrong "README.md: the limits are: $sizes"

targets() { sed -n 's/^\([^ #:]*\):.* ## .*/\1/p' Makefile; }
helped() { env -u MAKEFLAGS -u MAKELEVEL make -s help | awk '{ print $2 }'; }
if ! seen=$(diff <(targets) <(helped)); then
	wrong "the Makefile (<) and make help (>) differ: ${seen//$'\n'/ }"
fi

examples() { (cd netconf-examples && printf '%s\n' *.conflist) | sed 's/\.conflist$//' | sort; }
rows() { sed -n 's/^| `\([a-z-]*\)` | .*/\1/p' netconf-examples/README.md | sort; }
if ! seen=$(diff <(examples) <(rows)); then
	wrong "netconf-examples: files (<) and rows of its README (>) differ: ${seen//$'\n'/ }"
fi

# No example has a name, or lies in a block, that a runtime reserves.
for file in netconf-examples/*.conflist; do
	if jq -e '.name | IN("bridge", "host", "none", "podman", "default", "cbr0")' "$file" >/dev/null; then
		wrong "$file: the name of its network is one that a runtime reserves"
	fi
	if grep -qE '"(10\.(8[89]|4)\.|172\.(1[6-9]|2[0-9]|3[01])\.|192\.168\.|10\.244\.|10\.96\.)' "$file"; then
		wrong "$file: a subnet of it lies in a block that podman, docker, nerdctl or Kubernetes take"
	fi
done
if seen=$(grep -nE -- '--network[= ](bridge|host|none|podman|default)\b.* IMAGE' README.md docs/*.md netconf-examples/README.md); then
	wrong "a document uses a network that a runtime reserves: $seen"
fi

DOCUMENTS=(README.md CONTRIBUTING.md docs/*.md docs/lab/*.md netconf-examples/README.md)
# Names and patterns with a folder of ours in front, in backquotes or as the target of a link.
while IFS=: read -r document name; do
	compgen -G "$name" >/dev/null || compgen -G "$(dirname "$document")/$name" >/dev/null || [ -e "test/$name" ] ||
		wrong "$document names $name, which does not exist"
done < <(grep -oE '[`(](test|lib|include|plugins|cli|man|docs|netconf-examples)/[A-Za-z0-9_./*-]*[A-Za-z0-9_]' \
	"${DOCUMENTS[@]}" | sed 's/:[`(]/:/' | sort -u)

# headings FILE: as links name them.
headings() { sed -nE 's/^#+ //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'; }
while IFS=: read -r document link; do
	file=$(dirname "$document")/${link%%#*}
	[ -n "${link%%#*}" ] || file=$document
	if [ ! -e "$file" ]; then
		wrong "$document has a link to $link, which does not exist"
	elif [[ $link == *#* ]] && ! headings "$file" | grep -qxF -- "${link#*#}"; then
		wrong "$document has a link to $link, which has no such heading"
	fi
done < <(grep -oE '\]\([^)]+\)' "${DOCUMENTS[@]}" | sed -E 's/\]\((.*)\)/\1/' | grep -vE ':(https?|mailto):' | sort -u)

# docs/trust.md: each row names a script and the words of a case in it.
while IFS='|' read -r script words; do
	grep -qF -- "$words" "test/$script" || wrong "docs/trust.md: test/$script has no case '$words'"
done < <(sed -nE 's/^\|.*\| `([a-z0-9_/.]+)`: (.*) \|$/\1|\2/p' docs/trust.md)

# And the complaints bear numbers, of which none is left out.
complaints() { sed -nE 's/^\| ([0-9][0-9, ]*) .*\| `[a-z0-9_/.]+`: .* \|$/\1/p' docs/trust.md | tr -s ', ' '\n' | sort -nu; }
if ! seen=$(diff <(seq 39) <(complaints)); then
	wrong "docs/trust.md: complaints 1 to 39 (<) and its rows (>) differ: ${seen//$'\n'/ }"
fi

[ "$FAILED" = 0 ] && echo "docs.sh: the documents say what the code says"
exit "$FAILED"
