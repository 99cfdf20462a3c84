#!/bin/bash
# SPDX-License-Identifier: MIT
#
# startup.sh - what Ashlar adds to the start of a program: at most ten system calls (eleven on
# a machine of 32 GiB or more, where the kernel is asked for its NUMA nodes)
#
# What    Counts the system calls of /bin/true, with an empty library preloaded (the
#         loader's own work for one library more) and with Ashlar.
# Why     A shell script starts thousands of programs.
. "$(dirname "$0")/../lib.sh"
need strace strace

# The same segments as ours: the loader's calls must not count as Ashlar's.
echo 'char zeros[1 << 20]; int here = 1; int *empty_library(void);
int *empty_library(void) { return &here + zeros[here]; }' >"$T/empty.c"
compile empty.so "$T/empty.c" -shared -fPIC -Wl,-z,nodelete -Wl,-z,initfirst

# trace LIBRARY LOG: the calls of the program itself, from its exec on
trace() {
	timeout 20 strace -f -o "$T/trace" -E LD_PRELOAD="$1" /bin/true || return 1
	sed -n '/execve(/,$p' "$T/trace" | sed 's/^[0-9]* *//' | grep -E '^[a-z_0-9]+\(' >"$2"
}

trace "$T/empty.so" "$T/plain" || skip_all "strace may not trace here"
if ! have_ashlar; then
	check "a program can be traced" test -s "$T/plain"
	tap_done
fi
trace "$PRELOAD" "$T/ashlar"
more=$(($(wc -l <"$T/ashlar") - $(wc -l <"$T/plain")))
diff <(sed 's/(.*//' "$T/plain" | sort | uniq -c) <(sed 's/(.*//' "$T/ashlar" | sort | uniq -c) >"$T/diff"
echo "# $more system calls more than the C library for /bin/true"
most=10
[ "$(awk '/^MemTotal:/ { print int($2 / 1048576) }' /proc/meminfo)" -ge 31 ] && most=11
if [ "$more" -le $most ]; then
	pass "at most $most system calls more"
else
	fail "at most $most system calls more" "$T/diff" "$T/ashlar"
fi
grep -E '^(open|openat)\(' "$T/ashlar" | grep -v "\.so" | grep -v '"/etc/ld.so' >"$T/files"
[ -d /sys/devices/system/node/node1 ] && sed -i '\#"/sys/devices/system/node/#d' "$T/files"
check "no file is opened but libraries" diff /dev/null "$T/files"
grep -E '^(clone|clone3|socket|rt_sigaction|timer_create)\(' "$T/ashlar" >"$T/forbidden"
check "no thread, socket or signal of its own" diff /dev/null "$T/forbidden"
tap_done
