# What check and the cases share.

# --- cases ------------------------------------------------------------------

# Each case with its variants, "# variants: a b" in its head; the longest come first.
all_cases()
{
	local file name variants seconds
	for file in "$here"/*.case; do
		name=$(basename "$file" .case)
		variants=$(sed -n 's/^# variants: //p' "$file")
		seconds=$(sed -n 's/^# seconds: //p' "$file")
		for variant in $variants; do
			echo "$seconds $name-$variant"
		done
		[ -n "$variants" ] || echo "$seconds $name"
	done | sort -s -rn | cut -d ' ' -f 2
}

# Sets seconds, memory (MiB), needs and variant, and defines prepare and inside.
load_case()
{
	local file=$here/${1%%-*}.case
	[ -f "$file" ] || { echo "there is no case $1" >&2; return 1; }
	variant=${1#*-}
	seconds=$(sed -n 's/^# seconds: //p' "$file")
	memory=$(sed -n 's/^# memory: //p' "$file")
	memory=${memory:-2048}
	needs=$(sed -n 's/^# needs: //p' "$file")
	prepare() { :; }
	. "$file"
}

# Of words "FILE:PACKAGE" those that are not there; a file without a / is a program.
missing_files()
{
	local word file
	for word in $1; do
		file=${word%%:*}
		case $file in
		/*) [ -e "$file" ] ;;
		*) command -v "$file" >/dev/null ;;
		esac || printf '%s (%s) ' "$file" "${word#*:}"
	done
}

# --- folders that become an initial RAM disk --------------------------------

copy_busybox()
{
	mkdir -p "$1/bin"
	cp "$(command -v busybox)" "$1/bin/busybox"
}

# ROOT MODULE...: with those that they need; ROOT/modules/order has them in order.
copy_modules()
{
	local root=$1 module
	shift
	mkdir -p "$root/modules"
	: >"$root/modules/order"
	for module; do
		modprobe -S "$kernel" --show-depends "$module" 2>/dev/null || :
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r module; do
		cp "$module" "$root/modules/"
		basename "$module" >>"$root/modules/order"
	done
}

# FOLDER FILE
pack()
{
	(cd "$1" && find . | cpio -o -H newc --quiet | gzip -1) >"$2"
}

# --- media that UEFI firmware starts from -------------------------------------

# FILE ORDERS: GRUB with what finds a kernel in file systems, told what to do.
make_grub_efi()
{
	local modules="part_msdos part_gpt fat ext2 iso9660 normal linux search search_fs_file echo"
	grub-mkstandalone -O x86_64-efi -o "$1" --fonts= --themes= --locales= \
		--modules="$modules" --install-modules="$modules" "boot/grub/grub.cfg=$2"
}

# IMAGE GRUB FILE...: an EFI system partition with GRUB where removable media have it, and
# with the files in its root.
make_esp()
{
	local esp=$1 grub=$2 bytes
	shift 2
	bytes=$(cat "$grub" "$@" | wc -c)
	truncate -s $((bytes / 1048576 + 4))M "$esp"
	mkfs.vfat "$esp"
	mmd -i "$esp" ::/EFI ::/EFI/BOOT
	mcopy -i "$esp" "$grub" ::/EFI/BOOT/BOOTX64.EFI
	[ $# -eq 0 ] || mcopy -i "$esp" "$@" ::/
}

# The same: a disk with that as its only partition.
make_efi_disk()
{
	local disk=$1 size
	shift
	make_esp "$disk.esp" "$@"
	size=$(stat -c %s "$disk.esp")
	truncate -s $((size + 2097152)) "$disk"
	printf 'label: gpt\nstart=2048, size=%d, type=uefi\n' $((size / 512)) | sfdisk -q "$disk"
	dd if="$disk.esp" of="$disk" bs=1M seek=1 conv=notrunc
}

# The same: a CD with the files in its root, which starts GRUB by El Torito.
make_efi_cd()
{
	local cd=$1 grub=$2 root=$1.root
	shift 2
	mkdir -p "$root"
	cp "$@" "$root/"
	make_esp "$root/esp" "$grub"
	xorriso -as mkisofs -o "$cd" -R -e esp -no-emul-boot "$root"
}

# --- what is made once -------------------------------------------------------

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vmdeck-tests

# cached NAME KEY FUNCTION: has FUNCTION FILE make a file, unless one of that KEY is there.
cached()
{
	local file
	mkdir -p "$cache"
	file=$cache/nested-$1-$(printf %s "$2" | sha256sum | head -c 16)
	exec {lock}>"$cache/nested.lock"
	flock $lock
	if [ ! -e "$file" ]; then
		rm -f "$cache/nested-$1"-*
		"$3" "$file.new"
		mv "$file.new" "$file"
	fi
	exec {lock}>&-
	ln -sf "$file" "$work/$1.cached"
}

# NAME: the file that prepare found or made.
cached_file()
{
	readlink "$work/$1.cached"
}

# --- disks -------------------------------------------------------------------

# patch FILE OFFSET BYTES: writes what printf makes of BYTES there.
patch()
{
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# FOLDER PACKAGES: Debian with these, and what GRUB starts on the disk that make_disk makes of it.
make_debian()
{
	mmdebstrap --quiet --variant=minbase --dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include=linux-image-amd64,systemd-sysv,udev,login,"$2" \
		--essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"' \
		--essential-hook='echo MODULES=list >"$1/etc/initramfs-tools/conf.d/modules"' \
		--essential-hook='printf "%s\n" virtio_pci virtio_blk ext4 >"$1/etc/initramfs-tools/modules"' \
		bookworm "$1" </dev/null
	# What a system without a network for its first minutes waits for.
	ln -sf /dev/null "$1/etc/systemd/system/apt-daily.timer"
	ln -sf /dev/null "$1/etc/systemd/system/apt-daily-upgrade.timer"
	# On a busy host its devices take longer than the minutes that it gives them.
	mkdir -p "$1/etc/systemd/system.conf.d"
	printf '%s\n' '[Manager]' DefaultDeviceTimeoutSec=1h DefaultTimeoutStartSec=1h \
		>"$1/etc/systemd/system.conf.d/patience.conf"
	mkdir -p "$1/boot/grub"
	printf '%s\n' 'linux /vmlinuz root=/dev/vda2 rw quiet net.ifnames=0 console=ttyS0' \
		'initrd /initrd.img' boot >"$1/boot/grub/grub.cfg"
}

# make_disk IMAGE ROOT MIB: the folder ROOT as an ext4 file system, behind a partition for UEFI;
# GRUB of the host starts from both kinds of firmware and reads ROOT's /boot/grub/grub.cfg.
make_disk()
{
	local image=$1 root=$2 early=$1.early core=$1.core esp=$1.esp
	echo 'configfile (hd0,msdos2)/boot/grub/grub.cfg' >"$early"
	grub-mkimage -O i386-pc -p '(hd0,msdos2)/boot/grub' -c "$early" -o "$core" \
		biosdisk part_msdos ext2 normal configfile linux linux16
	truncate -s 0 "$image"
	truncate -s "$((5 + $3))M" "$image"
	head -c 440 /usr/lib/grub/i386-pc/boot.img | dd of="$image" conv=notrunc status=none
	dd if="$core" of="$image" bs=512 seek=1 conv=notrunc status=none
	printf '%s\n' 'label: dos' '2048,8192,ef' '10240,,83,*' |
		sfdisk -q --wipe never "$image"
	mke2fs -q -t ext4 -O ^64bit,^metadata_csum -d "$root" -E offset=$((5 << 20)) "$image" "${3}M"
	if [ -d /usr/lib/grub/x86_64-efi ]; then
		grub-mkimage -O x86_64-efi -p '(hd0,msdos2)/boot/grub' -c "$early" -o "$core" \
			part_msdos ext2 normal configfile linux
		truncate -s 4M "$esp"
		mformat -i "$esp" -v UEFI ::
		mmd -i "$esp" ::/EFI ::/EFI/BOOT
		mcopy -i "$esp" "$core" ::/EFI/BOOT/BOOTX64.EFI
		dd if="$esp" of="$image" bs=1M seek=1 conv=notrunc status=none
	fi
	rm -f "$early" "$core" "$esp"
}

# --- inside -----------------------------------------------------------------

# A switch "lan" that leads to NAT; its guests reach this host's loopback.
make_switch()
{
	mkdir -p "$XDG_CONFIG_HOME/vmdeck/switches"
	printf '%s\n' '[switch]' 'uplink = nat' 'address = 10.0.2.2/24' 'loopback = yes' \
		>"$XDG_CONFIG_HOME/vmdeck/switches/lan.ini"
}

# serve FOLDER: its files by HTTP, for guests at http://10.0.2.2:8000/; who asked for what is
# in /run/served.
serve()
{
	/usr/bin/python3 -m http.server -b 127.0.0.1 -d "$1" 8000 >/run/served 2>&1 &
}

# start PROFILE: runs the guest named "guest" in the background; its console is in /run/log.
start()
{
	mkfifo /run/keys
	"$VMDECK" run "$1" </run/keys >/run/log 2>&1 &
	guest=$!
	exec 3>/run/keys
	seen=0
	echo "$SECONDS s: start"
}

# The rest of the console, from where the last await found its line, as plain text.
unseen()
{
	tail -c "+$((seen + 1))" /run/log | tr -d '\r\0' |
		sed -e 's/\x1b\[[0-9;?]*[A-Za-z]/\n/g; s/\x1bc//g'
}

# Whether there is still something to wait for, and time to say so if that does not come.
may_come()
{
	[ "$(date +%s)" -lt "$limit" ] && kill -0 "$guest" 2>/dev/null
}

# REGEX: whether the rest of the console has it. It is read to its end: one that grep leaves
# is broken, and then what was found counts for nothing.
has_come()
{
	[ "$(unseen | grep -c -a -E -- "$1")" != 0 ]
}

# await REGEX: until the console has it, which is not waited for again.
await()
{
	local size
	while size=$(stat -c %s /run/log); ! has_come "$1"; do
		if ! may_come; then
			unseen | tail -n 40
			echo "no '$1' in what the guest printed"
			return 1
		fi
		sleep 0.5
	done
	echo "$SECONDS s: $1"
	seen=$size
}

# await_screen REGEX: until a line of the VGA screen has it.
await_screen()
{
	while "$VMDECK" console --vga guest </dev/null >/run/screen 2>/run/trouble
	      ! grep -q -a -E -- "$1" /run/screen; do
		if ! may_come; then
			cat /run/screen /run/trouble
			echo "no '$1' on the guest's screen"
			return 1
		fi
		sleep 1
	done
	echo "$SECONDS s: $1"
}

# type_line TEXT: on the console, with Enter.
type_line()
{
	printf '%s\r' "$1" >&3
}

# press TEXT: on the keyboard beside the VGA screen; as printf has it.
press()
{
	/usr/bin/python3 - "$XDG_STATE_HOME/vmdeck/deck.sock" "$(printf "$1")" <<-'PRESS'
	import json, socket, sys
	deck = socket.socket(socket.AF_UNIX)
	deck.connect(sys.argv[1])
	deck.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "screen.type", "params":
	                         {"guest": "guest", "text": sys.argv[2]}}).encode() + b"\n")
	answer = json.loads(deck.makefile().readline())
	sys.exit("error" in answer and str(answer))
	PRESS
}

# Ends the guest's power and waits for it; what it says of itself is its exit status.
finish()
{
	wait "$guest"
}

# expect LOG REGEX...: each is a line of it, in that order. The log is read to its end, as by
# has_come.
expect()
{
	local log=$1 line=0 found
	shift
	for regex; do
		found=$(tail -n +$((line + 1)) "$log" | tr -d '\r' | grep -n -a -E -- "$regex" |
			sed -n '1s/:.*//p') || found=
		if [ -z "$found" ]; then
			tail -n 40 "$log"
			echo "no '$regex' in what the guest printed"
			return 1
		fi
		line=$((line + found))
	done
}
