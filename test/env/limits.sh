#!/bin/bash
# SPDX-License-Identifier: MIT
#
# limits.sh - ulimit -v, RLIMIT_AS lowered at run time, running out and going on
. "$(dirname "$0")/../lib.sh"
LIMIT=60

compile limits limits.c -pthread -ldl

under_ulimit() { under sh -c 'ulimit -v 65536; exec "$0" start' "$T/limits"; }
lowered() { under "$T/limits" lower; }
programs() {
	under sh -c 'ulimit -v 65536; ls / >/dev/null && sort /etc/passwd | uniq -c | wc -l >/dev/null && echo ok'
}
half_a_gib() {
	under sh -c 'ulimit -v 524288; exec "$0" -c "import json, threading, sqlite3; \
t = [threading.Thread(target=lambda: json.dumps(list(range(100000)))) for i in range(8)]; \
[x.start() for x in t]; [x.join() for x in t]; print(len(t))"' "$PYTHON"
}

same "64 MiB of address space: threads, dlopen, running out" under_ulimit
same "64 MiB of address space: small programs" programs
same "512 MiB of address space: python with threads" half_a_gib
same "RLIMIT_AS lowered at run time" lowered
compile lowered lowered.c -pthread
lowered() { under "$T/lowered"; }
same "the heap grows under a lowered RLIMIT_AS" lowered
tap_done
