#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# info.sh - ashlar info: live processes, core files, /proc/slabinfo; and what it refuses
# shellcheck disable=SC2016
. "$(dirname "$0")/lib.bash"

# A program with figures that are known: 1234 blocks of 5000 bytes, one of 100 MiB, one of 1 MiB.
compile known <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
void *keep[1234], *volatile large, *volatile run;
int main(int argc, char **argv)
{
	int i;
	for (i = 0; i < 1234; i++)
		memset(keep[i] = malloc(5000), 1, 5000);
	large = malloc(100 << 20);
	run = malloc(1 << 20);
	free(malloc(700));
	puts("ready");
	fflush(stdout);
	if (argc > 1)
		abort();
	for (;;) {
		usleep(10000);
		for (i = 0; i < 200; i++)
			keep[i] = realloc(keep[i], i % 2 ? 5000 : 5100);
	}
}
C

start() { # NAME COMMAND...: in the background, until it is ready; its number in $pid
	local name=$1
	shift
	"$@" >"$name.out" 2>&1 &
	pid=$!
	children="$children $pid"
	wait_for grep -q ready "$name.out"
}

figure() { # KEY < JSON: of the process, or CACHE.KEY
	python3 -c '
import json, sys
j, key = json.load(sys.stdin), sys.argv[1].split(".")
for c in j["caches"]:
    if len(key) == 2 and c["name"] == key[0]:
        print(c[key[1]])
if len(key) == 1:
    print(j[key[0]])' "$1"
}

start live env LD_PRELOAD="$build/libashlar-malloc.so" ./known
live=$pid

# ---- a live process

json=$("$ashlar" info $live --json)
expect "live: objects of one size, each counted" 1234 "$(figure kmalloc-5k.used <<<"$json")"
expect "live: large blocks" $((101 << 20)) "$(figure large <<<"$json")"
expect "live: which process" "$live ./known" \
	"$(figure pid <<<"$json") $(figure command <<<"$json")"
said=$("$ashlar" info "$live")
contains "live: the mode, and why" "$said" "PID $live, "
contains "live: the biggest cache" "$said" "kmalloc-5k"
contains "live: what is live" "$said" "objects, 101.0 MiB in large blocks"
expect "live: caches by memory" kmalloc-5k "$("$ashlar" info $live --caches | awk 'NR == 2 { print $1 }')"
expect "live: caches by another column" "yes" "$("$ashlar" info $live --caches --sort size |
	awk 'NR == 2 { first = $1 } END { print first ~ /k$/ ? "yes" : first }')"
expect "live: it goes on" 0 "$(kill -0 $live; echo $?)"
said=$("$ashlar" info $live --sort nonsense 2>&1)
expect "an unknown column" "2 ashlar: info: no column 'nonsense'; \`ashlar help columns\` lists them" \
	"$? $said"

# ---- slabinfo 2.1

"$ashlar" info $live --slabinfo >slabinfo
expect "slabinfo: the two first lines" "slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables\
 <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>" \
	"$(head -n 2 slabinfo)"
expect "slabinfo: the columns stand where the kernel puts them" "" "$(sed 1,2d slabinfo | grep -vE \
	'^[^ ]+( +[0-9]+){5} : tunables( +[0-9]+){3} : slabdata( +[0-9]+){3}$')"
expect "slabinfo: a row to the letter" \
	"$(awk '$1 == "kmalloc-48" { printf "%-17s %6u %6u %6u %4u %4d : tunables %4u %4u %4u : slabdata %6u %6u %6u", \
		$1, $2, $3, $4, $5, $6, $9, $10, $11, $14, $15, $16 }' slabinfo)" \
	"$(grep '^kmalloc-48 ' slabinfo)"
expect "slabinfo: active is total less free" "$(
	json=$("$ashlar" info $live --json)
	echo $(($(figure kmalloc-5k.total <<<"$json") - $(figure kmalloc-5k.free <<<"$json")))
)" "$(awk '$1 == "kmalloc-5k" { print $2 }' slabinfo)"

