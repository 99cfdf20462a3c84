#!/bin/bash
# SPDX-License-Identifier: MIT
#
# foreign.sh - a pointer from the C library's heap: reported, or with foreign=libc given to it
. "$(dirname "$0")/../lib.sh"

compile foreign foreign.c -ldl

for what in free realloc usable; do
	timeout 20 "$T/foreign" $what >"$T/expect" 2>"$T/err"
	if have_ashlar; then
		MODE=rseq EXTRA=foreign=libc under "$T/foreign" $what >"$T/out" 2>"$T/err"
		check "foreign=libc, $what: as with the C library" diff "$T/expect" "$T/out"
		(MODE=rseq under "$T/foreign" $what) >"$T/out" 2>"$T/err"
		status=$?
		name=${what/usable/malloc_usable_size}
		tail='this memory is not Ashlar'\''s$'
		[ $what = free ] && word='invalid free' || word='invalid pointer'
		if [ $status = 134 ] && head -n 1 "$T/err" |
			grep -Eq "^ashlar: $name\(0x[0-9a-f]+\): $word: $tail"; then
			pass "default, $what: reported, and the program ends"
		else
			echo "status $status" >>"$T/err"
			fail "default, $what: reported, and the program ends" "$T/err"
		fi
	else
		check "the C library, $what" grep -q ': yes$' "$T/expect"
	fi
done
tap_done
