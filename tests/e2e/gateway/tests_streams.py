# SPDX-License-Identifier: MIT
"""Back ends of streams: tcp and unix."""

import hashlib
import os
import socket
import struct
import subprocess
import threading
import time

from rig import Backend, Gateway, abort_with_rst, check, wait_for

MB = int(os.environ.get("WT_GATEWAY_MB", "64"))
UNIX_MB = MB if MB >= 1024 else MB // 4  # the same code as for TCP; a quarter is enough where time counts


def sha(data):
    return hashlib.sha256(data).hexdigest()


def echo(conn, _):
    while data := conn.recv(262144):
        conn.sendall(data)


def digest(conn, backend):
    """Reads to the end, then answers with the hash."""
    found = hashlib.sha256()
    while data := conn.recv(262144):
        found.update(data)
    conn.sendall(found.hexdigest().encode())


def pieces(count):
    """Bytes that are not the same at any two places that a mistake could swap; made once."""
    block = os.urandom(1 << 20)
    for i in range(count):
        yield struct.pack("!I", i) + block[4:]


def feed(stream, count):
    """Writes `count` MiB; returns their hash."""
    found = hashlib.sha256()
    for piece in pieces(count):
        stream.write(piece)
        found.update(piece)
    stream.close()
    return found.hexdigest()


def drain(stream):
    found = hashlib.sha256()
    while data := stream.read(1 << 20):
        found.update(data)
    return found.hexdigest()


def large_echo(gateway, path, count):
    """Both directions at once: what comes back has to be what was sent."""
    client = gateway.client(path)
    sent = []
    feeder = threading.Thread(target=lambda: sent.append(feed(client.stdin, count)))
    feeder.start()
    came = drain(client.stdout)
    feeder.join()
    return client.wait(60) == 0 and sent == [came]


def test_bytes_both_ways(tool, folder):
    path = f"{folder}/echo.sock"
    tcp, unix, sum_ = Backend(echo), Backend(echo, path), Backend(digest)
    gateway = Gateway(tool, "-r", f"/tcp={tcp.url}", "-r", f"/unix={unix.url}", "-r", f"/sum={sum_.url}")
    gateway.connect("/tcp", b"x")
    descriptors = gateway.descriptors()
    check(f"tcp: {MB} MiB come back", large_echo(gateway, "/tcp", MB))
    check(f"unix: {UNIX_MB} MiB come back", large_echo(gateway, "/unix", UNIX_MB))
    line = gateway.session("/tcp", 2)
    check("the access log has the bytes", (line["bytes_in"], line["bytes_out"]) == (MB << 20, MB << 20), line)
    check("and who, what and how", line["client"].startswith("127.0.0.1:") and line["backend"] == tcp.url and
          line["code"] == 0 and line["by"] == "peer" and line["draft"] == 15 and line["streams"] == 1 and
          line["rtt_us"] > 0 and line["duration_ms"] >= 0, line)

    data = os.urandom(100000)
    status, out, _ = gateway.connect("/sum", data)
    check("the client ends first: the answer comes after it", (status, out.decode()) == (0, sha(data)), out)
    status, out, _ = gateway.connect("/sum", b"")
    check("nothing at all is an answer, too", (status, out.decode()) == (0, sha(b"")), out)

    counts = gateway.metrics()
    check("metrics have the server's counts, too", "webtransport_sessions_total 5\n" in gateway.metrics_text())
    check("metrics count bytes", counts["bytes_in_total /tcp"] == (MB << 20) + 1, counts)
    wait_for("no stream is open", lambda: gateway.metrics()["streams_open /tcp"] == 0)
    check("no descriptor is left", wait_for("", lambda: gateway.descriptors() == descriptors), gateway.descriptors())
    check("it ends in order", gateway.end() == 0)


