#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""style.py - the rules of form that a compiler does not know

  style.py --list          the rules
  style.py [RULE...]       check the files that git tracks (or would); default: all rules

A function or file that is better long says so, with the reason:
  /* lint: long - one table, read from top to bottom */
on the line above the function, or in the first 40 lines for the file.
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTION_LINES = 60
FILE_LINES = 500
COLUMNS = 100
SCRIPT_COLUMNS = 120
FILE_BYTES = 100_000
CORE = ("src/base/", "src/page/", "src/engine/", "src/cache/", "src/pool/")
LONG = re.compile(r"lint: long - \w+")


class File:
    def __init__(self, name):
        self.name = name
        self.path = ROOT / name
        self.bytes = self.path.read_bytes()
        self.is_text = b"\0" not in self.bytes
        self.text = self.bytes.decode("utf-8", "replace") if self.is_text else ""
        self.lines = self.text.splitlines()
        self.is_c = self.path.suffix in (".c", ".h")
        self._code = None

    def under(self, *folders):
        return self.name.startswith(folders)

    @property
    def is_script(self):
        return self.path.suffix in (".py", ".sh") or self.text.startswith("#!")

    @property
    def code(self):
        """The lines with comments and the insides of strings blanked out."""
        if self._code is None:
            blank = lambda m: re.sub(r"[^\n]", " ", m.group()) if m.group()[0] == "/" else '""'
            self._code = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, self.text,
                                flags=re.S).splitlines()
        return self._code


def tracked():
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                         cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return [File(n) for n in sorted(set(out.split("\0"))) if n and (ROOT / n).is_file()
            and not (ROOT / n).is_symlink()]


def spdx(f):
    """source files name their licence in the first two lines"""
    is_source = (f.is_c or f.is_script or f.path.suffix in (".S", ".ld", ".cc", ".cpp", ".map")
                 or f.path.name in ("Makefile", "meson.build", "meson_options.txt"))
    if is_source and f.text and "SPDX-License-Identifier: MIT" not in "\n".join(f.lines[:3]):
        start = "/* {} */" if f.is_c else "# {}"
        yield 1, "begin the file with: " + start.format("SPDX-License-Identifier: MIT")


def header_comment(f):
    """a C file under src or include says in its first comment what it is"""
    if f.is_c and f.under("src/", "include/"):
        if not re.search(rf"^ \* (\S*/)?{re.escape(f.path.name)} - \S", "\n".join(f.lines[:6]),
                         re.M):
            yield 1, f"after the SPDX line write: /*\\n * {f.path.name} - what it is in one line"


