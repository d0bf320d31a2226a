# SPDX-License-Identifier: MIT
"""The network between the two ends of a run: 10 Mbit/s, 15 ms, a queue of 25 packets, as in the interop runner.

Two ways to put it there, with the same link in the middle:

 - Namespaces: each end has a network of its own with one interface, a TUN device, and this program carries the
   packets from one device to the other. Needs root or user namespaces, and /dev/net/tun. Nothing is left behind:
   a namespace ends with the processes in it and the files that refer to it.
 - Relay: both ends are on loopback, and the client talks to a UDP socket of this program, which passes on.

Only Python's library is used; the kernel needs no traffic shaper.
"""
import collections
import ctypes
import fcntl
import os
import random
import select
import socket
import struct
import threading
import time

CLONE_NEWNET, CLONE_NEWUSER = 0x40000000, 0x10000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
IFF_UP, IFF_RUNNING = 0x1, 0x40

BITS_PER_SECOND = 10_000_000
DELAY_SECONDS = 0.015
QUEUE_PACKETS = 25
MAX_READ = 1000  # packets at once
STALL_SECONDS = 0.02  # this much later than it wanted to wake, this program was kept from running
CLIENT_ADDRESS, SERVER_ADDRESS = "10.0.0.1", "10.0.0.2"
QUIC_INITIAL = {0x00000001: 0, 0x6B3343CF: 1}  # by version, the type of a long header's packet


def libc_call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def become_root():
    """Without being root: a user namespace in which we are. Only while the process has one thread."""
    if os.geteuid() == 0:
        return
    uid, gid = os.geteuid(), os.getegid()
    libc_call("unshare", CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def interface_up(name, address=None):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for request, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, address and "255.255.255.0")):
            if value:
                fcntl.ioctl(control, request,
                            struct.pack("16sH2x4s16x", name.encode(), socket.AF_INET, socket.inet_aton(value)))
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), IFF_UP | IFF_RUNNING))


class Device:
    """A TUN device in the namespace of the calling thread, which it keeps: without that, what a program sent
    right before its end would be gone with the program."""

    def __init__(self):
        self.namespace = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            os.close(self.namespace)
            raise

    def close(self):
        os.close(self.file)
        os.close(self.namespace)


def in_namespace(address, start):
    """Calls `start` in a new network namespace with one interface, the returned device.

    A namespace is a thread's, so a thread goes there, and the processes that it starts stay there.
    """
    result = {}

    def enter():
        try:
            libc_call("unshare", CLONE_NEWNET)
            device = Device()
            try:
                fcntl.ioctl(device.file, TUNSETIFF, struct.pack("16sH22x", b"wt0", IFF_TUN | IFF_NO_PI))
                interface_up("lo")
                interface_up("wt0", address)
                start()
            except BaseException:
                device.close()
                raise
            result["device"] = device
        except Exception as error:  # pylint: disable=broad-except
            result["error"] = error

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if "error" in result:
        raise result["error"]
    return result["device"]


def namespaces_missing():
    """Why there can be no namespaces here; None: there can."""
    try:
        in_namespace(CLIENT_ADDRESS, lambda: None).close()
        return None
    except OSError as error:
        return str(error)


class Way:
    """One direction: a queue before a line of this rate, and the packets that are on the line."""

    def __init__(self, loss, seed):
        self.free_at = 0.0  # when the line has sent all that it was given
        self.waiting = collections.deque()  # when each packet leaves the queue
        self.arriving = collections.deque()  # (when, packet)
        self.loss, self.random = loss, random.Random(seed)
        self.carried = self.dropped = 0

    def take(self, packet, size, now):
        while self.waiting and self.waiting[0] <= now:
            self.waiting.popleft()
        if len(self.waiting) >= QUEUE_PACKETS or self.random.random() < self.loss:
            self.dropped += 1
            return
        begin = max(now, self.free_at)
        if begin > now:
            self.waiting.append(begin)
        self.free_at = begin + size * 8 / BITS_PER_SECOND
        self.arriving.append((self.free_at + DELAY_SECONDS, packet))
        self.carried += 1

    def due(self, now):
        while self.arriving and self.arriving[0][0] <= now:
            yield self.arriving.popleft()[1]


