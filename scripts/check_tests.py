#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when a source file has no test, or one that reads a peer's bytes no fuzz target.

    scripts/check_tests.py [ROOT]       check the tree
    scripts/check_tests.py --self-test  check that each gap in tests/checks/tests is found

 - src/LAYER/X.c, of base, wire and core, needs tests/unit/LAYER/test_X.c.
 - src/wire/X.c needs fuzz/fuzz_X.c and at least one seed in fuzz/corpus/X/.
 - tools/webtransport/FOLDER/X.c needs tests/tool/FOLDER/test_X.c, or a line in tests/tool/elsewhere.txt that names the
   tests that cover it. A test there needs its source, too.
 - A test file asserts something; a fuzz target has its seeds.
"""

import pathlib
import re
import sys


def check_tool(root):
    """The tests of the tool, by path."""
    tool, tests, elsewhere = root / "tools/webtransport", root / "tests/tool", {}
    list_file = tests / "elsewhere.txt"
    for line in list_file.read_text(encoding="utf-8").splitlines() if list_file.is_file() else []:
        if line and not line.startswith("#"):
            name, cover, reason = (line.split(": ", 2) + ["", ""])[:3]
            elsewhere[name] = cover.split(", ")
            if not reason:
                yield f"tests/tool/elsewhere.txt: {name}: no reason"
            if not (tool / name).is_file():
                yield f"tests/tool/elsewhere.txt: {name}: no such file"
            for test in elsewhere[name]:
                if not (root / "tests" / test).is_file():
                    yield f"tests/tool/elsewhere.txt: {name}: no test {test}"
    for source in sorted(tool.rglob("*.c")):
        name = source.relative_to(tool)
        test = name.with_name(f"test_{name.name}")
        tested, listed = (tests / test).is_file(), name.as_posix() in elsewhere
        if not tested and not listed:
            yield f"tools/webtransport/{name.as_posix()}: tests/tool/{test.as_posix()} is missing"
        if tested and listed:
            yield f"tests/tool/elsewhere.txt: {name.as_posix()}: has a test of its own"
    for test in sorted(tests.rglob("test_*.c")):
        name = test.relative_to(tests)
        if not (tool / name.with_name(name.name[len("test_"):])).is_file():
            yield f"tests/tool/{name.as_posix()}: the test of no file"


def check(root):
    problems = list(check_tool(root))
    for layer in ("base", "wire", "core"):
        for source in sorted((root / "src" / layer).glob("*.c")):
            if not (root / f"tests/unit/{layer}/test_{source.stem}.c").is_file():
                problems.append(f"src/{layer}/{source.name}: tests/unit/{layer}/test_{source.stem}.c is missing")
            if layer == "wire" and not (root / f"fuzz/fuzz_{source.stem}.c").is_file():
                problems.append(f"src/wire/{source.name}: fuzz/fuzz_{source.stem}.c is missing")
    for target in sorted((root / "fuzz").glob("fuzz_*.c")):
        corpus = root / "fuzz/corpus" / target.stem[len("fuzz_"):]
        if not corpus.is_dir() or not any(corpus.iterdir()):
            problems.append(f"fuzz/{target.name}: no seeds in fuzz/corpus/{corpus.name}/")
    for test in sorted(path for depth in ("*", "unit/*", "tool/*") for path in (root / "tests").glob(f"{depth}/test_*.c")):
        if not re.search(r"\b(assert_\w+|fail|fail_msg)\s*\(", test.read_text(encoding="utf-8")):
            problems.append(f"{test.relative_to(root).as_posix()}: asserts nothing")
    return problems


def self_test(root):
    expected = (root / "expected.txt").read_text().splitlines()
    found = check(root)
    for problem in found:
        if problem not in expected:
            print(f"should not have been reported: {problem}")
    for problem in expected:
        if problem not in found:
            print(f"should have been reported: {problem}")
    return bool(expected) and sorted(found) == sorted(expected)


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    if "--self-test" in sys.argv:
        return 0 if self_test(here / "tests/checks/tests") else 1
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    problems = check(root)
    if not list(root.glob("src/*/*.c")):
        problems.append("no source files found")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
