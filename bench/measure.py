# SPDX-License-Identifier: MIT
"""What the kernel knows of a process and of the machine, and processes that are held to cores."""

import collections
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time

TICK = 1 / os.sysconf("SC_CLK_TCK")
READY_SECONDS = 20
STOP_SECONDS = 3
QUOTA_PERIOD_US = 10000

Usage = collections.namedtuple("Usage", "user system resident highest")


def usage_parse(stat, status):
    """From the texts of /proc/PID/stat and status: seconds and bytes. The name in stat may hold anything."""
    fields = stat[stat.rindex(")") + 1:].split()
    memory = {name: int(kilobytes) * 1024 for name, kilobytes in re.findall(r"^(\w+):\s+(\d+) kB$", status, re.M)}
    # Its own time, and that of its children that have ended.
    return Usage((int(fields[11]) + int(fields[13])) * TICK, (int(fields[12]) + int(fields[14])) * TICK, memory.get("VmRSS", 0), memory.get("VmHWM", 0))


def usage_add(usages):
    return Usage(*map(sum, zip(*usages)))


def children(pid):
    """Of all of its threads."""
    found = []
    for task in pathlib.Path("/proc", str(pid), "task").iterdir():
        try:
            found += (task / "children").read_text().split()
        except OSError:
            continue  # it has ended
    return found


def usage(pid):
    """Of a process with those that it has started: servers with a process for each connection. One of them that ends
    while this looks is counted by its parent."""
    proc = pathlib.Path("/proc", str(pid))
    found = [usage_parse((proc / "stat").read_text(), (proc / "status").read_text())]
    for child in children(pid):
        try:
            found.append(usage(child))
        except OSError:
            continue
    return usage_add(found)


def thread_times(pid):
    """The seconds that each thread of a process has run."""
    found = {}
    for task in pathlib.Path("/proc", str(pid), "task").iterdir():
        try:
            found[int(task.name)] = int((task / "schedstat").read_text().split()[0]) / 1e9
        except (OSError, IndexError):
            continue  # it has ended
    return found


def machine_times():
    with open("/proc/stat", encoding="ascii") as lines:
        return [int(number) for number in lines.readline().split()[1:]]


def free_port():
    """One that neither UDP nor TCP uses, not even for connections that have just ended."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, socket.socket() as other:
            probe.bind(("127.0.0.1", 0))
            try:
                other.bind(probe.getsockname())
            except OSError:
                continue
            return probe.getsockname()[1]


def port_is_bound(port):
    """By a socket of UDP, or by one of TCP that listens."""
    return any(line.split()[1].endswith(f":{port:04X}") and (table == "udp" or line.split()[3] == "0A")
               for table in ("udp", "tcp") for line in pathlib.Path("/proc/net", table).read_text().splitlines()[1:])


class Quota:
    """Holds each thread of a process to a share of a core, with the cpu controller of version 1 control groups. There
    is none of this where the controller is not, or not ours to use: `is_there` tells."""

    root = pathlib.Path("/sys/fs/cgroup/cpu")

    @classmethod
    def is_there(cls):
        return os.access(cls.root / "cpu.cfs_quota_us", os.W_OK)

    def __init__(self, pid, share):
        self.groups = []
        for thread in thread_times(pid):
            group = self.root / f"libwebtransport-bench-{thread}"
            group.mkdir(exist_ok=True)
            self.groups.append(group)
            (group / "cpu.cfs_period_us").write_text(str(QUOTA_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(int(QUOTA_PERIOD_US * share)))
            (group / "tasks").write_text(str(thread))

    def close(self):
        """When the process has ended."""
        for group in self.groups:
            group.rmdir()


class Process:
    """A program on certain cores. Its standard output is read line by line, each with a look at `watched` if that is
    a process: what its usage was when the line came."""

    def __init__(self, command, cores, folder, log_path, environment=None, watched=None):
        self.lines = []
        self.seen = []
        self.changed = threading.Condition()
        self.ended = False
        self.watched = watched
        self.log_path = log_path
        path = os.environ.get("PATH", "") + ":/usr/sbin"  # where gtlsserver is
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", ",".join(map(str, cores)), *command], cwd=folder, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=log, env=dict(os.environ, PATH=path, **(environment or {})))
        self.pid = self.process.pid
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with self.process.stdout as lines:
            for line in lines:
                seen = usage(self.watched) if self.watched else None
                with self.changed:
                    self.lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
                    self.seen.append(seen)
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_match(self, pattern, seconds):
        """What the first group of the pattern matched in a line, or None: it ended, or the time has passed."""
        def found():
            return next((match[1] for match in map(re.compile(pattern).search, self.lines) if match), None)
        with self.changed:
            self.changed.wait_for(lambda: found() is not None or self.ended, seconds)
            return found()

    def wait_port(self, pattern, port):
        """The port that the server says it has; of one that says nothing, when the one it was given is bound."""
        if pattern:
            told = self.wait_match(pattern, READY_SECONDS)
            return int(told) if told else None
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if port_is_bound(port):
                return port
            time.sleep(0.01)
        return None

    def wait(self, seconds):
        """The exit status, or None: it had to be killed."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        with self.changed:
            self.changed.wait_for(lambda: self.ended, STOP_SECONDS)
        return status

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.wait(STOP_SECONDS)

    def last_words(self):
        try:
            lines = pathlib.Path(self.log_path).read_text("utf-8", "replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1][:300] if lines else "(it said nothing)"


def machine():
    """What the figures were measured on."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return {"processor": model, "cores": os.cpu_count(), "kernel": os.uname().release.split("-")[0],
            "date": time.strftime("%Y-%m-%d", time.gmtime()), "quota": Quota.is_there(),
            "compiler": version_line([shutil.which("cc") or "cc", "--version"])}


def version_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"
