# SPDX-License-Identifier: MIT
"""Pages of the examples: each program with the files of its page, whole."""

import re

LANGUAGES = {".c": "c", ".js": "js", ".html": "html", ".css": "css", ".yaml": "yaml", ".py": "python"}
LEFT_OUT = ("package.json", "package-lock.json")


def name_of(path):
    """The page of a path below examples/: that of chat.c and of chat/ is "chat"."""
    return re.sub(r"\.\w+$", "", path.split("/")[0])


def heading(text, line):
    return f"{text}\n{line * len(text)}\n\n"


def groups(root):
    """The files of each page."""
    found = {}
    for file in sorted((root / "examples").rglob("*")):
        path = file.relative_to(root / "examples")
        if file.is_file() and "node_modules" not in path.parts and file.name not in LEFT_OUT and file.suffix in LANGUAGES:
            found.setdefault(name_of(path.as_posix()), []).append(path.as_posix())
    return {name: sorted(paths, key=lambda path: path.count("/")) for name, paths in sorted(found.items())}


def first_comment(text):
    """What a file says about itself in its first comment after the licence: the first sentence."""
    text = re.sub(r"\A(#!.*\n)?(/\* SPDX.*\*/|// SPDX.*|# SPDX.*|<!-- SPDX.*-->)\n", "", text)
    text = re.sub(r"\A#\n", "", text)
    match = re.match(r"/\*(.*?)\*/|((?:(?:#|//)[^\n]*\n)+)|<!doctype[^\n]*>|\"\"\"(.*?)\"\"\"", text, re.S)
    words = next((part for part in match.groups() if part), "") if match else ""
    words = " ".join(re.sub(r"^ ?(\*|#|//) ?", "", line).strip() for line in words.split("\n")).strip()
    return re.match(r"(.*?[.:](?= |$)|.*)", words)[1].rstrip(":.")


def write(root, folder, escaped):
    """Yields each page with its text, and each file that it includes."""
    found = groups(root)
    index = heading("Examples", "=") + "Each is built and run by the tests. The guide takes its code from them.\n\n"
    for name, paths in found.items():
        text = (root / "examples" / paths[0]).read_text(encoding="utf-8")
        index += f":doc:`{name}`\n   {escaped(first_comment(text)) or escaped(', '.join(paths))}\n\n"
        page = heading(paths[0] if len(paths) == 1 else name, "=")
        for path in paths:
            yield folder / "files" / path, (root / "examples" / path).read_text(encoding="utf-8")
            if len(paths) > 1:
                page += heading(path, "-")
            language = LANGUAGES["." + path.rsplit(".", 1)[1]]
            page += f".. literalinclude:: files/{path}\n   :language: {language}\n\n"
        yield folder / f"{name}.rst", page
    yield folder / "index.rst", index + ".. toctree::\n   :hidden:\n\n" + "".join(f"   {name}\n" for name in found)
