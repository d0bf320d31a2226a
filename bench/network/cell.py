# SPDX-License-Identifier: MIT
"""One run: two network namespaces, the link between them (link.c), servers in one, clients in the other."""
import fcntl
import json
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tools/interop"))

import link as namespaces  # pylint: disable=wrong-import-position

SIOCSIFTXQLEN = 0x8943
DEVICE_QUEUE = 20000  # packets: the link has a queue of its own, and the device must never be full
READY_SECONDS, END_SECONDS = 30, 5
FIRST_PORT = 4433
SIZE_ENDLESS = 1 << 36  # bytes of a stream that time ends


class Failure(Exception):
    """A run that measured nothing, with the reason."""


def fill(words, values):
    filled = []
    for word in words:
        for name, value in values.items():
            word = word.replace("{" + name + "}", str(value))
        filled.append(word)
    return filled


def device_lengthen():
    """In the namespace of the calling thread."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFTXQLEN, struct.pack("16si20x", b"wt0", DEVICE_QUEUE))


def product(condition):
    """The bandwidth-delay product, in bytes."""
    return condition["rate"] / 8 * condition["round_trip_ms"] / 1e3


def link_words(condition, seed):
    """What link.c is told of a condition."""
    words = {"rate": condition["rate"], "delay-us": int(condition["round_trip_ms"] * 500),
             "queue": int(product(condition) * condition["queue"]), "loss-ppm": int(condition["loss"] * 1e4),
             "reorder-ppm": int(condition["reorder"] * 1e4), "reorder-us": int(condition["reorder_ms"] * 1e3), "seed": seed}
    given = [word for name, value in words.items() for word in (f"--{name}", str(value))]
    if condition.get("steps"):
        given += ["--steps", ",".join(f"{at}:{rate}" for at, rate in condition["steps"])]
    return given


class Program:
    """A process whose standard output is read line by line, in a thread."""

    def __init__(self, command, log_path, files=()):
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            pass_fds=files)
        self.command, self.log_path = command, log_path
        self.lines, self.changed, self.ended = [], threading.Condition(), False
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        with self.process.stdout as lines:
            for line in lines:
                with self.changed:
                    self.lines.append(line.decode("utf-8", "replace"))
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def fail(self, what):
        said = self.log_path.read_text("utf-8", "replace").strip().splitlines()
        return Failure(f"{pathlib.Path(self.command[0]).name}: {what}: {said[-1] if said else '(it said nothing)'}")

    def wait_line(self, pattern):
        with self.changed:
            def matches():
                return any(re.search(pattern, line) for line in self.lines)
            self.changed.wait_for(lambda: matches() or self.ended, READY_SECONDS)
            if not matches():
                raise self.fail("not ready")

    def result(self, seconds):
        """The JSON on its last line, once it has ended."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise self.fail(f"not done after {seconds} s") from error
        self.reader.join()
        if status != 0 or not self.lines:
            raise self.fail(f"status {status}")
        return json.loads(self.lines[-1])

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join()


class Cell:
    """Programs on both ends of a link. Use it with `with`; the link's own counts are in `counts` afterwards."""

    def __init__(self, link_program, condition, seed, folder):
        self.link_program, self.condition, self.seed, self.folder = link_program, condition, seed, folder
        self.programs, self.devices, self.link, self.counts = [], {}, None, None

    def place(self, address, commands):
        """Starts programs in a namespace of their own."""
        started = []

        def start():
            device_lengthen()
            for name, command in commands:
                started.append(Program(command, self.folder / f"{name}.log"))

        try:
            self.devices[address] = namespaces.in_namespace(address, start)
        finally:
            self.programs += started
        return started

    def connect(self):
        """Puts the link between the two."""
        up, down = (self.devices[address].file for address in (namespaces.CLIENT_ADDRESS, namespaces.SERVER_ADDRESS))
        self.link = Program([self.link_program, "--client-fd", str(up), "--server-fd", str(down),
                             *link_words(self.condition, self.seed)], self.folder / "link.log", (up, down))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for program in reversed(self.programs):
            program.stop()
        if self.link:
            self.link.stop()
            if self.link.lines:
                self.counts = json.loads(self.link.lines[-1])
        for device in self.devices.values():
            device.close()


def run(tools, condition, servers, seed):
    """Clients of all `servers` (their commands and what tells that they are ready) at once. Returns what each client told,
    and what the link did."""
    folder = tools["folder"]
    values = dict(tools, address=namespaces.SERVER_ADDRESS)
    commands = [(f"server-{i}", fill(server["command"], dict(values, port=FIRST_PORT + i)))
                for i, server in enumerate(servers)]
    kind = condition.get("kind", "bulk")
    seconds = condition.get("seconds", 0)
    size = SIZE_ENDLESS if seconds else condition["bytes"]
    words = [] if kind == "open" else [str(size), str(seconds or condition["give_up"])]
    cell = Cell(tools["link"], condition, seed, folder)
    with cell:
        for program, server in zip(cell.place(namespaces.SERVER_ADDRESS, commands), servers):
            program.wait_line(server["ready"])
        # The devices have to be there before the link, and the link before the clients: they wait for a line of their shell.
        clients = [(f"client-{i}", ["sh", "-c", f"while [ ! -e {folder}/go ]; do sleep 0.02; done; exec \"$@\"", "sh",
                                    tools["client"], "open" if kind == "open" else "bulk",
                                    f"https://{namespaces.SERVER_ADDRESS}:{FIRST_PORT + i}", *words])
                   for i in range(len(servers))]
        (folder / "go").unlink(missing_ok=True)
        waiting = cell.place(namespaces.CLIENT_ADDRESS, clients)
        cell.connect()
        (folder / "go").touch()
        told = [program.result(2 * condition["give_up"] + seconds + 30) for program in waiting]
    return told, cell.counts


def self_test(tools, rate, offered, seconds):
    """Full packets from the server's side to the client's over a clean link of `rate`. What arrived, and the link's counts."""
    condition = {"rate": rate, "round_trip_ms": 20, "queue": 0.5, "loss": 0, "reorder": 0, "reorder_ms": 0}
    folder = tools["folder"]
    cell = Cell(tools["link"], condition, 1, folder)
    (folder / "go").unlink(missing_ok=True)
    with cell:
        receiver = cell.place(namespaces.CLIENT_ADDRESS, [("receive", [tools["blast"], "receive", "5000", str(seconds)])])[0]
        receiver.wait_line("ready")
        cell.place(namespaces.SERVER_ADDRESS,
                   [("send", ["sh", "-c", f"while [ ! -e {folder}/go ]; do sleep 0.02; done; exec \"$@\"", "sh",
                              tools["blast"], "send", namespaces.CLIENT_ADDRESS, "5000", str(offered), str(seconds)])])
        cell.connect()
        (folder / "go").touch()
        told = receiver.result(seconds + 20)
    return told, cell.counts
