#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
misuse.py - each misuse ends its program under the slob library, with the report that names it

What    The programs of test/misuse, as test/misuse/run.py runs them, with slob's words.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MISUSE = os.path.join(os.path.dirname(HERE), "misuse")
BUILD = os.path.abspath(os.environ.get("ASHLAR_BUILD") or "build")
PRELOAD = os.environ.get("ASHLAR_PRELOAD") or os.path.join(BUILD, "libashlar-slob-malloc.so")

TWICE = "double free: this block is already free"
OURS_NOT = "invalid free: this memory is not Ashlar's"
# What was freed may be somebody else's by now: a page of stdio's buffer, say.
USED = "(?:use after free: this block is already free|invalid pointer: no block starts here)"
CASES = [
    ("double_free.c", [], "free", TWICE),
    ("double_free_later.c", [], "free", TWICE),
    ("double_free_fork.c", [], "free", TWICE),
    ("double_free_large.c", ["102400"], "free", TWICE),
    ("double_free_large.c", ["3000000"], "free", TWICE),
    ("double_free_large.c", ["40000000"], "free", TWICE),
    ("free_inside.c", [], "free", "invalid free: 24 bytes inside a block that starts at BASE"),
    ("free_inside_aligned.c", [], "free",
     "invalid free: 256 bytes inside a block that starts at BASE"),
    ("free_inside_large.c", ["102400", "8"], "free", "invalid free: no block starts here"),
    ("free_inside_large.c", ["102400", "4096"], "free", "invalid free: no block starts here"),
    ("free_stack.c", [], "free", OURS_NOT),
    ("free_static.c", [], "free", OURS_NOT),
    ("free_first.c", [], "free", OURS_NOT),
    ("free_mapped.c", [], "free", OURS_NOT),
    ("free_address.c", ["0x10"], "free", OURS_NOT),
    ("free_address.c", ["0x8000000000000000"], "free", OURS_NOT),
    ("realloc_freed.c", [], "realloc", USED),
    ("realloc_freed_same.c", [], "realloc", USED),
    ("realloc_inside.c", [], "realloc",
     "invalid pointer: 32 bytes inside a block that starts at BASE"),
    ("realloc_stack.c", [], "realloc", "invalid pointer: this memory is not Ashlar's"),
    ("usable_freed.c", [], "malloc_usable_size", USED),
    ("usable_stack.c", [], "malloc_usable_size", "invalid pointer: this memory is not Ashlar's"),
    ("free_sized_wrong.c", ["64", "100"], "free_sized",
     r"wrong size: freed with 100 bytes, this block has \d+"),
    ("kfree_sized_wrong.c", ["64", "100"], "kfree_sized",
     r"wrong size: freed with 100 bytes, this block has \d+"),
    ("kfree_sized_wrong.c", ["100000", "40000"], "kfree_sized",
     r"wrong size: freed with 40000 bytes, this block has \d+"),
    ("too_large.c", [], None, None),
    ("overflow.c", [], None, None),
    ("alignment.c", [], None, None),
    ("free_sized_right.c", [], None, None),
    ("fine.c", [], None, None),
]


def run(folder, source, args):
    out = os.path.join(folder, source.replace(".", "_"))
    if not os.path.exists(out):
        subprocess.run(["cc", "-std=gnu11", "-O1", "-g", "-fno-builtin", "-w", "-pthread", "-I", MISUSE,
                        "-I", os.path.join(os.path.dirname(os.path.dirname(HERE)), "include"),
                        "-o", out, os.path.join(MISUSE, source)] + ([PRELOAD] if "sized" in source else []), check=True)
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "LD_PRELOAD": PRELOAD}
    done = subprocess.run([out] + args, env=env, capture_output=True, timeout=120,
                          stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder = tempfile.mkdtemp(prefix="ashlar-test.")
    failed = 0
    try:
        for number, (source, args, function, what) in enumerate(CASES, 1):
            code, out, err = run(folder, source, args)
            first = err.splitlines()[0] if err else ""
            if what is None:
                good = code == 0 and not err
            else:
                base = (out.split() + ["", ""])[1] or "0x[0-9a-f]+"
                wanted = f"ashlar: {function}\\(0x[0-9a-f]+\\): {what}".replace("BASE", base)
                good = code == -6 and re.fullmatch(wanted, first)
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} - {' '.join([source] + args)}")
            if not good:
                print(f"# ended with {code}: {first}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"1..{len(CASES)}")
    return 1 if failed else 0


sys.exit(main())
