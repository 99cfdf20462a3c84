#!/bin/bash
# SPDX-License-Identifier: MIT
#
# fork.sh - two thousand forks and vforks of a process whose threads allocate
#
# Length  2,000 in the first mode, a quarter plainly and in the others; soak: 2,000 in each.
. "$(dirname "$0")/../lib.sh"

compile fork2000 fork2000.c -pthread
count=${FORKS:-2000} # fewer where a second engine is tried

times() {
	if [ "$MODE" = "${MODES%% *}" ]; then echo "$count"; else rounds $((count / 4)) "$count"; fi
}
forks() { under "$T/fork2000" "$(times)"; }
vforks() { under "$T/fork2000" "$(times)" vfork; }

same "fork $count times" forks
same "vfork $count times" vforks
tap_done
