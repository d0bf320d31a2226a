#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Servers under mixed load with faults, for as long as wanted: is every byte right, and does nothing grow?

    soak.py --tool build/webtransport --fleet-client build/tests/fleet/fleet_client
            --hostile-client build/tests/soak/hostile_client --out build/soak [--seconds 3600] [--seed 1]
            [--sanitized] [--leak memory|descriptors]

A server of two workers has clients of many kinds (jobs.py), hostile ones (strangers.py, hostile_client.c), clients behind a bad link
(link.py), and clients that change their address. Its certificate is renewed, and it is told to read its files again. A gateway beside it
has its access log rotated. A chain of servers take over from each other, while sessions move on.

Checked are: each byte that comes back (by the clients), the end of each client that no fault explains, lines of level error in logs, the
status at the end, and by judge.py the memory, descriptors and threads of the server and the gateway, under load and when all clients
have left. A run of less than a minute ("brief") has no clients that are killed, and no rests: what it leaves behind takes longer to
time out.

The report is report.md and report.json in the folder of --out; the status is 1 if a check fails. With --sanitized memory is not
judged; leaks are a matter of the sanitizer, at the end. With --leak the server leaks on purpose (heap.c): the soak has to fail.
"""

import argparse
import csv
import pathlib
import sys
import tempfile
import threading
import time

import report
from jobs import lanes
from judge import Verdict, judge_load, judge_rest
from load import Load
from processes import Failure, wait
from rig import MIB, Rig

KINDS = ("heap", "memory", "descriptors", "threads")
RAMP_SECONDS = 90  # until as many connections time out as are left behind
MEMORY_SECONDS = 600  # before that malloc still takes what it will keep


class Soak:
    def __init__(self, rig, options):
        self.rig, self.options = rig, options
        self.load = Load(lanes(rig), options.seed)
        self.samples, self.rests, self.problems, self.counts = [], [], [], {}
        self.standing, self.standing_totals = [], {"rounds": 0, "bytes": 0, "datagrams_back": 0, "datagrams_sent": 0, "rebinds": 0,
                                                   "dials": 0, "longest_ms": 0}
        self.began, self.phase, self.stopping = time.monotonic(), "warm-up", threading.Event()
        self.faults = {"renewals": 0, "hang-ups": 0, "log rotations": 0, "takeovers": 0}

    def elapsed(self):
        return time.monotonic() - self.began

    # --- load ---

    def start_load(self):
        rig, o = self.rig, self.options
        self.standing = [rig.standing("direct", rig.serve.port, o.clients, o.clients // 4),
                         rig.standing("bad link", rig.link_port, max(2, o.clients // 4), 0)]
        self.load.start()

    def stop_load(self):
        self.load.stop()
        for clients in self.standing:
            self.end_standing(clients)
        self.standing = []
        for counts in self.rig.rest():
            for name, count in counts.items():
                self.counts[name] = self.counts.get(name, 0) + count

    def end_standing(self, clients):
        status = clients.end()
        self.problems += clients.problems
        if status or not clients.summary:
            self.problems.append(f"clients that stay ended with {status}")
        for name in self.standing_totals:
            value = (clients.summary or {}).get(name, 0)
            self.standing_totals[name] = max(self.standing_totals[name], value) if name == "longest_ms" else self.standing_totals[name] + value

    # --- faults of the servers ---

    def fault_loop(self, name, period, action):
        while not self.stopping.wait(period):
            try:
                action()
                self.faults[name] += 1
            except (Failure, OSError) as error:
                self.problems.append(f"{name}: {error}")

    def start_faults(self):
        rig, brief = self.rig, self.options.brief
        chain = rig.standing("chain", rig.generation.port, 6, 0)
        self.threads = [threading.Thread(target=self.fault_loop, args=row, daemon=True) for row in (
            ("renewals", 1.7 if brief else 23, rig.renew),
            ("hang-ups", 1.1 if brief else 17, rig.hang_up),
            ("log rotations", 1.3 if brief else 29, rig.rotate_log),
            ("takeovers", 2.5 if brief else 41, rig.take_over))]
        for thread in self.threads:
            thread.start()
        return chain

    # --- readings ---

    def read(self):
        row = {"at": round(self.elapsed(), 1), "phase": self.phase}
        for server in self.rig.servers:
            try:
                row[server.name] = server.reading()
            except (OSError, ValueError, KeyError) as error:
                raise Failure(f"{server.name} does not answer: {error!r}; status {server.process.poll()}") from None
        self.samples.append(row)
        return row

    def under_load(self, phase, seconds):
        self.phase, until, told = phase, time.monotonic() + seconds, time.monotonic()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, self.options.interval))
            row = self.read()
            if time.monotonic() - told >= (2 if self.options.brief else 60):
                told = time.monotonic()
                self.progress(row)

    def progress(self, row):
        serve, gateway = row["serve"], row["gateway"]
        print(f"{row['at']:7.0f} s  {self.phase:8}  serve {serve['heap'] / MIB:5.1f} of {serve['memory'] / MIB:5.1f} MiB {serve['descriptors']:3} descriptors "
              f"{serve['connections']:4.0f} connections {serve['sessions']:4.0f} sessions {serve['cpu']:6.0f} s  gateway "
              f"{gateway['heap'] / MIB:4.1f} of {gateway['memory'] / MIB:5.1f} MiB {gateway['descriptors']:3}  {sum(self.load.runs.values())} runs, "
              f"{len(self.load.failures) + len(self.problems)} problems", flush=True)

    def rest(self, name):
        """All clients leave; what they left behind times out."""
        self.phase = "rest"
        self.stop_load()
        if self.options.brief:
            return
        def empty():
            return all(server.reading()["connections"] == 0 for server in self.rig.servers)
        wait(f"{name}: connections end", empty, self.options.idle * 4 + 60)
        time.sleep(3)  # a second's housekeeping comes after the last connection
        row = self.read()
        self.rests.append(row)
        self.progress(row)

    # --- the whole ---

    def run(self):
        o, chain = self.options, None
        self.rig.start()
        chain = self.start_faults()
        warm_up = min(600, o.seconds * 0.2)
        middle = o.seconds >= 1200
        parts = [("load", (o.seconds - warm_up) / (2 if middle else 1))] * (2 if middle else 1)
        self.start_load()
        self.under_load("warm-up", warm_up)
        if not o.brief:
            self.rest("after the warm-up")
            self.rig.start_helpers()
            self.start_load()
        for number, (phase, seconds) in enumerate(parts):
            ramp = min(RAMP_SECONDS, seconds * 0.3)
            self.under_load("ramp", ramp)
            self.under_load(phase, seconds - ramp)
            last = number + 1 == len(parts)
            if last:
                self.stopping.set()
                for thread in self.threads:
                    thread.join(120)
                self.end_standing(chain)
            self.rest("at the end" if last else "in between")
            if not last:
                self.rig.start_helpers()
                self.start_load()
        self.rig.end()

    # --- the judgement ---

    def verdicts(self):
        load, o = self.load, self.options
        yield Verdict("clients", not load.failures, f"{sum(load.runs.values())} runs, {len(load.failures)} failed without a fault that explains it")
        missing = [job.name for jobs in load.lists for job in jobs if not load.runs[job.name]]
        yield Verdict("each kind of client ran", o.brief or not missing, ", ".join(missing) or f"{len(load.runs)} kinds")
        yield Verdict("clients that stay, and the rest", not self.problems, f"{len(self.problems)} problems")
        for server in self.rig.ended:
            bad = server["levels"].get("error", 0) + server["levels"].get("other", 0)
            if server["status"] or bad or not server["name"].startswith("generation"):
                yield Verdict(f"{server['name']} ended well", not server["status"] and not bad,
                              f"status {server['status']}, log lines {server['levels']}")
        generations = sum(server["name"].startswith("generation") for server in self.rig.ended)
        yield Verdict("all servers ended", len(self.rig.ended) == generations + len(self.rig.servers), f"{generations} of the chain")
        for server in self.rig.servers:
            yield from self.judge_server(server.name)

    def judge_server(self, name):
        o = self.options
        without = {"heap", "memory"} if o.sanitized else {"memory"} if o.seconds < MEMORY_SECONDS else set()
        kinds = [kind for kind in KINDS if kind not in without]
        rows = [sample[name] for sample in self.samples if sample["phase"] == "load"]
        for kind in kinds:
            yield judge_load(f"{name}: {kind} under load", kind, [row[kind] for row in rows])
        if len(self.rests) < 2:
            return
        first, last = self.rests[0][name], self.rests[-1][name]
        for kind in (*kinds, "counted"):
            yield judge_rest(f"{name}: {kind} at rest", kind, first[kind], last[kind])


def write_samples(path, samples):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = [name for name in samples[0] if name not in ("at", "phase")] if samples else []
        fields = list(samples[0][names[0]]) if names else []
        writer.writerow(["at", "phase", *(f"{name} {field}" for name in names for field in fields)])
        for row in samples:
            writer.writerow([row["at"], row["phase"], *(row[name][field] for name in names for field in fields)])


def duration(text):
    """More than no time: a run without any would pass without having done a thing."""
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError(text)
    return seconds


def options_read():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, type=pathlib.Path)
    parser.add_argument("--fleet-client", required=True, type=pathlib.Path)
    parser.add_argument("--hostile-client", required=True, type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--seconds", type=duration, default=3600, help="of load; rests come on top")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, help="that stay; a quarter of them change their address each second")
    parser.add_argument("--sanitized", action="store_true")
    parser.add_argument("--leak", choices=("memory", "descriptors"))
    o = parser.parse_args()
    o.brief = o.seconds < 60
    o.clients = o.clients or (4 if o.brief else 16)
    o.interval = 0.5 if o.brief else min(5, max(1, o.seconds / 300))
    o.some, o.large, o.idle = (1, MIB, 30) if o.brief else (5, 8 * MIB, 30)
    o.tool, o.fleet_client, o.hostile_client = (path.resolve() for path in (o.tool, o.fleet_client, o.hostile_client))
    o.out = o.out.resolve()
    o.out.mkdir(parents=True, exist_ok=True)
    return o


def main():
    options = options_read()
    with tempfile.TemporaryDirectory(prefix="soak.") as folder:
        rig = Rig(options, folder)
        soak = Soak(rig, options)
        try:
            soak.run()
        except (Failure, OSError, KeyboardInterrupt) as error:
            soak.problems.append(f"the run was broken off: {error!r}")
        finally:
            soak.stopping.set()
            soak.load.break_off()
            rig.kill()
            for clients in soak.standing:
                clients.kill()
        write_samples(options.out / "samples.csv", soak.samples)
        passed = report.write(options.out, soak, list(soak.verdicts()))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