def test_backend_ends_first(tool, folder):
    def greet(conn, backend):
        conn.sendall(b"hello")
        conn.shutdown(socket.SHUT_WR)
        got = b""
        while data := conn.recv(65536):
            got += data
        backend.noted["got"] = got

    backend = Backend(greet)
    gateway = Gateway(tool, "-r", f"/x={backend.url}")
    client = gateway.client("/x")
    check("the back end ends first: its bytes come", client.stdout.read(5) == b"hello")
    client.stdin.write(b"y" * 100000)
    client.stdin.close()
    check("the client's still go", client.wait(60) == 0 and wait_for("", lambda: backend.noted.get("got")) ==
          b"y" * 100000)
    check("and both ends were in order", wait_for("", lambda: backend.ends == ["eof"]), backend.ends)
    gateway.end()


def test_resets(tool, folder):
    def read(conn, _):
        conn.sendall(b"ready")
        while conn.recv(65536):
            pass

    def reset(conn, _):
        conn.recv(5)
        abort_with_rst(conn)

    def reset_with_answer(conn, backend):
        """Closes with unread bytes, which makes a RST after the answer."""
        conn.sendall(b"no thanks")
        backend.go.wait(60)
        abort_with_rst(conn)

    reader, resetter, answerer = Backend(read), Backend(reset), Backend(reset_with_answer)
    gateway = Gateway(tool, "-r", f"/read={reader.url}", "-r", f"/reset={resetter.url}", "-r", f"/no={answerer.url}")
    gateway.connect("/read", b"x", "--reset", "7")
    check("RESET_STREAM becomes a RST", wait_for("", lambda: reader.ends) == ["reset"], reader.ends)
    gateway.connect("/read", b"x", "--stop", "8")
    check("STOP_SENDING becomes a RST", wait_for("", lambda: len(reader.ends) > 1) and reader.ends[1] == "reset",
          reader.ends)
    status, _, messages = gateway.connect("/reset", b"abcde")
    check("a RST becomes RESET_STREAM with code 1", "reset stream" in messages and "code 1" in messages, messages)
    check("and a failure for the client", status != 0, status)

    client = gateway.client("/no")
    check("a RST after an answer: the answer came before", client.stdout.read(9) == b"no thanks")
    answerer.go.set()
    try:
        client.stdin.write(b"z" * 3000000)
        client.stdin.close()
    except BrokenPipeError:
        pass
    client.wait(60)
    counts = gateway.metrics()
    check("metrics count resets by code", counts["streams_failed_total /reset reset"] == 1 and
          counts["streams_failed_total /read client"] == 2, counts)
    gateway.end()


def test_answer_before_the_end_of_the_request(tool, folder):
    """A back end that answers, ends, and goes away while the client sends: the whole answer has to come, though the
    client reads it late. It is as much as the client's window (256 KiB) and the gateway's queue (64 KiB) always take."""
    answer = b"a" * 300000

    def refuse(conn, backend):
        conn.recv(1000)
        conn.sendall(answer)
        conn.shutdown(socket.SHUT_WR)
        backend.go.wait(60)
        abort_with_rst(conn)

    backend = Backend(refuse)
    gateway = Gateway(tool, "-r", f"/x={backend.url}")
    client = gateway.client("/x")
    threading.Thread(target=write_until_refused, args=(client.stdin,), daemon=True).start()
    wait_for("the gateway has the answer", lambda: gateway.metrics()["bytes_out_total /x"] == len(answer))
    backend.go.set()
    out, message = client.stdout.read(len(answer)), client.stderr.readline()
    check("the whole answer comes", out == answer, len(out))
    check("and the client hears that the rest was not wanted", b"code 1" in message, message)
    client.kill()
    client.wait()
    gateway.end()


def write_until_refused(stream):
    try:
        while True:
            stream.write(b"w" * 100000)
    except (BrokenPipeError, ValueError):
        pass


