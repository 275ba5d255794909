#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A host that is not as it should be: a full or read-only disk, damaged files of the store, limits, no /run, no
# /proc, no nftables, tables that change while they are read, nobody at the other end of stdout. Each is an
# error that names what and the remedy and changes nothing; and when the fault is gone, the verbs work.
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"
netns c1 c2
baseline
PLACE=$TMP/place
# In $PLACE is the store; ipMasq, so that there is much to undo.
config() { conf ".ipMasq=true | .ipam.cooldown=0 | .ipam.dataDir=\"$PLACE/store\" | ${1:-.}"; }
CONFIG=$(config)
DATA=$PLACE/store

# place [OPTIONS]: a file system of its own for the store. no_place: away with it.
place() {
	mkdir -p "$PLACE"
	mount -t tmpfs -o "mode=755${1:+,$1}" tmpfs "$PLACE"
}
no_place() {
	until_true no_walker
	umount "$PLACE"
}

# struck CODE REGEX VERB: refused, with a remedy in the details.
struck() {
	refused "$1" "$2" "$3" "$CONFIG"
	isnt "" "$(jq -r '.details // ""' <<<"$OUT" 2>/dev/null)" "remedy of $3: $OUT"
}

# fault CODE REGEX BREAK MEND: with the host broken by the function BREAK, ADD is refused, and DEL of what was
# there before as well; after MEND, both work. "DEL works" as 5th argument: it does all the same.
fault() {
	$3
	struck "$1" "$2" ADD
	$4
	add c1 "$CONFIG"
	verify c1 "$CONFIG"
	$3
	if [ -n "${5:-}" ]; then del c1 "$CONFIG"; else struck "$1" "$2" DEL; fi
	$4
	del c1 "$CONFIG"
	is 0 "$(records)" records
	clean
}

if group "full disk"; then
	fill() { head -c 100M /dev/zero >"$PLACE/filler" 2>/dev/null; }
	free() { rm -f "$PLACE/filler"; }
	# grown: addresses until the store would have to grow on the full disk; then one more, with room again.
	grown() {
		local i
		add c1 "$CONFIG"
		fill
		for ((i = 0; i < 200; i++)); do
			plugin ADD "$CONFIG" CNI_CONTAINERID="n$i"
			[ "$RC" = 0 ] || break
		done
		expect_error 101 'No space left'
		is $((i + 1)) "$(records)" "records"
		free
		works ADD "$CONFIG" CNI_CONTAINERID="n$i"
		works GC "$(jq -c '.["cni.dev/valid-attachments"]=[]' <<<"$CONFIG")"
		is 0 "$(records)" records
	}
	t "a full tmpfs: a store cannot be made there; one that is there releases all the same"
	place size=1m
	fault 101 'state needs .* No space left' fill free "DEL works"
	t "a full tmpfs: a store that cannot grow refuses, and loses nothing"
	CONFIG=$(config '.ipam.ranges=[[{subnet:"10.0.0.0/16"}]] | .attach="macvlan"')
	PLUGIN=$BIN/task-ipam
	CONFIG=$(jq -c '.type="bridge"' <<<"$CONFIG")
	grown
	PLUGIN=$BIN/awsvpc
	CONFIG=$(config)
	no_place

	# On a real disk blocks are given late, and a hole in a mapped file that cannot be filled is a SIGBUS.
	t "a full disk (ext4): a store cannot be made there; one that is there releases all the same"
	truncate -s 2M "$TMP/disk"
	mkdir -p "$PLACE"
	if mkfs.ext4 -q -m 0 -O ^has_journal "$TMP/disk" 2>/dev/null && mount -o loop "$TMP/disk" "$PLACE" 2>/dev/null; then
		fault 101 'No space left' fill free "DEL works"
		t "a full disk (ext4): a store that cannot grow refuses, and loses nothing"
		PLUGIN=$BIN/task-ipam
		CONFIG=$(config '.type="bridge" | .ipam.ranges=[[{subnet:"10.0.0.0/16"}]]')
		grown
		PLUGIN=$BIN/awsvpc
		CONFIG=$(config)
		no_place
	else
		skip "no file system in a file can be mounted here: $(mount -o loop "$TMP/disk" "$PLACE" 2>&1)"
	fi

	t "no inode is left"
	inodes() { for ((n = 0; n < 20; n++)); do : >"$PLACE/filler.$n"; done 2>/dev/null; }
	no_inodes() { rm -f "$PLACE"/filler.*; }
	place nr_inodes=12
	fault 101 'No space left' inodes no_inodes "DEL works"
	no_place
fi

