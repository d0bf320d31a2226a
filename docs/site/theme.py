# SPDX-License-Identifier: MIT
"""Puts the theme's files right after the build. Debian's furo has its sources instead of what its own build makes of them:

- its style imports normalize.css from the root of the host; site.css has what is needed of it;
- its style has no dark mode for readers whose system is dark, only for those who choose it on the page;
- its script imports another file, which a plain script cannot; the two become one."""

import re

IMPORT_STYLE = "@import url(/javascript/normalize.css/normalize.css);"
# "import Gumshoe" in Debian 12, "import * as Gumshoe" in Debian 13.
IMPORT_SCRIPT = re.compile(r'import (\* as )?Gumshoe from "./gumshoe-patched.js";')
LIGHT_NOT_CHOSEN = ':not([data-theme="light"])'
DARK = re.compile(r'^@media not print \{\n  body\[data-theme="dark"\].*?\} \}\n', re.S | re.M)


def style_right(text):
    text = text.replace(IMPORT_STYLE, "")
    dark = DARK.search(text)
    if dark and LIGHT_NOT_CHOSEN not in text:
        chosen = dark[0].replace('[data-theme="dark"]', LIGHT_NOT_CHOSEN)
        text = text[:dark.end()] + "@media (prefers-color-scheme: dark) {\n" + chosen + "}\n" + text[dark.end():]
    return text


def script_right(text, other):
    if IMPORT_SCRIPT.match(text):
        return other + IMPORT_SCRIPT.sub("", text)
    if text.startswith("import"):
        raise SystemExit("theme: furo.js imports what a plain script cannot")
    return text


def put_right(out):
    style, script = out / "_static/styles/furo.css", out / "_static/scripts/furo.js"
    style.write_text(style_right(style.read_text(encoding="utf-8")), encoding="utf-8")
    gumshoe = out / "_static/scripts/gumshoe-patched.js"
    other = gumshoe.read_text(encoding="utf-8") if gumshoe.exists() else ""
    script.write_text(script_right(script.read_text(encoding="utf-8"), other), encoding="utf-8")
