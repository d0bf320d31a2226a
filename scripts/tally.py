#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints "pass NAME", "fail NAME" or "skip NAME" for every test inside a CTest run.

    scripts/tally.py JUNIT_FILE
    scripts/tally.py --self-test    check that the sample of tests/checks/tally is counted as it should be

A CTest test is a program with several tests of its own. Counted are the lines of cmocka
("[       OK ] name", "[  FAILED  ] name") and of TAP ("ok name", "not ok name" or "FAIL name"). A program that
ended badly without naming a test counts as one failure, one that passed without a line as one pass. What could not run
here ("[  SKIPPED ] name", or "skipped: reason" by a script) is neither.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as tree

GOOD = re.compile(r"^(?:\[\s+OK \] (\S+)|ok\b(.*))$")
BAD = re.compile(r"^(?:\[\s+FAILED\s+\] (?:[\w.]+: )?([A-Za-z_]\w*)|(?:not ok|FAIL)\b(.*))$")
SKIPPED = re.compile(r"^(?:\[\s+SKIPPED\s+\] (?:[\w.]+: )?([A-Za-z_]\w*)|skipped: (.*))$")


def results(case):
    name = case.get("name")
    output = case.findtext("system-out") or ""
    passed, failed, skipped = [], {}, {}
    for line in output.splitlines():
        good, bad, left_out = GOOD.match(line), BAD.match(line), SKIPPED.match(line)
        if good:
            passed.append((good[1] or good[2]).strip(" -"))
        elif bad:
            failed[(bad[1] or bad[2]).strip(" -")] = True
        elif left_out:
            skipped[left_out[1] or f"({left_out[2]})"] = True
    fine = case.get("status") == "run" and case.find("failure") is None
    if not fine and not failed:
        failed["(the program as a whole: " + (case.get("status") or "?") + ")"] = True
    if fine and failed:
        failed["(it reports failures and exits with 0)"] = True
    if fine and not passed and not failed and not skipped:
        passed.append("")
    for kind, tests in (("pass", passed), ("fail", failed), ("skip", skipped)):
        for test in tests:
            yield f"{kind} {name} {test}".rstrip()


def tally(path):
    return [line for case in tree.parse(path).getroot().iter("testcase") for line in results(case)]


def self_test(root):
    expected = (root / "expected.txt").read_text(encoding="utf-8").splitlines()
    found = tally(root / "junit.xml")
    for line in found:
        if line not in expected:
            print(f"should not have been printed: {line}")
    for line in expected:
        if line not in found:
            print(f"should have been printed: {line}")
    return bool(expected) and found == expected


def main():
    if "--self-test" in sys.argv:
        return 0 if self_test(pathlib.Path(__file__).resolve().parent.parent / "tests/checks/tally") else 1
    for line in tally(sys.argv[1]):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
