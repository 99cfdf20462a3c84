#!/bin/bash
# SPDX-License-Identifier: MIT
#
# seccomp.sh - the kernel refuses calls from the start, or kills for them later
. "$(dirname "$0")/../lib.sh"
MODES="default lock"

compile refuse refuse.c -pthread
compile churn "$TEST/programs/thread_churn.c" -pthread

"$T/refuse" membarrier /bin/true
[ $? = 77 ] && skip_all "filters cannot be installed here"

refused() { under "$T/refuse" "$1" "$T/churn" 3000; }
sandbox() { under "$T/refuse" sandbox; }

for calls in membarrier rseq membarrier,rseq sched_getaffinity,getcpu,sysinfo,prlimit64 madvise mremap; do
	same "$calls refused" refused $calls
done
same "a sandbox that kills for all but the C library's own calls" sandbox
tap_done
