# SPDX-License-Identifier: MIT
"""The Markdown pages of the tree: their links, and the anchors of their headings.

A link is `[words](target)` outside of code. A target is a place on the web, an anchor (`#...`), or a file relative to
the page, with an anchor or without. Anchors are those that GitHub and the site give to headings.
"""

import pathlib
import re
import subprocess

FENCE = re.compile(r"^( *)(`{3,}|~{3,}|:{3,}).*?^\1\2[ \t]*$", re.S | re.M)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.S)
LINK = re.compile(r"\[(?P<words>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]*(?:\([^()]*\)[^()\s]*)*)\)")
HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.M)
WEB = re.compile(r"https://[a-z0-9.-]+\.[a-z]+(:\d+)?(/[^\s<>\"]*)?$")
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.S | re.M)


def of_git(root):
    """The Markdown files that git knows or would take; none without git."""
    try:
        listed = subprocess.run(["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
                                capture_output=True, text=True, check=False)
    except OSError:
        return []
    return listed.stdout.split()


def pages(root):
    """The pages that the site has, as paths from the root: all that git knows but the tests' bad samples."""
    names = of_git(root)
    if not names:  # a release tarball
        names = [file.relative_to(root).as_posix() for file in root.rglob("*.md") if "node_modules" not in file.parts]
    ours = re.compile(r"(docs/(?!site/)|bench/|tests/interop/|tools/)|[^/]+$")
    return sorted(name for name in names if ours.match(name) and (root / name).is_file())


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def text_of(markdown):
    """The page with blanks where it has code, each character in its place."""
    return CODE.sub(blank, FENCE.sub(blank, markdown))


def links(markdown):
    """Yields a match with `words` and `target` for each link. Its words may hold code."""
    outside = FENCE.sub(blank, markdown)
    spans = [match.span() for match in CODE.finditer(outside)]
    for match in LINK.finditer(outside):
        if not any(start <= match.start() < end for start, end in spans):
            yield match


def slug(heading):
    """The anchor of a heading: its words in lower case, hyphens between."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-")


def anchors(markdown):
    """The anchors of a page; a heading that comes again gets a number."""
    seen, found = {}, set()
    for match in HEADING.finditer(FENCE.sub(blank, markdown)):
        name = slug(match[1])
        count = seen.get(name, 0)
        seen[name] = count + 1
        found.add(f"{name}-{count}" if count else name)
    return found


def resolve(page, target):
    """The path and the anchor that a target names, seen from a page."""
    path, _, anchor = target.partition("#")
    if not path:
        return page, anchor
    parts = []
    for part in (pathlib.PurePosixPath(page).parent / path).parts:
        if part == "..":
            if not parts:
                return None, anchor
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts), anchor


def is_web(target):
    return re.match(r"[a-z]+:", target) is not None


def entries(index):
    """The documents that the lists of contents name."""
    found = []
    for match in TOCTREE.finditer(index):
        for line in match[1].splitlines():
            if line.strip() and not line.startswith(":"):
                found.append(re.sub(r".*<(.*)>$", r"\1", line.strip()))
    return found
