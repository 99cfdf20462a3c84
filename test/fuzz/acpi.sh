#!/bin/bash
# SPDX-License-Identifier: MIT
#
# acpi.sh - libFuzzer draws ACPI tables for a bounded time, from those of two small machines
. "$(dirname "$0")/../fuzz_lib.sh"
[ "${ASHLAR_TEST:-}" = soak ] || seconds=4 # a small parser

seeds() {
	mkdir -p "$T/corpus" && python3 - "$T/corpus" <<-'END'
		import struct
		import sys
		from pathlib import Path

		table = lambda name, body: (name + struct.pack("<I", 36 + len(body))).ljust(36, b"\0") + body
		madt = table(b"APIC", bytes(8) + b"".join(bytes([0, 8, n, n, 1, 0, 0, 0]) for n in range(3)))
		memory = lambda node, start, size: struct.pack("<BBIHQQIIQ", 1, 40, node, 0, start, size, 0, 1, 0)
		cpu = lambda node, apic: struct.pack("<BBBBI", 0, 16, node, apic, 1).ljust(16, b"\0")
		srat = table(b"SRAT", bytes(12) + cpu(0, 0) + cpu(1, 1) + memory(0, 0, 1 << 27)
		             + memory(1, 1 << 27, 1 << 27))
		slit = table(b"SLIT", struct.pack("<Q", 2) + bytes([10, 21, 21, 10]))


		def machine(pointer, revision):
		    """Root pointer at 16, root table at 64, the others behind it."""
		    at = 256
		    out = bytearray(at)
		    pointers = []
		    for t in (srat, madt, slit):
		        pointers.append(at)
		        out += t
		        at += len(t)
		    root = table(b"XSDT", struct.pack(f"<3{pointer}", *pointers))
		    out[64:64 + len(root)] = root
		    out[16:52] = struct.pack("<8sB6sBIIQI", b"RSD PTR ", 0, b"", revision, 64, 36, 64, 0)
		    return bytes(out)


		(Path(sys.argv[1]) / "xsdt").write_bytes(machine("Q", 2))
		(Path(sys.argv[1]) / "rsdt").write_bytes(machine("I", 0))
	END
}
build() { # OUTPUT SANITIZERS SOURCE
	cd "$ROOT" && "$clang" -std=gnu11 -O1 -g -w -fno-sanitize-recover=undefined -fsanitize="fuzzer,$2" \
		-Iinclude -Isrc -Ikernel -Ikernel/x86_64 -Itest/fuzz -o "$1" test/fuzz/acpi_fuzz.c "$3"
}
# A fuzzer that finds nothing must be one that could.
finds() {
	sed 's/ && t\[i + 1\] <= bytes - i)/)/' "$ROOT/kernel/x86_64/acpi.c" >"$T/acpi.c" &&
		! cmp -s "$ROOT/kernel/x86_64/acpi.c" "$T/acpi.c" && build "$T/finds" "$sanitizers" "$T/acpi.c" &&
		cd "$T" && ! "$T/finds" -max_total_time=60 -max_len=2000 -seed=1 corpus >"$T/finds.log" 2>&1 &&
		grep -q 'AddressSanitizer' "$T/finds.log"
}

sanitizers=undefined
may_reserve && sanitizers=address,undefined
check "tables to begin with" seeds
check "the fuzzer is built with $sanitizers" build "$T/acpi_fuzz" "$sanitizers" kernel/x86_64/acpi.c
check "$seconds seconds of tables" fuzz acpi_fuzz 2000
if may_reserve; then
	check "a length that is not checked is found" finds
else
	skip "a length that is not checked is found" "no AddressSanitizer here"
fi
tap_done
