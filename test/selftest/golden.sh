#!/bin/bash
# SPDX-License-Identifier: MIT
#
# golden.sh - the fast paths execute as many instructions as bench/golden says
#
# What    Counted, not timed: the same on every machine with this compiler. More of them, or another
#         64 bytes of code, is a change that a review should see (bench/golden.py --update).
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "it counts Ashlar's"
ROOT=$PWD
[ -n "$(ls "$ROOT/bench/golden/" 2>/dev/null)" ] || skip_all "bench/golden is empty"

counted() { "$ROOT/bench/golden.py" --build "$BUILD" --check; }
compiler=$(readelf -p .comment "$BUILD/libashlar-malloc.so" | sed -n 's/.*GCC: (.*) \([0-9.]*\)$/gcc-\1/p' | head -n 1)
file=bench/golden/$compiler-$(uname -m).txt
if [ -f "$file" ]; then
	check "the counts of $file" counted
else
	skip "the counts" "no $file"
fi
tap_done
