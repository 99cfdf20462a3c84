#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
run.py - each misuse ends its program, with the report that names it

What    Builds each small program of this folder, runs it with Ashlar preloaded in both
        per-CPU modes, and compares how it ended and the first line of its report.
Why     A report that is nearly right sends its reader to the wrong place.
Output  TAP. See test/lib.sh for ASHLAR_BUILD and ASHLAR_PRELOAD; with "none" only the
        programs that must not be reported are run, on the plain C library.
Table   (program, arguments, function, what): no "what" means no report and exit 0.
        In "what", ARG and BASE stand for the two pointers that the program has printed,
        ADDR for any address; the rest is a regular expression.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from creates import CREATE_CASES  # noqa: E402 - it lies beside this script
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("ASHLAR_BUILD") or os.path.join(ROOT, "build"))
PRELOAD = os.environ.get("ASHLAR_PRELOAD") or os.path.join(BUILD, "libashlar-malloc.so")
LIMIT = 120
DELETE = r"(?:operator delete|operator delete\[\]|free|free_sized)"
CLASSES = [16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896,
           1024, 1152, 1280, 1408, 1536, 1664, 1792, 1920, 2048, 2304, 2560, 2816, 3072, 3328,
           3584, 3840, 4096, 4608, 5120, 5632, 6144, 6656, 7168, 7680, 8192, 10240, 12288, 14336,
           16384, 20480, 24576, 28672, 32768]
OURS_NOT = "invalid free: this memory is not Ashlar's"
OURS_NO_MORE = "invalid free: this memory is not Ashlar's any more"
POINTER_NOT = "invalid pointer: this memory is not Ashlar's"
PAGES_TWICE = "double free: this memory is already free"
MAPPING_TWICE = "double free: this large block is already free"
UNTOUCHED = "invalid free: this memory is free: nobody had it, or it went back to the system"


def class_name(size):
    """The name of the cache of this size, as a report prints it"""
    return f"kmalloc-{size // 1024}k" if size % 1024 == 0 else f"kmalloc-{size}"


def twice(size):
    return f"double free: this object of {class_name(size)} is already free"


def inside(offset, size, word="invalid free"):
    return f"{word}: {offset} bytes inside an object of {class_name(size)} that starts at BASE"


def inside_large(offset, size=102400, word="invalid free"):
    return f"{word}: {offset} bytes inside a large block of {size} bytes that starts at BASE"


def used_after(size):
    return f"use after free: this object of {class_name(size)} is already free"


def wrong_size(size):
    return f"wrong size: freed with {size} bytes, this object is of kmalloc-64"


def wrong_size_large(said, size):
    return f"wrong size: freed with {said} bytes, this is a large block of {-(-size // 4096) * 4096} bytes"


