#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""results.py - count what a Meson test run did, subtest by subtest

  results.py TESTLOG          print "passed failed skipped" of meson-logs/testlog.json
  results.py --failed TESTLOG print what failed, with what it said
"""
import json
import re
import sys

LINE = re.compile(r"^(not )?ok\b\s*\d*\s*(?:-\s*)?([^#]*)(#\s*(SKIP|TODO)\b.*)?", re.IGNORECASE)
SAID_LINES = 40
# Meson calls every exit status but 0 an error; a program that has said "not ok" exits with 1.
BROKEN = ("ERROR", "TIMEOUT", "INTERRUPT", "FAIL")


def subtests(test):
    """The (passed, failures, skipped) of one test program's TAP; a program is at least one.

    A failure is a (name, lines) pair: the lines are what TAP said between this result and the one
    before it.
    """
    passed, failures, skipped = 0, [], 0
    said = []
    for line in test.get("stdout", "").splitlines():
        match = LINE.match(line)
        if not match:
            said.append(line)
            continue
        if (match.group(4) or "").upper() == "SKIP":
            skipped += 1
        elif match.group(1) and not match.group(4):
            failures.append((match.group(2).strip(), said))
        else:
            passed += 1
        said = []
    result = test["result"]
    if result == "SKIP":
        skipped = max(skipped, 1)
    elif result in BROKEN and not (failures and test.get("returncode") == 1):
        said += test.get("stderr", "").splitlines()
        failures.append((f"{result.lower()}, exit status {test.get('returncode')}", said))
    elif passed + skipped == 0 and not failures:
        passed = 1
    return passed, failures, skipped


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            return [json.loads(line) for line in log if line.strip()]
    except FileNotFoundError:
        return []


def main():
    passed = failed = skipped = 0
    for test in read(sys.argv[-1]):
        p, failures, s = subtests(test)
        if sys.argv[1] == "--failed":
            for name, said in failures:
                print(f"FAILED {test['name']}: {name}")
                for line in said[-SAID_LINES:]:
                    print("    " + line)
        passed, failed, skipped = passed + p, failed + len(failures), skipped + s
    if sys.argv[1] != "--failed":
        print(passed, failed, skipped)


main()
