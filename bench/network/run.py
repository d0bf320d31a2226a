#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures servers over emulated links, side by side: bench/network/README.md says how. `make bench-network` builds what
this needs. conditions.toml names the links and the servers, and is fixed before a run.

Writes docs/networks.md (the part between its markers), the plots beside it, and build/bench/networks.json. Python 3.11,
nothing else.
"""
import argparse
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import tomllib

sys.dont_write_bytecode = True

import cell
import page

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SELF_TEST_SECONDS, SELF_TEST_TRIES = 3, 3
# Rate of the link, offered, at least to arrive: the highest rate that is measured, and how far the link is from its own limit.
SELF_TESTS = [(200_000_000, 220_000_000, 196_000_000), (2_000_000_000, 500_000_000, 300_000_000)]


def read_config():
    with open(HERE / "conditions.toml", "rb") as file:
        config = tomllib.load(file)
    config["conditions"] = [{**config["defaults"], **condition} for condition in config["conditions"]]
    return config


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "10", "-subj", "/CN=network", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def setup(build):
    """The other servers."""
    (build / "bench").mkdir(parents=True, exist_ok=True)
    subprocess.run(["go", "build", "-o", build / "bench/webtransport-go", "."], check=True,
                   cwd=ROOT / "bench/servers/webtransport-go", env=dict(os.environ, GOTOOLCHAIN="auto"))
    subprocess.run(["../cargo/setup.sh", build / "interop/rust"], check=True, cwd=ROOT / "tests/interop/rust")


def self_tests(tools):
    """What the link itself carries. Prints it, and fails if the link would be the limit."""
    found = []
    for rate, offered, least in SELF_TESTS:
        for _ in range(SELF_TEST_TRIES):  # the sender is an ordinary process, which a busy machine may hold up
            told, counts = cell.self_test(tools, rate, offered, SELF_TEST_SECONDS)
            if told["bits_per_second"] >= least:
                break
        told |= {"rate": rate, "offered": offered, "late_ms": counts["down"]["late_ms"]["p99"]}
        print(f"link of {rate / 1e6:.0f} Mbit/s, offered {offered / 1e6:.0f}: carried {told['bits_per_second'] / 1e6:.1f} Mbit/s, "
              f"delay {told['delay_ms']['p50']:.2f} ms, 99th percentile {told['delay_ms']['p99']:.2f} ms", flush=True)
        if told["bits_per_second"] < least:
            raise cell.Failure("the link carries less than its rate")
        found.append(told)
    return found


def plan(config, options):
    """(condition, server, seed), seed by seed, so that what changes on the machine meets all servers."""
    for condition in config["conditions"]:
        if options.condition and condition["name"] not in options.condition:
            continue
        for seed in range(1, options.seeds + 1):
            for server in config["servers"]:
                if not options.server or server in options.server:
                    yield condition, server, seed


def measure(tools, config, condition, server, seed):
    run = {"condition": condition["name"], "server": server, "seed": seed, "load": os.getloadavg()[0]}
    servers = [config["servers"][server]]
    if condition.get("kind") == "share":
        servers.append(config["servers"][condition["beside"]])
    try:
        run["told"], run["link"] = cell.run(tools, condition, servers, seed)
    except (cell.Failure, OSError) as error:
        run["failed"] = str(error)
    return run


def say(run, config):
    condition = next(one for one in config["conditions"] if one["name"] == run["condition"])
    what = run.get("failed") or page.one_line(run, condition)
    print(f"{run['condition']:14} {run['server']:20} seed {run['seed']}: {what}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--condition", action="append", help="only this one; may be repeated")
    parser.add_argument("--server", action="append", help="likewise")
    parser.add_argument("--seeds", type=int, help="how many, instead of the configuration's")
    parser.add_argument("--results", help="the file to write, instead of build/bench/networks.json")
    parser.add_argument("--keep", action="store_true", help="adds to the results that are there")
    parser.add_argument("--report", action="store_true", help="measures nothing: the page from the results that are there")
    parser.add_argument("--no-page", action="store_true", help="leaves docs/networks.md alone")
    parser.add_argument("--no-setup", action="store_true", help="the other servers are built already")
    parser.add_argument("--self-test", action="store_true", help="measures the link alone")
    parser.add_argument("--list", action="store_true", help="the runs, in their order")
    return parser.parse_args()


def results_read(path):
    return json.loads(path.read_text("utf-8")) if path.exists() else {"runs": []}


def main():
    options, config = arguments(), read_config()
    build = pathlib.Path(options.build).resolve()
    path = pathlib.Path(options.results or build / "bench/networks.json")
    options.seeds = options.seeds or config["seeds"]
    if options.list:
        for condition, server, seed in plan(config, options):
            print(condition["name"], server, seed)
        return 0
    results = results_read(path) if options.keep or options.report else {"runs": []}
    if not options.report:
        if not options.no_setup and not options.self_test:
            setup(build)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            certificate(folder)
            tools = {"folder": folder, "build": build, "out": build / "bench", "link": str(build / "bench/network_link"),
                     "blast": str(build / "bench/network_blast"), "client": str(build / "bench/network_client"),
                     "cert": folder / "cert.pem", "key": folder / "key.pem"}
            results["link"] = self_tests(tools)
            if options.self_test:
                return 0
            for condition, server, seed in plan(config, options):
                run = measure(tools, config, condition, server, seed)
                say(run, config)
                results["runs"].append(run)
                results |= {"conditions": config["conditions"], "servers": config["servers"], "late_ms": config["late_ms"],
                            "date": datetime.date.today().isoformat()}
                path.write_text(json.dumps(results), "utf-8")
    if not options.no_page:
        page.write(ROOT / "docs/networks.md", results)
    return 1 if any(run.get("failed") for run in results["runs"]) else 0


if __name__ == "__main__":
    sys.exit(main())
