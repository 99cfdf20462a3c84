#!/bin/bash
# SPDX-License-Identifier: MIT
#
# moments.sh - cancellation, signals and context switches at any moment
. "$(dirname "$0")/../lib.sh"
LIMIT=60

compile cancel cancel.c -pthread
compile signals signals.c -pthread
compile context context.c -pthread

cancelled() { under "$T/cancel"; }
storm() { under "$T/signals" storm; }
handler() { under "$T/signals" handler; }
leave() { under "$T/signals" exit; }
contexts() { under "$T/context"; }

same "threads cancelled in loops of malloc" cancelled
same "a storm of signals into malloc" storm
same "a handler that allocates, on its own stack" handler
same "_exit from a handler in the middle of malloc" leave
same "makecontext and swapcontext" contexts
for MODE in rseq lock; do
	case $PRELOAD in *-slob-*) continue ;; esac # it has no fast path
	if have_ashlar; then
		check "the fast path interrupted by itself, $MODE" under "$T/signals" nested
	else
		skip "the fast path interrupted by itself, $MODE" "no Ashlar"
	fi
done
tap_done
