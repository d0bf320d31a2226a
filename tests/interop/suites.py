#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of other folders whose peers are strangers too: their results become sections of docs/interop.md.

suites.json names them. With WT_RESULTS_DIR set each leaves ID.tsv there, lines of fields between tabs:

    version PEER VERSION
    pass    PEER CHECK
    fail    PEER CHECK REASON
    cannot  PEER CHECK LIMITATION SOURCE      it passed, and showed less than it does elsewhere

A line whose peer suites.json does not name is about the test itself: it has to pass, and is not shown.

    suites.py compare docs/interop.md TABLE   whether a page says what a run found; TABLE may lack suites

The peers of suites are what the distribution carries. So their versions differ from machine to machine, and
`compare` does not look at them.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SUITE_SECONDS = 300
NOT_RUN = "not run"
NO_CELL = "–"
TITLE = "# Interop"
SECTIONS = {
    "Browsers": "Pages in browsers against `webtransport serve`: the checks of [tests/browser](../tests/browser), role "
                "*client*.",
    "Plain requests": "Ordinary HTTP/3 clients against `webtransport serve`: the checks of "
                      "[tests/e2e/test_http3.sh](../tests/e2e/test_http3.sh), role *client*.",
}


class Suite:
    def __init__(self, about):
        self.id, self.section, self.command = about["id"], about["section"], about["command"]
        self.peers = {name: dict(peer, version=NOT_RUN) for name, peer in about["peers"].items()}
        self.cells = {}  # (peer, check): {"result": ...}
        self.faults = []  # what failed beside them
        self.found = False

    def run(self, tool, folder, log_path):
        (folder / f"{self.id}.tsv").unlink(missing_ok=True)
        command = [str(tool) if argument == "{tool}" else argument for argument in self.command]
        environment = dict(os.environ, WT_RESULTS_DIR=str(folder))
        with open(log_path, "wb") as log:
            try:
                status = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                        env=environment, timeout=SUITE_SECONDS, check=False).returncode
            except subprocess.TimeoutExpired:
                status = f"none after {SUITE_SECONDS} s"
        self.read(folder)
        if not self.found:
            self.faults.append(f"no results, exit status {status}: see {log_path}")
        elif status != 0 and not self.faults and not self.failed():
            self.faults.append(f"exit status {status}: see {log_path}")

    def read(self, folder):
        """Takes what a run of it has left there."""
        path = folder / f"{self.id}.tsv"
        if not path.exists():
            return
        self.found = True
        for line in path.read_text("utf-8").splitlines():
            kind, peer, text, *more = line.split("\t")
            if kind == "version":
                self.peers[peer]["version"] = text
            elif peer not in self.peers:
                if kind != "pass":
                    self.faults.append(f"{text}: {' '.join(more)}")
            elif (peer, text) in self.cells:
                self.faults.append(f"two checks of {peer} are called '{text}'")
            elif kind == "cannot":
                self.cells[peer, text] = {"result": "cannot", "limitation": more[0], "source": more[1]}
            else:
                self.cells[peer, text] = {"result": kind, "reason": " ".join(more)}
        for peer in self.peers:
            if not any(name == peer for name, _ in self.cells):
                self.faults.append(f"no results of {peer}")

    def failed(self):
        return [f"{peer}, {check}: {cell['reason']}" for (peer, check), cell in self.cells.items()
                if cell["result"] == "fail"] + self.faults


def load(folder):
    path = folder / "suites.json"
    return [Suite(about) for about in json.loads(path.read_text("utf-8"))] if path.exists() else []


def gather(suites, results, tool, logs):
    """Reads the results in the folder `results`, or, if that is None, runs the suites one after the other."""
    for suite in suites:
        if results is not None:
            suite.read(pathlib.Path(results))
        else:
            suite.run(tool, logs, logs / f"{suite.id}.log")


# --- The page ---


def linked(name, peer):
    return f"[{name}]({peer['url']})"


def peer_rows(suites):
    return [f"| {linked(name, peer)} | {peer['version']} | {peer['language']} |"
            for suite in suites for name, peer in suite.peers.items()]


def sections(suites):
    lines = []
    for title in dict.fromkeys(suite.section for suite in suites):
        lines += section(title, [suite for suite in suites if suite.section == title])
    return lines


def section(title, suites):
    peers = [name for suite in suites for name in suite.peers if suite.found]
    cells = {key: cell for suite in suites for key, cell in suite.cells.items()}
    notes = []

    def show(peer, check):
        cell = cells.get((peer, check))
        if cell is None:
            return NO_CELL
        if cell["result"] != "cannot":
            return {"pass": "passes", "fail": "**fails**"}[cell["result"]]
        note = f"{peer}: {cell['limitation']} ([source]({cell['source']}))"
        if note not in notes:
            notes.append(note)
        return f"limitation {notes.index(note) + 1}"

    lines = ["", f"## {title}", "", SECTIONS[title], "", f"| check | {' | '.join(peers)} |",
             f"| --- |{' --- |' * len(peers)}"]
    for check in dict.fromkeys(check for _, check in cells):
        lines.append(f"| {check} | {' | '.join(show(peer, check) for peer in peers)} |")
    if notes:
        lines += ["", "Limitations:", ""] + [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    return lines


# --- Comparing two pages ---


def parse(page):
    """{(section, row, column): cell} of a page's tables, with each limitation in the words of the list that follows."""
    cells, title, columns, waiting, listed = {}, "", None, set(), False
    for line in page.splitlines():
        fields = [field.strip("| ") for field in line.split(" | ")] if line.startswith("| ") else None
        note = re.match(r"(\d+)\. (.*)", line)
        if line.startswith("#"):
            title = line
        if note:
            listed = True
            cells.update({key: note[2] for key in waiting if cells[key] == f"limitation {note[1]}"})
        elif fields is None:
            columns = None
        elif columns is None:
            columns = fields
            if listed:
                waiting, listed = set(), False
        elif not line.startswith("| ---"):
            found = {(title, fields[0], column): cell for column, cell in zip(columns[1:], fields[1:]) if cell != NO_CELL}
            cells.update(found)
            waiting.update(found)
    return cells


def differences(page, table, suites):
    """What the page says otherwise than the table that a run wrote."""
    said, found = parse(page), parse(table)
    names = {linked(name, peer): name for suite in suites for name, peer in suite.peers.items()}
    absent = {name for row, name in names.items() if found.get((TITLE, row, "version")) == NOT_RUN}

    def counts(key):
        return key[2] not in absent and not (key[1] in names and key[2] == "version")

    return [f"{' / '.join(key)}: the page has '{said.get(key)}', the run found '{found.get(key)}'"
            for key in sorted({*said, *found}) if counts(key) and said.get(key) != found.get(key)]


def main():
    if len(sys.argv) != 4 or sys.argv[1] != "compare":
        sys.stderr.write("usage: suites.py compare PAGE TABLE\n")
        return 2
    page, table = (pathlib.Path(name).read_text("utf-8") for name in sys.argv[2:])
    found = differences(page, table, load(pathlib.Path(__file__).resolve().parent))
    print("\n".join(found) or "the page says what the run found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
