#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# symbols.sh - prove that the core asks the machine for the port contract and nothing else
#
#   symbols.sh [BUILD] [CORE-ARCHIVE [part]]
#
# Joins the objects of base, page, engine and cache and compares what stays undefined with the
# functions that src/port/port.h and percpu.h declare, and memcpy memset memmove memcmp. Both ways: a function
# that is declared but never called is no part of the contract, unless this is said to be a core
# that needs a part of it. Prints one TAP line.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build}
core=${2:-$build/libashlar-core.a}
part=${3:-}
ld=${LD:-ld}
nm=${NM:-nm}
export LC_ALL=C

echo 1..1
name="symbols: the core needs the port contract and nothing else"
if [ "$(ar t "$core" 2>/dev/null | wc -l)" -eq 0 ]; then
	echo "# $core is not there: make builds it"
	echo "not ok 1 - $name"
	exit 1
fi

T=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-lint.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT

die() {
	sed 's/^/# /' "$T/log"
	echo "not ok 1 - $name"
	exit 1
}

# The contract: port.h, and what the sequences of percpu.h work on.
echo '#include "port/port.h"' >"$T/contract.h"
[ -f "$root/src/port/linux/percpu.h" ] && echo '#include "percpu.h"' >>"$T/contract.h"

# gcc itself lists what the header declares; static inline functions are not asked of
# the machine. Then its variables.
{
	gcc -std=c11 -ffreestanding -fsyntax-only -I"$root/include" -I"$root/src" \
		-I"$root/src/port/linux" -aux-info "$T/declared" -x c "$T/contract.h" &&
		gcc -std=c11 -ffreestanding -E -P -I"$root/include" -I"$root/src" \
			-I"$root/src/port/linux" -x c "$T/contract.h" -o "$T/text"
} >"$T/log" 2>&1 || die
{
	grep -E '^/\*.*\*/ extern ' "$T/declared" | grep -oE '\bport_[a-z0-9_]+ \(' | tr -d ' ('
	tr '\n' ' ' <"$T/text" | sed -E 's/__attribute__ *\(\([^;{]*\)\)//g' | tr ';{}' '\n\n\n' |
		sed -nE 's/^ *extern [^()]*\b(port_[a-z0-9_]+)( *\[[^]]*\])* *$/\1/p'
	printf '%s\n' memcpy memset memmove memcmp
} | sort -u >"$T/contract"

"$ld" -r -o "$T/joined.o" --whole-archive "$core" >"$T/log" 2>&1 || die
"$nm" -u "$T/joined.o" | awk '$NF != "_GLOBAL_OFFSET_TABLE_" { print $NF }' | sort -u >"$T/asked"

extra=$(comm -13 "$T/contract" "$T/asked")
unused=""
[ "$part" = part ] || unused=$(comm -23 "$T/contract" "$T/asked" | grep -vE '^mem(cpy|set|move|cmp)$')

for symbol in $extra; do
	users=$("$nm" -A -u "$core" 2>/dev/null | awk -v s="$symbol" '$NF == s { print $1 }' |
		sed -E 's/.*[:/]([^:]+\.o):?.*/\1/' | sort -u | tr '\n' ' ')
	case $symbol in
	port_*) hint="declare it in src/port/port.h, or do not call it" ;;
	*alloc | free) hint="the core is the allocator: use page_alloc or a cache" ;;
	__stack_chk_fail) hint="compile the core with -fno-stack-protector" ;;
	__aarch64_*) hint="compile with -mno-outline-atomics" ;;
	__atomic_* | __sync_*) hint="no atomics narrower or wider than a word" ;;
	__udiv* | __div* | __umod* | __mul*) hint="there is no libgcc: use shifts or reciprocals" ;;
	__asan_* | __ubsan_* | __tsan_*) hint="run this on a release build" ;;
	str* | *printf | *puts) hint="use base/text.h" ;;
	*) hint="a port function, or code in the core, must take its place" ;;
	esac
	echo "# $symbol is asked for by ${users:-the core}: $hint"
done
for symbol in $unused; do
	echo "# $symbol is declared in src/port/port.h but the core never calls it: remove it there"
done

if [ -n "$extra$unused" ]; then
	echo "not ok 1 - $name"
	exit 1
fi
echo "# $(wc -l <"$T/asked") symbols asked for, $(wc -l <"$T/contract") in the contract"
echo "ok 1 - $name"
