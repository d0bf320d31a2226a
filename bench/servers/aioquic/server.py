# SPDX-License-Identifier: MIT
"""aioquic as a server of the benchmark: /echo, /sink and /source, as `webtransport serve` has them.

It works on aioquic's events directly, with nothing in between. It runs in the environment of tests/interop/aioquic.

    server.py --port PORT --cert FILE --key FILE
"""

import argparse
import asyncio
import sys
import urllib.parse

from aioquic.asyncio import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DatagramReceived, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated

CHUNK = bytes(65536)
QUEUED = 1 << 20  # bytes that a source keeps in aioquic's buffer, which has no bound


class Endpoint(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = None
        self.paths = {}  # of the sessions
        self.received = {}  # by a sink: bytes of a stream
        self.sources = {}  # streams: bytes that are left

    def datagram_received(self, data, addr):
        super().datagram_received(data, addr)
        if self.sources and self.feed():
            self.transmit()

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic, enable_webtransport=True)
        if self.http is None:
            return
        for http_event in self.http.handle_event(event):
            if isinstance(http_event, HeadersReceived):
                self.request(http_event.stream_id, dict(http_event.headers))
            elif isinstance(http_event, DatagramReceived):
                self.http.send_datagram(http_event.stream_id, http_event.data)
            elif isinstance(http_event, WebTransportStreamDataReceived):
                self.stream_data(http_event)

    def request(self, stream_id, headers):
        url = urllib.parse.urlsplit(headers[b":path"].decode())
        known = headers.get(b":protocol") == b"webtransport" and url.path in ("/echo", "/sink", "/source")
        if not known:
            self.http.send_headers(stream_id, [(b":status", b"404")], end_stream=True)
            return
        self.paths[stream_id] = url.path
        self.http.send_headers(stream_id, [(b":status", b"200"), (b"sec-webtransport-http3-draft", b"draft02")])
        if url.path == "/source":
            query = dict(urllib.parse.parse_qsl(url.query))
            for _ in range(int(query.get("streams", 1))):
                stream = self.http.create_webtransport_stream(stream_id, is_unidirectional=True)
                self.sources[stream] = int(query["bytes"])
            self.feed()

    def stream_data(self, event):
        if self.paths.get(event.session_id) == "/echo":
            self._quic.send_stream_data(event.stream_id, event.data, end_stream=event.stream_ended)
            return
        total = self.received[event.stream_id] = self.received.get(event.stream_id, 0) + len(event.data)
        if event.stream_ended:
            del self.received[event.stream_id]
            self._quic.send_stream_data(event.stream_id, f'{{"bytes":{total}}}'.encode(), end_stream=True)

    def feed(self):
        """Tops up the buffers of the sources. aioquic tells nobody how much it holds: its own field has to."""
        fed = False
        bound = max(len(CHUNK), QUEUED // len(self.sources))
        for stream_id, left in list(self.sources.items()):
            sender = self._quic._streams[stream_id].sender
            while left > 0 and len(sender._buffer) < bound:
                part = CHUNK[:left]
                left -= len(part)
                self._quic.send_stream_data(stream_id, part, end_stream=left == 0)
                fed = True
            self.sources[stream_id] = left
            if left == 0:
                del self.sources[stream_id]
        return fed


async def run(options):
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"], max_datagram_frame_size=65536)
    configuration.load_cert_chain(options.cert, options.key)
    # A server that keeps its own tickets: without them nothing can be resumed.
    tickets = {}
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: QuicServer(
            configuration=configuration,
            create_protocol=Endpoint,
            session_ticket_fetcher=lambda label: tickets.pop(label, None),
            session_ticket_handler=lambda ticket: tickets.__setitem__(ticket.ticket, ticket),
        ),
        local_addr=("127.0.0.1", options.port),
    )
    print(f"ready {transport.get_extra_info('sockname')[1]}", flush=True)
    await asyncio.Event().wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
