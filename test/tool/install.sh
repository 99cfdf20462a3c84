#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# install.sh - what is installed is found: by pkg-config, by the linker, by the loader, by the command
. "$(dirname "$0")/lib.bash"

# A sanitizer's build has no shared library.
if [ ! -f "$build/libashlar.so" ]; then
	skip "installed" "this build has no shared library"
	done_testing
fi

DESTDIR=$T/dest meson install -C "$build" --no-rebuild --quiet >install.log 2>&1
expect "install: without a word" "0 " "$? $(cat install.log)"
pc=$(find dest -name ashlar.pc)
prefix=$(sed -n 's/^prefix=//p' "$pc")
libdir=${pc%/pkgconfig/ashlar.pc}
expect "install: a library, a command, a manual page" "yes" "$(
	[ -e "$libdir/libashlar-malloc.so" ] && [ -x "dest$prefix/bin/ashlar" ] &&
		[ -f "dest$prefix/share/man/man1/ashlar.1" ] && echo yes
)"

# Each name that a page begins with is a page: man kfree.
expect "install: a page under each name that one has" "" "$(
	for page in "$source"/man/*.3; do
		"$source/scripts/man-names" "$page" | while read -r name; do
			found=dest$prefix/share/man/man3/$name.3
			[ -e "$found" ] && cmp -s "$found" "$page" || echo "$page: $name"
		done
	done
)"
expect "install: kfree is told on the page of kmalloc" kmalloc.3 \
	"$(basename "$(readlink -f "dest$prefix/share/man/man3/kfree.3")")"
if command -v man >/dev/null; then
	contains "man finds it" "$(MANPATH=dest$prefix/share/man man -P cat kmem_cache_alloc 2>&1)" \
		"named caches of objects"
else
	skip "man finds it" "no man here"
fi

# Where a system looks by itself, as Debian has it.
if [ "$prefix" = /usr/local ] && command -v dpkg >/dev/null; then
	expect "pkg-config looks into its folder" "/${libdir#dest/}/pkgconfig" "$(
		pkg-config --variable pc_path pkg-config | tr : '\n' | grep -Fx "/${libdir#dest/}/pkgconfig"
	)"
	expect "and the loader looks into the library's" "/${libdir#dest/}" "$(
		cat /etc/ld.so.conf /etc/ld.so.conf.d/* 2>/dev/null | grep -Fx "/${libdir#dest/}"
	)"
else
	skip "it is where the system looks" "the prefix is $prefix, or this is not Debian"
fi

sed -n '/^```c$/,/^```$/p' "$source/README.md" | grep -v '^```' >points.c
export PKG_CONFIG_PATH=$PWD/${pc%/ashlar.pc} PKG_CONFIG_SYSROOT_DIR=$PWD/dest
# shellcheck disable=SC2046
expect "README's line compiles README's program" "" \
	"$(cc points.c $(pkg-config --cflags --libs ashlar) 2>&1)"
expect "which runs" 0 "$(LD_LIBRARY_PATH=$PWD/$libdir timeout 20 ./a.out >&2; echo $?)"
# shellcheck disable=SC2046
expect "and once more, static" "" \
	"$(cc -static -o points points.c $(pkg-config --static --cflags --libs ashlar) 2>&1)"
expect "which runs, too" 0 "$(timeout 20 ./points >&2; echo $?)"
# shellcheck disable=SC2046
cc -static-pie -o points-pie points.c $(pkg-config --static --cflags --libs ashlar)
for program in points points-pie; do
	expect "$program: options come from the environment" \
		"ashlar: ASHLAR_OPTIONS: unknown option 'nonsense', ignored" \
		"$(ASHLAR_OPTIONS=nonsense=1 timeout 20 "./$program" 2>&1)"
	expect "$program: and not from its arguments" "" \
		"$(timeout 20 "./$program" ASHLAR_OPTIONS=nonsense=1 2>&1)"
done
unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR

contains "the command finds its library" "$("dest$prefix/bin/ashlar" run -- true 2>&1)" \
	"exit status 0"
done_testing
