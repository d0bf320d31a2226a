#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`webtransport serve`: what its access log and its log in JSON say is compared with what clients did; /healthz while it drains.

    test_access_log.py TOOL FOLDER"""

import datetime
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

TOOL, FOLDER = os.path.abspath(sys.argv[1]), sys.argv[2]
WAIT = 30
checks = {"good": 0, "bad": 0}
names = iter(range(1000))


def check(what, good, found=""):
    checks["good" if good else "bad"] += 1
    print(f"{'ok  ' if good else 'FAIL'} {what}{'' if good else f': {found}'}", flush=True)


def wait_for(what, ask):
    """What `ask` returns once it is true."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = ask()
        if found:
            return found
        time.sleep(0.01)
    check(f"waited for {what}", False)
    return None


def parsed(text):
    """Each line, whole, by a parser that refuses a member that comes twice."""
    def once(pairs):
        assert len({name for name, _ in pairs}) == len(pairs), pairs
        return dict(pairs)
    return [json.loads(line, object_pairs_hook=once) for line in text.split("\n")[:-1]]


class Server:
    def __init__(self, *options, log=None, listen="127.0.0.1:0", http="localhost:0"):
        number = next(names)
        self.access = log or os.path.join(FOLDER, f"access.{number}")
        self.errors = os.path.join(FOLDER, f"errors.{number}")
        with open(self.errors, "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [TOOL, "serve", "--json", "--listen", listen, "--http", http, "--access-log", self.access,
                 "--log-format", "json", *options], stdout=subprocess.PIPE, stderr=errors, text=True)
        line = self.process.stdout.readline()
        self.ready = json.loads(line) if line else None
        if self.ready:
            self.port = self.ready["listen"][0].rsplit(":", 1)[1]
            self.url = f"https://127.0.0.1:{self.port}"

    def log(self):
        with open(self.errors, encoding="ascii") as errors:
            return parsed(errors.read())

    def raw(self, name=None):
        with open(name or self.access, "rb") as access:
            return access.read()

    def lines(self, count, name=None):
        """The first `count` lines of the access log."""
        wait_for(f"{count} lines", lambda: self.raw(name).count(b"\n") >= count)
        return parsed(self.raw(name).decode("ascii"))

    def http(self, path):
        try:
            with urllib.request.urlopen(self.ready["http"].rstrip("/") + path, timeout=WAIT) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def connect(self, path, *options, text="hello\n"):
        return subprocess.run([TOOL.encode(), b"connect", b"--quiet", b"--insecure-hash",
                               self.ready["certificate_sha256"].encode(), *options, self.url.encode() + path],
                              input=text.encode(), capture_output=True, timeout=WAIT, check=False)

    def get(self, path):
        subprocess.run(["gtlsclient", "--no-quic-dump", "--no-http-dump", "--exit-on-all-streams-close", "127.0.0.1", self.port,
                        self.url + path], capture_output=True, timeout=WAIT, check=False)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT)


def check_line(what, line, **wanted):
    wrong = {name: line.get(name, "missing") for name, value in wanted.items() if line.get(name, "missing") != value}
    check(what, not wrong, f"{wrong} in {line}")


