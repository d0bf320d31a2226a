#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Packets that no decent client sends, to a server on the loopback addresses.

    strangers.py TOOL SERVER-PORT SEED [--rate 100]

The program is a place that clients of ours dial (`TOOL bench`), so it has true Initial packets. It passes some of them on to
the server and never brings an answer back: handshakes that stay half done. Others it spoils, cuts, joins, and sends again from
other addresses. Between them are packets made of random bytes: unknown versions, short headers, nothing at all. What the
server answers is sent back to it, spoiled. Sources are addresses of 127.66.0.0/16, so that the limits for an address do not
fall on the other clients. The end of standard input ends the program; its last line counts what was sent, in JSON.
"""

import argparse
import json
import random
import select
import socket
import struct
import subprocess
import sys
import time

KEPT = 64      # true packets, for later
SOURCES = 12
LEN_MAX = 1452
SOURCE_SECONDS = 2  # then its place goes to a new address
VERSIONS = (0, 1, 0x6b3343cf, 0x1a2a3a4a, 0xff00001d, 0xffffffff)


class Strangers:
    def __init__(self, options):
        self.options, self.random = options, random.Random(options.seed)
        self.server = ("127.0.0.1", options.port)
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.front.setblocking(False)
        self.sources, self.true, self.answers = [], [], []
        self.dialer, self.dial_at = None, 0
        self.kinds = [self.true_one, self.true_one, self.spoiled, self.cut, self.joined, self.again, self.noise, self.long_noise,
                      self.short_noise, self.empty, self.answer_back]
        self.counts = {"strange_packets": 0, "answers": 0, **{f"strange {kind.__name__}": 0 for kind in self.kinds}}

    # --- kinds ---

    def some_true(self):
        return self.random.choice(self.true) if self.true else self.noise()

    def true_one(self):
        return self.true.pop() if self.true else None

    def spoiled(self):
        packet = bytearray(self.some_true())
        for _ in range(self.random.choice((1, 1, 2, 8))):
            packet[self.random.randrange(len(packet))] ^= self.random.randrange(1, 256)
        return bytes(packet)

    def cut(self):
        packet = self.some_true()
        return packet[:self.random.randrange(1, len(packet) + 1)]

    def joined(self):
        return (self.some_true()[:700] + self.some_true()[:700])[:LEN_MAX]

    def again(self):
        return self.some_true()

    def noise(self):
        return self.random.randbytes(self.random.randrange(1, LEN_MAX))

    def long_noise(self):
        """A long header of some version, ids of some length, and no sense behind them."""
        first = 0xc0 | self.random.randrange(64)
        ids = b"".join(bytes([length]) + self.random.randbytes(length) for length in (self.random.choice((0, 8, 20, 21)), 8))
        version = struct.pack("!I", self.random.choice(VERSIONS))
        return (bytes([first]) + version + ids + self.random.randbytes(1200))[:self.random.choice((30, 1199, 1200, 1300))]

    def short_noise(self):
        return bytes([0x40 | self.random.randrange(64)]) + self.random.randbytes(self.random.randrange(0, 120))

    def empty(self):
        return b""

    def answer_back(self):
        if not self.answers:
            return None
        packet = bytearray(self.answers.pop())
        if packet and self.random.random() < 0.7:
            packet[self.random.randrange(len(packet))] ^= 1
        return bytes(packet)

    # --- the run ---

    def source(self, now):
        while self.sources and now - self.sources[0][0] > SOURCE_SECONDS:
            self.sources.pop(0)[1].close()
        if len(self.sources) < SOURCES:
            it = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            it.bind((f"127.66.{self.random.randrange(256)}.{self.random.randrange(1, 255)}", 0))
            it.setblocking(False)
            self.sources.append((now, it))
        return self.random.choice(self.sources)[1]

    def send(self, now):
        kind = self.random.choice(self.kinds)
        packet = kind()
        if packet is None:
            return
        try:
            self.source(now).sendto(packet, self.server)
        except OSError:
            return  # no room, or an ICMP error of an earlier packet
        self.counts["strange_packets"] += 1
        self.counts[f"strange {kind.__name__}"] += 1

    def dial(self, now):
        """Clients whose packets are taken. Nobody answers them."""
        if now < self.dial_at or (self.dialer and self.dialer.poll() is None):
            return
        self.dial_at = now + 1
        port = self.front.getsockname()[1]
        self.dialer = subprocess.Popen(
            [self.options.tool, "bench", "--workload", "setup", "--sessions", "20", "--dials", "20", "--timeout", "1s", "--count", "20",
             "--dangerously-accept-any-certificate", f"https://127.0.0.1:{port}/echo"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def receive(self, seconds):
        sockets = [self.front, sys.stdin, *(it for _, it in self.sources)]
        for it in select.select(sockets, [], [], seconds)[0]:
            if it is sys.stdin:
                return bool(sys.stdin.buffer.raw.read(100))
            try:
                packet = it.recv(65536)
            except OSError:
                continue
            kept = self.true if it is self.front else self.answers
            self.counts["answers"] += it is not self.front
            if packet:
                kept.append(packet)
                del kept[:-KEPT]
        return True

    def run(self):
        period, due = 1 / self.options.rate, time.monotonic()
        while self.receive(max(0, due - time.monotonic())):
            now = time.monotonic()
            self.dial(now)
            if now >= due:
                self.send(now)
                due = max(due + period, now - 0.1)  # what was missed is not made up for
        if self.dialer:
            self.dialer.kill()
            self.dialer.wait()
        print(json.dumps(self.counts), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("port", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--rate", type=float, default=100, help="packets a second")
    Strangers(parser.parse_args()).run()


if __name__ == "__main__":
    main()
