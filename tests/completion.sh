#!/bin/bash
# The bash completion as bash runs it, against the program that was built.
set -u
fail=0
vmdeck=$PWD/vmdeck
VMDECK_SOCKET=/nonexistent/deck.sock
export VMDECK_SOCKET
. "${srcdir:-.}/conf/bash/vmdeck"

# try "expected words" typed words... (the last is the one being typed)
try()
{
	local expected=$1

	shift
	COMP_WORDS=("$vmdeck" "$@")
	COMP_CWORD=$#
	_vmdeck
	if [ "${COMPREPLY[*]}" != "$expected" ]; then
		echo "vmdeck $*: '${COMPREPLY[*]}' instead of '$expected'"
		fail=1
	fi
}

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
touch "$folder/a b.ini"
try "start stop stats" st
try "--wait" stop --w
try "" start ""
try "--help --headless" --he
try "$folder/a b.ini" check "$folder/a"
exit $fail
