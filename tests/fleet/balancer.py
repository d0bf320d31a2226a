#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A balancer for tests: sends each UDP packet to the server that its connection id names (QUIC-LB), and answers back.

    balancer.py PORT TABLE    listens on 127.0.0.1:PORT (0: any) and prints "ready PORT"; SIGHUP reads TABLE again, and
                              prints "table [...]": packets with ids of configuration 0 to 7 since the last time

TABLE is a file of JSON:

    {"configs": [{"config_id": 0, "server_id_len": 2, "nonce_len": 8, "key": "HEX or null"}, ...],
     "servers": [{"id": "HEX", "port": 4433, "new": true, "alive": true}, ...]}

A packet whose id names no server that is alive goes by a hash of the client's address, to a server with "new" (the draft's
baseline fallback, section 4.3.1). That is how the first packets of a client find a server.

The balancer knows nothing of connections, so a restart loses nothing. Like a balancer in front of machines it has to bring
answers back to clients: it sends from an address that it derives from the client's, 127.77.0.1 with the same port. After a
restart the servers see the same address again.
"""

import collections
import errno
import hashlib
import json
import os
import resource
import select
import signal
import socket
import sys

import quic_lb

DESCRIPTORS_SPARE = 32
PACKETS_AT_ONCE = 64
CACHE_MAX = 20000
SOCKET_BUFFER = 1 << 22


class Table:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            table = json.load(file)
        self.configs = {}
        for config in table["configs"]:
            key = bytes.fromhex(config["key"]) if config["key"] else None
            self.configs[config["config_id"]] = quic_lb.Config(config["config_id"], config["server_id_len"],
                                                               config["nonce_len"], key)
        self.alive = {bytes.fromhex(server["id"]): ("127.0.0.1", server["port"])
                      for server in table["servers"] if server["alive"]}
        self.new = [("127.0.0.1", server["port"]) for server in table["servers"] if server["alive"] and server["new"]]
        self.packets = [0] * 8
        self.known = {}  # ids that were decoded already

    def route(self, packet, client):
        dcid = destination_id(packet)
        number = quic_lb.config_id(dcid) if dcid else quic_lb.UNROUTABLE
        config = self.configs.get(number)
        if not packet[0] & 0x80:  # in long headers it may be the client's
            self.packets[number] += 1
        if config is None:
            return self.by_address(client)
        dcid = dcid[:1 + config.plaintext_len]
        if dcid not in self.known:
            if len(self.known) > CACHE_MAX:
                self.known.clear()
            self.known[dcid] = self.decode(config, dcid)
        return self.known[dcid] or self.by_address(client)

    def decode(self, config, dcid):
        try:
            return self.alive.get(config.decode(dcid)[0])
        except ValueError:
            return None

    def by_address(self, client):
        """The server with the highest hash, so that a server that goes away moves nobody else."""
        return max(self.new, key=lambda server: hashlib.blake2b(f"{client}{server}".encode()).digest(), default=None)


def destination_id(packet):
    """RFC 8999. In a short header the length is not known: all that could belong to it."""
    if packet[0] & 0x80:
        return packet[6:6 + packet[5]] if len(packet) > 6 else b""
    return packet[1:21]


class Balancer:
    def __init__(self, port, table_path):
        self.table_path = table_path
        self.table = Table(table_path)
        self.front = self.bind(("127.0.0.1", port))
        self.poll = select.epoll()
        self.poll.register(self.front, select.EPOLLIN)
        self.back = collections.OrderedDict()  # client's address -> socket towards the servers, least recently used first
        self.clients = {}  # descriptor of such a socket -> it, client's address
        self.back_max = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - DESCRIPTORS_SPARE

    @staticmethod
    def bind(address):
        it = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        it.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
        it.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        it.bind(address)
        return it

    def open_back(self, client):
        if len(self.back) >= self.back_max:
            _, oldest = self.back.popitem(last=False)
            del self.clients[oldest.fileno()]
            oldest.close()
        host = "127.77." + client[0].split(".", 2)[2]
        try:
            it = self.bind((host, client[1]))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            it = self.bind((host, 0))  # somebody else listens on that port at all addresses
        self.poll.register(it, select.EPOLLIN)
        self.back[client] = it
        self.clients[it.fileno()] = (it, client)
        return it

    def from_clients(self):
        for _ in range(PACKETS_AT_ONCE):
            try:
                packet, client = self.front.recvfrom(65536)
            except BlockingIOError:
                return
            if not packet or (server := self.table.route(packet, client)) is None:
                continue
            it = self.back.get(client) or self.open_back(client)
            self.back.move_to_end(client)
            self.send(it, packet, server)

    def from_servers(self, descriptor):
        it, client = self.clients[descriptor]
        for _ in range(PACKETS_AT_ONCE):
            try:
                packet = it.recv(65536)
            except OSError:
                return
            self.send(self.front, packet, client)

    @staticmethod
    def send(it, packet, address):
        try:
            it.sendto(packet, address)
        except OSError:
            pass  # no room, or nobody listens there: the packet is lost

    def run(self):
        while True:
            for descriptor, _ in self.poll.poll():
                if descriptor == self.front.fileno():
                    self.from_clients()
                elif descriptor in self.clients:
                    self.from_servers(descriptor)

    def reload(self, *_):
        packets, self.table = self.table.packets, Table(self.table_path)
        # Not by print: a second signal may come while it writes, and its buffer cannot be entered twice.
        os.write(sys.stdout.fileno(), f"table {packets}\n".encode())


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536, hard))
    balancer = Balancer(int(sys.argv[1]), sys.argv[2])
    signal.signal(signal.SIGHUP, balancer.reload)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"ready {balancer.front.getsockname()[1]}", flush=True)
    balancer.run()


if __name__ == "__main__":
    main()
