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
