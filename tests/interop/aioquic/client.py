# SPDX-License-Identifier: MIT
"""The cases of ../README.md that aioquic can do as a client. Each returns when it passed, and raises otherwise."""

import asyncio
import contextlib
import urllib.parse

from aioquic.asyncio import connect

from cases import SIZES, codes, digest, pattern
from endpoint import Endpoint, WasReset, configuration

DEADLINE = 28


class Failed(Exception):
    pass


def check(what, found, wanted):
    if found != wanted:
        brief = [repr(value) if len(repr(value)) < 100 else f"{len(value)} of them" for value in (found, wanted)]
        raise Failed(f"{what}: {brief[0]} instead of {brief[1]}")


class Server:
    def __init__(self, url, certificate):
        self.authority = urllib.parse.urlsplit(url).netloc
        self.host, port = self.authority.rsplit(":", 1)
        self.port = int(port)
        self.certificate = certificate

    @contextlib.asynccontextmanager
    async def connection(self):
        config = configuration(is_client=True)
        config.load_verify_locations(cafile=self.certificate)
        async with connect(self.host, self.port, configuration=config, create_protocol=Endpoint) as endpoint:
            await endpoint.wait_for_settings()
            yield endpoint

    async def ask(self, endpoint, path, protocols=()):
        """A session that may be refused, and the answer."""
        session = endpoint.request(self.authority, path, protocols)
        return session, await session.answer

    @contextlib.asynccontextmanager
    async def session(self, path):
        async with self.connection() as endpoint:
            session, answer = await self.ask(endpoint, path)
            check(f"the status of {path}", answer[b":status"], b"200")
            yield session


async def round_trip(session, is_uni, data):
    """Sends `data` on a stream of ours, and returns what comes back: on it, or on a new one of the server."""
    stream = await session.open(is_uni)
    stream.write(data, end=True)
    return await (await session.accept(True) if is_uni else stream).read_all()


async def handshake(server):
    async with server.session("/echo") as session:
        check("the echo", await round_trip(session, False, b"hello"), b"hello")
        session.close()
        await session.ended.wait()


async def rejection(server):
    async with server.connection() as endpoint:
        _, answer = await server.ask(endpoint, "/nowhere")
        check("the status of /nowhere", answer[b":status"], b"404")


async def subprotocol(server):
    async with server.connection() as endpoint:
        _, answer = await server.ask(endpoint, "/echo", ("interop-a", "interop-b"))
        check("the status", answer[b":status"], b"200")
        check("the subprotocol", answer.get(b"wt-protocol"), b'"interop-b"')
    async with server.connection() as endpoint:
        session, answer = await server.ask(endpoint, "/echo", ("interop-x",))
        check("the subprotocol that was not on offer", answer.get(b"wt-protocol"), None)
        if answer[b":status"] == b"200":
            check("the echo", await round_trip(session, False, b"hello"), b"hello")


async def transfers(server, is_uni, echo):
    kind = "uni" if is_uni else "bidi"
    async with server.session("/digest") as session:
        for size in SIZES:
            data = pattern(size)
            check(f"the digest of {size} bytes", await round_trip(session, is_uni, data), digest(data))
    for size in SIZES:
        async with server.session(f"/source?kind={kind}&bytes={size}&streams=1") as session:
            stream = await session.accept(is_uni)
            if not is_uni:
                stream.write(b"", end=True)
            check(f"{size} bytes from the server", await stream.read_all(), pattern(size))
    async with server.session("/echo") as session:
        check(f"the echo of {echo} bytes", await round_trip(session, is_uni, pattern(echo)), pattern(echo))


async def bidi(server):
    await transfers(server, False, 2097152)


async def uni(server):
    await transfers(server, True, 65536)


async def datagrams(server):
    async with server.session("/echo") as session:
        waiting, good, number = set(), 0, 0
        while number < 100 or waiting:
            while number < 100 and len(waiting) < 8:
                waiting.add(number.to_bytes(2, "big") + pattern(62))
                session.send_datagram(number.to_bytes(2, "big") + pattern(62))
                number += 1
            try:
                data = await asyncio.wait_for(session.datagrams.get(), 1)
            except asyncio.TimeoutError:
                waiting.clear()  # all lost
                continue
            if data in waiting:
                waiting.remove(data)
                good += 1
        if good < 95:
            raise Failed(f"{good} of 100 datagrams came back")


async def resets_out(server):
    async with server.session("/collect?count=1000") as session:
        kinds = (number % 2 == 0 for number in range(1000))
        await session.reset_early(pattern(100), zip(kinds, codes(1000)))
        listed = await (await session.accept(True)).read_all()
        check("the server's list", [int(line) for line in listed.split()], codes(1000))


async def resets_in(server):
    async with server.session("/resets?count=1000") as session:
        found = []
        for _ in range(1000):
            stream = await session.accept(True)
            try:
                await stream.read_all()
                raise Failed("a stream ended without a reset")
            except WasReset as reset:
                found.append(reset.code)
        check("the codes", sorted(found), codes(1000))


CASES = {
    "handshake": handshake,
    "rejection": rejection,
    "subprotocol": subprotocol,
    "bidi": bidi,
    "uni": uni,
    "datagrams": datagrams,
    "resets-out": resets_out,
    "resets-in": resets_in,
}


async def run(case, url, certificate):
    await asyncio.wait_for(CASES[case](Server(url, certificate)), DEADLINE)
