#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when something public has no documentation block `/** ... */` directly before it, when a page shows code
that no example has, when the README's list of exit statuses is not that of the tool, or when the table of the log's
events in docs/guide/diagnosis.md is not what the sources log.

    scripts/check_docs.py [ROOT]       check ROOT/include/webtransport/*.h, README.md and docs/**/*.md
    scripts/check_docs.py --self-test  check that each bad sample of tests/checks/docs is found

Public are: functions (WT_API, or static inline), structs, unions and enums with a body, and typedefs. A function's block
also has to say since which version it is there. Not asked for: a forward typedef or
declaration whose name is documented elsewhere in the headers.

Code in pages, the blocks that begin with ```c, ```js and ```yaml, is taken from examples/, line by
line and only indented otherwise. A line with "..." stands between pieces that come later in the same file. A block with a main()
is the whole of its file, from the first line after the licence and its comment.

Exit statuses: the sentence "The exit status ..." of the README names each status above 1 of EXIT_LIST in
tools/webtransport/common/exits.h, and no other, as "number words"; the words of its name are among those.
"""

import pathlib
import re
import sys
import textwrap

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
            if depth == 0 and text.startswith("static inline", start):  # its body ends it
                yield text.count("\n", 0, start) + 1, doc, text[start:position]
                start, doc = None, None
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
    match = re.match(r"static inline [^(]*?(\w+)\s*\(", plain)
    if match:
        return "function", match[1]
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


def blocks(text, languages):
    """Yields (line of the fence, language, code) for each fenced block in one of the languages."""
    for match in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```", text, re.S | re.M):
        if match[1] in languages:
            yield text.count("\n", 0, match.start()) + 1, match[1], match[3]


def pieces_of(code):
    """The code between lines of "...", each a list of lines without what is before all of them."""
    parts = re.split(r"^[ \t]*\.\.\.[ \t]*\n", code, flags=re.M)
    return [textwrap.dedent(part).strip("\n").splitlines() for part in parts if part.strip()]


def holds(source, pieces):
    """Says whether the source has each piece, in order."""
    lines = source.splitlines()
    at = 0
    for piece in pieces:
        for at in range(at, len(lines) - len(piece) + 1):
            if textwrap.dedent("\n".join(lines[at:at + len(piece)])).splitlines() == piece:
                at += len(piece)
                break
        else:
            return False
    return bool(pieces)


def body_of(source):
    """A program without its licence line and the comment after it."""
    return re.sub(r"\A/\*.*?\*/\s*/\*.*?\*/\s*", "", source, flags=re.S).strip()


def check_code(root):
    """Finds the blocks that no example has; counts all."""
    found, count = [], 0
    for page in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        for line, language, code in blocks(page.read_text(encoding="utf-8"), ("c", "js", "yaml")):
            count += 1
            sources = [file.read_text(encoding="utf-8") for file in sorted((root / "examples").rglob(f"*.{language}"))]
            if re.search(r"^int main\(", code, re.M):
                good, what = code.strip() in map(body_of, sources), "the whole of no example"
            else:
                good, what = any(holds(source, pieces_of(code)) for source in sources), "not in any example"
            if not good:
                found.append((page.relative_to(root).as_posix(), line, f"this code is {what}"))
    return found, count


def check_exits(root):
    """Compares the README's list of exit statuses with the tool's; counts those that it has."""
    text = (root / "README.md").read_text(encoding="utf-8")
    source = (root / "tools/webtransport/common/exits.h").read_text(encoding="utf-8")
    names = {int(number): name for name, number in re.findall(r"X\((\w+), (\d+),", source) if int(number) > 1}
    sentence = re.search(r"The exit status\b(.*?)(?:;|\.(?=\s)|\Z)", text, re.S)
    if not sentence:
        return [("README.md", 1, "no list of the exit statuses")], 0
    found, seen = [], set()
    for match in re.finditer(r"\b(\d+) ([^,;.]+)", sentence[1]):
        number, words = int(match[1]), match[2].lower().split()
        line = text.count("\n", 0, sentence.start(1) + match.start()) + 1
        seen.add(number)
        if number not in names:
            found.append(("README.md", line, f"exit status {number}: the tool has none"))
        elif not set(names[number].lower().split("_")) <= set(words):
            found.append(("README.md", line, f"exit status {number}: the tool calls it {names[number]}"))
    line = text.count("\n", 0, sentence.start()) + 1
    found += [("README.md", line, f"exit status {number} is not listed") for number in sorted(set(names) - seen)]
    return found, len(seen)


