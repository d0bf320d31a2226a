# SPDX-License-Identifier: MIT
"""An extension of Sphinx: names in the text lead to where they are documented.

- `wt_upgrade`, `struct wt_header`, WT_ERR_AGAIN: everywhere in code font, in the API also in plain text.
- `max_connections`, a member, if one struct has it, or one of the same page.
- server.h and docs/guide/fleet.md in the API's text: their pages.

A name in code font that looks like a public one and is none is a warning, so the build fails, unless it is an option of the
build or a variable of a script.
"""

import functools
import pathlib
import re

from docutils import nodes
from sphinx.domains.c import CDomain
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

LOG = logging.getLogger(__name__)
PUBLIC = re.compile(r"(?:struct |enum )?(wt_[a-z]\w*|WT_[A-Z]\w*)(?:\(\))?$")
MEMBER = re.compile(r"[a-z]\w*_\w+$")
IN_TEXT = re.compile(r"(?P<symbol>\b(?:struct |enum )?(?:wt_[a-z]\w+|WT_[A-Z]\w+)\b(?!\*))|(?P<header>\b\w+\.h\b)"
                     r"|(?P<page>\bdocs/[\w/-]+\.md\b)")


@functools.cache
def variables():
    """The options and variables that CMake's files and the scripts know."""
    root, names = pathlib.Path(__file__).resolve().parents[2], set()
    for pattern in ("cmake/*.cmake", "CMakeLists.txt", "scripts/*.sh", "packaging/*.sh"):
        for file in root.glob(pattern):
            names.update(re.findall(r"\bWT_[A-Z0-9_]+\b", file.read_text("utf-8")))
    return names


class Names(CDomain):
    """Without parameters and second names of constants in the search, and with members behind pages."""

    def get_objects(self):
        for name, shown, kind, document, anchor, priority in super().get_objects():
            if kind == "functionParam" or (kind == "enumerator" and "." in name):
                priority = -1  # not at all
            elif kind == "member":
                priority = 2
            yield name, shown, kind, document, anchor, priority


class Index:
    """What the C domain knows: names, and members by their own name."""

    def __init__(self, env):
        self.symbols, self.members = {}, {}
        for name, _, kind, document, anchor, _ in env.get_domain("c").get_objects():
            self.symbols.setdefault(name, (document, anchor))
            plain = name.rsplit(".", 1)[-1]
            if kind == "enumerator":
                self.symbols.setdefault(plain, (document, anchor))
            elif kind == "member" and "." in name:
                self.members.setdefault(plain, set()).add((document, anchor))

    def member(self, name, document):
        found = self.members.get(name, set())
        near = [place for place in found if place[0] == document]
        if len(near) == 1:
            return near[0]
        return next(iter(found)) if len(found) == 1 else None


def is_free(node):
    """Whether a node may become a link: not within one, a title or a declaration."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, (nodes.reference, nodes.title, nodes.literal_block)) or \
                parent.__class__.__name__.startswith("desc_sig") or parent.__class__.__name__ == "desc_name":
            return False
        parent = parent.parent
    return True


def is_former(node):
    """Whether the text says that a thing was called so: "It was `wt_server_address` before."."""
    before = node.previous_sibling()
    return before is not None and before.astext().split()[-1:] == ["was"]


def link(app, document, place, content):
    return make_refnode(app.builder, document, place[0], place[1], content)


def literal(app, index, document, node):
    text = node.astext()
    match = PUBLIC.match(text)
    if match:
        place = index.symbols.get(match[1]) or index.member(match[1], document)
        known = place or match[1] in index.members or match[1] in variables()
        if not known and not is_former(node):
            LOG.warning("no such public name: %s", text, location=node)
    elif MEMBER.match(text):
        place = index.member(text, document)
    elif re.match(r"[\w]+\.h$", text) and f"api/{text[:-2]}" in app.env.found_docs:
        place = (f"api/{text[:-2]}", "")
    else:
        place = None
    if place:
        node.replace_self(link(app, document, place, node.deepcopy()))


def place_of(app, index, match):
    if match["symbol"]:
        return index.symbols.get(match["symbol"].split()[-1])
    name = f"api/{match['header'][:-2]}" if match["header"] else match["page"].removesuffix(".md")
    return (name, "") if name in app.env.found_docs else None


def plain(app, index, document, node):
    text, parts, at = node.astext(), [], 0
    for match in IN_TEXT.finditer(text):
        place = place_of(app, index, match)
        if place and place[0] != document or place and place[1]:
            parts.append(nodes.Text(text[at:match.start()]))
            word = nodes.literal("", match[0]) if match["symbol"] else nodes.Text(match[0])
            parts.append(link(app, document, place, word))
            at = match.end()
    if parts:
        node.parent.replace(node, [*parts, nodes.Text(text[at:])])


def resolve(app, tree, document):
    # Only what the guide and the API say about the public API; the architecture names functions of its own.
    if not document.startswith(("docs/guide/", "api/")) and document not in ("README", "docs/limits"):
        return
    if not hasattr(app, "index_of_symbols"):
        app.index_of_symbols = Index(app.env)
    index = app.index_of_symbols
    for node in list(tree.findall(nodes.literal)):
        if is_free(node):
            literal(app, index, document, node)
    if document.startswith("api/"):
        for node in list(tree.findall(nodes.Text)):
            if is_free(node) and not isinstance(node.parent, nodes.literal):
                plain(app, index, document, node)


def is_tag(record):
    """C has names of enums apart from those of functions; Sphinx has not, and warns of `enum wt_stream_kind`."""
    return "Duplicate C declaration" not in record.getMessage() or not re.search(r"enum (wt_\w+) \1 \(", record.getMessage())


def setup(app):
    logging.logging.getLogger("sphinx.sphinx.domains.c").addFilter(is_tag)
    app.add_domain(Names, override=True)
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
