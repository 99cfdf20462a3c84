#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""layers.py - prove that includes go down only

  layers.py [ROOT]

The floors, lowest first: port base page engine cache pool face. A file includes headers of its own
floor and of those below. Beside them stands the tool: it sees include/ashlar and itself. The core
(base to pool, and every header that it reaches) includes only the compiler's own headers.
"""
import re
import sys
from pathlib import Path

FLOORS = ["port", "base", "page", "engine", "cache", "pool", "face"]
CORE = FLOORS[1:6]
COMPILER_HEADERS = {
    "float.h", "iso646.h", "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h",
    "stddef.h", "stdint.h", "stdnoreturn.h",
}
# Public headers live outside the floors but describe one; those not named here are floor 0.
PUBLIC_FLOOR = {"mm.h": "page", "slab.h": "cache", "mempool.h": "cache", "rcu.h": "cache",
                "pool.h": "pool",
                "umem.h": "face"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
PORTS = ["linux", "sim", "bare"]


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = sorted(p for folder in ("src", "include") for p in (root / folder).rglob("*")
                            if p.suffix in (".c", ".h", ".S"))

    def name(self, path):
        return str(path.relative_to(self.root))

    def floor(self, path):
        """The floor a file belongs to; "tool", "public" and "config" are what they say."""
        parts = path.relative_to(self.root).parts
        if parts[0] == "include":
            return PUBLIC_FLOOR.get(path.name, "public")
        if len(parts) == 2:
            return "config" if parts[1] == "config.h" else None
        return parts[1]

    def includes(self, path):
        """(line number, header as written, files it may be; none for a system header)."""
        text = path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match.group(2), self.resolve(path, *match.groups())

    def resolve(self, path, quote, header):
        src = self.root / "src"
        beside = [path.parent] if quote == '"' else []
        for folder in beside + [src, self.root / "include"]:
            if (folder / header).is_file():
                return [(folder / header).resolve()]
        # Found through the include path of a home: it may be each port's.
        ports = PORTS
        if path.is_relative_to(src / "port") and len(path.relative_to(src).parts) > 2:
            ports = [path.relative_to(src).parts[1]]
        found = [src / "port" / port / header for port in ports]
        return [f.resolve() for f in found if f.is_file()]


def rank(floor):
    return FLOORS.index(floor) if floor in FLOORS else 0


def fault_of(tree, path, header, target):
    """What is wrong with this include, or None."""
    here, there = tree.floor(path), tree.floor(target)
    if here == "tool":
        if there == "tool" or target.is_relative_to(tree.root / "include"):
            return None
        return "the tool sees include/ashlar only: describe what it needs in anchor.h"
    if there == "tool":
        return "the library does not know its tools: move what both need to include/ashlar"
    if path.is_relative_to(tree.root / "include") and not target.is_relative_to(
            tree.root / "include"):
        return "public headers are installed alone: they include <ashlar/...> and the compiler's"
    if here is None or there is None:
        return None
    if here == "config":
        return None if there == "port" else "config.h includes the port's numbers, nothing else"
    if rank(there) > rank(here):
        return (f"{here} is below {there}: return a value upwards and let {there} act, "
                f"or move the piece down")
    return None


def core_reaches(tree):
    """The core's files and each header of ours that they reach: {file: reached from}."""
    reached = {}
    todo = [(f, f) for f in tree.files if tree.floor(f) in CORE]
    port_header = tree.root / "src/port/port.h"
    if port_header.is_file():
        todo.append((port_header.resolve(), port_header))
    while todo:
        path, origin = todo.pop()
        if path in reached:
            continue
        reached[path] = origin
        todo += [(t, origin) for _, _, targets in tree.includes(path) for t in targets]
    return reached


def main():
    tree = Tree(Path(sys.argv[1] if len(sys.argv) > 1 else
                     Path(__file__).resolve().parent.parent).resolve())
    faults = []
    count = 0
    for path in tree.files:
        floor = tree.floor(path)
        if floor is None or (floor not in FLOORS + ["tool", "public", "config"]):
            faults.append(f"{tree.name(path)}: on no floor: put it in one of src/"
                          f"{' src/'.join(FLOORS + ['tool'])}")
            continue
        for number, header, targets in tree.includes(path):
            count += 1
            for fault in {fault_of(tree, path, header, t) for t in targets} - {None}:
                faults.append(f'{tree.name(path)}:{number}: "{header}": {fault}')
    for path, origin in sorted(core_reaches(tree).items()):
        for number, header, targets in tree.includes(path):
            if not targets and header not in COMPILER_HEADERS:
                through = "" if origin == path else f" (reached from {tree.name(origin)})"
                faults.append(f"{tree.name(path)}:{number}: <{header}> in the core{through}: only "
                              f"the compiler's headers; ask the machine through src/port/port.h")
    for fault in faults:
        print(fault)
    print(f"layers: {len(tree.files)} files, {count} includes, {len(faults)} go where they "
          f"must not")
    return 1 if faults else 0


sys.exit(main())
