# SPDX-License-Identifier: MIT
"""The clients of a soak: each job is a program that runs again and again, and whose end is judged."""

import collections
import dataclasses
import hashlib
import json
import os
import random
import signal
import subprocess
import threading
import time

from processes import Failure, Program

LIMIT_SECONDS = 180  # no job takes so long, also on a busy machine
ANY = None


@dataclasses.dataclass
class Job:
    """`command(run)` makes the words. A job has a fault if its end is not its own: `kill` or `stop` after that many seconds."""
    name: str
    command: object
    input: object = None       # bytes for standard input
    expect: object = None      # SHA-256 of what has to come back; None: the program checks itself
    statuses: object = (0,)    # of exit; ANY: a fault explains each
    kill: tuple = None         # seconds, from and to: SIGKILL
    stop: tuple = None         # seconds, from and to: SIGSTOP for so long, then it goes on
    slow: int = 0              # bytes a second that are read of its output, until the kill
    pause: tuple = (0.2, 1.0)  # between two runs


class Lane(threading.Thread):
    """Runs the jobs of a list, one after the other, in turns, until it is told to stop."""

    def __init__(self, load, jobs, seed):
        super().__init__(daemon=True)
        self.load, self.jobs, self.random, self.stopping = load, jobs, random.Random(seed), threading.Event()
        self.process = None

    def run(self):
        number = 0
        while not self.stopping.is_set():
            job = self.jobs[number % len(self.jobs)]
            number += 1
            try:
                self.run_job(job)
            except (OSError, Failure) as error:
                self.load.failed(job, str(error))
            self.stopping.wait(self.random.uniform(*job.pause))

    def run_job(self, job):
        process = subprocess.Popen([str(word) for word in job.command()], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   stdin=subprocess.PIPE if job.input else subprocess.DEVNULL)
        self.process = process
        if job.kill:
            self.run_killed(job, process)
            return
        stopper = threading.Thread(target=self.stop_and_go_on, args=(process, job.stop), daemon=True) if job.stop else None
        if stopper:
            stopper.start()
        try:
            out, errors = process.communicate(job.input, LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.load.failed(job, f"does not end in {LIMIT_SECONDS} s")
            return
        self.judge(job, process.returncode, out, errors)

    def judge(self, job, status, out, errors):
        text = errors.decode(errors="replace").strip()
        if job.statuses is not ANY and status not in job.statuses:
            self.load.failed(job, f"status {status}: {text[-600:]}")
        elif job.expect and hashlib.sha256(out).digest() != job.expect:
            self.load.failed(job, f"{len(out)} bytes came back that are not those that were sent: {text[-300:]}")
        else:
            self.load.done(job, len(out) if job.expect else 0)

    def run_killed(self, job, process):
        until = time.monotonic() + self.random.uniform(*job.kill)
        while time.monotonic() < until and process.poll() is None:
            if job.slow:
                os.read(process.stdout.fileno(), max(1, job.slow // 10))
            time.sleep(0.1)
        ended = process.poll()
        process.kill()
        _, errors = process.communicate()
        if ended not in (None, 0):  # before the fault
            self.load.failed(job, f"status {ended} before it was killed: {errors.decode(errors='replace')[-300:]}")
        else:
            self.load.done(job, 0)

    def stop_and_go_on(self, process, seconds):
        time.sleep(self.random.uniform(0.1, 0.5))
        if process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            time.sleep(self.random.uniform(*seconds))
            process.send_signal(signal.SIGCONT)


class Load:
    """All lanes, and what became of their jobs."""

    def __init__(self, lanes, seed):
        self.lists, self.seed, self.lanes, self.lock = lanes, seed, [], threading.Lock()
        self.runs, self.failures, self.bytes = collections.Counter(), [], 0
        self.rounds, self.over = 0, False

    def start(self):
        self.rounds += 1
        self.lanes = [Lane(self, jobs, self.seed + self.rounds * 1000 + number) for number, jobs in enumerate(self.lists)]
        for lane in self.lanes:
            lane.start()

    def stop(self):
        for lane in self.lanes:
            lane.stopping.set()
        for lane in self.lanes:
            lane.join(LIMIT_SECONDS)

    def done(self, job, length):
        with self.lock:
            self.runs[job.name] += 1
            self.bytes += length

    def break_off(self):
        """The servers are about to be killed: what their clients say then means nothing."""
        self.over = True
        for lane in self.lanes:
            lane.stopping.set()
            if lane.process and lane.process.poll() is None:
                lane.process.kill()

    def failed(self, job, text):
        with self.lock:
            if self.over:
                return
            self.runs[job.name] += 1
            self.failures.append(f"{time.strftime('%H:%M:%S')} {job.name}: {text}")
            print(self.failures[-1], flush=True)


class Standing(Program):
    """fleet_client.c: sessions that stay, and check every byte."""

    def __init__(self, name, *command):
        self.name = name
        self.problems, self.opened, self.asked, self.summary = [], 0, 0, None
        super().__init__(*command, errors=subprocess.STDOUT)

    def on_line(self, line):
        kind, _, rest = line.partition(" ")[2].partition(" ")
        if kind == "open":
            self.opened += 1
        elif kind == "closed" and rest.split()[2] == "asked":
            self.asked += 1
        elif kind == "end":
            self.summary = json.loads(rest)
        elif kind != "drain":  # a session that was lost, a dial that failed, wrong bytes, a sanitizer's words
            self.problems.append(f"{time.strftime('%H:%M:%S')} a client that stays ({self.name}): {line}")
            print(self.problems[-1], flush=True)
