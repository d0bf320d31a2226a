# SPDX-License-Identifier: MIT
"""From what clients told to figures: medians, ranges, times of recovery, shares. No input or output."""
import statistics

SMOOTH_MS = 200  # rates over time are means of this long
FULL = 0.9  # of the link's rate counts as full use
PAYLOAD_SHARE = 0.93  # of the line's bits, what streams get at most: headers of Ethernet, IP, UDP, QUIC take the rest


def percentile(values, part):
    """Of round trips; None without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None


def spread(values):
    """(median, lowest, highest); None if a run has none: a median of the others would flatter."""
    if not values or any(value is None for value in values):
        return None
    return statistics.median(values), min(values), max(values)


def rates(visit, smooth_ms=SMOOTH_MS):
    """[(ms, Mbit/s)]: the mean of what came in the `smooth_ms` before each bin's end."""
    width, span = visit["bin_ms"], max(1, round(smooth_ms / visit["bin_ms"]))
    sums, bins = 0, visit["bins"]
    found = []
    for place, count in enumerate(bins):
        sums += count - (bins[place - span] if place >= span else 0)
        found.append(((place + 1) * width, sums * 8 / (min(span, place + 1) * width) / 1e3))
    return found


def recovery(visit, condition):
    """Round trips from the moment at which the full rate is back until it is used again; None: never."""
    back, rate = condition["steps"][-1]
    for at, megabits in rates(visit):
        if at - SMOOTH_MS >= back and megabits >= FULL * PAYLOAD_SHARE * rate / 1e6:
            return (at - SMOOTH_MS - back) / condition["round_trip_ms"]
    return None


def share(own, other, from_ms):
    """What part of both flows' bytes the first has, from then on."""
    begin = int(from_ms / own["bin_ms"])
    mine, others = sum(own["bins"][begin:]), sum(other["bins"][begin:])
    return mine / (mine + others) if mine + others else None


def transfer(visit, condition):
    """Of a bulk transfer: seconds, and datagrams' round trips in ms while it ran."""
    seconds = visit["done_ms"] / 1e3 if visit["done_ms"] else None
    rounds = visit["datagram_ms"]
    return {"seconds": seconds, "p50": percentile(rounds, 0.5), "p95": percentile(rounds, 0.95),
            "datagrams": len(rounds) / visit["datagrams_sent"] if visit["datagrams_sent"] else None,
            "first_byte": visit["first_byte_ms"] / condition["round_trip_ms"]}


def opening(visits, condition):
    """Round trips to the session and to its first byte: new, resumed, pooled. None: not possible, or not done."""
    found = {}
    for name, visit in zip(("new", "resumed", "pooled"), visits):
        fine = not visit["failed"] and visit["bytes"]
        for what in ("session", "first_byte"):
            found[f"{name}_{what}"] = visit[f"{what}_ms"] / condition["round_trip_ms"] if fine else None
    return found


def of_run(run, condition):
    """The figures of one run."""
    kind = condition.get("kind", "bulk")
    visit = run["told"][0][0]
    if kind == "open":
        return opening(run["told"][0], condition)
    if kind == "fall":
        return {"recovery": recovery(visit, condition), "megabytes": visit["bytes"] / 1e6}
    if kind == "share":
        return {"share": share(visit, run["told"][1][0], condition["round_trip_ms"] * 40)}
    return transfer(visit, condition)


def is_disturbed(run, late_ms):
    """Whether the link itself was late."""
    return any(run["link"][way]["late_ms"]["p99"] > late_ms or run["link"][way]["refused"] for way in ("up", "down"))


def table(results):
    """{(condition, server): {figure: (median, lowest, highest) or None}} of the runs that count, and how many do not."""
    conditions = {condition["name"]: condition for condition in results["conditions"]}
    grouped, disturbed = {}, 0
    for run in results["runs"]:
        if run.get("failed"):
            grouped.setdefault((run["condition"], run["server"]), []).append(None)
        elif is_disturbed(run, results["late_ms"]):
            disturbed += 1
        else:
            grouped.setdefault((run["condition"], run["server"]), []).append(of_run(run, conditions[run["condition"]]))
    cells = {}
    for key, found in grouped.items():
        names = next((list(one) for one in found if one), [])
        cells[key] = {name: spread([one and one[name] for one in found]) for name in names}
        cells[key]["runs"] = len(found)
    return cells, disturbed
