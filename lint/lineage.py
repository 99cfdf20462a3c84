#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lineage.py - every file and every name that docs/lineage.md promises is in the tree

  lineage.py [ROOT]

Looks at the column "here" of each table. What stands between backticks there is a file, which has to
exist, or names, which have to occur in the code of a file that the same cell names, or of any file
of src and include if it names none; comments do not count. A cell says something: if a thing has no
successor, the cell has a dash and the next one says why.
"""
import re
import sys
from pathlib import Path

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
NAME = re.compile(r"[A-Za-z_]\w*")
CODE = {".c", ".h", ".S"}


def words(path):
    return set(NAME.findall(COMMENT.sub(" ", path.read_text(encoding="utf-8"))))


class Tree:
    def __init__(self, root):
        self.root = root
        self.known = {}
        files = [p for top in ("src", "include") for p in (root / top).rglob("*")
                 if p.suffix in CODE]
        self.all = set().union(*(self.words(p) for p in files))

    def words(self, path):
        if path not in self.known:
            self.known[path] = words(path)
        return self.known[path]

    def faults(self, cell):
        tokens = re.findall(r"`([^`]+)`", cell)
        paths = [t for t in tokens if "/" in t and Path(t).suffix]
        faults = [f"there is no file {p}" for p in paths if not (self.root / p).is_file()]
        files = [self.root / p for p in paths if (self.root / p).is_file()]
        have = set().union(*(self.words(p) for p in files)) if files else self.all
        where = " or ".join(str(p.relative_to(self.root)) for p in files) or "src or include"
        for token in tokens:
            if token in paths:
                continue
            faults += [f"{name} is not in {where}" for name in NAME.findall(token)
                       if name not in have]
        if not re.sub(r"[`\s]", "", cell):
            faults.append("the cell is empty: a dash, and why, if nothing took its place")
        return faults


def cells(line):
    return [c.strip() for c in line.strip().strip("|").split("|")]


def check(root):
    tree = Tree(root)
    column = None
    rows = 0
    faults = 0
    text = (root / "docs/lineage.md").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            column = None
            continue
        row = cells(line)
        if column is None:
            column = row.index("here") if "here" in row else -1
            continue
        if column < 0 or set(line) <= set("|-: "):
            continue
        rows += 1
        found = tree.faults(row[column]) if column < len(row) else ["the row is too short"]
        for fault in found:
            print(f"docs/lineage.md:{number}: {fault}")
        faults += len(found)
    print(f"{rows} rows, {faults} faults")
    return faults or rows == 0


if __name__ == "__main__":
    sys.exit(1 if check(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()) else 0)
