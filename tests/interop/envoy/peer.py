# SPDX-License-Identifier: MIT
"""Envoy as a peer of ../run.py: a proxy between our client and our server, in the role of a server.

The configuration is examples/envoy.yaml, with the ports and files of the run in it. All is bound to 127.0.0.1. What
our server prints is passed on, since it is our server that sees the ends of sessions.

The case `together` is about clients that share a connection. Whether they did, Envoy's statistics tell, and the line
that the runner waits for is passed on only then.
"""

import argparse
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

CONFIG = pathlib.Path(__file__).resolve().parents[3] / "examples/envoy.yaml"
READY_SECONDS = 15
END_SECONDS = 5
TOGETHER = "closed /echo?together="


def say(line):
    print(line, flush=True)


def configure(port, backend, cert, key):
    """The guide's configuration for this run. Each place must be found, or the guide would not be what is tested."""
    text = CONFIG.read_text("utf-8")
    for old, new in [
        ("port_value: 8443 }", f"port_value: {port} }}"),
        ("port_value: 4433 }", f"port_value: {backend} }}"),
        ("filename: cert.pem", f"filename: {cert}"),
        ("filename: key.pem", f"filename: {key}"),
        ("filename: backend.pem", f"filename: {cert}"),
    ]:
        if text.count(old) != 1:
            raise SystemExit(f"{CONFIG} has no, or more than one, '{old}'")
        text = text.replace(old, new)
    return text + "admin:\n  address:\n    socket_address: { address: 127.0.0.1, port_value: 0 }\n"


class Envoy:
    def __init__(self, program, folder, config):
        self.folder = pathlib.Path(folder)
        (self.folder / "envoy.yaml").write_text(config, "utf-8")
        self.process = subprocess.Popen(
            [program, "-c", "envoy.yaml", "--admin-address-path", "admin", "--disable-hot-restart", "--concurrency", "1",
             "--log-level", "warning"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=sys.stderr)

    def ask(self, path):
        host, port = (self.folder / "admin").read_text("ascii").rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=END_SECONDS)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def wait_port(self):
        """The port of the listener, once it has one. There is no event to wait for: Envoy writes a file."""
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                for listener in self.ask("/listeners?format=json").get("listener_statuses", []):
                    return listener["local_address"]["socket_address"]["port_value"]
            except (OSError, ValueError, KeyError):
                pass
            time.sleep(0.05)
        raise SystemExit(f"Envoy does not listen (its status is {self.process.poll()})")

    def upstream_connections(self):
        stats = self.ask("/stats?format=json&filter=^cluster.backend.upstream_cx_active$")["stats"]
        return next(stat["value"] for stat in stats if "value" in stat)


def end(process):
    """Ends it; returns its exit status."""
    process.terminate()
    try:
        return process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def pass_on(lines, envoy):
    """Our server's lines, until it ends."""
    for line in lines:
        line = line.rstrip("\n")
        if line.startswith(TOGETHER):
            try:
                count = envoy.upstream_connections()
            except OSError as error:
                count = error
            if count != 1:
                line = f"connections of the sessions: {count}; {line}"
        say(line)


def main():
    parser = argparse.ArgumentParser()
    for name in ("native", "build", "port", "cert", "key", "limits"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    server = subprocess.Popen([options.native, "server", "--port", "0", "--cert", options.cert, "--key", options.key,
                               "--limits", options.limits], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              encoding="utf-8", errors="replace")
    envoy = None
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    try:
        with tempfile.TemporaryDirectory(dir=options.build) as folder:
            ready = server.stdout.readline().split()
            if ready[:1] != ["ready"]:
                raise SystemExit("our server does not listen")
            envoy = Envoy(f"{options.build}/envoy", folder, configure(options.port, ready[1], options.cert, options.key))
            say(f"ready {envoy.wait_port()}")
            passing = threading.Thread(target=pass_on, args=(server.stdout, envoy))
            passing.start()
            while not stopping.wait(0.1):
                if envoy.process.poll() is not None:
                    raise SystemExit(f"Envoy ended with {envoy.process.returncode}")
    finally:
        if envoy:
            end(envoy.process)
        status = end(server)
    passing.join()
    return status


if __name__ == "__main__":
    sys.exit(main())
