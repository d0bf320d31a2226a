#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The dashboard and the alerts of packaging/monitoring against what servers give: test_monitoring.py TOOL

Each metric that they name exists in /metrics, and each metric is shown or stands in a list with the reason. promtool
parses each expression, and runs the tests of the alerts."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import panels
from servers import Server

checks = {"good": 0, "bad": 0}


def check(what, faults):
    checks["bad" if faults else "good"] += 1
    print(f"{'FAIL' if faults else 'ok  '} {what}" + "".join(f"\n     {fault}" for fault in faults), flush=True)


def run(what, *command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    check(what, [result.stdout + result.stderr] if result.returncode else [])


def given(tool):
    """What servers give: the types of metrics by their names, and their labels."""
    types, labels = {}, {}
    with Server(tool, "serve", "--backplane", "redis://127.0.0.1:1") as serve, \
            Server(tool, "gateway", "--route", "/x=tcp://127.0.0.1:1", "--access-log", "none") as gateway:
        for line in (serve.metrics() + gateway.metrics()).splitlines():
            if line.startswith("# TYPE"):
                types[line.split()[2]] = line.split()[3]
            elif not line.startswith("#"):
                labels.setdefault(re.match(r"\w+", line).group(), set()).update(re.findall(r'(\w+)="', line))
    return types, labels


def check_names(types):
    shown, curves = set(), panels.expressions()
    faults = []
    texts = [(title, expression) for title, _, expression in curves]
    texts += [(f"variable {name}", metric) for name, metric, _ in panels.queries()]
    for title, text in texts:
        for name in panels.metrics_in(text):
            family = panels.family_of(name, types)
            shown.add(family)
            if not family:
                faults.append(f"{title}: no server has {name}")
            elif types[family] == "counter" and f"rate({name}{{" not in text and not title.startswith("variable"):
                faults.append(f"{title}: {name} is a counter without a rate")
    check(f"metrics of the dashboard's {len(curves)} curves exist", faults)
    check("each metric is shown, or is in the list of those that are not",
          [f"{name} is not shown" for name in set(types) - shown - set(panels.NOT_SHOWN)]
          + [f"{name} is in the list without need" for name in panels.NOT_SHOWN if name in shown or name not in types])
    rules = (panels.FOLDER / "rules.yaml").read_text(encoding="utf-8")
    check("metrics of the alerts exist", [name for name in panels.metrics_in(rules) if not panels.family_of(name, types)])


def check_labels(labels):
    """What a curve is called by, and what sums go by, are labels of its metric."""
    faults = []
    for title, called, text in panels.expressions():
        wanted = set(re.findall(r"\{\{(\w+)\}\}", called))
        for listed in re.findall(r"by \(([^)]*)\)", text):
            wanted.update(listed.split(", "))
        there = set.union({"job", "instance"}, *(labels.get(name, set()) for name in panels.metrics_in(text)))
        faults += [f"{title}: no label {label}" for label in wanted - there]
    check("labels of the curves exist", faults)


def check_panels():
    """What a reader needs in each panel, and what Grafana needs."""
    all_panels = panels.dashboard()["panels"]
    faults = [f"{title}: no {what}" for title, panel in panels.panels() for what, there in (
        ("description", panel["description"]), ("unit", panel["fieldConfig"]["defaults"]["unit"]),
        ("datasource", all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])),
        ("instance in a query", all("$instance" in target["expr"] for target in panel["targets"]))) if not there]
    check("panels have a description, a unit and the chosen instances", faults)
    check("ids of panels differ", [] if len({panel["id"] for panel in all_panels}) == len(all_panels) else ["they do not"])
    taken = [(panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y) for panel in all_panels
             for x in range(panel["gridPos"]["w"]) for y in range(panel["gridPos"]["h"])]
    check("panels do not overlap, and fit", [] if len(set(taken)) == len(taken) and max(taken)[0] < 24 else ["they do"])


def check_by_promtool():
    rules = [{"record": f"curve:{number}", "expr": text} for number, (_, _, text) in enumerate(panels.expressions())]
    rules += [{"record": f"variable:{name}", "expr": metric} for name, metric, _ in panels.queries()]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "curves.yaml"  # JSON is YAML
        file.write_text(json.dumps({"groups": [{"name": "curves", "rules": rules}]}), encoding="utf-8")
        run("promtool parses each expression of the dashboard", "promtool", "check", "rules", str(file))
    run("promtool finds no fault in the alerts", "promtool", "check", "rules", str(panels.FOLDER / "rules.yaml"))
    run("the tests of the alerts pass", "promtool", "test", "rules", str(panels.FOLDER / "rules_test.yaml"))
    tested = (panels.FOLDER / "rules_test.yaml").read_text(encoding="utf-8")
    alerts = re.findall(r"alert: (\w+)", (panels.FOLDER / "rules.yaml").read_text(encoding="utf-8"))
    check("each alert has a test", [name for name in alerts if f'alertname="{name}"' not in tested])


def main():
    run("dashboard.json is what dashboard.py writes", sys.executable, "-B", str(panels.FOLDER / "dashboard.py"), "--check")
    types, labels = given(sys.argv[1])
    check_names(types)
    check_labels(labels)
    check_panels()
    check_by_promtool()
    print(f"{checks['good'] + checks['bad']} checks, {checks['bad']} failed")
    sys.exit(1 if checks["bad"] else 0)


if __name__ == "__main__":
    main()
