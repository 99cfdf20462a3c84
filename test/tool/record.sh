#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# record.sh - ashlar record: the trace has what the program did, however it ended, and can be replayed
. "$(dirname "$0")/lib.bash"
[ -f "$build/libashlar-record.so" ] || { echo "1..0 # SKIP this build has no shared library"; exit 0; }

# The header's figures and the events, as text: a second reader of the format, in another language.
cat >read.py <<'PY'
import struct, sys
data = open(sys.argv[1], "rb").read()
magic, version, size, length, events, objects, peak, pid, _ = struct.unpack_from("<QIIQQQQII", data)
assert magic == 0x4173686c61725431 and version == 1 and length <= len(data)
at, n, live, live_peak, made = size, 0, {}, 0, 0
def number():
    global at
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return value
out = []
while at < length:
    first = number()
    kind, rest = first & 3, first >> 2
    if kind in (0, 3):
        live[made] = rest
        out.append(f"{'am'[kind == 3]}{rest}" + (f"@{number()}" if kind == 3 else ""))
        made += 1
    elif kind == 1:
        del live[made - 1 - rest]  # must be there
        out.append(f"f{made - 1 - rest}")
    else:
        new = number()
        assert made - 1 - rest in live
        live[made - 1 - rest] = new
        out.append(f"r{made - 1 - rest}:{new}")
    live_peak = max(live_peak, sum(live.values()) if len(live) < 2000 else 0)
    n += 1
assert (n, made) == (events, objects), (n, events, made, objects)
assert len(live) >= 2000 or live_peak <= peak
print("whole" if len(sys.argv) > 2 else " ".join(out[-int(40):]))
PY
events() { python3 read.py "$@"; }

# What a program does between two marks of 1234567 bytes.
compile steps -O0 -fno-builtin <<'C'
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char *volatile p, *volatile q, *volatile r;
	void *a;
	free(malloc(1234567));
	p = malloc(100);
	q = calloc(10, 20);
	r = realloc(p, 5000);
	posix_memalign(&a, 256, 300);
	free(q);
	p = realloc(NULL, 7);
	r = realloc(r, 0);
	free(NULL);
	free(a);
	if (malloc((size_t)1 << 62)) return 1;
	if (reallocarray(NULL, (size_t)1 << 40, (size_t)1 << 40)) return 1;
	if (argc > 1 && strcmp(argv[1], "_exit") == 0) _exit(3);
	if (argc > 1 && strcmp(argv[1], "kill") == 0) abort();
	if (argc > 1 && strcmp(argv[1], "exec") == 0) execl("/bin/true", "true", NULL);
	return 0;
}
C
want="a1234567 f0 a100 a200 r1:5000 m300@8 f2 a7 f1 f3"
for how in plain _exit kill exec; do
	"$ashlar" record -q -o trace -- ./steps $how >/dev/null 2>&1
	status=$?
	# Objects of the start come before: count from the first mark.
	first=$(python3 read.py trace | tr ' ' '\n' | grep -n '^a1234567$' | cut -d: -f1)
	base=$(($(od -A n -t u8 -j 32 -N 8 trace) - 5)) # objects: five of ours
	found=$(events trace | tr ' ' '\n' | tail -n "+${first:-1}" |
		awk -v b="$base" '{ if (match($0, /^[fr][0-9]+/)) { n = substr($0, 2, RLENGTH - 1) - b
			$0 = substr($0, 1, 1) n substr($0, RLENGTH + 1) } print }' | paste -sd' ')
	expect "what it did, in order, when it ends by $how" "$want" "${found:0:${#want}}"
	case $how in
	plain | exec) expect "its exit status: $how" 0 $status ;;
	_exit) expect "its exit status: $how" 3 $status ;;
	kill) expect "it ends by its signal" 134 $status ;;
	esac
	rm -f trace*
done

# A program that starts others, and one that forks and goes on.
"$ashlar" record -q -o many -- sh -c './steps; ./steps; :' >/dev/null 2>&1
expect "each program has a trace of its own" 3 "$(ls many many.* 2>/dev/null | wc -l)"
for f in many*; do python3 read.py "$f" whole; done >whole.txt
expect "all are whole" "whole whole whole" "$(paste -sd' ' whole.txt)"

