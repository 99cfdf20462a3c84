#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# headers.sh - prove that every header compiles alone, and twice
#
#   headers.sh [ROOT]
#
# All headers under include and src with gcc and clang; those of the core freestanding. Public
# headers see nothing but include, and must be C++17 as well.
set -u
root=${1:-$(cd "$(dirname "$0")/.." && pwd)}
cd "$root" || exit 1
T=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-lint.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
count=0
bad=0

# try HEADER COMPILER FLAGS...
try() {
	local header=$1
	shift
	count=$((count + 1))
	"$@" -Wall -Wextra -Werror -Wno-unused-function -fsyntax-only -I include "$T/alone" \
		>"$T/log" 2>&1 && return
	bad=$((bad + 1))
	echo "$header does not compile alone with: $*"
	sed 's/^/  /' "$T/log" | head -n 8
	echo "  include what it uses, and guard it against a second inclusion"
}

alone() { # HEADER AS-INCLUDED: twice, and one declaration so that it is no empty file
	printf '#include "%s"\n#include "%s"\nextern int headers_alone;\n' "$2" "$2" >"$T/alone"
}

for header in $(find include src -name '*.h' 2>/dev/null | sort); do
	case $header in
	include/*)
		alone "$header" "${header#include/}"
		for cc in gcc clang; do
			try "$header" $cc -x c -std=c11 -ffreestanding
			try "$header" $cc -x c -std=c11 -ffreestanding -DASHLAR_NO_SHORT_NAMES
		done
		for cxx in g++ clang++; do try "$header" $cxx -x c++ -std=c++17; done
		continue
		;;
	src/port/*/*) flags="-std=gnu11 -I src -I $(cut -d/ -f1-3 <<<"$header")" ;;
	src/slob/*) flags="-std=c11 -ffreestanding -I src/slob -I src -I src/port/linux" ;;
	src/face/*) flags="-std=gnu11 -D_GNU_SOURCE -I src -I src/port/linux" ;;
	src/tool/*) flags="-std=gnu11 -D_GNU_SOURCE -I src/tool" ;;
	*) flags="-std=c11 -ffreestanding -I src -I src/port/linux" ;;
	esac
	alone "$header" "$PWD/$header"
	# shellcheck disable=SC2086
	for cc in gcc clang; do try "$header" $cc -x c $flags; done
done
echo "headers: $count compilations, $bad failed"
[ $bad -eq 0 ]
