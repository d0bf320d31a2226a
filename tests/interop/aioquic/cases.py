# SPDX-License-Identifier: MIT
"""The bytes and codes of ../README.md that both ends know."""

import hashlib

PIECE = bytes(((i * 31) + (i >> 8)) & 255 for i in range(65536))
SIZES = (0, 1, 1000, 65536, 2097152)
SERVED = ("interop-b", "interop-c")


def pattern(size):
    return (PIECE * (size // len(PIECE) + 1))[:size]  # it repeats after 65,536 bytes


def codes(count):
    return [number * 4294967 for number in range(count)]


def digest(data):
    return f"{len(data)} {hashlib.sha256(data).hexdigest()}\n".encode()
