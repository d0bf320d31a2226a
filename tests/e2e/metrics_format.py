#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads metrics from standard input and says what is wrong with them: metrics_format.py openmetrics|prometheus.

The rules are those of the two formats, and of Prometheus' naming: base units at the end of names, counters in _total, each
family in one piece with TYPE and HELP, no sample twice, buckets of a histogram that grow up to +Inf and the count.
"""

import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)$")
ABOUT = re.compile(rf"# (HELP|TYPE|UNIT) ({NAME}) (.+)$")
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
BAD_UNITS = {"us", "ms", "ns", "milliseconds", "microseconds", "minutes", "hours", "kilobytes", "bits"}


class Reader:
    def __init__(self, openmetrics):
        self.openmetrics = openmetrics
        self.faults, self.families, self.samples = [], {}, {}
        self.current = None
        self.ended = False

    def fault(self, line, text):
        self.faults.append(f"{text}: {line}")

    def line(self, line):
        if self.ended:
            self.fault(line, "behind the end")
        elif line == "# EOF":
            self.ended = True
        elif line.startswith("#"):
            self.about(line)
        else:
            self.sample(line)

    def about(self, line):
        match = ABOUT.match(line)
        if not match:
            return self.fault(line, "not a line about a metric")
        what, name, value = match.groups()
        if name != self.current:
            if name in self.families:
                self.fault(line, "the family is in two pieces")
            self.families[name] = {}
            self.current = name
        if what in self.families[name]:
            self.fault(line, "said twice")
        self.families[name][what] = value
        if what == "TYPE":
            self.kind(line, name, value)
        if what == "UNIT" and not (self.openmetrics and name.endswith("_" + value)):
            self.fault(line, "the name does not end in the unit")

    def kind(self, line, name, kind):
        if kind not in SUFFIXES:
            self.fault(line, "an unknown type")
        if name.endswith("_total") != (kind == "counter" and not self.openmetrics):
            self.fault(line, "_total is in the wrong place")
        if BAD_UNITS & set(name.split("_")):
            self.fault(line, "not a base unit")

    def sample(self, line):
        match = SAMPLE.match(line)
        if not match:
            return self.fault(line, "not a sample")
        name, labels, value = match.groups()
        kind = self.families.get(self.current, {}).get("TYPE")
        base = self.current or ""
        if kind == "counter" and not self.openmetrics:
            base = base.removesuffix("_total")
        if kind not in SUFFIXES or name not in [base + suffix for suffix in SUFFIXES[kind]]:
            return self.fault(line, "a sample of another family")
        if (name, labels) in self.samples:
            self.fault(line, "the sample is there twice")
        if value.startswith("-"):
            self.fault(line, "a negative value")
        self.samples[name, labels] = float(value)

    def histogram(self, name):
        buckets = [(labels, value) for (sample, labels), value in self.samples.items() if sample == name + "_bucket"]
        bounds = [float(re.fullmatch(r'le="(.*)"', labels).group(1)) for labels, _ in buckets]
        values = [value for _, value in buckets]
        if bounds != sorted(set(bounds)) or not bounds or bounds[-1] != float("inf"):
            self.fault(name, "bounds do not grow up to +Inf")
        if values != sorted(values) or not values or values[-1] != self.samples.get((name + "_count", None)):
            self.fault(name, "buckets do not add up")
        if (name + "_sum", None) not in self.samples:
            self.fault(name, "no sum")

    def end(self):
        if self.ended != self.openmetrics:
            self.fault("# EOF", "missing, or not of this format")
        for name, about in self.families.items():
            if not {"HELP", "TYPE"} <= set(about):
                self.fault(name, "HELP or TYPE is missing")
            if about.get("TYPE") == "histogram":
                self.histogram(name)
        if not self.samples:
            self.fault("-", "no samples")


def main():
    reader = Reader(sys.argv[1] == "openmetrics")
    text = sys.stdin.read()
    if not text.endswith("\n"):
        reader.fault(text[-80:], "the last line has no end")
    for line in text.splitlines():
        reader.line(line)
    reader.end()
    for fault in reader.faults:
        print(fault)
    if not reader.faults:
        print("sound")


if __name__ == "__main__":
    main()
