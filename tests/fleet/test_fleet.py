#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Three servers of two workers each behind a balancer, and what happens to their clients when the fleet changes.

    test_fleet.py --tool build/webtransport --client build/tests/fleet/fleet_client [--clients 300] [--steady 10]

The clients (fleet_client.c) check each byte of streams and datagrams; a third of them change their address every second. In
this order, with --steady seconds between:

  1. the balancer is killed and started again
  2. the configuration of connection ids is rotated, and the old one is taken from the balancer
  3. a server is drained, ends, and is replaced by another one
  4. the configuration is rotated again
  5. a server is killed

Only the sessions of the killed server may end without having been asked to, by a stateless reset of the server that gets
their packets. A line "count: ..." tells what was measured.
"""

import argparse
import json
import os
import pathlib
import queue
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
START_SECONDS = 60  # for what has no bound of its own: a busy machine is slow
PACKETS_EACH = 10  # three rounds of a client, or more
RESET_SECONDS = 3
NOTICE_SECONDS = 0.5  # in which a balancer's health check sees that a server is dead
SERVER_ID_LEN, NONCE_LEN = 2, 8


class Failure(Exception):
    pass


def wait(what, seconds, condition):
    """Until condition() is true. There is no event to wait for: the lines of programs come on threads."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Program:
    """A program whose lines are kept, with the time at which they came."""

    def __init__(self, *command, errors=None):
        self.lines = queue.Queue()
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=errors, text=True, errors="replace", bufsize=1)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.on_line(line.rstrip("\n"))
        self.lines.put(None)

    def on_line(self, line):
        self.lines.put(line)

    def next_line(self):
        line = self.lines.get(timeout=START_SECONDS)
        if line is None:
            raise Failure(f"{self.process.args[0]} ended with {self.process.wait()}")
        return line

    def end(self, number=signal.SIGTERM):
        """Its status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Server(Program):
    def __init__(self, fleet, name, server_id):
        self.name, self.server_id, self.new, self.alive = name, server_id, True, True
        super().__init__(fleet.tool, "serve", "--json", "--listen", "127.0.0.1:0", "--http", "none", "--workers", "2",
                         "--cert", fleet.folder / "fleet.pem", "--key", fleet.folder / "fleet.key", "--protocol", name,
                         "--log", os.environ.get("FLEET_LOG", "warn"), *fleet.server_options(server_id), errors=fleet.log)
        self.port = int(json.loads(self.next_line())["listen"][0].rsplit(":", 1)[1])

    def row(self):
        return {"id": self.server_id.hex(), "port": self.port, "new": self.new, "alive": self.alive}


class Clients(Program):
    """fleet_client.c, and which sessions there are, by its lines."""

    def __init__(self, fleet, port, count, movers, interval_ms):
        self.sessions = {}  # client -> name of its server
        self.closed, self.wrong, self.failed, self.drains = [], [], [], 0
        self.resumed = 0
        self.summary = None
        super().__init__(fleet.client, port, count, movers, interval_ms, fleet.certificate_hash)

    def on_line(self, line):
        at, kind, rest = (line.split(" ", 2) + [""])[:3]
        words = rest.split()
        if kind == "open":
            self.sessions[words[0]] = words[1]
            self.resumed += words[2] == "resumed"
        elif kind == "drain":
            self.drains += 1
        elif kind == "closed":
            self.sessions.pop(words[0], None)
            self.closed.append({"at": float(at), "client": words[0], "server": words[1], "why": words[2],
                                "whole": words[3] == "complete", "line": line})
        elif kind == "failed":
            self.failed.append(line)
        elif kind == "wrong":
            self.wrong.append(line)
        elif kind == "end":
            self.summary = json.loads(rest)

    def on_server(self, name):
        return {client for client, server in list(self.sessions.items()) if server == name}

    def finish(self):
        self.process.stdin.close()
        wait("the clients finish their rounds", START_SECONDS, lambda: self.summary or self.process.poll() is not None)
        return self.process.wait(START_SECONDS)


class Fleet:
    def __init__(self, options, folder):
        self.tool, self.client, self.folder = options.tool, options.client, pathlib.Path(folder)
        self.log = open(self.folder / "log", "w+", encoding="utf-8")
        made = subprocess.run([self.tool, "cert", "--json", "--out", str(self.folder / "fleet")], check=True,
                              capture_output=True, text=True)
        self.certificate_hash = json.loads(made.stdout)["sha256"]
        self.has = subprocess.run([self.tool, "serve", "--help"], check=True, capture_output=True, text=True).stdout
        self.configs, self.servers, self.balancer, self.port = [], [], None, 0
        if self.routes:
            self.add_config()
        if self.shares_keys:
            (self.folder / "keys").write_text(f"current {secrets.token_hex(32)}\n", "ascii")
            (self.folder / "keys").chmod(0o600)

    @property
    def routes(self):
        return "--server-id" in self.has

    @property
    def shares_keys(self):
        return "--fleet-keys" in self.has

    def server_options(self, server_id):
        options = []
        if self.routes:
            options += ["--server-id", server_id.hex(), "--lb-config", self.folder / "lb-config"]
        if self.shares_keys:
            options += ["--fleet-keys", self.folder / "keys"]
        return options

    # --- configurations ---

    def add_config(self):
        """A new one, for the balancer at once. Servers get it by the file."""
        number = self.configs[-1]["config_id"] + 1 if self.configs else 0
        self.configs.append({"config_id": number, "server_id_len": SERVER_ID_LEN, "nonce_len": NONCE_LEN,
                             "key": secrets.token_hex(16)})
        config = self.configs[-1]
        given = {"layout": "quic-lb", "config_id": number, "nonce_length": NONCE_LEN, "key": config["key"]}
        (self.folder / "lb-config.new").write_text(json.dumps(given), "ascii")
        (self.folder / "lb-config.new").chmod(0o600)
        return config

    def give_config_to_servers(self):
        os.replace(self.folder / "lb-config.new", self.folder / "lb-config")
        for server in self.servers:
            if server.alive:
                server.process.send_signal(signal.SIGHUP)

    # --- the balancer ---

    def write_table(self):
        """Returns how many packets had ids of each configuration since the last time."""
        table = {"configs": self.configs, "servers": [server.row() for server in self.servers]}
        (self.folder / "table.new").write_text(json.dumps(table), "ascii")
        os.replace(self.folder / "table.new", self.folder / "table")
        if self.balancer:
            self.balancer.process.send_signal(signal.SIGHUP)
            return json.loads(self.balancer.next_line().removeprefix("table "))

    def start_balancer(self):
        self.balancer = Program(sys.executable, "-B", HERE / "balancer.py", self.port, self.folder / "table", errors=self.log)
        self.port = int(self.balancer.next_line().split()[1])

    def restart_balancer(self):
        self.balancer.end(signal.SIGKILL)
        self.start_balancer()

    # --- servers ---

    def add_server(self, name, server_id):
        self.servers.append(Server(self, name, server_id))
        return self.servers[-1]

    def end(self):
        for program in [*self.servers, *([self.balancer] if self.balancer else [])]:
            program.end(signal.SIGKILL)


class Run:
    def __init__(self, fleet, options):
        self.fleet, self.options, self.problems, self.counts = fleet, options, [], []
        self.killed = None

    def step(self, name):
        """Each is a line, with the time that the lines of clients have."""
        print(f"{time.monotonic():.3f} {name}", flush=True)

    def check(self, what, holds):
        if not holds:
            self.problems.append(what)

    def steady(self):
        time.sleep(self.options.steady)  # the fleet's time, not a wait for something
        self.check("a client ended", self.clients.process.poll() is None)
        self.check(f"{len(self.clients.sessions)} sessions", len(self.clients.sessions) == self.options.clients)

    def start(self):
        fleet = self.fleet
        if fleet.routes:
            os.replace(fleet.folder / "lb-config.new", fleet.folder / "lb-config")
        for number in range(3):
            fleet.add_server(f"server-{number}", bytes([0xa0 + number, 1]))
        fleet.write_table()
        fleet.start_balancer()
        movers = (self.options.clients // 3 if self.options.movers is None else self.options.movers) if fleet.routes else 0
        began = time.monotonic()
        self.clients = Clients(fleet, fleet.port, self.options.clients, movers, self.options.interval)
        wait("all clients have a session", START_SECONDS, lambda: len(self.clients.sessions) == self.options.clients)
        self.counts.append(f"{self.options.clients} sessions in {time.monotonic() - began:.1f} s")
        for server in fleet.servers:
            self.check(f"{server.name} has no sessions", self.clients.on_server(server.name))

    def rotate(self):
        """Balancers first, then servers; then nothing may depend on the old configuration."""
        fleet = self.fleet
        if not fleet.routes:
            return
        fleet.add_config()
        fleet.write_table()
        fleet.give_config_to_servers()
        began = time.monotonic()
        self.step("the servers have the new configuration")
        self.steady()
        fleet.write_table()
        old, self.others = fleet.configs[0]["config_id"], 0
        wait("no packet has an id of the old configuration", START_SECONDS, lambda: self.quiet(old))
        self.counts.append(f"all clients had ids of the new configuration after {time.monotonic() - began:.1f} s at most")
        self.step("the balancer forgets the old configuration")
        del fleet.configs[0]
        fleet.write_table()

    def quiet(self, config_id):
        """Whether others have come since the last packet with such an id, several of each client. By number and not by time:
        where the machine is busy a client may be silent for seconds, and then sends one all the same."""
        time.sleep(self.options.interval / 1000)
        packets = self.fleet.write_table()
        self.others = 0 if packets[config_id] else self.others + sum(packets)
        return self.others >= PACKETS_EACH * self.options.clients

    def drain(self):
        """Server 1 is to end: it gets no new clients, its own are asked to leave, and another one takes its place."""
        fleet, old = self.fleet, self.fleet.servers[1]
        had = len(self.clients.on_server(old.name))
        old.new = False
        fleet.write_table()
        began = time.monotonic()
        status = old.end(signal.SIGTERM)
        took = time.monotonic() - began
        self.check(f"the drained server ended with {status}", status == 0)
        old.alive = False
        if fleet.routes:  # by a hash of addresses, a new server would get packets of old sessions
            fleet.add_server("server-3", bytes([0xa3, 1]))
        fleet.write_table()
        wait("the drained server's clients are elsewhere", START_SECONDS,
             lambda: len(self.clients.sessions) == self.options.clients and not self.clients.on_server(old.name))
        left = max((row["at"] for row in self.clients.closed if row["server"] == old.name), default=began) - began
        self.counts.append(f"{had} sessions left a drained server within {left:.1f} s, which ended after {took:.1f} s")

    def kill(self):
        """Server 2 dies. The balancer notices a little later."""
        fleet, dead = self.fleet, self.fleet.servers[2]
        self.victims = self.clients.on_server(dead.name)
        self.killed, self.killed_at = dead.name, time.monotonic()
        dead.end(signal.SIGKILL)
        time.sleep(NOTICE_SECONDS)  # as long as a health check needs
        dead.alive = dead.new = False
        fleet.write_table()
        if not fleet.shares_keys:
            return
        wait("the killed server's sessions end", START_SECONDS, lambda: self.victims <= self.lost().keys())
        times = sorted(at - self.killed_at for at in self.lost().values())
        self.counts.append(f"{len(times)} sessions of a killed server ended {times[len(times) // 2]:.2f} s (median) and "
                           f"{times[-1]:.2f} s (last) after its end")
        self.check(f"a session of the killed server ended {times[-1]:.2f} s later", times[-1] <= RESET_SECONDS)

    def lost(self):
        """client -> when its session ended without having been asked to."""
        return {row["client"]: row["at"] for row in list(self.clients.closed) if row["why"] != "asked"}

    def judge(self):
        clients = self.clients
        for row in clients.closed:
            if row["server"] == self.killed and row["why"] != "asked":
                self.check(f"not by a stateless reset: {row['line']}", row["why"] == "network" or not self.fleet.shares_keys)
            else:
                self.check(f"a session was lost: {row['line']}", row["why"] == "asked" and row["whole"])
        for line in clients.wrong:
            self.problems.append(line)
        end = clients.summary
        self.check("no summary", end)
        if end:
            self.counts.append(f"{end['rounds']} streams of {end['bytes']} bytes came back, the slowest in {end['longest_ms']} "
                               f"ms, {end['slow_rounds']} in more than 1 s; {end['datagrams_back']} of "
                               f"{end['datagrams_sent']} datagrams; {end['rebinds']} changes of an address, "
                               f"{end['rebinds_skipped']} left out; "
                               f"{end['dials']} dials, {end['resumed']} resumed, {len(clients.failed)} failed")

    def all(self):
        self.start()
        for step in (self.fleet.restart_balancer, self.rotate, self.drain, self.rotate, self.kill):
            self.steady()
            self.step(step.__name__)
            step()
        if self.fleet.shares_keys:
            wait("all have a session again", START_SECONDS, lambda: len(self.clients.sessions) == self.options.clients)
            self.steady()
        status = self.clients.finish()
        self.check(f"the clients ended with {status}", status == 0)
        self.judge()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--client", required=True)
    parser.add_argument("--clients", type=int, default=300)
    parser.add_argument("--movers", type=int, help="those whose address changes; default: a third")
    parser.add_argument("--steady", type=float, default=10)
    parser.add_argument("--interval", type=int, default=1000, help="milliseconds between two rounds of a client")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        fleet = Fleet(options, folder)
        run = Run(fleet, options)
        try:
            run.all()
        except Failure as failure:
            run.problems.append(str(failure))
        finally:
            if hasattr(run, "clients"):
                run.clients.end(signal.SIGKILL)
            fleet.end()
        for count in run.counts:
            print(f"count: {count}")
        for problem in run.problems[:20]:
            print(f"FAIL {problem}")
        if run.problems:
            fleet.log.seek(0)
            print(fleet.log.read()[-4000:])
            if hasattr(run, "clients"):
                print("\n".join(run.clients.failed[-5:]))
    return 1 if run.problems else 0


if __name__ == "__main__":
    sys.exit(main())
