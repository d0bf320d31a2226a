# SPDX-License-Identifier: MIT
"""Requests that are no sessions, on their way to servers of HTTP/1.1."""

import collections
import hashlib
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
import time

from http3 import fetch, fetch_beside
from rig import Backend, Gateway, check, wait_for
from tests_config import name_it, write


class Site:
    """A server of HTTP/1.1, which answers by the path."""

    def __init__(self):
        self.go, self.noted = threading.Event(), {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def body(self):
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    yield self.rfile.read(int(self.headers.get("Content-Length", "0")))
                    return
                while size := int(self.rfile.readline(), 16):
                    yield self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()

            def answer(self, status, body=b"", **fields):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in fields.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_GET(self):
                path = self.path.split("?")[0].split("/")[-1]
                getattr(self, f"on_{path}", self.on_echo)()

            do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_GET

            def on_echo(self):
                digest, size = hashlib.sha256(), 0
                for piece in self.body():
                    digest.update(piece)
                    size += len(piece)
                self.answer(200, json.dumps({
                    "method": self.command, "path": self.path, "size": size, "hash": digest.hexdigest(),
                    "fields": [[name.lower(), value] for name, value in self.headers.items()]}).encode(),
                    Set_Cookie="a=b", X_Own="1", Connection="x-hop", X_Hop="2", Alt_Svc='h3=":1"')

            def on_mirror(self):
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for piece in self.body():
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b"")
                self.wfile.write(b"0\r\nx-trailer: 1\r\n\r\n")

            def on_source(self):
                size = int(self.path.split("?")[1])
                self.send_response(200)
                self.send_header("Content-Length", str(size))
                self.end_headers()
                outer.noted["sent"] = 0
                try:
                    while outer.noted["sent"] < size:
                        outer.noted["sent"] += self.connection.send(pattern(outer.noted["sent"], size))
                except OSError as error:
                    outer.noted["source"] = type(error).__name__

            def on_sink(self):
                outer.noted["sink"] = "reading"
                outer.go.wait(60)
                self.on_echo()

            def on_late(self):
                outer.noted["late"] = "asked"
                outer.go.wait(60)
                self.answer(200, b"late")

            def on_cut(self):
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"part")
                self.close_connection = True

            def on_hints(self):
                self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
                self.answer(200, b"hinted")

            def on_teapot(self):
                self.answer(418, b"short and stout")

            def on_empty(self):
                self.send_response(204)
                self.end_headers()

            def on_early(self):
                self.answer(413, b"too large")
                collections.deque(self.body(), 0)
                self.close_connection = True

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


BLOCK = os.urandom(65536)


def pattern(at, size):
    return BLOCK[at % len(BLOCK):][:size - at]


