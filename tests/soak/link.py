#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A bad link on the loopback addresses: loses, delays, repeats and spoils UDP packets, and changes clients' ports.

    link.py SERVER-PORT SEED [--loss 0.02] [--late 0.02] [--twice 0.01] [--spoiled 0.005] [--rebind 8]

Prints "ready PORT". Each client that sends to 127.0.0.1:PORT gets a socket of its own towards the server, and a new one, with
another port, every --rebind seconds: that is a NAT which forgets. Packets that are on the way to the old port are lost. The
end of standard input ends the program, and its last line counts what happened, in JSON.
"""

import argparse
import heapq
import json
import random
import selectors
import socket
import sys
import time

LATE_SECONDS = (0.002, 0.04)
IDLE_SECONDS = 60  # then a client is forgotten
PACKETS_AT_ONCE = 64


def open_socket(port=0):
    it = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    it.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        it.setsockopt(socket.SOL_SOCKET, option, 1 << 20)
    it.bind(("127.0.0.1", port))
    return it


class Client:
    def __init__(self, address, now, rebind):
        self.address, self.heard = address, now
        self.outside = open_socket()
        self.rebind_at = now + rebind


class Link:
    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        self.server = ("127.0.0.1", options.port)
        self.inside = open_socket()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.inside, selectors.EVENT_READ, self.from_clients)
        self.selector.register(sys.stdin, selectors.EVENT_READ, self.on_input)
        self.clients, self.late, self.order, self.open = {}, [], 0, True
        self.counts = dict.fromkeys(("packets", "lost", "late", "twice", "spoiled", "rebinds", "clients"), 0)

    def on_input(self):
        self.open = bool(sys.stdin.buffer.raw.read(100))

    # --- packets ---

    def send(self, it, packet, address):
        try:
            it.sendto(packet, address)
        except OSError:
            self.counts["lost"] += 1  # no room, or nobody listens there

    def spoil(self, packet):
        packet = bytearray(packet)
        packet[self.random.randrange(len(packet))] ^= 1 << self.random.randrange(8)
        return bytes(packet)

    def pass_on(self, source, packet, address):
        """`source()` is the socket to send from, asked when the packet leaves: it may be another one by then."""
        roll, o = self.random.random(), self.options
        self.counts["packets"] += 1
        if roll < o.loss:
            self.counts["lost"] += 1
            return
        if (roll := roll - o.loss) < o.late:
            self.counts["late"] += 1
            self.order += 1
            due = time.monotonic() + self.random.uniform(*LATE_SECONDS)
            heapq.heappush(self.late, (due, self.order, source, packet, address))
            return
        if (roll := roll - o.late) < o.spoiled and packet:
            self.counts["spoiled"] += 1
            packet = self.spoil(packet)
        elif roll - o.spoiled < o.twice:
            self.counts["twice"] += 1
            self.send(source(), packet, address)
        self.send(source(), packet, address)

    def from_clients(self):
        now = time.monotonic()
        for _ in range(PACKETS_AT_ONCE):
            try:
                packet, address = self.inside.recvfrom(65536)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an earlier packet
            client = self.clients.get(address) or self.client_new(address, now)
            client.heard = now
            self.pass_on(lambda client=client: client.outside, packet, self.server)

    def from_server(self, client):
        for _ in range(PACKETS_AT_ONCE):
            try:
                packet = client.outside.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                continue
            self.pass_on(lambda: self.inside, packet, client.address)

    # --- clients ---

    def client_new(self, address, now):
        self.counts["clients"] += 1
        client = self.clients[address] = Client(address, now, self.options.rebind * self.random.uniform(0.5, 1))
        self.selector.register(client.outside, selectors.EVENT_READ, lambda: self.from_server(client))
        return client

    def rebind(self, client, now):
        self.counts["rebinds"] += 1
        self.selector.unregister(client.outside)
        client.outside.close()
        client.outside = open_socket()
        self.selector.register(client.outside, selectors.EVENT_READ, lambda: self.from_server(client))
        client.rebind_at = now + self.options.rebind

    def look_after(self, now):
        for address, client in list(self.clients.items()):
            if now - client.heard > IDLE_SECONDS:
                self.selector.unregister(client.outside)
                client.outside.close()
                del self.clients[address]
            elif now >= client.rebind_at and now - client.heard < 1:
                self.rebind(client, now)

    def run(self):
        look_at = 0
        while self.open:
            now = time.monotonic()
            while self.late and self.late[0][0] <= now:
                _, _, source, packet, address = heapq.heappop(self.late)
                self.send(source(), packet, address)
            if now >= look_at:
                self.look_after(now)
                look_at = now + 0.2
            until = min(look_at, self.late[0][0] if self.late else look_at)
            for key, _ in self.selector.select(max(0, until - now)):
                key.data()
        print(json.dumps(self.counts), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("seed", type=int)
    for name, default in (("loss", 0.02), ("late", 0.02), ("twice", 0.01), ("spoiled", 0.005), ("rebind", 8)):
        parser.add_argument("--" + name, type=float, default=default)
    link = Link(parser.parse_args())
    print(f"ready {link.inside.getsockname()[1]}", flush=True)
    link.run()


if __name__ == "__main__":
    main()
