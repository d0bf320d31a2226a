# SPDX-License-Identifier: MIT
"""Sessions and streams on aioquic's HTTP/3 layer, as a client or a server.

aioquic knows the first bytes of WebTransport's streams, HTTP/3 datagrams and extended CONNECT. It has no session
object: this is one, and no more than one. What aioquic has no notion of (capsules, and so close codes and flow
control) is not added here, with one exception: the numbers of application errors on streams, which aioquic passes on
as they are on the wire.
"""

import asyncio
import contextlib

from aioquic.asyncio import QuicConnectionProtocol
from aioquic.h3.connection import FrameUnexpected, H3Connection, Setting
from aioquic.h3.events import DatagramReceived, DataReceived, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, StreamDataReceived, StreamReset

FIRST_CODE = 0x52E4A40FA8DB
RESETS_AT_ONCE = 8


def code_to_wire(code):
    """The HTTP/3 error of an application's code: every 31st number is not used."""
    return FIRST_CODE + code + code // 0x1E


def code_from_wire(wire):
    shifted = wire - FIRST_CODE
    if not 0 <= shifted <= code_to_wire(0xFFFFFFFF) - FIRST_CODE or (wire - 0x21) % 0x1F == 0:
        raise ValueError(f"the peer used {wire:#x}, which is no application error")
    return shifted - shifted // 0x1F


def configuration(is_client):
    return QuicConfiguration(is_client=is_client, alpn_protocols=["h3"], max_datagram_frame_size=65536)


class WasReset(Exception):
    """The peer reset the stream with this code."""

    def __init__(self, code):
        super().__init__(f"reset with {code}")
        self.code = code


class Stream:
    def __init__(self, endpoint, stream_id):
        self.endpoint = endpoint
        self.stream_id = stream_id
        self._arrived = asyncio.Queue()

    @property
    def is_uni(self):
        return self.stream_id & 2 != 0

    def feed(self, item):
        self._arrived.put_nowait(item)

    async def read(self):
        """Some bytes, or b"" at the end."""
        item = await self._arrived.get()
        if isinstance(item, Exception):
            raise item
        return item

    async def read_all(self):
        whole = bytearray()
        while data := await self.read():
            whole += data
        return bytes(whole)

    def write(self, data, end=False):
        self.endpoint.quic.send_stream_data(self.stream_id, data, end_stream=end)
        self.endpoint.transmit()

    def reset(self, code):
        self.endpoint.quic.reset_stream(self.stream_id, code_to_wire(code))
        self.endpoint.transmit()


class Session:
    def __init__(self, endpoint, session_id, path):
        self.endpoint = endpoint
        self.session_id = session_id
        self.path = path
        self.answer = asyncio.get_running_loop().create_future()
        self.ended = asyncio.Event()
        self.streams = {True: asyncio.Queue(), False: asyncio.Queue()}
        self.datagrams = asyncio.Queue()
        self.body = bytearray()  # of a request that is no session

    async def open(self, is_uni):
        """A new stream, once the peer allows one."""
        return await self.endpoint.open_stream(self.session_id, is_uni)

    async def reset_early(self, data, kinds_and_codes):
        await self.endpoint.reset_early(self.session_id, data, kinds_and_codes)

    async def accept(self, is_uni):
        return await self.streams[is_uni].get()

    def send_datagram(self, data):
        self.endpoint.http.send_datagram(self.session_id, data)
        self.endpoint.transmit()

    def close(self):
        """Ends the CONNECT stream in order, which means code 0 without a reason."""
        with contextlib.suppress(FrameUnexpected):  # the peer has stopped it
            self.endpoint.http.send_data(self.session_id, b"", end_stream=True)
            self.endpoint.transmit()


