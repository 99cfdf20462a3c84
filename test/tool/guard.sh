#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# guard.sh - ashlar info of a process with guarded objects, and of one without
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.bash"

# 10 blocks that stay of 2000 bytes, 1990 that are freed, of 100.
compile held <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
void *volatile keep[10];
int main(void)
{
	for (int i = 0; i < 10; i++)
		keep[i] = malloc(2000);
	for (int i = 0; i < 1990; i++) {
		void *volatile p = malloc(100);

		free(p);
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
C

start() { # NAME OPTIONS: in the background, until it is ready; its number in $pid
	env LD_PRELOAD="$build/libashlar-malloc.so" ASHLAR_OPTIONS="$2" ./held >"$1.out" 2>&1 &
	pid=$!
	children="$children $pid"
	wait_for grep -q ready "$1.out"
}

figure() { # KEY < JSON: of the process, or CACHE.KEY
	python3 -c '
import json, sys
j, key = json.load(sys.stdin), sys.argv[1].split(".", 1)
print(*[c[key[1]] for c in j["caches"] if len(key) == 2 and c["name"] == key[0]] or [j[key[0]]])' "$1"
}

start guarded "guard=1;guard_slots=100"
json=$("$ashlar" info $pid --json)
expect "slots" 100 "$(figure guard_slots <<<"$json")"
expect "objects of a cache that are guarded" 10 "$(figure kmalloc-2k.guarded <<<"$json")"
expect "they are in use" 10 "$(figure kmalloc-2k.used <<<"$json")"
expect "all that were, ever" yes "$([ "$(figure guard_sampled <<<"$json")" -ge 2000 ] && echo yes)"
expect "nobody found no slot" 0 "$(figure guard_missed <<<"$json")"
used=$(figure guarded <<<"$json")
expect "the short form says so" "  guarded                    $used   of 100 slots; $(
	figure guard_sampled <<<"$json"
) since the start, 0 found no slot" "$("$ashlar" info $pid | grep '^  guarded')"
expect "and names the cache" kmalloc-2k "$("$ashlar" info $pid --caches | awk '$1 == "kmalloc-2k" { print $1 }')"
expect "slabinfo counts them" "10 10" \
	"$("$ashlar" info $pid --slabinfo | awk '$1 == "kmalloc-2k" { print $2, $3 }')"

start few "guard=1;guard_slots=4"
json=$("$ashlar" info $pid --json)
expect "few slots are all in use" 4 "$(figure guarded <<<"$json")"
expect "and somebody found none" yes "$([ "$(figure guard_missed <<<"$json")" -ge 1 ] && echo yes)"

start plain ""
json=$("$ashlar" info $pid --json)
expect "without the option there are no slots" 0 "$(figure guard_slots <<<"$json")"
expect "and no line" "" "$("$ashlar" info $pid | grep '^  guarded')"
done_testing
