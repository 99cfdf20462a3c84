#!/bin/bash
# SPDX-License-Identifier: MIT
#
# fork.sh - two thousand forks and vforks of a process whose threads allocate
. "$(dirname "$0")/../lib.sh"

compile fork2000 fork2000.c -pthread

forks() { under "$T/fork2000"; }
vforks() { under "$T/fork2000" vfork; }

same "fork 2,000 times" forks
same "vfork 2,000 times" vforks
tap_done