CASES = [
    ("double_free.c", [], "free", twice(64)),
    ("double_free_later.c", [], "free", twice(1024)),
    ("double_free_thread.c", [], "free", twice(64)),
    ("double_free_fork.c", [], "free", twice(64)),
    ("double_free_race.c", [], None,
     f"(?:free\\(ADDR\\): {twice(64)}|"
     "malloc: corruption: object ADDR of kmalloc-64 was handed out while in use)"),
    ("double_free_large.c", ["102400"], "free", PAGES_TWICE),
    ("double_free_large.c", ["3000000"], "free", PAGES_TWICE),
    ("double_free_large.c", ["40000000"], "free", OURS_NO_MORE),
    ("free_inside.c", [], "free", inside(24, 64)),
    ("free_inside_aligned.c", [], "free", inside(256, 512)),
    ("free_inside_large.c", ["102400", "8"], "free", inside_large(8)),
    ("free_inside_large.c", ["102400", "4096"], "free", inside_large(4096)),
    ("free_inside_large.c", ["102400", "98304"], "free", inside_large(98304)),
    ("free_inside_large.c", ["3002368", "3002352"], "free", inside_large(3002352, 3002368)),
    ("free_inside_large.c", ["20971520", "16"], "free", inside_large(16, 20971520)),
    ("free_inside_large.c", ["20971520", "20971519"], "free", inside_large(20971519, 20971520)),
    ("free_inside_large.c", ["20971520", "20971520"], "free", OURS_NOT),
    ("free_stack.c", [], "free", OURS_NOT),
    ("free_static.c", [], "free", OURS_NOT),
    ("free_first.c", [], "free", OURS_NOT),
    ("free_mapped.c", [], "free", OURS_NOT),
    ("free_address.c", ["0x10"], "free", OURS_NOT),
    ("free_address.c", ["0x10008"], "free", OURS_NOT),
    ("free_address.c", ["0x7fffffffe000"], "free", OURS_NOT),
    ("free_address.c", ["0x8000000000000000"], "free", OURS_NOT),
    ("free_address.c", ["0xfffffffffffffff0"], "free", OURS_NOT),
    ("free_beside.c", ["below"], "free", OURS_NOT),
    ("free_beside.c", ["above"], "free", OURS_NOT),
    ("free_never.c", ["0x100001"], "free", "invalid free: no block starts here"),
    ("free_never.c", ["0x100010"], "free", UNTOUCHED),
    ("free_never.c", ["0x4000000"], "free", "invalid free: no block starts here"),
    ("realloc_freed.c", [], "realloc", used_after(64)),
    ("realloc_freed_same.c", [], "realloc", used_after(64)),
    ("realloc_freed_zero.c", [], "realloc", used_after(64)),
    ("realloc_inside.c", [], "realloc", inside(32, 64, "invalid pointer")),
    ("realloc_stack.c", [], "realloc", POINTER_NOT),
    ("usable_freed.c", [], "malloc_usable_size", used_after(64)),
    ("usable_inside.c", [], "malloc_usable_size", inside(16, 1280, "invalid pointer")),
    ("usable_stack.c", [], "malloc_usable_size", POINTER_NOT),
    ("free_sized_wrong.c", ["64", "100"], "free_sized", wrong_size(100)),
    ("free_sized_wrong.c", ["64", "100000"], "free_sized", wrong_size(100000)),
    ("free_aligned_sized_wrong.c", ["64", "100"], "free_aligned_sized", wrong_size(100)),
    ("kfree_sized_wrong.c", ["64", "100"], "kfree_sized", wrong_size(100)),
    ("kfree_sized_wrong.c", ["50", "100000"], "kfree_sized", wrong_size(100000)),
    ("kfree_sized_wrong.c", ["100000", "40000"], "kfree_sized", wrong_size_large(40000, 100000)),
    ("kfree_sized_wrong.c", ["20971520", "100"], "kfree_sized", wrong_size_large(100, 20971520)),
    ("delete_sized_wrong.cc", [], DELETE, wrong_size(100)),
    ("delete_twice.cc", [], DELETE, twice(64)),
    ("free_inside_all.c", [], None, None),
    ("free_sized_right.c", [], None, None),
    ("too_large.c", [], None, None),
    ("overflow.c", [], None, None),
    ("alignment.c", [], None, None),
    ("fine.c", [], None, None),
] + [(f"free_{word}_wrong.c", [str(size), "100"], f"free_{word}", wrong_size_large(100, size))
     for word in ("sized", "aligned_sized") for size in (100000, 3000000, 9000000, 40000000)] + [
    ("double_free_sizes.c", [str(size)], "free", twice(size)) for size in CLASSES] + [
    # Their slab has gone back to the pages, so its cache is forgotten: the report names less.
    ("double_free_gone.c", [str(size)], "free", f"(?:{twice(size)}|{PAGES_TWICE}|{UNTOUCHED})")
    for size in CLASSES]

POOL_BLOCK = "invalid free: this is in a pool's block: slab_free or pool_kfree takes it back"
POOL_PENDING = "double free: a constructor or destructor runs on this object of pool-64"


def pool_twice(name):
    return f"double free: this object of {name} is already free"


CASES += [("pool_misuse.c", [what], function, report) for what, function, report in (
    ("twice", "slab_free", pool_twice("pool-64")),
    ("never", "slab_free", pool_twice("pool-64")),
    ("dtor", "slab_free", POOL_PENDING),
    ("inside", "slab_free", "invalid free: 24 bytes inside an object of pool-64 that starts at BASE"),
    ("behind", "slab_free", "invalid free: behind the last object in a block of pool-96"),
    ("destroyed", "slab_malloc", "no pool: this is not a pool, or it was destroyed"),
    ("nopool", "slab_free", "no pool: this is not a pool, or it was destroyed"),
    ("null", "slab_malloc", "no pool: this is not a pool, or it was destroyed"),
    ("kfree", "kfree", POOL_BLOCK),
    ("free", "free", POOL_BLOCK),
    ("free_pool", "free", "double free: this object of pool is held"),
    ("realloc_pool", "realloc", "use after free: this object of pool is held"),
    ("group_twice", "pool_kfree", pool_twice("pool-kmalloc-128")),
    ("group_inside", "pool_kfree",
     "invalid free: 32 bytes inside an object of pool-kmalloc-128 that starts at BASE"),
)]

