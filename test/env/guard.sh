#!/bin/bash
# SPDX-License-Identifier: MIT
#
# guard.sh - guarded objects in programs as they are: their SIGSEGV handlers, fork, real programs
#
# What    A fault on a closed page is told, and then goes the way it would go without us; so does
#         every other, untold. A handler that a program installs later takes our place.
. "$(dirname "$0")/../lib.sh"

have_ashlar || skip_all "it is an option of Ashlar's"
compile guard guard.c -ldl
API=$BUILD/libashlar.so

# ends NAME STATUS OUTPUT REPORT COMMAND...: REPORT is how a line begins, or nothing
ends() {
	local name=$1 status=$2 output=$3 report=$4
	shift 4
	"$@" >"$T/out" 2>"$T/err"
	echo "exit $?" >>"$T/out"
	printf '%sexit %s\n' "$output" "$status" >"$T/want"
	if ! cmp -s "$T/want" "$T/out" || {
		if [ -n "$report" ]; then
			[ "$(grep -c "^ashlar: $report" "$T/err")" != 1 ]
		else
			grep -q '^ashlar: ' "$T/err"
		fi
	}; then
		fail "$name" "$T/want" "$T/out" "$T/err"
	else
		pass "$name"
	fi
}

in_process() { under "$T/guard" "$@"; }
by_dlopen() { timeout 60 env ASHLAR_OPTIONS="$EXTRA" "$T/guard" "$@" "$API"; }

ulimit -c 0
MODE=rseq
EXTRA="guard=1;guard_slots=100"
OVER="overflow: write to object"

ends "no handler: told, then SIGSEGV" 139 "" "$OVER" in_process none guarded
ends "no handler: other faults are untold" 139 "" "" in_process none wild
ends "no handler: a signal that is sent" 139 "" "" in_process none sent
ends "no handler: a signal that is raised" 139 "" "" in_process none raised
ends "a child frees: told there, and its own fault alone" 0 $'child: -11\nwent on\n' \
	"use after free: write to object" in_process none forked
ends "a later handler takes our place" 3 $'handled\n' "" in_process after-info guarded
ends "a later handler gets other faults" 3 $'handled\n' "" in_process after-plain wild
ends "a later handler that calls the old one: told" 139 $'in turn\n' "$OVER" \
	in_process after-turn guarded
ends "a later handler that calls the old one, other faults" 139 $'in turn\n' "" \
	in_process after-turn wild
ends "a later handler that goes on" 0 $'jumps\nwent on\n' "" in_process after-jumps guarded
for what in guarded wild sent raised; do
	report=""
	[ $what = guarded ] && report=$OVER
	ends "an earlier handler with information, $what" 3 $'handled\n' "$report" \
		by_dlopen before-info $what
	ends "an earlier plain handler, $what" 3 $'handled\n' "$report" by_dlopen before-plain $what
	ends "an earlier handler that goes on, $what" 0 $'jumps\nwent on\n' "$report" \
		by_dlopen before-jumps $what
done
ends "an earlier handler for one time" 139 $'once\n' "" by_dlopen before-once wild
ends "an earlier handler for one time, sent" 0 $'once\nwent on\n' "" by_dlopen before-once sent
if [ "$(uname -m)" = x86_64 ]; then
	ends "the report itself meets a fault" 3 $'handled\n' "$OVER" by_dlopen before-again lost
else
	skip "the report itself meets a fault" "the broken frame is written for x86-64"
fi
ends "ignored: a fault ends the program" 139 "" "$OVER" by_dlopen before-ignored guarded
ends "ignored: a signal does not" 0 $'went on\n' "" by_dlopen before-ignored sent

# Without the option there is no handler of ours.
EXTRA=""
no_handler() { ! under cat /proc/self/status | grep -q '^SigCgt:.*[4-7c-f]..$'; }
a_handler() { ! no_handler; }
check "no handler without the option" no_handler
EXTRA="guard=1"
check "one with it" a_handler

EXTRA="guard=1"

python_job() {
	under env PYTHONMALLOC=malloc "$PYTHON" -c '
import collections, json, re, threading
words = re.findall("[a-z]+", "the quick brown fox jumps over the lazy dog " * 3000)
count = collections.Counter(words)
lists = [[str(i * j) for j in range(i)] for i in range(300)]
text = json.dumps([dict(count), lists])
threads = [threading.Thread(target=json.loads, args=(text,)) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(len(text), sorted(count.items()), sum(map(len, json.loads(text)[1])))'
}

sort_job() { seq 200000 | under sort -R --random-source=/dev/zero | under sort -n | under tail -n 3; }

for EXTRA in "guard=1" "guard=1;guard_slots=1000" "guard=20;guard_each;audit"; do
	MODES="rseq lock"
	same "python, $EXTRA" python_job
	same "sort, $EXTRA" sort_job
done
tap_done
