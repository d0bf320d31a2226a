# SPDX-License-Identifier: MIT
"""Back ends of datagrams: udp and unixgram."""

import os
import socket
import subprocess
import threading

from rig import Gateway, check, wait_for


class DatagramBackend:
    """Answers each datagram with what `answer` makes of it: a list of datagrams."""

    def __init__(self, answer, path=None):
        self.socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(path or ("127.0.0.1", 0))
        self.url = f"unixgram:{path}" if path else f"udp://127.0.0.1:{self.socket.getsockname()[1]}"
        self.answer = answer
        self.peers = set()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                data, peer = self.socket.recvfrom(65536)
            except OSError:
                return
            if peer is None:  # the socket was shut down
                return
            self.peers.add(peer)
            for reply in self.answer(data):
                self.socket.sendto(reply, peer)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def lines(count):
    return b"".join(b"%d\n" % i for i in range(count))


def talk(gateway, path, data, *options):
    """Sends a datagram for each line; returns the answers, one a line, sorted."""
    result = subprocess.run(gateway.arguments(path, "-q", "--datagrams", *options), input=data, capture_output=True,
                            timeout=60, check=False)
    return sorted(result.stdout.splitlines())


def test_datagrams_both_ways(tool, folder):
    udp = DatagramBackend(lambda data: [data])
    gram = DatagramBackend(lambda data: [data], f"{folder}/gram.sock")
    gateway = Gateway(tool, "-r", f"/udp={udp.url}", "-r", f"/gram={gram.url}")
    talk(gateway, "/udp", b"x\n")
    descriptors = gateway.descriptors()
    sent = sorted(lines(100).splitlines())
    check("udp: 100 datagrams come back, one to one", talk(gateway, "/udp", lines(100)) == sent)
    check("unixgram: likewise", talk(gateway, "/gram", lines(100)) == sent)
    check("each session is a socket", len(udp.peers) == 2, udp.peers)
    line = gateway.session("/udp", 2)
    check("the access log counts them", (line["datagrams_in"], line["datagrams_out"], line["datagrams_lost"]) ==
          (100, 100, 0), line)
    check("no descriptor is left", wait_for("", lambda: gateway.descriptors() == descriptors), gateway.descriptors())
    message = gateway.failure("/udp")
    check("a stream is refused with code 8", "code 8" in message, message)
    check("it ends in order", gateway.end() == 0)


def test_too_large(tool, folder):
    backend = DatagramBackend(lambda data: [b"L" * 60000, b"short"])
    gateway = Gateway(tool, "-r", f"/x={backend.url}")
    check("a datagram too large for the client is left out", talk(gateway, "/x", b"x\n") == [b"short"])
    line = gateway.session("/x")
    check("and counted", line["datagrams_too_large"] == 1 and line["datagrams_lost"] == 1, line)
    check("and logged", "60000 bytes is too large" in gateway.logged("too large"))
    check("and in the metrics", gateway.metrics()["datagrams_too_large_total /x"] == 1)
    gateway.end()


def test_refused(tool, folder):
    closed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    closed.bind(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    gateway = Gateway(tool, "-r", f"/x=udp://127.0.0.1:{port}", "-r", f"/none=unixgram:{folder}/no-gram.sock")
    client = gateway.client("/x", "--datagrams", "--wait", "60s")
    for _ in range(3):
        client.stdin.write(b"x")
        client.stdin.flush()
        wait_for("", lambda: gateway.metrics()["datagrams_refused_total /x"] > 0)
    check("nobody takes the datagrams: counted", gateway.metrics()["datagrams_refused_total /x"] > 0)
    check("and logged", "refused" in gateway.logged("/x -> "))
    backend = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    backend.bind(("127.0.0.1", port))
    backend.settimeout(60)
    client.stdin.write(b"later")
    client.stdin.flush()
    got = b""
    while b"later" not in got:
        got = backend.recv(100)
    check("the session goes on: a back end that comes back gets them", b"later" in got)
    client.kill()
    client.wait()
    _, _, messages = gateway.connect("/none", b"x", "--datagrams")
    check("a Unix socket that is not there: 502", "502" in messages, messages)
    gateway.end()


def test_unix_socket_bound_again(tool, folder):
    path = f"{folder}/again.sock"
    first = DatagramBackend(lambda data: [data], path)
    gateway = Gateway(tool, "-r", f"/x=unixgram:{path}")
    client = gateway.client("/x", "--datagrams", "--wait", "60s")
    client.stdin.write(b"one")
    client.stdin.flush()
    check("before", client.stdout.read(3) == b"one")
    first.close()
    os.unlink(path)
    got = []
    DatagramBackend(lambda data: got.append(data) or [], path)

    def again():
        client.stdin.write(b"two")
        client.stdin.flush()
        return got
    check("a Unix socket that was bound again is found", wait_for("", again) is not None)
    client.kill()
    client.wait()
    gateway.end()


def test_idle(tool, folder):
    backend = DatagramBackend(lambda data: [data])
    gateway = Gateway(tool, "-r", f"/x={backend.url}", "-d", "idle-timeout=300ms")
    client = gateway.client("/x", "--datagrams", "--wait", "60s")
    check("idle-timeout: the session is closed", client.wait(60) == 9)
    line = gateway.session("/x")
    check("with code 5", line["code"] == 5 and line["by"] == "gateway", line)
    gateway.end()


TESTS = [test_datagrams_both_ways, test_too_large, test_refused, test_unix_socket_bound_again, test_idle]
