# SPDX-License-Identifier: MIT
"""Connection ids of QUIC-LB, written from draft-ietf-quic-load-balancers-22 alone: nothing of it comes from src/wire/lb_cid.c.

The balancer of the fleet test routes by it, and test_quic_lb.py holds the two against each other. AES comes from OpenSSL's
libcrypto.
"""

import ctypes
import ctypes.util
import dataclasses
import functools

UNROUTABLE = 0b111


class AesEcb:
    """AES-128-ECB of single blocks."""

    def __init__(self, key):
        library = libcrypto()
        self.encrypt = functools.partial(self.block, library.EVP_EncryptUpdate, self.context(library, key, 1))
        self.decrypt = functools.partial(self.block, library.EVP_DecryptUpdate, self.context(library, key, 0))

    @staticmethod
    def context(library, key, encrypts):
        context = library.EVP_CIPHER_CTX_new()
        if len(key) != 16 or not context:
            raise ValueError("a key has 16 bytes")
        if library.EVP_CipherInit_ex(context, library.EVP_aes_128_ecb(), None, key, None, encrypts) != 1:
            raise OSError("libcrypto takes no key")
        library.EVP_CIPHER_CTX_set_padding(context, 0)
        return context

    @staticmethod
    def block(update, context, data):
        out, length = ctypes.create_string_buffer(32), ctypes.c_int()
        if len(data) != 16 or update(context, out, ctypes.byref(length), data, 16) != 1 or length.value != 16:
            raise OSError("libcrypto does not handle a block")
        return out.raw[:16]


@functools.cache
def libcrypto():
    library = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
    pointer, integer, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    library.EVP_CIPHER_CTX_new.restype = pointer
    library.EVP_aes_128_ecb.restype = pointer
    library.EVP_CipherInit_ex.argtypes = [pointer, pointer, pointer, text, text, integer]
    library.EVP_CIPHER_CTX_set_padding.argtypes = [pointer, integer]
    for name in ("EVP_EncryptUpdate", "EVP_DecryptUpdate"):
        getattr(library, name).argtypes = [pointer, pointer, pointer, text, integer]
    return library


def config_id(cid):
    """Section 3.1."""
    return cid[0] >> 5


@dataclasses.dataclass(frozen=True)
class Config:
    """Section 5.3: what a configuration agent gives to balancers and servers."""

    config_id: int
    server_id_len: int
    nonce_len: int
    key: bytes | None = None

    def __post_init__(self):
        if not 0 <= self.config_id < UNROUTABLE:
            raise ValueError("configuration ids are 0 to 6")
        if self.server_id_len < 1 or self.nonce_len < 4 or self.plaintext_len > 19:
            raise ValueError("server id of at least 1, nonce of at least 4, together at most 19 bytes")

    @property
    def plaintext_len(self):
        return self.server_id_len + self.nonce_len

    @functools.cached_property
    def aes(self):
        return AesEcb(self.key)

    def encode(self, server_id, nonce, appended=b"", low_bits=None):
        """Section 5.4. `low_bits`: of the first octet; None: the length of what follows it."""
        if len(server_id) != self.server_id_len or len(nonce) != self.nonce_len:
            raise ValueError("lengths are not those of the configuration")
        block = server_id + nonce
        if self.key and self.plaintext_len == 16:
            block = self.aes.encrypt(block)
        elif self.key:
            block = self.four_passes(block, (1, 2, 3, 4))
        body = block + appended
        return bytes([self.config_id << 5 | (len(body) if low_bits is None else low_bits & 31)]) + body

    def decode(self, cid):
        """Section 5.5: server id and nonce. ValueError: it is unroutable (section 4.1)."""
        if len(cid) < 1 + self.plaintext_len or config_id(cid) != self.config_id:
            raise ValueError("unroutable")
        block = cid[1:1 + self.plaintext_len]
        if self.key and self.plaintext_len == 16:
            block = self.aes.decrypt(block)
        elif self.key:
            block = self.four_passes(block, (4, 3, 2, 1))
        return block[:self.server_id_len], block[self.server_id_len:]

    def four_passes(self, block, order):
        """Section 5.4.2. The halves are integers of half_len octets here; for an odd length each has four bits that stay 0."""
        length = self.plaintext_len
        half = (length + 1) // 2
        bits = 4 * length  # of each half
        whole = int.from_bytes(block, "big")
        left, right = whole >> bits, whole & ((1 << bits) - 1)
        for number in order:
            if number % 2:
                right ^= self.round_bits(self.left_octets(left, half), half, number, skip_first=length % 2)
            else:
                left ^= self.round_bits(right.to_bytes(half, "big"), half, number) >> (4 if length % 2 else 0)
        return (left << bits | right).to_bytes(length, "big")

    def left_octets(self, left, half):
        return (left << (4 if self.plaintext_len % 2 else 0)).to_bytes(half, "big")

    def round_bits(self, octets, half, number, skip_first=False):
        expanded = octets.ljust(14, b"\0") + bytes([self.plaintext_len, number])
        result = int.from_bytes(self.aes.encrypt(expanded)[:half], "big")
        return result & ((1 << (8 * half - 4)) - 1) if skip_first else result
