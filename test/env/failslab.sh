#!/bin/bash
# SPDX-License-Identifier: MIT
#
# failslab.sh - allocations that fail on purpose, in programs as they are: one after the other
# until there is none left to fail
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "it is an option of Ashlar's"
compile failslab failslab.c

# each LAST COMMAND...: fail_nth=1, 2, ...; the last one, where nothing fails, prints LAST
each() {
	local last=$1 n out status
	shift
	for ((n = 1; n < 3000; n++)); do
		EXTRA=fail_nth=$n
		out=$(under "$@" 2>"$T/err")
		status=$?
		if [ $status -ge 126 ]; then
			echo "fail_nth=$n: ended with $status"
			cat "$T/err"
			return 1
		fi
		if ! grep -q 'ashlar: failslab: failure 1: ' "$T/err"; then
			echo "# $n runs"
			[ "$out" = "$last" ]
			return
		fi
	done
	echo "no end"
	return 1
}

for MODE in rseq lock; do
	check "every call of a program fails once ($MODE)" each done "$T/failslab"
done
MODE=rseq
seq 100 >"$T/numbers"
check "every call of sort fails once" each 99 sh -c "sort -n '$T/numbers' | sed -n 99p"
check "every call of awk fails once" each 5050 awk '{ n += $1 } END { print n }' "$T/numbers"

EXTRA="failslab=7,100,0,-1,kmalloc-1k"
under "$T/failslab" >"$T/out" 2>"$T/err"
check "only the caches that are named fail" \
	test "$(grep -c 'of kmalloc-1k' "$T/err")" = "$(grep -c failslab "$T/err")"
EXTRA="failslab=5,100,0,3"
under "$T/failslab" >"$T/out" 2>"$T/err"
check "as often as was said" test "$(grep -c 'ashlar: failslab: failure' "$T/err")" = 3
check "and the program goes on" test "$(cat "$T/out")" = "went on"
tap_done