def test_backend_dies_in_the_middle(tool, folder):
    """A back end that goes away while it sends, and one that goes away while it reads."""
    def give(conn, backend):
        conn.sendall(b"g" * 1000000)
        backend.go.wait(60)
        abort_with_rst(conn)

    def take(conn, _):
        left = 1000000
        while left > 0:
            left -= len(conn.recv(65536))
        abort_with_rst(conn)

    giver, taker = Backend(give), Backend(take)
    gateway = Gateway(tool, "-r", f"/give={giver.url}", "-r", f"/take={taker.url}")
    client = gateway.client("/give")
    got = client.stdout.read(1000000)
    giver.go.set()
    check("what it has sent comes, and then code 1", len(got) == 1000000 and b"code 1" in client.stderr.read())
    client.wait(60)
    _, _, messages = gateway.connect("/take", os.urandom(4000000))
    check("one that goes away while it reads: code 1", "code 1" in messages, messages)
    line = gateway.session("/take")
    check("it counts as failed", line["streams_failed"] == 1, line)
    gateway.end()


def test_connect_failures(tool, folder):
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))  # and no listen
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    in_queue = socket.create_connection(full.getsockname())
    full_path, dead_path = f"{folder}/full.sock", f"{folder}/dead.sock"
    full_unix, dead = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    full_unix.bind(full_path)
    full_unix.listen(0)
    unix_in_queue = socket.socket(socket.AF_UNIX)
    unix_in_queue.connect(full_path)
    dead.bind(dead_path)
    dead.close()
    gateway = Gateway(tool, "-d", "connect-timeout=300ms", "-r", f"/closed=tcp://127.0.0.1:{closed.getsockname()[1]}",
                      "-r", f"/full=tcp://127.0.0.1:{full.getsockname()[1]}", "-r", f"/unix-full=unix:{full_path}",
                      "-r", f"/unix-dead=unix:{dead_path}", "-r", f"/unix-none=unix:{folder}/none.sock",
                      "-r", "/name=tcp://no-such-name.invalid:80")
    for path, code in (("/closed", 2), ("/full", 4), ("/unix-full", 4), ("/unix-dead", 2), ("/unix-none", 3),
                       ("/name", 3)):
        message = gateway.failure(path)
        check(f"{path} fails with code {code}", f"code {code}" in message, message)
    check("the log says why", "refused" in gateway.logged("/closed -> "))
    in_queue.close()
    unix_in_queue.close()
    gateway.end()


def test_second_address(tool, folder):
    """A name with two addresses, of which the first one does not answer."""
    found = list(dict.fromkeys((info[0], info[4][0]) for info in
                               socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)))
    if len(found) < 2:
        return check("localhost has one address here: nothing to try", True)
    (full_family, full_host), (family, host) = found[:2]
    full = socket.socket(full_family)
    full.bind((full_host, 0))
    full.listen(0)
    port = full.getsockname()[1]
    in_queue = socket.create_connection((full_host, port))
    works = socket.socket(family)
    works.bind((host, port))
    works.listen(5)
    gateway = Gateway(tool, "-r", f"/x=tcp://localhost:{port}", "-d", "connect-timeout=4s")
    client = gateway.client("/x")
    client.stdin.close()
    works.settimeout(60)
    works.accept()[0].sendall(b"hello")
    out = client.stdout.read()
    check("an address that does not answer does not use up the time of the next", out == b"hello", out)
    client.wait(60)
    in_queue.close()
    return gateway.end()


def test_no_descriptors(tool, folder):
    backend = Backend(echo)
    gateway = Gateway(tool, "-r", f"/x={backend.url}", prefix=["prlimit", "--nofile=40:40"])
    gateway.connect("/x", b"x")
    descriptors = gateway.descriptors()
    subprocess.run([tool, "bench", "-w", "echo", "-s", "60", "-c", "1000", "--insecure-hash",
                    gateway.ready["certificate_sha256"], gateway.url("/x")], capture_output=True, timeout=120,
                   check=False)
    check("without descriptors: code 10", wait_for("", lambda: gateway.metrics()["streams_failed_total /x failed"] > 0))
    check("and the log says so", "Too many open files" in gateway.logged("no memory or no descriptors"))
    check("then all is as before", wait_for("", lambda: gateway.descriptors() == descriptors) and
          gateway.connect("/x", b"again")[:2] == (0, b"again"), gateway.descriptors())
    check("it ends in order", gateway.end() == 0)


