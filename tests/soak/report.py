# SPDX-License-Identifier: MIT
"""The report of a soak: report.json for programs, report.md for people."""

import datetime
import json
import os

from rig import MIB

ROWS = 12
PROBLEMS = 30


def pick(samples, count=ROWS):
    """Some of them, at equal distances, with the rests."""
    load = [row for row in samples if row["phase"] != "rest"]
    step = max(1, len(load) // count)
    return sorted(load[step // 2::step] + [row for row in samples if row["phase"] == "rest"], key=lambda row: row["at"])


def table(samples):
    yield "| time | phase | server: heap | memory | descriptors | connections | sessions | gateway: heap | memory | descriptors |"
    yield "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in pick(samples):
        serve, gateway = row["serve"], row["gateway"]
        yield (f"| {row['at']:.0f} s | {row['phase']} | {serve['heap'] / MIB:.1f} MiB | {serve['memory'] / MIB:.1f} MiB | {serve['descriptors']} | {serve['connections']:.0f} | "
               f"{serve['sessions']:.0f} | {gateway['heap'] / MIB:.1f} MiB | {gateway['memory'] / MIB:.1f} MiB | {gateway['descriptors']} |")


def facts(soak):
    o, last = soak.options, soak.samples[-1] if soak.samples else {}
    return {
        "when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(soak.elapsed()), "asked": o.seconds, "seed": o.seed, "sanitized": o.sanitized, "leak": o.leak,
        "late_answers": {server.name: server.late_answers for server in soak.rig.servers},
        "load": os.getloadavg()[0], "processors": os.cpu_count(),
        "runs": dict(soak.load.runs), "bytes_by_hash": soak.load.bytes,
        "standing": soak.standing_totals, "faults": soak.faults, "packets": soak.counts,
        "log_lines": {server["name"]: server["levels"] for server in soak.rig.ended if not server["name"].startswith("generation")},
        "processor_seconds": {name: row["cpu"] for name, row in last.items() if isinstance(row, dict)},
    }


def text(soak, data):
    standing, packets = data["standing"], data["packets"]
    yield f"{data['when']}, {data['seconds']} s, seed {data['seed']}{', with sanitizers' if data['sanitized'] else ''}: " \
          f"**{'passed' if data['passed'] else 'FAILED'}**."
    yield ""
    yield (f"{sum(data['runs'].values()):,} runs of {len(data['runs'])} kinds of clients, {data['bytes_by_hash'] / MIB:,.0f} MiB compared by hash. "
           f"Sessions that stay: {standing['rounds']:,} streams ({standing['bytes'] / MIB:,.0f} MiB) and {standing['datagrams_back']:,} of "
           f"{standing['datagrams_sent']:,} datagrams came back, {standing['rebinds']:,} changes of an address, the slowest round "
           f"{standing['longest_ms']:,} ms.")
    yield ""
    yield ", ".join(f"{count:,} {name}" for name, count in data["faults"].items()) + \
          (f". The link: {packets.get('packets', 0):,} packets, {packets.get('lost', 0):,} lost, {packets.get('late', 0):,} late, "
           f"{packets.get('twice', 0):,} twice, {packets.get('spoiled', 0):,} spoiled, {packets.get('rebinds', 0):,} new ports. Hostile: "
           f"{packets.get('strange_packets', 0):,} strange packets, {packets.get('scripts', 0):,} scripts of {packets.get('script_packets', 0):,} "
           f"packets, {packets.get('closed_by_server', 0):,} of them closed by the server. Load of the machine: {data['load']:.0f}.")
    yield ""
    yield from table(soak.samples)
    yield ""
    yield "| check | | |"
    yield "| --- | --- | --- |"
    for verdict in data["verdicts"]:
        yield f"| {verdict['name']} | {'ok' if verdict['passed'] else '**failed**'} | {verdict['text']} |"
    if data["problems"]:
        yield ""
        yield "```"
        yield from data["problems"][:PROBLEMS]
        yield "```"


def write(folder, soak, verdicts):
    data = facts(soak)
    data["verdicts"] = [vars(verdict) for verdict in verdicts]
    data["passed"] = all(verdict.passed for verdict in verdicts)
    data["problems"] = [*soak.problems, *soak.load.failures,
                        *(f"{server['name']}: {line}" for server in soak.rig.ended for line in server["lines"])]
    data["markdown"] = "\n".join(text(soak, data))
    (folder / "report.json").write_text(json.dumps(data, indent=1), "utf-8")
    (folder / "report.md").write_text("# Soak\n\n" + data["markdown"] + "\n", "utf-8")
    for verdict in verdicts:
        print(f"{'ok  ' if verdict.passed else 'FAIL'} {verdict.name}: {verdict.text}")
    for problem in data["problems"][:PROBLEMS]:
        print(f"     {problem}")
    print(f"{'passed' if data['passed'] else 'FAILED'}; report in {folder}/report.md")
    return data["passed"]
