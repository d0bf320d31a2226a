# SPDX-License-Identifier: MIT
"""What the paths of ../README.md do that aioquic can do as a server. /close is missing: it cannot send a code."""

import asyncio
import functools
import signal
import sys
import urllib.parse

from aioquic.asyncio.server import QuicServer

from cases import SERVED, codes, digest, pattern
from endpoint import Endpoint, WasReset, configuration


def say(line):
    print(line, flush=True)


async def each_stream(session, is_uni, handle):
    """Runs `handle` for each stream of the client."""
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(handle(await session.accept(is_uni)))


async def answer(session, stream, data):
    """On the stream itself, or on a new one if the client's cannot be written to."""
    back = await session.open(True) if stream.is_uni else stream
    back.write(data, end=True)


async def echo(session, query):
    async def send_back(stream):
        if stream.is_uni:
            await answer(session, stream, await stream.read_all())
            return
        while data := await stream.read():
            stream.write(data)
        stream.write(b"", end=True)

    async def datagrams():
        while True:
            session.send_datagram(await session.datagrams.get())

    await asyncio.gather(each_stream(session, True, send_back), each_stream(session, False, send_back), datagrams())


async def digests(session, query):
    async def handle(stream):
        await answer(session, stream, digest(await stream.read_all()))

    await asyncio.gather(each_stream(session, True, handle), each_stream(session, False, handle))


async def source(session, query):
    for _ in range(int(query["streams"])):
        stream = await session.open(query["kind"] == "uni")
        stream.write(pattern(int(query["bytes"])), end=True)


async def resets(session, query):
    await session.reset_early(pattern(100), ((True, code) for code in codes(int(query["count"]))))


async def collect(session, query):
    found = []
    done = asyncio.Event()

    async def handle(stream):
        try:
            await stream.read_all()
        except WasReset as reset:
            found.append(reset.code)
        if not stream.is_uni:
            stream.write(b"", end=True)
        if len(found) == int(query["count"]):
            done.set()

    async def tell():
        await done.wait()
        stream = await session.open(True)
        stream.write("".join(f"{code}\n" for code in sorted(found)).encode(), end=True)

    await asyncio.gather(each_stream(session, True, handle), each_stream(session, False, handle), tell())


PATHS = {"/echo": echo, "/digest": digests, "/source": source, "/resets": resets, "/collect": collect}


def offered(headers):
    """The subprotocols of the request, best first."""
    items = headers.get(b"wt-available-protocols", b"").decode().split(",")
    return [item.split(";")[0].strip().strip('"') for item in items]


async def serve_session(session, handle, query):
    work = asyncio.create_task(handle(session, query))
    work.add_done_callback(lambda task: task.cancelled() or task.exception() and say_why(session, task.exception()))
    await session.ended.wait()
    work.cancel()
    say(f"closed {session.path} 0 ")
    session.close()


def say_why(session, why):
    print(f"{session.path}: {why!r}", file=sys.stderr, flush=True)


async def plain(session, method, path, query):
    """A request that asks for no session."""
    http = session.endpoint.http
    await session.ended.wait()
    known = {("GET", "/source"): lambda: pattern(int(query["bytes"])), ("POST", "/digest"): lambda: digest(session.body)}
    answer = known.get((method, path))
    http.send_headers(session.session_id, [(b":status", b"200" if answer else b"404")], end_stream=not answer)
    if answer:
        http.send_data(session.session_id, answer(), end_stream=True)
    session.endpoint.transmit()


def on_request(tasks, session, headers):
    session.path = headers[b":path"].decode()
    parts = urllib.parse.urlsplit(session.path)
    handle = PATHS.get(parts.path)
    if headers[b":method"] != b"CONNECT":
        work = plain(session, headers[b":method"].decode(), parts.path, dict(urllib.parse.parse_qsl(parts.query)))
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return
    if headers.get(b":protocol") != b"webtransport" or handle is None:
        session.endpoint.http.send_headers(session.session_id, [(b":status", b"404")], end_stream=True)
        return
    response = [(b":status", b"200"), (b"sec-webtransport-http3-draft", b"draft02")]
    chosen = next((protocol for protocol in offered(headers) if protocol in SERVED), None)
    if chosen:
        response.append((b"wt-protocol", f'"{chosen}"'.encode()))
    session.endpoint.http.send_headers(session.session_id, response)
    task = asyncio.create_task(serve_session(session, handle, dict(urllib.parse.parse_qsl(parts.query))))
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def run(port, certificate, key):
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    config = configuration(is_client=False)
    config.load_cert_chain(certificate, key)
    create = functools.partial(Endpoint, on_request=functools.partial(on_request, set()))
    transport, server = await loop.create_datagram_endpoint(
        lambda: QuicServer(configuration=config, create_protocol=create), local_addr=("127.0.0.1", port)
    )
    say(f"ready {transport.get_extra_info('sockname')[1]}")
    await stop.wait()
    server.close()