def test_backend_that_stops_reading(tool, folder):
    def later(conn, backend):
        backend.go.wait(120)
        return digest(conn, backend)

    backend = Backend(later)
    gateway = Gateway(tool, "-r", f"/x={backend.url}")
    before = gateway.memory_kb()
    client = gateway.client("/x")
    sent = []
    feeder = threading.Thread(target=lambda: sent.append(feed(client.stdin, MB)))
    feeder.start()
    stuck = quiet_count(gateway, "bytes_in_total /x")
    grown = gateway.memory_kb() - before
    check("a back end that does not read holds the client", 0 < stuck < MB << 20, stuck)
    check("and the gateway's memory stays bounded", grown < 48 * 1024, f"{grown} KiB")
    backend.go.set()
    out = client.stdout.read()
    feeder.join()
    check("then all of it comes", client.wait(60) == 0 and sent == [out.decode()], out)
    gateway.end()


def quiet_count(gateway, name):
    """A count that grew and then did not for half a second."""
    seen = []

    def same():
        seen.append(gateway.metrics().get(name, 0))
        return len(seen) > 50 and seen[-1] > 0 and seen[-1] == seen[-50]
    wait_for(f"{name} stands still", same)
    return seen[-1]


def test_client_that_stops_reading(tool, folder):
    def give(conn, backend):
        backend.noted["hash"] = feed(conn.makefile("wb"), MB)
        conn.shutdown(socket.SHUT_WR)

    backend = Backend(give)
    gateway = Gateway(tool, "-r", f"/x={backend.url}")
    before = gateway.memory_kb()
    client = gateway.client("/x")
    client.stdin.close()
    stuck = quiet_count(gateway, "bytes_out_total /x")
    grown = gateway.memory_kb() - before
    check("a client that does not read holds the back end", 0 < stuck < MB << 20, stuck)
    check("and the gateway's memory stays bounded, too", grown < 48 * 1024, f"{grown} KiB")
    came = drain(client.stdout)
    check("then all of it comes", client.wait(60) == 0 and came == wait_for("", lambda: backend.noted.get("hash")))
    gateway.end()


def short_streams(tool, gateway, backend, path, count):
    before = len(backend.ends)
    result = subprocess.run([tool, "bench", "--json", "-w", "stream-echo", "-c", str(count), "-n", "4", "-O", "8",
                             "--insecure-hash", gateway.ready["certificate_sha256"], gateway.url(path)],
                            capture_output=True, text=True, timeout=170, check=False)
    check(f"{path}: {count} short streams", result.returncode == 0, result.stderr + result.stdout)
    wait_for("the back end has seen them", lambda: len(backend.ends) == before + count)
    check("all end in order", set(backend.ends) == {"eof"}, set(backend.ends))