mounted='mount --make-rprivate / && mount --bind slabinfo /proc/slabinfo'
if unshare -m sh -c "$mounted" 2>refused; then
	said=$(unshare -m sh -c "$mounted && slabtop -o -s c" 2>&1)
	contains "slabtop reads it" "$said" "kmalloc-5k"
	contains "slabtop: sums" "$said" "Active / Total Objects"
	said=$(unshare -m sh -c "$mounted && vmstat -m" 2>&1)
	expect "vmstat -m reads it: the same numbers" \
		"$(awk '$1 == "kmalloc-5k" { print $2, $3, $4, $5 }' slabinfo)" \
		"$(awk '$1 == "kmalloc-5k" { print $2, $3, $4, $5 }' <<<"$said")"
	expect "vmstat -m: all caches" "$(sed 1,2d slabinfo | wc -l)" "$(grep -vc '^Cache ' <<<"$said")"
else
	skip "slabtop and vmstat read it" "no private mount of /proc/slabinfo: $(tail -n 1 refused)"
fi

for form in --json --slabinfo --caches --sort=live; do
	expect "info $form: a full disk is told" "1 ashlar: standard output: No space left on device" "$(
		said=$("$ashlar" info $live $form 2>&1 >/dev/full)
		echo "$? $said"
	)"
done

# ---- ashlar trim

expect "trim: asked for" 0 "$("$ashlar" trim $live; echo $?)"

# ---- what it refuses: one clear line

start plain sh -c 'echo ready; exec sleep 1000'
expect "not started under Ashlar" "1 ashlar: PID $pid: not started under Ashlar" "$(
	said=$("$ashlar" info $pid 2>&1)
	echo "$? $said"
)"
sh -c : &
gone=$!
wait $gone
for number in 0 2147483648 99999999999999999999; do
	expect "no process has the number $number" "1 ashlar: PID $number: no such process" "$(
		said=$("$ashlar" info $number 2>&1)
		echo "$? $said"
	)"
done
for two in "--zoneinfo --buddyinfo" "--json --slabinfo" "--caches --json"; do
	# shellcheck disable=SC2086
	said=$("$ashlar" info $$ $two 2>&1)
	expect "two forms are refused: $two" 2 $?
	contains "two forms are refused, and why: $two" "$said" "one form at a time"
done
expect "gone" "1 ashlar: PID $gone: no such process" "$(
	said=$("$ashlar" info $gone 2>&1)
	echo "$? $said"
)"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	contains "refused" "$(setpriv --reuid 65534 --clear-groups "$ashlar" info $live 2>&1)" \
		"ashlar: PID $live: permission denied ("
else
	skip "refused" "not root"
fi
compile own <<'C'
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
static char pool[1 << 22];
static size_t used;
void *malloc(size_t n) { void *p = pool + used; used += (n + 15) & ~15ul; return p; }
void free(void *p) {}
void *calloc(size_t n, size_t m) { return malloc(n * m); }
void *realloc(void *p, size_t n) { return malloc(n); }
int main(void) { puts("ready"); fflush(stdout); pause(); }
C
start own env LD_PRELOAD="$build/libashlar-malloc.so" ./own
expect "its own malloc" "ashlar: PID $pid: Ashlar is loaded but not used: the program has its own malloc" \
	"$("$ashlar" info $pid 2>&1)"
expect "neither process nor core" "ashlar: /etc/passwd: neither a process nor a core file of a 64-bit process" \
	"$("$ashlar" info /etc/passwd 2>&1)"
contains "no such file" "$("$ashlar" info nowhere 2>&1)" "ashlar: nowhere: No such file"
expect "no argument" 2 "$("$ashlar" info 2>/dev/null; echo $?)"

# ---- a core file

ulimit -c unlimited
mkdir core.d
case $(cat /proc/sys/kernel/core_pattern) in
core*)
	(cd core.d && LD_PRELOAD="$build/libashlar-malloc.so" ../known die >/dev/null; true) 2>/dev/null
	core=$(echo core.d/core*)
	;;
*) core="" ;;
esac
if [ ! -f "$core" ] && command -v gdb >/dev/null; then
	gdb -q -batch -p $live -ex "generate-core-file core.d/core" >/dev/null 2>&1
	core=core.d/core
fi
if [ ! -f "$core" ]; then
	skip "core file" "neither core_pattern nor gdb gives one"
	done_testing
