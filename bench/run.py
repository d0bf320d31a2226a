#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures what servers cost, side by side: bench/README.md says how. `make bench` builds what this needs.

config.json names the servers, the workloads, what is to be shown, and the rules, which are fixed before a run.
Writes docs/benchmarks.md (the part between its markers), the plots beside it, and build/bench/results.json.
Python 3.11, nothing else.
"""
import argparse
import hashlib
import json
import os
import pathlib
import ssl
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import measure
import report
import summary

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
SPARE_SECONDS = 60  # for a client, beyond the time that it measures

# The load generators, which a workload's words begin with.
CLIENTS = {
    "{bench}": ["{build}/webtransport", "bench", "--insecure-hash", "{hash}", "--watch", "{pid}", "--json",
                "--duration", "{milliseconds}ms", "--warmup", "{warmup}ms", "--dials", "{dials}"],
    "{wsload}": ["{out}/wsload", "--port", "{port}", "--duration", "{milliseconds}", "--warmup", "{warmup}"],
    "{wsfan}": ["{out}/wsfan", "--port", "{port}", "--duration", "{milliseconds}", "--warmup", "{warmup}"],
    "{gtlsclient}": ["gtlsclient", "--quiet", "--exit-on-all-streams-close", "127.0.0.1", "{port}"],
}


class Failure(Exception):
    """A run that measured nothing, with the reason."""


def fill(words, values):
    """Puts the values into the placeholders; other braces stay as they are."""
    filled = []
    for word in words:
        for name, value in values.items():
            word = word.replace("{" + name + "}", str(value))
        filled.append(word)
    return filled


def numbers_of(config):
    """What a configuration fixes in numbers, as placeholders."""
    return {name: value for name, value in config.items() if isinstance(value, int)}


def client_command(load, values):
    """The command of a workload's words: the first is a client's name, or a program."""
    words = CLIENTS.get(load[0], load[:1]) + load[1:]
    if load[0] == "{bench}":
        words = words + ["https://127.0.0.1:{port}"]
    return fill(words, values)


def times_of(told):
    """Latencies in milliseconds; of ticks their distance from the grid. Of ticks and topics also what share was lost."""
    ticks = told.get("ticks", {})
    times = ticks.get("distance_us", told.get("latency_us", {}))
    values = {name: times[name] / 1e3 for name in ("p50", "p99") if name in times}
    if "p99_9" in ticks.get("distance_us", {}):
        values["p99_9"] = times["p99_9"] / 1e3
        lost = ticks["sent_lost"] + ticks["received_lost"]
        values["lost"] = 100 * lost / (ticks["sent"] + ticks["received"] + ticks["received_lost"])
    if "fan_out" in told:
        fan_out = told["fan_out"]
        values["p99_9"] = times["p99_9"] / 1e3
        values["lost"] = 100 * fan_out["lost"] / (fan_out["delivered"] + fan_out["lost"])
    return values


def values_of(workload, told, before, after, seconds):
    """The figures of a run: of what the client told, and the server's usage around the measured time."""
    server = told.get("server")
    if server:
        cpu = {"user": server["user_seconds"], "system": server["system_seconds"]}
        resident, highest = server["resident_bytes"], server["highest_resident_bytes"]
    elif "user_seconds" in told:  # the floor's own
        cpu = {"user": told["user_seconds"], "system": told["system_seconds"]}
        resident = highest = told["highest_resident_bytes"]
    else:
        cpu = {"user": after.user - before.user, "system": after.system - before.system}
        resident, highest = after.resident, after.highest
    count = workload["count"]
    sessions = told.get("settings", {}).get("sessions", 1)
    if count == "idle":
        count = told["operations"] * told["seconds"]
    elif isinstance(count, str):
        # The floor counts in bytes, whatever the others call that.
        count = told.get(count, told.get("bytes", 0))
    if count <= 0:
        raise Failure("nothing was done within the measured time")
    scale = 1e9 if workload["unit"] == "GB" else 1
    factor = 1 if workload["unit"] == "GB" else 1e6  # seconds for a GB, microseconds for the rest
    values = {name: factor * spent / (count / scale) for name, spent in cpu.items()}
    values["cpu"] = values["user"] + values["system"]
    if workload["count"] != "idle":
        values["rate"] = count / scale / told.get("seconds", seconds)
    values["peak"] = highest / 1e6
    if workload["count"] == "idle":
        values["memory"] = (resident - before.resident) / sessions / 1e3
    values.update(times_of(told))
    return values


