#!/bin/bash
# SPDX-License-Identifier: MIT
#
# fork.sh - two thousand forks and vforks of a process whose threads allocate
. "$(dirname "$0")/../lib.sh"

compile fork2000 fork2000.c -pthread
count=${FORKS:-2000} # fewer where a second engine is tried

forks() { under "$T/fork2000" "$count"; }
vforks() { under "$T/fork2000" "$count" vfork; }

same "fork $count times" forks
same "vfork $count times" vforks
tap_done
