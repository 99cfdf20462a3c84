#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""golden.py - how many instructions, branches and loads do the fast paths execute?

A time wobbles with the machine; a count does not. The warmed calls are single-stepped (step.c), the
instructions inside the library are looked up in its disassembly and counted by kind, and the table
is kept in golden/COMPILER-VERSION-MACHINE.txt, so that a change of the fast path shows in review.
Restartable sequences cannot be single-stepped (each stop restarts them), so the library is asked for
percpu=pretend, which runs the same instructions on a faked area.

  golden.py [--build DIR] --check      compare with the golden file; exit 1 on a difference
  golden.py [--build DIR] --update     write the golden file
  golden.py [--build DIR] --show CALL  print the instructions of one call, as executed
  golden.py --library FILE             count another allocator's library, to compare
"""
import argparse
import bisect
import difflib
import os
import pathlib
import platform
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAIR_LIMIT = 56     # instructions of malloc + free, detection included
CALLS = ["malloc(64)", "free(64)", "malloc(1000)", "free(1000)",
         "realloc(64 to 1000)", "realloc(1000 to 64)",
         "kmem_cache_alloc(64)", "kmem_cache_free(64)",
         "kmem_cache_alloc_bulk(64, 100)", "kmem_cache_free_bulk(64, 100)"]
BULK = 100          # objects of these two
BULK_LIMIT = 0.8    # of malloc + free, each object
KINDS = ["instructions", "branches", "jumps", "loads", "stores", "stack", "lines"]
LINE = 64           # bytes of code that a processor reads, and keeps decoded, together
SHORT = 64          # instructions: of longer calls lines are not counted, they change with any layout
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S.*)$")
SYMBOL = re.compile(r"^[0-9a-f]+ <(.+)>:$")
MAPPING = re.compile(r"^map ([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \S+\s+(/\S+)")


def output(*command, **options):
    return subprocess.run([str(word) for word in command], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options).stdout


def disassemble(path):
    """Map each address of the file to (symbol, instruction)."""
    code, symbol = {}, "?"
    for line in output("objdump", "-d", "--no-show-raw-insn", path).splitlines():
        if match := SYMBOL.match(line):
            symbol = match[1]
        elif match := INSTRUCTION.match(line):
            code[int(match[1], 16)] = (symbol, " ".join(match[2].split("#")[0].split()))
    return code


def segments(path):
    """(file offset, address) of the segments, to turn a mapping's offset into an address."""
    fields = [line.split() for line in output("readelf", "-lW", path).splitlines()]
    return sorted((int(f[1], 16), int(f[2], 16)) for f in fields if f and f[0] == "LOAD")


class Module:
    def __init__(self, path):
        self.code = disassemble(path)
        self.segments = segments(path)

    def instruction(self, offset):
        at = bisect.bisect(self.segments, (offset, float("inf"))) - 1
        file_offset, address = self.segments[at]
        return self.code.get(offset - file_offset + address, ("?", "?"))


