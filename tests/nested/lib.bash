# What check and the cases share.

# --- cases ------------------------------------------------------------------

# Each case with its variants: "# variants: a b" in its head.
all_cases()
{
	local file name variants
	for file in "$here"/*.case; do
		name=$(basename "$file" .case)
		variants=$(sed -n 's/^# variants: //p' "$file")
		for variant in ${variants:-""}; do
			echo "$name-$variant"
		done
		[ -n "$variants" ] || echo "$name"
	done
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

# --- inside -----------------------------------------------------------------

# A switch "lan" that leads to NAT.
make_switch()
{
	mkdir -p "$XDG_CONFIG_HOME/vmdeck/switches"
	printf '%s\n' '[switch]' 'uplink = nat' 'address = 10.0.2.2/24' \
		>"$XDG_CONFIG_HOME/vmdeck/switches/lan.ini"
}

# expect LOG REGEX...: each is a line of it, in that order.
expect()
{
	local log=$1 line=0 found
	shift
	for regex; do
		found=$(tail -n +$((line + 1)) "$log" | tr -d '\r' | grep -n -m 1 -E -- "$regex" |
			cut -d: -f1)
		if [ -z "$found" ]; then
			tail -n 40 "$log"
			echo "no '$regex' in what the guest printed"
			return 1
		fi
		line=$((line + found))
	done
}