BLOCK = "block of 4 pages"
IN_BLOCK = f"inside a {BLOCK} that starts at BASE"
NO_OBJECT = f"this is no object, but a {BLOCK}: free_pages takes it back"
NO_BLOCK = "invalid free: this is no block of pages, but"
NO_CACHE = "invalid pointer: this is no cache, but"
CASES += [("pages.c", what.split(), function, report) for what, function, report in (
    ("block free", "free", f"invalid free: {NO_OBJECT}"),
    ("block kfree", "kfree", f"invalid free: {NO_OBJECT}"),
    ("block one", "kfree", f"invalid free: {NO_OBJECT}".replace("4 pages", "1 page")),
    ("block realloc", "realloc", f"invalid pointer: {NO_OBJECT}"),
    ("block ksize", "ksize", f"invalid pointer: {NO_OBJECT}"),
    ("block order", "free_pages", f"wrong order: this is a {BLOCK}, order 2"),
    ("block inside", "free_pages", f"invalid free: 4096 bytes {IN_BLOCK}"),
    ("block inside-order", "free_pages", f"invalid free: 8192 bytes {IN_BLOCK}"),
    ("block kfree-inside", "kfree", f"invalid free: 4096 bytes {IN_BLOCK}"),
    ("block twice", "free_pages", PAGES_TWICE),
    ("block one-twice", "free_pages", PAGES_TWICE),
    ("block kfree-twice", "kfree", PAGES_TWICE),
    ("pages slab", "free_pages", f"{NO_BLOCK} an object of kmalloc-64"),
    ("pages large", "free_pages", f"{NO_BLOCK} a large block of 102400 bytes"),
    ("pages large-inside", "free_pages", inside_large(4096)),
    ("pages mapping", "free_pages", f"{NO_BLOCK} a large block of 20971520 bytes"),
    ("destroy object", "kmem_cache_destroy", f"{NO_CACHE} an object of kmalloc-64"),
    ("destroy large", "kmem_cache_destroy", f"{NO_CACHE} a large block of 3145728 bytes"),
    ("destroy mapping", "kmem_cache_destroy", f"{NO_CACHE} a large block of 20971520 bytes"),
    ("mapping kvfree", "kvfree", inside_large(4096, 20971520)),
    ("mapping realloc", "realloc", inside_large(4096, 20971520, "invalid pointer")),
    ("mapping ksize", "ksize", inside_large(16, 20971520, "invalid pointer")),
    ("mapping end", "kfree", inside_large(20971504, 20971520)),
    ("mapping cache", "kmem_cache_free",
     "invalid free: this is no object of a cache, but a large block of 20971520 bytes"),
    ("mapping untouched", "free", UNTOUCHED),
)]

# What a pool refuses without ending the program: each line of what it says.
REFUSED = [
    r"ashlar: pool_create\(\): refused: args is NULL",
    r"ashlar: slab_free\(ADDR\): not in pool-64, but in a block of pool-kmalloc-128: ENOT_IN_SLAB",
    r"ashlar: slab_free\(ADDR\): not in pool-64, nor Ashlar's memory: ENOT_IN_SLAB",
    r"ashlar: pool_kfree\(ADDR\): not of the group, but in a block of pool-64: ECANNOT_FREE_MEM",
    r'ashlar: slab_destroy\("pool-64"\): 1 object is still in use; the pool stays: ESLAB_NOTNULL',
    r"  in use   ADDR",
]

# With ASHLAR_OPTIONS: (program, arguments, options, end, first line, patterns of further lines)
def stack(what, function):
    return (rf"  {what} by thread \d+ on CPU \d+, \d+ ms ago\n"
            rf"    #0  0x[0-9a-f]+ {function}\+0x[0-9a-f]+ \(debug_\w+\)\n    #1  0x[0-9a-f]+ main")


