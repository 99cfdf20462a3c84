#!/bin/bash
# SPDX-License-Identifier: MIT
#
# both.sh - libashlar.so linked, libashlar-malloc.so preloaded or linked: one core
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "no Ashlar"
compile both both.c -L"$BUILD" -lashlar -Wl,-rpath,"$BUILD"
compile both_linked both.c -L"$BUILD" -lashlar-malloc -lashlar -Wl,-rpath,"$BUILD"

preloaded() { under "$T/both" one; }
for MODE in rseq lock audit; do
	check "preloaded, one core, $MODE" preloaded
done
check "libashlar.so alone, beside the C library's malloc" timeout 20 "$T/both"
check "both linked, one core" timeout 20 "$T/both_linked" one
tap_done