def whole(size):
    return (BLOCK * (size // len(BLOCK) + 1))[:size]


def look(answer):
    found = json.loads(answer.body or b"{}")
    return found, dict(found.get("fields", []))


def test_requests(tool, folder):
    site = Site()
    gateway = Gateway(tool, "-r", f"/={site.url}")
    answer = fetch(gateway.url("/a/b%20c?x=1&secret=2"), fields=["x-a: 1", "x-forwarded-for: 6.6.6.6", "cookie: s=1",
                                                                "accept: text/x"])
    found, fields = look(answer)
    check("GET: method, path and query", (found["method"], found["path"]) == ("GET", "/a/b%20c?x=1&secret=2"), answer)
    check("GET: fields", fields["x-a"] == "1" and fields["cookie"] == "s=1" and fields["accept"] == "text/x" and
          fields["host"] == site.url[7:] and "content-length" not in fields and "transfer-encoding" not in fields, fields)
    check("the gateway says who the client is", fields["x-forwarded-for"] == "127.0.0.1" and
          fields["x-forwarded-proto"] == "https" and fields["x-forwarded-host"] == f"127.0.0.1:{gateway.port}" and
          "for=127.0.0.1" in fields["forwarded"], fields)
    check("fields of the answer", answer.fields.get("set-cookie") == "a=b" and answer.fields.get("x-own") == "1" and
          answer.fields.get("content-length") == str(len(answer.body)), answer.fields)
    check("those of the connection stay", not {"connection", "x-hop", "alt-svc", "keep-alive"} & set(answer.fields),
          answer.fields)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        found = look(fetch(gateway.url("/"), method=method, body=b"hello"))[0]
        check(f"{method} with a body", (found["method"], found["size"]) == (method, 5), found)
    for method in ("POST", "DELETE", "OPTIONS"):
        found = look(fetch(gateway.url("/"), method=method))[0]
        check(f"{method} without one", (found["method"], found["size"]) == (method, 0), found)
    answer = fetch(gateway.url("/teapot"), method="HEAD")
    check("HEAD", (answer.status, answer.body, answer.fields["content-length"]) == (418, b"", "15"), answer)
    check("a status of its own", fetch(gateway.url("/teapot")).body == b"short and stout")
    check("204", fetch(gateway.url("/empty")).status == 204)
    answer = fetch(gateway.url("/hints"))
    check("103 and 200", [status for status, _ in answer.sections] == [103, 200] and
          dict(answer.sections[0][1])["link"] == "</a.css>" and answer.body == b"hinted", answer)
    check("a chunked answer, and trailers that end here", fetch(gateway.url("/mirror"), method="POST", body=b"x" * 10000)
          .body == b"x" * 10000)
    check("an answer before the end of the body", fetch(gateway.url("/early"), method="POST", body=whole(3000000))
          .status == 413)
    check("dots in a path: 400", fetch(gateway.url("/a/../b")).status == 400)
    check("a session: 501", "501" in gateway.connect("/")[2])
    line = gateway.refused("/a/../b", 400)
    check("the access log has the refused ones, too", line["route"] is None and "dots" in line["refusal"] and
          line["kind"] == "request" and gateway.refused("/", 501, kind="session")["refusal"], line)
    check("fields that are too large: 431", fetch(gateway.url("/large"), fields=["x: " + "a" * 70000]).status == 431)
    line = gateway.refused(None, 431)
    check("of which the library tells", line["refusal"] is None and line["route"] is None and line["user"] is None, line)
    line = wait_for("a line", lambda: next((line for line in gateway.sessions if line.get("path") == "/a/b%20c"), None)) or {}
    check("the access log", line.get("method") == "GET" and line["status"] == 200 and line["error"] is None and
          "secret" not in str(line), line)
    metrics = gateway.metrics()
    check("metrics", metrics["requests_total /"] >= 14 and metrics["requests_failed_total /"] == 0, metrics)
    gateway.end()


def test_rate(tool, folder):
    """Both directions share a bucket of a second: what is more has to wait for it to fill again."""
    site, size = Site(), 150 * 1024
    gateway = Gateway(tool, "-r", f"/={site.url}", "-d", "rate=100K")
    began, answer = time.monotonic(), fetch(gateway.url("/mirror"), method="POST", body=whole(size))
    took = time.monotonic() - began
    check("rate: all bytes come, both ways", answer.body == whole(size), (answer.status, len(answer.body), answer.error))
    check("rate: not before the bucket had room for them", took > 1, took)
    gateway.end()


def test_large_bodies(tool, folder):
    """Sides that do not go on, with memory that is bounded; then both directions by hash."""
    site, size = Site(), int(os.environ.get("WT_GATEWAY_HTTP_MB", "16")) << 20
    gateway = Gateway(tool, "-r", f"/={site.url}")
    fetch(gateway.url("/"))
    before, data, reads, given = gateway.memory_kb(), whole(size), threading.Event(), [0]
    wait = fetch_beside(gateway.url(f"/source?{size}"), on_data=lambda piece: reads.wait(60))
    stalled = wait_for("a client that does not read", lambda: stands_still(lambda: site.noted.get("sent", 0)))
    check("a client that does not read holds the back end back", 0 < stalled < size, stalled)
    check("memory is bounded", gateway.memory_kb() - before < 48 * 1024, (before, gateway.memory_kb()))
    reads.set()
    check("then it gets all", wait().body == data)

    def give():
        given[0] += 50000
        return data[given[0] - 50000:given[0]]
    wait, before = fetch_beside(gateway.url("/sink"), method="POST", body=give, length=size), gateway.memory_kb()
    stalled = wait_for("a back end that does not read", lambda: stands_still(lambda: given[0]))
    check("a back end that does not read holds the client back", stalled < size, stalled)
    check("memory is bounded, too", gateway.memory_kb() - before < 48 * 1024, (before, gateway.memory_kb()))
    site.go.set()
    check("then it gets all", look(wait())[0].get("hash") == hashlib.sha256(data).hexdigest())

    pieces = iter([data[at:at + 50000] for at in range(0, size, 50000)])
    found = look(fetch(gateway.url("/echo"), method="POST", body=lambda: next(pieces, b"")))[0]
    check("up, without a length", found.get("hash") == hashlib.sha256(data).hexdigest(), found)
    pieces = iter([data[at:at + 50000] for at in range(0, size, 50000)])
    answer = fetch(gateway.url("/mirror"), method="POST", body=lambda: next(pieces, b""))
    check("both ways at once", answer.body == data, (answer.status, answer.error, len(answer.body)))
    gateway.end()


def stands_still(value):
    """What `value` returns, once it has stayed above zero for a while."""
    before, until = value(), time.monotonic() + 0.7
    while time.monotonic() < until:
        time.sleep(0.05)
        if value() != before:
            return None
    return before


def test_ends(tool, folder):
    site = Site()
    refused = socket.create_server(("127.0.0.1", 0))
    port = refused.getsockname()[1]
    refused.close()
    silent = socket.create_server(("127.0.0.1", 0))
    nonsense = Backend(lambda conn, _: (conn.recv(1000), conn.sendall(b"HELLO\r\n\r\n"))[0] and None)
    switching = Backend(lambda conn, _: (conn.recv(1000), conn.sendall(b"HTTP/1.1 101 X\r\nUpgrade: y\r\n\r\n"))[0] and None)
    long = Backend(lambda conn, _: (conn.recv(1000), conn.sendall(b"HTTP/1.1 200 X\r\n" + b"a: b\r\n" * 300 + b"\r\n"))[0]
                   and None)
    path = f"{folder}/ends.yaml"
    write(path, f"defaults:\n  idle-timeout: 1s\nroutes:\n  /: {site.url}\n  /refused: http://127.0.0.1:{port}\n"
                f"  /silent: http://127.0.0.1:{silent.getsockname()[1]}\n"
                + "".join(f"  /{name}: {backend.url.replace('tcp', 'http')}\n" for name, backend in
                          (("nonsense", nonsense), ("switching", switching), ("long", long))))
    gateway = Gateway(tool, "--config", path)
    before = gateway.descriptors()
    for name in ("refused", "nonsense", "switching", "long"):
        check(f"{name}: 502", fetch(gateway.url(f"/{name}")).status == 502)
    check("silent: 504", fetch(gateway.url("/silent")).status == 504)
    answer = fetch(gateway.url("/cut"))
    check("an answer that is cut off is reset", answer.error and len(answer.body) < 1000, answer)
    check("a client that goes away", fetch(gateway.url("/source?100000000"), on_data=lambda piece: False).error)
    check("the back end sees it", wait_for("", lambda: site.noted.get("source")) in
          ("ConnectionResetError", "BrokenPipeError"), site.noted)
    calls = []

    def some_then_none():
        calls.append(1)
        return b"x" * 1000 if len(calls) < 5 else None
    check("a body that breaks off", fetch(gateway.url("/echo"), method="POST", body=some_then_none, length=100000).error)
    wait_for("all are over", lambda: gateway.metrics()["requests_open /"] == 0)
    line = gateway.refused("/silent", 504)
    check("the access log says why there is no answer", line["error"] and line["route"] == "/silent" and not line["refusal"], line)
    check("failures are in the access log", wait_for("", lambda: any(
        line.get("error") == "the client went away" for line in gateway.sessions)))
    check("descriptors", wait_for("", lambda: gateway.descriptors() <= before + 10), (before, gateway.descriptors()))
    gateway.end()


def test_tls(tool, folder):
    site = Site()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "10", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    f"{folder}/site.key", "-out", f"{folder}/site.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/site.pem", f"{folder}/site.key")
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    path, port = f"{folder}/tls.yaml", site.server.server_port
    write(path, f"routes:\n  /good:\n    backend: https://localhost:{port}\n    backend-ca: {folder}/site.pem\n"
                f"    host: keep\n  /stranger: https://localhost:{port}\n"
                f"  /other-name:\n    backend: unix:/none\n    requests: https://127.0.0.1:{port}\n"
                f"    requests-ca: {folder}/site.pem\n")
    gateway = Gateway(tool, "--config", path)
    found, fields = look(fetch(gateway.url("/good"), method="POST", body=b"hello"))
    check("https: the request arrives", found.get("size") == 5, found)
    check("with the client's authority", fields.get("host") == f"127.0.0.1:{gateway.port}", fields)
    for name in ("stranger", "other-name"):
        check(f"a certificate that is not trusted ({name}): 502", fetch(gateway.url(f"/{name}")).status == 502)
    gateway.end()


def test_who_may_ask(tool, folder):
    from tests_auth_request import Authority, answer_with
    site, backend = Site(), Backend(name_it(b"hi"))
    authority = Authority(lambda handler: answer_with(200, Remote_User="alice", X_Role="admin")(handler)
                          if handler.headers.get("cookie") == "good" else answer_with(403)(handler))
    path = f"{folder}/who.yaml"
    write(path, f"routes:\n  /:\n    backend: {site.url}\n    auth-request: {authority.url}/\n"
                f"    auth-response-header: [remote-user, x-role]\n    max-streams-per-address: 2\n"
                f"  /both:\n    backend: {backend.url}\n    requests: {site.url}\n")
    gateway = Gateway(tool, "--config", path)
    check("refused", fetch(gateway.url("/"), method="POST", body=b"x").status == 403)
    found, fields = look(fetch(gateway.url("/"), method="POST", body=b"hello", fields=[
        "cookie: good", "remote-user: root", "remote_user: root", "x-role: root"]))
    check("let in, with the body", found.get("size") == 5, found)
    check("the back end gets who it is", fields["remote-user"] == "alice" and fields["x-role"] == "admin" and
          "remote_user" not in fields, fields)
    check("and the server was asked about the method", authority.requests[-1]["x-original-method"] == "POST")
    line = wait_for("a line", lambda: next((line for line in gateway.sessions if line["status"] == 200 and line["user"]), None))
    check("the access log has the user", line["user"] == "alice", line)
    check("sessions and requests on one path", gateway.connect("/both")[1] == b"hi" and
          look(fetch(gateway.url("/both")))[0]["path"] == "/both")
    waits = [fetch_beside(gateway.url("/late"), fields=["cookie: good"]) for _ in range(2)]
    wait_for("two requests", lambda: gateway.metrics()["requests_open /"] == 2)
    check("more of an address: 429", fetch(gateway.url("/"), fields=["cookie: good"]).status == 429)
    site.go.set()
    check("the others go on", [wait().body for wait in waits] == [b"late", b"late"])
    last = fetch_beside(gateway.url("/source?100000000"), fields=["cookie: good"], on_data=lambda piece: time.sleep(0.01))
    wait_for("a request", lambda: gateway.metrics()["requests_open /"] == 1)
    check("it ends while a request is on its way", gateway.end_at_once() == 0)
    last()


TESTS = [test_requests, test_rate, test_large_bodies, test_ends, test_tls, test_who_may_ask]
