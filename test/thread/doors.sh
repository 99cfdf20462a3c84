#!/bin/bash
# SPDX-License-Identifier: MIT
#
# doors.sh - the sequences of libashlar-malloc.so, as it is, stopped at each instruction
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "there are sequences only in Ashlar"
"$BUILD/ashlar" run -- true 2>&1 | grep -q ' rseq' || skip_all "sequences do not run here"
compile doors doors.c "$TEST/tap.c" "$TEST/tap_host.c" -pthread \
	-I"$ROOT/src" -I"$ROOT/src/port/linux" "$PRELOAD" -Wl,-rpath,"$(dirname "$PRELOAD")"
timeout -k 5 600 "$T/doors"
