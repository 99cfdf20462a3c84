#!/bin/bash
# SPDX-License-Identifier: MIT
#
# pool.sh - libFuzzer works on pools for a bounded time, with AddressSanitizer and UBSan
#
#   ASHLAR_TEST=quick: 5 seconds; nothing: 20; soak: 600. ASHLAR_SEED chooses where it starts.
. "$(dirname "$0")/../lib.sh"
clang=${FUZZ_CC:-clang}
command -v "$clang" >/dev/null || skip_all "no clang, so no libFuzzer"
echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return p[n > 0]; }' >"$T/empty.c"
"$clang" -fsanitize=fuzzer "$T/empty.c" -o "$T/empty" 2>/dev/null || skip_all "clang has no libFuzzer"

case ${ASHLAR_TEST:-} in
quick) seconds=5 ;;
soak) seconds=600 ;;
*) seconds=20 ;;
esac

build() {
	cd "$ROOT" && "$clang" -std=gnu11 -O1 -g -w -DCONFIG_DEBUG=1 -fno-strict-aliasing \
		-fno-sanitize-recover=undefined -fsanitize=fuzzer,address,undefined \
		-Iinclude -Isrc -Isrc/port/sim -Itest -o "$T/pool_fuzz" test/fuzz/pool_fuzz.c \
		src/base/*.c src/page/*.c src/engine/*.c src/cache/*.c src/pool/*.c src/port/sim/*.c
}
fuzz() {
	mkdir -p "$T/corpus" && cd "$T" &&
		"$T/pool_fuzz" -max_total_time=$seconds -max_len=600 -seed="${ASHLAR_SEED:-1}" \
			-print_final_stats=1 -verbosity=0 corpus >"$T/fuzz.log" 2>&1
	local status=$?
	grep -E 'stat::number_of_executed_units|pool_fuzz:|ERROR|SUMMARY' "$T/fuzz.log" | sed 's/^/# /'
	[ $status -eq 0 ] || cp "$T"/crash-* "$BUILD/" 2>/dev/null
	return $status
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

check "the fuzzer is built" build
check "$seconds seconds of work on pools" fuzz
if [ "${ASHLAR_TEST:-}" = quick ]; then
	skip "a rule that is wrong is found" "not in the quick tests: it is built twice for it"
else
	check "a rule that is wrong is found" finds
fi
tap_done
