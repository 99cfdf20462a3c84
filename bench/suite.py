# SPDX-License-Identifier: MIT
"""suite.py - the list of benchmarks: what is run, which figure counts, and what is aimed at.

The list only grows. A target compares Ashlar's median with a peer's:

  best F          at most F times the best peer's (every allocator in the run but Ashlar's own variants)
  peer NAME F     at most F times NAME's
  plus NAME X     at most NAME's plus X
  below X         at most X
  line NAME F     at most F times the other line of the same program
  variant NAME F  Ashlar with other options (bench/run) at most F times Ashlar
"""
from dataclasses import dataclass, field

AT_OR_AHEAD = 1.03
REPLACE_CURVE = [1000, 5000, 20000, 50000, 100000, 200000, 500000, 1000000]


@dataclass
class Bench:
    name: str
    group: str
    argv: list                      # program in out/bin, and its arguments
    key: str = "cpu_ns"             # the word of the result line that counts
    unit: str = "ns"
    targets: list = field(default_factory=list)
    only: tuple = ()                # allocators; empty: all but the variants
    quick: bool = True              # part of --quick
    budget: float = 1               # times the standard length


def best(factor=AT_OR_AHEAD):
    return [("best", factor)]


def single(name, *argv, targets=(), **more):
    """One thread: CPU time counts, so that whatever else runs on the machine disturbs little."""
    return Bench(name, "micro", ["micro", *map(str, argv)], targets=list(targets), **more)


def threaded(name, *argv, group="threads", targets=(), **more):
    """Several threads: waiting is part of the price, so wall time counts."""
    return Bench(name, group, list(map(str, argv)), key="ns", targets=list(targets), **more)


def micro():
    yield from (single(f"pair {size}", "pair", size, targets=best(), quick=size in (64, 1024))
                for size in (16, 64, 256, 1024, 8192, 65536))
    for size, count in ((64, 100), (64, 4000), (512, 1000)):
        yield single(f"batch {size} x {count}", "batch", size, count, targets=best(),
                     quick=count == 100)
    yield single("mixed 16-1024", "mixed", 1000, 1024, targets=best())
    for live in REPLACE_CURVE:
        named = live in (50000, 1000000)
        yield single(f"replace {live}", "replace", live, targets=best(), quick=named)
    yield single("up-down 100k", "up-down", targets=best(1.2))
    yield single("up-back 100k", "up-back", targets=best(1.2), quick=False)
    yield single("up-shuffle 100k", "up-shuffle", quick=False)
    yield single("realloc to 64K", "realloc", quick=False)
    yield single("calloc 64", "calloc", 64, quick=False)
    yield single("aligned 64", "aligned", 64, 200, quick=False)
    yield single("touch 256K", "touch", 256 << 10, quick=False)
    yield single("touch 16M", "touch", 16 << 20)
    yield single("lock pair 64", "pair", 64, only=("ashlar", "ashlar-lock"), unit="ns",
                 targets=[("variant", "ashlar-lock", 3)])


def threads():
    yield threaded("handover 64", "micro", "handover", targets=best(1.2), budget=2)
    yield threaded("handover, two nodes", "micro", "handover", 64, 1, budget=2,
                   only=("ashlar", "ashlar-nodes"), targets=[("variant", "ashlar-nodes", 1.3)])
    yield threaded("thread churn", "micro", "churn", budget=2)
    yield Bench("64 threads, 1 cpu", "threads", ["micro", "many"], budget=2)
    yield Bench("1000 light threads", "threads", ["threads"], key="kib", unit="KiB",
                targets=[("below", 20)])


def workloads(cpus):
    for count in sorted({cpus, 4 * cpus}):
        more = {"group": "workloads", "quick": count == cpus}
        yield threaded(f"larson-{count}", "larson", count, **more)
        yield threaded(f"xmalloc-{count}", "xmalloc", max(1, count // 2), **more)
        yield threaded(f"mstress-{count}", "mstress", count, 20 * cpus // count, **more)
        yield threaded(f"sh6-{count}", "sh6", count, **more)
        yield threaded(f"sh8-{count}", "sh8", count, **more)
    yield threaded(f"cache-scratch-{cpus}", "cache-scratch", cpus, group="workloads")
    yield threaded(f"cache-thrash-{cpus}", "cache-thrash", cpus, group="workloads")


def startup():
    yield Bench("/bin/true", "startup", ["startup", "40"], key="ms", unit="ms",
                targets=[("plus", "glibc", 0.3)])
    yield Bench("/bin/true, cpu", "startup", ["startup", "40"], key="cpu_ms", unit="ms",
                targets=[("plus", "glibc", 0.3)], quick=False)


def give_back():
    for name in ("all", "keep", "waves"):
        yield Bench(f"rss {name}", "rss", ["rss", name], key="end_mib", unit="MiB")


def kmem():
    for name in ("pair", "batch", "bulk"):
        yield Bench(f"kmem {name} 64", "kmem", ["kmem", name, "64"], only=("ashlar",),
                    targets=[("line", f"malloc-{name}", AT_OR_AHEAD)])


def pools():
    for mib in (32, 512):
        yield Bench(f"walk {mib} MiB", "pools", ["walk", str(mib)], key="ns", only=("ashlar",),
                    targets=[("line", "4 KiB pages", 0.9)], quick=False)


def everything(cpus):
    return [*micro(), *threads(), *startup(), *workloads(cpus), *kmem(), *pools(), *give_back()]
