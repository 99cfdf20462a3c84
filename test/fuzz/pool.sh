#!/bin/bash
# SPDX-License-Identifier: MIT
#
# pool.sh - libFuzzer works on pools for a bounded time, with AddressSanitizer and UBSan
. "$(dirname "$0")/../fuzz_lib.sh"

sanitizers=undefined
may_reserve && sanitizers=address,undefined

compile_fuzz() { # ARGUMENTS...
	"$clang" -std=gnu11 -O1 -gline-tables-only -w -DCONFIG_DEBUG=1 -fno-strict-aliasing \
		-fno-sanitize-recover=undefined -fsanitize="fuzzer,$sanitizers" "$@"
}
# The core is compiled once, for both fuzzers.
build() {
	for folder in base page engine cache pool port/sim; do
		mkdir -p "$T/core/$folder" && cd "$T/core/$folder" && compile_fuzz -I"$ROOT/include" \
			-I"$ROOT/src" -I"$ROOT/src/port/sim" -c "$ROOT/src/$folder"/*.c || return 1
	done
	fuzzer pool_fuzz
}
fuzzer() { # NAME ARGUMENTS...
	# shellcheck disable=SC2046
	cd "$ROOT" && compile_fuzz "${@:2}" -Iinclude -Isrc -Isrc/port/sim -Itest -o "$T/$1" \
		test/fuzz/pool_fuzz.c $(find "$T/core" -name '*.o')
}
# A fuzzer that finds nothing must be one that could: a wrong rule is found at once.
finds() {
	cd "$ROOT" && sed 's/visited == info.objects_using/visited != 3/' test/pool/pool_model.h \
		>"$T/pool_model.h" && mkdir -p "$T/pool" && mv "$T/pool_model.h" "$T/pool/" &&
		fuzzer finds -I"$T" &&
		cd "$T" && ! "$T/finds" -max_total_time=60 -max_len=600 -seed=1 >"$T/finds.log" 2>&1 &&
		grep -q 'visited != 3' "$T/finds.log"
}

if [ $sanitizers = address,undefined ]; then
	check "the fuzzer is built" build
else
	check "the fuzzer is built, without AddressSanitizer: it may not reserve memory here" build
fi
check "$seconds seconds of work on pools" fuzz pool_fuzz 600
check "a rule that is wrong is found" finds
tap_done
