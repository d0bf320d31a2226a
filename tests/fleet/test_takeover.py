#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""New servers take over from old ones while sessions exchange messages, and while new sessions begin.

    test_takeover.py --tool build/webtransport --client build/tests/fleet/takeover_client [--sessions 1000] [--rate 100]
                     [--steady 3] [--measure]

In this order, with --steady seconds between:

  1. gen-1 serves all sessions with two workers
  2. gen-2, with three workers, takes over; some sessions more stay there, and later with gen-3
  3. a server that cannot start (its port for the companion is taken) tries to take over: nothing changes
  4. gen-3, with one worker, takes over from gen-2 while gen-1 still has its sessions
  5. unless --measure is given, gen-4 takes over and is killed: gen-3 serves again, then gen-5 takes over from it

No session and no message may be lost; in step 5 only gen-4's own. All old servers end by themselves, with status 0. With
--measure the 99th percentile of the message time has to be below 50 ms. A line "count: ..." tells what was measured.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE = 100  # seconds, for what has no bound of its own: a busy machine is slow
P99_MS = 50


class Failure(Exception):
    pass


def wait(what, condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise Failure(f"{what}: not within {PATIENCE} s")
        time.sleep(0.02)


class Server:
    """`webtransport serve`, whose name is a subprotocol."""

    def __init__(self, test, name, workers, listen, *options):
        self.name = name
        self.log = test.folder / f"{name}.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [test.tool, "serve", "--json", "--listen", listen, "--workers", str(workers), "--protocol", name,
                 "--cert", test.folder / "takeover.pem", "--key", test.folder / "takeover.key",
                 "--takeover", test.folder / "socket", "--max-connections-per-address", "100000",
                 "--max-handshakes-per-address", "100000", *options],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        test.started.append(self.process)

    def ready(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"{self.name} ended with {self.process.wait()}: {self.log.read_text()}")
        return json.loads(line)

    def has_logged(self, words):
        return words in self.log.read_text()

    def ends(self):
        """Its status, once it has ended by itself."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} does not end: {self.log.read_text()}") from None


class Clients:
    def __init__(self, test, port, sessions, rate):
        self.status = {}
        self.process = subprocess.Popen([test.client, str(port), str(sessions), str(rate), test.hash],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        test.started.append(self.process)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.status = json.loads(line)

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def get(self, *names):
        value = self.status
        for name in names:
            value = value.get(name, {})
        return value or 0

    def check(self, what):
        for name in ("lost", "failed", "wrong"):
            if self.get(name):
                raise Failure(f"{what}: {self.get(name)} {name}")
        if self.process.poll() is not None:
            raise Failure(f"{what}: the clients ended with {self.process.returncode}")

    def end(self):
        self.process.stdin.close()
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure("the clients do not end") from None
        self.reader.join(PATIENCE)
        return status


class Test:
    def __init__(self, options):
        self.options = options
        self.tool, self.client = options.tool, options.client
        self.started = []

    def steady(self, clients, what):
        """For a while all goes well, and new sessions begin."""
        before = clients.get("back")
        time.sleep(self.options.steady)
        wait(f"{what}: messages come back", lambda: clients.get("back") > before)
        clients.check(what)

    def takes_over(self, clients, old, name, workers):
        new = Server(self, name, workers, self.listen, "--http", self.http)
        ready = new.ready()
        if ready["listen"] != [self.listen] or ready["http"] != f"http://{self.http}/":
            raise Failure(f"{name} listens elsewhere: {ready}")
        wait(f"new sessions come to {name}", lambda: clients.get("by_new", name) > 0)
        wait(f"{old.name} says so", lambda: old.has_logged("serves from now on"))
        self.steady(clients, f"after {name} has taken over")
        return new

    def stay(self, clients, name, count):
        clients.command(f"more {count}")
        wait("more sessions begin", lambda: clients.get("by", name) == count)

    def cannot_start(self, clients):
        """The new one gets the sockets, and then fails."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            failing = Server(self, "gen-6", 2, self.listen, "--http", "127.0.0.1:%d" % taken.getsockname()[1])
            if failing.ends() == 0 or not failing.has_logged("--http"):
                raise Failure(f"gen-6 should fail: {failing.log.read_text()}")
        self.steady(clients, "after a server has failed to take over")
        if clients.get("by_new", "gen-6"):
            raise Failure("a session came to gen-6")

    def is_killed(self, clients, gen_3):
        """gen-4 takes over and is killed. Sessions that stay are with older ones."""
        gen_4 = self.takes_over(clients, gen_3, "gen-4", 2)
        clients.command("loose")
        wait("the clients are told", lambda: clients.get("sessions") >= 0)
        time.sleep(0.5)
        before = clients.get("by_new", "gen-3")
        gen_4.process.send_signal(signal.SIGKILL)
        gen_4.process.wait()
        wait("gen-3 serves again", lambda: gen_3.has_logged("has died; this one serves again"))
        wait("new sessions come to gen-3", lambda: clients.get("by_new", "gen-3") > before)
        self.steady(clients, "after gen-4 was killed")
        return self.takes_over(clients, gen_3, "gen-5", 2)

    def run(self):
        gen_1 = Server(self, "gen-1", 2, "127.0.0.1:0", "--http", "127.0.0.1:0")
        ready = gen_1.ready()
        self.listen, self.http = ready["listen"][0], ready["http"].removeprefix("http://").rstrip("/")
        self.hash = ready["certificate_sha256"]
        clients = Clients(self, self.listen.rsplit(":", 1)[1], self.options.sessions, self.options.rate)
        wait("all sessions begin", lambda: clients.get("staying") == self.options.sessions)
        self.steady(clients, "before")
        began = time.monotonic()
        gen_2 = self.takes_over(clients, gen_1, "gen-2", 3)
        more = max(1, self.options.sessions // 10)
        self.stay(clients, "gen-2", more)
        self.cannot_start(clients)
        gen_3 = self.takes_over(clients, gen_2, "gen-3", 1)
        self.stay(clients, "gen-3", more)
        last = gen_3 if self.options.measure else self.is_killed(clients, gen_3)
        staying = self.options.sessions + 2 * more
        if clients.get("staying") != staying or clients.get("by", "gen-1") != self.options.sessions:
            raise Failure(f"sessions are missing: {clients.status}")
        took = time.monotonic() - began
        status = clients.end()
        if status or not clients.get("end"):
            raise Failure(f"the clients ended with {status}: {clients.status}")
        for old in {gen_1, gen_2, gen_3} - {last}:
            if old.ends():
                raise Failure(f"{old.name} ended with {old.process.returncode}: {old.log.read_text()}")
        last.process.send_signal(signal.SIGTERM)
        if last.ends():
            raise Failure(f"{last.name} ended with {last.process.returncode}: {last.log.read_text()}")
        if (self.folder / "socket").exists():
            raise Failure("the Unix socket was left behind")
        self.tell(clients, took, gen_1, gen_2, gen_3)
        return clients

    def tell(self, clients, took, *old):
        dropped = sum(int(n) for server in old for n in re.findall(r"(\d+) packets for another", server.log.read_text()))
        names = ("sent", "back", "lost", "failed", "wrong", "p50_ms", "p99_ms", "p999_ms", "longest_ms")
        figures = ", ".join(f"{name} {clients.get(name)}" for name in names)
        print(f"count: {self.options.sessions} sessions, {self.options.rate} new ones a second, {took:.1f} s: {figures}, "
              f"packets dropped between processes {dropped}, load {os.getloadavg()[0]:.1f}")

    def end(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, type=pathlib.Path)
    parser.add_argument("--client", required=True, type=pathlib.Path)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--steady", type=float, default=3)
    parser.add_argument("--measure", action="store_true")
    options = parser.parse_args()
    test = Test(options)
    with tempfile.TemporaryDirectory(prefix="takeover.") as folder:
        test.folder = pathlib.Path(folder)
        subprocess.run([options.tool, "cert", "--out", test.folder / "takeover"], check=True, stdout=subprocess.DEVNULL)
        try:
            clients = test.run()
            if options.measure and clients.get("p99_ms") >= P99_MS:
                raise Failure(f"the 99th percentile is {clients.get('p99_ms')} ms")
        except Failure as failure:
            print(f"not ok: {failure}")
            for log in sorted(test.folder.glob("*.log")):
                print(f"--- {log.name}")
                print("\n".join(line for line in log.read_text().splitlines() if "session" not in line))
            return 1
        finally:
            test.end()
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
