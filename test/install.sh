#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# make install and make uninstall, into an empty directory: what comes, what is replaced and how, whose
# loopback stays, and that nothing is left. The installed programs, stripped, are as hardened as the built.

set -u -o pipefail
export LC_ALL=C
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BIN=$ROOT/build/bin
# shellcheck source=test/checks.sh
. "$ROOT/test/checks.sh"
TMP=$(mktemp -d)
cleanup() { rm -rf "$TMP"; }
need make install readelf
DEST=$TMP/dest
PLUGINS=$DEST/opt/cni/bin
COMMAND=$DEST/usr/local/bin/taskvpc

# made TARGET: as a check; what it says is in $TMP/log.
made() {
	if env -u MAKEFLAGS -u MAKELEVEL -u BUILD -u CNI_BIN_DIR -u PREFIX make -C "$ROOT" DESTDIR="$DEST" "$1" \
		>"$TMP/log" 2>&1; then
		pass
	else
		fail "make $1: $(tail -n 3 "$TMP/log")"
	fi
}
# files: all that stand there. programs: those that are run.
files() { (cd "$DEST" && find . ! -type d | sed 's/^\.//' | sort); }
programs() { printf '%s\n' "$PLUGINS"/* "$COMMAND"; }

t "what is built is installed"
made install
{
	printf '/opt/cni/bin/%s\n' awsvpc task-bridge task-host task-none task-ipam loopback
	printf '/usr/local/%s\n' bin/taskvpc share/man/man1/taskvpc.1 share/bash-completion/completions/taskvpc \
		lib/systemd/network/10-taskvpc.network
	echo /usr/lib/NetworkManager/conf.d/10-taskvpc.conf
	(cd "$ROOT" && find README.md LICENSE docs netconf-examples -type f) |
		sed 's|^netconf-||; s|^|/usr/local/share/doc/taskvpc/|'
} | sort >"$TMP/expected"
is "" "$(files | diff "$TMP/expected" - | tr '\n' ' ')" "expected (<) and seen (>) files"
while read -r file; do
	is 755 "$(stat -c %a "$file")" "mode of ${file##*/}"
	is "" "$(readelf -SW "$file" | grep -F ' .symtab ')" "symbols of ${file##*/}"
	is "$("$BIN/${file##*/}" --version)" "$("$file" --version </dev/null)" "version of ${file##*/}"
done < <(programs)

t "the installed programs are hardened"
mapfile -t programs < <(programs)
runs hardening.sh env BIN="$BIN" "$ROOT/test/hardening.sh" "${programs[@]}"

t "a second install replaces each program as a whole"
before=$(files)
mkdir "$TMP/old"
for file in "${programs[@]}"; do ln "$file" "$TMP/old/"; done
made install
is "$before" "$(files)" files
for file in "${programs[@]}"; do
	old=$TMP/old/${file##*/}
	fails "the new ${file##*/} in the old one's place" test "$file" -ef "$old"
	runs "the old ${file##*/} is whole, for who runs it" cmp "$file" "$old"
done

t "uninstall leaves nothing"
made uninstall
is "" "$(files)" files

t "the loopback of others stays, whatever is installed and removed"
printf '#!/bin/sh\necho "CNI loopback plugin"\n' >"$TMP/theirs"
install -D -m 755 "$TMP/theirs" "$PLUGINS/loopback"
made install
like 'kept .*/opt/cni/bin/loopback' "$(<"$TMP/log")" "what it says"
runs "awsvpc is there" test -x "$PLUGINS/awsvpc"
runs "theirs" cmp "$TMP/theirs" "$PLUGINS/loopback"
made uninstall
is "/opt/cni/bin/loopback" "$(files)" files
runs "theirs" cmp "$TMP/theirs" "$PLUGINS/loopback"

finish
