#!/bin/bash
# SPDX-License-Identifier: MIT
#
# dlclose.sh - both libraries stay mapped after dlclose, and start first (-z nodelete, -z initfirst)
. "$(dirname "$0")/../lib.sh"

compile dlclose dlclose.c -ldl
libc_job() { under "$T/dlclose" libc.so.6; }

same "a library that is closed while its object lives" libc_job
if have_ashlar; then
	need readelf binutils
	for lib in libashlar.so libashlar-malloc.so; do
		readelf -dW "$BUILD/$lib" >"$T/dynamic" 2>&1
		if grep -q NODELETE "$T/dynamic" && grep -q INITFIRST "$T/dynamic"; then
			pass "$lib: NODELETE and INITFIRST"
		else
			fail "$lib: NODELETE and INITFIRST" "$T/dynamic"
		fi
	done
	check "libashlar-malloc.so: opened, preloaded as well, closed" \
		env LD_PRELOAD="$PRELOAD" timeout 20 "$T/dlclose" "$PRELOAD"
	check "libashlar-malloc.so: opened late, closed" timeout 20 "$T/dlclose" "$PRELOAD"
	check "libashlar.so: opened late, closed" \
		timeout 20 "$T/dlclose" "$BUILD/libashlar.so" ashlar_kmalloc ashlar_kfree
else
	skip "the libraries" "no Ashlar"
fi
tap_done
