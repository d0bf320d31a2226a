#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""quic_lb.py on the draft's vectors, and against the ids that src/wire/lb_cid.c makes: test_quic_lb.py LB-IDS

LB-IDS is the program of lb_ids.c. Each of its ids is decoded, and encoded again to the same bytes.
"""

import subprocess
import sys
import unittest

import quic_lb

KEY = bytes.fromhex("8f95f09245765f80256934e50c66207f")
EXAMPLE_KEY = bytes.fromhex("fdf726a9893ec05c0632d3956680baf0")

# The draft's appendix B; two of its rows are misprinted (see tests/unit/wire/test_lb_cid.c). The last row is the example of
# section 5.4.2.
VECTORS = [
    (0, None, "c4605e", "4504cc4f", "07c4605e4504cc4f"),
    (1, None, "350d28b420", "3487d9700b", "2a350d28b4203487d9700b"),
    (0, KEY, "ed793a", "ee080dbf", "0720b1d07b359d3c"),
    (1, KEY, "ed793a51d49b8f5fab65", "ee080dbf48", "2fcc381bc74cb4fbad2823a3d1f8fed2"),
    (2, KEY, "ed793a51d49b8f5f", "ee080dbf48c0d1e5", "504dd2d05a7b0de9b2b9907afb5ecf8cc3"),
    (0, KEY, "ed793a51d49b8f5fab", "ee080dbf48c0d1e55d", "125779c9cc86beb3a3a4a3ca96fce4bfe0cdbc"),
    (0, EXAMPLE_KEY, "31441a", "9c69c275", "0767947d29be054a"),
]
# What Envoy 1.40 issued. Two workers: the last byte, in the clear, is the worker's number.
ENVOY = [
    (1, "31441a0102030405", "712bf158063b", "2e61356745f0c4430a6488eb27b78701"),
    (2, "31441a0102030405", "70be93bc12a4981e", "5035ddeebb6167356e3dc9de1be30098ab01"),
    (3, "a1b2c3", "e6199d6f", "67a39cfa6f1f1bf701"),
    (4, "a1b2c3d4e5f6a7b8c9d0", "c89d34dcfccb3f6c", "9220fea2a287c12d254600311d22eb9d5be5f100"),
]
LEAST = 2000  # ids of the C codec: a printer that stops early is noticed


def unhex(text):
    return b"" if text == "-" else bytes.fromhex(text)


class QuicLb(unittest.TestCase):
    ids_program = None

    def test_vectors(self):
        for config_id, key, server_id, nonce, cid in VECTORS:
            server_id, nonce, cid = map(bytes.fromhex, (server_id, nonce, cid))
            config = quic_lb.Config(config_id, len(server_id), len(nonce), key)
            self.assertEqual(config.encode(server_id, nonce), cid)
            self.assertEqual(config.decode(cid), (server_id, nonce))

    def test_envoy(self):
        for config_id, server_id, nonce, cid in ENVOY:
            config = quic_lb.Config(config_id, len(server_id) // 2, len(nonce) // 2, KEY)
            self.assertEqual([part.hex() for part in config.decode(bytes.fromhex(cid))], [server_id, nonce])

    def test_unroutable(self):
        config = quic_lb.Config(1, 8, 6, KEY)
        for cid in ("0e61356745f0c4430a6488eb27b787", "ee61356745f0c4430a6488eb27b787", "2d61356745f0c4430a6488eb27b7"):
            with self.assertRaises(ValueError):
                config.decode(bytes.fromhex(cid))

    def test_illegal_configurations(self):
        for config_id, server_id_len, nonce_len in ((7, 8, 8), (-1, 8, 8), (0, 0, 8), (0, 8, 3), (0, 10, 10)):
            with self.assertRaises(ValueError):
                quic_lb.Config(config_id, server_id_len, nonce_len)

    def test_ids_of_the_library(self):
        if not self.ids_program:
            self.skipTest("no program that prints ids was named")
        printed = subprocess.run([self.ids_program], capture_output=True, text=True, check=True, timeout=100).stdout
        lengths = set()
        for line in printed.splitlines():
            config_id, server_id, nonce, key, first, appended, cid = line.split()
            server_id, nonce, key, appended, cid = map(unhex, (server_id, nonce, key, appended, cid))
            config = quic_lb.Config(int(config_id), len(server_id), len(nonce), key or None)
            self.assertEqual(config.decode(cid), (server_id, nonce), line)
            low_bits = None if first == "length" else int(first)
            self.assertEqual(config.encode(server_id, nonce, appended, low_bits), cid, line)
            lengths.add((len(server_id), len(nonce), bool(key)))
        legal = {(s, n, k) for s in range(1, 16) for n in range(4, 20 - s) for k in (False, True)}
        self.assertEqual(lengths, legal)
        self.assertGreater(len(printed.splitlines()), LEAST)
        print(f"count: {len(printed.splitlines())} connection ids decoded", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        QuicLb.ids_program = sys.argv.pop(1)
    unittest.main()