TAKEN = stack("allocated", "take")
GIVEN = stack("freed", "give")


def past_end(size, cache):
    return f"ashlar: overflow: object ARG of {cache} was written past its end"


def before_start(cache):
    return f"ashlar: underflow: object ARG of {cache} was written before its start"


def after_free(cache):
    return f"ashlar: use after free: object ARG of {cache} was written after it was freed"


DEBUG_CASES = [
    ("debug_write.c", ["50", "end"], "slab_debug=FZPU", -6, past_end(50, "kmalloc-64"),
     [TAKEN, r"50 bytes asked for, in use; seen at its free",
      r"found    41 instead of cc at 0x[0-9a-f]+, 1 byte past its end; 1 byte is wrong"]),
    ("debug_write.c", ["50", "-1"], "slab_debug=ZU", -6, before_start("kmalloc-64"),
     [TAKEN, r", 1 byte before its start; 1 byte is wrong"]),
    ("debug_write_freed.c", ["50"], "slab_debug=FZPU", -6, after_free("kmalloc-64"),
     [TAKEN, GIVEN, r"found    41 instead of 6b at 0x[0-9a-f]+, byte 25 of it"]),
    ("debug_twice.c", [], "slab_debug=U", -6, "ashlar: free\\(ARG\\): " + twice(64), [TAKEN, GIVEN]),
    ("debug_twice.c", [], "slab_debug=U,kmalloc-6?", -6, "ashlar: free\\(ARG\\): " + twice(64),
     [TAKEN, GIVEN]),
    ("debug_write.c", ["50", "end"], "slab_debug=FZPU,kmalloc-128;FZ,kmalloc-32", 0, None, []),
    ("debug_write.c", ["50", "end"], "slab_debug=FP", 0, None, []),
    ("debug_write.c", ["50", "end"], "slab_debug=FZPU;-,kmalloc-64", 0, None, []),
    ("debug_right.c", [], "slab_debug=FZP", 0, None, []),
    ("debug_right.c", [], "slab_debug=FZPU", 0, None, []),
    ("debug_right.c", [], "slab_debug=FZP;percpu=lock", 0, None, []),
    ("debug_cache.c", ["right"], "", -6, past_end(100, "cats"), [TAKEN]),
    ("debug_cache.c", ["left"], "", -6, before_start("cats"), [TAKEN]),
    ("debug_cache.c", ["freed"], "", -6, after_free("cats"), [TAKEN, GIVEN]),
    ("debug_cache.c", ["twice"], "", -6,
     "ashlar: kmem_cache_free\\(ARG\\): double free: this object of cats is already free",
     [TAKEN, GIVEN]),
    ("debug_cache.c", ["leak"], "", 0,
     "ashlar: kmem_cache_destroy\\(\"cats\"\\): 2 objects are still in use; the cache stays",
     [r"  1 object, one at 0x[0-9a-f]+, allocated by thread \d+ .*\n    #0  .* take\+"]),
    ("debug_cache.c", ["validate"], "", 0, past_end(100, "cats"),
     [r"seen at validation", r"ashlar: underflow: object BASE of cats"]),
] + [("debug_write.c", [str(size), "end"], "slab_debug=Z", -6, past_end(size, class_name(size)), [])
     for size in CLASSES] + [
    ("debug_write.c", [str(size), "-1"], "slab_debug=Z", -6, before_start(class_name(size)), [])
    for size in CLASSES] + [
    ("debug_write_freed.c", [str(size)], "slab_debug=P", -6, after_free(class_name(size)), [])
    for size in CLASSES]

def guarded(kind, what, where):
    return f"ashlar: {kind}: {what} object BASE of kmalloc-112 at ARG, {where}"


