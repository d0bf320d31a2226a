# SPDX-License-Identifier: MIT
"""The generated part of docs/networks.md, and its plots (gnuplot)."""
import pathlib
import subprocess

import figures

BEGIN = "<!-- network: begin. What follows is written by `make bench-network`, up to the end marker. -->"
END = "<!-- network: end -->"
FOLDER = "networks"  # of the plots, beside the page
PLOT_SIZE = "960,420"


def number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell_text(spread, best=None):
    if not spread:
        return "-"
    middle, low, high = spread
    text = number(middle)
    if best is not None and middle <= best:
        text = f"**{text}**"
    return text if number(low) == number(high) else f"{text} ({number(low)} to {number(high)})"


def rows_of(results, kind):
    return [one for one in results["conditions"] if one.get("kind", "bulk") == kind
            and any(run["condition"] == one["name"] for run in results["runs"])]


def servers_of(results):
    return [name for name in results["servers"] if any(run["server"] == name for run in results["runs"])]


def grid(results, cells, conditions, figure, label, low_is_good=True):
    """A row for each condition, a column for each server."""
    servers = servers_of(results)
    lines = ["| | " + " | ".join(results["servers"][name]["name"] for name in servers) + " |",
             "|---|" + "---|" * len(servers)]
    for condition in conditions:
        found = [(cells.get((condition["name"], server)) or {}).get(figure) for server in servers]
        best = min((one[0] for one in found if one), default=None) if low_is_good else None
        lines.append(f"| {label(condition)} | " + " | ".join(cell_text(one, best) for one in found) + " |")
    return lines + [""]


def describe(condition):
    queue = condition["queue"]
    rate = f"{condition['rate'] / 1e6:g} Mbit/s, {condition['round_trip_ms']:g} ms"
    amount = f", queue of {queue:g} BDP" if queue != 1 else ""
    return f"{condition['title']}: {rate}{amount}"


def seeds_section(results):
    """How many runs stand behind a figure, where that is not the same everywhere."""
    counts = {}
    for run in results["runs"]:
        counts.setdefault(run["condition"], set()).add(run["seed"])
    titles = {one["name"]: one["title"] for one in results["conditions"]}
    by_count = {}
    for name, seeds in counts.items():
        by_count.setdefault(len(seeds), []).append(titles[name])
    told = [f"{count}: {', '.join(names)}" for count, names in sorted(by_count.items(), reverse=True)]
    return ["Seeds for each figure: " + "; ".join(told) + ".", ""]


def bulk_section(results, cells):
    conditions = rows_of(results, "bulk")
    if not conditions:
        return []
    lines = ["### Time to receive", "", "Seconds from the dial to the last byte; median (lowest to highest); the best in bold; "
             "-: not measured, or not all runs came to an end in time.", "", f"![time to receive]({FOLDER}/time.svg)", ""]
    lines += grid(results, cells, conditions, "seconds",
                  lambda one: f"{describe(one)}, {one['bytes'] / 1e6:g} MB")
    lines += ["### A datagram while that goes on", "", "Round trip of a datagram of 100 bytes on the same session, in ms: the 95th "
              "percentile.", "", f"![datagrams]({FOLDER}/datagrams.svg)", ""]
    lines += grid(results, cells, conditions, "p95", describe)
    lines += ["The median:", ""] + grid(results, cells, conditions, "p50", describe)
    return lines


def fall_section(results, cells):
    conditions = rows_of(results, "fall")
    if not conditions:
        return []
    return ["### A rate that falls to a tenth and comes back", "", "Round trips of the empty link from the moment at which the rate "
            "is back until it is used again (90 % of what streams can get).", "", f"![rates]({FOLDER}/fall.svg)", "",
            *grid(results, cells, conditions, "recovery", describe), "Received in that time, in MB:", "",
            *grid(results, cells, conditions, "megabytes", describe, low_is_good=False)]


def share_section(results, cells):
    conditions = rows_of(results, "share")
    if not conditions:
        return []
    return ["### Two flows on one link", "", "What part of the bytes the server got that shares the link with webtransport-go's; "
            "0.5 is fair.", "", *grid(results, cells, conditions, "share", describe, low_is_good=False)]


def open_section(results, cells):
    lines = []
    for condition in rows_of(results, "open"):
        servers = servers_of(results)
        lines += ["### Round trips to a session", "", "From the client's first packet to the session, and to the first byte that the "
                  "server sends in it.", "", "| | " + " | ".join(results["servers"][name]["name"] for name in servers) + " |",
                  "|---|" + "---|" * len(servers)]
        for kind, text in (("new", "new connection"), ("resumed", "TLS resumed"), ("pooled", "connection that is there")):
            for figure, what in (("session", "session"), ("first_byte", "first byte")):
                found = [(cells.get((condition["name"], name)) or {}).get(f"{kind}_{figure}") for name in servers]
                lines.append(f"| {text}: {what} | " + " | ".join(cell_text(one) for one in found) + " |")
        lines.append("")
    return lines


