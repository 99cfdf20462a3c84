#!/bin/bash
# SPDX-License-Identifier: MIT
#
# porting.sh - docs/porting.md does what it says: each of its commands is read from the page and run
#
# What    The lines that copy, the compiler's flags, the lines that join the objects: what a page's
#         reader pastes is pasted here. The hello kernel is built of the copy; what the copy needs
#         from a kernel is what the page names.
. "$(dirname "$0")/../lib.sh"
need gcc gcc
need nm binutils

root=$(cd "$HERE/../.." && pwd)
page=$root/docs/porting.md

# fence N [LANGUAGE]: the Nth block of the page that is fenced with this language, or with none
fence() {
	awk -v n="$1" -v open="\`\`\`${2-}" '
		/^```/ { if (on) { on = 0 } else { on = 1; mine = $0 == open; i += mine }; next }
		on && mine && i == n' "$page"
}

# copy N FOLDER: the Nth block of the page, whose lines copy, run
copy() {
	mkdir -p "$2" && fence "$1" >"$T/copy.sh" && grep -q '^cp ' "$T/copy.sh" &&
		(cd "$root" && KERNEL=$2 bash -eu "$T/copy.sh")
}

# compile_all FOLDER OUT [FLAG...] <SOURCES: each file in FOLDER with the page's flags and these
compile_all() {
	local folder=$1 out=$2
	shift 2
	mkdir -p "$out"
	(
		cd "$folder" || exit 1
		# shellcheck disable=SC2046
		while read -r source; do
			printf '%s\n%s\n' "$source" "$out/$(tr / _ <<<"${source%.c}").o"
		done | xargs -P 2 -n 2 bash -c '"${@:1:$#-2}" -c "${@: -2:1}" -o "${@: -1}"' - \
			gcc "$@" $(fence 2 | tr '\n' ' ') -Wall -Wextra -Werror
	)
}

sources() { (cd "$1" && find . -name '*.c' -not -path './src/port/bare/*/*' | sed 's|^\./||'); }

# hello OUT OBJECTS...: the hello kernel of these
hello() {
	gcc -std=gnu11 -O1 -DASHLAR_BARE_HOSTED -I "$T/slab/include" -o "$1" "$root/kernel/hello/hello.c" \
		"${@:2}"
}

build_slab() {
	sources "$T/slab" | compile_all "$T/slab" "$T/slab.o" -DASHLAR_BARE_HOSTED -fvisibility=hidden &&
		hello "$T/hello" "$T"/slab.o/*.o
}

build_slob() {
	{
		grep -v '^#' "$T/slob/src/slob/files" | (cd "$T/slob" && while read -r p; do printf '%s\n' $p; done)
		printf '%s\n' src/slob/face/bare/slabinfo.c src/face/bare/start.c
		(cd "$T/slob" && printf '%s\n' src/port/bare/*.c)
	} | compile_all "$T/slob" "$T/slob.o" -DASHLAR_BARE_HOSTED -I src/slob &&
		hello "$T/hello-slob" "$T"/slob.o/*.o
}

# The page's two lines, of the objects in $T/slab.o.
join() {
	fence 3 | sed "s|OBJECTS|$T/slab.o/*.o|; s|ashlar\.o|$T/ashlar.o|g" >"$T/join.sh"
	grep -q '^objcopy' "$T/join.sh" && bash -eu "$T/join.sh"
}

# What a kernel of the copy must have, or may (w): what parts 1 to 5 of the page name.
needs() {
	sed '/^## 6/,$d' "$page" | grep -oE '`(ashlar_host_[a-z_]+|mem(cpy|move|set|cmp))`' | tr -d '`' |
		grep -vE 'ashlar_host_(try|un)?lock$' | sort -u >"$T/named"
	nm -u "$1" | awk '{ print $NF }' | grep -v _GLOBAL_OFFSET_TABLE_ | sort -u >"$T/needed"
	diff "$T/named" "$T/needed"
}

# No name but the public ones can clash with a kernel's.
shows() {
	nm -g --defined-only "$1" | awk '{ print $NF }' | grep -v '^ashlar_' >"$T/shown"
	diff /dev/null "$T/shown"
}

# With the flags that the page has for this processor; compiled, not run.
build_processor() {
	local flags
	flags=$(tr '\n' ' ' <"$page" | grep -oE 'x86-64 `[^`]*`' | sed 's/^x86-64 //; s/`//g')
	[ -n "$flags" ] || return 1
	# shellcheck disable=SC2086
	{ sources "$T/slab" | grep -E '^src/(port|face|base|engine)/'
		(cd "$T/slab" && find src/port/bare/x86_64 -name '*.c'); } |
		compile_all "$T/slab" "$T/processor.o" $flags
}

check "the lines that copy the files of slab do" copy 1 "$T/slab"
check "the files of docs/porting.md are all that a kernel needs, with the page's flags" build_slab
check "the hello kernel starts, allocates, and its audit passes" "$T/hello"
check "the objects are joined as the page says" join
check "the joined object needs from a kernel what the page names" needs "$T/ashlar.o"
check "it shows public names alone" shows "$T/ashlar.o"
if [ "$(uname -m)" = x86_64 ]; then
	check "with the page's flags for x86-64 it compiles, too" build_processor
else
	skip "with the page's flags for x86-64 it compiles, too" "another processor"
fi

check "the lines that copy the files of slob do" copy 4 "$T/slob"
check "so are those of the slob engine" build_slob
check "the hello kernel starts, allocates, and its audit passes on slob" "$T/hello-slob"

# The last part: the engine as one file, and a program on it. The compiler and the processor are
# this machine's, the other flags the page's.
build_firmware() {
	local flags
	flags=$(fence 6 | tr '\n' ' ' | sed 's/^arm-none-eabi-gcc -mcpu=[^ ]* -mthumb//')
	[ -n "$flags" ] && fence 1 c >"$T/firmware/all.c" && grep -q include "$T/firmware/all.c" || return 1
	{
		fence 2 c
		cat <<'C'
#include <stdlib.h>
void port_write(const char *text, size_t bytes) { (void)text; (void)bytes; }
_Noreturn void port_abort(void) { abort(); }
void port_yield(void) {}
unsigned long port_interrupts_off(void) { return 0; }
void port_interrupts_restore(unsigned long were) { (void)were; }
int main(void) { return work(); }
C
	} >"$T/work.c"
	# shellcheck disable=SC2086
	(cd "$T/firmware" && gcc $flags -Wall -Wextra -Werror -c -o "$T/all.o" all.c) &&
		gcc -Os -std=gnu11 -Wall -Wextra -Werror -DASHLAR_SLOB=1 -I "$T/firmware/include" \
			-Wl,--gc-sections -o "$T/work" "$T/work.c" "$T/all.o"
}
check "the lines that copy the files of the firmware do" copy 5 "$T/firmware"
check "the firmware of docs/porting.md builds" build_firmware
check "its program runs, and the audit passes" "$T/work"
check "the hello kernel fits a page" test "$(wc -l <"$root/kernel/hello/hello.c")" -le 90
tap_done
