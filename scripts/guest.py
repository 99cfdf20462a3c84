# SPDX-License-Identifier: MIT
"""guest.py - boot a Linux in QEMU with a root of its own, and read TAP from its console

What    Initrd writes a cpio archive (newc) from files of this machine. Guest boots a kernel with
        it, under a time limit, and gives the console as it comes. report() turns what several
        test programs said into one TAP stream.
Rules   G1  a guest that says nothing of its end has failed, whatever QEMU's exit status is
        G2  a program whose plan and results differ, or which ends with another status than
            its results ask for, has failed
        G3  a warning or an oops of the kernel is a failure
"""
import os
import re
import stat
import subprocess
import sys
import threading
import time

BEGIN = "guest: begin "  # PROGRAM
END = "guest: end "      # PROGRAM STATUS
CLOSING = "guest: that was all"

# What hangs is ended by the time limit. The kernel's own watchdogs trust a clock that runs wild
# when the machine that emulates it is busy.
NO_WATCHDOGS = "nowatchdog rcupdate.rcu_cpu_stall_suppress=1"

KERNEL_FAULT = re.compile(
    r"Kernel panic|BUG:|Oops|WARNING: CPU|Unable to handle kernel|Out of memory|"
    r"general protection fault")


class Initrd:
    """A cpio archive in the kernel's format, the same bytes for the same contents."""

    def __init__(self):
        self.entries = {}

    def folder(self, path):
        parent = os.path.dirname(path)
        if parent:
            self.folder(parent)
        self.entries.setdefault(path, (stat.S_IFDIR | 0o755, b"", (0, 0)))

    def text(self, path, text, mode=0o755):
        self.folder(os.path.dirname(path)) if "/" in path else None
        self.entries[path] = (stat.S_IFREG | mode, text.encode(), (0, 0))

    def file(self, path, source):
        self.folder(os.path.dirname(path)) if "/" in path else None
        with open(source, "rb") as f:
            self.entries[path] = (stat.S_IFREG | 0o755, f.read(), (0, 0))

    def link(self, path, target):
        self.entries[path] = (stat.S_IFLNK | 0o777, target.encode(), (0, 0))

    def device(self, path, major, minor):
        self.folder(os.path.dirname(path))
        self.entries[path] = (stat.S_IFCHR | 0o600, b"", (major, minor))

    def write(self, to):
        with open(to, "wb") as out:
            items = list(self.entries.items()) + [("TRAILER!!!", (0, b"", (0, 0)))]
            for ino, (path, (mode, data, device)) in enumerate(items, 1):
                name = path.encode() + b"\0"
                fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name), 0)
                header = b"070701" + b"".join(b"%08X" % f for f in fields) + name
                out.write(header + b"\0" * (-len(header) % 4))
                out.write(data + b"\0" * (-len(data) % 4))


def boot(command, limit, log):
    """Run QEMU for at most @limit seconds; returns (lines of the console, why it ended)."""
    lines = []
    why = "ended"
    with open(log, "w", encoding="utf-8") as keep:
        qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

        def late():
            nonlocal why
            why = f"not done after {limit} seconds"
            qemu.kill()

        timer = threading.Timer(limit, late)
        timer.start()
        for raw in qemu.stdout:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            lines.append(line)
            keep.write(line + "\n")
            keep.flush()
            if line == CLOSING:
                break
        try:
            status = qemu.wait(20)
            if why == "ended" and status != 0:
                why = f"QEMU ended with {status}"
        except subprocess.TimeoutExpired:
            qemu.kill()
            qemu.wait()
        timer.cancel()
    return lines, why


class Report:
    """One TAP stream of what all programs said."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def result(self, ok, name, directive=""):
        self.count += 1
        self.failed += not ok
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}{directive}", flush=True)

    def program(self, name, lines, status):
        """G2: what one program printed between its begin and its end."""
        plan = results = failed = 0
        for line in lines:
            result = re.match(r"(not )?ok \d+ - (\S+)( # SKIP .*)?$", line)
            if re.match(r"1\.\.(\d+)", line):
                plan = int(re.match(r"1\.\.(\d+)", line).group(1))
            elif result:
                results += 1
                failed += bool(result.group(1))
                self.result(not result.group(1), f"{name} {result.group(2)}",
                            result.group(3) or "")
            else:
                print("# " + line.removeprefix("# "), flush=True)
        if plan == 0 or results != plan or (status == "0") != (failed == 0):
            print(f"# {plan} planned, {results} results, {failed} failed, status {status}")
            self.result(False, f"{name} comes to its end")

    def guest(self, name, lines, why):
        """G1, G3: the guest as a whole; the programs in it."""
        program, said = None, []
        for line in lines:
            if line.startswith(BEGIN):
                program, said = line[len(BEGIN):], []
            elif line.startswith(END) and program:
                self.program(program, said, line.split()[-1])
                program = None
            else:
                said.append(line)
        if program:
            self.program(program, said, "unknown")
        faults = [line for line in lines if KERNEL_FAULT.search(line)]
        ok = CLOSING in lines and not faults
        if not ok:
            print(f"# the guest {why}; the end of its console:")
            for line in lines[-60:]:
                print("#   " + line)
            for line in faults:
                print("# the kernel said: " + line)
        self.result(ok, f"{name} comes up, runs all and goes down")

    def close(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def log(text):
    """What a person who waits wants to see; not part of the results."""
    print(f"# {time.strftime('%H:%M:%S')} {text}", flush=True)


def unpack(root, arch, folder, *packages):
    subprocess.run([f"{root}/scripts/debian-unpack", arch, folder, *packages], check=True)


def kernel_of(folder):
    """The one kernel image that was unpacked there."""
    found = sorted(f for f in os.listdir(f"{folder}/boot") if f.startswith("vmlinuz-"))
    if len(found) != 1:
        sys.exit(f"{folder}/boot holds {len(found)} kernels")
    return f"{folder}/boot/{found[0]}"
