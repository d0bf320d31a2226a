#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`webtransport serve` as a service: bound sockets, states, watchdog, renewed certificates, another user.

    test_service.py TOOL FOLDER"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

from service_rig import FOLDER, TOOL, WAIT, Manager, Service, bound, certificate, check, run, session


def test_sockets_of_the_manager_serve():
    udp, tcp = bound(socket.SOCK_DGRAM), bound(socket.SOCK_STREAM)
    port, http_port = udp.getsockname()[1], tcp.getsockname()[1]
    service = Service("--http", f"127.0.0.1:{http_port}", udp=udp, tcp=tcp)
    ready = service.ready()
    check("only the given socket is served", ready and ready["listen"] == [f"127.0.0.1:{port}"], ready)
    good, done = session(port, ready["certificate_sha256"])
    check("a session on a given socket echoes", good, done)
    with urllib.request.urlopen(f"http://127.0.0.1:{http_port}/healthz", timeout=WAIT) as answer:
        check("the companion uses the given TCP socket", answer.status == 200)
    check("it ends well", service.end() == 0)
    # Packets wait in the socket while no server runs.
    folder = os.path.join(FOLDER, "restart")
    os.mkdir(folder)
    certificate("restart-cert", folder)
    files = ["--cert", f"{folder}/cert.pem", "--key", f"{folder}/key.pem"]
    first = Service("--http", "none", *files, udp=udp)
    certificate_hash = first.ready()["certificate_sha256"]
    check("a restart: the first ends", first.end() == 0)
    client = subprocess.Popen([TOOL, "connect", "--quiet", "--insecure-hash", certificate_hash,
                               f"https://127.0.0.1:{port}/echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    client.stdin.write("waited\n")
    client.stdin.flush()
    time.sleep(0.3)
    second = Service("--http", "none", *files, udp=udp)
    second.ready()
    check("a client that called meanwhile is served", client.stdout.readline() == "waited\n")
    client.stdin.close()
    client.wait(WAIT)
    client.stdout.close()
    second.end()


def test_what_is_wrong_is_said():
    tcp, udp = bound(socket.SOCK_STREAM), bound(socket.SOCK_DGRAM)
    for options, pattern, given in (
            (["--http", "none"], "the service manager has a TCP socket, but --http is none", {"udp": udp, "tcp": tcp}),
            (["--http", "127.0.0.2:1"], "TCP sockets are not those of --http", {"udp": udp, "tcp": tcp}),
            (["--http", "none", "--takeover", f"{FOLDER}/takeover"], "the sockets were given", {"udp": udp}),
            (["--http", "none", "--user", "nobody", "--takeover", f"{FOLDER}/takeover"], "exclude each other", {"udp": udp}),
            (["--http", "none", "--user", "no-such-user"], "--user no-such-user: there is no such user", {"udp": udp})):
        service = Service(*options, **given)
        status = service.process.wait(WAIT)
        check(f"{options[-2:]} is refused", status in (1, 2) and pattern in service.text(), service.text())
    environment = {**os.environ, "LISTEN_FDS": "many"}
    service = Service("--http", "none", env=environment)
    check("a wrong LISTEN_FDS is refused", service.process.wait(WAIT) == 1 and "this is no number" in service.text(),
          service.text())


def test_the_manager_is_told():
    manager = Manager("notify")
    service = Service("--listen", "127.0.0.1:0", "--http", "none", manager=manager, watchdog=0.4)
    states = {manager.next() for _ in range(2)}
    service.ready()
    check("READY=1, and a first beat", states == {"READY=1", "WATCHDOG=1"}, states)
    check("beats go on", manager.next() == "WATCHDOG=1" and manager.next() == "WATCHDOG=1")
    service.process.send_signal(signal.SIGHUP)
    state = manager.next(but="WATCHDOG")
    check("RELOADING=1, with the time", re.fullmatch("RELOADING=1\nMONOTONIC_USEC=\\d+", state), state)
    check("then READY=1", manager.next(but="WATCHDOG") == "READY=1")
    service.process.send_signal(signal.SIGTERM)
    check("STOPPING=1", manager.next(but="WATCHDOG") == "STOPPING=1")
    check("it ends well", service.process.wait(WAIT) == 0)
    service = Service("--listen", "127.0.0.1:0", "--http", "none", "--drain-delay", "100ms", manager=manager)
    service.ready()
    check("ready", manager.next(but="WATCHDOG") == "READY=1")
    service.process.send_signal(signal.SIGTERM)
    state = manager.next()
    check("with a delay it asks for time", state == "STOPPING=1\nEXTEND_TIMEOUT_USEC=11100000\nSTATUS=Draining", state)
    check("it ends well after the delay", service.process.wait(WAIT) == 0)


def test_a_renewed_certificate_is_read():
    folder = os.path.join(FOLDER, "live")
    os.mkdir(folder)
    certificate("one", folder)
    service = Service("--listen", "127.0.0.1:0", "--http", "none", "--cert", f"{folder}/cert.pem", "--key",
                      f"{folder}/key.pem")
    ready = service.ready()
    certificate("two", folder)
    found = service.logged("certificate reloaded, SHA-256 ([0-9a-f]{64})")
    check("a new certificate is read without a signal", found, service.text())
    port = ready["listen"][0].split(":")[1]
    good, done = session(port, found[1] if found else "0" * 64)
    check("new sessions get it", good, done)
    check("it is another one", found and found[1] != ready["certificate_sha256"])
    with open(f"{folder}/cert.pem", "w", encoding="utf-8") as file:
        file.write("nothing")
    check("a broken one is told", service.logged("certificate not reloaded, the old one stays"), service.text())
    good, done = session(port, found[1] if found else "0" * 64)
    check("and the old one stays", good, done)
    service.end()


def test_another_user():
    if os.getuid() != 0:
        service = Service("--listen", "127.0.0.1:0", "--http", "none", "--user", "nobody")
        check("only root becomes another user", service.process.wait(WAIT) == 1 and "--user nobody: " in service.text(),
              service.text())
        return
    tool = shutil.copy(TOOL, os.path.join(FOLDER, "tool"))
    folder = os.path.join(FOLDER, "root-alone")
    os.mkdir(folder, 0o700)
    certificate("alone", folder)
    service = Service("--listen", "127.0.0.1:0", "--http", "none", "--user", "nobody", "--workers", "2", "--cert",
                      f"{folder}/cert.pem", "--key", f"{folder}/key.pem", tool=tool)
    ready = service.ready()
    check("it starts", ready, service.text())
    tasks = f"/proc/{service.process.pid}/task"
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/status", encoding="utf-8") as file:
            status = dict(line.split(":", 1) for line in file)
        users, caps = set(status["Uid"].split()), int(status["CapEff"], 16)
        good = "0" not in users and len(users) == 1 and caps == 0 and status["NoNewPrivs"].strip() == "1"
        check(f"thread {status['Name'].strip()} has no rights of root", good, status)
    check("what it cannot read later is told", service.logged("user nobody cannot read .*key.pem"), service.text())
    good, done = session(ready["listen"][0].split(":")[1], ready["certificate_sha256"])
    check("it serves", good, done)
    check("it ends well", service.end() == 0)


run((test_sockets_of_the_manager_serve, test_what_is_wrong_is_said, test_the_manager_is_told,
     test_a_renewed_certificate_is_read, test_another_user))
