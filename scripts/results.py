#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""results.py - count what a Meson test run did, subtest by subtest

  results.py TESTLOG          print "passed failed skipped" of meson-logs/testlog.json
  results.py --failed TESTLOG print the names of what failed
"""
import json
import re
import sys

LINE = re.compile(r"^(not )?ok\b\s*\d*\s*(?:-\s*)?([^#]*)(#\s*(SKIP|TODO)\b.*)?", re.IGNORECASE)
GOOD = ("OK", "EXPECTEDFAIL")


def subtests(test):
    """The (passed, failed names, skipped) of one test program's TAP; a program is at least one."""
    passed, failed, skipped = 0, [], 0
    for line in test.get("stdout", "").splitlines():
        match = LINE.match(line)
        if not match:
            continue
        if (match.group(4) or "").upper() == "SKIP":
            skipped += 1
        elif match.group(1) and not match.group(4):
            failed.append(match.group(2).strip())
        else:
            passed += 1
    result = test["result"]
    if result == "SKIP":
        skipped = max(skipped, 1)
    elif result not in GOOD and not failed:
        failed.append(f"the program itself ({result.lower()}, exit {test.get('returncode')})")
    elif passed + skipped == 0 and not failed:
        passed = 1
    return passed, failed, skipped


def read(path):
    with open(path, encoding="utf-8", errors="replace") as log:
        return [json.loads(line) for line in log if line.strip()]


def main():
    names_only = sys.argv[1] == "--failed"
    passed = failed = skipped = 0
    try:
        tests = read(sys.argv[-1])
    except FileNotFoundError:
        tests = []
    for test in tests:
        p, f, s = subtests(test)
        if names_only:
            for name in f:
                print(f"  {test['name']}: {name}")
        passed, failed, skipped = passed + p, failed + len(f), skipped + s
    if not names_only:
        print(passed, failed, skipped)


main()