GUARD = "guard=1;guard_slots=40"
IN_USE = r"  object   kmalloc-112 \[BASE - 0x[0-9a-f]+\), guarded, in use\n"
FREED = r"  object   kmalloc-112 \[BASE - 0x[0-9a-f]+\), guarded, free\n"
READ = stack("read", "look")
WRITTEN = stack("written", "change")
DEBUG_CASES += [("debug_guard.c", args.split(), options, end, first, more)
                for options in (GUARD, GUARD + ";percpu=lock", "guard=3;guard_each") for args, end, first, more in (
    ("read 112", -11, guarded("overflow", "read of", "13 bytes past its end"), [IN_USE, READ, TAKEN]),
    ("read 300", -11, guarded("overflow", "read of", "201 bytes past its end"), [IN_USE, READ, TAKEN]),
    ("write 112", -11, guarded("overflow", "write to", "13 bytes past its end"),
     [IN_USE, WRITTEN, TAKEN]),
    ("read -1", -11, guarded("underflow", "read of", "1 byte before its start"), [IN_USE, READ, TAKEN]),
    ("write -8", -11, guarded("underflow", "write to", "8 bytes before its start"),
     [IN_USE, WRITTEN, TAKEN]),
    ("read-freed 5", -11, guarded("use after free", "read of", "byte 5 of it"),
     [FREED, READ, TAKEN, GIVEN]),
    ("read-freed 0 right", -11, guarded("use after free", "read of", "byte 0 of it"),
     [FREED, READ, TAKEN, GIVEN]),
    ("write-freed 99", -11, guarded("use after free", "write to", "byte 99 of it"),
     [FREED, WRITTEN, TAKEN, GIVEN]),
    ("write 100 left", -6, past_end(100, "kmalloc-112").replace("ARG", "BASE"),
     ["found    41 instead of cc at ARG, 1 byte past its end; 1 byte is wrong",
      "100 bytes asked for, in use; seen at its free", TAKEN, GIVEN]),
    ("write -1 right", -6, before_start("kmalloc-112").replace("ARG", "BASE"),
     ["found    41 instead of cc at ARG, 1 byte before its start; 1 byte is wrong", TAKEN, GIVEN]),
    ("twice", -6, r"ashlar: free\(ARG\): " + twice(112), [FREED, TAKEN, GIVEN]),
    ("inside 32", -6, r"ashlar: free\(ARG\): " + inside(32, 112), [IN_USE, TAKEN]),
    ("right", 0, None, []),
)] + [("debug_guard_right.c", [], options, 0, None, []) for options in (
    GUARD, GUARD + ";percpu=lock", "guard=1", "guard=2;guard_each", "guard=2;guard_each;percpu=lock",
    "guard=3;init_on_alloc=1;init_on_free=1",
    GUARD + ";stats=1;random_seq=1", GUARD + ";fake_numa=4", GUARD + ";slab_merge;audit")]

ODD = "1 byte inside an object of cats that starts at BASE"
FREE_CAT = "ashlar: kmem_cache_free(ARG): {}"
GONE = "use after free: this object of kmem_cache is already free"
DESCRIBES = "this describes the cache dogs: kmem_cache_destroy ends it"
CAT_TWICE = "double free: this object of cats is already free"

