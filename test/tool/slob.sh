#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# slob.sh - a process on the slob engine, run and looked at from outside
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.bash"

# 1,000 blocks of 1,000 bytes, of which every second one is free again, 100 objects of a cache, and
# one block of a MiB; the buffer of standard output is a page.
cat >known.c <<'C'
#include <ashlar/slab.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
void *keep[1000], *volatile large;
int main(int argc, char **argv)
{
	struct kmem_cache *c = ashlar_kmem_cache_create("things", 200, 0, 0, NULL);
	int i;
	for (i = 0; i < 1000; i++)
		keep[i] = malloc(1000);
	for (i = 0; i < 1000; i += 2)
		free(keep[i]);
	for (i = 0; i < 100; i++)
		ashlar_kmem_cache_alloc(c, GFP_KERNEL);
	large = malloc(1 << 20);
	puts("ready");
	fflush(stdout);
	if (argc > 1)
		return 0;
	pause();
	return 0;
}
C
cc -O1 -fno-builtin -I"$source/include" known.c -o known "$build/libashlar-slob-malloc.so" \
	-Wl,-rpath,"$build" >cc.log 2>&1 || cat cc.log

figures() { # < JSON: bytes live between 1.5 and 1.7 MiB, objects, of things, in large blocks
	python3 -c '
import json, sys
j = json.load(sys.stdin)
j = j["processes"][0] if "processes" in j else j
caches = {c["name"]: c for c in j["caches"]}
print(j["percpu"], 1500 << 10 < j["live"] < 1700 << 10, caches["things"]["used"], j["large"],
      caches["slob-pages"]["memory"] > 500000, caches["slob-pages"]["free"] * 2 > 400000)'
}

./known >ready.out &
children=$!
wait_for grep -q ready ready.out
expect "info: a live process's own figures" "slob True 100 1052672 True True" \
	"$("$ashlar" info $children --json | figures)"
text=$("$ashlar" info $children)
contains "info: says which engine it is" "$text" "slob: blocks of any size share pages"
contains "info: names caches" "$text" "things"
lacks "info: has no figures of arrays, which there are not" "$text" "in arrays"
contains "info: slabinfo is printed" "$("$ashlar" info $children --slabinfo)" "things               100    100"

"$ashlar" trim $children
expect "trim: the request is written" 0 $?

"$ashlar" run --engine slob --json run.json -- ./known end >/dev/null 2>run.err
expect "run: the record has the same figures" "slob True 100 1052672 True True" "$(figures <run.json)"
contains "run: the summary is slob's" "$(cat run.err)" "free in pages"
cat >twice.c <<'C'
#include <stdlib.h>
int main(void) { void *volatile p = malloc(100), *q = p; free(p); free(q); return 0; }
C
cc -w -O0 twice.c -o twice
"$ashlar" run --engine slob --json twice.json -- ./twice 2>twice.err
contains "run: a misuse is kept in the record" \
	"$(python3 -c 'import json; print(json.load(open("twice.json"))["processes"][0]["message"])')" \
	"double free: this block is already free"
"$ashlar" run --engine slub -- true 2>engine.err
expect "run: an engine that there is not" 2 $?
contains "run: says which there are" "$(cat engine.err)" "slab or slob"
done_testing
