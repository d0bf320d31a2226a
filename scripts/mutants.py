#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: MIT
"""Do the tests notice? Changes the library in one place at a time and runs the unit and loopback tests.

    scripts/mutants.py [--count N] [--seed N] [--layers core,h3,wire] [--only TEXT] [--jobs N]
        [--builds plain]
    scripts/mutants.py --check-list [FILE]

Of all changes that scripts/mutations.py finds in src/{core,h3,wire}, N are chosen by the seed: the same seed chooses
the same changes. For each a line says whether a test noticed it (and which), or that none did. A change that does not
compile, or that the compiler turns into the same machine code, is replaced by the next. So is one that tests/mutants.txt
lists: it changes nothing that a test could see, and the list says why. --only takes all changes whose "file:line" or
new text contains TEXT; --builds plain leaves out the sanitizers. --check-list only tells whether the list, or FILE, is up to date.

Exit status: 0 if at least 90 % were noticed, 1 if not, 2 if the tests fail as they are or the list is out of date.

How it works: build/mutants/tree is a copy of the tree, so that nobody's edits are in the way. It is built twice,
plainly and with the sanitizers. A change is compiled into one object of its own. A test is linked from that object and the
untouched rest, and only tests that contain the changed file can notice. They run until one fails, those that are
likely to notice first. What no plain test notices is tried with the sanitizers, as `make test` would.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from typing import NamedTuple

from mutations import Mutation, apply, mutations, show

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build/mutants"
TREE = WORK / "tree"
LIST = ROOT / "tests/mutants.txt"
LAYERS = ["core", "h3", "wire"]
WANTED = 0.9
SUITES = "unit|loopback"
# The quicker linker, where there is one: a change is linked into some thirty tests.
LINKER = " -fuse-ld=gold" if shutil.which("ld.gold") else ""
BUILDS = {
    "plain": ["-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_C_FLAGS=-O1{LINKER}"],
    "asan": ["-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_C_FLAGS=-g0{LINKER}", "-DWT_SANITIZE=ON"],
}


class Change(NamedTuple):
    source: str  # "src/core/stream.c"
    text: str    # of the whole file, unchanged
    mutation: Mutation

    def place(self):
        return f"{self.source}:{self.mutation.line + 1}"

    def function(self):
        """The name of the function that the line is in, or ""."""
        for line in reversed(self.text.splitlines()[:self.mutation.line + 1]):
            named = re.match(r"[a-z_].*?(\w+)\(", line)
            if named:
                return named.group(1)
        return ""

    def keys(self):
        """What an entry of the list may call it: anywhere in the file, or in one function."""
        change = (self.mutation.before.strip(), self.mutation.after.strip())
        return {(self.source, *change), (f"{self.source} {self.function()}", *change)}


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False, **options)


def run_or_end(command, **options):
    result = run(command, **options)
    if result.returncode != 0:
        print(result.stdout[-4000:])
        print(f"mutants: {shlex.join(map(str, command))[:200]} failed")
        sys.exit(2)
    return result.stdout


# --- The list of changes that change nothing ---

def read_list(path):
    """{(file, before, after): reason}. An entry is a line "FILE: REASON" or "FILE FUNCTION: REASON", then the two lines of
    a diff."""
    reasons, head = {}, None
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    for entry in zip(lines[0::3], lines[1::3], lines[2::3]):
        head, before, after = entry
        source, _, reason = head.partition(": ")
        if not (reason and before.startswith("  - ") and after.startswith("  + ")):
            sys.exit(f"{path}: not an entry: {head}")
        reasons[source, before[4:], after[4:]] = reason
    return reasons


# --- The copy of the tree ---

def copy_tree():
    names = run_or_end(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT).splitlines()
    kept = {name for name in names if (ROOT / name).is_file()}
    for name in kept:
        source, target = ROOT / name, TREE / name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for path in [path for path in TREE.rglob("*") if path.is_file()]:
        if path.relative_to(TREE).as_posix() not in kept:
            path.unlink()


# --- A test ---

class Test:
    """One program of the suites, and how to link it with one object replaced."""

    def __init__(self, folder, entry):
        properties = {one["name"]: one["value"] for one in entry["properties"]}
        self.name = entry["name"]
        self.folder = folder
        self.program = pathlib.Path(entry["command"][0])
        self.environment = {**os.environ, **dict(one.split("=", 1) for one in properties["ENVIRONMENT"])}
        self.seconds = properties["TIMEOUT"]
        target = self.name.replace("/", "_")
        self.link = (folder / f"CMakeFiles/{target}.dir/link.txt").read_text().strip()
        self.symbols = set(symbols_of(self.program, "TtDdBbRr"))

    def link_with(self, changed, program):
        place = os.path.relpath(self.program, self.folder)
        command = self.link.replace(f"-o {place} ", f"-o {shlex.quote(str(program))} ")
        command = command.replace(" libwebtransport.a ", f" {shlex.quote(str(changed))} libwebtransport.a ", 1)
        return run(shlex.split(command), cwd=self.folder)

    def passes(self, program, stop):
        """False also where it takes ten times as long as it does. True where `stop` is set meanwhile."""
        process = subprocess.Popen([str(program)], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + self.seconds
        try:
            while time.monotonic() < end:
                try:
                    return process.wait(timeout=0.1) == 0
                except subprocess.TimeoutExpired:
                    if stop.is_set():
                        return True
            return False
        finally:
            process.kill()
            process.wait()

    def notices(self, changed, program, stop):
        linked = self.link_with(changed, program)
        if "multiple definition" in linked.stdout:
            return False  # the test has functions of its own instead of the file's
        if linked.returncode != 0:
            print(linked.stdout[-2000:])
            sys.exit(f"mutants: {self.name} does not link")
        try:
            return not self.passes(program, stop)
        finally:
            program.unlink(missing_ok=True)


def symbols_of(path, kinds):
    lines = run_or_end(["nm", "--defined-only", str(path)]).splitlines()
    return [line.split()[2] for line in lines if re.match(rf"\S+ [{kinds}] ", line)]


# --- A build ---

class Build:
    """The library and its tests, built in one way."""

    def __init__(self, name, options, jobs):
        self.folder = WORK / name
        self.jobs = jobs
        self.broken = False
        run_or_end(["cmake", "-S", TREE, "-B", self.folder, "-G", "Unix Makefiles", "-DWT_BUILD_TOOL=OFF",
                    "-DWT_BUILD_EXAMPLES=OFF", *options])
        targets = [entry["name"].replace("/", "_") for entry in self.listed()]
        run_or_end(["cmake", "--build", self.folder, "-j", str(jobs), "--target", *targets])
        self.tests = [Test(self.folder, entry) for entry in self.listed()]
        commands = json.loads((self.folder / "compile_commands.json").read_text())
        self.commands = {one["file"]: shlex.split(one["command"]) for one in commands}

    def listed(self):
        """What CTest knows of the tests; their commands only once they are built."""
        listed = run_or_end(["ctest", "--test-dir", self.folder, "-L", SUITES, "--show-only=json-v1"])
        return json.loads(listed[listed.index("{"):])["tests"]

    def check(self):
        """Runs all tests as they are: they have to pass, and their times are kept."""
        def time_of(test):
            start = time.monotonic()
            if not test.passes(test.program, threading.Event()):
                print(f"mutants: {test.name} fails as it is ({self.folder.name})")
                self.broken = True
            test.seconds = 10 * (time.monotonic() - start) + 10
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(time_of, self.tests))

    def compile(self, source, text, target, *options):
        """Compiles `text` in the place of `source`. False if that fails."""
        changed = target.with_suffix(".c")
        changed.write_text(text, encoding="utf-8")
        command = list(self.commands[str(TREE / source)])
        command[command.index("-o") + 1] = str(target)
        command[-1] = str(changed)
        return run([*command, *options], cwd=self.folder).returncode == 0

    def tests_of(self, source):
        """The tests that contain a file, those that are likely to notice first. Others have a few of its functions."""
        path = pathlib.PurePosixPath(source)
        built = self.folder / f"CMakeFiles/wt_objects.dir/{source}.o"
        symbols = set(symbols_of(built, "TDBR"))
        named = re.compile(rf"unit/{path.parent.name}/test_{path.stem}$")
        return sorted((test for test in self.tests if symbols <= test.symbols),
                      key=lambda test: (not named.search(test.name), test.seconds))

    def noticed_by(self, change):
        """The name of the test that failed first, or None. "the compiler" where the change does not compile here."""
        target = WORK / "changed.o"
        if not self.compile(change.source, apply(change.text, change.mutation), target):
            return "the compiler"
        stop = threading.Event()

        def ask(test):
            if stop.is_set():
                return None
            program = WORK / f"changed-{test.name.replace('/', '_')}"
            if not test.notices(target, program, stop):
                return None
            stop.set()
            return test.name
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            return next(filter(None, pool.map(ask, self.tests_of(change.source))), None)


# --- Which changes count ---

def find_changes(tree, layers):
    changes = []
    for layer in layers:
        for path in sorted((tree / "src" / layer).glob("*.c")):
            text = path.read_text(encoding="utf-8")
            source = path.relative_to(tree).as_posix()
            changes += [Change(source, text, mutation) for mutation in mutations(text)]
    return changes


class Compiler:
    """Tells which changes are changes at all, by the machine code that an optimizing compiler makes."""

    def __init__(self, build):
        self.build = build
        self.codes = {}

    def code(self, source, text):
        target = WORK / "code.o"
        if not self.build.compile(source, text, target, "-O2", "-g0"):
            return None
        return target.read_bytes()

    def verdict(self, change):
        if change.source not in self.codes:
            self.codes[change.source] = self.code(change.source, change.text)
        code = self.code(change.source, apply(change.text, change.mutation))
        if code is None:
            return "does not compile"
        return "same code" if code == self.codes[change.source] else None


def choose(arguments, changes):
    if arguments.only:
        return [change for change in changes
                if arguments.only in change.place() or arguments.only in change.mutation.after]
    random.Random(arguments.seed).shuffle(changes)
    return changes


def tell_stale(reasons, tree):
    """Prints the entries of the list that name no change of the tree any more. False if there are some."""
    known = set().union(*(change.keys() for change in find_changes(tree, LAYERS)))
    gone = [key for key in reasons if key not in known]
    for source, before, after in gone:
        print(f"list of mutants: no such change any more in {source}\n  - {before}\n  + {after}")
    return not gone


# --- The run ---

class Run:
    def __init__(self, arguments, reasons):
        self.builds = [Build(name, options, arguments.jobs) for name, options in BUILDS.items()
                       if name in arguments.builds]
        self.compiler = Compiler(self.builds[0])
        self.reasons = reasons
        self.noticed = self.asked = 0
        self.skipped = {"does not compile": 0, "same code": 0, "listed": 0}

    def tests_pass(self):
        for build in self.builds:
            build.check()
        return not any(build.broken for build in self.builds)

    def ask(self, change):
        why = "listed" if change.keys() & self.reasons.keys() else self.compiler.verdict(change)
        if why:
            self.skipped[why] += 1
            return
        start = time.monotonic()
        by = next(filter(None, (build.noticed_by(change) for build in self.builds)), None)
        self.asked += 1
        self.noticed += by is not None
        word = f"noticed by {by}" if by else "NOT NOTICED"
        took = time.monotonic() - start
        print(f"{self.asked} {change.place()}: {word} ({took:.0f} s)\n{show(change.mutation)}", flush=True)

    def summary(self):
        share = self.noticed / self.asked if self.asked else 1
        skipped = ", ".join(f"{count} {why}" for why, count in self.skipped.items())
        print(f"\n{self.noticed} of {self.asked} noticed ({share:.0%}); passed over: {skipped}")
        return 0 if share >= WANTED else 1


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layers", default=",".join(LAYERS))
    parser.add_argument("--only")
    parser.add_argument("--builds", nargs="+", choices=BUILDS, default=list(BUILDS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--check-list", nargs="?", const=LIST, type=pathlib.Path)
    return parser.parse_args()


def main():
    arguments = parse()
    reasons = read_list(arguments.check_list or LIST)
    if arguments.check_list:
        return 0 if tell_stale(reasons, ROOT) else 2
    os.nice(10)
    copy_tree()
    changes = find_changes(TREE, arguments.layers.split(","))
    this = Run(arguments, reasons)
    if not tell_stale(reasons, TREE) or not this.tests_pass():
        return 2
    for change in choose(arguments, changes):
        if not arguments.only and this.asked == arguments.count:
            break
        this.ask(change)
    return this.summary()


if __name__ == "__main__":
    sys.exit(main())
