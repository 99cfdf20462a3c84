#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# front.sh - what judges the code can say no: the harness, the counting, the lint
set -u
export LC_ALL=C
root=${ASHLAR_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
T=$(mktemp -d "${TMPDIR:-/tmp}/ashlar-test.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
. "$root/test/expect.bash"

# ---- the harness

cat >"$T/x_test.c" <<'C'
#include "tap.h"
TEST(x_A1_equal) { EXPECT_EQ(-1, 70000); }
TEST(x_A2_text) { EXPECT_TEXT_EQ("a\n", NULL); }
TEST(x_A3_order) { EXPECT_GT(1, 2); }
TEST(x_A4_pointer) { EXPECT_NULL((void *)16); }
TEST(x_A5_require) { REQUIRE(1 == 2); tap_note("not reached"); }
TEST(x_A6_holds) { EXPECT(true); }
TEST(x_A7_skips) { SKIP("why not"); }
TEST(x_A8_crashes) { __builtin_trap(); }
TEST(x_A9_goes_on) { EXPECT(true); }
C
cd "$T" || exit 1
cc -O1 -I"$root/test" x_test.c "$root/test/tap.c" "$root/test/tap_host.c" -o x_test || exit 1
output=$(./x_test)
expect "harness: a failure is an exit status of 1" 1 $?
expect "harness: what it prints" '1..9
# x_test.c:2: expected -1 == 70000
#   left  -1 (0xffffffffffffffff)
#   right 70000 (0x11170)
not ok 1 - x_A1_equal
# x_test.c:3: expected "a\n" is NULL
#   left  "a\n"
#   right NULL
not ok 2 - x_A2_text
# x_test.c:4: expected 1 > 2
#   left  1
#   right 2
not ok 3 - x_A3_order
# x_test.c:5: expected (void *)16 == NULL
#   left  16 (0x10)
#   right 0
not ok 4 - x_A4_pointer
# x_test.c:6: expected 1 == 2
not ok 5 - x_A5_require
ok 6 - x_A6_holds
ok 7 - x_A7_skips # SKIP why not
not ok 8 - x_A8_crashes
ok 9 - x_A9_goes_on' "$(grep -v 'died of signal' <<<"$output")"
contains "harness: a crash is told" "$output" "# the case died of signal "
expect "harness: cases run in the order of lines" "x_A1_equal x_A2_text" \
	"$(echo $(./x_test -l | head -n 2))"
expect "harness: a debugger sees one process" "1..1
ok 1 - x_A6_holds" "$(./x_test -1 A6)"
expect "harness: a filter chooses cases" "1..1
ok 1 - x_A6_holds" "$(./x_test A6)"
expect "harness: it is freestanding" "tap_write" "$(cc -O1 -ffreestanding -fno-pic \
	-fno-stack-protector -c "$root/test/tap.c" -o tap.o && nm -u tap.o |
	awk '$1 == "U" { print $2 }')"

# ---- the counting

cat >log.json <<'JSON'
{"name": "a", "stdout": "1..3\nok 1 - x\n# said\nnot ok 2 - y\nok 3 - z # SKIP w\n", "result": "ERROR", "returncode": 1}
{"name": "b", "stdout": "1..2\nok 1 - x\n", "result": "ERROR", "returncode": -11}
{"name": "c", "stdout": "", "result": "OK", "returncode": 0}
{"name": "d", "stdout": "1..0 # SKIP none\n", "result": "SKIP", "returncode": 0}
{"name": "e", "stdout": "", "result": "TIMEOUT", "returncode": -9}
JSON
expect "results: passed, failed, skipped" "3 3 2" "$("$root/scripts/results.py" log.json)"
contains "results: a failure tells what was said" \
	"$("$root/scripts/results.py" --failed log.json)" "FAILED a: y
    # said"
expect "results: no log, no tests" "0 0 0" "$("$root/scripts/results.py" absent.json)"

# ---- the soak, with a Meson that has two tests, of which one fails, and a clock that goes on by a
# second whenever somebody looks

mkdir -p bin soak/meson-logs
cat >bin/meson <<'SH'
#!/bin/sh
case "$*" in
*--list*) printf 'ashlar:thread / thread/good\nashlar:model / model/bad\n' ;;
*bad) printf '%s\n' '{"name": "bad", "stdout": "# said\nnot ok 1 - y\n", "result": "ERROR", "returncode": 1}' \
	>"$3/meson-logs/soak.json"; exit 1 ;;
*) echo "$ASHLAR_TEST" >>"$3/good" ;;
esac
SH
printf '#!/bin/sh\necho x >>%s/clock\nwc -l <%s/clock\n' "$T" "$T" >bin/date
chmod +x bin/meson bin/date
found=$(PATH=$PWD/bin:$PATH "$root/scripts/soak" "$T/soak" 0.005)
expect "soak: a failure is an exit status of 1" 1 $?
contains "soak: which test passed" "$found" "soak: passed thread/good in "
contains "soak: a failure tells what was said" "$found" "FAILED bad: y
    # said"
seed=$(sed -n 's/^soak: FAILED model.bad .*seed \([0-9]*\)$/\1/p' <<<"$found" | head -n 1)
contains "soak: and how to see it again" "$found" \
	"soak: again with: ASHLAR_TEST=soak ASHLAR_SEED=$seed meson test -C $T/soak -t 4 model/bad"