def function_length(f):
    """a function has at most 60 lines"""
    start = None
    for number, line in enumerate(f.lines if f.is_c else [], 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            length, head = number - start + 1, start - 1
            while head > 1 and f.lines[head - 1].startswith(("\t", " ")):
                head -= 1
            above = "\n".join(f.lines[max(head - 4, 0):head])
            if length > FUNCTION_LINES and not LONG.search(above):
                name = re.search(r"(\w+)\(", f.lines[head - 1])
                yield start, (f"{name.group(1) if name else 'this'} has {length} lines: give its "
                              f"parts names, or say above it: /* lint: long - reason */")
            start = None


def file_length(f):
    """a C file has at most 500 lines"""
    if f.is_c and f.under("src/", "include/", "test/") and len(f.lines) > FILE_LINES:
        if not LONG.search("\n".join(f.lines[:40])):
            yield 1, f"{len(f.lines)} lines: which of its two jobs goes to a file of its own?"


def line_length(f):
    """a line of C has at most 100 columns with tabs of 8, one of a script 120"""
    if f.is_c or f.is_script or f.path.name in ("Makefile", "meson.build"):
        limit = COLUMNS if f.is_c else SCRIPT_COLUMNS
        for number, line in enumerate(f.lines, 1):
            columns = len(line.expandtabs(8))
            if columns > limit and "lint: wide" not in line:
                yield number, f"{columns} columns: break the line"


def whitespace(f):
    """no trailing blanks, no carriage returns, a newline at the end"""
    if not f.is_text or not f.text or f.under("test/golden/"):
        return
    if not f.text.endswith("\n"):
        yield len(f.lines), "end the file with a newline"
    for number, line in enumerate(f.text.split("\n"), 1):
        if line.rstrip() != line:
            yield number, "remove the blanks at the end of the line"


# In public headers these are how one header serves C, C++ and a kernel.
PUBLIC_IF = re.compile(r"__cplusplus|\bASHLAR_\w+|__STDC\w*__|__GNUC__|__has_\w+|__KERNEL__")


def conditional(f):
    """#if stands in port, config.h and header guards only"""
    if not f.is_c or not f.under("src/", "include/") or f.under("src/port/"):
        return
    if f.name == "src/config.h":
        return
    guard_seen = f.path.suffix != ".h"
    for number, line in enumerate(f.code, 1):
        match = re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b(.*)", line)
        if not match:
            continue
        if not guard_seen and match.group(1) == "ifndef":
            guard_seen = True
        elif not (f.under("include/") and PUBLIC_IF.search(match.group(2))):
            yield number, ("#if: use `if (CONFIG_X)`, so that all code is compiled; what differs "
                           "by machine belongs to src/port")


def small_text(f):
    """no binaries, no file over 100 KB"""
    if not f.is_text:
        yield 1, "a binary: commit what makes it"
    if len(f.bytes) > FILE_BYTES:
        yield 1, f"{len(f.bytes)} bytes: generate it in the test that needs it"


LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b(?!\s*\(#\d+\))")


def later_words(f):
    """work left over names its issue"""
    if f.is_text and f.name not in ("CONTRIBUTING.md", "CHANGELOG.md"):
        for number, line in enumerate(f.lines, 1):
            match = LATER.search(line)
            # In a test's TAP line or pattern, the word is the protocol's.
            if match and "#\\s*(" not in line and "lint: word" not in line:
                yield number, f"do it now, or open an issue and write {match.group(1)}(#number)"


CALLS = {
    "malloc": "page_alloc or a cache", "calloc": "page_alloc or a cache",
    "realloc": "page_alloc or a cache", "free": "page_free or the cache's free",
    "printf": "base/text.h", "fprintf": "base/text.h", "snprintf": "base/text.h",
    "sprintf": "base/text.h", "assert": "ASSERT or CHECK", "abort": "CHECK, or port_abort",
    "alloca": "a bounded array", "strlen": "base/text.h", "strcmp": "base/text.h",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(CALLS) + r")\s*\(")


def core_calls(f):
    """the core calls no function of the C library"""
    if f.is_c and f.under(*CORE):
        for number, line in enumerate(f.code, 1):
            for match in CALL.finditer(line):
                floor = f.path.parent.name
                yield number, f"{match.group(1)}( in src/{floor}: use {CALLS[match.group(1)]}"


def scripts_parse(f):
    """scripts are executable where they have an interpreter line, and parse"""
    if not f.is_script:
        return
    if f.text.startswith("#!") and not f.path.stat().st_mode & 0o111:
        yield 1, "chmod +x, or remove the #! line"
    if f.path.suffix == ".py" or (f.lines and "python" in f.lines[0]):
        try:
            compile(f.text, f.name, "exec")
        except SyntaxError as error:
            yield error.lineno or 1, f"does not parse: {error.msg}"
        return
    shell = "sh" if f.lines and f.lines[0].endswith("/sh") else "bash"
    done = subprocess.run([shell, "-n", str(f.path)], capture_output=True, text=True, check=False)
    if done.returncode:
        yield 1, "does not parse: " + done.stderr.strip()[:200]


RULES = {rule.__name__.replace("_", "-"): rule for rule in (
    spdx, header_comment, function_length, file_length, line_length, whitespace, conditional,
    small_text, later_words, core_calls, scripts_parse)}


def main():
    wanted = sys.argv[1:] or list(RULES)
    if wanted == ["--list"]:
        for name, rule in RULES.items():
            print(f"{name:16} {rule.__doc__}")
        return 0
    files = tracked()
    faults = 0
    for name in wanted:
        for f in files:
            for number, message in RULES[name](f):
                print(f"{f.name}:{number}: {message}")
                faults += 1
    return 1 if faults else 0


sys.exit(main())
