#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when a source file has no test, or one that reads a peer's bytes no fuzz target.

    scripts/check_tests.py [ROOT]       check the tree
    scripts/check_tests.py --self-test  check that each gap in tests/checks/tests is found

 - src/LAYER/X.c needs tests/unit/LAYER/test_X.c, tools/webtransport/FOLDER/X.c needs tests/tool/FOLDER/test_X.c, and
   backplanes/FOLDER/X.c needs tests/backplanes/FOLDER/test_X.c.
 - A test there needs its source, X.c or, for what a header alone does, X.h.
 - elsewhere.txt in each folder of tests lists the exceptions: a source with the tests that cover it, or a test with the
   sources that it covers. Each has a reason, and all that a line names has to exist.
 - src/wire/X.c needs fuzz/fuzz_X.c and at least one seed in fuzz/corpus/X/.
 - A test file asserts something; a fuzz target has its seeds.
"""

import pathlib
import re
import sys


# Where sources and their tests are. The path of a test is that of its source.
PAIRS = (("src", "tests/unit"), ("tools/webtransport", "tests/tool"), ("backplanes", "tests/backplanes"))


def source_of(test):
    return test.with_name(test.name.removeprefix("test_"))


def test_of(source):
    return source.with_name(f"test_{source.name}")


def is_test(name):
    return name.name.startswith("test_")


def read_list(path):
    """(name, what covers it or is covered, reason) of each line "NAME: NAME, NAME: REASON"."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        if line and not line.startswith("#"):
            name, others, reason = (line.split(": ", 2) + ["", ""])[:3]
            yield pathlib.PurePosixPath(name), others.split(", "), reason


def check_list(root, sources, tests):
    """What is wrong with elsewhere.txt, and at the end the names that it lists."""
    path, listed = f"{tests}/elsewhere.txt", set()
    for name, others, reason in read_list(root / path):
        own, partner = (tests, source_of(name)) if is_test(name) else (sources, test_of(name))
        kind, folder = ("file", sources) if is_test(name) else ("test", "tests")
        if not reason:
            yield f"{path}: {name}: no reason"
        if name in listed:
            yield f"{path}: {name}: listed twice"
        if not (root / own / name).is_file():
            yield f"{path}: {name}: no such file"
        if (root / (sources if is_test(name) else tests) / partner).is_file():
            yield f"{path}: {name}: has a {kind} of its own"
        for other in others:
            if not (root / folder / other).is_file():
                yield f"{path}: {name}: no {kind} {other}"
        listed.add(name)
    yield listed


def check_paths(root, sources, tests):
    """Whether each source of a folder has its test, and each test its source, by path."""
    *problems, listed = check_list(root, sources, tests)
    yield from problems
    for path in sorted((root / sources).rglob("*.c")):
        name = path.relative_to(root / sources)
        if name not in listed and not (root / tests / test_of(name)).is_file():
            yield f"{sources}/{name.as_posix()}: {tests}/{test_of(name).as_posix()} is missing"
    for path in sorted((root / tests).rglob("test_*.c")):
        name = path.relative_to(root / tests)
        source = root / sources / source_of(name)
        if name not in listed and not source.is_file() and not source.with_suffix(".h").is_file():
            yield f"{tests}/{name.as_posix()}: the test of no file"


def check_fuzz(root):
    for source in sorted((root / "src/wire").glob("*.c")):
        if not (root / f"fuzz/fuzz_{source.stem}.c").is_file():
            yield f"src/wire/{source.name}: fuzz/fuzz_{source.stem}.c is missing"
    for target in sorted((root / "fuzz").glob("fuzz_*.c")):
        corpus = root / "fuzz/corpus" / target.stem.removeprefix("fuzz_")
        if not corpus.is_dir() or not any(corpus.iterdir()):
            yield f"fuzz/{target.name}: no seeds in fuzz/corpus/{corpus.name}/"


def check_assertions(root):
    folders = [folder for folder in (root / "tests").iterdir() if folder.name != "checks"]
    for test in sorted(test for folder in folders for test in folder.rglob("test_*.c")):
        if not re.search(r"\b(assert_\w+|fail|fail_msg)\s*\(", test.read_text(encoding="utf-8")):
            yield f"{test.relative_to(root).as_posix()}: asserts nothing"


def check(root):
    paths = [problem for sources, tests in PAIRS for problem in check_paths(root, sources, tests)]
    return [*paths, *check_fuzz(root), *check_assertions(root)]


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
