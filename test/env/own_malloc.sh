#!/bin/bash
# SPDX-License-Identifier: MIT
#
# own_malloc.sh - a program that brings its own malloc: Ashlar stays inert, all works
. "$(dirname "$0")/../lib.sh"

compile own own_user.c own_malloc.c -pthread -ldl -rdynamic
compile user own_user.c -pthread -ldl
compile libown.so own_malloc.c -shared -fPIC

in_the_program() { under "$T/own"; }
next_definition() { under "$T/own" next; }

same "malloc in the program" in_the_program
same "malloc in the program, and the next definition is used" next_definition
if have_ashlar; then
	check "malloc preloaded in front of Ashlar" \
		env LD_PRELOAD="$T/libown.so:$PRELOAD" timeout 20 "$T/user"
else
	check "malloc preloaded" env LD_PRELOAD="$T/libown.so" timeout 20 "$T/user"
fi
if grep -v '^address space below 1 GiB: yes$' "$T/check.out" >"$T/others"; then
	fail "the one in front serves all, Ashlar is inert" "$T/others"
else
	pass "the one in front serves all, Ashlar is inert"
fi
tap_done