class Link:
    """Both directions, and a thread that moves the packets. A subclass says where they come from and go."""

    def __init__(self, loss):
        self.up, self.down = Way(loss, 1), Way(loss, 2)  # client to server, server to client
        self.handshakes = set()  # source connection ids of the server's Initial packets, as the runner counts
        self.wake, self.waker = os.pipe()
        self.thread = threading.Thread(target=self.run)

    def start(self):
        self.thread.start()

    def run(self):
        ends = {self.client_end(): (self.up, True), self.server_end(): (self.down, False)}
        read_at = time.monotonic()
        while True:
            now = time.monotonic()
            for way, send in ((self.up, self.to_server), (self.down, self.to_client)):
                for packet in way.due(now):
                    try:
                        send(packet)
                    except OSError:
                        pass  # the end is gone, or its buffer is full: a lost packet
            arriving = [way.arriving[0][0] for way in (self.up, self.down) if way.arriving]
            pause = max(0.0, min([STALL_SECONDS] + [at - now for at in arriving]))
            ready, _, _ = select.select([self.wake, *ends], [], [], pause)
            if self.wake in ready:
                return
            now = time.monotonic()
            since = read_at if now - read_at > pause + STALL_SECONDS else now
            for end in ready:
                way, up = ends[end]
                self.receive_all(end, way, up, (since, now))
            read_at = now

    def receive_all(self, end, way, up, period):
        """Takes what has come. After a stall it has come over a period, and not at once, which would be more than the
        queue holds: nobody knows when each packet came, so evenly."""
        packets = []
        while len(packets) < MAX_READ:
            try:
                packet, size, payload = self.receive(end)
            except OSError:
                break
            if packet is not None:
                packets.append((packet, size, payload))
        since, now = period
        for index, (packet, size, payload) in enumerate(packets, 1):
            if not up:
                self.note_initial(payload)
            way.take(packet, size, since + (now - since) * index / len(packets))

    def note_initial(self, payload):
        if len(payload) < 7 or not payload[0] & 0x80:
            return
        version = int.from_bytes(payload[1:5], "big")
        if QUIC_INITIAL.get(version) == payload[0] >> 4 & 3:
            source = 6 + payload[5]
            self.handshakes.add(payload[source + 1:source + 1 + payload[source]])

    def stop(self):
        os.write(self.waker, b"x")
        if self.thread.ident:
            self.thread.join()
        os.close(self.wake)
        os.close(self.waker)
        self.close()


class TunLink(Link):
    """Between two TUN devices: packets are those of IP."""

    def __init__(self, client_device, server_device, loss):
        super().__init__(loss)
        self.devices = client_device, server_device

    def client_end(self):
        return self.devices[0].file

    def server_end(self):
        return self.devices[1].file

    @staticmethod
    def receive(device):
        packet = os.read(device, 65536)
        if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_UDP:
            return None, 0, b""
        return packet, len(packet) + 2, packet[(packet[0] & 15) * 4 + 8:]

    def to_server(self, packet):
        os.write(self.devices[1].file, packet)

    def to_client(self, packet):
        os.write(self.devices[0].file, packet)

    def close(self):
        for device in self.devices:
            device.close()


class RelayLink(Link):
    """Between two UDP sockets on loopback: packets are UDP payloads."""

    def __init__(self, server_port, loss):
        super().__init__(loss)
        self.listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listening.bind(("127.0.0.1", 0))
        self.dialing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.dialing.connect(("127.0.0.1", server_port))
        for end in (self.listening, self.dialing):
            end.setblocking(False)
        self.port = self.listening.getsockname()[1]
        self.client = None

    def client_end(self):
        return self.listening

    def server_end(self):
        return self.dialing

    def receive(self, end):
        packet, source = end.recvfrom(65536)
        if end is self.listening:
            self.client = source
        return packet, len(packet) + 30, packet

    def to_server(self, packet):
        self.dialing.send(packet)

    def to_client(self, packet):
        self.listening.sendto(packet, self.client)

    def close(self):
        self.listening.close()
        self.dialing.close()
