#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads the dashboard into Grafana's own model and writes it again: what the model does not know is lost on the way, and so
is found. `make monitoring` runs this in an environment that has requirements.txt."""

import json
import sys

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

import panels


def differences(ours, theirs, path=""):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            if name in theirs:
                yield from differences(value, theirs[name], f"{path}/{name}")
            else:
                yield f"{path}/{name} is unknown"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (one, other) in enumerate(zip(ours, theirs)):
            yield from differences(one, other, f"{path}/{i}")
    elif ours != theirs:
        yield f"{path}: {ours!r} becomes {theirs!r}"


def main():
    plugins.register_default_plugins()
    ours = panels.dashboard()
    theirs = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(ours)))
    faults = list(differences(ours, theirs))
    for fault in faults:
        print(f"FAIL {fault}")
    print(f"Grafana's model knows {'not all' if faults else 'all'} of the dashboard")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
