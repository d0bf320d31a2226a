#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finds the single changes of a C file that its tests should notice.

    scripts/mutations.py FILE...       print each change as a diff of one line
    scripts/mutations.py --self-test   check that those of tests/checks/mutations are found, and no others

A change is one of these, inside a function:

 - a comparison becomes its neighbour (< to <=) or its opposite (< to >=, == to !=)
 - && becomes ||, and the other way round; a ! goes; the condition of an if or while is negated
 - + becomes -, * becomes /, & becomes |, << becomes >>, ++ becomes --, and the other way round
 - a number is one more, or 0 for 1 and -1; true becomes false, and the other way round
 - a statement goes: an assignment, a call, a break, continue or bare return

Comments, strings, preprocessor lines, assertions and lines that only write the log are left alone. The files have the
house format (clang-format): that is how a binary operator is known from a pointer's star.
"""

import pathlib
import re
import sys
from typing import NamedTuple


class Mutation(NamedTuple):
    line: int  # from 0
    before: str
    after: str


# An operator, and what it becomes. Binary operators have spaces around them in the house format.
BINARY = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",),
          "&&": ("||",), "||": ("&&",), "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("*",),
          "&": ("|",), "|": ("&",), "^": ("&",), "<<": (">>",), ">>": ("<<",),
          "+=": ("-=",), "-=": ("+=",), "*=": ("/=",), "/=": ("*=",), "|=": ("&=",), "&=": ("|=",)}
# An operator that stands at the end of a line goes on in the next one.
BINARY_AT = re.compile(r"(?<= )(?:[<>=!+\-*/|&]=|&&|\|\||<<|>>|[<>+\-*/%&|^])(?= |$)")
STEP_AT = re.compile(r"\+\+|--")
NOT_AT = re.compile(r"(?<![=!\w])!(?=[\w(*])")
NUMBER_AT = re.compile(r"(?<![\w.])(?<!calloc\()(\d+)([uUlL]*)(?![\w.])")
BOOL_AT = re.compile(r"\b(?:true|false)\b")
CONDITION_AT = re.compile(r"\b(?:if|while) \(")

LEFT_ALONE = re.compile(r"^\s*(?:#|assert\(|static_assert\(|_Static_assert\(|"
                        r"(?:if \(.*\) )?WT__(?:LOG|ERROR|WARN|INFO|DEBUG))")
DECLARATION = re.compile(r"(?:const |static |struct |enum |unsigned )*\w+ \**\w+(?:\[.*\])*(?: = .*|, .*)?;$")
REMOVABLE = re.compile(r"(?:return|break|continue);$|(?!return\b|goto\b|case\b|default\b|else\b|do\b)[*(\w].*;$")

MASKED = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def mask(text):
    """The text with blanks for comments, and with letters for strings, at the same places."""
    def blank(match):
        fill = " " if match.group().startswith("/*") else "s"
        return re.sub(r"[^\n]", fill, match.group())
    return MASKED.sub(blank, text)


def lines_of_functions(lines):
    """The numbers of the lines inside of functions; a one-line function is one of them."""
    depth, inside, found = 0, False, []
    for number, line in enumerate(lines):
        if depth == 0:
            inside = bool(re.match(r"[A-Za-z_ ].*\) \{", line)) or (inside and line.startswith(" "))
            if inside and line.count("{") == line.count("}") > 0:
                found.append(number)
        elif inside:
            found.append(number)
        depth += line.count("{") - line.count("}")
    return found


def condition_end(line, start):
    """The place of the parenthesis that closes the one before `start`, or None if it is in a later line."""
    depth = 1
    for place in range(start, len(line)):
        depth += {"(": 1, ")": -1}.get(line[place], 0)
        if depth == 0:
            return place
    return None


def numbers(match, before):
    value, suffix = int(match.group(1)), match.group(2)
    if value != 1:
        return [f"{value + 1}{suffix}"]
    negative = re.search(r"(?:[(,=?:]|return) -$", before)
    return [f"0{suffix}"] if negative else [f"0{suffix}", f"2{suffix}"]


def edits_of_tokens(line):
    """(start, end, text) of each change of an operator or a constant."""
    for match in BINARY_AT.finditer(line):
        for text in BINARY.get(match.group(), ()):
            yield match.start(), match.end(), text
    for match in STEP_AT.finditer(line):
        yield match.start(), match.end(), "--" if match.group() == "++" else "++"
    for match in NOT_AT.finditer(line):
        yield match.start(), match.end(), ""
    for match in NUMBER_AT.finditer(line):
        for text in numbers(match, line[:match.start()]):
            yield match.start(), match.end(), text
    for match in BOOL_AT.finditer(line):
        yield match.start(), match.end(), "false" if match.group() == "true" else "true"


def statement_start(line, before):
    """Where the only statement of this line begins, or None. `before` is the line above it."""
    start = len(line) - len(line.lstrip())
    match = re.match(r"\s*(?:\} else )?(?:if|while|for) \(", line)
    if match:
        end = condition_end(line, match.end())
        return None if end is None else end + 2
    match = re.match(r"\s*else ", line) or re.match(r"\s*(?:case .*|default): ", line)
    if match:
        return match.end()
    return start if not before.strip() or before.rstrip()[-1] in ";{}:)" else None


def edits_of_statements(line, before):
    for match in CONDITION_AT.finditer(line):
        end = condition_end(line, match.end())
        if end is not None:
            yield match.end(), end, "!({})"
    start = statement_start(line, before)
    statement = line[start:].rstrip() if start is not None else ""
    if REMOVABLE.match(statement) and not DECLARATION.match(statement):
        yield start, start + len(statement), ";"


def mutations(text):
    """Every change of the file, in the order of its lines."""
    real, masked = text.split("\n"), mask(text).split("\n")
    found = []
    for number in lines_of_functions(masked):
        line = masked[number]
        if LEFT_ALONE.match(line):
            continue
        before = masked[number - 1] if number else ""
        for start, end, new in [*edits_of_tokens(line.rstrip()), *edits_of_statements(line, before)]:
            new = new.replace("{}", real[number][start:end])
            found.append(Mutation(number, real[number], real[number][:start] + new + real[number][end:]))
    return found


def apply(text, mutation):
    lines = text.split("\n")
    lines[mutation.line] = mutation.after
    return "\n".join(lines)


def show(mutation):
    return f"  - {mutation.before.strip()}\n  + {mutation.after.strip()}"


def self_test(folder):
    expected = (folder / "expected.txt").read_text()
    found = "".join(f"{show(mutation)}\n" for mutation in mutations((folder / "sample.c").read_text()))
    if found != expected:
        print(found)
    return bool(expected) and found == expected


def main():
    if "--self-test" in sys.argv:
        here = pathlib.Path(__file__).resolve().parent.parent
        return 0 if self_test(here / "tests/checks/mutations") else 1
    for name in sys.argv[1:]:
        for mutation in mutations(pathlib.Path(name).read_text(encoding="utf-8")):
            print(f"{name}:{mutation.line + 1}\n{show(mutation)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
