#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when a page of the documentation cannot be found on its site, or a link in a page leads nowhere.

    scripts/check_site.py [ROOT]       check the Markdown pages of ROOT and docs/site/index.md
    scripts/check_site.py --self-test  check that each bad sample of tests/checks/site is found

- docs/site/index.md lists each page once, and nothing that is no page.
- A link to a file names one that exists; its anchor, and one in the page itself, is a heading there.
- A link to the web has a good form. `make docs` checks the built site as well; nothing asks the web.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE / "docs/site"))
sys.dont_write_bytecode = True
import links as md  # noqa: E402  (beside the site's other parts)

INDEX = "docs/site/index.md"
# What docs/site/build.py makes.
MADE = ("api/", "manual/", "examples/")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def check_nav(root, pages):
    index = (root / INDEX).read_text(encoding="utf-8")
    listed = md.entries(index)
    for name in sorted(set(listed)):
        line = line_of(index, index.index(name))
        if listed.count(name) > 1:
            yield INDEX, line, f"{name} is listed more than once"
        if not name.startswith(MADE) and name + ".md" not in pages:
            yield INDEX, line, f"{name} is no page"
    for page in pages:
        if page.removesuffix(".md") not in listed:
            yield page, 1, f"is not listed in {INDEX}"


def problem_of(root, page, target, anchors):
    """What is wrong with a link; None if nothing is."""
    if md.is_web(target):
        return None if md.WEB.match(target) else "is no good address"
    path, anchor = md.resolve(page, target)
    if path and path.startswith(MADE) and page == "index.md":
        return None
    if path is None or not (root / path).exists():
        return "leads nowhere"
    if anchor and path not in anchors:
        return "has an anchor in what is no page"
    if anchor and anchor not in anchors[path]:
        return f"leads to no heading of {path}"
    return None


def check_links(root, pages):
    texts = {page: (root / page).read_text(encoding="utf-8") for page in pages}
    texts["index.md"] = (root / INDEX).read_text(encoding="utf-8")  # where it stands on the site
    anchors = {page: md.anchors(text) for page, text in texts.items()}
    count = 0
    found = []
    for page, text in texts.items():
        for match in md.links(text):
            count += 1
            problem = problem_of(root, page, match["target"], anchors)
            if problem:
                page = INDEX if page == "index.md" else page
                found.append((page, line_of(text, match.start()), f"the link to {match['target']} {problem}"))
    return found, count


def check(root):
    pages = md.pages(root)
    found, count = check_links(root, pages)
    return sorted(found + list(check_nav(root, pages))), count, len(pages)


def self_test(root):
    expected = {(file.relative_to(root).as_posix(), number)
                for file in root.rglob("*.md")
                for number, line in enumerate(file.read_text().splitlines(), 1) if "EXPECT" in line}
    found = {(page, line) for page, line, _ in check(root)[0]}
    for page, line in sorted(expected ^ found):
        print(f"{page}:{line}: should {'' if (page, line) in expected else 'not '}have been reported")
    return bool(expected) and expected == found


def main():
    if "--self-test" in sys.argv:
        return 0 if self_test(HERE / "tests/checks/site") else 1
    problems, links, pages = check(pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else HERE)
    for page, line, problem in problems:
        print(f"{page}:{line}: {problem}")
    if not links or not pages:
        print("no page or no link found")
    return 1 if problems or not links or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
