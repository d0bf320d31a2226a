# SPDX-License-Identifier: MIT
"""The part of docs/benchmarks.md that a run of the gateway's benchmark becomes."""

import math
import textwrap

import report
from summary import Summary

BEGIN = "<!-- bench-gateway: begin. What follows is written by `make bench-gateway`, up to the end marker. -->"
END = "<!-- bench-gateway: end -->"
ALONE = "direct"


def added(runs):
    """The runs, with what their latencies have more than those of the back end alone. Of that, the round with the lowest counts:
    whatever else the machine does can only make a latency longer."""
    alone = {}
    for run in runs:
        for name in ("p50", "p99") if run["server"] == ALONE and "values" in run else ():
            key = run["workload"], name
            alone[key] = min(run["values"].get(name, math.inf), alone.get(key, math.inf))
    found = []
    for run in runs:
        if "values" in run and run["server"] != ALONE:
            more = {f"added_{name}": run["values"][name] - least for (workload, name), least in alone.items()
                    if workload == run["workload"] and name in run["values"]}
            run = dict(run, values=dict(run["values"], **more))
        found.append(run)
    return found


def target_cell(summary, target, other):
    ratio, verdict = summary.judge(dict(target, server="ours", than=other))
    if ratio is None:
        return verdict
    text = f"{ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f})"
    return f"**{text}**" if verdict == "missed" else text


def targets_part(results, summary):
    config = results["config"]
    others = [other for other in config["than"] if any(summary.of(target["workload"], other) for target in config["targets"])]
    rows = []
    for target in config["targets"]:
        bound = f"at most {target['at_most']}" if "at_most" in target else f"at least {target['at_least']}"
        rows.append([target["title"], bound] + [target_cell(summary, target, other) for other in others])
    return ["Ratios of the medians, ours to the other's; in brackets the smallest and the largest ratio of a round. What misses",
            "the target is bold.", ""] + report.table(["what", "target"] + [config["servers"][other]["name"] for other in others],
                                                      rows)


COLUMNS = [("user", "user"), ("system", "system"), ("{unit} a second", "rate"), ("p50, ms", "p50"), ("p99, ms", "p99"),
           ("added to p50", "added_p50"), ("to p99", "added_p99"), ("peak, MB", "peak")]
TIMES = {"p50", "p99"}


def workload_part(results, summary, name):
    workload, servers = results["config"]["workloads"][name], results["config"]["servers"]
    shown = [server for server in workload["servers"] if summary.of(name, server)]
    if not shown:
        return []
    columns = [column for column in COLUMNS if any(summary.values(name, server, column[1]) for server in shown)
               and (workload["unit"] != "GB" or column[1] not in TIMES)]
    rows = []
    for server in shown:
        spent = "" if server == ALONE else report.cell_text(summary.cell(name, server, "cpu"))
        cells = ["" if server == ALONE and value in ("user", "system", "peak") else
                 report.number((summary.cell(name, server, value) or [None])[0]) for _, value in columns]
        rows.append([servers[server]["name"], spent] + cells)
    heads = [head.replace("{unit}", report.plural(workload["unit"])) for head, _ in columns]
    lines = ["", f"#### {workload['title']}", ""]
    lines += report.table(["gateway", f"processor, {report.unit_text(workload)}"] + heads, rows)
    notes = [workload["without"]] if "without" in workload else []
    for server in shown:
        errors = summary.errors(name, server)
        if errors:
            notes.append(f"{servers[server]['name']}: {len(errors)} run{'s' * (len(errors) > 1)} failed ({errors[0]}).")
    return lines + ([""] + notes if notes else [])


def conditions_part(results):
    config, machine = results["config"], results["machine"]
    cores = config["cores"]
    points = [
        f"{machine['date']}; {machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}; over loopback; "
        f"{config['rounds']} rounds in which the gateways take turns; {results['seconds'] / 60:.0f} minutes"
        + (" (a partial or quick run: its figures show that it works, and no more)." if results["partial"] else "."),
        f"The gateway has core {cores['server'][0]}; the load and the back end (bench/gateway/backend.c) share core "
        f"{cores['client'][0]}. Processor time is the gateway's with all of its processes, user and system.",
        "Behind each gateway is the same TCP server. Ours is driven by `webtransport bench` and `connect`; Envoy by CONNECT "
        "requests, over HTTP/3 (quic-go) and over HTTP/1.1 with TLS; websockify by binary messages over TLS, whose bounds do "
        "not count. TLS 1.3 and a P-256 certificate everywhere; no access log.",
        "Peak memory of websockify adds up that of its processes, one for each connection, which share some of it.",
    ]
    lines = []
    for point in points:
        lines += textwrap.wrap(f"- {point}", report.WIDTH, subsequent_indent="  ", **report.UNBROKEN)
    return lines


def part(results):
    summary = Summary(added(results["runs"]), results["config"]["steal_percent"])
    lines = targets_part(results, summary) + [""] + conditions_part(results)
    for name in results["config"]["workloads"]:
        lines += workload_part(results, summary, name)
    return "\n".join(lines) + "\n"