def test_lines_say_what_clients_did():
    began = time.time()
    server = Server("--log", "debug", "--protocol", "chat")
    server.connect(b"/echo?token=secret", b"-H", b"user-agent: probe/1", b"-H", b"authorization: Bearer secret",
                   b"--close", b"7", b"--reason", b"bye")
    line = server.lines(1)[0]
    check_line("a session", line, kind="session", method="CONNECT", path="/echo", route="/echo", status=200, worker=0,
               user_agent="probe/1", origin=None, authority=f"127.0.0.1:{server.port}", bytes_in=6, bytes_out=6, streams_in=1,
               streams_out=0, datagrams_in=0, code=7, reason="bye", by="peer", cause="peer", clean=True, wire_code=None)
    check("its draft", line["draft"] in (2, 7, 13, 15), line)
    check("its client", re.fullmatch(r"127\.0\.0\.1:\d+", line["client"]), line)
    check("its time", re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]), line)
    at = datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp()
    check("its time is now", began - 1 < at < time.time() + 1, line)
    check("its duration", 0 < line["duration_ms"] < 1000 * (time.time() - began), line)
    server.connect(b"/close?code=9&reason=%0A%7B%22kind%22:%22forged%22%7D")
    line = server.lines(2)[1]
    check_line("a reason with a line break and quotes", line, code=9, reason='\n{"kind":"forged"}', by="local", path="/close")
    server.connect(b"/echo", b"--datagrams")
    line = server.lines(3)[2]
    check_line("datagrams", line, datagrams_in=1, datagrams_out=1, streams_in=0)
    server.connect(b"/nowhere?token=secret")
    check_line("no such endpoint", server.lines(4)[3], kind="session", status=404, path="/nowhere", wire_code=None)
    server.connect(b"/echo", b"-H", b"origin: https://elsewhere.example")
    check_line("a foreign origin", server.lines(5)[4], kind="session", status=403, origin="https://elsewhere.example", route="/echo")
    server.get("/index.html")
    line = server.lines(6)[5]
    check_line("a page", line, kind="request", method="GET", path="/index.html", route="/", status=200, bytes_in=0)
    check("its bytes", line["bytes_out"] > 1000, line)
    server.get("/missing?token=secret")
    check_line("no such page", server.lines(7)[6], kind="request", status=404, path="/missing")
    check("no secret is in the access log", b"secret" not in server.raw(), server.raw())
    recent = server.http("/sessions.json")[1]
    check("nor in /sessions.json", '"/echo"' in recent and "secret" not in recent, recent)
    check("nor in the log", "secret" not in json.dumps(server.log()), server.log())
    check("it ends well", server.end() == 0)
    # The same sessions in the log.
    opened = [record for record in server.log() if record["event"] == "session_opened"]
    access = [line for line in server.lines(7) if line["kind"] == "session" and line["status"] == 200]
    check("both logs name connections alike", [r["connection"] for r in opened] == [line["connection"] for line in access],
          (opened, access))
    check("and clients", [r["peer"] for r in opened] == [line["client"] for line in access], opened)
    check("and each line of the log has its event", all(r["event"] and r["level"] and r["message"] for r in server.log()))
    check("levels are words", {r["level"] for r in server.log()} <= {"error", "warn", "info", "debug"})


def test_clients_cannot_forge_lines():
    server = Server("--access-log-query", "--log", "debug")
    bytes_of = [bytes([byte]) for byte in range(1, 256) if byte not in (0x0a, 0x0d)]
    nasty = b'x"\\\x7f \xc2\x9b \xe2\x80\xa8 \xff\xc3 {"kind":"forged"}'
    server.connect(b"/echo?" + nasty.replace(b" ", b"+"), b"-H", b"user-agent: " + nasty)
    server.connect(b"/echo?a", b"-H", b"user-agent: " + b"".join(byte for byte in bytes_of if byte >= b"\x80"))
    server.connect(b"/echo?" + b"q" * 3000, b"-H", b"user-agent: " + b"u" * 3000)
    for reason in (b"%00", b"%0D%0A", b"%E2%80%A8", b"%1B%5B2J", b"%C2%9B"):
        server.connect(b"/close?code=1&reason=" + reason)
    recent = json.loads(server.http("/sessions.json")[1])["sessions"]
    check("/sessions.json has the query then, too", any(one["path"] == "/echo?a" for one in recent), recent)
    server.end()
    text = server.raw()
    lines = parsed(text.decode("ascii"))
    check("each line is printable ASCII", all(0x20 <= byte < 0x7f or byte == 0x0a for byte in text))
    check("there is one for each session", 4 <= len(lines) <= 8, len(lines))
    check("none is forged", all(line["kind"] in ("session", "request") for line in lines))
    check("each has a bound", max(map(len, text.split(b"\n"))) < 10000)
    check("the query is there when it is asked for", any(line["query"] == "a" for line in lines), lines)
    server.log()


def test_files_are_rotated():
    made = os.path.join(FOLDER, "certificate")  # SIGHUP would make another one
    subprocess.run([TOOL, "cert", "--out", made], check=True, capture_output=True)
    server = Server("--cert", made + ".pem", "--key", made + ".key")
    server.connect(b"/echo?1")
    server.lines(1)
    os.rename(server.access, server.access + ".1")
    for number in (signal.SIGUSR1, signal.SIGHUP):
        server.process.send_signal(number)
        wait_for("a new file", lambda: os.path.exists(server.access))
        server.connect(b"/sink")
        check_line(f"after {number.name} lines go to the new file", server.lines(1)[-1], path="/sink")
        check("the old one stays as it was", len(server.lines(1, server.access + ".1")) == 1)
        os.unlink(server.access)
    server.process.send_signal(signal.SIGUSR1)
    wait_for("a new file", lambda: os.path.exists(server.access))
    server.connect(b"/echo")
    server.lines(1)
    os.truncate(server.access, 0)
    server.connect(b"/sink")
    check_line("after copytruncate the file begins anew", server.lines(1)[0], path="/sink")
    check("it ends well", server.end() == 0)


