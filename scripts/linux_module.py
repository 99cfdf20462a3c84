# SPDX-License-Identifier: MIT
"""linux_module.py - build Ashlar as a module of a Linux, and load it in QEMU

What    build() makes a folder of links to our files and lets a kernel's own build make ashlar.ko
        of them. boot() loads that from an initramfs of busybox and this script alone.
Rules   LM1 a warning of the compiler in our files is an error
"""
import os
import re
import shutil
import subprocess

import guest

# Files that see Linux's headers; all others see the compiler's.
LINUX_SIDE = ["src/port/linux_kernel/port.c", "src/port/linux_kernel/pages.c",
              "src/port/linux_kernel/shrinker.c", "kernel/linux/module.c",
              "kernel/linux/host.c", "kernel/linux/bench_linux.c"]
CORE_SIDE = ["src/base/*.c", "src/page/*.c", "src/engine/*.c", "src/cache/*.c",
             "src/port/linux_kernel/percpu.c", "kernel/linux/bench_ashlar.c", "kernel/linux/memory.c",
             "kernel/linux/linux_test.c", "test/tap.c", "test/base/bits_test.c",
             "test/base/bitmap_test.c", "test/base/list_test.c", "test/engine/shape_test.c"]
FIRST, LAST = "kernel/linux/cases_begin.c", "kernel/linux/cases_end.c"
# objtool knows by name which functions of Linux do not return; those of others it takes for faults.
OBJTOOL = re.compile("objtool: .*(falls through to|unexpected end of|stack state mismatch)")

INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
echo "guest: begin linux"
/bin/busybox mount -t sysfs sys /sys
insmod /ashlar.ko {parameters} && failed=$(cat /sys/module/ashlar/parameters/failed) && rmmod ashlar &&
	status=$failed || status=1
echo "guest: end linux $status"
echo "guest: that was all"
reboot -f
"""
APPEND = "console=ttyS0 loglevel=6 printk.time=0 panic=-1 nokaslr reboot=t " + guest.NO_WATCHDOGS
# For counting: what a minimal Linux has not, switched off in one that has it.
MEASURED = APPEND + " mitigations=off init_on_alloc=0 cgroup.memory=nokmem slab_nomerge tsc=reliable"
COUNTED = ["-icount", "shift=0,sleep=off", "-rtc", "clock=vm,base=2024-01-01"]


def write(path, text):
    """Unless it says so already: make looks at times."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def folder_of_links(root, folder):
    """A folder for the kernel's build: links to our files, and a list of them. What is there and as it
    should be stays, so that nothing is compiled twice."""
    folder.mkdir(parents=True, exist_ok=True)
    objects, links = [], {folder / "ashlar.mod.c"}
    core = [str(p.relative_to(root)) for pattern in CORE_SIDE for p in sorted(root.glob(pattern))]
    flags = [f"-I{root}/{name}" for name in ("include", "src", "src/port/linux_kernel",
                                             "kernel/linux", "test")]
    lines = ["obj-m := ashlar.o", "ccflags-y := " + " ".join(flags)]
    for file in [FIRST, *core, *LINUX_SIDE, LAST]:
        name = file.replace("/", "_").removesuffix(".c")
        link = folder / f"{name}.c"
        if not link.is_symlink() or os.readlink(link) != str(root / file):
            link.unlink(missing_ok=True)
            link.symlink_to(root / file)
        links.add(link)
        objects.append(f"{name}.o")
        side = f"-I{root}/src/port/linux_kernel/shim" if file in LINUX_SIDE else "$(ashlar_core)"
        lines.append(f"CFLAGS_{name}.o := {side}")
    lines.insert(1, "ashlar_core := -ffreestanding -fno-stack-protector -fno-builtin-malloc -isystem "
                    "$(shell $(CC) -print-file-name=include)")
    lines.append("ashlar-y := " + " ".join(objects))
    for stale in set(folder.glob("*.c")) - links:
        stale.unlink()
    write(folder / "Kbuild", "# SPDX-License-Identifier: MIT\n" + "\n".join(lines) + "\n")


def debian_headers(debian):
    """The folder of Debian's headers; its Makefile knows where it was meant to be installed."""
    folder = next(p for p in sorted((debian / "usr/src").glob("linux-headers-*-amd64")))
    makefile = folder / "Makefile"
    text = makefile.read_text()
    write(makefile, re.sub(r"include (?=/usr/src/)", f"include {debian}", text))
    return folder


def build(root, headers, folder, log):
    """@folder/ashlar.ko for the kernel whose build folder or headers @headers is. Returns what the
    build said that it should not have said (LM1), or None. What was not built to the end and without
    a word is built anew: the words come again."""
    if not log.exists():
        shutil.rmtree(folder, ignore_errors=True)
    log.unlink(missing_ok=True)
    folder_of_links(root, folder)
    jobs = len(os.sched_getaffinity(0))
    done = subprocess.run(["make", "-C", headers, f"M={folder}", f"-j{jobs}", "modules"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    log.write_text(done.stdout)
    said = [line for line in done.stdout.splitlines()
            if re.search("warning:|error:", line) and not OBJTOOL.search(line)]
    if done.returncode or said:
        shutil.rmtree(folder)
        return "\n".join(said) or done.stdout
    return None


def initrd(module, busybox, parameters, path):
    """Write an initramfs that loads @module; returns whether there was the same one already."""
    root = guest.Initrd()
    for name in ("proc", "sys", "dev", "bin"):
        root.folder(name)
    root.device("dev/console", 5, 1)
    root.file("bin/busybox", busybox)
    for applet in ("sh", "cat", "insmod", "rmmod", "reboot"):
        root.link(f"bin/{applet}", "busybox")
    root.text("init", INIT.format(parameters=parameters))
    root.file("ashlar.ko", module)
    before = path.read_bytes() if path.exists() else None
    root.write(path)
    return before == path.read_bytes()


def boot(kernel, name, limit, append, *options):
    """Boot @kernel with @name.initrd; @name.log has the console. Returns guest.boot's."""
    return guest.boot(
        ["qemu-system-x86_64", "-display", "none", "-serial", "stdio", "-nic", "none", "-no-reboot",
         "-m", "512M", *options, "-kernel", kernel, "-initrd", f"{name}.initrd", "-append", append],
        limit, f"{name}.log")


def measured(lines):
    """{(who, what): value}"""
    found = (re.match(r"bench: (\S+) (\S+) (\d+)$", line) for line in lines)
    return {(m.group(1), m.group(2)): int(m.group(3)) for m in found if m}