fi
json=$("$ashlar" info "$core" --json)
expect "core: objects of one size, each counted" 1234 "$(figure kmalloc-5k.used <<<"$json")"
expect "core: large blocks" $((101 << 20)) "$(figure large <<<"$json")"
contains "core: the command line" "$(figure command <<<"$json")" "known"
expect "core: slabinfo" "slabinfo - version: 2.1" "$("$ashlar" info "$core" --slabinfo | head -n 1)"

# What is not in use is not in the file: a small heap's is at most twice what it has in memory.
compile small <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
	char line[200];
	FILE *status = fopen("/proc/self/status", "r");
	for (int i = 0; i < 1000; i++)
		memset(malloc(100 + i), 1, 100 + i);
	while (fgets(line, sizeof(line), status))
		if (strncmp(line, "VmRSS:", 6) == 0)
			printf("%d\n", atoi(line + 6));
	fflush(stdout);
	abort();
}
C
mkdir small.d
resident=$( (cd small.d && LD_PRELOAD="$build/libashlar-malloc.so" ../small) 2>/dev/null)
if ls small.d/core* >/dev/null 2>&1; then
	apparent=$(($(stat -c %s small.d/core*) / 1024))
	expect "core: at most twice what is resident" "yes" \
		"$([ $apparent -le $((2 * resident)) ] && echo yes || echo "$apparent of $resident KiB")"
else
	skip "core: at most twice what is resident" "core_pattern is not a file"
fi

# The library's file is another by now: the anchor is found by what it begins with.
cp "$build/libashlar-malloc.so" libashlar-copy.so
mkdir copy.d
if (cd copy.d && LD_PRELOAD="$T/libashlar-copy.so" ../known die >/dev/null 2>&1; ls core*) >/dev/null 2>&1; then
	rm libashlar-copy.so
	expect "core: without the library's file" 1234 \
		"$("$ashlar" info copy.d/core* --json | figure kmalloc-5k.used)"
else
	skip "core: without the library's file" "core_pattern is not a file"
fi

cat >damage.py <<'PY'
# Damage copies of a core file, where it matters, and see that the command ends decently.
import os, random, struct, subprocess, sys
ashlar, core, rounds, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
good = open(core, "rb").read()
random.seed(seed)
magic = struct.pack("<Q", 0x4173686c61724131)
anchors = [i for i in range(0, len(good), 8) if good[i:i + 8] == magic]
phnum = struct.unpack_from("<H", good, 56)[0]
places = [range(0, 64), range(64, 64 + 56 * phnum), range(64 + 56 * phnum, 64 + 56 * phnum + 9000)]
places += [range(a, a + 800) for a in anchors] * 3
for round in range(rounds):
    b = bytearray(good)
    place = random.choice(places)
    for _ in range(random.choice([1, 1, 3, 20])):
        at = min(random.choice(place), len(b) - 8)
        how = random.randrange(3)
        if how == 0:
            b[at] ^= 1 << random.randrange(8)
        elif how == 1:
            b[at] = random.choice([0, 1, 127, 128, 255])
        else:
            struct.pack_into("<Q", b, at & ~7, random.choice(
                [0, 1, 2**64 - 1, 2**63, 2**32, 2**16, random.randrange(2**64), 0x7fff00000000]))
    if random.randrange(4) == 0:
        del b[random.randrange(len(b)):]
    with open("damaged", "r+b" if os.path.exists("damaged") else "wb") as f:
        f.write(b)
        f.truncate()
    for how in ([], ["--json"], ["--slabinfo"]):
        p = subprocess.run([ashlar, "info", "damaged"] + how, capture_output=True, timeout=20)
        lines = p.stderr.decode().count("\n")
        if p.returncode not in (0, 1) or (p.returncode == 1 and lines != 1):
            print("round", round, "status", p.returncode, p.stderr.decode()[:300])
            os.rename("damaged", "bad-core")
            sys.exit(1)
print("ok")
PY
rounds=60
[ "${ASHLAR_TEST-}" = quick ] && rounds=15
[ "${ASHLAR_TEST-}" = soak ] && rounds=3000
seed=${ASHLAR_SEED:-1}
echo "# seed $seed, a core of $(($(stat -c %s "$core") >> 10)) KiB"
expect "core: damaged copies give figures or one line" ok \
	"$(python3 damage.py "$ashlar" "$core" $rounds "$seed" 2>&1)"
done_testing
