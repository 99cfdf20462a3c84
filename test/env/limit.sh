#!/bin/bash
# SPDX-License-Identifier: MIT
#
# limit.sh - the option limit=: blocks that grow, running out and going on
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "it is an option of Ashlar's"
compile limit limit.c
compile limits limits.c -pthread -ldl

MODE=lock
EXTRA=limit=64m
under "$T/limit" >"$T/out" 2>&1
printf '20 MiB of 64: yes\n512 MiB of 64: refused\n' >"$T/want"
check "realloc keeps to the limit" diff "$T/want" "$T/out"

# What is refused ends with ENOMEM; what was freed can be had again.
runs_out() {
	under "$T/limits" start >"$T/out" || return 1
	cat "$T/out"
	[ "$(grep -c 'ends with ENOMEM, too much is refused: yes, .*all works again: yes' "$T/out")" = 3 ] &&
		! grep ': no' "$T/out"
}
for MODE in $MODES; do
	check "64 MiB, exhausted and freed again, $MODE" runs_out
done
tap_done
