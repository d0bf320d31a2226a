# SPDX-License-Identifier: MIT
"""Whether what was read of a process over time is flat.

Under load, memory goes up and down with the sessions, so two readings say nothing. A series, without its warm-up, is cut into
windows, and each window is its median. The slope is the median of the slopes between all pairs of windows (Theil and Sen), which a
few odd windows do not move. A series fails if that slope, over the whole time, is more than the tolerance, and if most pairs of
windows agree on it (Kendall's tau): a level that only wanders has no direction.

When all clients have left, a process has to be where it was at the first rest, within a narrower tolerance.
"""

import dataclasses
import itertools
import statistics

WINDOWS = 10
WINDOWS_MIN = 4
TAU_MIN = 0.5  # of the pairs of windows, three quarters go up

MIB = 1 << 20
THREADS = 4  # that libuv has for work on files; they come when they are needed first, and stay


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """What may be added: the greater of a number and a share of the level."""
    least: float
    share: float

    def of(self, level):
        return max(self.least, self.share * level)


# Under load the heap follows the number of connections, which is another one on a busy machine; at rest it is judged sharply. What
# malloc keeps follows the highest load that there was.
LOAD = {"heap": Tolerance(16 * MIB, 0.50), "memory": Tolerance(8 * MIB, 0.20), "descriptors": Tolerance(10, 0.15),
        "threads": Tolerance(THREADS, 0)}
REST = {"heap": Tolerance(MIB, 0.05), "memory": Tolerance(16 * MIB, 0.30), "descriptors": Tolerance(2, 0),
        "threads": Tolerance(THREADS, 0), "counted": Tolerance(0, 0)}


@dataclasses.dataclass
class Verdict:
    name: str
    passed: bool
    text: str


def windows(values, count=WINDOWS):
    """The medians of `count` pieces of equal length; None: there are too few readings."""
    count = min(count, len(values) // 3)
    if count < WINDOWS_MIN:
        return None
    edges = [len(values) * i // count for i in range(count + 1)]
    return [statistics.median(values[a:b]) for a, b in zip(edges, edges[1:])]


def slope(levels):
    """By window."""
    return statistics.median((b - a) / (j - i) for (i, a), (j, b) in itertools.combinations(enumerate(levels), 2))


def tau(levels):
    """1: each window is above all before it; -1: below; around 0: no direction."""
    signs = [(b > a) - (b < a) for a, b in itertools.combinations(levels, 2)]
    return sum(signs) / len(signs)


def number(kind, value):
    return f"{value / MIB:.1f} MiB" if kind in ("heap", "memory", "counted") else f"{value:g}"


def judge_load(name, kind, values, tolerance=None):
    """`values` are readings at equal distances, without the warm-up."""
    levels = windows(values)
    if levels is None:
        return Verdict(name, True, f"{len(values)} readings are too few to judge")
    growth = slope(levels) * (len(levels) - 1)
    allowed = (tolerance or LOAD[kind]).of(statistics.median(levels))
    agreement = tau(levels)
    passed = growth <= allowed or agreement < TAU_MIN
    return Verdict(name, passed, f"{number(kind, levels[0])} to {number(kind, levels[-1])}, trend {number(kind, growth)} "
                                 f"(allowed {number(kind, allowed)}), agreement {agreement:.2f}")


def judge_rest(name, kind, first, last, tolerance=None):
    """The level with no client, at the first rest and at the last."""
    allowed = (tolerance or REST[kind]).of(first)
    return Verdict(name, last - first <= allowed,
                   f"{number(kind, first)} at the first rest, {number(kind, last)} at the last (allowed +{number(kind, allowed)})")
