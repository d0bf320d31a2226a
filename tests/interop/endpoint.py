# SPDX-License-Identifier: MIT
"""The interop runner's endpoint (tools/interop), for run.py: its cells, beside those of tests/interop itself.

A peer takes part whose peer.json has a "runner": the folder with its own endpoint for the quic-interop-runner, the
programs `server` and `client`, which its set-up builds. drive.py does the cases: ours with itself, ours with each of
those in both directions.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

DRIVE = pathlib.Path(__file__).resolve().parent.parent.parent / "tools/interop/drive.py"
OURS = "ours"


def run(endpoint, peers, verbose):
    """Runs all cells; returns drive.py's results, each with the `peer` and its `role`."""
    command = [sys.executable, "-B", str(DRIVE), "--endpoint", str(endpoint), "--pair", f"{OURS}:{OURS}"]
    for peer in peers:
        name = peer["id"]
        folder = peer["runner"].replace("{build}", str(peer["build"]))
        command += ["--peer", f"{name}={folder}", "--pair", f"{name}:{OURS}", "--pair", f"{OURS}:{name}"]
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run(command + ["--json", file.name] + (["--verbose"] if verbose else []), check=False)
        try:
            results = json.load(file)
        except ValueError:
            raise SystemExit("tools/interop/drive.py gave no results") from None
    for result in results:
        result["role"] = "server" if result["server"] != OURS else "client"
        result["peer"] = result["server"] if result["server"] != OURS else result["client"]
    return results


def markdown(peers, results, note):
    """The section of docs/interop.md. `note` makes a cell's text of a peer's limitation."""
    names = {peer["id"]: peer["name"] for peer in peers}
    columns, cases = [], []
    for result in results:
        if (result["peer"], result["role"]) not in columns:
            columns.append((result["peer"], result["role"]))
        if result["case"] not in cases:
            cases.append(result["case"])
    cells = {(result["peer"], result["role"], result["case"]): result for result in results}
    heads = ["both ends ours" if peer == OURS else f"{names[peer]} {role}" for peer, role in columns]
    lines = ["", "## The quic-interop-runner's cases", "",
             "`tools/interop` is our endpoint for the [runner](https://github.com/quic-interop/quic-interop-runner). Its cases",
             "ran with our endpoint at both ends, and with those of other implementations, over a link of 10 Mbit/s, 15 ms and a",
             "queue of 25 packets. [tools/interop/README.md](../tools/interop/README.md) says what the cases do.", "",
             "| case | " + " | ".join(heads) + " |", "| --- |" + " --- |" * len(heads)]
    for case in cases:
        texts = []
        for peer, role in columns:
            result = cells[peer, role, case]
            texts.append({"pass": "passes", "fail": "**fails**"}.get(result["result"]) or
                         note(names[peer], result["limitation"], result["source"]))
        lines.append(f"| {case} | " + " | ".join(texts) + " |")
    return lines
