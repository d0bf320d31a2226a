# SPDX-License-Identifier: MIT
"""Pages of the API, one for each public header: what Doxygen read, in the order of the header, with the prose that
stands between the declarations.

Breathe's directives put the blocks in; what is written here is which, and where. webtransport.h has the list of headers
and the rules that hold everywhere: it becomes the first page.
"""

import re

import check_docs

DIRECTIVES = {"function": "doxygenfunction", "struct": "doxygenstruct",
              "union": "doxygenunion", "enum": "doxygenenum", "typedef": "doxygentypedef", "define": "doxygendefine"}
PROSE = re.compile(r"^/\*(?!\*)(?! SPDX)(.*?)\*/$", re.S | re.M)
DEFINE = re.compile(r"^#define (\w+)(?=[^\n]*/\*\*<)|^/\*\*(?!<)(?:(?!\*/).)*\*/\n#define (\w+)", re.M | re.S)
LISTED = re.compile(r"^ {2,}(\w+\.h) {2,}(.*)$")
TITLE = re.compile(r"([A-Z][\w ]{2,25})\. ")


def escaped(text):
    """Prose as reStructuredText: `code` in double backquotes, other marks escaped."""
    parts = re.split(r"(`[^`]+`)", text)
    for number, part in enumerate(parts):
        if number % 2:
            parts[number] = f"`{part}`"
        else:
            parts[number] = re.sub(r"([*|\\]|_(?!\w))", r"\\\1", part)
    return "".join(parts)


def prose(comment):
    """A comment without its stars as reStructuredText: paragraphs, lists, and indented code."""
    lines = [re.sub(r"^ ?\*? ?", "", line, count=1) for line in comment.strip("\n").split("\n")]
    out, level = [], 0
    for chunk in "\n".join(lines).strip("\n").split("\n\n"):
        rows = chunk.split("\n")
        indent = len(rows[0]) - len(rows[0].lstrip())
        if all(LISTED.match(row) for row in rows):
            for row in rows:
                name, words = LISTED.match(row).groups()
                out += [f"- :doc:`{name} <{name[:-2]}>`: {escaped(words)}"]
            out += [""]
        elif indent >= level + 4:
            out += [" " * level + "::", ""] + [" " * level + "   " + row[indent:] for row in rows] + [""]
        else:
            item = rows[0].lstrip().startswith("- ")
            level = 2 if item else min(level, indent)
            for row in rows:
                starts = row.lstrip().startswith("- ")
                if starts and out and out[-1]:
                    out.append("")
                out.append(("" if starts else " " * level) + escaped(row.strip()))
            out.append("")
    return "\n".join(out) + "\n"


def heading(text, line):
    return f"{text}\n{line * len(text)}\n\n"


def titled(text):
    """Prose that begins with a title, as in "Threads. A server ...", with that as a heading."""
    match = TITLE.match(text)
    if not match:
        return text
    return heading(match[1], "-") + text[match.end():]


def declarations(text):
    """Yields (line, kind, name) for what is public in a header."""
    for line, doc, source in check_docs.statements(text):
        kind, name = check_docs.name_of(source)
        if kind in DIRECTIVES and doc and name:
            yield line, kind, name
    for match in DEFINE.finditer(text):
        name = match[1] or match[2]
        if name not in ("WT_API",):
            yield text.count("\n", 0, match.end()) + 1, "define", name


def items(text):
    """Yields (line, kind, name or prose) in order."""
    found = list(declarations(text))
    for match in PROSE.finditer(text):
        found.append((text.count("\n", 0, match.start()) + 1, "prose", match[1]))
    for match in re.finditer(r"^/\*\*\n \* @file\n(.*?)\*/$", text, re.S | re.M):
        found.append((text.count("\n", 0, match.start()) + 1, "prose", match[1]))
    return sorted(found)


def item_page(kind, content):
    if kind == "prose":
        section = re.match(r"\s*---(.*)---\s*$", content, re.S)
        if section:
            return heading(" ".join(section[1].split()).rstrip("."), "-")
        return titled(prose(content))
    members = "   :members:\n" if kind in ("struct", "union") else ""
    return f".. {DIRECTIVES[kind]}:: {content}\n{members}\n"


def subtitles(text):
    """What webtransport.h says about each header."""
    return dict(match.groups() for match in re.finditer(r"^ \*   (\w+\.h) +(.*)$", text, re.M))


def header_page(name, text, subtitle, include):
    out = heading(name, "=")
    if subtitle:
        out += subtitle[0].upper() + escaped(subtitle[1:]) + ".\n\n"
    out += f".. code-block:: c\n\n   #include <{include}>\n\n"
    found = items(text)
    return out + names(found) + "".join(item_page(kind, content) for _, kind, content in found)


def names(found):
    """What a header declares, in its order, as a list that fits on a screen."""
    rows = [content + "()" * (kind == "function") for _, kind, content in found if kind != "prose"]
    if len(rows) < 6:
        return ""
    return ".. container:: names\n\n" + "".join(f"   - ``{row}``\n" for row in rows) + "\n"


def index_page(text, backplanes):
    introduction = next(PROSE.finditer(text))[1]
    out = heading("API reference", "=")
    out += prose(introduction)
    out += "Libraries of their own carry topics over a broker:\n\n"
    out += "".join(f"- :doc:`{name}.h <{name}>`\n" for name in backplanes)
    return out


def write(root, folder):
    """Writes the pages into a folder; returns how many."""
    files = sorted((root / "include/webtransport").glob("*.h"))
    others = sorted((root / "backplanes").glob("*/webtransport/*.h"))
    main = (root / "include/webtransport/webtransport.h").read_text(encoding="utf-8")
    words = subtitles(main)
    names = [name[:-2] for name in words]
    missing = {file.stem for file in files} - set(names) - {"webtransport"}
    if missing:
        raise SystemExit(f"include/webtransport/webtransport.h does not list: {', '.join(sorted(missing))}")
    toc = "\n.. toctree::\n   :hidden:\n\n" + "".join(f"   {name}\n" for name in names + [file.stem for file in others])
    yield folder / "index.rst", index_page(main, [file.stem for file in others]) + toc
    for file in [*files, *others]:
        if file.stem != "webtransport":
            text = file.read_text(encoding="utf-8")
            yield folder / f"{file.stem}.rst", header_page(file.name, text, words.get(file.name), f"webtransport/{file.name}")
