#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Puts the figures of the last runs into docs/reliability.md, between its markers.

    scripts/reliability.py             from build/soak, build/soak-sanitized and build/fuzz, as far as they are there
    scripts/reliability.py --self-test

A part whose run was not made here stays as it is.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
REPORTS = {"soak": "soak/report.json", "soak-sanitized": "soak-sanitized/report.json", "fuzz": "fuzz/report.json",
           "coverage": "fuzz/coverage.json"}


def coverage_text(data):
    rows = [f"| src/{layer} | {covered:,} of {count:,} | {100 * covered / max(1, count):.0f} % |"
            for layer, (count, covered) in sorted(data["layers"].items())]
    by_file = {}
    for path, name in data["unreached"]:
        by_file.setdefault(path.split("/")[1], []).append(name)
    counts = ", ".join(f"{len(names)} in src/{layer}" for layer, names in sorted(by_file.items()))
    return "\n".join(["| layer | lines reached | |", "| --- | ---: | ---: |", *rows, "",
                      f"Functions that no target reaches: {counts or 'none'}."])


def replace(page, name, text):
    pattern = re.compile(rf"(<!-- {name}: begin\.[^>]*-->\n).*?(<!-- {name}: end -->)", re.S)
    if not pattern.search(page):
        raise SystemExit(f"reliability.py: {PAGE.name} has no markers for {name}")
    return pattern.sub(lambda match: match[1] + "\n" + text + "\n\n" + match[2], page)


def self_test():
    page = "a\n<!-- fuzz: begin. Written by x. -->\nold\n<!-- fuzz: end -->\nb\n"
    assert replace(page, "fuzz", "new\\1") == "a\n<!-- fuzz: begin. Written by x. -->\n\nnew\\1\n\n<!-- fuzz: end -->\nb\n"
    text = coverage_text({"layers": {"wire": [10, 9]}, "unreached": [["src/wire/a.c", "f"]]})
    assert "| src/wire | 9 of 10 | 90 % |" in text and "1 in src/wire" in text
    for name in REPORTS:  # the page has all of them
        replace(PAGE.read_text("utf-8"), name, "")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    page = PAGE.read_text("utf-8")
    for name, path in REPORTS.items():
        report = ROOT / "build" / path
        if not report.exists():
            print(f"{name}: no {report.relative_to(ROOT)}; the part stays")
            continue
        data = json.loads(report.read_text("utf-8"))
        page = replace(page, name, coverage_text(data) if name == "coverage" else data["markdown"])
        print(f"{name}: written")
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
