#!/bin/bash
# SPDX-License-Identifier: MIT
#
# early.sh - ready before main, in constructors of all kinds; still there in destructors
. "$(dirname "$0")/../lib.sh"

compile libearly_dep.so early_dep.c -shared -fPIC
compile early early.c -pthread -L"$T" -learly_dep -Wl,-rpath,"$T"

job() { under "$T/early"; }
same "constructors, atexit and destructors" job
tap_done
