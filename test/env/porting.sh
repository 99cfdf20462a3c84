#!/bin/bash
# SPDX-License-Identifier: MIT
#
# porting.sh - the list of files in docs/porting.md is complete: the hello kernel is built of it
. "$(dirname "$0")/../lib.sh"
need gcc gcc

root=$(cd "$HERE/../.." && pwd)
copy=$T/copy
mkdir -p "$copy/src/port" "$copy/src/face/bare"
for folder in include/ashlar src/base src/page src/engine src/cache src/slob src/port/bare; do
	mkdir -p "$copy/$folder"
	cp -r "$root/$folder/." "$copy/$folder"
done
# The files that the page names, one a line, between the fences.
sed -n '/^```/,/^```/p' "$root/docs/porting.md" | grep '^src/' | while read -r file; do
	mkdir -p "$copy/$(dirname "$file")"
	cp "$root/$file" "$copy/$file"
done

build() {
	# shellcheck disable=SC2046
	gcc -std=gnu11 -O1 -ffreestanding -fno-stack-protector -fno-strict-aliasing \
		-fno-builtin-malloc -fno-builtin-calloc -Wall -Wextra -Werror -DASHLAR_BARE_HOSTED \
		-I "$copy/include" -I "$copy/src" -I "$copy/src/port/bare" -o "$T/hello" \
		"$root/kernel/hello/hello.c" "$copy"/src/{base,page,engine,cache}/*.c \
		"$copy"/src/port/bare/*.c "$copy/src/face/bare/start.c"
}
check "the files of docs/porting.md are all that a kernel needs" build
check "the hello kernel starts, allocates, and its audit passes" "$T/hello"

# What src/slob/files names, none of it from the folders page and engine of the slab engine.
build_slob() {
	rm -rf "$copy/src/page" "$copy/src/engine"
	# shellcheck disable=SC2046
	gcc -std=gnu11 -O1 -ffreestanding -fno-stack-protector -fno-strict-aliasing \
		-fno-builtin-malloc -fno-builtin-calloc -Wall -Wextra -Werror -DASHLAR_BARE_HOSTED \
		-I "$copy/include" -I "$copy/src/slob" -I "$copy/src" -I "$copy/src/port/bare" \
		-o "$T/hello-slob" "$root/kernel/hello/hello.c" \
		$(cd "$copy" && grep -v '^#' src/slob/files | while read -r p; do printf '%s\n' $p; done |
			sed "s|^|$copy/|") \
		"$copy"/src/port/bare/*.c "$copy/src/face/bare/start.c" \
		"$copy/src/slob/face/bare/slabinfo.c"
}
check "so are those of the slob engine" build_slob
check "the hello kernel starts, allocates, and its audit passes on slob" "$T/hello-slob"
check "the hello kernel fits a page" test "$(wc -l <"$root/kernel/hello/hello.c")" -le 90
tap_done
