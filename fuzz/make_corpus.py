#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the seeds of the targets that play scripts: fuzz/make_corpus.py

Those of conn_* are scripts as fuzz/conn.c plays them, those of packets_* as fuzz/packets.c does. The lists of steps
have to be those of `enum step` there. Those of *_fields are field sections, for fuzz/fields.c; those of control_reader are
bytes of a control stream.
"""

import pathlib

STEPS = """raw frame fields data capsule webtransport settings critical control fin reset stop datagram raw_datagram ack
ack_all window streams time app ask request shutdown mutate no_memory pressure stream_room repeat split""".split()
PACKET_STEPS = """frames stream stream_at fin fields data capsule webtransport settings control reset stop numbers
datagram path new_id crypto close repeat udp keys migrate listen time app ask request shutdown mutate
no_memory rotate""".split()
HOLD = 0x80
CORPUS = pathlib.Path(__file__).parent / "corpus"

GET, POST, CONNECT, CONNECT_15, HEAD, TUNNEL, OK, NOT_FOUND, EARLY_HINTS, OK_CHAT, NO_CONTENT, NOTHING = range(12)
DRAFT02, DRAFT07, DRAFT15, LIMITS, NO_SETTINGS = range(5)
CLOSE, DRAIN, MAX_DATA, MAX_STREAM_DATA, MAX_STREAMS_BIDI, MAX_STREAMS_UNI, DATA_BLOCKED = range(7)
ORIGIN, COOKIE, PROTOCOLS, LENGTH, PRIORITY, HOST, X = range(7)


def step(name, *rest, hold=False):
    """One step; byte strings get their length in front."""
    out = bytes([STEPS.index(name) | (HOLD if hold else 0)])
    for item in rest:
        out += bytes([item]) if isinstance(item, int) else bytes([len(item)]) + item
    return out


def number(value):
    return (value >> 8, value & 255)


def fields(stream, preset, *pairs, hold=False):
    more = [item for pair in pairs for item in pair]
    return step("fields", stream, preset, len(pairs), *more, hold=hold)


def seed(target, name, *steps, decisions=range(16), choice=0):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / (name + ".bin")).write_bytes(bytes(decisions) + bytes([choice]) + b"".join(steps))


def both():
    """What either side can send."""
    for target, control, session, uni, bidi in (("conn_server", 2, 0, 14, 4), ("conn_client", 3, 0, 15, 1)):
        if target == "conn_server":
            begin = step("settings", DRAFT02) + fields(session, CONNECT, (ORIGIN, b"https://example.com"))
            flow = step("settings", LIMITS) + fields(session, CONNECT_15)
        else:
            begin = step("settings", DRAFT02) + step("ask") + fields(session, OK)
            flow = step("settings", LIMITS) + step("ask") + fields(session, OK_CHAT)
        upgrade = dict(decisions=[1] * 16)
        seed(target, "session_stream", begin, step("webtransport", uni, session, b"hello"), step("fin", uni),
             step("webtransport", bidi, session, b"hello"), step("fin", bidi), step("ack_all"), **upgrade)
        seed(target, "session_closed_by_peer", begin, step("capsule", session, CLOSE, b"\0\0\0\x07bye"),
             step("fin", session), step("ack_all"), step("time", 200), **upgrade)
        seed(target, "session_drained", begin, step("capsule", session, DRAIN, b""), step("app", 0, 5),
             step("ack_all"), step("time", 100), step("time", 250), **upgrade)
        seed(target, "session_flow_control", flow, step("capsule", session, MAX_DATA, b"\x44\x00"),
             step("capsule", session, MAX_STREAMS_UNI, b"\x05"), step("capsule", session, DATA_BLOCKED, b"\x10"),
             step("app", 0, 2), step("ack_all"), choice=3, decisions=[1] * 16)
        seed(target, "session_reset", begin, step("webtransport", uni, session, b"a"), step("reset", session, 1, 0),
             step("ack_all"), **upgrade)
        seed(target, "session_stopped", begin, step("stop", session, 0), step("time", 255), step("ack_all"), **upgrade)
        seed(target, "early_stream", step("webtransport", uni, session, b"early"), begin, step("ack_all"), **upgrade)
        seed(target, "streams_of_ours", begin, step("streams", 15), step("app", 0, 1), step("app", 0, 2),
             step("app", 1, 1), step("window", 1, *number(5000)), step("ack_all"), step("app", 1, 3),
             step("stop", 1, 5), step("ack_all"), choice=2, **upgrade)
        seed(target, "stream_limit", begin, step("app", 0, 2), step("app", 0, 2), step("app", 0, 2), step("app", 0, 1),
             step("app", 0, 1), step("app", 0, 1), step("streams", 3), step("streams", 2), step("ack_all"), **upgrade)
        seed(target, "full_queue", begin, step("app", 0, 2), step("app", 1, 1), step("app", 1, 1), step("app", 1, 2),
             step("window", bidi + 6, *number(60000)), step("ack_all"), step("window", bidi + 6, *number(60000)),
             step("ack_all"), decisions=[5, 1, 5, 5, 5, 5, 5, 1] * 2)
        seed(target, "datagrams", begin, step("datagram", session, b"ping"), step("app", 0, 3),
             step("raw_datagram", b"\xff"), **upgrade)
        seed(target, "qpack", step("settings", LIMITS), step("critical", 0, b"\x3f\xe1\x1f\x41\x61\x01\x62"),
             step("critical", 1, b"\x80"), step("frame", session, 1, b"\x02\x00\x80\xd1"))
        is_client = target == "conn_client"
        block = b"\x02\0\xd9\x80" if is_client else b"\x02\0\xd1\xd7\xc1\x50\x01a\x80"
        seed(target, "blocked_on_qpack", step("settings", DRAFT02), step("request" if is_client else "ack_all"),
             step("frame", session, 1, block), step("data", session, b"waits"), step("fin", session),
             step("critical", 0, b"\x3f\xe1\x1f\x41\x61\x01\x62"), step("ack_all"), decisions=[0] * 16)
        seed(target, "control_frames", step("settings", NO_SETTINGS), step("control", 7, b""),
             step("control", 5, b"\x00"),
             step("control", 9, b"\x00u=1"), step("control", 2, b"\x00"))
        seed(target, "priority_update", step("settings", DRAFT15), step("control", 9, b"\x00"),
             step("control", 9, b"\x08u=7, i"), step("mutate", *number(6), 0, hold=True), step("control", 9, b"\x00u=1"))
        seed(target, "byte_by_byte", flow, step("webtransport", uni, session, b"hello"), step("fin", uni),
             step("capsule", session, CLOSE, b"\0\0\0\x07bye"), step("fin", session), choice=11, **upgrade)
        seed(target, "in_two_pieces", step("split", *number(3)), begin, step("split", *number(5)),
             step("webtransport", bidi, session, b"hello"), step("split", *number(2)),
             step("capsule", session, DRAIN, b""), **upgrade)
        seed(target, "out_of_memory", step("no_memory", 9), begin, step("webtransport", uni, session, b"x"), **upgrade)
        seed(target, "memory_full", step("pressure", 2), begin, fields(8, GET), **upgrade)
        seed(target, "goaway", begin, step("shutdown", 0), step("control", 5, b"\x00"), fields(8, GET), **upgrade)


def server():
    get = step("settings", DRAFT02) + fields(0, GET)
    seed("conn_server", "get", get, step("fin", 0), step("ack_all"), decisions=[1] * 16)
    seed("conn_server", "get_in_pieces", get, step("fin", 0), step("app", 0, 3), step("app", 0, 4), step("app", 0, 5),
         step("app", 0, 6), step("ack_all"), decisions=[0, 3] * 8)
    seed("conn_server", "post", fields(0, POST, (LENGTH, b"5")), step("data", 0, b"hello"), step("fin", 0),
         step("app", 0, 1), step("ack_all"), decisions=[0] * 16)
    seed("conn_server", "too_many_fields", fields(0, GET, *[(X, b"v" * 250)] * 7), fields(0, NOTHING))
    seed("conn_server", "one_nul", fields(0, GET, (X, b"\0")), step("fin", 0))
    seed("conn_server", "origin_twice", step("settings", DRAFT02),
         fields(0, CONNECT, (ORIGIN, b"https://example.com"), (ORIGIN, b"https://evil.example")), decisions=[1] * 16)
    seed("conn_server", "trailers", fields(0, POST), step("data", 0, b"a"), fields(0, NOTHING, (X, b"y")),
         step("fin", 0), decisions=[0] * 16)
    seed("conn_server", "late_settings", fields(0, CONNECT_15, (PROTOCOLS, b'"chat", "x"')), step("settings", DRAFT15),
         step("ack_all"), choice=2, decisions=[1] * 16)
    seed("conn_server", "settings_never", fields(0, CONNECT), step("time", 40), step("ack_all"), decisions=[1] * 16)
    seed("conn_server", "idle", step("settings", DRAFT02), step("time", 255))


def client():
    ask = step("settings", DRAFT02) + step("ask")
    seed("conn_client", "refused", ask, fields(0, NOT_FOUND), step("fin", 0), step("ack_all"))
    seed("conn_client", "early_hints", ask, fields(0, EARLY_HINTS), fields(0, OK), step("ack_all"), decisions=[1] * 16)
    seed("conn_client", "subprotocol", ask, fields(0, OK_CHAT), step("ack_all"), decisions=[1] * 16)
    seed("conn_client", "answer_with_nul", ask, fields(0, OK, (X, b"\0")))
    seed("conn_client", "optimistic", ask, step("app", 0, 1), fields(0, NOT_FOUND), step("ack_all"), decisions=[0] * 16)
    seed("conn_client", "exchange", step("request"), fields(0, OK, (LENGTH, b"5")), step("data", 0, b"hello"),
         step("fin", 0), step("ack_all"), decisions=[0] * 16)
    seed("conn_client", "exchange_with_body", step("request"), step("app", 0, 1), step("app", 0, 2), fields(0, OK),
         step("data", 0, b"a"), step("fin", 0), step("ack_all"), decisions=[2, 0] * 8)
    seed("conn_client", "exchange_without_settings", step("request"), step("settings", NO_SETTINGS), step("ask"),
         fields(0, NO_CONTENT), step("fin", 0), step("ack_all"), step("shutdown", 1))
    seed("conn_client", "cancelled", step("request"), step("app", 0, 5), fields(0, OK), step("ack_all"))


def packet(name, *rest, hold=False):
    """One step of packets.c."""
    out = bytes([PACKET_STEPS.index(name) | (HOLD if hold else 0)])
    for item in rest:
        out += bytes([item]) if isinstance(item, int) else bytes([len(item)]) + item
    return out


# Of step "numbers".
PING, ACK, ACK_ECN, MAX_DATA_FRAME, MAX_STREAM_DATA_FRAME, MAX_STREAMS_BIDI_FRAME, MAX_STREAMS_UNI_FRAME = range(7)
RETIRE_CONNECTION_ID_FRAME = 11


def packets():
    """What either side can send, in packets."""
    for target, session, uni, bidi, answer in (("packets_server", 0, 18, 4, CONNECT), ("packets_client", 0, 19, 1, OK)):
        ask = packet("settings", DRAFT02) if target == "packets_server" else packet("settings", DRAFT02) + packet("ask")
        begin = ask + packet("fields", session, answer, 0)
        upgrade = dict(decisions=[1] * 16)
        seed(target, "session_stream", begin, packet("webtransport", uni, session, b"hello"), packet("fin", uni),
             packet("webtransport", bidi, session, b"hello"), packet("fin", bidi), packet("time", 10), **upgrade)
        seed(target, "session_closed", begin, packet("capsule", session, CLOSE, b"\0\0\0\x07bye"),
             packet("fin", session), packet("time", 200), **upgrade)
        seed(target, "reset_at", begin, packet("webtransport", uni, session, b"hello"), packet("reset", uni, 5, 3, 4),
             packet("stream", uni, b"abc"), packet("time", 10), **upgrade)
        seed(target, "reset_at_before_its_bytes", begin, packet("reset", uni, 5, 9, 6),
             packet("webtransport", uni, session, b"hello"), packet("time", 255), packet("time", 255), **upgrade)
        seed(target, "gaps", begin, packet("stream_at", bidi, 10, b"late", 1), packet("stream_at", bidi, 0, b"\x40\x41\0", 0),
             packet("stream_at", bidi, 3, b"0123456789", 0), packet("time", 2), **upgrade)
        seed(target, "stop_and_reset", begin, packet("webtransport", bidi, session, b"x"), packet("app", 0, 1),
             packet("stop", bidi, 5, hold=True), packet("reset", bidi, 5, 0, 0), packet("time", 20), **upgrade)
        seed(target, "limits", begin, packet("numbers", MAX_DATA_FRAME, 255, hold=True),
             packet("numbers", MAX_STREAMS_UNI_FRAME, 252), packet("numbers", MAX_STREAM_DATA_FRAME, 3, 255),
             packet("app", 0, 2), packet("numbers", MAX_STREAMS_BIDI_FRAME, 248), packet("app", 0, 1), **upgrade)
        seed(target, "false_acknowledgement", begin, packet("numbers", ACK, 200, 0, 0, 0))
        seed(target, "migration", begin, packet("migrate"), packet("numbers", PING), packet("new_id", 2, 0, 7),
             packet("path", 1), packet("time", 20), packet("migrate"), packet("numbers", PING), packet("time", 60))
        seed(target, "key_update", begin, packet("keys"), packet("numbers", PING), packet("time", 255),
             packet("keys"), packet("numbers", PING))
        seed(target, "crypto_after_the_handshake", begin, packet("crypto", 0, b"\x04\0\0\x01x"))
        seed(target, "closed", begin, packet("close", 0, b"\x1b[2J bye\xff"))
        seed(target, "replayed_and_garbled", begin, packet("repeat", *number(0), 0), packet("repeat", *number(9), 1),
             packet("udp", b"\x40\0\0"), packet("udp", b""), packet("udp", b"\xc0\0\0\0\x01\0\0"))
        seed(target, "deaf", begin, packet("listen", 0), packet("app", 0, 1), packet("time", 60), packet("time", 60),
             packet("listen", 1), packet("time", 60), **upgrade)
        seed(target, "datagrams", begin, packet("datagram", session, b"ping"), packet("app", 0, 3),
             packet("frames", b"\x30"), **upgrade)
        seed(target, "unknown_frame", packet("frames", b"\x21\0\0"))
        seed(target, "out_of_memory", packet("no_memory", 12), begin, packet("webtransport", uni, session, b"x"), **upgrade)
    retire = [packet("numbers", RETIRE_CONNECTION_ID_FRAME, sequence) for sequence in range(1, 4)]
    seed("packets_server", "rotation", packet("settings", DRAFT02), packet("rotate", 1), packet("time", 20), retire[0],
         packet("time", 20), *retire[1:], packet("time", 60), packet("rotate", 0x42), packet("time", 60), *retire,
         packet("rotate", 0x80), packet("time", 60), packet("rotate", 3), packet("time", 255))
    seed("packets_server", "get", packet("settings", DRAFT02), packet("fields", 0, GET, 0, hold=True),
         packet("fin", 0), packet("time", 4), decisions=[1] * 16)
    seed("packets_server", "shutdown", packet("settings", DRAFT02), packet("fields", 0, GET, 0), packet("shutdown"),
         packet("fields", 4, GET, 0), packet("time", 20))
    seed("packets_client", "exchange", packet("request"), packet("fields", 0, OK, 0), packet("data", 0, b"hello"),
         packet("fin", 0), packet("time", 4), decisions=[0] * 16)


def literal(name, value):
    """A literal field line with a literal name (RFC 9204, section 4.5.6), without Huffman coding."""
    def prefixed(first, bits, length):
        most = (1 << bits) - 1
        assert length < most + 128
        return bytes([first | length]) if length < most else bytes([first | most, length - most])
    return prefixed(0x20, 3, len(name)) + name + prefixed(0, 7, len(value)) + value


def section(target, name, *lines, instructions=b"", choice=0, prefix=b"\0\0"):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    whole = bytes([choice, len(instructions)]) + instructions + prefix + b"".join(lines)
    (folder / (name + ".bin")).write_bytes(whole)


def sections():
    """Field sections as fuzz/fields.c sends them. 0xd1, 0xd7, 0xc1 and 0xd9 are GET, https, "/" and 200 of QPACK's
    static table; 0x80 is the first entry of the dynamic one."""
    insert = b"\x3f\xe1\x1f" + b"\x41x" + b"\x03abc"  # a table of 4,096 bytes, x: abc
    get = b"\xd1\xd7" + literal(b":authority", b"a.example") + b"\xc1"
    connect = literal(b":method", b"CONNECT") + literal(b":protocol", b"webtransport") + b"\xd7" + get[2:]
    for target, first in (("request_fields", get), ("response_fields", b"\xd9")):
        section(target, "plain", first, literal(b"x", b"abc"))
        section(target, "one_nul", first, literal(b"x", b"\0"))
        section(target, "nul_inside", first, literal(b"x", b"a\0b"), literal(b"y", b"origin"))
        section(target, "line_end", first, literal(b"x", b"a\r\nb: c"))
        section(target, "twice", first, literal(b"cookie", b"a=1"), literal(b"cookie", b"b=2"), literal(b"set-cookie", b""))
        section(target, "dynamic", first, b"\x80\x80", instructions=insert, prefix=b"\x02\0")
        section(target, "blocked", first, b"\x80", instructions=insert, prefix=b"\x02\0", choice=2)
        section(target, "many_references", first, b"\x80" * 600, instructions=insert, prefix=b"\x02\0")
        section(target, "split_and_trailers", first, literal(b"x", b"abc"), choice=13)
        section(target, "empty_name", first, literal(b"", b"a"))
        section(target, "upper_case", first, literal(b"X", b"a"))
        section(target, "too_large", first, *[literal(b"x", b"v" * 120)] * 20)
    section("request_fields", "session", connect, literal(b"origin", b"https://a.example"))
    section("request_fields", "dirty_origin", connect, literal(b"origin", b"https://evil.example\x01"))
    section("request_fields", "two_origins", connect, literal(b"origin", b"https://a.example") * 2)
    section("request_fields", "other_host", get, literal(b"host", b"b.example"))
    section("response_fields", "interim", literal(b":status", b"103"), literal(b"link", b"</a>"), choice=4)


def control_streams():
    """A control stream as fuzz_control_reader.c splits it: whether updates are held back, the split, then the bytes."""
    def varint(value):
        size = next(i for i in range(4) if value < 2 ** (8 * 2 ** i - 2))
        return (value | size << (8 * 2 ** size - 2)).to_bytes(2 ** size, "big")

    def frame(kind, payload, length=None):
        return varint(kind) + varint(len(payload) if length is None else length) + payload

    folder = CORPUS / "control_reader"
    folder.mkdir(parents=True, exist_ok=True)
    settings, update = frame(4, b"\x08\x01\x33\x01"), frame(0xf0700, b"\x04u=1")
    most = 2 ** 62 - 1
    for name, updates, split, *frames in (
            ("settings", 1, 255, settings),
            ("settings_in_pieces", 0, 2, frame(4, b"\x08\x01" * 60), frame(7, b"\0")),
            ("settings_too_long", 1, 6, frame(4, b"\x08\x01", 2000)),
            ("settings_twice", 1, 9, settings, settings),
            ("updates", 1, 4, settings, update, frame(0x21, b"xyz"), update),
            ("updates_of_a_server", 0, 4, settings, update, update),
            ("update_too_long", 1, 30, settings, frame(0xf0700, b"\x04" + b" " * 64), update),
            ("update_first", 1, 0, update, settings),
            ("length_of_2_to_62", 1, 1, settings, frame(0xf0700, b"\x04u=1", most)),
            ("unknown_of_2_to_62", 1, 7, settings, frame(0x21, b"abc", most)),
            ("signal", 1, 2, settings, b"\x40\x41\x00"),
            ("empty_frames", 1, 5, frame(4, b""), frame(0xf0700, b""), frame(0x0d, b""), update)):
        (folder / (name + ".bin")).write_bytes(bytes([updates, split, 0]) + b"".join(frames))


def main():
    both()
    server()
    client()
    packets()
    sections()
    control_streams()


if __name__ == "__main__":
    main()
