#!/bin/sh
# The manual pages are clean in mandoc's eyes, refer to pages that exist, and
# name every command and option. None is made that lacks a row of a table.
set -eu
build=$PWD
cd man
man=$PWD
if ! command -v mandoc >/dev/null; then
	echo "mandoc is missing (Debian: apt-get install mandoc)"
	exit 77
fi
status=0
# Which other pages can be found depends on what is installed.
if mandoc -T lint -W style ./*.[1-9] 2>&1 |
		grep -v 'outdated mandoc.db' | grep -v 'referenced manual not found'; then
	status=1
fi
for page in $(sed -n 's/^\.Xr \(vmdeck[a-z-]*\) \([0-9]\).*/\1.\2/p' ./*.[1-9] | sort -u); do
	if ! [ -f "$page" ]; then
		echo "$page is referred to and does not exist"
		status=1
	fi
done
# What the program offers is in its manual.
cd "$build"
for command in $(./vmdeck help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\).*/\1/p'); do
	if ! grep -q "^\.It Cm $command\b\|^\.Cm $command$" "$man/vmdeck.1"; then
		echo "vmdeck.1 lacks the command $command"
		status=1
	fi
	for option in $(./vmdeck help "$command" | sed -n 's/^  .*--\([a-z-]*\).*/\1/p'); do
		if ! grep -q "Fl -$option\b" "$man/vmdeck.1"; then
			echo "vmdeck.1 lacks --$option of $command"
			status=1
		fi
	done
done
# README, and what it has typed, calls the program where it is built.
if sed -n '/^```sh/,/^```/p' "${srcdir:-.}/README.md" | sed 's/#.*//' |
		grep -n '\(^\|[ (;&|]\)vmdeck\( \|$\)'; then
	echo "README.md calls vmdeck where only ./vmdeck is built"
	status=1
fi
# A template that describes one method or command and does not come to all, that
# names one twice, or one that does not exist, is refused.
template=$(mktemp)
trap 'rm -f "$template"' EXIT
for text in '@method guest.start' '@command start' '@method guest.start\n@method guest.start' \
	'@method guest.strat' '@command strat' '@sections gest' '@nonsense'; do
	printf "$text\n" >"$template"
	if man/make_page "$template" >/dev/null 2>&1; then
		echo "a page is made of: $text"
		status=1
	fi
done
exit $status
