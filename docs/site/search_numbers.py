# SPDX-License-Identifier: MIT
"""An extension of Sphinx: its search finds numbers, such as 429 and 9114.

Numbers are in Sphinx's index, but its search passes over words of digits alone in what the reader types. It asks each
word by `match` whether it is one; a number that is wrapped says no.

The lines of text below each result are read from the pages, which a browser does not allow in a folder (file:).
"""

from sphinx.search.en import SearchEnglish

SPLIT = r"""
splitQuery = (query) =>
  query.split(/[^\p{Letter}\p{Number}_\p{Emoji_Presentation}]+/gu)
    .filter((term) => term)
    .map((term) => (/^\d+$/.test(term) ? Object.assign(new String(term), { match: () => null }) : term));
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
"""


class SearchNumbers(SearchEnglish):
    js_splitter_code = SPLIT


def setup(app):
    app.add_search_language(SearchNumbers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
