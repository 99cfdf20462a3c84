#!/bin/bash
# SPDX-License-Identifier: MIT
#
# urcu.sh - kfree_rcu and SLAB_TYPESAFE_BY_RCU bound to the real liburcu, two of its flavours
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "no Ashlar"
echo '#include <urcu.h>' | $CC -E - >/dev/null 2>&1 || skip_all "no liburcu here: liburcu-dev"
ms=500
[ "${ASHLAR_TEST-}" = quick ] && ms=150
[ "${ASHLAR_TEST-}" = soak ] && ms=20000

# The engine is that of the library to preload.
library=ashlar
case $PRELOAD in *-slob-*) library=ashlar-slob ;; esac

for flavour in memb bp; do
	flags="-lurcu"
	[ $flavour = bp ] && flags="-DFLAVOUR_BP -lurcu-bp"
	# shellcheck disable=SC2086
	compile urcu-$flavour urcu.c $flags -pthread -L"$BUILD" -l$library -Wl,-rpath,"$BUILD"
	for mode in objects typesafe; do
		check "liburcu-$flavour, $mode: readers see what they may" timeout 60 "$T/urcu-$flavour" $mode $ms
	done
	preloaded() { under timeout 60 "$T/urcu-$flavour" $mode $ms; }
	for MODE in $MODES; do
		[ "$MODE" = audit ] && [ $library = ashlar ] && continue
		for mode in objects typesafe; do
			check "liburcu-$flavour, $mode, its own memory from Ashlar, $MODE" preloaded
		done
	done
done
check "freed without a grace period, readers notice" timeout 60 "$T/urcu-memb" early $ms
tap_done
