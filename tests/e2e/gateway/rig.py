# SPDX-License-Identifier: MIT
"""What the gateway's test is made of: the gateway as a process, clients (`webtransport connect`), and back ends on
threads of this one. Waiting always has a condition and a deadline that nothing here needs."""

import collections
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

DEADLINE_S = 60

checks = collections.Counter()


def run_tests(tests):
    """The main function of a test program: TOOL FOLDER [NAME...]."""
    tool, folder, names = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
    os.makedirs(folder, exist_ok=True)
    folder = tempfile.mkdtemp(dir=folder)  # sockets of an earlier run must not be in the way
    for test in tests:
        if names and test.__name__ not in names:
            continue
        print(f"-- {test.__name__}", flush=True)
        test(tool, folder)
    print(f"{checks['good'] + checks['bad']} checks, {checks['bad']} failed")
    return 1 if checks["bad"] or not checks["good"] else 0


def check(what, good, found=""):
    checks["good" if good else "bad"] += 1
    print(f"{'ok  ' if good else 'FAIL'} {what}" + ("" if good else f": {str(found)[:600]}"), flush=True)
    return good


def wait_for(what, condition, seconds=DEADLINE_S):
    """Waits until `condition` returns something true, which this returns."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    check(what, False, "it did not happen")
    return None


def abort_with_rst(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


class Backend:
    """A listening socket. `serve(conn, backend)` runs on a thread for each connection; what it does with the socket
    at the end is `ends`: "eof", "reset", or what it returned."""

    def __init__(self, serve, path=None, backlog=1024):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.socket.listen(backlog)
        self.url = f"unix:{path}" if path else f"tcp://127.0.0.1:{self.socket.getsockname()[1]}"
        self.serve = serve
        self.ends = []
        self.open = 0
        self.go = threading.Event()  # for what a test lets happen later
        self.noted = {}
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.connection, args=(conn,), daemon=True).start()

    def connection(self, conn):
        self.open += 1
        try:
            end = self.serve(conn, self)
        except ConnectionResetError:
            end = "reset"
        except OSError as error:
            end = error.strerror
        try:
            conn.close()
        except OSError:
            pass
        self.open -= 1
        self.ends.append(end or "eof")

    def close(self):
        self.socket.close()


# AddressSanitizer keeps up to 256 MiB of freed memory, which would count where a test measures.
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=4"]))}


class Gateway:
    def __init__(self, tool, *arguments, prefix=()):
        self.tool = tool
        self.process = subprocess.Popen(
            [*prefix, tool, "gateway", "--json", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"FAIL the gateway did not start: {self.process.stderr.read()}")
        self.ready = json.loads(line)
        self.port = int(self.ready["listen"][0].rsplit(":", 1)[1])
        self.sessions, self.log = [], []
        for stream, take in ((self.process.stdout, lambda text: self.sessions.append(json.loads(text))),
                             (self.process.stderr, self.log.append)):
            threading.Thread(target=self.read, args=(stream, take), daemon=True).start()

    @staticmethod
    def read(stream, take):
        for line in stream:
            take(line)

    def url(self, path):
        return f"https://127.0.0.1:{self.port}{path}"

    def arguments(self, path, *options):
        return [self.tool, "connect", "--insecure-hash", self.ready["certificate_sha256"], *options, self.url(path)]

    def connect(self, path, data=b"", *options, wait=DEADLINE_S):
        """Runs a client to its end: (status, output, messages)."""
        result = subprocess.run(self.arguments(path, "--binary", *options), input=data, capture_output=True,
                                timeout=wait, check=False)
        return result.returncode, result.stdout, result.stderr.decode()

    def client(self, path, *options):
        """A client that runs beside the test."""
        return subprocess.Popen(self.arguments(path, "--binary", "-q", *options), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def failure(self, path, *options):
        """The message about a stream that fails. The client then waits, so that nothing depends on time."""
        client = self.client(path, "--wait", "60s", *options)
        client.stdin.write(b"x")
        client.stdin.flush()
        message = client.stderr.readline().decode()
        client.send_signal(signal.SIGINT)  # which closes the session
        client.wait(DEADLINE_S)
        return message

    def metrics_text(self, accept="*/*"):
        with socket.create_connection(("127.0.0.1", self.ready["http_port"]), DEADLINE_S) as conn:
            conn.sendall(f"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n"
                         "Connection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: conn.recv(65536), b"")).decode()

    def metrics(self):
        """The counts as {"sessions_total /path": 1}."""
        found, pattern = {}, r"^webtransport_gateway_(\w+)\{([^}]*)\} ([\d.]+)$"
        for name, labels, value in re.findall(pattern, self.metrics_text(), re.M):
            names = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            found[" ".join([name, names["route"]] + ([names["code"]] if "code" in names else []))] = float(value)
        return found

    def session(self, path, count=1):
        """The access log's line number `count` of the sessions of a route."""
        def find():
            lines = [line for line in self.sessions if line["route"] == path and "cause" in line]
            return lines[count - 1] if len(lines) >= count else None
        return wait_for(f"line {count} of {path} in the access log", find) or collections.defaultdict(str)

    def refused(self, path, status, **wanted):
        """The access log's line of a request that was refused."""
        def find():
            return next((line for line in self.sessions if line["path"] == path and line["status"] == status and
                         all(line[name] == value for name, value in wanted.items())), None)
        return wait_for(f"a line with {status} of {path} in the access log", find) or collections.defaultdict(str)

    def logged(self, part):
        return wait_for(f"'{part}' in the log", lambda: next((line for line in self.log if part in line), None)) or ""

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def memory_kb(self, highest=False):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(rf"{'VmHWM' if highest else 'VmRSS'}:\s+(\d+)", status.read())[1])

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def end_at_once(self):
        """Ends it with whatever is open, which two signals do."""
        self.process.send_signal(signal.SIGTERM)
        self.logged("SIGTERM")
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)

    def end(self):
        """Ends it in order; sessions of clients that were killed are not waited for."""
        left = any(value for name, value in self.metrics().items() if name.startswith("sessions_open"))
        self.process.send_signal(signal.SIGTERM)
        if left:
            self.logged("SIGTERM")
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "it did not end"