def test_short_streams(tool, folder):
    count = int(os.environ.get("WT_GATEWAY_STREAMS", "3000"))
    tcp, unix = Backend(echo), Backend(echo, f"{folder}/short.sock")
    gateway = Gateway(tool, "-r", f"/tcp={tcp.url}", "-r", f"/unix={unix.url}", "-d", "max-streams=0", "-d",
                      "max-streams-per-address=0")
    gateway.connect("/tcp", b"x")
    descriptors = gateway.descriptors()
    short_streams(tool, gateway, tcp, "/tcp", count)
    short_streams(tool, gateway, unix, "/unix", count if count >= 10000 else count // 10)
    counts = gateway.metrics()
    check("and are counted", counts["streams_total /tcp"] == count + 1 and counts["streams_open /tcp"] == 0, counts)
    check("no descriptor is left", wait_for("", lambda: gateway.descriptors() == descriptors), gateway.descriptors())
    gateway.end()


def test_client_vanishes(tool, folder):
    def read(conn, _):
        conn.sendall(b"ready")
        while conn.recv(65536):
            pass

    backend = Backend(read)
    gateway = Gateway(tool, "-r", f"/x={backend.url}", "--idle-timeout", "2s")
    gateway.connect("/x", b"", "--reset", "1")
    wait_for("the first end", lambda: len(backend.ends) == 1)
    descriptors = gateway.descriptors()
    clients = [gateway.client("/x") for _ in range(3)]
    for client in clients:
        client.stdout.read(5)
    for client in clients:
        client.kill()
        client.wait()
    check("clients that vanish: their connections get a RST", wait_for("", lambda: len(backend.ends) == 4) and
          set(backend.ends[1:]) == {"reset"}, backend.ends)
    line = gateway.session("/x", 2)
    check("the access log says that it was no one's choice", line["by"] == "transport" and not line["clean"], line)
    check("no descriptor is left", wait_for("", lambda: gateway.descriptors() == descriptors), gateway.descriptors())
    check("no session is left", wait_for("", lambda: gateway.metrics()["sessions_open /x"] == 0))
    gateway.end()


def test_kinds_of_streams(tool, folder):
    backend = Backend(echo)
    gateway = Gateway(tool, "-r", f"/x={backend.url}")
    message = gateway.failure("/x", "--uni")
    check("a unidirectional stream is refused with code 8", "code 8" in message, message)
    gateway.connect("/x", b"x", "--datagrams", "--wait", "100ms")
    check("datagrams are dropped and counted", wait_for("", lambda: gateway.metrics()["datagrams_dropped_total /x"] == 1))
    status, _, messages = gateway.connect("/other", b"x")
    check("a path without a route is 404", status == 7 and "404" in messages, messages)
    _, _, messages = gateway.connect("/x/y", b"x")
    check("a route without '/' at its end is for that path alone", "404" in messages, messages)
    line = gateway.refused("/x/y", 404)
    check("the access log has it", line["route"] is None and line["backend"] is None and
          line["refusal"] == "There is no route at this path.", line)
    status, _, messages = gateway.connect("/x?secret=1", b"x")
    gateway.end()
    check("the query is not logged", status == 0 and all("secret" not in str(line) for line in gateway.sessions))


def test_limits(tool, folder):
    def hold(conn, _):
        conn.sendall(b"ready")
        while data := conn.recv(65536):
            conn.sendall(data)

    backend = Backend(hold)
    gateway = Gateway(tool, "-r", f"/one={backend.url}", "-d", "max-sessions-per-address=1", "-d", "max-streams=1",
                      "-d", "max-sessions=5")
    first = gateway.client("/one")
    first.stdout.read(5)
    _, _, messages = gateway.connect("/one", b"x")
    check("max-sessions-per-address: 429", "429" in messages, messages)
    line = gateway.refused("/one", 429, kind="session")
    check("the access log has it, and why", "max-sessions-per-address" in line["refusal"] and line["route"] == "/one" and
          line["backend"] == backend.url, line)
    first.stdin.close()
    first.wait(60)
    gateway.session("/one")
    check("then the next one comes in", gateway.connect("/one", b"x")[0] == 0)
    gateway.end()

    gateway = Gateway(tool, "-r", f"/one={backend.url}", "-d", "max-streams=1", "-d", "max-sessions=2")
    first = gateway.client("/one")
    first.stdout.read(5)
    message = gateway.failure("/one")
    check("max-streams: code 7", "code 7" in message, message)
    wait_for("one session", lambda: gateway.metrics()["sessions_open /one"] == 1)
    second = gateway.client("/one", "--datagrams", "--wait", "60s")
    wait_for("two sessions", lambda: gateway.metrics()["sessions_open /one"] == 2)
    _, _, messages = gateway.connect("/one", b"x")
    check("max-sessions: 503", "503" in messages, messages)
    for client in (first, second):
        client.kill()
        client.wait()
    gateway.end()


def test_times(tool, folder):
    backend = Backend(echo)
    gateway = Gateway(tool, "-r", f"/x={backend.url}", "-d", "idle-timeout=300ms")
    client = gateway.client("/x")
    client.stdin.write(b"x")
    client.stdin.flush()
    client.stdout.read(1)
    check("idle-timeout: the connection gets a RST", wait_for("", lambda: backend.ends) == ["reset"], backend.ends)
    check("and the client code 5", b"code 5" in client.stderr.read())
    client.wait(60)
    idle = gateway.client("/x", "--datagrams", "--wait", "60s")
    check("a session without streams is closed", idle.wait(60) == 9)
    check("with code 5, too", wait_for("", lambda: any(
        line.get("code") == 5 and line["by"] == "gateway" for line in gateway.sessions)))
    gateway.end()

    gateway = Gateway(tool, "-r", f"/x={backend.url}", "-d", "max-life=300ms")
    client = gateway.client("/x")
    client.stdin.write(b"x")
    client.stdin.flush()
    check("max-life: the session is closed", client.wait(60) == 9)
    line = gateway.session("/x")
    check("with code 6 and its reason", line["code"] == 6 and "too old" in line["reason"], line)
    gateway.end()


def test_rate(tool, folder):
    backend = Backend(echo)
    gateway = Gateway(tool, "-r", f"/x={backend.url}", "-d", "rate=200K")
    data = os.urandom(300 * 1024)
    before = time.monotonic()
    _, out, _ = gateway.connect("/x", data)
    took = time.monotonic() - before
    check("rate: all bytes come", out == data)
    check("but no faster: 600K at 200K a second, and 200K at once", took >= 1.9, took)
    gateway.end()


def parse_proxy_header(data):
    assert data[:12] == b"\r\n\r\n\0\r\nQUIT\n" and data[12] == 0x21
    length = struct.unpack("!H", data[14:16])[0]
    body, rest = data[16:16 + length], data[16 + length:]
    found = {"family": data[13], "peer": socket.inet_ntoa(body[:4]), "local": socket.inet_ntoa(body[4:8])}
    found["peer_port"], found["local_port"] = struct.unpack("!HH", body[8:12])
    at = 12
    while at < len(body):
        kind, size = body[at], struct.unpack("!H", body[at + 1:at + 3])[0]
        found[kind] = body[at + 3:at + 3 + size]
        at += 3 + size
    return found, rest


def test_proxy_protocol(tool, folder):
    def keep(conn, backend):
        backend.noted["got"] = b"".join(iter(lambda: conn.recv(65536), b""))
        conn.sendall(b"done")

    backend = Backend(keep)
    gateway = Gateway(tool, "-r", f"/x={backend.url}", "-d", "proxy-protocol=yes")
    status, out, messages = gateway.connect("/x", b"payload")
    check("with a PROXY header the stream works", (status, out) == (0, b"done"), messages)
    found, rest = parse_proxy_header(backend.noted["got"])
    line = gateway.session("/x")
    check("it has the client's address and ours", found["family"] == 0x11 and
          f"{found['peer']}:{found['peer_port']}" == line["client"] and found["local_port"] == gateway.port, found)
    check("ALPN, authority and TLS", found[1] == b"h3" and found[2] == b"127.0.0.1" and found[0x20][0] == 1 and
          b"TLSv1.3" in found[0x20], found)
    check("and the payload follows", rest == b"payload", rest)
    gateway.end()


TESTS = [test_bytes_both_ways, test_backend_ends_first, test_resets, test_answer_before_the_end_of_the_request,
         test_backend_dies_in_the_middle,
         test_connect_failures, test_second_address, test_no_descriptors,
         test_backend_that_stops_reading, test_client_that_stops_reading, test_short_streams, test_client_vanishes,
         test_kinds_of_streams, test_limits, test_times, test_rate, test_proxy_protocol]
