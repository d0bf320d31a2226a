# SPDX-License-Identifier: MIT
"""The points for tracers: as the guide lists them, and as the notes of a program or library have them."""

import re
import subprocess
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[2] / "docs/guide/diagnosis.md"


def documented():
    """Points by name, each with the names of its arguments: the rows of the table of "Points for tracers"."""
    section = GUIDE.read_text(encoding="utf-8").split("## Points for tracers")[1].split("\n## ")[0]
    found = {}
    for name, arguments in re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.M):
        found[name] = re.findall(r"`(\w+)`", arguments)
    return found


def noted(file):
    """(point, number of its arguments) for each place of a file."""
    text = subprocess.run(["readelf", "-n", "--wide", file], capture_output=True, text=True, check=True).stdout
    return [(name, len(arguments.split())) for provider, name, arguments in re.findall(
        r"Provider: (\S+)\n\s*Name: (\S+)\n.*\n\s*Arguments: ?(.*)", text) if provider == "libwebtransport"]