def link_section(results, disturbed):
    lines = ["### The link itself", ""]
    for one in results.get("link", []):
        lines.append(f"- Set to {one['rate'] / 1e6:.0f} Mbit/s and offered {one['offered'] / 1e6:.0f} Mbit/s of full packets it "
                     f"carried {one['bits_per_second'] / 1e6:.1f}; 99 of 100 packets were no later than {one['late_ms']:.2f} ms "
                     "after their time.")
    loads = [run["load"] for run in results["runs"]]
    failed = [run for run in results["runs"] if run.get("failed")]
    lines += [f"- {len(results['runs'])} runs on {results['date']}, load average {min(loads):.1f} to {max(loads):.1f}; "
              f"{disturbed} were left out because the link was late; {len(failed)} failed."]
    lines += [f"    - {run['condition']}, {run['server']}, seed {run['seed']}: {run['failed']}" for run in failed]
    return lines + [""]


# --- Plots ---

def gnuplot(path, lines):
    head = [f"set terminal svg size {PLOT_SIZE} font 'sans-serif,12' background rgb 'white'", f"set output '{path}'",
            "set grid y lc rgb '#cccccc'", "set border 3 lc rgb '#555555'", "set tics nomirror", "set key outside right top"]
    subprocess.run(["gnuplot"], input="\n".join(head + lines) + "\n", text=True, check=True)


def bars(path, results, cells, figure, title, axis):
    servers, conditions = servers_of(results), rows_of(results, "bulk")
    lines = [f"set title \"{title}\"", f"set ylabel \"{axis}\"", "set logscale y", "set style data histograms",
             "set style histogram errorbars gap 1.5 lw 1", "set style fill solid 0.9 noborder", "set boxwidth 0.9",
             "set xtics rotate by -30", "set datafile missing '?'", "$data << EOD"]
    for condition in conditions:
        found = [(cells.get((condition["name"], server)) or {}).get(figure) for server in servers]
        lines.append(f"\"{condition['title']}\" " + " ".join("%g %g %g" % one if one else "? ? ?" for one in found))
    lines.append("EOD")
    series = [f"$data using {2 + 3 * i}:{3 + 3 * i}:{4 + 3 * i}:xtic(1) title \"{results['servers'][name]['name']}\" "
              f"lc rgb '{results['servers'][name]['colour']}'" for i, name in enumerate(servers)]
    gnuplot(path, lines + ["plot " + ", ".join(series)])


def curves(path, results):
    """Rates over time, of the first seed that was measured."""
    condition = next(iter(rows_of(results, "fall")), None)
    lines, series = ["set ylabel \"Mbit/s\"", "set xlabel \"s\"", "set yrange [0:*]"], []
    for place, server in enumerate(servers_of(results)):
        run = next((one for one in results["runs"] if not one.get("failed") and one["server"] == server
                    and condition and one["condition"] == condition["name"]), None)
        if not run:
            continue
        lines += [f"$d{place} << EOD"] + [f"{at / 1e3:g} {rate:g}" for at, rate in figures.rates(run["told"][0][0])] + ["EOD"]
        series.append(f"$d{place} title \"{results['servers'][server]['name']}\" with lines lw 1.5 "
                      f"lc rgb '{results['servers'][server]['colour']}'")
    if series:
        gnuplot(path, lines + ["set title \"Rate that arrives\"", "plot " + ", ".join(series)])


def plots_write(folder, results, cells):
    folder.mkdir(parents=True, exist_ok=True)
    if rows_of(results, "bulk"):
        bars(folder / "time.svg", results, cells, "seconds", "Time to receive", "s")
        bars(folder / "datagrams.svg", results, cells, "p95", "Datagram during bulk, 95th percentile", "ms")
    curves(folder / "fall.svg", results)


# --- The page ---

def one_line(run, condition):
    found = figures.of_run(run, condition)
    return ", ".join(f"{name} {value:.3g}" if value is not None else f"{name} -" for name, value in found.items())


def replace(text, generated):
    """The page with its generated part replaced; one without markers gets them at its end."""
    block = f"{BEGIN}\n\n{generated}\n{END}\n"
    if BEGIN not in text:
        return text.rstrip("\n") + "\n\n" + block
    before, rest = text.split(BEGIN, 1)
    if END not in rest:
        raise ValueError("the page has a begin marker and no end marker")
    return before + block + rest.split(END, 1)[1].lstrip("\n")


def write(path, results):
    cells, disturbed = figures.table(results)
    plots_write(pathlib.Path(path).parent / FOLDER, results, cells)
    lines = ["## Results", "", *seeds_section(results), *bulk_section(results, cells), *fall_section(results, cells), *share_section(results, cells),
             *open_section(results, cells), *link_section(results, disturbed)]
    text = path.read_text("utf-8") if path.exists() else "# Networks\n"
    path.write_text(replace(text, "\n".join(lines)), "utf-8")
