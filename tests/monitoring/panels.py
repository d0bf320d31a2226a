# SPDX-License-Identifier: MIT
"""What stands in packaging/monitoring: the expressions of the dashboard, with values in place of Grafana's variables."""

import json
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "packaging/monitoring"

# A metric is not shown: why.
NOT_SHOWN = {
    "webtransport_congestion_control": "it is 1 always; its label says what was configured",
}


def dashboard():
    return json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))


def panels():
    """Those with curves: (title of the row and panel, panel)."""
    row = "Overview"
    for panel in dashboard()["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        else:
            yield f"{row} / {panel['title']}", panel


def with_values(text, jobs=".*", span="5m"):
    """An expression as Grafana would ask it."""
    text = text.replace("$__rate_interval", span).replace("$job", jobs).replace("$instance", ".*")
    if "$" in text:
        raise SystemExit(f"an unknown variable: {text}")
    return text


def expressions(**values):
    """(panel, what the curve is called, expression)."""
    return [(title, target["legendFormat"], with_values(target["expr"], **values))
            for title, panel in panels() for target in panel["targets"]]


def queries():
    """Those of the variables: (name, metric and its filter, label)."""
    found = []
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            match = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
            found.append((variable["name"], with_values(match.group(1)), match.group(2)))
    return found


def metrics_in(text):
    return set(re.findall(r"\bwebtransport_[a-z0-9_]+", text))


def family_of(name, types):
    """The family that a sample belongs to; None: there is none."""
    if types.get(name) in ("counter", "gauge"):
        return name
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    return base if base != name and types.get(base) == "histogram" else None
