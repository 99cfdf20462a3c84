#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# sysfs.sh - ashlar info --sysfs: the kernel's directory of caches, read by the kernel's own tool
#
# slabinfo is in no package of its own; linux-source-6.1 (or -6.12) has its source.
. "$(dirname "$0")/lib.bash"

compile caches -I "$source/include" -L "$build" -lashlar-malloc -Wl,-rpath,"$build" <<'C'
#include <ashlar/slab.h>
#include <stdio.h>
#include <unistd.h>
static void construct(void *p) { *(int *)p = 1; }
int main(void)
{
	struct kmem_cache *cats = kmem_cache_create("cats", 100, 64, SLAB_HWCACHE_ALIGN, construct);
	struct kmem_cache *dogs = kmem_cache_create("dogs", 5000, 0,
		SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_CONSISTENCY_CHECKS, NULL);
	struct kmem_cache *odd = kmem_cache_create("../odd", 64, 0, SLAB_RECLAIM_ACCOUNT, NULL);
	struct kmem_cache *again = kmem_cache_create("cats", 200, 0, 0, NULL);
	for (int i = 0; i < 1000; i++)
		kmem_cache_alloc(cats, GFP_KERNEL);
	for (int i = 0; i < 77; i++)
		kmem_cache_alloc(dogs, GFP_KERNEL);
	kmem_cache_alloc(odd, GFP_KERNEL);
	kmem_cache_alloc(again, GFP_KERNEL);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
C
expect "the program compiles" "" "$(head -n 5 caches.log)"
./caches >out 2>&1 &
pid=$!
children="$children $pid"
wait_for grep -q ready out

expect "it writes without a word" "0 " "$(said=$("$ashlar" info $pid --sysfs tree 2>&1); echo "$? $said")"
expect "and again" "0 " "$(said=$("$ashlar" info $pid --sysfs tree 2>&1); echo "$? $said")"
"$ashlar" info $pid --slabinfo >slabinfo
at() { cat "tree/$1"; }
row() { awk -v name="$1" -v n="$2" '$1 == name { print $n; exit }' slabinfo; }
expect "a directory for each cache" "$(sed 1,2d slabinfo | wc -l)" \
	"$(find tree -mindepth 1 -maxdepth 1 -type d | wc -l)"
expect "names stay below" "" "$(find . -name odd)"
expect "with a name that cannot be one: its attributes" "1 64" \
	"$(cat tree/:*/reclaim_account tree/:*/object_size | xargs)"
expect "two caches of one name" "100 200" "$(at cats/object_size) $(at cats:2/object_size)"
expect "the same attributes everywhere" 1 "$(for d in tree/*; do (cd "$d" && echo ./*); done | sort -u | wc -l)"
expect "sizes" "100 128 64" "$(at cats/object_size) $(at cats/slab_size) $(at cats/align)"
expect "flags of the cache" "1 0 0 0" \
	"$(at cats/hwcache_align) $(at cats/cache_dma) $(at cats/destroy_by_rcu) $(at cats/reclaim_account)"
expect "flags of debugging" "1 1 1 1 0 0" "$(at dogs/red_zone) $(at dogs/poison) $(at dogs/store_user) $(
	at dogs/sanity_checks) $(at dogs/trace) $(at dogs/failslab)"
expect "without debugging" "0 0 0 0" \
	"$(at cats/red_zone) $(at cats/poison) $(at cats/store_user) $(at cats/sanity_checks)"
expect "capacity of an array, none where it is debugged" "$(row cats 9) 0" \
	"$(at cats/sheaf_capacity) $(at dogs/sheaf_capacity)"
expect "constructor: yes, no" "0x 0" "$(at cats/ctor | cut -c1-2) $(at dogs/ctor | wc -c)"
for cache in cats dogs kmalloc-1k; do
	expect "$cache: objects as slabinfo counts them" "$(row $cache 2) $(row $cache 3) $(row $cache 15)" \
		"$(cut -d' ' -f1 tree/$cache/objects) $(cut -d' ' -f1 tree/$cache/total_objects) $(
			cut -d' ' -f1 tree/$cache/slabs)"
done
expect "dogs: exactly those that were taken" "77 N0=77" "$(at dogs/objects)"
expect "dogs: partial slabs and what is in them" "$(
	per=$(at dogs/objs_per_slab)
	echo "$((77 % per != 0)) $((77 % per))"
)" "$(cut -d' ' -f1 tree/dogs/partial) $(cut -d' ' -f1 tree/dogs/objects_partial)"
expect "what cannot be written is said" "1 ashlar: /proc/tree: No such file or directory" \
	"$(said=$("$ashlar" info $pid --sysfs /proc/tree 2>&1); echo "$? $said")"

# ---- slabinfo with statistics

