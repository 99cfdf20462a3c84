#!/bin/bash
# SPDX-License-Identifier: MIT
#
# pool.sh - libFuzzer works on pools for a bounded time, with AddressSanitizer and UBSan
. "$(dirname "$0")/../fuzz_lib.sh"

build() { # SANITIZERS
	cd "$ROOT" && "$clang" -std=gnu11 -O1 -g -w -DCONFIG_DEBUG=1 -fno-strict-aliasing \
		-fno-sanitize-recover=undefined -fsanitize="fuzzer,$1" \
		-Iinclude -Isrc -Isrc/port/sim -Itest -o "$T/pool_fuzz" test/fuzz/pool_fuzz.c \
		src/base/*.c src/page/*.c src/engine/*.c src/cache/*.c src/pool/*.c src/port/sim/*.c
}
# A fuzzer that finds nothing must be one that could: a wrong rule is found at once.
finds() {
	cd "$ROOT" && sed 's/visited == info.objects_using/visited != 3/' test/pool/pool_model.h \
		>"$T/pool_model.h" && mkdir -p "$T/pool" && mv "$T/pool_model.h" "$T/pool/" &&
		"$clang" -std=gnu11 -O1 -w -fno-strict-aliasing -fsanitize=fuzzer -I"$T" -Iinclude -Isrc \
			-Isrc/port/sim -Itest -o "$T/finds" test/fuzz/pool_fuzz.c src/base/*.c src/page/*.c \
			src/engine/*.c src/cache/*.c src/pool/*.c src/port/sim/*.c &&
		cd "$T" && ! "$T/finds" -max_total_time=60 -max_len=600 -seed=1 >"$T/finds.log" 2>&1 &&
		grep -q 'visited != 3' "$T/finds.log"
}

if may_reserve; then
	check "the fuzzer is built" build address,undefined
else
	check "the fuzzer is built, without AddressSanitizer: it may not reserve memory here" build undefined
fi
check "$seconds seconds of work on pools" fuzz pool_fuzz 600
if [ "${ASHLAR_TEST:-}" = quick ]; then
	skip "a rule that is wrong is found" "not in the quick tests: it is built twice for it"
else
	check "a rule that is wrong is found" finds
fi
tap_done