def test_what_cannot_be_written():
    server = Server(log="/dev/full")
    for _ in range(3):
        done = server.connect(b"/echo")
        check("with a full disk sessions go on", done.stdout == b"hello\n", done)
    wait_for("the count", lambda: "\nwebtransport_log_lines_dropped_total 3\n" in server.http("/metrics")[1])
    check("lost lines are counted", json.loads(server.http("/stats.json")[1])["log_lines_dropped"] == 3)
    said = [record for record in server.log() if "No space left on device" in record["message"]]
    check("the log says it, not for each line", 1 <= len(said) <= 3 and said[0]["level"] == "error", said)
    server.end()
    for path in (FOLDER, os.path.join(FOLDER, "no", "folder")):
        done = subprocess.run([TOOL, "serve", "--http", "none", "--listen", "127.0.0.1:0", "--access-log", path],
                              capture_output=True, text=True, timeout=WAIT, check=False)
        check("a file that cannot be opened is said at the start", done.returncode == 1 and path in done.stderr, done)


def test_the_companion():
    server = Server()
    for path in ("/healthz", "/metrics", "/index.html?token=secret", "/missing"):
        server.http(path)
    page, missing = server.lines(2)
    check_line("a page of the companion", page, kind="request", http="1.1", method="GET", path="/index.html", status=200,
               authority=server.ready["http"][7:-1], connection=None, worker=None, route=None, error=None, bytes_in=0)
    check("its client and bytes", re.fullmatch(r"(127\.0\.0\.1|\[::1\]):\d+", page["client"]) and page["bytes_out"] > 1000 and
          page["user_agent"].startswith("Python") and 0 <= page["duration_ms"] < 1000 * WAIT, page)
    check_line("one that is not there", missing, path="/missing", status=404)
    with socket.create_connection(("localhost", int(server.ready["http"][:-1].rsplit(":", 1)[1])), WAIT) as conn:
        conn.sendall(b"GET /metrics HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n")
        conn.recv(1)
    check_line("a foreign host that wants metrics", server.lines(3)[2], path="/metrics", status=421, authority="elsewhere.example")
    server.connect(b"/echo")
    session = server.lines(4)[3]
    check("lines of both have the same members", set(page) <= set(session) | {"error"}, (page, session))
    check("HTTP/3 says so", session["http"] == "3", session)
    server.end()


def test_standard_output():
    server = Server(log="-")
    server.connect(b"/echo")
    line = json.loads(server.process.stdout.readline())
    check_line("- is standard output, behind the ready line", line, path="/echo", status=200)
    server.end()


