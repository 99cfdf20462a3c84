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
sys.path.insert(0, MISUSE)
from creates import CREATE_CASES  # noqa: E402 - it lies there
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

GONE = "use after free: this block is already free"
POINTER_NOT = "invalid pointer: this memory is not Ashlar's"
DESCRIBES = "this describes the cache dogs: kmem_cache_destroy ends it"
ODD = "1 byte inside a block that starts at BASE"
FREE_CAT = "ashlar: kmem_cache_free(ARG): {}"
OTHER_CACHE = "wrong cache: freed to dogs, this object is of cats"
NO_CACHE = "wrong cache: freed to {}, this object is of no cache (kmalloc)"

# cache.c: what is done, how the program ends, and the first line of what it prints; None: nothing.
# A constructor that allocates from its own cache has no end here: it runs at every allocation.
CACHE_CASES = CREATE_CASES + [
    ("destroy null", 0, None),
    ("destroy in-use", 0,
     'ashlar: kmem_cache_destroy("cats"): 1 object is still in use; the cache stays'),
    ("destroy nothing", -6, "ashlar: kmem_cache_destroy(ARG): " + POINTER_NOT),
    ("destroy twice", -6, "ashlar: kmem_cache_destroy(ARG): " + GONE),
    ("destroy validate-null", -6, "ashlar: kmem_cache_validate(ARG): " + POINTER_NOT),
    ("destroy shrink-null", -6, "ashlar: kmem_cache_shrink(ARG): " + POINTER_NOT),
    ("free null", 0, None),
    ("free kfree", 0, None),
    ("free bulk-null", 0, None),
] + [(f"destroy {what}", -6, f"ashlar: kmem_cache_alloc(ARG): {GONE}")
     for what in ("alloc", "alloc-bulk", "alloc-node", "alloc-no-node", "alloc-other-node")] + [
    (f"destroy {what}", -6, f"ashlar: kmem_cache_{what}(ARG): {GONE}")
    for what in ("validate", "shrink", "tune", "size", "debug")] + [
    (f"free {what}", -6, FREE_CAT.format(line)) for what, line in (
        ("other-cache", OTHER_CACHE),
        ("kmalloc", NO_CACHE.format("cats")),
        ("static", OURS_NOT),
        ("inside", "invalid free: 16 bytes" + ODD[6:]),
        ("odd", "invalid free: " + ODD),
        ("twice", TWICE),
        ("bulk-twice", TWICE),
        ("bulk-other", OTHER_CACHE),
        ("cache-to-cache", "invalid free: " + DESCRIBES),
        ("cache-to-itself", "invalid free: " + DESCRIBES),
        ("destroyed", "use after free: freed to a cache that is destroyed, this object is of cats"),
    )] + [("free kfree-twice", -6, f"ashlar: kfree(ARG): {TWICE}"),
          ("free cache", -6, "ashlar: free(ARG): invalid free: " + DESCRIBES),
          ("free kfree-cache", -6, "ashlar: kfree(ARG): invalid free: " + DESCRIBES),
          ("free realloc-cache", -6, "ashlar: realloc(ARG): invalid pointer: " + DESCRIBES)]

# Blocks of pages, and what is taken for a cache or for one.
NOWHERE = "invalid free: no block starts here"
NOWHERE_POINTER = "invalid pointer: no block starts here"
NO_PAGES = "invalid free: this memory is kmalloc's or a cache's, not a block of pages"
CASES += [("pages.c", what.split(), function, report) for what, function, report in (
    ("block free", "free", NOWHERE),
    ("block kfree", "kfree", NOWHERE),
    ("block one", "kfree", NOWHERE),
    ("block realloc", "realloc", NOWHERE_POINTER),
    ("block ksize", "ksize", NOWHERE_POINTER),
    ("block order", "free_pages", NOWHERE),
    ("block inside", "free_pages", NOWHERE),
    ("block kfree-inside", "kfree", NOWHERE),
    ("block twice", "free_pages", TWICE),
    ("block one-twice", "free_pages", TWICE),
    ("block kfree-twice", "kfree", TWICE),
    ("pages slab", "free_pages", NO_PAGES),
    ("pages large", "free_pages", NO_PAGES),
    ("pages mapping", "free_pages", NO_PAGES),
    ("destroy object", "kmem_cache_destroy", "invalid pointer: this is no cache, but a block in use"),
    ("mapping kvfree", "kvfree", NOWHERE),
    ("mapping realloc", "realloc", NOWHERE_POINTER),
    ("mapping end", "kfree", NOWHERE),
    ("mapping cache", "kmem_cache_free", re.escape(NO_CACHE.format("cats"))),
    ("mapping untouched", "free", OURS_NOT),
)]


def run(folder, source, args):
    out = os.path.join(folder, source.replace(".", "_"))
    if not os.path.exists(out):
        linked = [PRELOAD] if "sized" in source or source in ("cache.c", "pages.c") else []
        subprocess.run(["cc", "-std=gnu11", "-O1", "-g", "-fno-builtin", "-w", "-pthread", "-I", MISUSE,
                        "-I", os.path.join(os.path.dirname(os.path.dirname(HERE)), "include"),
                        "-o", out, os.path.join(MISUSE, source)] + linked, check=True)
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "LD_PRELOAD": PRELOAD}
    done = subprocess.run([out] + args, env=env, capture_output=True, timeout=120,
                          stdin=subprocess.DEVNULL, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def try_cache(folder, case):
    """cache.c: how it ends, and its first line to the letter; returns what was found if not"""
    what, end, line = case
    code, out, err = run(folder, "cache.c", what.split())
    arg, base = (out.split()[-2:] + ["ARG"] * 2)[:2]
    first = err.split("\n", maxsplit=1)[0]
    if arg == "ARG":
        first = re.sub(r"\(0x[0-9a-f]+\)", "(ARG)", first)
    wanted = (line or "").replace("ARG", arg).replace("BASE", base)
    return "" if code == end and first == wanted else f"ended with {code}: {first}; wanted: {wanted}"


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
        for number, case in enumerate(CACHE_CASES, len(CASES) + 1):
            found = try_cache(folder, case)
            failed += bool(found)
            print(f"{'not ok' if found else 'ok'} {number} - cache.c {case[0]}")
            if found:
                print(f"# {found}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"1..{len(CASES) + len(CACHE_CASES)}")
    return 1 if failed else 0


sys.exit(main())
