#!/bin/sh
# The manual pages are clean in mandoc's eyes and refer to pages that exist.
set -eu
cd "${srcdir:-.}/man"
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
exit $status