expect "soak: the others go on until the time is over" "yes" \
	"$([ "$(grep -c '^soak$' soak/good)" -ge 2 ] && echo yes)"
found=$(PATH=$PWD/bin:$PATH "$root/scripts/soak" "$T/soak" 0.002 thread/good)
expect "soak: one test, and all is well" 0 $?
expect "soak: no other" 0 "$(grep -c bad <<<"$found")"
expect "soak: no time, no test, no success" "soak: 0 passed, 0 failed 1" \
	"$(PATH=$PWD/bin:$PATH "$root/scripts/soak" "$T/soak" 0) $?"

# ---- the lint, on a tree of three files

mkdir -p tree/src/port/linux tree/src/base tree/src/cache tree/lint
cp "$root"/lint/* tree/lint
cat >tree/src/port/port.h <<'C'
#pragma once
void port_used(int n);
static inline void port_inline(void) {}
C
echo '#include "port/port.h"
void base_f(int n); void base_f(int n) { port_inline(); port_used(n); }' >tree/src/base/f.c
core() {
	cc -std=c11 -ffreestanding -O1 -fPIC -fno-stack-protector -Itree/src -c tree/src/base/f.c \
		-o f.o && rm -f core.a && ar cr core.a f.o
}

core
expect "symbols: the contract holds" "ok 1" "$(tree/lint/symbols.sh . core.a | grep -o '^ok 1')"
echo 'void *malloc(unsigned long); void *base_g(void); void *base_g(void) { return malloc(9); }' \
	>>tree/src/base/f.c
core
found=$(tree/lint/symbols.sh . core.a)
expect "symbols: a call too many is a failure" 1 $?
contains "symbols: it names the function and the file" "$found" "# malloc is asked for by f.o"
echo 'void port_unused(void);' >>tree/src/port/port.h
contains "symbols: a function that nobody calls is named" "$(tree/lint/symbols.sh . core.a)" \
	"# port_unused is declared in src/port/port.h but the core never calls it"

expect "layers: a good tree" 0 "$(tree/lint/layers.py tree >/dev/null; echo $?)"
echo '#include <stddef.h>' >tree/src/cache/cache.h
echo '#include "cache/cache.h"
#include <stdio.h>' >>tree/src/base/f.c
found=$(tree/lint/layers.py tree)
expect "layers: a bad one" 1 $?
contains "layers: an include that goes up" "$found" "src/base/f.c:4: \"cache/cache.h\": base is below cache"
contains "layers: a header of the C library" "$found" "src/base/f.c:5: <stdio.h> in the core"

expect "headers: a good tree" 0 "$(tree/lint/headers.sh "$T/tree" >/dev/null; echo $?)"
echo 'struct cache { size_t n; };' >tree/src/cache/cache.h
contains "headers: one that needs another" "$(tree/lint/headers.sh "$T/tree")" \
	"src/cache/cache.h does not compile alone with: gcc"

mkdir -p tree/docs tree/include
lineage() { printf '| in the seed | here | difference |\n|---|---|---|\n%s\n' "$1" >tree/docs/lineage.md; }
lineage '| `slab_free` | `port_used`, `src/port/port.h` | |'
expect "lineage: a good row" 0 "$(tree/lint/lineage.py tree >/dev/null; echo $?)"
lineage '| `slab_free` | `port_usde`, `src/port/port.h` | |'
found=$(tree/lint/lineage.py tree)
expect "lineage: a name that is not there" 1 $?
contains "lineage: it says which" "$found" "docs/lineage.md:3: port_usde is not in src/port/port.h"
lineage '| `slab_free` | `src/port/prot.h` | |'
contains "lineage: a file that is not there" "$(tree/lint/lineage.py tree)" \
	"docs/lineage.md:3: there is no file src/port/prot.h"
lineage '| `slab_free` | `base_f`, `src/port/port.h` | in another file |'
contains "lineage: a name of another file" "$(tree/lint/lineage.py tree)" \
	"base_f is not in src/port/port.h"
lineage '| `slab_free` | | |'
contains "lineage: a row that says nothing" "$(tree/lint/lineage.py tree)" "the cell is empty"
lineage ''
expect "lineage: no row at all" 1 "$(tree/lint/lineage.py tree >/dev/null; echo $?)"

(cd tree && git init -q . && git add -A) >/dev/null 2>&1
found=$(cd tree && lint/style.py)
expect "style: a bad tree" 1 $?
contains "style: the licence line" "$found" "src/base/f.c:1: begin the file with:"
contains "style: the header comment" "$found" "src/base/f.c:1: after the SPDX line write:"
contains "style: malloc in the core" "$found" "src/base/f.c:3: malloc( in src/base: use page_alloc"
{
	printf 'int f(void)\n{\n'
	for i in $(seq 60); do echo "	int a$i;"; done
	printf '}\n#if 1\n#endif\n'
} >tree/src/base/f.c
found=$(cd tree && lint/style.py function-length conditional)
contains "style: a long function" "$found" "src/base/f.c:2: f has 62 lines"
contains "style: an #if in the core" "$found" "src/base/f.c:64: #if"

echo "1..$n"
exit $bad