class Bench:
    def __init__(self, options, config):
        self.options = options
        self.config = config
        self.build = pathlib.Path(options.build).resolve()
        self.out = self.build / "bench"
        self.logs = self.out / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.runs = []
        self.values = {"root": ROOT, "build": self.build, "out": self.out, **numbers_of(config)}

    # --- Set-up ---

    def certificate(self):
        """Made anew, so that it is never too old."""
        cert, key = self.out / "cert.pem", self.out / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "10", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
                       check=True, stderr=subprocess.DEVNULL)
        der = ssl.PEM_cert_to_DER_cert(cert.read_text("ascii"))
        self.values.update(cert=cert, key=key, hash=hashlib.sha256(der).hexdigest())

    def set_up(self, servers):
        """Installs what the servers are; one may name another, which installs it too."""
        setups = {name: spec["setup"] for name, spec in self.config["servers"].items() if "setup" in spec}
        for server in dict.fromkeys(setups[name] if isinstance(setups.get(name), str) else name for name in servers):
            setup = setups.get(server)
            if not setup:
                continue
            for folder in ("interop/rust", "interop/aioquic", "interop/envoy"):
                (self.build / folder).mkdir(parents=True, exist_ok=True)
            log_path = self.logs / f"{server}-setup.log"
            with open(log_path, "wb") as log:
                status = subprocess.run(fill(setup["command"], self.values), cwd=ROOT / setup["folder"], stdout=log,
                                        stderr=log, check=False,
                                        env=dict(os.environ, **setup.get("environment", {}))).returncode
            if status != 0:
                sys.stderr.write(log_path.read_text("utf-8", "replace")[-3000:])
                raise SystemExit(f"setting up {server} failed")

    def lacks(self, server):
        """What was not built that this server needs, or None: a cipher of the floor, an option of the tool."""
        option, cipher = (self.config["servers"][server].get(name) for name in ("option", "cipher"))
        if cipher:
            there = subprocess.run([self.out / "floor", "--cipher", "list"], capture_output=True, text=True, check=True)
            return None if cipher in there.stdout.split() else cipher
        if not option:
            return None
        text = subprocess.run([self.build / "webtransport", "serve", "--help"], capture_output=True, text=True,
                              check=True).stdout
        return None if option in text else option

    # --- One run ---

    def run_values(self, name, server):
        """The placeholders of a run."""
        workload = self.config["workloads"][name]
        settings = dict(self.config, **self.config["servers"][server].get("instead", {}))
        milliseconds = round(1000 * self.config["seconds"] * workload.get("times", 1))
        values = dict(self.values, milliseconds=milliseconds,
                      warmup=round(1000 * self.config["warmup_seconds"] * workload.get("warmup_times", 1)),
                      free_port=measure.free_port(),
                      cipher=self.config["servers"][server].get("cipher", ""))
        values.update(numbers_of(settings))
        cores = self.config["cores"]
        values.update(server_core=cores["server"][0], client_core=cores["client"][0])
        return values

    def run_once(self, name, server):
        """Starts the server, drives it, and returns the values."""
        workload, spec = self.config["workloads"][name], self.config["servers"][server]
        values, cores = self.run_values(name, server), self.config["cores"]
        load = workload["load"][spec["family"]]
        log = self.logs / f"{name}-{server}"
        if spec["family"] == "floor":
            return self.run_client(workload, load, values, None, log, cores["both"])
        process = measure.Process(fill(spec["command"], values), cores[spec.get("cores", "server")], self.out,
                                  f"{log}-server.log", {"PYTHONUNBUFFERED": "1"})
        quota = None
        try:
            values["port"] = process.wait_port(spec.get("ready"), values["free_port"])
            if values["port"] is None:
                raise Failure(f"the server did not become ready: {process.last_words()}")
            values["pid"] = process.pid
            if "quota" in workload:
                quota = measure.Quota(process.pid, workload["quota"])
            client_cores = cores[workload.get("client_cores", spec.get("client_cores", "client"))]
            found = self.run_client(workload, load, values, process, log, client_cores)
            if process.process.poll() is not None:
                raise Failure(f"the server died: {process.last_words()}")
            return found
        finally:
            process.stop()
            if quota:
                quota.close()

    def run_client(self, workload, load, values, server, log, cores):
        before = measure.usage(server.pid) if server else None
        threads = measure.thread_times(server.pid) if server else {}
        machine, begun = measure.machine_times(), time.monotonic()
        client = measure.Process(client_command(load, values), cores, self.out, f"{log}-client.log",
                                 watched=server.pid if server else None)
        status = client.wait(values["milliseconds"] / 1000 + workload.get("spare_seconds", SPARE_SECONDS))
        passed = time.monotonic() - begun
        steal = summary.steal_percent(machine, measure.machine_times())
        if status != 0:
            raise Failure(f"the client's status is {status}: {client.last_words()}")
        after = measure.usage(server.pid) if server else None
        busiest = max((late - threads.get(thread, 0) for thread, late in
                       (measure.thread_times(server.pid) if server else {}).items()), default=0)
        # A client that says when it begins and ends to measure was looked at then.
        if "measuring" in client.lines:
            before, after = client.seen[client.lines.index("measuring")], client.seen[-1]
            client.lines.remove("measuring")
        text = "\n".join(client.lines)
        told = json.loads(text) if text.startswith("{") else {}
        workload = dict(workload, count=self.count_of(workload))
        found = values_of(workload, told, before, after, passed)
        if busiest > 0 and told.get("workload") == "setup":
            found["capacity"] = told["sessions"]["opened"] / busiest
        return found, steal

    @staticmethod
    def number_or_name(text):
        return int(text) if text.isdigit() else text

    def count_of(self, workload):
        return self.number_or_name(fill([workload.get("count", "operations")], self.values)[0])

    def run(self, name, server, number):
        """Measures once, and again if the machine's time was stolen; every try is kept, with its steal."""
        for attempt in range(1 + self.config["repeats"]):
            entry = {"workload": name, "server": server, "round": number, "attempt": attempt, "steal": 0.0}
            begun = time.monotonic()
            try:
                entry["values"], entry["steal"] = self.run_once(name, server)
            except (Failure, OSError, ValueError, KeyError) as error:
                entry["error"] = f"{type(error).__name__}: {error}" if not isinstance(error, Failure) else str(error)
            entry["seconds"] = time.monotonic() - begun
            self.runs.append(entry)
            stolen = summary.is_stolen(entry, self.config["steal_percent"])
            self.tell(entry, stolen)
            if not stolen:
                return

    def tell(self, entry, stolen):
        where = f"round {entry['round'] + 1}: {entry['workload']:16} {entry['server']:20}"
        if "error" in entry:
            print(f"{where} FAILED {entry['error']}", flush=True)
            return
        values, workload = entry["values"], self.config["workloads"][entry["workload"]]
        unit = "s" if workload["unit"] == "GB" else "us"
        line = f"{where} {values['cpu']:9.3f} {unit} a {workload['unit']}"
        if "rate" in values:
            line += f", {values['rate']:.4g} a second"
        if "memory" in values:
            line += f", {values['memory']:.1f} kB each"
        if stolen:
            line += f"; left out: {entry['steal']:.1f} % of the time was stolen"
        print(line, flush=True)

    # --- All of them ---

    def plan(self, without):
        """The cells, round by round; who goes first changes from round to round."""
        rounds = max([workload.get("rounds", self.config["rounds"]) for workload in self.config["workloads"].values()])
        for number in range(min(rounds, self.config["rounds"])):
            for name, workload in self.config["workloads"].items():
                if number >= workload.get("rounds", self.config["rounds"]) or not self.wanted("workload", name):
                    continue
                if "quota" in workload and not measure.Quota.is_there():
                    continue
                servers = [server for server in workload["servers"]
                           if server not in without and self.wanted("server", server)]
                turn = number % len(servers) if servers else 0
                for server in servers[turn:] + servers[:turn]:
                    yield number, name, server

    def wanted(self, kind, name):
        chosen = getattr(self.options, kind)
        return not chosen or name in chosen


