# SPDX-License-Identifier: MIT
"""What is made of the runs: which of them count, medians, ranges, ratios, targets. Only arithmetic: nothing is
measured, read or written here.

A run is a dictionary: "workload", "server", "round", "steal" (percent of the machine's time that its host took
away while it was measured), "values" (name: number), or "error" (a text) instead of values.
"""

# Time that the host took away changes none of these, so a run counts for them whatever its steal.
UNAFFECTED = {"memory", "peak"}


def median(numbers):
    """Of an even count the mean of the two in the middle. None of nothing."""
    numbers = sorted(numbers)
    if not numbers:
        return None
    middle = len(numbers) // 2
    return numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2


def is_stolen(run, limit):
    """The rule: a run counts if at most `limit` percent were stolen, whatever it measured."""
    return run["steal"] > limit


def steal_percent(before, after):
    """Of two readings of /proc/stat's first line (lists of its numbers): the share of steal in what passed."""
    passed = [late - early for early, late in zip(before, after)]
    # user nice system idle iowait irq softirq steal; guest time after that is part of user.
    total = sum(passed[:8])
    return 100 * passed[7] / total if total > 0 else 0.0


class Summary:
    """The runs by workload and server."""

    def __init__(self, runs, steal_limit):
        self.steal_limit = steal_limit
        self.runs = runs

    def of(self, workload, server):
        return [run for run in self.runs if run["workload"] == workload and run["server"] == server]

    def kept(self, workload, server):
        return [run for run in self.of(workload, server)
                if "values" in run and not is_stolen(run, self.steal_limit)]

    def left_out(self, workload, server):
        return sum(is_stolen(run, self.steal_limit) for run in self.of(workload, server))

    def errors(self, workload, server):
        return [run["error"] for run in self.of(workload, server) if "error" in run]

    def counting(self, workload, server, name):
        """The runs that count for this value and have it."""
        runs = self.of(workload, server) if name in UNAFFECTED else self.kept(workload, server)
        return [run for run in runs if name in run.get("values", {})]

    def values(self, workload, server, name):
        return [run["values"][name] for run in self.counting(workload, server, name)]

    def by_round(self, workload, server, name):
        return {run["round"]: run["values"][name] for run in self.counting(workload, server, name)}

    def cell(self, workload, server, name):
        """Median, smallest, largest, number of runs; None if there is no run that counts."""
        values = self.values(workload, server, name)
        return (median(values), min(values), max(values), len(values)) if values else None

    def ratio(self, workload, server, other, name, other_workload=None):
        """Of the medians; with the smallest and the largest of the rounds that both were in. None: cannot be told."""
        other_workload = other_workload or workload
        mine, theirs = self.cell(workload, server, name), self.cell(other_workload, other, name)
        if mine is None or theirs is None or theirs[0] == 0:
            return None
        by_round = self.by_round(other_workload, other, name)
        pairs = [value / by_round[number] for number, value in self.by_round(workload, server, name).items()
                 if by_round.get(number)]
        whole = mine[0] / theirs[0]
        return (whole, min(pairs, default=whole), max(pairs, default=whole))

    def judge(self, target):
        """A row of "what it must show": (ratio or None, "met", "missed" or "not measured")."""
        ratio = self.ratio(target["workload"], target["server"], target["than"], target["value"])
        if ratio is None:
            return None, "not measured"
        met = ratio[0] <= target["at_most"] if "at_most" in target else ratio[0] >= target["at_least"]
        return ratio, "met" if met else "missed"
