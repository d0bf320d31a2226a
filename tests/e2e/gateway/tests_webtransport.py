# SPDX-License-Identifier: MIT
"""Back ends that are servers of WebTransport: `webtransport serve` behind the gateway. What needs no process of its own
is in tests/tool/gateway/test_webtransport_backend.c."""

import json
import os
import signal
import subprocess
import threading

from rig import DEADLINE_S, Gateway, check, wait_for
from tests_streams import MB, drain, feed, large_echo, quiet_count


class Server:
    """`webtransport serve` on a loopback address."""

    def __init__(self, tool, folder, *arguments, port=0, name="backend"):
        self.cert = f"{folder}/{name}.pem"
        if not os.path.exists(self.cert):
            subprocess.run([tool, "cert", "--out", f"{folder}/{name}"], check=True, capture_output=True)
        self.process = subprocess.Popen(
            [tool, "serve", "--json", "--listen", f"127.0.0.1:{port}", "--http", "none", "--host", "any", "--cert", self.cert,
             "--key", f"{folder}/{name}.key", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.port = int(ready["listen"][0].rsplit(":", 1)[1])
        self.hash = ready["certificate_sha256"]
        self.url = f"https://127.0.0.1:{self.port}"

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


def behind(tool, server, *arguments):
    return Gateway(tool, "-r", f"/={server.url}", "-d", f"backend-insecure-hash={server.hash}", *arguments)


def test_sessions_go_through(tool, folder):
    server = Server(tool, folder)
    gateway = behind(tool, server)
    gateway.connect("/echo", b"x")
    descriptors = gateway.descriptors()
    check(f"https: {MB} MiB come back", large_echo(gateway, "/echo", MB))
    line = gateway.session("/", 2)
    check("the access log has bytes, the back end and round trips", (line["bytes_in"], line["bytes_out"]) ==
          (MB << 20, MB << 20) and line["backend"] == server.url and line["backend_rtt_us"] > 0, line)
    status, out, messages = gateway.connect("/echo", b"on a stream of its own", "--uni")
    check("a unidirectional stream is answered on another one", (status, out) == (0, b"on a stream of its own"), messages)
    status, out, messages = gateway.connect("/echo", b"ping", "--datagrams", "--wait", "500ms")
    check("a datagram comes back", (status, out) == (0, b"ping"), messages)
    message = gateway.connect("/echo", b"x", "--reset", "4000000000")[2]
    check("a reset comes back with its code", "code 4000000000" in message, message)
    status, _, messages = gateway.connect("/close?code=77&reason=enough", b"")
    check("a close comes with code and reason", "77" in messages and "enough" in messages, messages)
    line = wait_for("its line", lambda: next((line for line in gateway.sessions if line.get("code") == 77), None)) or {}
    check("and the access log says who closed", line.get("by") == "backend" and line.get("reason") == "enough", line)
    status, _, messages = gateway.connect("/nowhere", b"")
    check("a refusal comes with its status", status == 7 and "404" in messages, messages)
    check("no descriptor is left", wait_for("", lambda: gateway.descriptors() == descriptors), gateway.descriptors())
    counts = gateway.metrics()
    check("metrics count them", counts["sessions_open /"] == 0 and counts["sessions_refused_total /"] == 1 and
          counts["datagrams_in_total /"] == 1 and counts["backend_round_trip_seconds /"] > 0, counts)
    check("it ends in order", gateway.end() == 0)
    server.end()


def test_who_is_believed(tool, folder):
    server = Server(tool, folder)
    other = Server(tool, folder, name="other")
    gateway = Gateway(tool, "-r", f"/echo={server.url}", "-r", f"/other/={other.url}/", "-d", f"backend-ca={server.cert}")
    status, out, messages = gateway.connect("/echo", b"x")
    check("a certificate of the authorities is believed", (status, out) == (0, b"x"), messages)
    _, _, messages = gateway.connect("/other/echo", b"x")
    check("another one is 502", "502" in messages, messages)
    line = gateway.refused("/other/echo", 502)
    check("the access log says it, too", line["refusal"] and line["backend"] == f"{other.url}/", line)
    check("and the log says why", gateway.logged("certificate"))
    gateway.end()
    result = subprocess.run([tool, "gateway", "--listen", "127.0.0.1:0", "-r", f"/={server.url}", "-d",
                             f"backend-ca={folder}/none.pem"], capture_output=True, text=True, timeout=60, check=False)
    check("a file that is not there is told", result.returncode == 1 and "none.pem" in result.stderr, result.stderr)
    server.end()
    other.end()


def test_many_sessions_on_few_connections(tool, folder):
    server = Server(tool, folder)
    gateway = behind(tool, server)
    gateway.connect("/echo", b"x")
    descriptors, count = gateway.descriptors(), int(os.environ.get("WT_GATEWAY_STREAMS", "3000"))
    result = subprocess.run([tool, "bench", "--json", "-w", "stream-echo", "-c", str(count), "-n", "8", "-O", "8",
                             "--insecure-hash", gateway.ready["certificate_sha256"], gateway.url("/echo")],
                            capture_output=True, text=True, timeout=170, check=False)
    check(f"{count} short streams of 8 clients", result.returncode == 0, result.stderr + result.stdout)
    counts = gateway.metrics()
    check("and are counted", counts["streams_total /"] == count + 1 and
          wait_for("", lambda: gateway.metrics()["streams_open /"] == 0), counts)
    check("no descriptor is left", wait_for("", lambda: gateway.descriptors() == descriptors), gateway.descriptors())
    gateway.end()
    server.end()


def test_backend_process_stops_and_dies(tool, folder):
    server = Server(tool, folder)
    gateway = behind(tool, server, "--cert", server.cert, "--key", f"{folder}/backend.key")
    before = gateway.memory_kb()
    client = gateway.client("/echo")
    client.stdin.write(b"x")
    client.stdin.flush()
    client.stdout.read(1)
    server.process.send_signal(signal.SIGSTOP)
    sent = []
    feeder = threading.Thread(target=lambda: sent.append(feed(client.stdin, MB)))
    feeder.start()
    stuck = quiet_count(gateway, "bytes_in_total /")
    grown = gateway.memory_kb() - before
    check("a back end that stands still holds the client", 0 < stuck < MB << 20, stuck)
    check("and the gateway's memory stays bounded", grown < 48 * 1024, f"{grown} KiB")
    server.process.send_signal(signal.SIGCONT)
    came = drain(client.stdout)
    feeder.join()
    check("then all of it comes back", client.wait(60) == 0 and sent == [came])
    client = gateway.client("/echo")
    client.stdin.write(b"x")
    client.stdin.flush()
    client.stdout.read(1)
    gateway.process.send_signal(signal.SIGHUP)
    check("SIGHUP keeps the session and its connection", gateway.logged("reloaded"))
    server.end()  # which asks for the end, and then closes
    client.wait(DEADLINE_S)
    line = gateway.session("/", 2)
    check("the end of the back end is the end of the session", line["code"] == 0 and line["clean"], line)
    _, _, messages = gateway.connect("/echo", b"x")
    check("then there is nobody: 502", "502" in messages, messages)
    gateway.end()


def test_client_process_vanishes(tool, folder):
    server = Server(tool, folder)
    gateway = behind(tool, server, "--idle-timeout", "2s")
    gateway.connect("/echo", b"x")
    descriptors = gateway.descriptors()
    client = gateway.client("/echo")
    client.stdin.write(b"x")
    client.stdin.flush()
    client.stdout.read(1)
    client.kill()
    client.wait()
    check("a client that vanishes leaves no session", wait_for("", lambda: gateway.metrics()["sessions_open /"] == 0))
    line = gateway.session("/", 2)
    check("the access log says that it was no one's choice", line["by"] == "transport" and not line["clean"], line)
    check("no descriptor is left", wait_for("", lambda: gateway.descriptors() == descriptors), gateway.descriptors())
    gateway.end()
    server.end()


def test_gateway_ends_with_sessions(tool, folder):
    server = Server(tool, folder)
    gateway = behind(tool, server)
    client = gateway.client("/tick?hz=1")
    wait_for("a session", lambda: gateway.metrics()["sessions_open /"] == 1)
    gateway.process.send_signal(signal.SIGTERM)
    check("SIGTERM ends the gateway and its sessions in order", gateway.process.wait(DEADLINE_S) == 0)
    client.wait(DEADLINE_S)
    line = gateway.session("/")
    check("with code 0", line["code"] == 0 and line["clean"], line)
    check("and the back end goes on", server.end() == 0)


TESTS = [test_sessions_go_through, test_who_is_believed, test_many_sessions_on_few_connections,
         test_backend_process_stops_and_dies, test_client_process_vanishes, test_gateway_ends_with_sessions]