def configuration(options, path):
    config = json.loads(path.read_text("utf-8"))
    quick = config.pop("quick")
    if options.quick:
        config.update(quick)
    if options.rounds:
        config["rounds"] = options.rounds
    for name in config["workloads"].values():
        name["title"] = fill([name["title"]], {key: f"{value:,}" for key, value in config.items()
                                               if isinstance(value, int)})[0]
    for kind in ("server", "workload"):
        for name in getattr(options, kind) or ():
            if name not in config[f"{kind}s"]:
                raise SystemExit(f"no {kind} is called {name}; there are: {', '.join(config[f'{kind}s'])}")
    return config


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round: whether it works, not how fast")
    parser.add_argument("--rounds", type=int, help="instead of the configuration's")
    parser.add_argument("--server", action="append", help="only this server (again for more)")
    parser.add_argument("--workload", action="append", help="only this workload (again for more)")
    parser.add_argument("--build", default=str(ROOT / "build"), help="where the tool and bench/ were built")
    parser.add_argument("--list", action="store_true", help="print what would be run, and run nothing")
    parser.add_argument("--report", metavar="FILE", help="measure nothing: write the page from these results")
    parser.add_argument("--markdown", metavar="FILE",
                        help="the page to write (default: docs/benchmarks.md, unless the run is partial or quick)")
    options = parser.parse_args(arguments)
    options.partial = bool(options.quick or options.server or options.workload)
    if not options.markdown and not options.partial:
        options.markdown = str(ROOT / "docs/benchmarks.md")
    return options


