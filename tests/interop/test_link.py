#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of the emulated network between the runner's two ends, tools/interop/link.py."""
import pathlib
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/interop"))
import link  # noqa: E402 pylint: disable=wrong-import-position


def udp_pair():
    """Two connected sockets, the second of which does not block."""
    ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for end in ends:
        end.bind(("127.0.0.1", 0))
    ends[0].connect(ends[1].getsockname())
    ends[1].connect(ends[0].getsockname())
    ends[1].setblocking(False)
    return ends


class Pair(link.Link):
    """Two ends in this process. `hold` is called before each packet is passed on to the server."""

    def __init__(self, hold=lambda: None):
        super().__init__(0)
        self.hold = hold
        self.client, self.near_client = udp_pair()
        self.server, self.near_server = udp_pair()

    def client_end(self):
        return self.near_client

    def server_end(self):
        return self.near_server

    @staticmethod
    def receive(end):
        packet = end.recv(65536)
        return packet, len(packet), packet

    def to_server(self, packet):
        self.hold()
        self.near_server.send(packet)

    def to_client(self, packet):
        self.near_client.send(packet)

    def close(self):
        for end in (self.client, self.near_client, self.server, self.near_server):
            end.close()


class TheQueue(unittest.TestCase):
    def test_it_holds_what_it_is_said_to(self):
        way = link.Way(0, 1)
        for _ in range(link.QUEUE_PACKETS + 5):
            way.take(b"", 1250, 1.0)  # the first is on the line at once
        self.assertEqual((way.carried, way.dropped), (link.QUEUE_PACKETS + 1, 4))

    def test_a_line_that_keeps_up_drops_nothing(self):
        way = link.Way(0, 1)
        for index in range(1000):
            way.take(b"", 1250, index * 0.001)
        self.assertEqual(way.dropped, 0)
        self.assertEqual(len(list(way.due(10.0))), 1000)


class TheLink(unittest.TestCase):
    def carry(self, pair, count, pause):
        """Sends so many packets of 1,000 bytes, one each `pause` seconds. Returns how many were dropped."""
        pair.start()
        try:
            for _ in range(count):
                pair.client.send(bytes(1000))
                time.sleep(pause)
            pair.server.settimeout(10)
            while pair.up.carried + pair.up.dropped < count:
                pair.server.recv(1000)
            return pair.up.dropped
        finally:
            pair.stop()

    def test_a_burst_is_more_than_the_queue_holds(self):
        self.assertGreater(self.carry(Pair(), 100, 0), 0)

    def test_what_comes_while_the_link_is_kept_from_running_is_no_burst(self):
        held = threading.Event()

        def hold():
            if not held.is_set():
                held.set()
                time.sleep(0.4)

        self.assertEqual(self.carry(Pair(hold), 60, 0.005), 0)


if __name__ == "__main__":
    unittest.main()
