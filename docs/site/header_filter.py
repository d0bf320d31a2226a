#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints a public header as Doxygen should read it:

    header_filter.py HEADER

- The file is marked as documented; its introduction stands on its page, which pages.py makes.
- Members that are declared together get their block each.
- A plain comment between the members of a struct is the title of a group of members.
- An enum that is made from a list macro has its members written out, each with the list's text.

Each line stays where it is, so that Doxygen's warnings name the right one.
"""

import re
import sys

LIST = re.compile(r"#define (\w+_LIST)\(X\)(.*?[^\\])\n", re.S)
ENTRY = re.compile(r'X\((\w+), (-?\w+), "([^"]*)"\)')


def written_out(text):
    """Replaces the use of a list in an enum by the members that it makes."""
    lists = {match[1]: ENTRY.findall(match[2]) for match in LIST.finditer(text)}

    def members(match):
        prefix = re.search(r"#define " + match[2] + r"\(.*?\) (\w+)##", text)
        rows = "".join(f"{prefix[1]}{name} = {value}, /**< {words} */ " for name, value, words in lists[match[1]])
        return "  " + rows

    text = re.sub(r"^  (\w+_LIST)\((\w+)\)$", members, text, flags=re.M)
    return re.sub(r"^#(define WT_ERROR_ENUM\b.*|undef WT_ERROR_ENUM)$", "", text, flags=re.M)


def without_ours(text):
    """Removes what is for the compiler alone: how a function is exported, and a type that another header documents."""
    text = re.sub(r"^#define WT_API.*$", "", text, flags=re.M)
    return re.sub(r"^typedef struct \w+ \w+; /\* \w+\.h \*/$", "", text, flags=re.M)


MEMBERS = re.compile(
    r"^(?P<before>(?:  /\*\*(?!<)(?:(?!\*/).)*\*/\n)?)"  # a block on the lines before
    r"  (?P<kind>(?:const )?\w+ )(?P<names>\*?\w[^;,()]*(?:, [^;,()]+)+);"
    r"(?P<after>(?: */\*\*<(?:(?!\*/).)*\*/)?)$", re.M | re.S)


def split(text):
    """Declares each member of `uint64_t a, b;` alone, with the block of both."""

    def members(match):
        names = [f"{match['kind']}{name.strip()};{match['after']}" for name in match["names"].split(",")]
        again = " ".join(re.sub(r"\n\s*\*(?!/)", " ", match["before"]).split())
        return match["before"] + "  " + f" {again} ".join(names)

    return MEMBERS.sub(members, text)


def grouped(text):
    """Makes groups of the members of a struct from the plain comments between them."""
    lines, inside, group = text.split("\n"), False, False
    for number, line in enumerate(lines):
        if re.match(r"(struct|union) \w+ \{$", line):
            inside = True
        elif line.startswith("}"):
            if group:
                lines[number] = "/** @} */ " + line
            inside = group = False
        elif inside and re.match(r"  /\*(?!\*)", line):
            words, last = line.strip()[2:], number
            while "*/" not in words:
                last += 1
                words += " " + re.sub(r"^\s*\*(?!/)", "", lines[last]).strip()
                lines[last] = ""
            words = re.sub(r"\*/.*", "", words).strip(" -").rstrip(".")
            end = "/** @} */ " if group else ""
            lines[number] = f"  {end}/** @name {words}. */ /** @{{ */"
            group = True
    return "\n".join(lines)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    mark = "" if "@file" in text else "/** @file */ "
    sys.stdout.write(mark + grouped(split(written_out(without_ours(text)))))


if __name__ == "__main__":
    main()