def trace(program, library):
    """The executed instructions as (file, line of code, symbol, text)."""
    env = dict(os.environ, ASHLAR_OPTIONS="percpu=pretend", LC_ALL="C")
    start = ["env", f"LD_PRELOAD={library}"]
    lines = output(HERE / "out/bin/step", *start, program, env=env).splitlines()
    maps = [(int(m[1], 16), int(m[2], 16), int(m[3], 16), m[4])
            for m in map(MAPPING.match, lines) if m]
    modules, executed = {}, []
    for pc in (int(line, 16) for line in lines if not line.startswith("map")):
        for low, high, offset, path in maps:
            if low <= pc < high:
                module = modules.setdefault(path, None) or Module(path)
                modules[path] = module
                executed.append((path, pc // LINE, *module.instruction(pc - low + offset)))
                break
    return executed


def slices(executed, library):
    """The library's instructions between each golden_begin and the golden_end after it."""
    inside, result, current = False, [], []
    for path, line, symbol, text in executed:
        if symbol == "golden_end" and inside:
            result.append(current)
            inside, current = False, []
        elif symbol == "golden_begin":
            inside = True
        elif inside and os.path.realpath(path) == library:
            current.append((line, symbol, text))
    return result


def kind_x86(text):
    words = text.split(None, 1)
    name, operands = words[0], words[1] if len(words) > 1 else ""
    if name in ("lock", "rep", "notrack", "bnd", "cs", "ds", "data16"):
        return kind_x86(operands) if operands else set()
    through_memory = {"loads"} if operands.startswith("*") and "(" in operands else set()
    if name.startswith("j"):
        return {"jumps"} | through_memory if name.startswith("jmp") else {"branches"}
    if name.startswith(("call", "ret")):
        return {"jumps", "stack"} | through_memory
    if name.startswith(("push", "pop")):
        return {"stack"}
    memory = re.search(r"\(|%[fg]s:", operands)
    if not memory or name.startswith(("lea", "nop", "prefetch")):
        return set()
    # AT&T order: the destination is the last operand.
    to_memory = re.search(r"(\)|%[fg]s:[^,(]*)$", operands)
    if not to_memory or name.startswith(("cmp", "test")):
        return {"loads"}
    plain = name.startswith(("mov", "set", "vmov"))
    single = name.startswith(("mul", "div", "imul", "idiv", "bt")) and "," not in operands
    return {"stores"} if plain else {"loads"} if single else {"loads", "stores"}


def kind_arm64(text):
    name = text.split()[0]
    if name.startswith(("b.", "cb", "tb")):
        return {"branches"}
    if name in ("b", "bl", "br", "blr", "ret"):
        return {"jumps"}
    if name.startswith("ld"):
        return {"loads"}
    return {"stores"} if name.startswith("st") else set()


def count(instructions):
    kind = kind_arm64 if platform.machine() == "aarch64" else kind_x86
    total = dict.fromkeys(KINDS, 0)
    total["lines"] = len({line for line, _, _ in instructions}) if len(instructions) <= SHORT else 0
    for _, _, text in instructions:
        total["instructions"] += 1
        for word in kind(text):
            total[word] += 1
    return total


def measure(library, ours):
    """{call: its executed instructions}."""
    library = os.path.realpath(library)
    kmem = HERE / "out/bin/golden-kmem"
    program = kmem if ours and kmem.exists() else HERE / "out/bin/golden"
    return dict(zip(CALLS, slices(trace(program, library), library)))


def compiler(library):
    """Such as gcc-12.2.0, from the note that the compiler leaves in the library."""
    comment = output("readelf", "-p", ".comment", library)
    if match := re.search(r"clang version (\d[\d.]*)", comment):
        return f"clang-{match[1]}"
    match = re.search(r"GCC: \(.*?\) (\d[\d.]*)", comment)
    return f"gcc-{match[1]}" if match else "unknown"


def add_pairs(counts):
    """A row for each call with the one that undoes it."""
    rows = {}
    for one, two in zip(CALLS[::2], CALLS[1::2]):
        if one in counts and two in counts:
            rows[one], rows[two] = counts[one], counts[two]
            rows[f"{one} + {two.split('(')[0]}"] = {
                kind: counts[one][kind] + counts[two][kind] for kind in KINDS}
    return rows


def table(rows):
    lines = [f"{'':36}" + "".join(f"{kind:>14}" for kind in KINDS)]
    lines += [f"{call:36}" + "".join(f"{row[kind]:14}" for kind in KINDS)
              for call, row in rows.items()]
    return "".join(line + "\n" for line in lines)


def check(path, text, rows):
    """Number of complaints."""
    bad = 0
    pair = rows["malloc(64) + free"]["instructions"]
    if pair > PAIR_LIMIT:
        print(f"golden: malloc(64) + free takes {pair} instructions; the limit is {PAIR_LIMIT}")
        bad += 1
    bulk = rows.get("kmem_cache_alloc_bulk(64, 100) + kmem_cache_free_bulk")
    if bulk and bulk["instructions"] > BULK_LIMIT * pair * BULK:
        print(f"golden: an object of a bulk pair takes {bulk['instructions'] / BULK:.1f} instructions; "
              f"the limit is {BULK_LIMIT * pair:.1f}, {BULK_LIMIT} of malloc + free")
        bad += 1
    if not path.exists():
        print(f"golden: no {path.name} yet; write it with: bench/golden.py --update")
        return bad
    if path.read_text() != text:
        sys.stdout.writelines(difflib.unified_diff(
            path.read_text().splitlines(True), text.splitlines(True), "golden", "now"))
        print(f"golden: {path.name} differs; if that is meant: bench/golden.py --update")
        bad += 1
    return bad


def show(calls, name):
    for call, instructions in calls.items():
        if not call.startswith(name + "("):
            continue
        print(f"{call}:")
        for number, (_, symbol, text) in enumerate(instructions, 1):
            print(f"{number:4}  {text:56} {symbol}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=HERE.parent / "build", type=pathlib.Path)
    parser.add_argument("--library", help="count this library instead of Ashlar's")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--show", metavar="CALL", help="malloc, free, kmem_cache_alloc…")
    return parser.parse_args()


def main():
    options = parse()
    library = options.library or options.build / "libashlar-malloc.so"
    if not os.path.exists(library):
        sys.exit(f"golden: no {library}; build the library first")
    subprocess.run(["make", "-s", "-C", HERE, f"ASHLAR={options.build.resolve()}"], check=True)
    calls = measure(library, not options.library)
    if options.show:
        return show(calls, options.show)
    rows = add_pairs({call: count(instructions) for call, instructions in calls.items()})
    text = table(rows)
    print(text, end="")
    path = HERE / "golden" / f"{compiler(library)}-{platform.machine()}.txt"
    if options.update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        print(f"golden: wrote {path.name}")
    return check(path, text, rows) if options.check else 0


if __name__ == "__main__":
    sys.exit(main())
