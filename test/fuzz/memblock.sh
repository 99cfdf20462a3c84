#!/bin/bash
# SPDX-License-Identifier: MIT
#
# memblock.sh - libFuzzer draws memory maps for a bounded time, from a few that firmware has
. "$(dirname "$0")/../fuzz_lib.sh"

# A call is six bytes: what (0 add, 1 remove, 2 node, 3 take, 4 allocate), kind of place, page, kind
# of length, pages, node.
seeds() {
	mkdir -p "$T/corpus" && python3 - "$T/corpus" <<-'END'
		import sys
		from pathlib import Path

		ADD, REMOVE, NODE, TAKE, ALLOC = range(5)
		maps = {
		    "pc": [(ADD, 0, 0, 0, 159, 0), (ADD, 4, 0, 0, 200, 0), (REMOVE, 0, 159, 0, 97, 0),
		           (TAKE, 0, 0, 0, 1, 0), (TAKE, 4, 16, 0, 40, 0), (ALLOC, 0, 0, 0, 4, 3)],
		    "two nodes": [(ADD, 0, 0, 0, 200, 0), (NODE, 0, 100, 0, 100, 1), (NODE, 8, 50, 2, 9, 2)],
		    "to the end": [(ADD, 1, 200, 1, 0, 0), (TAKE, 1, 1, 0, 9, 0), (ALLOC, 1, 90, 0, 5, 7)],
		    "all of it": [(ADD, 0, 0, 1, 0, 0), (REMOVE, 12, 3, 3, 250, 9), (ALLOC, 0, 0, 0, 1, 0)],
		    "unsorted": [(ADD, 0, n * 37 % 256, 0, 3, n % 4) for n in range(60)],
		    "too many": [(ADD, 4 * (n > 127), n * 2 % 256, 0, 1, 0) for n in range(140)]
		    + [(REMOVE, 0, 8, 0, 1, 0), (ADD, 0, 9, 0, 1, 0)],
		    "full of holes": [(ADD, 0, 0, 0, 255, 0), (ADD, 0, 200, 0, 255, 0)]
		    + [(REMOVE, 0, 2 * n, 0, 1, 0) for n in range(128)],
		    "all taken": [(ADD, 0, 0, 0, 255, 0)] + [(TAKE, 4 * (n > 127), 2 * n % 256, 0, 1, 0)
		                                             for n in range(140)] + [(ALLOC, 0, 0, 0, 1, 0)],
		}
		for name, calls in maps.items():
		    (Path(sys.argv[1]) / name).write_bytes(b"".join(bytes(c) for c in calls))
	END
}
build() { # OUTPUT SANITIZERS SOURCE
	cd "$ROOT" && "$clang" -std=gnu11 -O1 -g -w -fno-sanitize-recover=undefined \
		-fsanitize="fuzzer,$2" -Isrc -Isrc/port/sim -o "$1" test/fuzz/memblock_fuzz.c "$3"
}
# A fuzzer that finds nothing must be one that could: an end that is rounded the wrong way is found.
finds() {
	sed 's/end = memblock_up(memblock_end(/end = memblock_down(memblock_end(/' \
		"$ROOT/src/port/bare/memblock.c" >"$T/memblock.c" &&
		! cmp -s "$ROOT/src/port/bare/memblock.c" "$T/memblock.c" &&
		build "$T/finds" undefined "$T/memblock.c" && cd "$T" &&
		! "$T/finds" -max_total_time=60 -max_len=1200 -seed=1 corpus >"$T/finds.log" 2>&1 &&
		grep -q 'memblock_fuzz: line' "$T/finds.log"
}

sanitizers=undefined
may_reserve && sanitizers=address,undefined
check "maps to begin with" seeds
check "the fuzzer is built with $sanitizers" build "$T/memblock_fuzz" "$sanitizers" src/port/bare/memblock.c
check "$seconds seconds of memory maps" fuzz memblock_fuzz 1200
check "a wrong rounding is found" finds
tap_done
