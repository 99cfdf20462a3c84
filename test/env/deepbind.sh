#!/bin/bash
# SPDX-License-Identifier: MIT
#
# deepbind.sh - dlopen drops RTLD_DEEPBIND, unless ASHLAR_OPTIONS says deepbind=keep
. "$(dirname "$0")/../lib.sh"

compile deepbind deepbind.c -ldl
compile plugin.so deepbind_plugin.c -shared -fPIC

dropped() { under "$T/deepbind" "$T/plugin.so" cross; }
same "RTLD_DEEPBIND dropped, memory crosses over" dropped
if have_ashlar; then
	MODE=rseq EXTRA=deepbind=keep under "$T/deepbind" "$T/plugin.so" >"$T/keep" 2>&1
	check "deepbind=keep: the plugin has the C library's malloc" \
		grep -q "^plugin's malloc is another" "$T/keep"
else
	skip "deepbind=keep" "no Ashlar"
fi
tap_done