def fields_of(code):
    """The fields in the arguments of one WT__EVENT_OF."""
    fields = set(re.findall(r'WT__(?:TEXT|INTEGER|BOOLEAN)\("(\w+)"', code))
    fields |= set(re.findall(r'WT__INTEGER_IF\([^"]*, "(\w+)"', code))
    if re.search(r"WT__(H3_|MUX_)?CONNECTION\(", code):
        fields |= {"connection", "peer"}
    return fields


def events_of(root):
    """The events of the log in the sources: name -> (fields, file, line)."""
    events = {}
    for file in sorted((root / "src").rglob("*.c")):
        text = file.read_text(encoding="utf-8")
        for match in re.finditer(r'WT__EVENT(?:_OF)?\(\s*"(\w+)"', text):
            depth, end = 0, match.start()
            for end in range(text.index("(", match.start()), len(text)):
                depth += {"(": 1, ")": -1}.get(text[end], 0)
                if depth == 0:
                    break
            place = (file.relative_to(root).as_posix(), text.count("\n", 0, match.start()) + 1)
            fields = events.setdefault(match[1], (set(), *place))[0]
            fields |= fields_of(text[match.end():end])
    return events


def check_events(root):
    """Compares the table of the log's events with the sources; counts the events."""
    events, page = events_of(root), "docs/guide/diagnosis.md"
    found, told, in_table = [], set(), False
    for number, line in enumerate((root / page).read_text(encoding="utf-8").splitlines(), 1):
        in_table = line.startswith("|") and (in_table or line.startswith("| event | fields |"))
        row = re.match(r"\| `(\w+)` \|([^|]*)\|", line)
        if not row or not in_table:
            continue
        told.add(row[1])
        fields = set(re.findall(r"`(\w+)`", row[2]))
        if row[1] not in events:
            found.append((page, number, f"no line of the log has the event {row[1]}"))
        elif fields != events[row[1]][0]:
            found.append((page, number, f"{row[1]} has the fields {', '.join(sorted(events[row[1]][0])) or 'none'}"))
    found += [(file, line, f"the event {name} is not in {page}")
              for name, (_, file, line) in sorted(events.items()) if name not in told]
    return found, len(events)


def headers(root):
    return [(file.relative_to(root).as_posix(), file) for file in sorted((root / "include/webtransport").glob("*.h"))]


def self_test(root):
    pages = [(file.relative_to(root).as_posix(), file) for file in sorted(root.rglob("*.md"))]
    sources = [(file.relative_to(root).as_posix(), file) for file in sorted((root / "src").rglob("*.c"))]
    expected = {(path, number) for path, file in headers(root) + pages + sources
                for number, line in enumerate(file.read_text().splitlines(), 1) if "EXPECT" in line}
    found = {(path, number) for path, number, _ in check(headers(root))[0] + check_code(root)[0] + check_exits(root)[0]
             + check_events(root)[0]}
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
    wrong_code, code = check_code(root)
    wrong_exits, exits = check_exits(root)
    wrong_events, events = check_events(root)
    problems += wrong_code + wrong_exits + wrong_events
    for path, line, problem in problems:
        print(f"{path}:{line}: {problem}")
    empty = 0 in (functions, code, exits, events)
    if empty:
        print("no public function found, no code in pages, no exit status, or no event of the log")
    return 1 if problems or empty else 0


if __name__ == "__main__":
    sys.exit(main())
