#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of what bench/run.py makes of its measurements: the rule for steal, medians, ratios, tables, plots."""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import types
import unittest

sys.dont_write_bytecode = True

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "gateway"))

import measure
import page
import report
import run
import summary

STAT = "812 (a (strange) name) S 1 812 812 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 3 0 100 1000 200 0"
STATUS = "Name:\ta\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t3\n"


def entry(server, number, cpu, steal=0.0, workload="w", **values):
    return {"workload": workload, "server": server, "round": number, "attempt": 0, "steal": steal,
            "values": dict(values, cpu=cpu)}


class Arithmetic(unittest.TestCase):
    def test_median(self):
        self.assertEqual(summary.median([3, 1, 2]), 2)
        self.assertEqual(summary.median([4, 1, 2, 3]), 2.5)
        self.assertIsNone(summary.median([]))

    def test_steal_is_a_share_of_all_that_passed(self):
        before = [100, 0, 100, 100, 0, 0, 0, 10, 50, 0]
        self.assertEqual(summary.steal_percent(before, [150, 0, 120, 120, 0, 0, 0, 20, 99, 0]), 10)
        self.assertEqual(summary.steal_percent(before, before), 0)

    def test_the_rule_for_steal_has_a_sharp_bound(self):
        self.assertFalse(summary.is_stolen({"steal": 3.0}, 3))
        self.assertTrue(summary.is_stolen({"steal": 3.01}, 3))

    def test_usage_of_a_process_with_a_strange_name(self):
        usage = measure.usage_parse(STAT, STATUS)
        self.assertEqual((usage.user, usage.system), (150 * measure.TICK, 50 * measure.TICK))
        self.assertEqual((usage.resident, usage.highest), (1 << 20, 2 << 20))


    def test_usage_has_the_processes_that_were_started(self):
        script = "x=0; while [ $x -lt 200000 ]; do x=$((x+1)); done; echo; read y"
        with subprocess.Popen(["sh", "-c", f"sh -c '{script}'; read z"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as parent:
            parent.stdout.readline()
            while_it_lives = measure.usage(parent.pid).user
            parent.stdin.write(b"\n")
            parent.stdin.flush()
            while measure.children(parent.pid):
                pass
            self.assertGreater(while_it_lives, 0)
            self.assertGreaterEqual(measure.usage(parent.pid).user, while_it_lives)
            parent.stdin.close()


class Gateways(unittest.TestCase):
    def test_latency_added_is_what_the_back_end_alone_does_not_have(self):
        runs = [entry("direct", 0, 1, p50=1.0, p99=9.0), entry("direct", 1, 1, p50=1.25, p99=2.0),
                entry("ours", 0, 1, p50=1.5, p99=2.25), entry("ours", 1, 1, p50=1.75, workload="v"),
                {"workload": "w", "server": "ours", "round": 0, "steal": 0, "error": "it died"}]
        found = page.added(runs)
        self.assertEqual((found[2]["values"]["added_p50"], found[2]["values"]["added_p99"]), (0.5, 0.25))
        self.assertNotIn("added_p50", found[0]["values"])
        self.assertNotIn("added_p50", found[3]["values"])
        self.assertEqual(found[4]["error"], "it died")

    def test_the_page_has_a_row_for_each_target(self):
        config = json.loads((run.HERE / "gateway/config.json").read_text("utf-8"))
        runs = [entry(server, 0, 2.0 if server == "ours" else 5.0, workload="up", user=1.0, system=1.0)
                for server in config["workloads"]["up"]["servers"]]
        text = page.part({"config": config, "machine": {"date": "", "processor": "", "cores": 2, "kernel": ""},
                          "runs": runs, "seconds": 60, "partial": True})
        self.assertIn("| for a GB to the back end | at most 0.5 | 0.40 (0.40 to 0.40) |", text)
        self.assertEqual(text.count("not measured"), 3 * (len(config["targets"]) - 1))
        self.assertIn("#### Bulk to the back end", text)
        self.assertNotIn("#### Latency", text)

    def test_each_workload_has_a_load_for_each_of_its_servers(self):
        config = json.loads((run.HERE / "gateway/config.json").read_text("utf-8"))
        for workload in config["workloads"].values():
            for server in workload["servers"]:
                self.assertIn(config["servers"][server]["family"], workload["load"])


class Rounds(unittest.TestCase):
    def setUp(self):
        self.summary = summary.Summary([
            entry("ours", 0, 1.0), entry("ours", 1, 2.0), entry("ours", 2, 900.0, steal=50), entry("ours", 2, 3.0),
            entry("go", 0, 10.0), entry("go", 1, 4.0),
            {"workload": "w", "server": "go", "round": 2, "attempt": 0, "steal": 0, "error": "it died"},
        ], 3)

    def test_a_stolen_run_is_left_out_whatever_it_showed(self):
        self.assertEqual(self.summary.cell("w", "ours", "cpu"), (2.0, 1.0, 3.0, 3))
        self.assertEqual(self.summary.left_out("w", "ours"), 1)

    def test_memory_is_the_same_in_a_stolen_run(self):
        stolen = summary.Summary([entry("ours", 0, 1.0, steal=50, memory=60.0), entry("go", 0, 4.0, memory=120.0)], 3)
        self.assertIsNone(stolen.ratio("w", "ours", "go", "cpu"))
        self.assertEqual(stolen.ratio("w", "ours", "go", "memory"), (0.5, 0.5, 0.5))

    def test_a_failed_run_has_no_figures_and_is_told(self):
        self.assertEqual(self.summary.cell("w", "go", "cpu"), (7.0, 4.0, 10.0, 2))
        self.assertEqual(self.summary.errors("w", "go"), ["it died"])

    def test_a_ratio_is_of_the_medians_and_its_range_of_rounds_with_both(self):
        whole, low, high = self.summary.ratio("w", "ours", "go", "cpu")
        self.assertAlmostEqual(whole, 2.0 / 7.0)
        self.assertEqual((low, high), (0.1, 0.5))

    def test_no_ratio_to_what_was_not_measured(self):
        self.assertIsNone(self.summary.ratio("w", "ours", "nobody", "cpu"))
        self.assertIsNone(self.summary.ratio("w", "ours", "go", "memory"))

    def test_targets_in_both_directions(self):
        target = {"workload": "w", "server": "ours", "than": "go", "value": "cpu"}
        self.assertEqual(self.summary.judge(dict(target, at_most=0.29))[1], "met")
        self.assertEqual(self.summary.judge(dict(target, at_most=0.28))[1], "missed")
        self.assertEqual(self.summary.judge(dict(target, at_least=0.28))[1], "met")
        self.assertEqual(self.summary.judge(dict(target, at_least=0.29))[1], "missed")
        self.assertEqual(self.summary.judge(dict(target, than="nobody", at_most=1))[1], "not measured")


class Values(unittest.TestCase):
    told = {"operations": 2000, "seconds": 2.0, "bytes_received": 500000000, "settings": {"sessions": 10},
            "latency_us": {"count": 1, "p50": 1500, "p99": 3000},
            "server": {"user_seconds": 0.3, "system_seconds": 0.1, "resident_bytes": 5000000,
                       "highest_resident_bytes": 6000000}}
    before = measure.Usage(1.0, 1.0, 1000000, 1000000)
    after = measure.Usage(1.2, 1.1, 3000000, 4000000)

    def test_seconds_for_a_gigabyte(self):
        values = run.values_of({"unit": "GB", "count": "bytes_received"}, self.told, self.before, self.after, 9)
        self.assertAlmostEqual(values["cpu"], 0.8)
        self.assertAlmostEqual(values["rate"], 0.25)
        self.assertAlmostEqual(values["peak"], 6)

    def test_microseconds_for_a_message(self):
        values = run.values_of({"unit": "message", "count": "operations"}, self.told, self.before, self.after, 9)
        self.assertAlmostEqual(values["user"], 150)
        self.assertAlmostEqual(values["cpu"], 200)
        self.assertEqual((values["rate"], values["p50"], values["p99"]), (1000, 1.5, 3))

    def test_deliveries_and_what_was_lost(self):
        told = dict(self.told, fan_out={"delivered": 1900, "lost": 100}, latency_us={"p50": 500, "p99": 1500, "p99_9": 2500})
        values = run.values_of({"unit": "delivery", "count": "operations"}, told, self.before, self.after, 9)
        self.assertEqual((values["p50"], values["p99"], values["p99_9"], values["lost"]), (0.5, 1.5, 2.5, 5))

    def test_usage_around_a_client_that_tells_none_of_the_server(self):
        values = run.values_of({"unit": "GB", "count": 1000000000}, {}, self.before, self.after, 2)
        self.assertAlmostEqual(values["cpu"], 0.3)
        self.assertAlmostEqual(values["rate"], 0.5)
        self.assertAlmostEqual(values["peak"], 4)

    def test_memory_of_idle_sessions_is_what_they_added(self):
        values = run.values_of({"unit": "session and second", "count": "idle"}, dict(self.told, operations=10),
                               self.before, self.after, 9)
        self.assertAlmostEqual(values["memory"], 400)
        self.assertAlmostEqual(values["cpu"], 0.4e6 / 20)

    def test_nothing_done_is_a_failure(self):
        with self.assertRaises(run.Failure):
            run.values_of({"unit": "message", "count": "operations"}, dict(self.told, operations=0), self.before,
                          self.after, 9)

    def test_a_client_gets_its_options_before_those_of_the_workload(self):
        command = run.client_command(["{bench}", "--workload", "echo", "--x={seen}{not}"],
                                     {"build": "/b", "hash": "ab", "pid": 1, "port": 7, "milliseconds": 300, "warmup": 5,
                                      "dials": 2,
                                      "seen": "yes"})
        self.assertEqual(command[:4], ["/b/webtransport", "bench", "--insecure-hash", "ab"])
        self.assertEqual(command[-4:], ["--workload", "echo", "--x=yes{not}", "https://127.0.0.1:7"])
        self.assertIn("300ms", command)


class Plan(unittest.TestCase):
    def plan(self, **chosen):
        options = types.SimpleNamespace(**{"quick": False, "rounds": None, "server": None, "workload": None, **chosen})
        with tempfile.TemporaryDirectory() as folder:
            options.build = folder
            return list(run.Bench(options, run.configuration(options, run.HERE / "config.json")).plan({"ours-2"}))

    def test_another_server_begins_in_each_round(self):
        plan = self.plan(workload=["stream-echo"])
        first = [server for at, (_, _, server) in enumerate(plan) if at % 4 == 0]
        self.assertEqual(first[:4], ["ours", "webtransport-go", "web-transport-quinn", "aioquic"])
        self.assertEqual(len(plan), 5 * 4)

    def test_filters_and_what_is_left_out(self):
        self.assertEqual(self.plan(workload=["setup-new"], server=["ours", "ours-2"], quick=True),
                         [(0, "setup-new", "ours")])

    def test_what_is_set_up_once_for_several_servers(self):
        with tempfile.TemporaryDirectory() as folder:
            options = types.SimpleNamespace(build=folder)
            setup = {"folder": "bench", "command": ["sh", "-c", f"echo done >> {folder}/log"]}
            filters = types.SimpleNamespace(quick=False, rounds=None, server=None, workload=None)
            bench = run.Bench(options, dict(run.configuration(filters, run.HERE / "config.json"),
                                            servers={"a": {"setup": setup}, "b": {"setup": "a"}, "c": {}}))
            bench.set_up(["c", "b", "a"])
            with open(f"{folder}/log", encoding="ascii") as log:
                self.assertEqual(log.read(), "done\n")

    def test_a_free_port_is_bound_when_somebody_listens(self):
        port = measure.free_port()
        self.assertFalse(measure.port_is_bound(port))
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as server:
                server.bind(("127.0.0.1", port))
                if kind == socket.SOCK_STREAM:
                    self.assertFalse(measure.port_is_bound(port))
                    server.listen()
                self.assertTrue(measure.port_is_bound(port))

    def test_unknown_names_are_refused(self):
        with self.assertRaises(SystemExit):
            self.plan(server=["nobody"])

    def test_the_configuration_names_only_what_there_is(self):
        config = json.loads((run.HERE / "config.json").read_text("utf-8"))
        for name, workload in config["workloads"].items():
            for server in workload["servers"]:
                self.assertIn(config["servers"][server]["family"], workload["load"], f"{name}, {server}")
        for name, server in config["servers"].items():
            if isinstance(server.get("setup"), str):
                self.assertIsInstance(config["servers"][server["setup"]]["setup"], dict, name)
        for target in config["targets"]:
            servers = config["workloads"][target["workload"]]["servers"]
            self.assertTrue({target["server"], target["than"]} <= set(servers), target["title"])
            self.assertEqual(len({"at_most", "at_least"} & set(target)), 1)
        for plot in config["plots"]:
            self.assertTrue(set(plot["servers"]) <= set(report.COLOURS), plot["file"])
            self.assertTrue(set(plot["workloads"]) <= set(config["workloads"]), plot["file"])


class Page(unittest.TestCase):
    def setUp(self):
        self.results = {
            "config": {
                "rounds": 2, "seconds": 1, "warmup_seconds": 0.3, "steal_percent": 3, "repeats": 2,
                "cores": {"server": [1], "client": [0]},
                "servers": {"ours": {"name": "Ours", "version": "of this tree"}, "go": {"name": "Go", "version": "1"}},
                "workloads": {"w": {"title": "Work", "unit": "message", "servers": ["ours", "go"]}},
                "targets": [{"title": "per message", "workload": "w", "value": "cpu", "server": "ours", "than": "go",
                             "at_most": 0.25}],
                "plots": [{"file": "w.svg", "title": "Work", "axis": "us", "value": "cpu", "workloads": {"w": "work"},
                           "servers": ["ours", "webtransport-go"]}],
            },
            "machine": {"date": "2026-01-01", "processor": "P", "cores": 2, "kernel": "6", "compiler": "cc",
                        "quota": True},
            "runs": [entry("ours", 0, 2.0, rate=1234.0), entry("ours", 1, 4.0, rate=1000.0),
                     entry("go", 0, 10.0, rate=5.0), entry("go", 1, 99.0, steal=9, rate=5.0)],
            "partial": False, "seconds": 60.0,
        }

    def test_tables(self):
        part = report.page_part(self.results)
        self.assertIn("| per message | at most 0.25 | 0.30 (0.20 to 0.20) | **missed** |", part)
        self.assertIn("| Ours | 3.00 (2.00 to 4.00) |  | 1,117 |", part)
        self.assertIn("| Go | 10.0 | 3.33 | 5.00 |", part)
        self.assertIn("Go: 1 run left out for steal time.", part)

    def test_what_is_written_by_hand_stays(self):
        page = f"# Benchmarks\n\nBefore.\n\n{report.BEGIN}\nold\n{report.END}\n\nAfter.\n"
        merged = report.page_merge(page, "new\n")
        self.assertTrue(merged.startswith("# Benchmarks\n\nBefore.\n\n"))
        self.assertTrue(merged.endswith(f"{report.END}\n\nAfter.\n"))
        self.assertIn("\nnew\n", merged)
        self.assertNotIn("old", merged)
        self.assertEqual(report.page_merge(merged, "new\n"), merged)

    def test_a_page_without_markers_gets_the_part_at_its_end(self):
        self.assertTrue(report.page_merge("", "new\n").startswith("# Benchmarks\n\n<!-- bench: begin"))
        self.assertTrue(report.page_merge("# B\n\nText.\n", "new\n").startswith("# B\n\nText.\n\n<!-- bench: begin"))
        with self.assertRaises(ValueError):
            report.page_merge(report.BEGIN, "new\n")

    def test_a_plot_has_no_bar_for_what_was_not_measured(self):
        results = dict(self.results, runs=self.results["runs"] + [entry("webtransport-go", 0, 7.0)])
        results["config"]["servers"]["webtransport-go"] = {"name": "Go", "version": "1"}
        script = report.plot_script(results["config"]["plots"][0], results, summary.Summary(results["runs"], 3))
        self.assertIn('"work" 3 2 4 7 7 7', script)
        only = report.plot_script(results["config"]["plots"][0], self.results,
                                  summary.Summary(self.results["runs"], 3))
        self.assertIn('"work" 3 2 4\n', only)

    def test_numbers(self):
        self.assertEqual([report.number(value) for value in (1234.5, 99.94, 9.996, 0.1234, 0)],
                         ["1,234", "99.9", "10.00", "0.123", "0"])


if __name__ == "__main__":
    unittest.main()
