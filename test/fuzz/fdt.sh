#!/bin/bash
# SPDX-License-Identifier: MIT
#
# fdt.sh - libFuzzer draws device trees for a bounded time, from two small ones
. "$(dirname "$0")/../fuzz_lib.sh"
[ "${ASHLAR_TEST:-}" = soak ] || seconds=4 # a small parser

seeds() {
	mkdir -p "$T/corpus" && python3 - "$T/corpus" <<-'END'
		import struct
		import sys
		from pathlib import Path


		def tree(body, reserved=()):
		    """A tree of this structure: a list of "{name", "}", or (property, words or text)."""
		    strings = b""
		    out = b""
		    pad = lambda b: b + bytes(-len(b) % 4)
		    for item in body:
		        if item == "}":
		            out += struct.pack(">I", 2)
		        elif isinstance(item, str):
		            out += struct.pack(">I", 1) + pad(item[1:].encode() + b"\0")
		        else:
		            name, value = item
		            data = (value.encode() + b"\0" if isinstance(value, str)
		                    else struct.pack(f">{len(value)}I", *value))
		            out += struct.pack(">III", 3, len(data), len(strings)) + pad(data)
		            strings += name.encode() + b"\0"
		    out += struct.pack(">I", 9)
		    blocks = b"".join(struct.pack(">QQ", *r) for r in (*reserved, (0, 0)))
		    start = 40 + len(blocks)
		    total = start + len(out) + len(strings)
		    return struct.pack(">10I", 0xd00dfeed, total, start, start + len(out), 40, 17, 16, 0,
		                       len(strings), len(out)) + blocks + out + strings


		cells = [("#address-cells", [2]), ("#size-cells", [2])]
		machine = ["{", *cells, "{chosen", ("bootargs", "a=1"), ("linux,initrd-start", [0x88000000]),
		           ("linux,initrd-end", [0, 0x88100000]), "}",
		           "{cpus", ("#address-cells", [1]), ("#size-cells", [0])]
		for n in range(3):
		    machine += [f"{{cpu@{n}", ("device_type", "cpu"), ("reg", [n]), ("numa-node-id", [n & 1]),
		                ("status", "okay"), "}"]
		machine += ["}", "{memory@80000000", ("device_type", "memory"), ("reg", [0, 0x80000000, 0, 1 << 26]),
		            "}",
		            "{distance-map", ("distance-matrix", [0, 1, 40, 1, 0, 40]), "}",
		            "{reserved-memory", *cells, "{fw@0", ("reg", [0, 0x80000000, 0, 0x80000]), "}", "}", "}"]
		deep = ["{", *cells] + ["{d"] * 12 + ["}"] * 12 + ["}"]
		corpus = Path(sys.argv[1])
		(corpus / "machine").write_bytes(tree(machine, [(0x80000000, 0x1000)]))
		(corpus / "deep").write_bytes(tree(deep))
	END
}
build() { # OUTPUT SANITIZERS SOURCE
	cd "$ROOT" && "$clang" -std=gnu11 -O1 -g -w -fno-sanitize-recover=undefined \
		-fsanitize="fuzzer,$2" -Iinclude -Isrc -Ikernel -Itest/fuzz -o "$1" test/fuzz/fdt_fuzz.c "$3"
}
# A fuzzer that finds nothing must be one that could.
finds() {
	sed 's/if (total > bytes || /if (/' "$ROOT/kernel/fdt.c" >"$T/fdt.c" &&
		! cmp -s "$ROOT/kernel/fdt.c" "$T/fdt.c" && build "$T/finds" "$sanitizers" "$T/fdt.c" && cd "$T" &&
		! "$T/finds" -max_total_time=60 -max_len=2000 -seed=1 corpus >"$T/finds.log" 2>&1 &&
		grep -q 'AddressSanitizer' "$T/finds.log"
}

sanitizers=undefined
may_reserve && sanitizers=address,undefined
check "trees to begin with" seeds
check "the fuzzer is built with $sanitizers" build "$T/fdt_fuzz" "$sanitizers" kernel/fdt.c
check "$seconds seconds of device trees" fuzz fdt_fuzz 2000
if may_reserve; then
	check "a length that is not checked is found" finds
else
	skip "a length that is not checked is found" "no AddressSanitizer here"
fi
tap_done
