# SPDX-License-Identifier: MIT
"""A server that is asked who may."""

import http.server
import socket
import threading

from rig import Backend, Gateway, check, wait_for
from tests_config import name_it, write


class Authority:
    """An HTTP server. `answer(request)` sends what it wants; by default, the path says the status."""

    def __init__(self, answer=None):
        self.requests = []
        self.go = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.requests.append(dict(self.headers.items()))
                (answer or outer.by_path)(self)

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self):
                conn, address = super().get_request()
                outer.connections.append(conn)
                return conn, address

            def handle_error(self, request, client_address):
                pass  # the gateway gave up

        self.connections = []
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def by_path(handler):
        handler.send_response(int(handler.path.strip("/")))
        handler.send_header("Remote-User", "bob")
        handler.send_header("WWW-Authenticate", 'Basic realm="x"')
        handler.send_header("Retry-After", "7")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        for conn in self.connections:  # those that are kept, too
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def answer_with(status, body=b"", **fields):
    def answer(handler):
        handler.send_response(status)
        for name, value in fields.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
    return answer


def test_statuses(tool, folder):
    authority, backend = Authority(), Backend(name_it(b"hi"))
    path = f"{folder}/statuses.yaml"
    write(path, "routes:\n" + "".join(
        f"  /{status}:\n    backend: {backend.url}\n    auth-request: {authority.url}/{status}\n"
        f"    auth-request-header: [cookie, x-key]\n" for status in (200, 204, 302, 401, 403, 404, 429, 500, 503)))
    gateway = Gateway(tool, "--config", path)
    check("200 lets in", gateway.connect("/200?q=secret", b"", "-H", "cookie: a=b", "-H", "x-key: 5", "-H",
                                         "authorization: Basic x", "-o", f"https://127.0.0.1:{gateway.port}")[1] == b"hi")
    asked = {name.lower(): value for name, value in authority.requests[0].items()}
    check("it gets method, path, origin, host and address", asked["x-original-method"] == "CONNECT" and
          asked["x-original-uri"] == "/200?q=secret" and asked["origin"] == f"https://127.0.0.1:{gateway.port}" and
          asked["x-forwarded-host"] == f"127.0.0.1:{gateway.port}" and asked["x-forwarded-for"] == "127.0.0.1" and
          asked["x-forwarded-proto"] == "https", asked)
    check("and the chosen fields, not others", asked["cookie"] == "a=b" and asked["x-key"] == "5" and
          "authorization" not in asked, asked)
    check("204 lets in", gateway.connect("/204")[1] == b"hi")
    check("the access log has the user", gateway.session("/204")["user"] == "bob", gateway.session("/204"))
    for status in (302, 401, 403, 404, 429):
        check(f"{status} goes to the client", str(status) in gateway.connect(f"/{status}")[2])
    for status in (500, 503):
        check(f"{status} is no answer: 503", "503" in gateway.connect(f"/{status}")[2])
    check("and it is in the log", "the authorization server does not answer" in gateway.logged("/500: "))
    lines = [gateway.refused(f"/{asked}", told, kind="session") for asked, told in ((302, 302), (401, 401), (500, 503))]
    check("and in the access log", [line["route"] for line in lines] == ["/302", "/401", "/500"] and
          all("authorization server" in line["refusal"] for line in lines), lines)
    check("the back end saw two clients", len(backend.ends) == 2, backend.ends)
    check("the log has no query", not any("secret" in line for line in gateway.log), gateway.log)
    metrics = gateway.metrics()
    check("metrics", (metrics["auth_refused_total /401"], metrics["auth_failed_total /500"], metrics["auth_open /500"]) ==
          (1, 1, 0), metrics)
    gateway.end()
    authority.close()


def test_server_that_is_down(tool, folder):
    backend, authority = Backend(name_it(b"hi")), Authority()
    url = authority.url
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections, and says nothing
    large = Authority(answer_with(200, b"x" * 100000))
    wrong = Backend(lambda conn, _: conn.sendall(b"HELLO\r\n\r\n"))
    many = Authority(answer_with(200, **{f"remote_user{'' if not i else i}": "x" * 4000 for i in range(20)}))
    path = f"{folder}/down.yaml"
    route = "  /%s:\n    backend: " + backend.url + "\n    auth-request: %s\n"
    write(path, "defaults:\n  auth-timeout: 300ms\n  auth-response-header: [remote-user]\nroutes:\n" +
          route % ("down", url + "/200") +
          route % ("silent", f"http://127.0.0.1:{silent.getsockname()[1]}/") + route % ("large", large.url + "/") +
          route % ("wrong", wrong.url.replace("tcp", "http") + "/") + route % ("many", many.url + "/") +
          route % ("tls", url.replace("http", "https") + "/200"))
    gateway = Gateway(tool, "--config", path)
    check("while it is up", gateway.connect("/down")[1] == b"hi")
    for what in ("silent", "large", "wrong", "many", "tls"):
        check(f"{what}: 503", "503" in gateway.connect(f"/{what}")[2])
    authority.close()
    check("down: 503", "503" in gateway.connect("/down")[2])
    check("and it is said", "the authorization server does not answer" in gateway.logged("/down: "))
    check("the back end saw one client", len(backend.ends) == 1)
    check("it ends in order", gateway.end() == 0)


def test_many_questions(tool, folder):
    """The answers wait; sessions elsewhere go on, clients give up, and the bounds hold."""
    backend = Backend(name_it(b"hi"))

    def wait(handler):
        authority.go.wait(60)
        answer_with(200)(handler)
    authority = Authority(wait)
    path = f"{folder}/many.yaml"
    write(path, f"routes:\n  /slow:\n    backend: {backend.url}\n    auth-request: {authority.url}/\n"
                f"    auth-timeout: 60s\n    auth-max-requests: 12\n  /open: {backend.url}\n")
    gateway = Gateway(tool, "--config", path)
    before = gateway.descriptors()
    clients = [gateway.client("/slow", "--timeout", "0") for _ in range(3)]
    wait_for("questions", lambda: gateway.metrics()["auth_open /slow"] == 3)
    check("a quarter for an address: 429", "429" in gateway.connect("/slow")[2])
    check("other routes go on", gateway.connect("/open")[1] == b"hi")
    clients[0].kill()
    clients[0].wait()
    clients[1].terminate()
    clients[1].wait()
    check("clients that are gone are not asked for", wait_for("", lambda: gateway.metrics()["auth_open /slow"] < 3))
    authority.go.set()
    check("a late answer lets in", clients[2].communicate(b"", timeout=60)[0] == b"hi")
    wait_for("the end of all", lambda: gateway.metrics()["auth_open /slow"] == 0, 120)
    waiting = gateway.client("/slow", "--timeout", "0")
    authority.go.clear()
    wait_for("a session", lambda: waiting.stdout.read(2) == b"hi" or True)
    waiting.kill()
    waiting.wait()
    check("descriptors", wait_for("", lambda: gateway.descriptors() <= before + 8), (before, gateway.descriptors()))
    last = gateway.client("/slow", "--timeout", "0")
    wait_for("a question", lambda: gateway.metrics()["auth_open /slow"] == 1)
    check("it ends while a question is open", gateway.end_at_once() == 0)
    authority.go.set()
    last.kill()
    last.wait()


TESTS = [test_statuses, test_server_that_is_down, test_many_questions]
