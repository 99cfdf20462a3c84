#!/bin/bash
# SPDX-License-Identifier: MIT
#
# used.sh - what mallinfo2 and malloc_info call used is what the program has
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "other allocators count what they keep, too"
compile used used.c

says_nothing() {
	under "$T/used" >"$T/out" 2>&1 || return 1
	cat "$T/out"
	[ ! -s "$T/out" ]
}
for MODE in $MODES; do
	check "what is used is what the program has, $MODE" says_nothing
done
tap_done
