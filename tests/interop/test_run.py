#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The test of run.py itself: a runner that cannot fail a cell would show nothing.

A fake program plays both ends. Its server says that its "port" is its process id; its client sends that process
SIGUSR1, upon which the server prints the lines that the closing cases wait for.
"""
import contextlib
import io
import json
import os
import pathlib
import sys
import tempfile
import unittest

import run

FAKE = '''#!{python} -IS
import os, signal, sys, time
behaviour, role = {behaviour!r}, sys.argv[1]
def closed(*_):
    if behaviour != "mute":
        print("closed /echo?case=close-client 4294967295 bye \\u2713\\nclosed /echo?n=2 7 middle\\nclosed /echo?together=2 0 ",
              flush=True)
if role == "server":
    signal.signal(signal.SIGUSR1, closed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3 if behaviour == "finding" else 0))
    print("ready", os.getpid(), flush=True)
    while True: signal.pause()
server = int(sys.argv[sys.argv.index("--url") + 1].rsplit(":", 1)[1])
if behaviour == "hanging": signal.pause()
if behaviour == "killing":
    os.kill(server, signal.SIGKILL)
    while open(f"/proc/{{server}}/stat").read().rsplit(")", 1)[1].split()[0] != "Z": time.sleep(0.01)
else:
    os.kill(server, signal.SIGUSR1)
if behaviour == "failing":
    print("it went wrong", file=sys.stderr)
    sys.exit(1)
'''


# A gateway whose "port" is that of its server.
GATEWAY = '''#!{python} -IS
import json, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit({status}))
if {ready}: print(json.dumps({{"listen": [sys.argv[sys.argv.index("--route") + 1]]}}), flush=True)
while True: signal.pause()
'''


class RunTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.enterContext(contextlib.redirect_stdout(io.StringIO()))
        run.CLIENT_SECONDS, run.LINE_SECONDS, run.READY_SECONDS = 10, 1, 10

    def tearDown(self):
        self.folder.cleanup()

    def fake(self, path, behaviour):
        path.write_text(FAKE.format(behaviour=behaviour, python=sys.executable), "utf-8")
        path.chmod(0o755)
        return str(path)

    def run_peer(self, ours="good", theirs="good", cannot=None, arguments=()):
        """Runs the runner; returns the exit status and {role/case: result}."""
        peer = self.root / "peers/fake"
        peer.mkdir(parents=True, exist_ok=True)
        program = self.fake(peer / "program", theirs)
        native = self.fake(self.root / "native", ours)
        role = {"cannot": cannot or {}}
        (peer / "peer.json").write_text(json.dumps({
            "name": "fake", "language": "Python", "version": "1.0", "url": "https://example.com/", "setup": [],
            "server": dict(role, command=[program, "server", "--port", "{port}"]),
            "client": dict(role, command=[program, "client", "--url", "{url}", "--case", "{case}"]),
        }), "utf-8")
        options = run.parse(["--native", native, "--build", str(self.root / "build"), "--tally",
                             str(self.root / "tally"), *(arguments or ["--markdown", str(self.root / "table.md")])])
        runner = run.Runner(options, self.root / "peers")
        peers = runner.peers()
        results = runner.run(peers)
        status = run.report(options, peers, results)
        return status, {f"{role}/{case}": result for (_, role), cases in results.items()
                        for case, result in cases.items()}

    PLAIN = {role: {} for role in run.ROLES}

    def count(self):
        return sum(run.has_case(self.PLAIN, role, case) for role in run.ROLES for case in run.CASES)

    def failed(self, results):
        return {name for name, result in results.items() if result["result"] == "fail"}

    def test_all_pass(self):
        status, results = self.run_peer()
        self.assertEqual(status, 0)
        self.assertEqual(self.failed(results), set())
        self.assertEqual(len(results), self.count())
        tally = (self.root / "tally").read_text().splitlines()
        self.assertIn("pass interop/fake/server/pooling", tally)
        self.assertEqual(len(tally), self.count())
        self.assertIn("| pooling | passes | passes |", (self.root / "table.md").read_text())

    def test_failing_client(self):
        status, results = self.run_peer(theirs="failing")
        self.assertEqual(status, 1)
        self.assertEqual(self.failed(results), {f"client/{case}" for case in run.CASES
                                                 if run.has_case(self.PLAIN, "client", case)})
        self.assertIn("it went wrong", results["client/bidi"]["reason"])
        self.assertIn("fail interop/fake/client/bidi", (self.root / "tally").read_text())
        self.assertIn("| bidi | **fails** | passes |", (self.root / "table.md").read_text())

    def test_server_that_does_not_report(self):
        status, results = self.run_peer(ours="mute")
        self.assertEqual(status, 1)
        self.assertEqual(self.failed(results), {"client/close-client", "client/pooling"})

    def test_our_server_ends_badly(self):
        status, results = self.run_peer(ours="finding")
        self.assertEqual(status, 1)
        self.assertEqual({name.split("/")[0] for name in self.failed(results)}, {"client"})

    def run_through(self, status=0, ready=True):
        gateway = self.root / "gateway"
        gateway.write_text(GATEWAY.format(python=sys.executable, status=status, ready=ready), "utf-8")
        gateway.chmod(0o755)
        return self.run_peer(arguments=["--through", str(gateway)])

    def test_a_gateway_stands_between(self):
        status, results = self.run_through()
        self.assertEqual((status, self.failed(results)), (0, set()))
        self.assertEqual({name.split("/")[1] for name, result in results.items() if result["result"] == "cannot"},
                         set(run.through.CANNOT))

    def test_a_gateway_that_ends_badly(self):
        status, results = self.run_through(status=3)
        self.assertEqual(status, 1)
        self.assertIn("the gateway ended with 3", results["client/pooling"]["reason"])

    def test_a_gateway_that_does_not_begin(self):
        run.through.READY_SECONDS = 1
        _, results = self.run_through(ready=False)
        self.assertEqual(results["client/bidi"]["result"], "fail")

    def test_client_that_kills_the_server(self):
        _, results = self.run_peer(ours="killing")
        self.assertEqual(self.failed(results), {f"server/{case}" for case in run.CASES})

    def test_hanging_client(self):
        run.CLIENT_SECONDS = 1
        _, results = self.run_peer(ours="hanging", cannot={case: {"limitation": "none", "source": "https://example.com/"}
                                                           for case in run.CASES if case != "uni"})
        self.assertEqual(self.failed(results), {"server/uni"})

    def test_limitations(self):
        why = {"limitation": "has no resets", "source": "https://example.com/1"}
        status, results = self.run_peer(theirs="failing", cannot={"*": why})
        self.assertEqual({result["result"] for result in results.values()}, {"cannot"})
        self.assertEqual(status, 1, "nothing passed, so nothing was shown")
        self.assertIn("1. fake: has no resets ([source](https://example.com/1))",
                      (self.root / "table.md").read_text())

    def test_bad_limitations(self):
        with self.assertRaisesRegex(SystemExit, "unknown cases"):
            self.run_peer(cannot={"flying": {"limitation": "x", "source": "https://example.com/"}})
        with self.assertRaisesRegex(SystemExit, "its source"):
            self.run_peer(cannot={"uni": {"limitation": "x"}})

    def test_endpoint_section(self):
        peers = [{"id": "a", "name": "peer A", "version": "1", "language": "C"}]
        cells = [{"peer": "ours", "role": "client", "case": "handshake", "result": "pass"},
                 {"peer": "a", "role": "client", "case": "handshake", "result": "fail", "reason": "x"},
                 {"peer": "a", "role": "server", "case": "handshake", "result": "cannot", "limitation": "is deaf",
                  "source": "https://example.com/2"}]
        page = run.markdown(peers, {}, cells)
        self.assertIn("| case | both ends ours | peer A client | peer A server |", page)
        self.assertIn("| handshake | passes | **fails** | limitation 1 |", page)
        self.assertIn("1. peer A: is deaf ([source](https://example.com/2))", page)

    def test_filters(self):
        options = run.parse(["--role", "client", "--case", "uni"])
        cells = list(run.Runner(options).cells([{"client": {}, "server": {}}, {"server": {}}]))
        self.assertEqual([(role, case) for _, role, case in cells], [("client", "uni")])


if __name__ == "__main__":
    unittest.main()
