#!/bin/bash
# SPDX-License-Identifier: MIT
#
# limit.sh - the option limit= holds for blocks that grow
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "it is an option of Ashlar's"
compile limit limit.c

MODE=lock
EXTRA=limit=64m
under "$T/limit" >"$T/out" 2>&1
printf '20 MiB of 64: yes\n512 MiB of 64: refused\n' >"$T/want"
check "realloc keeps to the limit" diff "$T/want" "$T/out"
tap_done
