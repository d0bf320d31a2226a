# SPDX-License-Identifier: MIT
"""The configuration of Sphinx. docs/site/build.py runs it and sets the variables WT_DOCS_*."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

project = "libwebtransport"
author = "The libwebtransport authors"
copyright = "the libwebtransport authors, MIT licence"  # noqa: A001  (Sphinx wants this name)
version = release = os.environ["WT_DOCS_VERSION"]

extensions = ["myst_parser", "breathe", "symbols", "search_numbers", "private_fields"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
root_doc = "index"
nitpicky = True
# Types of C, of libuv and of the operating system.
nitpick_ignore_regex = [("c:identifier", r"(u?int(8|16|32|64)_t|size_t|bool|uv_\w+|sockaddr\w*)")]
# A page that a program writes may leave out a level of headings.
suppress_warnings = ["myst.header"]
smartquotes = False
highlight_language = "none"

myst_heading_anchors = 6
myst_enable_extensions = []

breathe_projects = {"libwebtransport": os.environ["WT_DOCS_XML"]}
breathe_default_project = "libwebtransport"
breathe_domain_by_extension = {"h": "c"}
breathe_show_define_initializer = False
breathe_show_include = False

# Names that the guide mentions and the API does not have (any more).
symbols_elsewhere = ["wt_stream_kind_of"]

html_theme = "furo"
html_title = f"libwebtransport {version}"
html_static_path = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "static")]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
