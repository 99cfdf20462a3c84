#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# minimum.sh - ashlar minimum: traces written by hand, whose least memory can be worked out; a real one
. "$(dirname "$0")/lib.bash"
[ -f "$build/libashlar-minimum-256.so" ] ||
	{ echo "1..0 # SKIP this build has no shared library"; exit 0; }

# make.py FILE EVENT...: aSIZE allocate, fBACK free, rBACK:SIZE resize, mSIZE@LOG2 aligned
cat >make.py <<'PY'
import struct, sys
def number(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + bytes([n]))
body, objects, live, peak, sizes = b"", 0, 0, 0, []
for word in sys.argv[2:]:
    kind, rest = word[0], word[1:]
    if kind in "am":
        size, _, log2 = rest.partition("@")
        body += number(int(size) << 2 | (3 if kind == "m" else 0)) + (number(int(log2)) if log2 else b"")
        sizes.append(int(size))
        live += int(size)
    elif kind == "f":
        body += number(int(rest) << 2 | 1)
        live -= sizes[-1 - int(rest)] if int(rest) < len(sizes) else 0
    else:
        back, size = map(int, rest.split(":"))
        body += number(back << 2 | 2) + number(size)
        live += size - sizes[-1 - back]
        sizes[-1 - back] = size
    peak = max(peak, live)
head = struct.pack("<QIIQQQQII", 0x4173686c61725431, 1, 256, 256 + len(body), len(sys.argv) - 2,
                   len(sizes), peak, 1, 0)
open(sys.argv[1], "wb").write(head + bytes(256 - len(head)) + body)
PY
least() { # PAGE EVENT...
	local page=$1
	shift
	python3 make.py made "$@" && "$ashlar" minimum -q -p "$page" made
}
check() { # NAME COMMAND...
	local name=$1
	shift
	"$@"
	expect "$name" 0 $?
}
# The number is between two bounds, inclusive.
between() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ] || { echo "# $1 is not in $2..$3"; return 1; }; }

# A region of one page of 256 bytes, with its table and zone: what a single byte needs.
one=$(least 256 a1)
check "one byte needs a page and a few dozen bytes" between "$one" 300 900
check "a free block serves again" test "$(least 256 a100 f0 a100 f0 a100)" = "$one"
two=$(least 256 a200 a200)
check "blocks that do not fit into one page need two" between $((two - one)) 250 520
check "pages behind each other: 1000 bytes and 1000" between \
	$(($(least 256 a1000 a1000) - one)) $((7 * 264 - 256)) $((7 * 264 + 256))
check "with pages of 4096 one page is enough for these" between \
	"$(least 4096 a1000 a1000)" 8192 8192
check "a resize counts as if the block moved" test \
	"$(least 256 a1000 r0:1000)" = "$(least 256 a1000 a1000)"
check "alignment counts as room" test "$(least 256 m100@10)" = "$(least 256 a1124)"
check "nothing at all is no more than one page" between "$(least 256 a0)" 300 "$one"

# More work of the same size needs no more memory.
set -- a64 a64 a64 a64
for _ in $(seq 200); do set -- "$@" a64 f0; done
check "a trace of 400 calls with 5 blocks" between \
	"$(least 256 "$@")" "$(least 256 a64)" $((one + 2 * 264))

python3 make.py good a100 a100
head -c 100 good >short
check "a short file is refused" sh -c "! '$ashlar' minimum short 2>said && grep -q 'no trace' said"
python3 make.py bad a100 f0 f0
check "a second free is told" \
	sh -c "! '$ashlar' minimum bad 2>said && grep -q 'damaged: an object is freed' said"
python3 make.py wild f7
check "a free of nothing is told" sh -c "! '$ashlar' minimum wild 2>said && grep -q damaged said"
python3 make.py large a40000000
check "what no region of such pages can hold is told" \
	sh -c "! '$ashlar' minimum large 2>said && grep -q 'are not enough' said"
check "pages of another size are refused" sh -c "'$ashlar' minimum -p 300 good 2>said; test \$? = 2"
check "no file" sh -c "! '$ashlar' minimum nowhere 2>said && grep -q 'No such file' said"

# A real program.
compile work -O0 -fno-builtin <<'C'
#include <stdlib.h>
int main(void)
{
	void *volatile p[64] = { 0 };

	for (unsigned i = 0; i < 5000; i++) {
		free(p[i * 7 % 64]);
		p[i * 7 % 64] = malloc(16 + i * 37 % 200);
	}
	return 0;
}
C
check "a program is recorded" "$ashlar" record -q -o work.trace -- ./work
"$ashlar" minimum work.trace >said
check "and its least memory is told in a line" \
	grep -qE '^work\.trace: [0-9]+ bytes are enough, with pages of 256; [0-9]+ bytes are in use at most$' said
live=$(sed 's/.* \([0-9]*\) bytes are in use.*/\1/' said)
check "which is more than what is live, and less than twice that" between \
	"$("$ashlar" minimum -q work.trace)" "$live" $((2 * live + 2000))
done_testing
