# SPDX-License-Identifier: MIT
#
# fuzz_lib.sh - what the libFuzzer tests of test/fuzz share; it sources lib.sh
#
# Inputs  ASHLAR_TEST   quick: 5 seconds; nothing: 10; soak: 600
#         ASHLAR_SEED   where the fuzzer starts
#         FUZZ_CC       a clang
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
clang=${FUZZ_CC:-clang}
command -v "$clang" >/dev/null || skip_all "no clang, so no libFuzzer"
echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return p[n > 0]; }' >"$T/empty.c"
"$clang" -fsanitize=fuzzer "$T/empty.c" -o "$T/empty" 2>/dev/null || skip_all "clang has no libFuzzer"

case ${ASHLAR_TEST:-} in
quick) seconds=5 ;;
soak) seconds=600 ;;
*) seconds=10 ;;
esac

# AddressSanitizer reserves terabytes, which a machine in overcommit mode 2 refuses.
may_reserve() {
	"$clang" -fsanitize=address -x c - -o "$T/reserve" <<<'int main(void) { return 0; }' && "$T/reserve"
} 2>/dev/null

# fuzz NAME LENGTH: runs $T/NAME for its time on $T/corpus, and keeps what crashed it
fuzz() {
	mkdir -p "$T/corpus" && cd "$T" || return 1
	"$T/$1" -max_total_time=$seconds -max_len="$2" -seed="${ASHLAR_SEED:-1}" \
		-print_final_stats=1 -verbosity=0 corpus >"$T/fuzz.log" 2>&1
	local status=$?
	grep -E "stat::number_of_executed_units|$1:|ERROR|SUMMARY" "$T/fuzz.log" | sed 's/^/# /'
	[ $status -eq 0 ] || cp "$T"/crash-* "$BUILD/" 2>/dev/null
	return $status
}
