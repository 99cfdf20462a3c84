#!/bin/bash
# SPDX-License-Identifier: MIT
#
# atfork.sh - fork handlers that allocate, in front of ours
. "$(dirname "$0")/../lib.sh"
LIMIT=60

compile libatfork_dep.so atfork_dep.c -shared -fPIC -pthread
compile atfork atfork.c -pthread -L"$T" -latfork_dep -Wl,-rpath,"$T"

job() { under "$T/atfork"; }
same "fork handlers that allocate" job
tap_done
