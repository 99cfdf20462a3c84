#!/bin/bash
# SPDX-License-Identifier: MIT
#
# fuzz.sh - libFuzzer against the model of intervals, both engines, for a bounded number of runs
#
# Inputs  ASHLAR_SLOB_SOURCES  the files of the slob engine, from meson.build (meson test slob/fuzz)
#         ASHLAR_SEED    the fuzzer's seed, printed (default 1)
#         ASHLAR_RUNS    programs to try (default 1500; soak: many more)
#         ASHLAR_CORPUS  a folder to keep what was found interesting
. "$(dirname "$0")/../lib.sh"

need clang clang
runs=${ASHLAR_RUNS:-1500}
[ "${ASHLAR_TEST:-}" = soak ] && runs=1000000
seed=${ASHLAR_SEED:-1}
echo "# ASHLAR_SEED $seed, $runs programs for each engine"

common="-std=gnu11 -g -O1 -fno-strict-aliasing -fno-builtin-malloc -fno-builtin-calloc
	-DCONFIG_DEBUG=1 -Wno-unused-command-line-argument -I $ROOT/include"
files() { (cd "$ROOT" && ls $1); }

fuzz() { # ENGINE INCLUDES SOURCES
	local engine=$1 includes=$2 sources=$3 list=""
	for f in $sources; do list="$list $ROOT/$f"; done
	# shellcheck disable=SC2086
	if ! clang $common $includes -fsanitize=fuzzer,undefined \
		-fno-sanitize-recover=undefined -I "$ROOT/src" -I "$ROOT/src/port/sim" -I "$ROOT/test" \
		$list "$ROOT"/src/port/sim/*.c "$ROOT/test/fuzz/interval_fuzz.c" -o "$T/$engine" \
		>"$T/log" 2>&1; then
		fail "$engine: the target is built" "$T/log"
		return
	fi
	mkdir -p "$T/corpus" "${ASHLAR_CORPUS:-$T/corpus}/$engine"
	if (cd "$T" && timeout 500 "$T/$engine" -runs="$runs" -seed="$seed" -max_len=2000 -len_control=20 \
		"${ASHLAR_CORPUS:-$T/corpus}/$engine") >"$T/log" 2>&1; then
		grep -oE 'cov: [0-9]+' "$T/log" | tail -n 1 | sed "s/^/# $engine: /"
		pass "$engine: $runs programs do what the model says"
	else
		tail -n 60 "$T/log" >"$T/end"
		fail "$engine: $runs programs do what the model says" "$T/end"
	fi
}

fuzz slob "-I $ROOT/src/slob" "${ASHLAR_SLOB_SOURCES:?meson test -C build slob/fuzz}"
fuzz slab "" "$(files 'src/base/*.c src/page/*.c src/engine/*.c src/cache/*.c' | tr '\n' ' ')"
tap_done