# cache.c: what is done, how the program ends, and the first line; None: it is silent.
CACHE_CASES = CREATE_CASES + [
    ("create constructor", -6, 'ashlar: kmem_cache_alloc("greedy"): refused: the constructor allocates '
     'from its own cache'),
    ("destroy null", 0, None),
    ("destroy in-use", 0,
     'ashlar: kmem_cache_destroy("cats"): 1 object is still in use; the cache stays'),
    ("destroy nothing", -6, "ashlar: kmem_cache_destroy(ARG): " + POINTER_NOT),
    ("destroy twice", -6, "ashlar: kmem_cache_destroy(ARG): " + GONE),
    ("destroy alloc", -6, "ashlar: kmem_cache_alloc(ARG): " + GONE),
    ("destroy alloc-bulk", -6, "ashlar: kmem_cache_alloc_bulk(ARG): " + GONE),
    ("destroy alloc-node", -6, "ashlar: kmem_cache_alloc(ARG): " + GONE),
    ("destroy alloc-no-node", -6, "ashlar: kmem_cache_alloc_node(ARG): " + GONE),
    ("destroy alloc-other-node", -6, "ashlar: kmem_cache_alloc_node(ARG): " + GONE),
    ("destroy validate", -6, "ashlar: kmem_cache_validate(ARG): " + GONE),
    ("destroy validate-null", -6, "ashlar: kmem_cache_validate(ARG): " + POINTER_NOT),
    ("destroy shrink", -6, "ashlar: kmem_cache_shrink(ARG): " + GONE),
    ("destroy tune", -6, "ashlar: kmem_cache_tune(ARG): " + GONE),
    ("destroy size", -6, "ashlar: kmem_cache_size(ARG): " + GONE),
    ("destroy debug", -6, "ashlar: kmem_cache_debug(ARG): " + GONE),
    ("destroy shrink-null", -6, "ashlar: kmem_cache_shrink(ARG): " + POINTER_NOT),
    ("free null", 0, None),
    ("free kfree", 0, None),
    ("free other-cache", -6, FREE_CAT.format("wrong cache: freed to dogs, this object is of cats")),
    ("free kmalloc", -6, FREE_CAT.format("wrong cache: freed to cats, this object is of kmalloc-112")),
    ("free static", -6, FREE_CAT.format(OURS_NOT)),
    ("free inside", -6, FREE_CAT.format("invalid free: 16" + ODD[1:].replace("byte ", "bytes "))),
    ("free odd", -6, FREE_CAT.format("invalid free: " + ODD)),
    ("free twice", -6, FREE_CAT.format(CAT_TWICE)),
    ("free bulk-twice", -6, FREE_CAT.format(CAT_TWICE)),
    ("free kfree-twice", -6, f"ashlar: kfree(ARG): {CAT_TWICE}"),
    ("free bulk-other", -6, FREE_CAT.format("wrong cache: freed to dogs, this object is of cats")),
    ("free bulk-null", 0, None),
    ("free cache", -6, "ashlar: free(ARG): invalid free: " + DESCRIBES),
    ("free kfree-cache", -6, "ashlar: kfree(ARG): invalid free: " + DESCRIBES),
    ("free cache-to-cache", -6, FREE_CAT.format("invalid free: " + DESCRIBES)),
    ("free cache-to-itself", -6, FREE_CAT.format("invalid free: " + DESCRIBES)),
    ("free realloc-cache", -6, "ashlar: realloc(ARG): invalid pointer: " + DESCRIBES),
    ("free destroyed", -6, FREE_CAT.format("use after free: freed to a cache that is "
     "destroyed, this object is of cats")),
]

# These call what the C library has not, or expect our report inside.
NOT_PLAIN = ("free_sized_right.c", "free_inside_all.c")


