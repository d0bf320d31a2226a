#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when docs/spec-map.md cites a file, function or test that does not exist.

    scripts/check_spec_map.py [ROOT]       check the tree
    scripts/check_spec_map.py --self-test  check that each bad sample of tests/checks/spec_map is found

Looked at are the rows of its tables, all cells but the first (which says what is asked):

 - `name.c`, `folder/name.h` and the like are files of the tree, of src/ or of tests/.
 - a lower-case name with a `_` (behind a .mjs file, any name) is a function, defined in the file named last
   in its cell. A test has to be run as well: something in that file takes its name as an argument.
 - the last cell names a test, or begins with the reason why there is none (EXCUSES).
"""

import pathlib
import re
import sys

FILE = re.compile(r"[\w.-]+(/[\w.-]+)*\.(c|h|mjs|sh|py|md)")
FUNCTION = {".mjs": re.compile(r"[a-z]\w*"), "": re.compile(r"[a-z]\w*_\w+")}
EXCUSES = ("not yet:", "not ours:", "none:", "see ")


def find_file(root, name):
    for folder in (root, root / "src", root / "tests"):
        if (folder / name).is_file():
            return folder / name
    return None


def defines(text, name):
    """Whether `name` begins a function's body (C) or is a function (JavaScript, shell)."""
    c = rf"^[A-Za-z][^\n;{{}}=]*\b{name}\([^;{{}}]*\)\s*\{{"
    script = rf"^(?:export )?(?:async )?function {name}\(|^{name}\(\) *\{{"
    return re.search(f"{c}|{script}", text, re.M) is not None


def is_run(text, name):
    """Whether it is given to something: cmocka_unit_test(name), a macro around it, check('...', name)."""
    return re.search(rf"(?:\(|, |=> ){name}\b", text) is not None


def cell_problems(root, cell):
    """Yields what is wrong, and at the end how many tests the cell names."""
    path, tests = None, 0
    for span in re.findall(r"`([^`]+)`", cell):
        if FILE.fullmatch(span):
            path = find_file(root, span)
            if path is None:
                yield f"{span}: no such file"
            elif path.suffix == ".sh":
                tests += span.startswith(("tests/", "e2e/"))
            continue
        if not FUNCTION.get(path.suffix if path else "", FUNCTION[""]).fullmatch(span):
            continue
        if path is None:
            yield f"{span}: behind no file that exists"
            continue
        text = path.read_text(encoding="utf-8")
        if not defines(text, span):
            yield f"{span}: not defined in {path.relative_to(root).as_posix()}"
        elif (root / "tests") in path.parents:
            tests += 1
            if not is_run(text, span):
                yield f"{span}: never run"
    yield tests


def check(root):
    """Returns (line, problem) for each problem, and the number of tests named."""
    problems, named = [], 0
    lines = (root / "docs/spec-map.md").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        header = number < len(lines) and re.fullmatch(r"\|[\s:|-]+\|", lines[number])
        if not line.startswith("|") or header or re.fullmatch(r"\|[\s:|-]+\|", line):
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        count = 0
        for cell in cells[1:]:
            *found, count = cell_problems(root, cell)
            problems += [(number, problem) for problem in found]
        named += count
        if count == 0 and not cells[-1].startswith(EXCUSES):
            problems.append((number, "neither a test nor a reason why there is none"))
    return problems, named


def self_test(root):
    expected = (root / "expected.txt").read_text(encoding="utf-8").splitlines()
    found = [f"{line}: {problem}" for line, problem in check(root)[0]]
    for problem in found:
        if problem not in expected:
            print(f"should not have been reported: {problem}")
    for problem in expected:
        if problem not in found:
            print(f"should have been reported: {problem}")
    return bool(expected) and found == expected


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    if "--self-test" in sys.argv:
        return 0 if self_test(here / "tests/checks/spec_map") else 1
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else here
    problems, named = check(root)
    for line, problem in problems:
        print(f"docs/spec-map.md:{line}: {problem}")
    if named == 0:
        print("docs/spec-map.md names no test")
    return 1 if problems or named == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
