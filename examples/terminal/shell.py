#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A shell for the page of this folder, behind `webtransport gateway`. docs/guide/gateway.md tells how they go together.

    shell.py SOCKET [COMMAND...]     the Unix socket to listen on; the command is $SHELL, or /bin/sh

Who gets a connection and knows the token gets a shell of the user who runs this. The socket is for that user's programs alone;
but the gateway is one, and lets in whoever reaches it. So the first thing on a connection has to be the token, which is made for
each run and printed. The page has it in the part of its address that browsers send to nobody.

From the page come frames: a letter, the length in two bytes, and so many bytes:

    t  the token; first, once
    s  columns and rows, two bytes each
    d  what was typed

To the page goes what the terminal shows. The end of the shell is the end of the stream, and the other way round.
"""
import errno
import fcntl
import hmac
import os
import pty
import secrets
import select
import signal
import socket
import stat
import struct
import sys
import termios

TERMINALS_MAX = 16
TOKEN_SECONDS = 10  # in which the token has to come
END_SECONDS = 5  # for the page to end, too
CHUNK = 65536


class Refused(Exception):
    pass


class Frames:
    """Bytes to frames. What waits is at most a frame."""

    def __init__(self):
        self.rest = b""

    def take(self, data):
        self.rest += data
        while len(self.rest) >= 3:
            kind, length = self.rest[:1], 3 + int.from_bytes(self.rest[1:3], "big")
            if len(self.rest) < length:
                return
            payload, self.rest = self.rest[3:length], self.rest[length:]
            yield kind, payload


class Terminal:
    """A connection and its shell, in a process of their own."""

    def __init__(self, conn, token, command):
        self.conn, self.token, self.command = conn, token, command
        self.frames = Frames()
        self.master = None  # the terminal, once the token was right
        self.typed = b""  # that the terminal has not taken
        self.shown = b""  # that the connection has not taken
        conn.setblocking(False)

    def run(self):
        while True:
            # Each side is read only if the other takes what it sends: so nothing piles up here.
            reads = [] if len(self.typed) > CHUNK else [self.conn]
            writes = [self.conn] if self.shown else []
            if self.master is not None:
                reads += [] if self.shown else [self.master]
                writes += [self.master] if self.typed else []
            readable, writable, _ = select.select(reads, writes, [], TOKEN_SECONDS if self.master is None else None)
            if not readable and not writable:
                raise Refused("no token came")
            if self.master in writable:
                self.typed = self.typed[os.write(self.master, self.typed):]
            if self.conn in writable:
                self.shown = self.shown[self.conn.send(self.shown):]
            if self.conn in readable and not self.from_page():
                return
            if self.master in readable and not self.from_shell():
                return

    def from_page(self):
        data = self.conn.recv(CHUNK)
        for kind, payload in self.frames.take(data):
            if self.master is None:
                self.admit(kind, payload)
            elif kind == b"d":
                self.typed += payload
            elif kind == b"s" and len(payload) == 4:
                columns, rows = struct.unpack("!HH", payload)
                fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            else:
                raise Refused("a frame makes no sense")
        return bool(data)

    def from_shell(self):
        try:
            self.shown = os.read(self.master, CHUNK)
        except OSError as error:
            if error.errno != errno.EIO:  # which says that the last program on it has ended
                raise
        return bool(self.shown)

    def admit(self, kind, payload):
        if kind != b"t" or not hmac.compare_digest(payload, self.token):
            raise Refused("the token is not the one of this run")
        pid, self.master = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm-256color"
            try:
                os.execvp(self.command[0], self.command)
            except OSError as error:
                print(f"{self.command[0]}: {error.strerror}")
            os._exit(127)
        os.set_blocking(self.master, False)


def end(conn):
    """In order: a socket that is closed with bytes that nobody has read is reset, and the page would miss why."""
    conn.settimeout(END_SECONDS)
    conn.shutdown(socket.SHUT_WR)
    while conn.recv(CHUNK):
        pass


def serve(conn, token, command):
    """In a child. When it ends, the terminal closes, and so its shell gets SIGHUP."""
    try:
        try:
            Terminal(conn, token, command).run()
        except Refused as why:
            print(f"refused: {why}", flush=True)
            conn.send(f"shell.py: {why}\r\n".encode())
        end(conn)
    except OSError as error:
        print(f"ended: {error.strerror or error}", flush=True)


def listen(path):
    """Replaces the socket of an earlier run, and nothing else. Only this user may connect."""
    if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
        os.unlink(path)
    listener, mask = socket.socket(socket.AF_UNIX), os.umask(0o077)
    listener.bind(path)
    listener.listen()
    os.umask(mask)
    return listener


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    path, command = sys.argv[1], sys.argv[2:] or [os.environ.get("SHELL") or "/bin/sh"]
    token, children = secrets.token_hex(16), set()
    listener = listen(path)
    print(f"listening on {path}\ntoken={token}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            conn, _ = listener.accept()
            while children and (ended := os.waitpid(-1, os.WNOHANG)[0]):
                children.discard(ended)
            if len(children) < TERMINALS_MAX:
                child = os.fork()
                if child == 0:
                    signal.signal(signal.SIGTERM, signal.SIG_DFL)
                    listener.close()
                    serve(conn, token.encode(), command)
                    os._exit(0)
                children.add(child)
            conn.close()
    finally:
        os.unlink(path)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
