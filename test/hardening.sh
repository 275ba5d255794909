#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The plugins are hardened, judged by what is in the files: position independent; relocations read-only
# before main() (full RELRO); nothing both writable and executable, stack included; no library
# path of their own; our functions guard their stack and call the checked forms of libc's functions.
# Linked dynamically or statically is all the same. First the judge is judged, by programs that lack
# one thing each.
#
#   test/hardening.sh [FILE…]     default: all of BIN. What is stripped needs its twin in BIN.
#   BIN=DIR                       unstripped plugins (default build/bin), the library beside it

set -u -o pipefail
export LC_ALL=C
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BIN=$(realpath -m "${BIN:-$ROOT/build/bin}")
# shellcheck source=test/checks.sh
. "$ROOT/test/checks.sh"
TMP=$(mktemp -d)
cleanup() { rm -rf "$TMP"; }
need readelf objdump gcc-nm

# lacks FILE: what FILE lacks by its headers, a word each.
lacks() {
	readelf -hldW "$1" >"$TMP/elf" 2>&1 || { echo unreadable && return; }
	grep -Eq '^ *Type: +DYN' "$TMP/elf" && grep -Eq 'FLAGS_1.* PIE' "$TMP/elf" || echo pie
	grep -q '^  GNU_RELRO ' "$TMP/elf" && grep -Eq 'FLAGS.*(BIND_NOW| NOW)' "$TMP/elf" || echo relro
	grep -Eq '^  GNU_STACK .* RW  ' "$TMP/elf" || echo stack
	! grep -Eq '^  [A-Z_]+ .* RWE ' "$TMP/elf" || echo w^x
	! grep -q '(TEXTREL)' "$TMP/elf" || echo text
	! grep -Eq '\((RPATH|RUNPATH)\)' "$TMP/elf" || echo path
}

# lacks_calls FILE OURS: the same by its code. OURS lists the names of our functions: a static libc
# guards itself, which says nothing about us.
lacks_calls() {
	calls_of "$1" "$2" >"$TMP/calls"
	grep -q '^__stack_chk_fail$' "$TMP/calls" || echo guard
	grep -Eq '^_{2,3}[a-z]+_chk$' "$TMP/calls" || echo fortify
}

# calls_of FILE OURS: the functions that ours call, by its disassembly.
calls_of() {
	objdump -d --no-show-raw-insn "$1" | awk '
		FNR == NR { ours[$1]; next }
		/^[0-9a-f]+ <.*>:$/ { gsub(/[<>:]/, "", $2); sub(/\..*/, "", $2); own = $2 in ours; next }
		own && /call|bl / && match($0, /<[^@+>]+/) { print substr($0, RSTART + 1, RLENGTH - 1) }
	' "$2" - | sort -u
}

build_id() { readelf -n "$1" 2>/dev/null | sed -n 's/.*Build ID: //p'; }
stripped() { ! readelf -SW "$1" | grep -q ' \.symtab '; }

# twin FILE: the unstripped file of the same build, itself if it is one.
twin() {
	local file id
	stripped "$1" || { echo "$1" && return; }
	id=$(build_id "$1")
	for file in "$BIN"/*; do
		[ -z "$id" ] || [ "$(build_id "$file")" != "$id" ] || { echo "$file" && return; }
	done
	return 1
}

# sample NAME FLAG…: a program that is hardened but for FLAG.
sample() {
	local name=$1
	shift
	gcc -O2 -w -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -pie -Wl,-z,relro -Wl,-z,now "$@" \
		-o "$TMP/$name" "$TMP/sample.c"
}

cat >"$TMP/sample.c" <<'END'
#include <stdio.h>
__attribute__((noinline)) int ours(const char *text)
{
	char line[64];
	return snprintf(line, sizeof(line), "%s %p", text, text) + puts(line);
}
int main(int n, char **v) { return ours(v[n - 1]); }
END
echo ours >"$TMP/ours"
while read -r want flags; do
	t "a program with ${flags:-all of it} lacks ${want/-/nothing}"
	# shellcheck disable=SC2086 # words
	sample program $flags || { fail "gcc" && continue; }
	is "${want/-/}" "$({ lacks "$TMP/program" && lacks_calls "$TMP/program" "$TMP/ours"; } | paste -sd,)" lacks
done <<'END'
-
- -static-pie
pie -no-pie -fno-pie
pie,relro -static -no-pie -fno-pie -Wl,-z,lazy
relro -Wl,-z,lazy
relro -Wl,-z,norelro
stack,w^x -Wl,-z,execstack
path -Wl,-rpath,/opt/lib
guard -fno-stack-protector
guard -static-pie -fno-stack-protector
fortify -U_FORTIFY_SOURCE
fortify -static-pie -U_FORTIFY_SOURCE
END

[ -d "$BIN" ] || { fail "no $BIN: run make first" && finish; }
gcc-nm --defined-only "$BIN/../libtaskvpc.a" 2>/dev/null | awk '$2 ~ /^[tT]$/ { print $3 }' | sort -u >"$TMP/ours"
[ $# -gt 0 ] || set -- "$BIN"/*
for file; do
	t "${file##*/}"
	is "" "$(lacks "$file" | paste -sd,)" lacks
	whole=$(twin "$file") || { fail "stripped, and nothing in $BIN has its build id" && continue; }
	is "" "$(lacks_calls "$whole" "$TMP/ours" | paste -sd,)" "its code lacks"
done
finish
