# SPDX-License-Identifier: MIT
"""An extension of Sphinx: colours for JavaScript with private fields (`this.#room`), which the Pygments of Debian 12 does
not know."""

from pygments.lexers.javascript import JavascriptLexer
from pygments.token import Name


class PrivateFields(JavascriptLexer):
    tokens = {**JavascriptLexer.tokens, "root": [(r"#\w+", Name.Other), *JavascriptLexer.tokens["root"]]}


def setup(app):
    app.add_lexer("js", PrivateFields)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
