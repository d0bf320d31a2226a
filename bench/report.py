# SPDX-License-Identifier: MIT
"""The page and the plots that results become. The page's other parts are written by hand and stay as they are."""

import subprocess
import textwrap

from summary import Summary

BEGIN = "<!-- bench: begin. What follows is written by `make bench`, up to the end marker. -->"
END = "<!-- bench: end -->"
HEAD = "# Benchmarks\n\n"
WIDTH = 118
UNBROKEN = {"break_on_hyphens": False, "break_long_words": False}
# Of a server, the same in all plots.
COLOURS = {"ours": "#1b6ca8", "floor": "#b0b0b0", "gtlsserver": "#66a182", "webtransport-go": "#d1495b",
           "web-transport-quinn": "#8d6a9f", "aioquic": "#5c4b37", "node-ws": "#2e7d4f", "node-wss": "#7bc096",
           "bun-ws": "#c98a1b", "bun-wss": "#f0c878", "ours-stream": "#6fb1e0", "centrifugo": "#9a9a3c",
           "centrifugo-tls": "#d6d67a"}


def number(value):
    """Three significant digits, without an exponent."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return f"{value:,.{digits}f}"


def cell_text(cell):
    if cell is None:
        return "none"
    middle, low, high, count = cell
    return number(middle) if count == 1 else f"{number(middle)} ({number(low)} to {number(high)})"


def ratio_text(ratio):
    if ratio is None:
        return ""
    return f"{ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def targets_part(results, summary):
    rows = []
    for target in results["config"]["targets"]:
        ratio, verdict = summary.judge(target)
        bound = f"at most {target['at_most']}" if "at_most" in target else f"at least {target['at_least']}"
        rows.append([target["title"], bound, ratio_text(ratio), f"**{verdict}**" if verdict == "missed" else verdict])
    return ["## What it must show", "",
            "Ratios of the medians, ours to the other's, in this run; in brackets the smallest and the largest ratio of a",
            "round.", ""] + table(["what", "target", "measured", ""], rows)


# The columns that a table may have: heading, value.
COLUMNS = [("user", "user"), ("system", "system"), ("{unit} a second", "rate"), ("p50, ms", "p50"), ("p99, ms", "p99"), ("p99.9, ms", "p99_9"), ("lost, %", "lost"),
           ("kB each", "memory"), ("sessions a second of the busiest thread", "capacity"), ("peak, MB", "peak")]


def plural(unit):
    return {"GB": "GB", "delivery": "deliveries"}.get(unit, f"{unit}s")


def unit_text(workload):
    return f"{'s' if workload['unit'] == 'GB' else 'us'} a {workload['unit']}"


def workload_part(results, summary, name):
    workload, servers = results["config"]["workloads"][name], results["config"]["servers"]
    shown = [server for server in workload["servers"] if summary.of(name, server)]
    if not shown:
        return []
    columns = [column for column in COLUMNS if any(summary.values(name, server, column[1]) for server in shown)]
    rows = []
    for server in shown:
        ratio = summary.ratio(name, server, "ours", "cpu") if server != "ours" else None
        cells = [summary.cell(name, server, value) for _, value in columns]
        rows.append([servers[server]["name"], cell_text(summary.cell(name, server, "cpu")),
                     f"{ratio[0]:.2f}" if ratio else ""] + [number(cell[0]) if cell else "" for cell in cells])
    lines = ["", f"### {workload['title']}", ""]
    heads = [head.replace("{unit}", plural(workload["unit"])) for head, _ in columns]
    lines += table(["server", f"processor, {unit_text(workload)}", "times ours"] + heads, rows)
    notes = [workload["without"]] if "without" in workload else []
    for server in shown:
        left_out, errors = summary.left_out(name, server), summary.errors(name, server)
        if left_out:
            notes.append(f"{servers[server]['name']}: {left_out} run{'s' * (left_out > 1)} left out for steal time.")
        if errors:
            notes.append(f"{servers[server]['name']}: {len(errors)} run{'s' * (len(errors) > 1)} failed ({errors[0]}).")
    return lines + ([""] + notes if notes else [])


def conditions_part(results):
    config, machine = results["config"], results["machine"]
    cores, minutes = config["cores"], results["seconds"] / 60
    servers = ", ".join(f"{server['name']} {server['version']}" for server in config["servers"].values()
                        if server["version"] != "of this tree")
    points = [
        f"{machine['date']}; {machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}, "
        f"{machine['compiler']}; over loopback.",
        f"Servers: libwebtransport of this tree, {servers}.",
        f"Up to {config['rounds']} rounds; in each all workloads, and in each workload all servers, with another one first "
        f"each time. A run measures {config['seconds']:g} s or a multiple of it, after {config['warmup_seconds']:g} s or "
        "more of warm-up, of a server started for it.",
        f"The server is held to core {cores['server'][0]}, the client to core {cores['client'][0]}; with 2 workers both "
        "have both cores.",
        "Processor time is the server's, user and system, as the kernel counts it; what the client takes does not count. "
        "Figures are medians of the rounds, with the smallest and the largest in brackets.",
        f"A run in which the host took away more than {config['steal_percent']} % of the machine's time (steal) is left out "
        f"and measured again, up to {config['repeats']} times, whatever it showed. For memory, which that time does not "
        "change, it counts.",
        "WebTransport servers are driven by `webtransport bench`, WebSocket servers by bench/wsload.c and wsfan.c, the HTTP/3 download "
        "by ngtcp2's gtlsclient from both servers.",
        "The floor (bench/floor.c) only copies, encrypts (AES-128-GCM and header protection) and sends with GSO.",
        f"The whole run took {minutes:.0f} minutes."
        + (" It was a partial or quick one: its figures show that it works, and no more." if results["partial"] else ""),
    ]
    held = (
        "With 2 workers and the client on two cores, the three have to share them, and the client alone needs as much as a "
        "worker. So for that one target each thread of the server is held to a fifth of a core by the kernel (a control "
        "group's quota)"
        + (", which leaves the client room, with 1 worker and with 2; the sessions set up in a second are then the server's "
           "limit in both." if machine["quota"] else ". This machine has none, so it was not measured."))
    lines = ["## How it was measured", ""]
    for point in points:
        lines += textwrap.wrap(f"- {point}", WIDTH, subsequent_indent="  ", **UNBROKEN)
    return lines + [""] + textwrap.wrap(held, WIDTH, **UNBROKEN)


def page_part(results):
    summary = Summary(results["runs"], results["config"]["steal_percent"])
    lines = targets_part(results, summary) + [""] + conditions_part(results) + ["", "## Results"]
    for plot in results["config"]["plots"]:
        if plot_rows(plot, results, summary):
            lines += ["", f"![{plot['title']}](benchmarks/{plot['file']})"]
    for name in results["config"]["workloads"]:
        lines += workload_part(results, summary, name)
    return "\n".join(lines) + "\n"


def page_merge(text, part, begin=BEGIN, end=END):
    """The page with its generated part replaced; one without markers gets them at its end."""
    if begin not in text:
        return (text.rstrip("\n") + "\n\n" if text.strip() else HEAD) + f"{begin}\n\n{part}\n{end}\n"
    before, rest = text.split(begin, 1)
    if end not in rest:
        raise ValueError("the page has a begin marker and no end marker")
    return f"{before}{begin}\n\n{part}\n{end}{rest.split(end, 1)[1]}"


def page_write(page, part, begin=BEGIN, end=END):
    text = page.read_text("utf-8") if page.exists() else ""
    page.write_text(page_merge(text, part, begin, end), "utf-8")


# --- Plots. ---


def plot_rows(plot, results, summary):
    """[label, [cell or None for each server]] of the workloads that have any."""
    rows = []
    for name, label in plot["workloads"].items():
        cells = [summary.cell(name, server, plot["value"]) for server in plot["servers"]]
        if any(cells):
            rows.append((label, cells))
    return rows


def plot_script(plot, results, summary):
    """For gnuplot: a group of bars for each workload, the range as an error bar. What was not measured is no bar."""
    rows = plot_rows(plot, results, summary)
    shown = [index for index in range(len(plot["servers"])) if any(cells[index] for _, cells in rows)]
    lines = [
        f"set title \"{plot['title']}\"",
        f"set ylabel \"{plot['axis']}\"",
        "set style data histograms",
        "set style histogram errorbars gap 1.5 lw 1",
        "set errorbars 0.4 lc rgb '#333333'",
        "set style fill solid 0.9 noborder",
        "set boxwidth 0.9",
        "set yrange [0:*]",
        "set grid y lc rgb '#cccccc'",
        "set border 3 lc rgb '#555555'",
        "set tics nomirror",
        "set key outside right top",
        "set datafile missing '?'",
        "$data << EOD",
    ]
    for label, cells in rows:
        numbers = [f"{cells[i][0]:.6g} {cells[i][1]:.6g} {cells[i][2]:.6g}" if cells[i] else "? ? ?" for i in shown]
        lines.append(f"\"{label}\" " + " ".join(numbers))
    lines.append("EOD")
    series = []
    for place, index in enumerate(shown):
        column = 2 + 3 * place
        name = results["config"]["servers"][plot["servers"][index]]["name"]
        series.append(f"$data using {column}:{column + 1}:{column + 2}:xtic(1) title \"{name}\""
                      f" lc rgb '{COLOURS[plot['servers'][index]]}'")
    return "\n".join(lines + ["plot " + ", \\\n  ".join(series)]) + "\n"


def plots_write(folder, results):
    summary = Summary(results["runs"], results["config"]["steal_percent"])
    for plot in results["config"]["plots"]:
        if not plot_rows(plot, results, summary):
            continue
        folder.mkdir(parents=True, exist_ok=True)
        head = f"set terminal svg size 900,420 font 'sans-serif,13' background rgb 'white'\n" \
               f"set output '{folder / plot['file']}'\n"
        subprocess.run(["gnuplot"], input=head + plot_script(plot, results, summary), text=True, check=True)
