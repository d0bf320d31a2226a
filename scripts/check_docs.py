#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when something public has no documentation block `/** ... */` directly before it.

    scripts/check_docs.py [ROOT]       check ROOT/include/webtransport/*.h
    scripts/check_docs.py --self-test  check that each bad sample of tests/checks/docs is found

Public are: functions (WT_API), structs, unions and enums with a body, and typedefs. A function's block
also has to say since which version it is there. Not asked for: a forward typedef or
declaration whose name is documented elsewhere in the headers.
"""

import pathlib
import re
import sys

SINCE = re.compile(r"Since \d+\.\d+\.\d+\.")


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def statements(text):
    """Yields (line, the documentation before it or None, source) for each declaration at file level."""
    text = re.sub(r'#\s*ifdef __cplusplus.*?#\s*endif', blank, text, flags=re.S)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", blank, text, flags=re.M)
    position, depth, start, doc = 0, 0, None, None
    while position < len(text):
        if text.startswith("/*", position):
            end = text.find("*/", position + 2)
            end = len(text) if end < 0 else end + 2
            if start is None:
                doc = text[position:end] if text.startswith("/**", position) else None
            position = end
            continue
        char = text[position]
        if start is None and not char.isspace():
            start = position
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
        elif char == ";" and depth == 0:
            yield text.count("\n", 0, start) + 1, doc, text[start:position]
            start, doc = None, None
        position += 1
    if start is not None:
        yield text.count("\n", 0, start) + 1, doc, text[start:]


def name_of(source):
    """The kind and the name of a declaration."""
    plain = re.sub(r"/\*.*?\*/", " ", source, flags=re.S)
    plain = " ".join(plain.split())
    if "WT_API" in plain:
        match = re.search(r"(\w+)\s*\(", re.sub(r"\w+\(\*", "", plain.replace("WT_API", "")))
        return "function", match[1] if match else plain
    if plain.startswith("typedef"):
        match = re.search(r"\(\s*\*\s*(\w+)\s*\)\s*\(", plain) or re.search(r"(\w+)$", plain)
        return "typedef", match[1]
    match = re.match(r"(struct|union|enum)\s+(\w+)\s*\{", plain)
    if match:
        return match[1], match[2]
    match = re.match(r"(struct|union|enum)\s+(\w+)$", plain)
    if match:
        return "declaration", match[2]
    # Anything else is either not public or should carry WT_API.
    return "unmarked", (re.search(r"(\w+)\s*\(", plain) or re.search(r"(\w+)$", plain) or [plain, plain])[1]


def check(files):
    found, documented, undocumented, functions = [], set(), [], 0
    for path, file in files:
        for line, doc, source in statements(file.read_text(encoding="utf-8")):
            kind, name = name_of(source)
            if kind == "unmarked":
                found.append((path, line, f"{name}: neither WT_API nor a type"))
                continue
            functions += kind == "function"
            empty = doc is None or not re.search(r"\w", doc)
            if kind == "function":
                if empty:
                    found.append((path, line, f"{name}: no documentation block"))
                elif not SINCE.search(" ".join(doc.replace("*", " ").split())):
                    found.append((path, line, f"{name}: its block does not say since which version"))
            elif empty:
                undocumented.append((path, line, kind, name))
            else:
                documented.add(name)
    for path, line, kind, name in undocumented:
        forward = kind in ("typedef", "declaration") and name in documented
        if not forward:
            found.append((path, line, f"{kind} {name}: no documentation block"))
    return sorted(found), functions


def headers(root):
    return [(file.relative_to(root).as_posix(), file) for file in sorted((root / "include/webtransport").glob("*.h"))]


def self_test(root):
    expected = {(path, number) for path, file in headers(root)
                for number, line in enumerate(file.read_text().splitlines(), 1) if "EXPECT" in line}
    found = {(path, number) for path, number, _ in check(headers(root))[0]}
    for path, number in sorted(expected - found):
        print(f"{path}:{number}: should have been reported")
    for path, number in sorted(found - expected):
        print(f"{path}:{number}: should not have been reported")
    return bool(expected) and expected == found


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    if "--self-test" in sys.argv:
        return 0 if self_test(here / "tests/checks/docs") else 1
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    problems, functions = check(headers(root))
    for path, line, problem in problems:
        print(f"{path}:{line}: {problem}")
    if functions == 0:
        print("no public function found")
    return 1 if problems or functions == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
