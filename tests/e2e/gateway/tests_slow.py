# SPDX-License-Identifier: MIT
"""Back ends that are slow, or take a connection and do nothing with it. What is asked of the gateway: it passes on what there is at
once, it holds the fast side back, its memory stays bounded, and nothing is left open. Nothing here depends on how slow."""

import json
import socket
import subprocess
import threading

from rig import Backend, Gateway, check, wait_for
from tests_streams import quiet_count

STREAMS = 50


def test_slow_writer(tool, folder):
    """One byte at a time, the next one only when the client has the one before: none may wait for company."""
    count = 300

    def drip(conn, backend):
        for i in range(count):
            backend.noted["next"].acquire()
            conn.sendall(bytes([i & 255]))

    backend = Backend(drip)
    backend.noted["next"] = threading.Semaphore(0)
    gateway = Gateway(tool, "-r", f"/x={backend.url}")
    client = gateway.client("/x")
    client.stdin.close()
    got = b""
    for _ in range(count):
        backend.noted["next"].release()
        got += client.stdout.read(1)
    check("a back end that sends byte by byte: each comes alone", got == bytes(i & 255 for i in range(count)), got)
    check("and its end comes, too", client.wait(60) == 0 and client.stdout.read() == b"")
    gateway.end()


def upload(tool, gateway, path, *options):
    """Streams that send to a path, on one connection."""
    return subprocess.Popen([tool, "bench", "--json", "-w", "upload", "-s", str(STREAMS), *options, "--insecure-hash",
                             gateway.ready["certificate_sha256"], gateway.url(path)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def test_slow_readers(tool, folder):
    """Small buffers and reads of 500 bytes, many at a time."""
    size = 100000

    def sip(conn, backend):
        total = 0
        while data := conn.recv(500):
            total += len(data)
        conn.sendall(json.dumps({"bytes": total}, separators=(",", ":")).encode())

    backend = Backend(sip)
    backend.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)  # which connections inherit
    gateway = Gateway(tool, "-r", f"/x={backend.url}")
    gateway.connect("/x", b"x")
    before, descriptors = gateway.memory_kb(), gateway.descriptors()
    load = upload(tool, gateway, "/x", "-c", str(2 * STREAMS), "--size", str(size), "--patience", "60s")
    out, errors = load.communicate(timeout=120)
    grown = gateway.memory_kb(highest=True) - before
    check(f"{STREAMS} back ends that read slowly get all bytes, and their answers come", load.returncode == 0,
          errors + out)
    check("memory stays bounded meanwhile", grown < 48 * 1024, f"{grown} KiB")
    check("no descriptor is left", wait_for("", lambda: gateway.descriptors() == descriptors), gateway.descriptors())
    gateway.end()


def test_black_holes(tool, folder):
    """Back ends that take connections and then neither read nor write: the client is held, and the idle timeout ends it."""
    def nothing(conn, backend):
        backend.go.wait(120)
        while conn.recv(65536):
            pass

    backend = Backend(nothing)
    gateway = Gateway(tool, "-r", f"/x={backend.url}", "-d", "idle-timeout=1s")
    backend.go.set()
    gateway.connect("/x", b"x", "--reset", "1")
    wait_for("the first end", lambda: len(backend.ends) == 1)
    before, descriptors = gateway.memory_kb(), gateway.descriptors()
    backend.go.clear()
    load = upload(tool, gateway, "/x", "--duration", "60s")
    stuck = quiet_count(gateway, "bytes_in_total /x")
    check(f"{STREAMS} back ends that do nothing: each stream is held", 0 < stuck < STREAMS * (16 << 20), stuck)
    check("the idle timeout ends all of them with code 5", wait_for("", lambda: gateway.metrics().get(
        "streams_failed_total /x idle", 0) >= STREAMS), gateway.metrics())
    load.kill()
    load.communicate()
    grown = gateway.memory_kb(highest=True) - before
    check("memory stayed bounded meanwhile", grown < 64 * 1024, f"{grown} KiB")
    backend.go.set()
    check("the back ends get a RST", wait_for("", lambda: backend.open == 0) and "reset" in backend.ends, backend.ends)
    check("no descriptor is left", wait_for("", lambda: gateway.descriptors() == descriptors), gateway.descriptors())
    gateway.end()


TESTS = [test_slow_writer, test_slow_readers, test_black_holes]
