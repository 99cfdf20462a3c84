#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# engines.sh - what make bench-engines does, with a trace of a few calls: record, replay, table, plot
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.bash"

for file in libashlar-slob-malloc.so libashlar-malloc.so libashlar-record.so; do
	[ -f "$build/$file" ] || { echo "1..0 # SKIP this build has no $file"; exit 0; }
done
compile small <<'C'
#include <stdlib.h>
#include <string.h>
int main(void)
{
	static char *keep[100];
	for (int i = 0; i < 3000; i++) {
		free(keep[i % 100]);
		keep[i % 100] = memset(malloc(10 + (size_t)i * 7 % 3000), 1, 10);
	}
	return 0;
}
C
mkdir traces
"$ashlar" record -q -o traces/small.trace -- ./small >record.log 2>&1
expect "a trace is recorded" 0 $?
"$source/bench/engines.py" --build "$build" --out out --traces traces --rounds 1 >table.md 2>engines.err
expect "it is replayed on each engine" 0 $?
cat engines.err | head -5 | sed 's/^/# /'
expect "one row an engine, with the same calls" "glibc slab slob pools" \
	"$(awk -F'|' '$2 ~ /small/ && $3 + 0 > 2 { gsub(/ /, "", $5); print $5 }' table.md | paste -sd' ')"
expect "figures of memory are there" 4 "$(awk -F'|' '$2 ~ /small/ && $6 > 0' table.md | wc -l)"
expect "the table is kept" "" "$(diff table.md out/engines.md)"
expect "a plot is drawn: live, and a line for each engine" 5 "$(grep -c '<polyline' out/engines-small.svg)"
python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' out/engines-small.svg
expect "it is XML" 0 $?
done_testing
