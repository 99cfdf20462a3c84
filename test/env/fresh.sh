#!/bin/bash
# SPDX-License-Identifier: MIT
#
# fresh.sh - calloc does not clear what is zero already, and clears all else
. "$(dirname "$0")/../lib.sh"
have_ashlar || skip_all "the C library touches some of it"

compile fresh fresh.c
for size in 40 100 1024 65536; do
	echo "$size KiB: fresh ones cost little, used ones are zero"
done >"$T/want"

answers() { under "$T/fresh" >"$T/out" && diff "$T/want" "$T/out"; }
for MODE in $MODES; do
	check "fresh memory is left alone, used memory is cleared, $MODE" answers
done
tap_done
