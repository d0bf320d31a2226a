#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints "pass NAME" or "fail NAME" for every test inside a CTest run.

    scripts/tally.py JUNIT_FILE

A CTest test is a program with several tests of its own. Counted are the lines of cmocka
("[       OK ] name", "[  FAILED  ] name") and of TAP ("ok name", "not ok name" or "FAIL name"). A program that
ended badly without naming a test counts as one failure, one that passed without a line as one pass.
"""

import re
import sys
import xml.etree.ElementTree as tree

GOOD = re.compile(r"^(?:\[\s+OK \] (\S+)|ok\b(.*))$")
BAD = re.compile(r"^(?:\[\s+FAILED\s+\] (?:[\w.]+: )?([A-Za-z_]\w*)|(?:not ok|FAIL)\b(.*))$")


def results(case):
    name = case.get("name")
    output = case.findtext("system-out") or ""
    passed, failed = [], {}
    for line in output.splitlines():
        good, bad = GOOD.match(line), BAD.match(line)
        if good:
            passed.append((good[1] or good[2]).strip(" -"))
        elif bad:
            failed[(bad[1] or bad[2]).strip(" -")] = True
    fine = case.get("status") == "run" and case.find("failure") is None
    if not fine and not failed:
        failed["(the program as a whole: " + (case.get("status") or "?") + ")"] = True
    if fine and failed:
        failed["(it reports failures and exits with 0)"] = True
    if fine and not passed and not failed:
        passed.append("")
    for test in passed:
        print("pass", name, test)
    for test in failed:
        print("fail", name, test)


def main():
    for case in tree.parse(sys.argv[1]).getroot().iter("testcase"):
        results(case)


if __name__ == "__main__":
    main()
