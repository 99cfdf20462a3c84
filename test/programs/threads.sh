#!/bin/bash
# SPDX-License-Identifier: MIT
#
# threads.sh - thousands of short threads, and libraries that come and go under threads
. "$(dirname "$0")/../lib.sh"

compile thread_churn thread_churn.c -pthread
compile dlopen_many dlopen_many.c -pthread -ldl
compile plugin.so plugin.c -shared -fPIC

churn() { under "$T/thread_churn"; }

libraries() {
	for i in {0..15}; do
		cp "$T/plugin.so" "plugin$i.so"
	done
	under "$T/dlopen_many"
}

same "threads by the thousand" churn
same "dlopen and dlclose from four threads" libraries
tap_done
