# SPDX-License-Identifier: MIT
"""Follows each link of a built site: to a page, to an anchor of it, to a picture, a script or a style."""

import html.parser
import pathlib
import re
import urllib.parse

STYLE_LINK = re.compile(r"url\((?![\"']?data:)[\"']?([^\"')]+)")


class Page(html.parser.HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value is not None:
                self.links.append((self.getpos()[0], value))


def problem_of(root, pages, file, value):
    """What is wrong with a link from a file; None if nothing is, or if it leads to the web."""
    parts = urllib.parse.urlsplit(value)
    if parts.scheme in ("data", "javascript"):
        return None
    if parts.scheme or parts.netloc:
        return None if parts.scheme == "https" and parts.netloc else "is no good address"
    if parts.path.startswith("/"):
        return "begins at the root of the host: the site works below any path"
    path = (file.parent / urllib.parse.unquote(parts.path)).resolve() if parts.path else file
    if not path.is_file() or root not in path.parents:
        return "leads nowhere"
    if path in pages and urllib.parse.unquote(parts.fragment) not in pages[path].anchors:
        return "has an anchor that is not there"
    return None


def check(root):
    """Returns what is wrong, the number of pages and that of links."""
    root = pathlib.Path(root).resolve()
    pages = {file: Page(file.read_text(encoding="utf-8")) for file in sorted(root.rglob("*.html"))}
    found, count = [], 0
    for file, page in pages.items():
        for line, value in page.links:
            count += 1
            problem = problem_of(root, pages, file, value)
            if problem:
                found.append(f"{file.relative_to(root)}:{line}: the link to {value} {problem}")
    for file in sorted(root.rglob("*.css")):
        for value in STYLE_LINK.findall(file.read_text(encoding="utf-8")):
            count += 1
            problem = problem_of(root, pages, file, value)
            if problem:
                found.append(f"{file.relative_to(root)}: the link to {value} {problem}")
    return found, len(pages), count
