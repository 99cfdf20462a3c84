#!/bin/bash
# SPDX-License-Identifier: MIT
#
# slob_names.sh - both engines' libraries show the same names, but for those listed here
#
# Why     Which library is linked decides on the engine: a program that links with one must link with
#         the other.
. "$(dirname "$0")/../lib.sh"
need nm binutils
have_ashlar || skip_all "no Ashlar"

exported() { nm -D --defined-only "$1" | awk '{ print $NF }' | sed 's/@.*//' | sort -u; }

# Of the slab libraries alone, as patterns; each with its reason.
cat >"$T/slab_only" <<'LIST'
ashlar_pool_[a-z_]*	pools keep their bits in the descriptors of the slab engine's pages
ashlar_slab_[a-z_]*	the same: slab_create, slab_malloc and so on
LIST
# Of the slob libraries alone.
cat >"$T/slob_only" <<'LIST'
ashlar_heap_[a-z_]*	regions of the caller's own: the slab engine has one arena (ashlar/heap.h)
LIST

# differ NAME A B LIST: names of A that B has not are all in the list, and each line of it is used
differ() {
	comm -23 <(exported "$2") <(exported "$3") >"$T/more"
	cut -f1 "$4" | sed 's/.*/^&$/' >"$T/patterns"
	grep -vEf "$T/patterns" "$T/more" | sed "s/\$/ is not in $(basename "$3")/" >"$T/wrong"
	while read -r pattern; do
		grep -qE "$pattern" "$T/more" || echo "nothing is like $pattern any more"
	done <"$T/patterns" >>"$T/wrong"
	check "$1" diff /dev/null "$T/wrong"
}

for kind in "" -malloc; do
	slab=$BUILD/libashlar$kind.so
	slob=$BUILD/libashlar-slob$kind.so
	[ -z "$kind" ] || cat >>"$T/slab_only" <<'LIST'
vfork	it is fork for the sake of restartable sequences, which slob has not
LIST
	differ "libashlar$kind.so shows what libashlar-slob$kind.so shows, but for what is listed" \
		"$slab" "$slob" "$T/slab_only"
	differ "libashlar-slob$kind.so shows what libashlar$kind.so shows, but for what is listed" \
		"$slob" "$slab" "$T/slob_only"
done
tap_done
