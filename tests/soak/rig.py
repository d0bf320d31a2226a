# SPDX-License-Identifier: MIT
"""What a soak puts together on the loopback addresses: servers, a gateway, a bad link, and hostile strangers."""

import hashlib
import json
import os
import pathlib
import random
import shutil
import socketserver
import subprocess
import sys
import threading

from load import Standing
from processes import Failure, Program, Server, wait

HERE = pathlib.Path(__file__).resolve().parent
KIB, MIB = 1024, 1024 * 1024
NAMES = 10  # of the servers that fleet_client.c knows


class Echo(socketserver.ThreadingTCPServer):
    """What stands behind the gateway."""
    daemon_threads, allow_reuse_address, request_queue_size = True, True, 128

    class RequestHandlerClass(socketserver.BaseRequestHandler):
        def handle(self):
            try:
                while data := self.request.recv(65536):
                    self.request.sendall(data)
            except OSError:
                pass  # a client that was killed

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Rig:
    """`options`: see soak.py. `self.servers` are those that live as long as the soak, and whose readings are judged."""

    def __init__(self, options, folder):
        self.options, self.folder, self.tool = options, pathlib.Path(folder), options.tool
        self.random = random.Random(options.seed)
        self.servers, self.helpers, self.ended = [], [], []
        self.certificates = [self.make_certificate(name) for name in ("a", "b")]
        self.current, self.renewing = 1, threading.Lock()
        self.generation = None
        self.make_files()

    # --- files ---

    def make_certificate(self, name):
        made = subprocess.run([self.tool, "cert", "--json", "--out", self.folder / name], check=True, capture_output=True,
                              text=True)
        return json.loads(made.stdout)["sha256"]

    def renew(self):
        """As an authority's program does: the files are replaced, and nobody is told. The server watches them."""
        with self.renewing:
            self.current = 1 - self.current
            for end in ("key", "pem"):
                shutil.copyfile(self.folder / f"{'ab'[self.current]}.{end}", self.folder / f"new.{end}")
            for end in ("key", "pem"):
                os.replace(self.folder / f"new.{end}", self.folder / f"live.{end}")

    def make_files(self):
        (self.folder / "www").mkdir()
        self.file = self.random.randbytes(self.options.large)
        self.small = self.random.randbytes(100 * KIB)
        (self.folder / "www" / "file.bin").write_bytes(self.file)
        (self.folder / "www" / "index.html").write_text("<!DOCTYPE html><title>A page</title>\n", "ascii")
        self.renew()
        self.get = self.folder / "http3_get"
        self.compile(self.get, HERE.parent / "e2e" / "client" / "http3_get.c")

    @staticmethod
    def compile(out, source, *words):
        subprocess.run([os.environ.get("CC", "cc"), "-std=c17", "-D_GNU_SOURCE", "-O1", *words, "-o", out, source, "-ldl"], check=True)

    # --- programs ---

    def environment(self, name, leak):
        """With heap.c in it, which tells what the server's heap is. A sanitizer has a malloc of its own."""
        library, heap = self.folder / "heap.so", self.folder / f"{name}.heap"
        if self.options.sanitized:
            return None, None
        if not library.exists():
            self.compile(library, HERE / "heap.c", "-shared", "-fPIC", "-pthread")
        heap.write_bytes(bytes(8))
        return {**os.environ, "LD_PRELOAD": str(library), "HEAP_FILE": str(heap), **({"LEAK": leak} if leak else {})}, heap

    def server(self, name, command, leak=None):
        self.servers.append(Server(name, command, self.options.out / f"{name}.log", *self.environment(name, leak)))
        return self.servers[-1]

    def start(self):
        folder, live = self.folder, [self.folder / "live.pem", self.folder / "live.key"]
        self.serve = self.server("serve", [
            self.tool, "serve", "--json", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--workers", "2", "--cert", live[0],
            "--key", live[1], "--www", folder / "www", "--idle-timeout", f"{self.options.idle}s", "--topic-rate", "0",
            *[word for number in range(NAMES) for word in ("--protocol", f"server-{number}")]], self.options.leak)
        self.echo = Echo()
        self.gateway = self.server("gateway", [
            self.tool, "gateway", "--json", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--cert", folder / "a.pem", "--key",
            folder / "a.key", "--access-log", folder / "access.log", "--idle-timeout", f"{self.options.idle}s",
            "--route", f"/tcp=tcp://127.0.0.1:{self.echo.server_address[1]}", "--default", "max-sessions-per-address=1000"])
        self.start_helpers()
        self.take_over()

    def helper(self, *command):
        self.helpers.append(Program(*command))
        return self.helpers[-1]

    def url(self, path, port=None):
        return f"https://127.0.0.1:{port or self.serve.port}{path}"

    # --- a chain of servers, each of which takes over from the one before ---

    def take_over(self):
        number = int(self.generation.name.split("-")[1]) + 1 if self.generation else 0
        port = self.generation.port if self.generation else 0
        old, new = self.generation, Server(f"generation-{number}", [
            self.tool, "serve", "--json", "--listen", f"127.0.0.1:{port}", "--http", "none", "--workers", "2",
            "--cert", self.folder / "a.pem", "--key", self.folder / "a.key", "--takeover", self.folder / "takeover",
            "--takeover-drain", "--protocol", f"server-{number % NAMES}"], self.options.out / f"generation-{number % NAMES}.log")
        self.generation = new
        if old:
            wait(f"{old.name} ends by itself", lambda: not old.alive())
            self.note_end(old, old.end(None))

    def note_end(self, server, status):
        self.ended.append({"name": server.name, "status": status, "levels": dict(server.levels), "lines": list(server.kept)})

    # --- clients that stay ---

    def standing(self, name, port, count, movers):
        return Standing(name, self.options.fleet_client, port, count, movers, 500, *self.certificates)

    # --- faults ---

    def hang_up(self):
        """Not between the two files of a certificate: that is an error, rightly."""
        with self.renewing:
            self.serve.hang_up()

    def rotate_log(self):
        """As logrotate does."""
        path = self.folder / "access.log"
        os.replace(path, self.folder / "access.log.1")
        self.gateway.hang_up()
        wait("the gateway opens its access log again", path.exists)

    def rest(self):
        """Strangers go too, and come back later."""
        counts = []
        for helper in self.helpers:
            status = helper.end()
            if status or not helper.lines:
                raise Failure(f"{helper.process.args[:3]} ended with {status}")
            counts.append(json.loads(helper.lines.pop()))
        self.helpers = []
        return counts

    def start_helpers(self):
        seed = self.random.randrange(1 << 30)
        self.link = self.helper(sys.executable, "-B", HERE / "link.py", self.serve.port, seed)
        self.link_port = int(self.link.next_line().split()[1])
        self.helper(sys.executable, "-B", HERE / "strangers.py", self.tool, self.serve.port, seed)
        for server in self.servers:
            # A session that nobody closes makes the end of a server last for seconds.
            self.helper(self.options.hostile_client, server.port, seed, HERE.parents[1] / "fuzz" / "corpus" / "packets_server",
                        *(["closes"] if self.options.brief else []))

    def end(self):
        for server in [*self.servers, self.generation]:
            if server:
                self.note_end(server, server.end())
        self.generation = None

    def kill(self):
        for program in [*self.helpers, *self.servers, *([self.generation] if self.generation else [])]:
            program.kill()


def sha256(data):
    return hashlib.sha256(data).digest()