def write_page(options, results):
    if not options.markdown:
        print(report.page_part(results))
        return
    page = pathlib.Path(options.markdown)
    report.page_write(page, report.page_part(results))
    report.plots_write(page.parent / page.stem, results)
    print(f"bench: wrote {page} and its plots")


def main(make=Bench, path=HERE / "config.json", write=write_page, results_name="results.json"):
    options = parse(None)
    if options.report:
        write(options, json.loads(pathlib.Path(options.report).read_text("utf-8")))
        return 0
    bench = make(options, configuration(options, path))
    servers = list(dict.fromkeys(server for _, _, server in bench.plan(set())))
    without = {server: bench.lacks(server) for server in servers if bench.lacks(server)}
    plan = list(bench.plan(without))
    if options.list:
        print("\n".join(f"round {number + 1}: {name} {server}" for number, name, server in plan))
        return 0
    for server, what in sorted(without.items()):
        print(f"bench: {server} is left out: what was built has no {what}")
    bench.set_up([server for server in servers if server not in without])
    bench.certificate()
    begun = time.monotonic()
    try:
        for number, name, server in plan:
            bench.run(name, server, number)
    except KeyboardInterrupt:
        print("bench: interrupted; the results so far:")
    results = {"config": bench.config, "machine": measure.machine(), "runs": bench.runs, "partial": options.partial,
               "seconds": time.monotonic() - begun}
    (bench.out / results_name).write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(f"bench: {len(bench.runs)} runs in {results['seconds']:.0f} s; {bench.out / results_name}")
    write(options, results)
    failed = sum("error" in run for run in bench.runs)
    if failed:
        print(f"bench: {failed} runs failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
