#!/bin/bash
# SPDX-License-Identifier: MIT
#
# names.sh - the names that the two libraries export, and what they need to be loaded
#
# Why     A missing name of the family goes to the C library's heap and comes back as a
#         foreign pointer; a name too many takes the place of a program's own.
. "$(dirname "$0")/../lib.sh"
need nm binutils
have_ashlar || skip_all "no Ashlar"

grep -v '^#' "$HERE/names.txt" | sort >"$T/family"
exported() { nm -D --defined-only "$1" | awk '{ print $NF }' | sed 's/@.*//' | sort -u; }
exported "$PRELOAD" >"$T/malloc.names"
exported "$BUILD/libashlar.so" >"$T/core.names"

comm -23 "$T/family" "$T/malloc.names" >"$T/missing"
check "libashlar-malloc.so exports the whole family" diff /dev/null "$T/missing"

# dlopen, vfork, _exit and setrlimit are taken over as well; umem has names of its own.
comm -13 "$T/family" "$T/malloc.names" |
	grep -Ev '^(ashlar_.*|umem_.*|vmem_.*|vfork|__vfork|dlopen|_exit|_Exit|_init|_fini)$' |
	grep -Ev '^(setrlimit|prlimit)(64)?$' >"$T/others"
check "libashlar-malloc.so exports nothing else without our prefix" diff /dev/null "$T/others"

comm -12 "$T/family" "$T/core.names" >"$T/family_in_core"
check "libashlar.so exports no name of the family" diff /dev/null "$T/family_in_core"

comm -23 "$T/core.names" "$T/malloc.names" >"$T/not_superset"
check "libashlar-malloc.so is a superset of libashlar.so" diff /dev/null "$T/not_superset"

# What is known while compiling is not asked for while running.
printf '#include <ashlar/slab.h>\nvoid *f(void) { return kmalloc(100, GFP_KERNEL); }\n' >"$T/constant.c"
"$CC" -O1 -I"$ROOT/include" -c "$T/constant.c" -o "$T/constant.o"
nm -u "$T/constant.o" | awk '{ print $NF }' | grep -v _GLOBAL_OFFSET_TABLE_ | sort >"$T/constant"
printf '%s\n' ashlar_kmalloc_caches ashlar_kmalloc_constant >"$T/wanted"
check "kmalloc of a constant size is kmem_cache_alloc of its cache" diff "$T/wanted" "$T/constant"

for lib in "$PRELOAD" "$BUILD/libashlar.so"; do
	readelf -dW "$lib" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
		grep -Ev '^(libc\.so\.6|ld-linux.*)$' >"$T/needed"
	check "$(basename "$lib") needs the C library alone" diff /dev/null "$T/needed"
	# malloc_info prints to the FILE that it is given: fprintf is no stdio of ours.
	# A thread's word is a key of the C library's (port/linux/task.c).
	nm -D --undefined-only "$lib" | awk '$1 == "U" { print $2 }' |
		grep -vE '^pthread_(key_create|key_delete|getspecific|setspecific)@' |
		grep -E '^(_Z|__cxa_throw|__gxx|printf|fopen|puts|malloc|pthread_)' >"$T/undefined"
	check "$(basename "$lib") binds to no C++ library, no other malloc, and no stdio of its own" \
		diff /dev/null "$T/undefined"
done
tap_done
