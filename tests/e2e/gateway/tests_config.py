# SPDX-License-Identifier: MIT
"""The configuration: what is refused, and what SIGHUP does."""

import os
import shutil
import socket
import subprocess
import sys

from rig import Backend, Gateway, check, wait_for


def name_it(name):
    def serve(conn, _):
        conn.sendall(name)
        while data := conn.recv(65536):
            conn.sendall(data)
    return serve


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def faults(form, answer):
    reader = os.path.join(os.path.dirname(__file__), "..", "metrics_format.py")
    return subprocess.run([sys.executable, reader, form], input=answer.split("\r\n\r\n", 1)[1], capture_output=True,
                          text=True, timeout=60, check=False).stdout


def look(tool, path):
    result = subprocess.run([tool, "gateway", "--config", path, "--check"], capture_output=True, text=True,
                            timeout=60, check=False)
    return result.returncode, result.stdout + result.stderr


def test_wrong_files(tool, folder):
    path = f"{folder}/wrong.yaml"
    good = "routes:\n  /x:\n    backend: tcp://127.0.0.1:1\n"
    for text, place, part in (
            (good + "    max-sesions: 5\n", "4:5", "'max-sesions' is no member here; members are backend"),
            (good + "    max-sessions: -1\n", "4:19", "max-sessions '-1': expected a number"),
            (good + "    idle-timeout: 5x\n", "4:19", "idle-timeout '5x': expected a time"),
            (good + "    idle-timeout: [5s]\n", "4:19", "idle-timeout has one value"),
            (good + "    origin: [any, 'https://*.example.com']\n", "4:19", "no wildcards"),
            (good + "    proxy-protocol: maybe\n", "4:21", "expected no or yes"),
            (good + "    backend: tcp://127.0.0.1:2\n", "4:5", "here a second time; the first is in line 3"),
            (good + "lisen: '[::]:443'\n", "4:1", "'lisen' is no member here"),
            (good + "log: loud\n", "4:6", "log 'loud': expected"),
            (good + "---\nroutes: {}\n", "5:1", "a second document"),
            ("routes:\n  /x:\n    origin: any\n", "2:3", "the route has no backend"),
            ("routes:\n  x: tcp://127.0.0.1:1\n", "2:6", "a path begins with '/'"),
            ("routes:\n  /x: tcp://127.0.0.1\n", "2:7", "expected ADDR:PORT"),
            ("routes:\n  /x: gopher://127.0.0.1:70\n", "2:7", "begins with one of tcp:"),
            ("routes:\n  /x:\n    backend: udp://127.0.0.1:1\n    proxy-protocol: yes\n", "2:3", "proxy-protocol"),
            ("routes:\n  /x: https://a/?b\n", "2:7", "a host, a port and a path alone"),
            (good + "    host: keep\n", "2:3", "have no meaning for tcp"),
            ("routes: [a, b]\n", "1:9", "expected members"),
            ("routes:\n\t/x: y\n", "2:1", "cannot start any token")):
        write(path, text)
        status, out = look(tool, path)
        check(f"refused at {place}: {part}", status == 2 and f"{path}:{place}: " in out and part in out, out)
    write(path, "")
    check("an empty file", look(tool, path)[0] == 2)
    write(path, "# nothing\nlog: info\n")
    check("no routes", "there is no route" in look(tool, path)[1])
    check("no such file", "No such file" in look(tool, f"{folder}/none.yaml")[1])
    write(path, "defaults: {origin: [https://a.example], max-life: 1h}\nroutes:\n  # SSH\n" + good[8:] +
          "  /y/: unix:/run/x\nretry: always\nhost: [a.example, b.example]\n")
    example = os.path.join(os.path.dirname(__file__), "../../../examples/gateway.yaml")
    check("the example", look(tool, example) == (0, "6 routes, nothing is wrong\n"), look(tool, example))
    check("a right file", look(tool, path) == (0, "2 routes, nothing is wrong\n"), look(tool, path))