compile threads -fno-builtin -pthread <<'C'
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static void *slot[64];
static void *run(void *argument)
{
	unsigned long state = (unsigned long)argument * 2654435761u + 1;
	for (int i = 0; i < 30000; i++) {
		state = state * 6364136223846793005ul + 1442695040888963407ul;
		size_t size = 1 + state % (state % 50 ? 2000 : 90000);
		void *p = realloc(state >> 40 & 1 ? malloc(10) : NULL, size);
		memset(p, 1, size < 100 ? size : 100);
		free(__atomic_exchange_n(&slot[state >> 33 & 63], p, __ATOMIC_ACQ_REL));
		if (argument == 0 && i % 5000 == 0) {
			pid_t child = fork();
			if (child == 0) { free(malloc(77)); _exit(0); }
			waitpid(child, NULL, 0);
		}
	}
	return NULL;
}
int main(void)
{
	pthread_t t[4];
	for (long i = 0; i < 4; i++) pthread_create(&t[i], NULL, run, (void *)i);
	for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
	return 0;
}
C
said=$("$ashlar" record -o trace -- ./threads 2>&1)
contains "it says what is in the trace" "$said" "bytes in use"
expect "four threads and forks: whole, each free has its object" "whole" "$(events trace whole)"
expect "a forked child adds nothing" 1 "$(ls trace trace.* 2>/dev/null | wc -l)"

# ---- replay
cc -std=gnu11 -O1 -w -D_GNU_SOURCE -fno-builtin -I "$source/include" -o replay "$source/bench/replay.c"
sum() { tail -n 1 "$1" | grep -oE '(events|live_peak)=[0-9]+' | paste -sd' '; }
header="events=$(od -A n -t u8 -j 24 -N 8 trace | tr -d ' ') live_peak=$(od -A n -t u8 -j 40 -N 8 trace | tr -d ' ')"
for engine in glibc slab pools; do
	case $engine in
	glibc) LD_PRELOAD='' ./replay trace malloc >out 2>&1 ;;
	slab) LD_PRELOAD=$build/libashlar-malloc.so ASHLAR_OPTIONS=audit=1 ./replay trace malloc >out 2>&1 ;;
	pools) LD_PRELOAD=$build/libashlar.so ASHLAR_OPTIONS=audit=1 ./replay trace pools 2 >out 2>&1 ;;
	esac
	expect "replayed on $engine: status" 0 $?
	expect "replayed on $engine: the same events and peak" "$header" "$(sum out)"
	expect "replayed on $engine: 200 looks" yes "$([ "$(grep -c '^at=' out)" -ge 150 ] && echo yes)"
done
head -c 100 trace >short
./replay short malloc >out 2>&1
expect "what is no trace" "1 replay: short: no trace" "$? $(cat out)"

# ---- refusals
"$ashlar" record -- true 2>out
expect "without a file" "2 ashlar: record: ashlar record -o FILE -- PROGRAM ARGS" "$? $(cat out)"
"$ashlar" record -o trace -- ./nothing-here 2>out
expect "a program that is not there" 127 $?
mkfifo pipe
ln -s pipe link
for what in pipe link; do
	"$ashlar" record -o $what -- ./steps >out 2>&1
	expect "what is no file is refused: $what" \
		"1 ashlar: record: $what: not a regular file; it is left as it is" "$? $(cat out)"
done
expect "and is still there" "yes yes" "$([ -p pipe ] && echo yes) $([ -L link ] && echo yes)"
echo before >plain
"$ashlar" record -q -o plain -- true
expect "a file is replaced" whole "$(events plain whole)"
"$ashlar" record -o /nowhere/trace -- true 2>out
expect "a file that cannot be: the program runs, and it is said" \
	"1 ashlar: record: the program has left no trace in /nowhere/trace" "$? $(cat out)"
"$ashlar" record -q -o /nowhere/trace -- sh -c 'exit 3' 2>out
expect "it is said when quiet, and the program's own failure comes first" \
	"3 ashlar: record: the program has left no trace in /nowhere/trace" "$? $(cat out)"
done_testing