class Endpoint(QuicConnectionProtocol):
    """A connection. `on_request` is what a server does with a request; a client has none."""

    def __init__(self, *args, on_request=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = None
        self.sessions = {}
        self.on_request = on_request
        self._streams = {}
        self._ours = set()  # bidirectional streams that we opened
        self._news = asyncio.Event()

    @property
    def quic(self):
        return self._quic

    async def until(self, condition):
        """Waits until a packet of the peer has made `condition` true."""
        while not condition():
            if self._closed.is_set():
                raise ConnectionError("the connection is closed")
            self._news.clear()
            await self._news.wait()

    async def open_stream(self, session_id, is_uni):
        number = self.quic.get_next_available_stream_id(is_unidirectional=is_uni) // 4
        allowed = "_remote_max_streams_uni" if is_uni else "_remote_max_streams_bidi"
        await self.until(lambda: getattr(self.quic, allowed) > number)
        stream_id = self.http.create_webtransport_stream(session_id, is_unidirectional=is_uni)
        stream = self._streams[stream_id] = Stream(self, stream_id)
        if not is_uni:
            self._ours.add(stream_id)
        return stream

    async def reset_early(self, session_id, data, kinds_and_codes):
        """Opens streams one after the other, writes `data` on each and resets it right after that.

        aioquic does not send what it still has when a stream is reset, the session's id included. So the bytes are
        put on the wire first. The PING waits for their acknowledgement, so that the next ones fit into the
        congestion window.
        """
        for number, (is_uni, code) in enumerate(kinds_and_codes):
            stream = await self.open_stream(session_id, is_uni)
            stream.write(data)
            stream.reset(code)
            if number % RESETS_AT_ONCE == RESETS_AT_ONCE - 1:
                await self.ping()

    def request(self, authority, path, protocols):
        """Asks for a session; its `answer` will be the response's headers."""
        headers = [
            (b":method", b"CONNECT"),
            (b":scheme", b"https"),
            (b":authority", authority.encode()),
            (b":path", path.encode()),
            (b":protocol", b"webtransport"),
            (b"sec-webtransport-http3-draft02", b"1"),
        ]
        if protocols:
            offer = ", ".join(f'"{protocol}"' for protocol in protocols)
            headers.append((b"wt-available-protocols", offer.encode()))
        session_id = self.quic.get_next_available_stream_id()
        session = self.sessions[session_id] = Session(self, session_id, path)
        self.http.send_headers(session_id, headers)
        self.transmit()
        return session

    async def wait_for_settings(self):
        await self.until(lambda: self.http is not None and self.http.received_settings is not None)
        for setting in (Setting.ENABLE_CONNECT_PROTOCOL, Setting.H3_DATAGRAM, Setting.ENABLE_WEBTRANSPORT):
            if self.http.received_settings.get(setting) != 1:
                raise ConnectionError(f"the server's SETTINGS have no {setting.name}")

    def datagram_received(self, data, addr):
        super().datagram_received(data, addr)
        self._news.set()

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self.quic, enable_webtransport=True)
        if isinstance(event, ConnectionTerminated):
            for session in list(self.sessions.values()):
                self._end(session)
            self._news.set()
        elif getattr(event, "stream_id", None) in self._ours:
            # aioquic would take what comes back on our own streams for HTTP/3 frames:
            # create_webtransport_stream() does not remember them.
            self._own_stream_event(event)
        elif self.http is not None:
            for http_event in self.http.handle_event(event):
                self._http_event(http_event)
            if isinstance(event, StreamReset):
                self._reset(event)

    def _own_stream_event(self, event):
        stream = self._streams[event.stream_id]
        if isinstance(event, StreamDataReceived):
            self._feed(stream, event.data, event.end_stream)
        elif isinstance(event, StreamReset):
            stream.feed(WasReset(code_from_wire(event.error_code)))

    def _http_event(self, event):
        if isinstance(event, HeadersReceived):
            session = self.sessions.get(event.stream_id)
            if session is None:
                session = self.sessions[event.stream_id] = Session(self, event.stream_id, "")
                self.on_request(session, dict(event.headers))
            elif not session.answer.done():
                session.answer.set_result(dict(event.headers))
        elif isinstance(event, DataReceived) and event.stream_id in self.sessions:
            self.sessions[event.stream_id].body += event.data
        elif isinstance(event, DatagramReceived) and event.stream_id in self.sessions:
            self.sessions[event.stream_id].datagrams.put_nowait(event.data)
        elif isinstance(event, WebTransportStreamDataReceived):
            self._feed(self._stream(event.stream_id, event.session_id), event.data, event.stream_ended)
        ended = getattr(event, "stream_ended", False)
        if ended and isinstance(event, (HeadersReceived, DataReceived)) and event.stream_id in self.sessions:
            self._end(self.sessions[event.stream_id])

    def _stream(self, stream_id, session_id):
        if stream_id not in self._streams:
            self._streams[stream_id] = stream = Stream(self, stream_id)
            self.sessions[session_id].streams[stream.is_uni].put_nowait(stream)
        return self._streams[stream_id]

    def _feed(self, stream, data, ended):
        if data:
            stream.feed(data)
        if ended:
            stream.feed(b"")

    def _reset(self, event):
        if event.stream_id in self.sessions:
            self._end(self.sessions[event.stream_id])
            return
        if event.stream_id not in self._streams and len(self.sessions) != 1:
            raise ValueError(f"stream {event.stream_id} was reset, and aioquic did not say whose it is")
        stream = self._stream(event.stream_id, next(iter(self.sessions)))
        stream.feed(WasReset(code_from_wire(event.error_code)))

    def _end(self, session):
        if not session.ended.is_set():
            session.ended.set()
            if not session.answer.done():
                session.answer.set_exception(ConnectionError("the server did not answer"))
                session.answer.exception()  # seen, even if nobody waits
