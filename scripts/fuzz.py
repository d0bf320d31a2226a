#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the fuzz targets, keeps what they find, and tells what they reach.

    scripts/fuzz.py run [--seconds 3] [--tally FILE] [TARGET...]
    scripts/fuzz.py corpus [TARGET...]     the best of what was found goes into fuzz/found/, within bounds
    scripts/fuzz.py unpack TARGET FOLDER   its inputs of fuzz/found/ as files
    scripts/fuzz.py coverage [TARGET...]   which functions of src/ no target reaches
    scripts/fuzz.py --self-test

The targets are those of build/fuzz/targets (`scripts/test.sh fuzz` builds them). What a run finds is in build/fuzz/corpus/, where
the next run goes on. An input that fails is in build/fuzz/artifacts/, and the command that repeats it is printed. The
reports are build/fuzz/report.json and report.md.

fuzz/corpus/TARGET/ has the seeds, which people wrote. fuzz/found/TARGET.txt has inputs that runs have found, one a line, in
hexadecimal; `corpus` chooses them anew each time, by the features that libFuzzer's merge tells of each input: first those
that reach most.
"""

import argparse
import concurrent.futures
import datetime
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"
SEEDS = ROOT / "fuzz" / "corpus"
KEPT = ROOT / "fuzz" / "found"
DICTIONARIES = ROOT / "fuzz" / "dict"
FOUND = re.compile(r"[0-9a-f]{40}")
INPUT_MAX = 4096
# Of what is committed for a target: bytes, files. Those that play scripts reach more, and need more.
BOUNDS, BOUNDS_SCRIPTS = (12 * 1024, 40), (64 * 1024, 120)
# Fewer runs say that a target is stuck. Those of packets_* begin with a handshake each.
RUNS_MIN, RUNS_MIN_PACKETS = 500, 50
STATUS = re.compile(r"^#\d+\s+(INITED|NEW|REDUCE|pulse|DONE|RELOAD)\s.*?cov: (\d+) ft: (\d+) corp: (\d+)/", re.M)


def short(target):
    return target.removeprefix("fuzz_")


def targets(wanted):
    names = sorted(path.stem for path in (ROOT / "fuzz").glob("fuzz_*.c"))
    unknown = set(wanted) - set(names)
    if unknown:
        sys.exit(f"fuzz.py: no such target: {' '.join(sorted(unknown))}")
    return wanted or names


def options_of(target):
    dictionary = DICTIONARIES / f"{short(target)}.dict"
    return [f"-dict={dictionary}"] if dictionary.exists() else []


def unpack(target, folder):
    """The inputs of fuzz/found/ as files, under the names that libFuzzer would give them."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = KEPT / f"{short(target)}.txt"
    for line in kept.read_text("ascii").split() if kept.exists() else ():
        data = bytes.fromhex(line)
        (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def pack(target, paths):
    """The other way round."""
    KEPT.mkdir(exist_ok=True)
    lines = sorted((path.read_bytes().hex() for path in paths), key=lambda line: (len(line), line))
    (KEPT / f"{short(target)}.txt").write_text("".join(line + "\n" for line in lines if line), "ascii")


def is_script(target):
    return target.startswith(("fuzz_conn_", "fuzz_packets_"))


# --- run ---

def figures(log):
    """What libFuzzer's output says: coverage at the beginning and at the end, runs, new units."""
    states = STATUS.findall(log)
    number = {name: int(value) for name, value in re.findall(r"^stat::(\w+):\s*(\d+)", log, re.M)}
    first, last = (states[0], states[-1]) if states else (("", 0, 0, 0),) * 2
    return {"runs": number.get("number_of_executed_units", 0), "new": number.get("new_units_added", 0),
            "peak_mb": number.get("peak_rss_mb", 0), "cov_before": int(first[1]), "cov": int(last[1]), "ft_before": int(first[2]),
            "ft": int(last[2]), "corpus": int(last[3])}


def run_one(target, seconds):
    corpus, artifacts = BUILD / "corpus" / target, BUILD / "artifacts"
    unpack(target, corpus)
    artifacts.mkdir(parents=True, exist_ok=True)
    log, began = ROOT / "build" / "results" / f"{target}.log", time.time()
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [BUILD / "targets" / target, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
               *options_of(target), f"-artifact_prefix={artifacts}/{target}-", corpus, SEEDS / short(target)]
    with open(log, "w", encoding="utf-8") as file:
        status = subprocess.run([str(word) for word in command], stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    text = log.read_text("utf-8", errors="replace")
    least = RUNS_MIN_PACKETS if "_packets_" in target else RUNS_MIN
    row = {"target": target, "seconds": round(time.time() - began), "status": status, **figures(text)}
    row["artifacts"] = sorted(str(path.relative_to(ROOT)) for path in artifacts.glob(f"{target}-*") if path.stat().st_mtime >= began)
    row["passed"] = status == 0 and row["runs"] > least
    row["tail"] = "" if row["passed"] else "\n".join(text.splitlines()[-30:])
    return row


def repeat_of(row):
    return [f"build/fuzz/targets/{row['target']} {artifact}" for artifact in row["artifacts"]]


def table(rows):
    yield "| target | runs | edges | features | inputs | new | memory |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in rows:
        name = short(row["target"]) if row["passed"] else f"**{short(row['target'])} failed**"
        yield (f"| {name} | {row['runs']:,} | {row['cov']:,} (+{row['cov'] - row['cov_before']}) | {row['ft']:,} "
               f"(+{row['ft'] - row['ft_before']}) | {row['corpus']:,} | {row['new']:,} | {row['peak_mb']} MB |")


def report(rows, seconds):
    failed = [row for row in rows if not row["passed"]]
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    head = (f"{when}: {len(rows)} targets for {seconds} s each, {sum(row['runs'] for row in rows):,} runs, "
            f"{sum(row['new'] for row in rows):,} new inputs, {f'**{len(failed)} failed**' if failed else 'no failure'}.")
    lines = [head, "", *table(rows)]
    for row in failed:
        lines += ["", *(f"Repeat with: `{command}`" for command in repeat_of(row)), "```", row["tail"], "```"]
    markdown = "\n".join(lines)
    (BUILD / "report.md").write_text("# Fuzzing\n\n" + markdown + "\n", "utf-8")
    (BUILD / "report.json").write_text(json.dumps({"seconds": seconds, "when": when, "passed": not failed, "targets": rows,
                                                   "markdown": markdown}, indent=1), "utf-8")


def run(arguments):
    rows, tally = [], open(arguments.tally, "a", encoding="utf-8") if arguments.tally else None
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for row in pool.map(lambda target: run_one(target, arguments.seconds), targets(arguments.targets)):
            rows.append(row)
            verdict = "pass" if row["passed"] else "fail"
            print(f"{verdict} {row['target']}: {row['runs']} runs, cov {row['cov']} (+{row['cov'] - row['cov_before']}), "
                  f"ft {row['ft']} (+{row['ft'] - row['ft_before']}), {row['new']} new inputs", flush=True)
            if tally:
                print(f"{verdict} {row['target']} ({row['runs']} runs)", file=tally, flush=True)
            if not row["passed"]:
                print("\n".join(["  | " + line for line in row["tail"].splitlines()] +
                                [f"  repeat it with: {command}" for command in repeat_of(row)]), flush=True)
    report(rows, arguments.seconds)
    print(f"report in {(BUILD / 'report.md').relative_to(ROOT)}")
    return all(row["passed"] for row in rows) and bool(rows)


# --- corpus ---

def merge_control(text):
    """What libFuzzer wrote of each file while it merged: name -> features. Its first lines are two numbers and the names."""
    lines = text.splitlines()
    names, features = lines[2:2 + int(lines[0])], {}
    for line in lines[2 + len(names):]:
        words = line.split()
        if words[0] == "FT":
            features[names[int(words[1])]] = frozenset(words[2:])
    return features


def features_of(target, *folders):
    """path -> features, of all inputs in these folders."""
    log = ROOT / "build" / "results" / f"{target}.merge.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open(log, "w", encoding="utf-8") as file:
        control, none = pathlib.Path(folder, "control"), pathlib.Path(folder, "none")
        none.mkdir()
        done = subprocess.run([str(BUILD / "targets" / target), "-merge=1", "-timeout=10", "-rss_limit_mb=2048", f"-max_len={INPUT_MAX}",
                               f"-merge_control_file={control}", str(none), *map(str, folders)], stdout=file, stderr=subprocess.STDOUT,
                              check=False)
        if done.returncode:
            sys.exit(f"fuzz.py: {target}: the merge failed: {log.relative_to(ROOT)}")
        return {pathlib.Path(name): features for name, features in merge_control(control.read_text("utf-8")).items()}


def choose(features, reached, size_of, bounds):
    """In turns the input that reaches most of what is not reached yet, the smaller one of two equals, until a bound is reached."""
    left, chosen, size = dict(features), [], 0
    while left and len(chosen) < bounds[1]:
        best = max(left, key=lambda path: (len(left[path] - reached), -size_of(path), path.name))
        gained = left.pop(best) - reached
        if not gained:
            break
        if size + size_of(best) <= bounds[0]:
            chosen.append(best)
            reached = reached | gained
            size += size_of(best)
        left = {path: more for path, more in left.items() if more - reached}
    return chosen


def corpus_one(target):
    seeds, kept = SEEDS / short(target), BUILD / "corpus" / target
    unpack(target, kept)
    features = features_of(target, seeds, kept)
    of_seeds = frozenset().union(*(reached for path, reached in features.items() if path.parent == seeds))
    found = {path: reached for path, reached in features.items() if path.parent == kept and FOUND.fullmatch(path.name)}
    chosen = choose(found, of_seeds, lambda path: path.stat().st_size, BOUNDS_SCRIPTS if is_script(target) else BOUNDS)
    pack(target, chosen)
    everything = of_seeds.union(*found.values())
    reached = of_seeds.union(*(found[path] for path in chosen))
    size = sum(path.stat().st_size for path in chosen)
    return f"{target}: {len(chosen)} of {len(found)} inputs, {size} bytes; with the seeds {len(reached)} of {len(everything)} features"


def corpus(arguments):
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for line in pool.map(corpus_one, targets(arguments.targets)):
            print(line, flush=True)
    return True


# --- coverage ---

def tool(name):
    """That of the same version as clang, whose profiles it reads."""
    version = subprocess.run(["clang", "-dumpversion"], capture_output=True, text=True, check=True).stdout.split(".")[0]
    return shutil.which(f"{name}-{version}") or name


def coverage_build(wanted):
    folder = ROOT / "build" / "fuzz-coverage"
    subprocess.run(["cmake", "-S", ROOT, "-B", folder, "-DWT_FUZZ=ON", "-DCMAKE_C_COMPILER=clang",
                    "-DCMAKE_C_FLAGS=-fprofile-instr-generate -fcoverage-mapping"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", folder, "-j", str(os.cpu_count()), "--target", *wanted], check=True, stdout=subprocess.DEVNULL)
    return folder


def coverage_profile(folder, wanted, jobs):
    def one(target):
        raw, kept = folder / f"{target}.profraw", BUILD / "corpus" / target
        unpack(target, kept)
        subprocess.run([folder / "targets" / target, "-runs=0", kept, SEEDS / short(target)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env={**os.environ, "LLVM_PROFILE_FILE": str(raw)})
        return raw
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        raws = list(pool.map(one, wanted))
    profile = folder / "all.profdata"
    subprocess.run([tool("llvm-profdata"), "merge", "-sparse", "-o", profile, *raws], check=True)
    return profile


def source_path(folder, name):
    """A compiler cache makes names relative to the folder of the build."""
    return pathlib.Path(os.path.normpath(folder / name))


def unreached(data, folder):
    """(file, function) of src/ that no target calls, and the lines of each file: (all, reached)."""
    reached, known, lines = set(), set(), {}
    for function in data["functions"]:
        path = source_path(folder, function["filenames"][0])
        if ROOT / "src" not in path.parents:
            continue
        key = (str(path.relative_to(ROOT)), function["name"].rsplit(":", 1)[-1])
        known.add(key)
        if function["count"]:
            reached.add(key)
    for file in data["files"]:
        path = source_path(folder, file["filename"])
        if ROOT / "src" in path.parents:
            lines[str(path.relative_to(ROOT))] = (file["summary"]["lines"]["count"], file["summary"]["lines"]["covered"])
    return sorted(known - reached), lines


def coverage(arguments):
    wanted = targets(arguments.targets)
    folder = coverage_build(wanted)
    profile = coverage_profile(folder, wanted, arguments.jobs)
    objects = [word for target in wanted[1:] for word in ("-object", folder / "targets" / target)]
    done = subprocess.run([tool("llvm-cov"), "export", folder / "targets" / wanted[0], *objects, f"-instr-profile={profile}"],
                          capture_output=True, check=True)
    missing, lines = unreached(json.loads(done.stdout)["data"][0], folder)
    out, layers = [], {}
    if not lines:
        sys.exit("fuzz.py: the profile names no file of src/")
    for name, (count, covered) in lines.items():
        layer = layers.setdefault(name.split("/")[1], [0, 0])
        layer[0] += count
        layer[1] += covered
    for layer, (count, covered) in sorted(layers.items()):
        out.append(f"src/{layer}: {covered} of {count} lines, {100 * covered / max(1, count):.0f} %")
    out += ["", "Functions that no target reaches:", *(f"  {path}: {name}" for path, name in missing)]
    (BUILD / "coverage.txt").write_text("\n".join(out) + "\n", "utf-8")
    (BUILD / "coverage.json").write_text(json.dumps({"layers": layers, "unreached": missing}, indent=1), "utf-8")
    print("\n".join(out))
    return True


# --- self-test ---

SAMPLE = """#2\tINITED cov: 40 ft: 41 corp: 2/9b exec/s: 0 rss: 30Mb
#512\tNEW    cov: 44 ft: 50 corp: 3/20b lim: 8 exec/s: 0 rss: 30Mb L: 8/8 MS: 1 ChangeBit-
#9000\tDONE   cov: 47 ft: 55 corp: 4/30b lim: 90 exec/s: 3000 rss: 40Mb
Done 9000 runs in 3 second(s)
stat::number_of_executed_units: 9000
stat::new_units_added:          2
stat::peak_rss_mb:              41
"""


def self_test():
    got = figures(SAMPLE)
    want = {"runs": 9000, "new": 2, "peak_mb": 41, "cov_before": 40, "cov": 47, "ft_before": 41, "ft": 55, "corpus": 4}
    assert got == want, got
    assert figures("==1== ERROR: AddressSanitizer")["runs"] == 0
    row = {"target": "fuzz_url", "artifacts": ["build/fuzz/artifacts/fuzz_url-crash-1"]}
    assert repeat_of(row) == ["build/fuzz/targets/fuzz_url build/fuzz/artifacts/fuzz_url-crash-1"]
    features = merge_control("3\n1\nfirst\na\nb\nSTARTED 0 9\nFT 0 1 2\nCOV 0 7\nSTARTED 1 3\nFT 1 2 3 4\nSTARTED 2 2\n")
    assert features == {"first": {"1", "2"}, "a": {"2", "3", "4"}}, features
    paths = [pathlib.Path(name) for name in "abcd"]
    reached = dict(zip(paths, map(frozenset, ("12", "345", "1", "6"))))
    sizes = dict(zip(paths, (1, 2, 1, 9)))
    assert choose(reached, frozenset(), sizes.get, (100, 9)) == [paths[1], paths[0], paths[3]]
    assert choose(reached, frozenset("3"), sizes.get, (100, 2)) == [paths[0], paths[1]]
    assert choose(reached, frozenset(), sizes.get, (3, 9)) == [paths[1], paths[0]]
    assert {f"fuzz_{path.stem}" for path in KEPT.iterdir()} <= set(targets([]))
    for target in targets([]):
        with tempfile.TemporaryDirectory() as folder:
            unpack(target, pathlib.Path(folder))
            inputs = list(pathlib.Path(folder).iterdir())
            most = BOUNDS_SCRIPTS if is_script(target) else BOUNDS
            assert len(inputs) <= most[1] and sum(path.stat().st_size for path in inputs) <= most[0], target
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "corpus", "coverage", "unpack"), nargs="?")
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--tally")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_intermixed_args()
    if arguments.self_test:
        return 0 if self_test() else 1
    if not arguments.what:
        parser.error("run, corpus, coverage or unpack")
    if arguments.what == "unpack":
        if len(arguments.targets) != 2:
            parser.error("unpack needs a target and a folder")
        unpack(*targets(arguments.targets[:1]), pathlib.Path(arguments.targets[1]))
        return 0
    return 0 if {"run": run, "corpus": corpus, "coverage": coverage}[arguments.what](arguments) else 1


if __name__ == "__main__":
    sys.exit(main())
