#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""boot.py - build the test kernels, boot each in QEMU, and say whether its tests passed

  kernel/boot.py [--out DIR] [--jobs N] [--only TEXT] [ARCH...]

One line for each machine of MACHINES. A pass is exit code 33, the closing line, a result for every
test that the plan names, and one that passed at least; a hang, a panic, a triple fault (which exits
with 0), short output, or a plan of nothing is a failure, and its console is shown. Consoles are kept
in DIR/ARCH/NAME.log, and what was counted in DIR/results.tsv: machine, seconds, passed, failed,
skipped. Last comes the size of the libraries.
"""
import argparse
import os
import re
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
PASS_CODE = 33
CLOSING = "# ashlar: end of tests, all passed"
HANG_SECONDS = 5     # after which a planted hang, which begins within a second, is one
LIMIT_SECONDS = 300  # most take less than ten on a machine that has nothing else to do
PLAN = re.compile(r"^1\.\.(\d+)")
RESULT = re.compile(r"^(not )?ok \d+( - .*?)?(# SKIP.*)?$")

QEMU = {
    "x86_64": ["qemu-system-x86_64", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"],
    "aarch64": ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57",
                "-semihosting-config", "enable=on,target=native"],
    "riscv64": ["qemu-system-riscv64", "-M", "virt"],
}

# Instructions of an alloc and free of a cache, of kmalloc, of a page, of an object in a batch of
# 10,000; of an allocation that refills an array, of one that makes a slab: counted with gcc 12.2.
# More is a failure; less should be written down here.
GOLDEN = {
    "x86_64": "cache=55 kmalloc=57 page=114 batch=76 refill=1515 growth=1686",
    "aarch64": "cache=83 kmalloc=83 page=126 batch=101 refill=1486 growth=1766",
    "riscv64": "cache=99 kmalloc=103 page=142 batch=117 refill=2736 growth=1933",
}
ICOUNT = "-m 64M -icount shift=0,sleep=off -rtc clock=vm,base=2024-01-01"



def numa(*given):
    """Options of a machine with NUMA nodes: (MiB of memory, CPUs as "0-1") for each, either may be
    none; then distances "FROM-TO=N"."""
    nodes = [g for g in given if not isinstance(g, str)]
    options = f"-m {sum(size for size, _ in nodes)}M"
    for n, (size, cpus) in enumerate(nodes):
        if size:
            options += f" -object memory-backend-ram,id=m{n},size={size}M"
        options += f" -numa node,nodeid={n}" + (f",memdev=m{n}" if size else "")
        options += f",cpus={cpus}" if cpus else ""
    for text in (g for g in given if isinstance(g, str)):
        pair, distance = text.split("=")
        options += " -numa dist,src={},dst={},val=".format(*pair.split("-")) + distance
    return options


TWO_NODES = "-smp 4 " + numa((64, "0-1"), (96, "2-3"))
# The nearest to node 0 is 2, then 3, then 1; 2 has no CPU, 3 no memory. RISC-V's are
# sockets that must have both, and QEMU 7.2 starts two of them at most.
FOUR_NODES = "-smp 4 " + numa((64, "0"), (32, "1-2"), (48, ""), (0, "3"), "0-1=40", "0-2=15",
                              "0-3=20", "1-2=20", "1-3=20", "2-3=12")
# With two that are no options; lines that the consoles of machines of a name must have.
OPTIONS = ("test=options options=nosuch=1;random_seq=1;random_seq=x;init_on_alloc=1;init_on_free=1;"
           "slab_merge=1;guard=1;failslab=2,100,0,-1,fails*")
SAYS = {"options": ("ashlar: boot line: unknown option 'nosuch', ignored",
                    "ashlar: boot line: bad value in 'random_seq=x', ignored",
                    'ashlar: boot line("guard"): refused: this home\'s memory is mapped in large pages, and '
                    'no page of them can be closed',
                    "ashlar: failslab: failure 1: 120 bytes of fails always"),
        "options-nth": ("ashlar: failslab: failure 1: 120 bytes of other",)}
INITRD_KIB = 3072  # of words that count from 0 (bare/initrd_case.c)
# Kernels with other base pages, and their MMUs with these granules: OUT/ARCH/FOLDER, PAGE_SHIFT.
PAGES = {"aarch64": {"16k": 14, "64k": 16}}

# (name, processor, kernel, boot line, machine[, how a planted error is found: what is wrong, or a
# report on the console])
MACHINES = [
    ("unit", "x86_64", "unit", "ASHLAR_TEST=quick", "-m 512M"),
    ("8M", "x86_64", "bare", "ram=8192", "-m 8M"),
    ("128M", "x86_64", "bare", "ram=131072", "-m 128M"),
    ("flat", "x86_64", "bare", "ram=65536 flat=1 steps=1", "-m 64M"),
    ("hole", "x86_64", "bare", "ram=131072", "-M pc,max-ram-below-4g=64M -m 128M"),
    ("microvm", "x86_64", "bare", "ram=65536", "-M microvm -m 64M"),
    ("4G", "x86_64", "bare", "ram=4194304 test=memory", "-m 4G"),
    ("smp4", "x86_64", "bare", "ram=131072 seed=1", "-m 128M -smp 4"),
    ("numa2", "x86_64", "bare", "ram=163840 nodes=2 near=01 seed=6", TWO_NODES),
    ("numa4", "x86_64", "bare", "nodes=4 near=021 rounds=20 seed=6", FOUR_NODES),
    ("smp2", "x86_64", "bare", "seed=2", "-m 64M -smp 2"),
    ("smp4-turns", "x86_64", "bare", "seed=3 rounds=30", "-m 64M -smp 4 -accel tcg,thread=single"),
    ("unit", "aarch64", "unit", "ASHLAR_TEST=quick", "-m 512M"),
    ("64M", "aarch64", "bare", "ram=65536", "-m 64M"),
    ("flat", "aarch64", "bare", "ram=65536 flat=1", "-m 64M"),
    ("2G", "aarch64", "bare", "ram=2097152 test=memory", "-m 2G"),
    ("smp4", "aarch64", "bare", "seed=4", "-m 64M -smp 4"),
    ("numa2", "aarch64", "bare", "ram=163840 nodes=2 near=01 seed=7", TWO_NODES),
    ("numa4", "aarch64", "bare", "test=numa nodes=4 near=021 rounds=20 seed=7", FOUR_NODES),
    ("unit", "riscv64", "unit", "ASHLAR_TEST=quick", "-m 512M"),
    ("64M", "riscv64", "bare", "ram=65536", "-m 64M"),
    ("flat", "riscv64", "bare", "ram=65536 flat=1", "-m 64M"),
    ("2G", "riscv64", "bare", "ram=2097152 test=memory", "-m 2G"),
    ("smp4", "riscv64", "bare", "seed=5", "-m 64M -smp 4"),
    ("numa2", "riscv64", "bare", "ram=163840 nodes=2 near=01 seed=8", TWO_NODES),
    ("entry", "riscv64", "slob-example", "files=50 entry=1", "-m 64M -smp 4"),
    ("planted-nmi", "x86_64", "bare", "test=nmi_between plant=nmi", "-m 64M", "broken rule"),
    ("planted-hang", "x86_64", "bare", "test=plant plant=hang", "-m 64M", "no end within 5 seconds"),
    ("planted-reset", "x86_64", "bare", "test=plant plant=reset", "-m 64M", "exit status 0, not 33"),
    ("planted-short", "x86_64", "bare", "test=plant plant=short", "-m 64M", "0 results for a plan of 1"),
    ("planted-hang", "aarch64", "bare", "test=plant plant=hang", "-m 64M", "no end within 5 seconds"),
    ("planted-reset", "aarch64", "bare", "test=plant plant=reset", "-m 64M", "exit status 0, not 33"),
    ("planted-hang", "riscv64", "bare", "test=plant plant=hang", "-m 64M", "no end within 5 seconds"),
    ("planted-reset", "riscv64", "bare", "test=plant plant=reset", "-m 64M", "exit status 0, not 33"),
    ("example", "x86_64", "example", "files=300", "-m 64M -smp 4"),
    ("example-16M", "x86_64", "example", "files=500", "-m 16M -smp 2"),
    ("example", "aarch64", "example", "files=300", "-m 64M -smp 4"),
    ("example-16M", "aarch64", "example", "files=500", "-m 16M -smp 2"),
    ("example", "riscv64", "example", "files=300", "-m 64M -smp 4"),
    ("example-16M", "riscv64", "example", "files=500", "-m 16M -smp 2"),
    ("example-full", "riscv64", "example", "files=700", "-m 64M -smp 4"),
    ("letters", "x86_64", "bare", "test=smp options=slab_debug=FZPU seed=9 rounds=5", "-m 64M -smp 2"),
    ("options", "x86_64", "bare", OPTIONS, "-m 64M"),
    ("options-nth", "x86_64", "bare", "test=options options=fail_nth=3000", "-m 64M"),
    ("options", "aarch64", "bare", OPTIONS, "-m 64M"),
    ("planted-overflow", "x86_64", "bare", "test=plant plant=overflow options=slab_debug=FZ,kmalloc-1*",
     "-m 64M", "kmalloc-112 was written past its end"),
    ("planted-twice", "x86_64", "bare", "test=plant plant=twice", "-m 64M", "double free"),
]
# The slob engine (slob.mk): its tests and the public ones; the machine itself; the example.
for arch in QEMU:
    MACHINES += [
        ("slob-unit", arch, "slob-unit", "ASHLAR_TEST=quick", "-m 512M"),
        ("slob-64M", arch, "slob-bare", "ram=65536", "-m 64M"),
        ("slob-smp4", arch, "slob-bare", "seed=11 rounds=50", "-m 64M -smp 4"),
        ("slob-numa2", arch, "slob-bare", "test=numa ram=163840 nodes=2 near=01 seed=12", TWO_NODES),
        ("slob-example", arch, "slob-example", "files=100", "-m 64M -smp 4"),
        ("slob-full", arch, "slob-example", "files=700", "-m 16M"),
    ]
MACHINES += [
    ("lock", "x86_64", "lock", "test=lock", "-m 64M"),
    ("lock-smp4", "x86_64", "lock", "seed=14 rounds=30", "-m 64M -smp 4"),
    ("pools", "x86_64", "seed-pools", "ASHLAR_TEST=quick", "-m 512M"),
    ("slob-8M", "x86_64", "slob-bare", "ram=8192", "-m 8M"),
    ("slob-hole", "x86_64", "slob-bare", "ram=131072", "-M pc,max-ram-below-4g=64M -m 128M"),
    ("slob-numa4", "x86_64", "slob-bare", "nodes=4 near=021 rounds=20 seed=13", FOUR_NODES),
    ("slob-twice", "x86_64", "slob-bare", "test=plant plant=twice", "-m 64M", "double free"),
    ("tlb", "x86_64", "bare", "test=tlb", TWO_NODES),
    ("tlb-hole", "x86_64", "bare", "test=tlb", "-M pc,max-ram-below-4g=64M -m 128M -smp 4"),
    ("tlb", "riscv64", "bare", "test=tlb", TWO_NODES),
]
# QEMU gives an ELF image on AArch64 no initrd.
MACHINES += [("initrd", arch, "bare", f"test=initrd initrd={INITRD_KIB}", "-m 64M -initrd {initrd}")
             for arch in ("x86_64", "riscv64")]
for size in PAGES["aarch64"]:  # cortex-a57 has no granule of 16 KiB
    MACHINES += [(f"{size}-{name}", "aarch64", f"{size}/{kernel}", line, "-cpu max " + machine)
                 for name, kernel, line, machine in (
                     ("unit", "unit", "ASHLAR_TEST=quick", "-m 512M"),
                     ("64M", "bare", "ram=65536", "-m 64M"),
                     ("flat", "bare", "ram=65536 flat=1", "-m 64M"),
                     ("smp4", "bare", "seed=10", "-m 64M -smp 4"),
                     ("numa2", "bare", "ram=163840 nodes=2 near=01 seed=11", TWO_NODES),
                     ("example", "example", "files=300", "-m 64M -smp 4"))]
MACHINES += [("counts", arch, "bare", f"test=count icount=1 {most}", ICOUNT)
             for arch, most in GOLDEN.items()]
# Instructions of the start: 196,877 and 202,217 as counted.
MACHINES += [(f"boot-{ram}", "x86_64", "bare", f"test=count_boot boot={most}",
              ICOUNT.replace("64M", ram)) for ram, most in (("1G", 197700), ("4G", 203000))]


def library_sizes(arch, out):
    """A line for each library that the kernels link: bytes of text (constants with it), data, bss."""
    tool = {"x86_64": "size", "aarch64": "aarch64-linux-gnu-size", "riscv64": "riscv64-linux-gnu-size"}
    lines = []
    for name in sorted((out / arch).glob("libashlar-*.a")):
        total = subprocess.run([tool[arch], "-t", str(name)], stdout=subprocess.PIPE, text=True,
                               check=True).stdout.splitlines()[-1].split()
        lines.append(f"{arch:8} {name.name:24} {total[0]:>8} {total[1]:>8} {total[2]:>8}")
    return lines


def build(arch, out, shift=12):
    log = out / "build.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as file:
        done = subprocess.run(["make", "-C", str(HERE), "-j2", f"ARCH={arch}",
                               f"PAGE_SHIFT={shift}", f"OUT={out}"],
                              stdout=file, stderr=subprocess.STDOUT,
                              env={k: v for k, v in os.environ.items()
                                   if not k.startswith("MAKE") and k != "MFLAGS"}, check=False)
    if done.returncode:
        print(log.read_text(encoding="utf-8", errors="replace")[-4000:])
    return done.returncode == 0


def limit_of(machine):
    """Seconds until it is called a hang."""
    return HANG_SECONDS if "plant=hang" in machine[3] else LIMIT_SECONDS


def boot(machine, out):
    """(status or None for a hang, console, seconds)"""
    name, arch, kernel, line, options = machine[:5]
    command = QEMU[arch] + ["-kernel", str(out / arch / f"{kernel}.elf"), "-display", "none",
                            "-serial", "stdio", "-nic", "none", "-no-reboot", "-append", line]
    if "{initrd}" in options:
        initrd = out / arch / "initrd"
        initrd.write_bytes(struct.pack(f"<{INITRD_KIB * 256}I", *range(INITRD_KIB * 256)))
        options = options.format(initrd=initrd)
    start = time.monotonic()
    with open(out / arch / f"{name}.log", "w+b") as log:
        try:
            status = subprocess.run(command + options.split(), stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=subprocess.STDOUT, timeout=limit_of(machine),
                                    check=False).returncode
        except subprocess.TimeoutExpired:
            status = None
        log.seek(0)
        console = log.read().decode("utf-8", "replace").replace("\r", "")
    return status, console, time.monotonic() - start


SLABINFO = re.compile(r"(\S+)((?: +\d+){5}) : tunables((?: +\d+){3}) : slabdata((?: +\d+){3})")


def judge_slabinfo(lines, slob):
    """What is wrong with the slabinfo on a console; None: nothing, or there is none. On slob
    kmalloc has no caches."""
    if "slabinfo - version: 2.1" not in lines:
        return None
    text = lines[lines.index("slabinfo - version: 2.1"):]
    end = [i for i, line in enumerate(text) if i > 1 and line.startswith(("# ", "ok ", "not ok ", "Node "))]
    text = text[:end[0] if end else None]
    rows = {m.group(1): [int(n) for n in m.group(2).split()]
            for m in map(SLABINFO.fullmatch, text[2:]) if m}
    if len(rows) != len(text) - 2 or "kmalloc-64" not in rows and not slob:
        return "slabinfo does not parse"
    if any(active > total or total % each for active, total, _, each, _ in rows.values()):
        return "slabinfo's figures contradict each other"
    return None if rows.get("with_space", [700])[0] >= 700 else "slabinfo has too few objects in use"


ZONE = re.compile(r"Node (\d+), zone +(DMA32|DMA|Normal)")
BLOCKS = re.compile(ZONE.pattern + r" ((?: *\d+ )+)")


def judge_zoneinfo(lines):
    """The same of zoneinfo and buddyinfo, which come right behind it."""
    zones = {}
    blocks = {}
    zone = None
    for line in lines:
        if ZONE.fullmatch(line):
            zone = zones.setdefault(line, {})
        elif BLOCKS.fullmatch(line):
            blocks[line[:ZONE.match(line).end()]] = [int(n) for n in BLOCKS.fullmatch(line).group(3).split()]
        elif zone is not None and re.fullmatch(r"  (pages|     ) +[a-z]+ +\d+", line):
            zone[line.split()[-2]] = int(line.split()[-1])
    if not zones:
        missing = any("zoneinfo_on_the_console" in line for line in lines)
        return "there is no zoneinfo" if missing else None
    for name, z in zones.items():
        if not z["min"] <= z["low"] <= z["high"] or not z["free"] <= z["managed"] <= z["spanned"]:
            return f"{name}: the figures contradict each other"
        if sum(n << order for order, n in enumerate(blocks.get(name, []))) != z["free"]:
            return f"{name}: the free blocks are not the free pages"
    return None


def judge(status, console, slob, limit=LIMIT_SECONDS):
    """(passed, failed, skipped, what is wrong or None)"""
    lines = console.splitlines()
    results = [m for m in map(RESULT.match, lines) if m]
    failed = sum(1 for m in results if m.group(1))
    skipped = sum(1 for m in results if m.group(3))
    passed = len(results) - failed - skipped
    plan = next((int(m.group(1)) for m in map(PLAN.match, lines) if m), None)
    wrong = None
    if status is None:
        wrong = f"no end within {limit} seconds"
    elif failed:
        wrong = f"{failed} tests failed"
    elif status != PASS_CODE:
        wrong = f"exit status {status}, not {PASS_CODE}"
    elif CLOSING not in lines:
        wrong = "the closing line is missing"
    elif plan is None or len(results) != plan:
        wrong = f"{len(results)} results for a plan of {plan}"
    elif passed == 0:
        wrong = f"no test passed: {skipped} skipped, of a plan of {plan}"
    else:
        wrong = judge_slabinfo(lines, slob) or (None if slob else judge_zoneinfo(lines))
    return passed, max(failed, int(wrong is not None)), skipped, wrong


def judge_planted(expected, wrong, console):
    """A planted error is found: a failure that is the expected one, or has its report."""
    reports = [line for line in console.splitlines() if line.startswith("ashlar: ")]
    found = wrong is not None and any(expected in line for line in [wrong, *reports])
    return (int(found), int(not found), 0,
            None if found else f"a planted error was not found; no '{expected}' ({wrong})")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--out", type=Path, default=HERE.parent / "build/kernel")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("arch", nargs="*")
    given = parser.parse_args()
    out = given.out.resolve()
    archs = given.arch or list(QEMU)
    machines = [m for m in MACHINES if m[1] in archs and given.only in f"{m[1]} {m[0]}"]
    if not machines:
        print(f"FAIL: no machine of {', '.join(archs)} has '{given.only}' in its name")
        return 1
    for arch in archs:
        folders = {"": 12, **PAGES.get(arch, {})}
        for folder in (out / arch / name for name in folders):
            if not build(arch, folder, folders.get(folder.name, 12)):
                print(f"FAIL {arch}: the kernels do not compile; {folder / 'build.log'}")
                return 1
    bad = 0
    with open(out / "results.tsv", "w", encoding="utf-8") as table, \
            ThreadPoolExecutor(given.jobs) as pool:
        for machine, (status, console, seconds) in zip(
                machines, pool.map(lambda m: boot(m, out), machines)):
            passed, failed, skipped, wrong = judge(
                status, console, machine[2].startswith("slob"), limit_of(machine))
            if len(machine) > 5:
                passed, failed, skipped, wrong = judge_planted(machine[5], wrong, console)
            missing = set(SAYS.get(machine[0], ())).difference(console.splitlines())
            if missing and not wrong:
                failed, wrong = 1, f"the console does not say {sorted(missing)}"
            title = f"{machine[1]} {machine[0]}"
            table.write(f"{title}\t{seconds:.1f}\t{passed}\t{failed}\t{skipped}\n")
            print(f"{'FAIL' if wrong else 'PASS'} {title:20} {seconds:6.1f} s  "
                  f"{passed} passed, {skipped} skipped{': ' + wrong if wrong else ''}", flush=True)
            if wrong:
                bad += 1
                print("".join(f"    {line}\n" for line in console.splitlines()[-60:]))
    print(f"{'bytes of':8} {'the library':24} {'text':>8} {'data':>8} {'bss':>8}")
    for arch in archs:
        print("\n".join(library_sizes(arch, out)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