class Tap:
    """Numbered results, and whether all were good"""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def result(self, good, name, why=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        if not good:
            for line in why.splitlines()[:20]:
                print("# " + line[:300])
        sys.stdout.flush()


def build(folder, source):
    """Compile once; the compiler is told to leave malloc and free as they are written."""
    out = os.path.join(folder, source.replace(".", "_"))
    if not os.path.exists(out):
        cxx = source.endswith(".cc")
        compiler = os.environ.get("CXX", "c++") if cxx else os.environ.get("CC", "cc")
        flags = ["-std=c++17"] if cxx else ["-std=gnu11"]
        if source.startswith("debug_"):
            flags.append("-rdynamic")  # so that stacks have names
        if source in ("cache.c", "debug_cache.c", "pages.c"):
            flags += ["-I", os.path.join(ROOT, "include"), PRELOAD]
        if PRELOAD != "none" and ("sized" in source or "pool" in source) and not cxx:
            flags += ["-I", os.path.join(ROOT, "include"), PRELOAD]
        subprocess.run(compiler.split() + ["-O1", "-g", "-w", "-fno-builtin", "-pthread", "-I", HERE,
                                           "-o", out, os.path.join(HERE, source)] + flags,
                       check=True)
    return out


def start(program, args, options):
    """Run to the end, in a process group that is ended with it; returns code, stdout, stderr"""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("ASHLAR_", "LD_", "MALLOC_"))}
    env["LC_ALL"] = "C"
    if PRELOAD != "none":
        env["LD_PRELOAD"] = PRELOAD
        env["ASHLAR_OPTIONS"] = options
    try:
        done = subprocess.run([program] + args, env=env, capture_output=True, timeout=LIMIT,
                              start_new_session=True, stdin=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired:
        return "no end", "", ""
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def pattern(function, what, printed):
    """The regular expression of a report's first line"""
    arg, base = (printed.split() + ["0x[0-9a-f]+"] * 2)[:2]
    arg, base = ("0x0" if p == "(nil)" else p for p in (arg, base))
    line = f"ashlar: {function}\\(ARG\\): {what}" if function else f"ashlar: {what}"
    return line.replace("ARG", arg).replace("BASE", base).replace("ADDR", "0x[0-9a-f]+")


def try_case(tap, folder, case, options):
    source, args, function, what = case
    code, out, err = start(build(folder, source), args, options)
    lines = err.splitlines()
    name = f"{' '.join([source] + args)}, {options or 'plain'}"
    why = f"ended with {code}, printed:\n{out}{err}"
    if what is None:
        tap.result(code == 0 and not lines, name, why)
        return
    wanted = pattern(function, what, out)
    good = code == -6 and lines and re.fullmatch(wanted, lines[0])
    detail = len(lines) > 1 and all(line.startswith((" ", "\t")) for line in lines[1:])
    if "inside an object of kmalloc" in what:  # all of these are of somebody
        detail = detail and lines[1].endswith(" of its slab, in use")
    tap.result(bool(good and detail), name, f"wanted: {wanted}\n{why}")


def try_debug(tap, folder, case):
    source, args, options, end, first, more = case
    code, out, err = start(build(folder, source), args, options)
    arg, base = (out.split() + ["0x[0-9a-f]+"] * 2)[:2]
    wanted = [line.replace("ARG", arg).replace("BASE", base) for line in more]
    if first is None:
        good = not err
    else:
        good = re.match(first.replace("ARG", arg).replace("BASE", base) + "\n", err)
        good = good and all(re.search(line, err) for line in wanted)
    tap.result(bool(code == end and good), f"{' '.join([source] + args)}, {options or 'plain'}",
               f"wanted: {first}\n{wanted}\nended with {code}, printed:\n{out}{err}")


def try_cache(tap, folder, case, options):
    """A misuse of a cache's life: one line, if any, and then the program goes on or ends."""
    what, end, line = case
    code, out, err = start(build(folder, "cache.c"), what.split(), options)
    arg, base = (out.split()[-2:] + ["ARG"] * 2)[:2]
    first = err.split("\n", maxsplit=1)[0]
    if arg == "ARG":
        first = re.sub(r"\(0x[0-9a-f]+\)", "(ARG)", first)
    wanted = (line or "").replace("ARG", arg).replace("BASE", base)
    tap.result(code == end and first == wanted, f"cache.c {what}, {options}",
               f"wanted: {wanted}\nended with {code}, printed:\n{out}{err}")


def try_options(tap, folder):
    """Unknown names are told once, each, and the program goes on."""
    program = build(folder, "fine.c")
    for options, unknown in (("foo", ["foo"]), ("foo=1;bar=x", ["foo", "bar"]), ("percpu=rseq;foo", ["foo"])):
        code, out, err = start(program, [], options)
        want = [f"ashlar: ASHLAR_OPTIONS: unknown option '{name}', ignored" for name in unknown]
        tap.result(code == 0 and out == "fine\n" and err.splitlines() == want,
                   f"ASHLAR_OPTIONS={options}", f"ended with {code}, printed:\n{out}{err}")


def try_refused(tap, folder, options):
    """What a pool refuses is said line by line, and the program goes on."""
    code, out, err = start(build(folder, "pool_misuse.c"), [], options)
    lines = err.splitlines()
    good = code == 0 and len(lines) == len(REFUSED) and all(
        re.fullmatch(want.replace("ADDR", "0x[0-9a-f]+"), line) for want, line in zip(REFUSED, lines))
    tap.result(good, f"pool_misuse.c goes on, {options}", f"ended with {code}, printed:\n{out}{err}")


def main():
    if PRELOAD != "none" and not os.access(PRELOAD, os.R_OK):
        print(f"Bail out! {PRELOAD} is missing: build it, or set ASHLAR_PRELOAD=none")
        return 1
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="ashlar-test.")
    try:
        if PRELOAD == "none":
            for case in CASES:
                if case[3] is None and case[0] not in NOT_PLAIN:
                    try_case(tap, folder, case, "")
        else:
            for options in ("percpu=rseq", "percpu=lock"):
                for case in CASES:
                    try_case(tap, folder, case, options)
                for case in CACHE_CASES:
                    try_cache(tap, folder, case, options)
                try_refused(tap, folder, options)
            for case in CACHE_CASES:
                if case[0].startswith("destroy ") and case[0] != "destroy alloc-node":
                    try_cache(tap, folder, case, "fake_numa=4")
            try_options(tap, folder)
            for case in DEBUG_CASES:
                try_debug(tap, folder, case)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"1..{tap.count}")
    return 1 if tap.failed else 0


sys.exit(main())
