# SPDX-License-Identifier: MIT
"""What the tests of services share: a server that is started as by a service manager, its client, checks.

Programs that use it are called with TOOL and FOLDER first."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

TOOL, FOLDER = os.path.abspath(sys.argv[1]), sys.argv[2]
MANAGER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "service_manager.py")
WAIT = 30
checks = {"good": 0, "bad": 0}


def check(what, good, found=""):
    checks["good" if good else "bad"] += 1
    print(f"{'ok  ' if good else 'FAIL'} {what}{'' if good else f': {found}'}", flush=True)


def bound(kind):
    made = socket.socket(socket.AF_INET, kind)
    made.bind(("127.0.0.1", 0))
    if kind == socket.SOCK_STREAM:
        made.listen()
    return made


class Manager:
    """Its notify socket."""

    def __init__(self, name):
        self.path = os.path.join(FOLDER, name)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(WAIT)

    def next(self, but=""):
        """The next state, without those that begin with `but`."""
        while True:
            state = self.socket.recv(4096).decode()
            if not but or not state.startswith(but):
                return state


class Service:
    def __init__(self, *options, udp=None, tcp=None, manager=None, watchdog=None, tool=TOOL, env=None, launch=(),
                 command="serve"):
        """`launch`: a program, with its options, that becomes the tool by exec."""
        line = [sys.executable, "-B", MANAGER]
        inherited = [s.fileno() for s in (udp, tcp) if s]
        for name, given in (("--udp", udp), ("--tcp", tcp)):
            if given:
                line += [name, str(given.fileno())]
        line += ["--notify", manager.path] if manager else []
        line += ["--watchdog", str(watchdog)] if watchdog else []
        self.log = os.path.join(FOLDER, f"log.{time.monotonic_ns()}")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [*line, *launch, tool, command, "--json", *options], stdout=subprocess.PIPE, stderr=log,
                pass_fds=inherited, text=True, env=env)

    def ready(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def text(self):
        with open(self.log, encoding="utf-8") as log:
            return log.read()

    def logged(self, pattern):
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            found = re.search(pattern, self.text())
            if found:
                return found
            time.sleep(0.02)
        return None

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(WAIT)


def session(port, certificate_hash):
    """Whether a session of a client echoes."""
    done = subprocess.run([TOOL, "connect", "--quiet", "--insecure-hash", certificate_hash, f"https://127.0.0.1:{port}/echo"],
                          input="hello\n", capture_output=True, text=True, timeout=WAIT, check=False)
    return done.stdout == "hello\n", done


def certificate(name, folder):
    """A new pair of files in `folder`."""
    made = os.path.join(FOLDER, name)
    subprocess.run([TOOL, "cert", "--out", made], check=True, capture_output=True)
    os.replace(f"{made}.key", os.path.join(folder, "key.pem"))
    os.replace(f"{made}.pem", os.path.join(folder, "cert.pem"))


def run(tests):
    """Runs them and ends the program."""
    for test in tests:
        print(f"-- {test.__name__}", flush=True)
        test()
    print(f"{checks['good'] + checks['bad']} checks, {checks['bad']} failed")
    sys.exit(1 if checks["bad"] or not checks["good"] else 0)
