#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# exports.sh - prove that the libraries show public names only and are linked as they must be
#
#   exports.sh [BUILD]      prints TAP
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build}
export LC_ALL=C
n=0
bad=0

for file in libashlar.so libashlar-malloc.so libashlar.a; do
	[ -f "$build/$file" ] && continue
	echo "1..0 # $build/$file is not there: make builds it"
	exit 1
done

result() { # NAME LINES-THAT-ARE-WRONG
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - exports: $1"
	else
		printf '%s\n' "$2" | sed 's/^/# /'
		echo "not ok $n - exports: $1"
		bad=1
	fi
}

exported() { nm -D --defined-only "$1" 2>/dev/null | awk '{ print $NF }'; }
hint="is shown: make it static, or give it an ashlar_ link name if it is public"

result "libashlar.so shows only ashlar_ names" \
	"$(exported "$build/libashlar.so" | grep -v '^ashlar_' | sed "s/\$/ $hint/")"

taken=$(grep -oE '\b[A-Za-z_][A-Za-z0-9_]*\*?;' "$root/src/face/libashlar-malloc.map" |
	tr -d ';' | sed 's/\*/.*/' | paste -sd'|')
result "libashlar-malloc.so shows only ashlar_ names and those it takes over" \
	"$(exported "$build/libashlar-malloc.so" | grep -vE "^($taken)\$" | sed "s/\$/ $hint/")"

result "libashlar-malloc.so shows all that libashlar.so shows" \
	"$(comm -23 <(exported "$build/libashlar.so" | sort) \
		<(exported "$build/libashlar-malloc.so" | sort) | sed 's/$/ is missing/')"

result "libashlar.a shows only ashlar_ names" \
	"$(nm -g --defined-only "$build/libashlar.a" 2>/dev/null | awk 'NF == 3 { print $3 }' |
		grep -v '^ashlar_' | sed "s/\$/ $hint/")"

# What LD_PRELOAD means for any program: never unloaded, first to start, no lazy binding.
linked_as() {
	local lib dynamic flag
	for lib in libashlar.so libashlar-malloc.so; do
		dynamic=$(readelf -dW "$build/$lib")
		for flag in NODELETE INITFIRST NOW; do
			grep -q "Flags.*\b$flag\b" <<<"$dynamic" || echo "$lib is not linked -z ${flag,,}"
		done
		grep -q TEXTREL <<<"$dynamic" && echo "$lib has relocations in its code: use -fPIC"
		grep -oE 'NEEDED.*\[(libstdc|libgcc|libm\.|libc\+\+)[^]]*\]' <<<"$dynamic" |
			sed "s/^/$lib: /; s/\$/ in a program in C/"
		readelf -lW "$build/$lib" | grep -q 'GNU_STACK.*RWE' &&
			echo "$lib asks for an executable stack"
	done
}
result "both are linked nodelete, initfirst, now, without C++ libraries" "$(linked_as)"

echo "1..$n"
exit $bad