def test_reload(tool, folder):
    one, two = Backend(name_it(b"one")), Backend(name_it(b"two"))
    path = f"{folder}/gateway.yaml"
    for name in ("a", "b"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "10", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                        f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"], check=True, capture_output=True)
    head = f"cert: {folder}/%s.pem\nkey: {folder}/%s.key\naccess-log: {folder}/access.log\nroutes:\n"
    write(path, head % ("a", "a") + f"  /x: {one.url}\n")
    gateway = Gateway(tool, "--config", path)
    hash_a = gateway.ready["certificate_sha256"]
    check("routes are those of the file", gateway.ready["routes"] == ["/x"], gateway.ready)
    old = gateway.client("/x")
    check("a session begins", old.stdout.read(3) == b"one")

    write(path, head % ("b", "b") + f"  /x: {two.url}\n  /y: {one.url}\n")
    gateway.reload()
    hash_b = gateway.logged("reloaded: 2 routes").split()[-1]
    check("SIGHUP: another certificate", hash_b != hash_a and len(hash_b) == 64, hash_b)
    gateway.ready["certificate_sha256"] = hash_b
    check("SIGHUP: another back end", gateway.connect("/x", b"")[1] == b"two")
    check("SIGHUP: another route", gateway.connect("/y", b"")[1] == b"one")
    old.stdin.write(b"still")
    old.stdin.close()
    check("the session from before goes on with its own", old.stdout.read() == b"still" and old.wait(60) == 0)

    write(path, head % ("b", "b") + f"  /x: {one.url}\n  /y: tcp:oops\n")
    gateway.reload()
    check("a wrong file: the log has the line", f"{path}:6:7: backend" in gateway.logged("not reloaded") or
          f"{path}:6:7: " in gateway.logged("not reloaded"), gateway.log)
    check("and the old one stays", gateway.connect("/x", b"")[1] == b"two")
    write(path, head % ("none", "none") + f"  /x: {one.url}\n")
    gateway.reload()
    check("a certificate that is not there: likewise", wait_for("", lambda: sum(
        "not reloaded" in line for line in gateway.log) == 2) and gateway.connect("/x", b"")[1] == b"two", gateway.log)
    shutil.copy(f"{folder}/a.key", f"{folder}/b.key")
    check("a key alone is not taken", gateway.logged("certificate not reloaded, the old one stays"))
    shutil.copy(f"{folder}/a.pem", f"{folder}/b.pem")
    renewed = gateway.logged("certificate reloaded, SHA-256").split()[-1]
    check("a renewed certificate is read without a signal, of the file of the last reload", renewed == hash_a, renewed)
    gateway.ready["certificate_sha256"] = hash_a
    check("sessions get it", gateway.connect("/x", b"")[1] == b"two")
    check("nothing was said about a restart", not any("restart" in line for line in gateway.log), gateway.log)
    write(path, "retry: always\n" + head % ("b", "b") + f"  /x: {two.url}\n")
    gateway.reload()
    check("what needs a restart is said", "need a restart" in gateway.logged("restart"))
    wait_for("counts go on", lambda: gateway.metrics()["sessions_open /x"] == 0)
    check("counts went on", gateway.metrics()["sessions_total /x"] == 5, gateway.metrics())
    for form, accept in ("prometheus", "*/*"), ("openmetrics", "application/openmetrics-text; version=1.0.0"):
        check(f"the metrics are sound: {form}", faults(form, gateway.metrics_text(accept)) == "sound\n")
    with open(f"{folder}/access.log", encoding="utf-8") as log:
        check("the access log is in its file", len(log.readlines()) == 6)
    check("it ends in order", gateway.end() == 0)


def test_service(tool, folder):
    """What a service manager hears."""
    path = f"{folder}/notify.sock"
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(path)
    manager.settimeout(60)

    def hears(start):
        """The next state that is no beat of the watchdog."""
        while True:
            state = manager.recv(200).decode()
            if not state.startswith("WATCHDOG"):
                return state.startswith(start) or state
    gateway = Gateway(tool, "-r", "/x=tcp://127.0.0.1:1",
                      prefix=["env", f"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=100000"])
    check("a service manager hears that it is ready", hears("READY=1") is True)
    check("and beats of the watchdog", manager.recv(200) == b"WATCHDOG=1" and manager.recv(200) == b"WATCHDOG=1")
    gateway.reload()
    check("and SIGHUP begin and end", (hears("RELOADING=1\nMONOTONIC_USEC="), hears("READY=1")) == (True, True))
    gateway.process.terminate()
    check("and its end", hears("STOPPING=1") is True and gateway.process.wait(60) == 0)
    given = subprocess.run(["bash", "-c", f"LISTEN_FDS=1 exec {tool} gateway -r /x=tcp://127.0.0.1:1 3<>/dev/udp/127.0.0.1/9"],
                           capture_output=True, text=True, timeout=60, check=False)
    check("it takes no sockets, and says so", given.returncode == 1 and "LISTEN_FDS" in given.stderr, given)


def test_origins(tool, folder):
    backend = Backend(name_it(b"hi"))
    path = f"{folder}/origins.yaml"
    write(path, f"defaults:\n  origin: https://a.example\nroutes:\n  /a: {backend.url}\n  /b:\n    backend: "
                f"{backend.url}\n    origin: [https://b.example, https://c.example]\n  /any:\n    backend: "
                f"{backend.url}\n    origin: any\n")
    gateway = Gateway(tool, "--config", path)
    for route, origin, let_in in (("/a", "https://a.example", True), ("/a", "https://b.example", False),
                                  ("/b", "https://c.example", True), ("/b", "https://a.example", False),
                                  ("/any", "https://evil.example", True)):
        status, _, messages = gateway.connect(route, b"", "--origin", origin)
        check(f"{route}: {origin} {'may' if let_in else 'may not'}", (status == 0) == let_in and
              ("403" in messages) != let_in, messages)
    gateway.end()
    gateway = Gateway(tool, "-r", f"/x={backend.url}")
    check("by default: the same origin may", gateway.connect("/x", b"", "--origin",
                                                             f"https://127.0.0.1:{gateway.port}")[0] == 0)
    check("and no other", "403" in gateway.connect("/x", b"", "--origin", "https://a.example")[2])
    line = gateway.refused("/x", 403, origin="https://a.example")
    check("the access log says why", "origin" in line["refusal"] and line["route"] == "/x", line)
    gateway.end()


TESTS = [test_wrong_files, test_reload, test_service, test_origins]