def test_health_knows_draining():
    server = Server()
    check("/healthz of a server", server.http("/healthz") == (200, "ok\n"))
    client = subprocess.Popen([TOOL, "connect", "--quiet", "--insecure-hash", server.ready["certificate_sha256"],
                               server.url + "/echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    client.stdin.write("hello\n")
    client.stdin.flush()
    check("a session is open", client.stdout.readline() == "hello\n")
    server.process.send_signal(signal.SIGTERM)
    wait_for("draining", lambda: server.http("/healthz")[0] == 503)
    check("/healthz of a server that drains", server.http("/healthz") == (503, "draining\n"))
    client.stdin.close()
    client.wait(WAIT)
    client.stdout.close()
    check("it ends well", server.process.wait(WAIT) == 0)
    check("the last session has its line", server.lines(1)[0]["path"] == "/echo")


def drains(what, server, path, **options):
    """SIGTERM, and what a server then does that waits for balancers; a second signal ends it."""
    server.process.send_signal(signal.SIGTERM)
    wait_for("draining", lambda: server.http("/healthz") == (503, "draining\n"))
    check(f"{what}: new clients are served meanwhile", server.connect(path, **options).returncode == 0)
    check(f"{what}: it goes on", server.process.poll() is None)
    server.process.send_signal(signal.SIGTERM)
    check(f"{what}: a second signal ends it at once", server.process.wait(WAIT) == 0)


def test_new_clients_are_served_while_balancers_look_elsewhere():
    drains("serve", Server("--drain-delay", "1h"), b"/echo")
    server = Server("--drain-delay", "1h")
    server.process.send_signal(signal.SIGINT)
    check("SIGINT does not wait", server.process.wait(WAIT) == 0)
    server = Server("--drain-delay", "50ms")
    check("when the delay is over it ends by itself", server.end() == 0)
    said = [record["message"] for record in server.log()]
    check("the log says both", any("draining for 50 ms" in text for text in said) and
          any("the delay is over" in text for text in said), said)


def test_health_while_another_process_takes_over():
    path = os.path.join(FOLDER, "takeover")
    made = os.path.join(FOLDER, "taken")
    subprocess.run([TOOL, "cert", "--out", made], check=True, capture_output=True)
    options = ["--takeover", path, "--cert", made + ".pem", "--key", made + ".key"]
    old = Server(*options)
    client = subprocess.Popen([TOOL, "connect", "--quiet", "--insecure-hash", old.ready["certificate_sha256"],
                               old.url + "/echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    client.stdin.write("hello\n")
    client.stdin.flush()
    check("a session is open", client.stdout.readline() == "hello\n")
    new = Server(*options, listen=old.ready["listen"][0], http=old.ready["http"][7:-1])
    check("the new process has the address of the old one", new.ready and new.ready["http"] == old.ready["http"], new.ready)
    check("which says ok", new.http("/healthz") == (200, "ok\n"))
    new.process.kill()
    new.process.wait(WAIT)
    wait_for("the old one again", lambda: old.http("/healthz") == (200, "ok\n"))
    check("the old process serves again", old.connect(b"/echo").stdout == b"hello\n")
    third = Server(*options, listen=old.ready["listen"][0], http=old.ready["http"][7:-1])
    old.process.send_signal(signal.SIGTERM)
    wait_for("the signal", lambda: any("SIGTERM" in record["message"] for record in old.log()))
    check("the old one drains, and the address says ok", third.http("/healthz") == (200, "ok\n"))
    client.stdin.close()
    client.wait(WAIT)
    client.stdout.close()
    check("the old one ends", old.process.wait(WAIT) == 0)
    check("the last one ends, too", third.end() == 0)


class Gateway(Server):
    """The same of `webtransport gateway`, in front of a TCP server that echoes nothing."""

    def __init__(self, *options):
        self.backend = socket.create_server(("127.0.0.1", 0))
        self.access, self.errors = os.path.join(FOLDER, "gateway.access"), os.path.join(FOLDER, "gateway.errors")
        with open(self.errors, "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [TOOL, "gateway", "--json", "--listen", "127.0.0.1:0", "--http", "localhost:0", "--access-log", self.access,
                 "--log-format", "json", "--route", f"/tcp=tcp://127.0.0.1:{self.backend.getsockname()[1]}",
                 *options],
                stdout=subprocess.PIPE, stderr=errors, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        self.ready["http"] = f"http://localhost:{self.ready['http_port']}"
        self.url = "https://" + self.ready["listen"][0]


def test_the_gateway_does_the_same():
    gateway = Gateway()
    check("/healthz of a gateway", gateway.http("/healthz") == (200, "ok\n"))
    check("its lost lines are counted", "\nwebtransport_log_lines_dropped_total 0\n" in gateway.http("/metrics")[1])
    os.rename(gateway.access, gateway.access + ".1")
    gateway.process.send_signal(signal.SIGUSR1)
    wait_for("a new file", lambda: os.path.exists(gateway.access))
    client = subprocess.Popen([TOOL, "connect", "--quiet", "--insecure-hash", gateway.ready["certificate_sha256"],
                               gateway.url + "/tcp?token=secret"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    client.stdin.write("hello\n")
    client.stdin.flush()
    gateway.backend.settimeout(WAIT)
    backend = gateway.backend.accept()[0]
    gateway.process.send_signal(signal.SIGTERM)
    wait_for("draining", lambda: gateway.http("/healthz")[0] == 503)
    check("/healthz of a gateway that drains", gateway.http("/healthz") == (503, "draining\n"))
    backend.close()
    client.stdin.close()
    client.wait(WAIT)
    client.stdout.close()
    check("it ends well", gateway.process.wait(WAIT) == 0)
    gateway.backend.close()
    check_line("its session has a line in the new file", gateway.lines(1)[0], path="/tcp", route="/tcp")
    check("no secret is in its logs", b"secret" not in gateway.raw() and "secret" not in json.dumps(gateway.log()))

    gateway = Gateway("--drain-delay", "1h")
    accepted = threading.Thread(target=lambda: gateway.backend.accept()[0].close())
    accepted.start()
    drains("gateway", gateway, b"/tcp", text="")
    accepted.join(WAIT)
    gateway.backend.close()


for test in [value for name, value in list(globals().items()) if name.startswith("test_")]:
    test()
print(f"{checks['good']} of {sum(checks.values())} checks are good")
sys.exit(1 if checks["bad"] else 0)
