#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the documentation's site from the guide, the public headers and the manual pages:

    docs/site/build.py MANUAL OUT      MANUAL: the folder that webtransport-docs wrote; OUT: the folder of the site

It lays all pages out in one folder beside OUT, as they stand in the tree, so that their links hold. Doxygen reads the
headers, Sphinx makes the pages (MyST reads Markdown, Breathe reads Doxygen's XML). Each warning of either fails the build.
At last each link of the site is followed, with its anchor. Nothing is fetched.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from xml.etree import ElementTree

SITE = pathlib.Path(__file__).resolve().parent
ROOT = SITE.parent.parent
sys.path[:0] = [str(SITE), str(ROOT / "scripts")]
sys.dont_write_bytecode = True
import examples  # noqa: E402
import headers  # noqa: E402
import html_links  # noqa: E402
import links  # noqa: E402
import theme  # noqa: E402

HEADERS = ("include/webtransport", *sorted(path.relative_to(ROOT).as_posix()
                                           for path in (ROOT / "backplanes").glob("*/webtransport")))


def put(path, text):
    """Writes a page if it has changed: Sphinx reads again only what is newer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def target_on_site(page, target):
    """Where a link of a page leads on the site; None if that file is not there."""
    if links.is_web(target) or target.startswith("#"):
        return target
    path, anchor = links.resolve(page, target)
    end = "#" + anchor if anchor else ""
    back = "../" * page.count("/")
    if path in links.pages(ROOT):
        return target
    if path.startswith("examples/"):
        return f"{back}examples/{examples.name_of(path.removeprefix('examples/'))}.rst"
    if path.startswith("include/webtransport/"):
        stem = pathlib.PurePosixPath(path).stem
        return f"{back}api/{'index' if stem == 'webtransport' else stem}.rst"
    if path in ("docs/guide", "docs"):
        return f"{back}index.md{end}"
    return None


def on_site(page, text):
    """A page with its links as the site has them. A link to a source that the site has not becomes words alone."""
    out, at = [], 0
    for match in links.links(text):
        if text[match.start() - 1:match.start()] == "!":  # a picture
            continue
        target = target_on_site(page, match["target"])
        words = text[match.start("words"):match.end("words")]
        out += [text[at:match.start()], f"[{words}]({target})" if target else words]
        at = match.end()
    return "".join(out) + text[at:]


def lay_out(source, manual):
    """Puts all pages into `source`, removes what is there no more."""
    made = set()

    def page(path, text):
        put(path, text)
        made.add(path)

    for name in links.pages(ROOT):
        page(source / name, on_site(name, (ROOT / name).read_text(encoding="utf-8")))
    page(source / "index.md", (SITE / "index.md").read_text(encoding="utf-8"))
    for path, text in headers.write(ROOT, source / "api"):
        page(path, text)
    for path, text in examples.write(ROOT, source / "examples", headers.escaped):
        page(path, text)
    pages = sorted(manual.glob("*.rst"))
    if not pages:
        raise SystemExit(f"{manual} has no manual pages")
    for path in pages:
        page(source / "manual" / path.name, path.read_text(encoding="utf-8"))
    page(source / "manual/index.rst", manual_index(pages))
    for picture in (ROOT / "docs").rglob("*.svg"):
        path = source / picture.relative_to(ROOT)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, path)
        made.add(path)
    for path in source.rglob("*"):
        if path.is_file() and path not in made:
            path.unlink()


def manual_index(pages):
    names = "".join(f"   {path.stem}\n" for path in pages)
    return ("The command\n===========\n\n``webtransport`` is one command with a subcommand for each task. These are its "
            "manual pages.\n\n.. toctree::\n   :maxdepth: 1\n\n" + names)


def run_doxygen(folder):
    """Has Doxygen read the headers, if one of them is newer than what it wrote."""
    inputs = [file for name in HEADERS for file in (ROOT / name).glob("*.h")] + [SITE / "Doxyfile", SITE / "header_filter.py"]
    stamp = folder / "xml/index.xml"
    if stamp.exists() and stamp.stat().st_mtime > max(file.stat().st_mtime for file in inputs):
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = (SITE / "Doxyfile").read_text(encoding="utf-8") + f"""
INPUT = {" ".join(f'"{ROOT / name}"' for name in HEADERS)}
STRIP_FROM_PATH = "{ROOT}"
INPUT_FILTER = "python3 '{SITE / "header_filter.py"}'"
OUTPUT_DIRECTORY = "{folder}"
"""
    done = subprocess.run(["doxygen", "-"], input=settings, text=True, capture_output=True, cwd=ROOT, check=False)
    problems = done.stdout + done.stderr
    if not done.returncode:
        problems += "\n".join(undocumented_values(folder))
    if done.returncode or problems.strip():
        shutil.rmtree(folder)
        raise SystemExit(f"doxygen: {problems}")


def begin_anew_if_changed(cache, out):
    """Sphinx makes again the pages whose text has changed; what makes them, or which there are, it does not ask."""
    names = sorted(path.relative_to(cache).as_posix() for path in (cache / "source").rglob("*"))
    parts = [path.read_bytes() for path in sorted(SITE.rglob("*")) if path.is_file()]
    stamp = hashlib.sha256(b"\0".join([*parts, *map(str.encode, names)])).hexdigest()
    file = cache / "stamp"
    if not file.exists() or file.read_text() != stamp:
        shutil.rmtree(cache / "doctrees", ignore_errors=True)
        shutil.rmtree(out, ignore_errors=True)
        file.write_text(stamp)


def undocumented_values(folder):
    """Constants of enums without a word: this version of Doxygen does not warn of them."""
    for file in sorted((folder / "xml").glob("*_8h.xml")):
        for member in ElementTree.parse(file).iter("memberdef"):
            for value in member.iter("enumvalue"):
                words = "".join(value.find("briefdescription").itertext()) + "".join(value.find("detaileddescription").itertext())
                if not words.strip():
                    yield f"{member.find('location').get('file')}: {value.findtext('name')} is not documented"


def run_sphinx(source, out, cache, version):
    """The python that has Sphinx is the distribution's, which need not be the first one in the PATH."""
    environment = dict(os.environ, WT_DOCS_XML=str(cache / "doxygen/xml"), WT_DOCS_VERSION=version, PYTHONDONTWRITEBYTECODE="1")
    command = ["/usr/bin/python3", "-m", "sphinx", "-q", "-W", "--keep-going", "-j", "auto", "-c", str(SITE),
               "-d", str(cache / "doctrees"), str(source), str(out)]
    if subprocess.run(command, env=environment, check=False).returncode:
        # What is half made must not be taken for good the next time.
        shutil.rmtree(cache / "doctrees", ignore_errors=True)
        raise SystemExit("sphinx: the build failed")


def version_of_tree():
    text = (ROOT / "include/webtransport/version.h").read_text(encoding="utf-8")
    return re.search(r'#define WT_VERSION "([^"]+)"', text)[1]


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    manual, out = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    began = time.monotonic()
    cache = out.parent / (out.name + "-cache")
    lay_out(cache / "source", manual)
    begin_anew_if_changed(cache, out)
    run_doxygen(cache / "doxygen")
    run_sphinx(cache / "source", out, cache, version_of_tree())
    theme.put_right(out)
    problems, pages, count = html_links.check(out)
    for problem in problems:
        print(problem)
    if problems:
        raise SystemExit(f"docs: {len(problems)} bad links")
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    print(f"docs: {pages} pages, {count} links good, {size / 1e6:.1f} MB, {time.monotonic() - began:.1f} s: {out / 'index.html'}")


if __name__ == "__main__":
    main()
