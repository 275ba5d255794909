#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Folders are layers: an include names its layer, and points down or sideways within its own.
# Also: only kernel/ knows libnl and libnftables, only json/ cJSON, only base/ libuuid.
set -u
cd "$(dirname "$0")/.." || exit 1

declare -A below=(
	[base]="base"
	[json]="base json"
	[kernel]="base kernel"
	[store]="base store"
	[task]="base json kernel store task"
	[plan]="base json kernel store task plan"
	[ipam]="base json kernel store task ipam"
	[mode]="base json kernel store task plan ipam mode"
	[cni]="base json kernel store task plan ipam mode cni"
)
wrong=0

complain() {
	echo "layers: $*"
	wrong=$((wrong + 1))
}

for layer in "${!below[@]}"; do
	for file in lib/"$layer"/*.[ch] include/"$layer"/*.h; do
		[ -e "$file" ] || continue
		while read -r seen; do
			[[ " ${below[$layer]} " == *" $seen "* ]] ||
				complain "$file includes \"$seen/…\", which is not below $layer"
		done < <(sed -nE 's|^#include "([a-z]+)/.*|\1|p' "$file")
	done
done

for plugin in plugins/*/; do
	name=$(basename "$plugin")
	while IFS=: read -r file seen; do
		[ "$seen" = "$name" ] || [ -n "${below[$seen]:-}" ] ||
			complain "$file includes \"$seen/…\", another plugin's folder"
	done < <(sed -nE 's|^#include "([a-z]+)/.*|\1|p' "$plugin"*.[ch] 2>/dev/null |
		sed "s|^|$plugin:|")
done

# The command stands above the plugins, and runs them: it includes none of them, and no private header.
while IFS=: read -r file seen; do
	[ -e "include/$seen" ] || complain "$file includes \"$seen\", which is not in include/"
done < <(grep -oE '^#include "[a-z]+/[^"]*' cli/*.[ch] | sed 's|:#include "|:|')

only() { # only HEADER-REGEX LAYER
	local file
	while read -r file; do
		case $file in lib/"$2"/* | include/"$2"/*) ;; *) complain "$file includes <$1>: only $2/ may" ;; esac
	done < <(grep -lE "^#include <($1)" lib/*/*.[ch] include/*/*.h plugins/*/*.[ch] cli/*.[ch] 2>/dev/null)
}
only 'netlink/' kernel
only 'nftables/' kernel
only 'cjson/' json
only 'uuid/' base

[ "$wrong" = 0 ] && echo "layers: every include points down"
exit $((wrong > 0))
