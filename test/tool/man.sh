#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# man.sh - the manual pages of the library: they format, their programs compile, run and print
# what they say, and they know every public function and option
. "$(dirname "$0")/lib.bash"

plain() { sed 's/\\-/-/g; s/\\e/\\/g' "$1"; }

# The blocks between .EX and .EE after EXAMPLES: block 1 is the program, block 2 what it prints.
block() { # PAGE NUMBER
	plain "$1" | awk -v n="$2" '/^\.SH/ { on = /EXAMPLES/ }
		on && /^\.EX/ { i++; inside = 1; next }
		on && /^\.EE/ { inside = 0 }
		on && inside && i == n'
}

if command -v man >/dev/null && command -v groff >/dev/null; then
	for page in "$source"/man/*.[137]; do
		expect "${page##*/} has no faults" "" \
			"$(man --warnings -E UTF-8 -l "$page" 2>&1 >/dev/null)"
	done
else
	skip "the pages have no faults" "no man here"
fi

# A sanitizer's build has no shared library.
if [ -f "$build/libashlar.so" ]; then
	for page in "$source"/man/*.3; do
		name=${page##*/}
		block "$page" 1 >"$name.c"
		library=ashlar # or what the page says to link with
		grep -q '^\.I \\-lashlar\\-slob' "$page" && library=ashlar-slob
		cc -Wall -Wextra -Werror -o "$name.so" "$name.c" -I "$source/include" -L "$build" -l$library \
			-Wl,-rpath,"$build" >"$name.log" 2>&1
		expect "$name: its program compiles" "" "$(cat "$name.log")"
		expect "$name: it prints what the page says" "$(block "$page" 2)" "$(timeout 20 "./$name.so" 2>&1)"
		[ $library = ashlar ] || continue # the other has no static library
		cc -o "$name.a" "$name.c" -I "$source/include" "$build/libashlar.a" -pthread >"$name.log" 2>&1
		expect "$name: so does the static library" "$(block "$page" 2)" "$(timeout 20 "./$name.a" 2>&1)"
	done
else
	skip "the programs of the pages" "this build has no shared library"
fi

expect "every public function is on a page" "" "$(
	cat "$source"/man/*.3 >pages
	for header in slab mm mempool rcu account debug; do
		[ -f "$source/include/ashlar/$header.h" ] || continue
		grep -oE '\bashlar_[a-z_]+\(' "$source/include/ashlar/$header.h" | tr -d '(' | sort -u |
			grep -vE '^ashlar_(kmalloc_class|kmalloc_constant|flex_bytes)$' | while read -r name; do
			plain pages | grep -qE "\b(${name#ashlar_}|$name)\b" || echo "$name"
		done
	done
)"

expect "every function of pools is on their page" "" "$(
	grep -oE '\bashlar_[a-z_]+\(' "$source/include/ashlar/pool.h" | tr -d '(' | sort -u | while read -r name; do
		plain "$source/man/slab_create.3" | grep -qE "\b${name#ashlar_}\b" || echo "$name"
	done
)"

expect "ashlar(7) has every option, and no other" \
	"$(grep -oE '\.name = "[a-z_]+"' "$source/src/cache/option.c" | cut -d'"' -f2 | sort)" \
	"$(sed -n '/^\.B ASHLAR_OPTIONS/,/^\.SH/p' "$source/man/ashlar.7" |
		sed -nE 's/^\.B[IR] ([a-z_]+)= .*/\1/p' | sort)"
done_testing
