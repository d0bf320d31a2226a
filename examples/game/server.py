#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A game server on UDP that knows nothing of the web: who moves is seen by the others, 20 times a second.

    server.py [PORT]     on 127.0.0.1, where `webtransport gateway` is; 0, as without it: a free port, which is printed

Each address is a player, and so is each session of the gateway, which has a socket for it. A player says where it is: a number
that grows, so that a datagram which comes late is known, and a place, x and y from 0 to 65535. All in network order:

    to the server    number (4)  x (2)  y (2)
    to a player      tick (4)  its own id (1)  count (1)  then for each player: id (1)  x (2)  y (2)

Nothing is sent again: the next datagram has news anyway.
"""
import select
import socket
import struct
import sys
import time

HZ = 20
PLAYERS_MAX = 64
SILENCE_SECONDS = 5  # after which a player is gone
MOVE = struct.Struct("!IHH")
HEAD = struct.Struct("!IBB")
PLACE = struct.Struct("!BHH")


class Game:
    def __init__(self):
        self.players = {}  # address: [id, number, x, y, when it was heard]
        self.tick = 0

    def hear(self, address, data, now):
        if len(data) != MOVE.size:
            return
        number, x, y = MOVE.unpack(data)
        player = self.players.get(address)
        if player is None:
            ids = {other[0] for other in self.players.values()}
            if len(ids) == PLAYERS_MAX:
                return
            player = self.players[address] = [min(set(range(PLAYERS_MAX)) - ids), -1, 0, 0, now]
        player[4] = now
        if number > player[1]:
            player[1:4] = number, x, y

    def news(self, now):
        """Yields an address and a datagram for each player."""
        self.players = {address: player for address, player in self.players.items() if now - player[4] < SILENCE_SECONDS}
        places = b"".join(PLACE.pack(player[0], player[2], player[3]) for player in self.players.values())
        for address, player in self.players.items():
            yield address, HEAD.pack(self.tick, player[0], len(self.players)) + places
        self.tick = (self.tick + 1) & 0xFFFFFFFF


def main():
    game, server = Game(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
    server.setblocking(False)
    print(f"listening on 127.0.0.1:{server.getsockname()[1]}", flush=True)
    due = time.monotonic()
    while True:
        if select.select([server], [], [], max(0, due - time.monotonic()))[0]:
            data, address = server.recvfrom(2048)
            game.hear(address, data, time.monotonic())
        elif time.monotonic() >= due:
            due = max(due + 1 / HZ, time.monotonic())
            for address, datagram in game.news(time.monotonic()):
                try:
                    server.sendto(datagram, address)
                except OSError:
                    pass  # a player that has gone, or no room: the next one has news


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
