#!/bin/bash
# SPDX-License-Identifier: MIT
#
# address.sh - Ashlar serves programs that take malloc's address, position independent or not
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "no Ashlar"
for how in "-no-pie -fno-pie" "-pie -fPIE"; do
	# shellcheck disable=SC2086
	compile address address.c -fno-builtin $how
	(LD_PRELOAD=$PRELOAD timeout 20 "$T/address") >"$T/out" 2>"$T/err"
	check "it runs to its end, $how" grep -q '^end' "$T/out"
	check "its blocks are Ashlar's, $how" grep -q '^ashlar: online [1-9]' "$T/err"
done
tap_done