if group "unwritable"; then
	t "a read-only file system"
	place
	read_only() { mount -o remount,ro "$PLACE"; }
	writable() { mount -o remount,rw "$PLACE"; }
	fault 101 'Read-only file system' read_only writable
	no_place
	t "immutable files and an immutable directory"
	place
	mkdir -m 700 "$DATA"
	if chattr +i "$DATA" 2>/dev/null; then
		chattr -i "$DATA"
		immutable() { chattr +i "$DATA" "$DATA"/* 2>/dev/null; }
		mutable() { chattr -i "$DATA" "$DATA"/* 2>/dev/null; }
		fault 101 'Operation not permitted' immutable mutable
	else
		skip "this tmpfs knows no immutable files"
	fi
	t "a directory of another user, one that others may write to, a link, a file"
	mkdir -p "$DATA" && chmod 700 "$DATA"
	foreign() { chown 4711 "$DATA"; }
	own() { chown 0 "$DATA"; }
	fault 101 'place/store belongs to user 4711' foreign own
	open_to_all() { chmod 777 "$DATA"; }
	closed() { chmod 700 "$DATA"; }
	fault 101 'place/store may be written by others' open_to_all closed
	link_to() { mv "$DATA" "$DATA.real" 2>/dev/null; ln -s "$DATA.real" "$DATA"; }
	unlinked() { rm "$DATA"; mv "$DATA.real" "$DATA"; }
	DATA=$PLACE/store fault 101 'place/store.*directory' link_to unlinked
	plain() { mv "$DATA" "$DATA.real"; : >"$DATA"; }
	fault 101 'place/store.*directory' plain unlinked
	t "what should be a file of the store is none"
	for file in lock records index turn; do
		for kind in directory fifo link; do
			# The test itself would wait there; to be locked a fifo is as good as a file.
			[[ "$file $kind" != "records fifo" && "$file $kind" != "turn fifo" ]] || continue
			t "what should be the file $file is a $kind"
			strange() {
				[ -e "$DATA/$file" ] && mv "$DATA/$file" "$DATA/$file.real"
				case $kind in
				directory) mkdir "$DATA/$file" ;;
				fifo) mkfifo "$DATA/$file" ;;
				link) ln -s "$DATA/$file.real" "$DATA/$file" ;;
				esac
			}
			usual() {
				rm -rf "${DATA:?}/$file"
				[ ! -e "$DATA/$file.real" ] || mv "$DATA/$file.real" "$DATA/$file"
			}
			fault 101 "place/store/$file" strange usual
		done
	done
	no_place
fi

if group "no place"; then
	t "no /run: it is made; on a read-only root it is said"
	CONFIG=$(conf '.ipMasq=true | .ipam.cooldown=0')
	ROOTDIR=$TMP/root
	mkdir "$ROOTDIR"
	mount -t tmpfs tmpfs "$ROOTDIR"
	for dir in usr lib lib64 bin proc; do
		mkdir "$ROOTDIR/$dir"
		mount --rbind "$(realpath /$dir)" "$ROOTDIR/$dir"
	done
	mkdir "$ROOTDIR/plugins"
	mount --bind "$BIN" "$ROOTDIR/plugins"
	: >"$ROOTDIR/task"
	mount --bind $NETNS/c1 "$ROOTDIR/task"
	printf '#!/bin/sh\nexec chroot %s /plugins/awsvpc\n' "$ROOTDIR" >"$TMP/chrooted"
	chmod +x "$TMP/chrooted"
	PLUGIN=$TMP/chrooted DATA=$ROOTDIR/run/taskvpc
	mount -o remount,ro "$ROOTDIR"
	refused 101 '/run/taskvpc: Read-only' ADD "$CONFIG" CNI_NETNS=/task
	isnt "" "$(jq -r '.details // ""' <<<"$OUT")" "remedy: $OUT"
	works DEL "$CONFIG" CNI_NETNS=
	mount -o remount,rw "$ROOTDIR"
	works ADD "$CONFIG" CNI_NETNS=/task
	is 1 "$(records)" records
	works DEL "$CONFIG" CNI_NETNS=
	t "no /proc"
	if [ -n "$SAN" ]; then
		skip "the sanitizers need /proc themselves"
	else
		works ADD "$CONFIG" CNI_NETNS=/task
		umount -l "$ROOTDIR/proc"
		refused 101 'boot_id' DEL "$CONFIG" CNI_NETNS=/task
		refused 101 'boot_id' ADD "$CONFIG" CNI_NETNS=/task CNI_CONTAINERID=c2
		isnt "" "$(jq -r '.details // ""' <<<"$OUT")" "remedy: $OUT"
		mount --rbind /proc "$ROOTDIR/proc"
		works DEL "$CONFIG" CNI_NETNS=/task
	fi
	umount -R -l "$ROOTDIR"
	PLUGIN=$BIN/awsvpc
	DATA=$PLACE/store
	clean
fi

if group "damaged files"; then
	# Two tasks stand; whatever is done to what can be made anew, nothing of theirs is lost.
	CONFIG=$(conf '.ipMasq=true | .ipam.cooldown=0')
	DATA=/run/taskvpc
	damage() {
		local size
		size=$(stat -c %s "$DATA/$1")
		case $2 in
		gone) rm "$DATA/$1" ;;
		empty) : >"$DATA/$1" ;;
		short) truncate -s 100 "$DATA/$1" ;;
		halved) truncate -s $((size / 2)) "$DATA/$1" ;;
		longer) truncate -s +4096 "$DATA/$1" ;;
		garbled) dd if=/dev/urandom of="$DATA/$1" bs="$((size + 1))" count=1 conv=notrunc status=none ;;
		zeroed) dd if=/dev/zero of="$DATA/$1" bs="$((size + 1))" count=1 conv=notrunc status=none ;;
		version) printf '\377' | dd of="$DATA/$1" bs=1 seek=8 conv=notrunc status=none ;;
		header) head -c 64 /dev/urandom | dd of="$DATA/$1" bs=1 conv=notrunc status=none ;;
		esac
	}
	for file in index lock turn; do
		for how in gone empty short halved longer garbled zeroed version header; do
			t "$file: $how"
			add c1 "$CONFIG"
			add c2 "$CONFIG"
			damage $file $how
			del c1 "$CONFIG"
			verify c2 "$CONFIG"
			damage $file $how
			add c1 "$CONFIG"
			isnt "$(address c1)" "$(address c2)" "addresses"
			damage $file $how
			works GC "$(jq -c '.["cni.dev/valid-attachments"]=[{containerID: "c2", ifname: "eth0"}]' <<<"$CONFIG")"
			verify c2 "$CONFIG"
			del c2 "$CONFIG"
			clean
		done
	done
	# The records are the truth: one of a file that is none is set aside and told.
	for how in empty short halved garbled zeroed header; do
		t "records: $how: set aside, never trusted, and said so"
		until_true no_walker # or it has an address of the other subnet
		add c1 "$CONFIG"
		cp "$DATA/records" "$TMP/good"
		rm -f "$DATA"/records.broken-*
		damage records $how
		plugin ADD "$CONFIG" CNI_CONTAINERID=c2 CNI_NETNS=$NETNS/c2
		like 'records .*(moved aside as records.broken-[0-9]+|garbled records were dropped)' "$ERR" "warning"
		# The kernel still knows whose the address is: it is not given to another.
		if [ "$RC" = 0 ]; then
			isnt "$(address c1)" "$(jq -r '.ips[0].address | split("/")[0]' <<<"$OUT")" "addresses"
			works DEL "$CONFIG" CNI_CONTAINERID=c2
		else
			expect_error 100 'ip route add .*File exists'
		fi
		ping_ok host "$(address c1)"
		# A person puts it back.
		cp "$TMP/good" "$DATA/records"
		verify c1 "$CONFIG"
		del c1 "$CONFIG"
		clean
	done
	rm -f "$DATA"/records.broken-*
	t "the directory is another one from the middle of an ADD on, and comes back"
	if command -v strace >/dev/null; then
		PLUGIN=$TMP/slow
		printf '#!/bin/sh\nexec strace -o /dev/null -e trace=sendto -e inject=sendto:delay_enter=1000000:when=3 %s\n' \
			"$BIN/awsvpc" >"$PLUGIN"
		chmod +x "$PLUGIN"
		# The leak checker does not work under strace.
		ASAN_OPTIONS=detect_leaks=0 call ADD c1 <<<"$CONFIG" >"$TMP/slow.out" 2>"$TMP/slow.err" &
		ADDER=$!
		sleep 0.4
		mv "$DATA" "$DATA.was"
		wait $ADDER
		PLUGIN=$BIN/awsvpc
		is 1 "$(jq -s length "$TMP/slow.out" 2>&1)" "documents: $(<"$TMP/slow.out")"
		add c2 "$CONFIG"
		del c2 "$CONFIG"
		rm -rf "$DATA"
		mv "$DATA.was" "$DATA"
		del c1 "$CONFIG"
		is 0 "$(records)" records
		clean
	fi
	DATA=$PLACE/store
fi

finish
