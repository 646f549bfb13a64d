#!/bin/sh
# The line that closes "make check" counts what the tests left behind.
set -eu
summary=$(cd "${srcdir:-.}/tests/lib" && pwd)/summary
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

expect()
{
	status=$1 line=$2
	shift 2
	code=0
	sh "$summary" "$@" >out || code=$?
	if [ "$code" -ne "$status" ] || [ "$(tail -n 1 out)" != "$line" ]; then
		echo "summary $*: exit status $code instead of $status, and:"
		cat out
		exit 1
	fi
}

result()
{
	for value in $2; do
		echo ":test-result: $value $1"
	done >"$1.trs"
	echo ":global-test-result: x" >>"$1.trs"
	printf '%s needs a thing\nSKIP %s (exit status: 77)\n' "$1" "$1" >"$1.log"
}

result good PASS
result bad FAIL
result broken ERROR
result away SKIP
result many 'PASS PASS SKIP XFAIL'
: >empty.trs
expect 0 '0 passed, 0 failed, 0 skipped'
expect 0 '1 passed, 0 failed, 0 skipped' good.trs
expect 0 '4 passed, 0 failed, 2 skipped' good.trs away.trs many.trs
grep -qx 'skipped: away: away needs a thing' out
expect 1 '1 passed, 2 failed, 0 skipped' bad.trs good.trs broken.trs
grep -qx 'failed: bad (see bad.log)' out
expect 1 '0 passed, 2 failed, 0 skipped' empty.trs none.trs
