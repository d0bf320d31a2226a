# SPDX-License-Identifier: MIT
"""Programs of a soak: started, read, and ended."""

import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

PATIENCE = 60  # seconds, for what has no bound of its own: a busy machine is slow
LINES_KEPT = 40
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


# Metrics for samples.csv alone: they tell what a server did while something went wrong.
TOLD = ("handshakes_open", "handshakes_dropped_total", "packets_put_off_total", "packets_cut_off_total", "packets_received_total",
        "long_turns_total", "turns_total")
# Errors in a log that a fault of the soak explains: a certificate is read just while its two files are replaced, and again right after.
EXPLAINED = ("certificate not reloaded, the old one stays",)


class Failure(Exception):
    pass


class Program:
    """A program whose standard output is read line by line. `errors`: what becomes of its standard error."""

    def __init__(self, *command, errors=subprocess.DEVNULL, environment=None):
        self.lines, self.condition, self.over = collections.deque(maxlen=1000), threading.Condition(), False
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=errors, text=True, errors="replace", env=environment)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.on_line(line.rstrip("\n"))
        with self.condition:
            self.over = True
            self.condition.notify_all()

    def on_line(self, line):
        with self.condition:
            self.lines.append(line)
            self.condition.notify_all()

    def next_line(self):
        with self.condition:
            self.condition.wait_for(lambda: self.lines or self.over, PATIENCE)
            if not self.lines:
                raise Failure(f"{self.process.args[0]} says nothing, status {self.process.poll()}")
            return self.lines.popleft()

    def alive(self):
        return self.process.poll() is None

    def end(self, number=None):
        """By a signal, or else by the end of its input. Its status."""
        if number and self.alive():
            self.process.send_signal(number)
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"{self.process.args[0]} does not end") from None
        self.reader.join(PATIENCE)
        return status

    def kill(self):
        if self.alive():
            self.process.kill()
        self.process.wait()


class Server(Program):
    """A `webtransport serve` or `gateway`, with its log and what /proc and /metrics tell of it."""

    def __init__(self, name, command, log_path, environment=None, heap=None):
        self.name, self.levels, self.kept = name, collections.Counter(), collections.deque(maxlen=LINES_KEPT)
        self.log_path, self.http, self.heap, self.late_answers = pathlib.Path(log_path), None, heap, 0
        self.log = open(self.log_path, "w", encoding="utf-8")
        super().__init__(*command, errors=subprocess.PIPE, environment=environment)
        self.log_reader = threading.Thread(target=self.read_log, daemon=True)
        self.log_reader.start()
        ready = json.loads(self.next_line())
        self.port = int(ready["listen"][0].rsplit(":", 1)[1])
        port = ready.get("http_port")  # the gateway's; serve has an address
        self.http = f"http://127.0.0.1:{port}/" if port else ready.get("http")

    def read_log(self):
        """Lines "TIME LEVEL TEXT"; others are a sanitizer's, or a library's, and are kept too."""
        for line in self.process.stderr:
            words = line.split(None, 2)
            if len(words) > 2 and words[1] == "error" and words[2].startswith(EXPLAINED):
                words[1] = "warn"
            level = words[1] if len(words) > 2 and words[1] in ("error", "warn", "info", "debug") else "other"
            self.levels[level] += 1
            if level in ("error", "other"):
                self.kept.append(line.rstrip("\n"))
            if level != "info":
                self.log.write(line)
        self.log.close()

    def proc(self, name):
        return pathlib.Path(f"/proc/{self.process.pid}/{name}")

    def page(self, name):
        """A server that is short of time answers 503: not all of its workers have told their counts."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(self.http + name, timeout=PATIENCE) as answer:
                    return answer.read().decode()
            except urllib.error.HTTPError as error:
                if error.code != 503 or time.monotonic() > until:
                    raise
                self.late_answers += 1
                time.sleep(0.5)

    def metrics(self):
        """Those without labels."""
        text = self.page("metrics")
        rows = (line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#" and "{" not in line)
        return {name.removeprefix("webtransport_"): float(value) for name, value in rows}

    def reading(self):
        """What is judged, and what is told. `memory` is what belongs to the process alone, `heap` what is in use of it, in bytes."""
        status = dict(line.split(":", 1) for line in self.proc("status").read_text().splitlines())
        times = self.proc("stat").read_text().rsplit(")", 1)[1].split()
        metrics = self.metrics()
        return {
            "heap": int.from_bytes(self.heap.read_bytes(), sys.byteorder) if self.heap else 0,
            "memory": int(status["RssAnon"].split()[0]) * 1024,
            "resident": int(status["VmRSS"].split()[0]) * 1024,
            "descriptors": len(os.listdir(self.proc("fd"))),
            "threads": int(status["Threads"]),
            "cpu": (int(times[11]) + int(times[12])) / TICKS,
            "counted": metrics["memory_used_bytes"],
            "connections": metrics["connections_open"],
            "sessions": metrics["sessions_open"],
            **{name: metrics[name] for name in TOLD},
            "log_lines": sum(self.levels.values()),
        }

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def end(self, number=signal.SIGTERM):
        status = super().end(number)
        self.log_reader.join(PATIENCE)
        return status


def wait(what, condition, seconds=PATIENCE):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.1)