compile counted -I "$source/include" -L "$build" -lashlar-malloc -Wl,-rpath,"$build" <<'C'
#include <ashlar/slab.h>
#include <stdio.h>
#include <unistd.h>
int main(void)
{
	struct kmem_cache *cats = kmem_cache_create("cats", 100, 0, 0, NULL);
	void *held[1000];
	for (int i = 0; i < 1000; i++)
		held[i] = kmem_cache_alloc(cats, GFP_KERNEL);
	for (int i = 0; i < 1000; i++)
		kmem_cache_free(cats, held[i]);
	for (int i = 0; i < 5000; i++)
		kmem_cache_free(cats, kmem_cache_alloc(cats, GFP_KERNEL));
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
C
for mode in rseq lock; do
	ASHLAR_OPTIONS="stats=1;percpu=$mode" ./counted >out.$mode 2>&1 &
	pid=$!
	children="$children $pid"
	wait_for grep -q ready out.$mode
	"$ashlar" info $pid --slabinfo >counted.$mode
	expect "$mode: the first line says so" "slabinfo - version: 2.1 (statistics)" "$(head -n 1 counted.$mode)"
	expect "$mode: the columns stand where the kernel puts them" "" "$(sed 1,2d counted.$mode | grep -vE \
		'^[^ ]+( +[0-9]+){5} : tunables( +[0-9]+){3} : slabdata( +[0-9]+){3}'"\
"' : globalstat( +[0-9]+){9} : cpustat( +[0-9]+){4}$')"
	expect "$mode: every call is counted once" "6000 6000" "$(awk '$1 == "cats" {
		print $(NF - 3) + $(NF - 2), $(NF - 1) + $NF }' counted.$mode)"
	expect "$mode: most find what they want in the array" "yes yes" "$(awk '$1 == "cats" {
		print ($(NF - 3) > 5900 ? "yes" : $(NF - 3)), ($(NF - 1) > 5900 ? "yes" : $(NF - 1)) }' counted.$mode)"
	expect "$mode: at least a thousand were out of their slabs" "yes" "$(awk '$1 == "cats" {
		print ($19 >= 1000 && $20 >= 1000 ? "yes" : $19 " " $20) }' counted.$mode)"
done
if unshare -m sh -c 'mount --make-rprivate / && mount --bind counted.rseq /proc/slabinfo' 2>/dev/null; then
	contains "slabtop reads it" "$(unshare -m sh -c \
		'mount --make-rprivate / && mount --bind counted.rseq /proc/slabinfo && slabtop -o -s c' 2>&1)" "cats"
else
	skip "slabtop reads it" "no private mount of /proc/slabinfo (not root)"
fi

# ---- the kernel's slabinfo

# To find it in the archive takes long: what is built is kept beside the tests.
tool=${SLABINFO:-}
for archive in /usr/src/linux-source-6.*.tar.xz; do
	[ -n "$tool" ] || [ ! -f "$archive" ] && continue
	kept=$build/test/slabinfo-tool
	if [ ! "$kept" -nt "$archive" ]; then
		tar -xJf "$archive" --wildcards '*/tools/vm/slabinfo.c' '*/tools/mm/slabinfo.c' 2>/dev/null
		cc -O1 -w -o slabinfo-tool linux-source-*/tools/*/slabinfo.c && mv slabinfo-tool "$kept"
	fi
	[ -x "$kept" ] && tool=$kept
done
if [ -z "$tool" ]; then
	skip "slabinfo reads it" "no slabinfo: SLABINFO=PROGRAM, or the package linux-source-6.1"
elif ! unshare -m sh -c 'mount --make-rprivate / && mount --bind tree /sys/kernel/slab' 2>/dev/null; then
	skip "slabinfo reads it" "no private mount of /sys/kernel/slab (not root)"
else
	said=$(unshare -m sh -c "mount --make-rprivate / && mount --bind tree /sys/kernel/slab && $tool" 2>&1)
	expect "slabinfo: objects and size of cats" "$(row cats 2) 100" \
		"$(awk '$1 == "cats" { print $2, $3; exit }' <<<"$said")"
	expect "slabinfo: slabs and partial slabs of dogs" \
		"$(cut -d' ' -f1 tree/dogs/slabs)/$(cut -d' ' -f1 tree/dogs/partial)/0" \
		"$(awk '$1 == "dogs" { print $5; exit }' <<<"$said")"
	expect "slabinfo: dogs are debugged" "PZFU" "$(awk '$1 == "dogs" { print $NF; exit }' <<<"$said")"
	said=$(unshare -m sh -c "mount --make-rprivate / && mount --bind tree /sys/kernel/slab && $tool -r dogs" 2>&1)
	contains "slabinfo: its report of one cache" "$said" "Object :    5000"
fi
done_testing
