#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The test of suites.py: what fails has to be told, and a page that says something else has to be found."""
import pathlib
import tempfile
import unittest

import suites

ABOUT = {"id": "one", "section": "Browsers", "command": ["sh", "-c", "", "{tool}"],
         "peers": {"A": {"url": "https://example.com/a", "language": "C"}}}
OTHER = {"id": "two", "section": "Browsers", "command": ["sh", "-c", ""],
         "peers": {"B": {"url": "https://example.com/b", "language": "C"}}}
GOOD = "version\tA\t1.0\npass\tA\tworks\t\ncannot\tA\tflies\tno wings\thttps://example.com/1\npass\t\tended well\t\n"
OTHERS = "version\tB\t2.0\ncannot\tB\tworks\ttoo small\thttps://example.com/2\npass\tB\tflies\n"


class SuitesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def suite(self, about, text):
        suite = suites.Suite(about)
        if text is not None:
            (self.folder / f"{suite.id}.tsv").write_text(text, "utf-8")
        suite.read(self.folder)
        return suite

    def page(self, *found):
        head = [suites.TITLE, "", "| peer | version | language |", "| --- | --- | --- |", *suites.peer_rows(found)]
        return "\n".join(head + suites.sections(found))

    def test_results(self):
        suite = self.suite(ABOUT, GOOD)
        self.assertEqual(suite.failed(), [])
        page = self.page(suite)
        self.assertIn("| [A](https://example.com/a) | 1.0 | C |", page)
        self.assertIn("| works | passes |", page)
        self.assertIn("| flies | limitation 1 |", page)
        self.assertIn("1. A: no wings ([source](https://example.com/1))", page)

    def test_failures(self):
        suite = self.suite(ABOUT, GOOD + "fail\tA\tswims\tit sank\n")
        self.assertEqual(suite.failed(), ["A, swims: it sank"])
        self.assertIn("| swims | **fails** |", self.page(suite))
        self.assertEqual(self.suite(ABOUT, GOOD + "fail\t\tends\tnever\n").failed(), ["ends: never"])
        self.assertEqual(len(self.suite(ABOUT, GOOD + "pass\tA\tworks\n").failed()), 1, "two of one name")
        self.assertEqual(self.suite(ABOUT, "version\tA\t1\n").failed(), ["no results of A"])

    def test_running(self):
        for script, fault in ("exit 3", "no results, exit status 3"), ("exit 0", "no results, exit status 0"), \
                (f"printf '{GOOD}' >$WT_RESULTS_DIR/one.tsv; exit 1", "exit status 1"), \
                (f"printf '{GOOD}' >$WT_RESULTS_DIR/one.tsv", None):
            suite = suites.Suite(dict(ABOUT, command=["sh", "-c", script.replace("\\", "\\\\")]))
            suites.gather([suite], None, "tool", self.folder)
            self.assertEqual([text[:len(fault or "")] for text in suite.failed()], [fault] if fault else [], script)

    def test_comparing(self):
        both = [self.suite(ABOUT, GOOD), self.suite(OTHER, OTHERS)]
        page = self.page(*both)
        self.assertEqual(suites.differences(page, page, both), [])
        newer = self.page(self.suite(ABOUT, GOOD.replace("1.0", "1.1")), both[1])
        self.assertEqual(suites.differences(page, newer, both), [], "versions do not count")
        fewer = self.page(both[0], suites.Suite(OTHER))
        self.assertNotEqual(page, fewer)
        self.assertEqual(suites.differences(page, fewer, both), [], "what was not run does not count")
        for changed in GOOD.replace("cannot", "pass"), GOOD.replace("no wings", "lazy"), GOOD + "pass\tA\tswims\t\n", \
                GOOD.replace("pass\tA\tworks\t\n", ""):
            table = self.page(self.suite(ABOUT, changed), both[1])
            self.assertNotEqual(suites.differences(page, table, both), [], changed)


if __name__ == "__main__":
    unittest.main()
