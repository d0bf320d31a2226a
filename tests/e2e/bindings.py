#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The public header as another language sees it: cffi reads it, loads the shared library and calls it.

    tests/e2e/bindings.py BUILD_DIR

No C is compiled: cffi takes types and functions from the preprocessed header (its ABI mode) and calls what the library
exports. So the header has to be plain enough for a parser that knows C99 and no compiler's extensions. The first line
names the system's Python, for which Debian packages cffi.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import cffi

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else ROOT / "build"


def preprocessed():
    """The text of webtransport.h and what it includes, without C's own headers, whose types cffi knows."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("stdbool.h", "stddef.h", "stdint.h"):
            (pathlib.Path(folder) / name).touch()
        return subprocess.run(
            [os.environ.get("CC", "cc"), "-E", "-P", "-nostdinc", "-D__attribute__(x)=", f"-I{folder}", f"-I{ROOT / 'include'}",
             ROOT / "include/webtransport/webtransport.h"], check=True, capture_output=True, text=True).stdout


def declarations():
    """Without the inline functions, which no library exports: scripts/check_abi.py knows that nothing needs them."""
    return re.sub(r"^static inline [^{]*\{[^}]*\}", "", preprocessed(), flags=re.M)


ffi = cffi.FFI()
ffi.cdef(declarations())
library = ffi.dlopen(str(BUILD / "libwebtransport.so"))


def default_config(kind):
    config = ffi.new(f"struct wt_{kind}_config *")
    getattr(library, f"wt_{kind}_config_init")(config, ffi.sizeof(config[0]))
    return config


class Bindings(unittest.TestCase):
    def test_every_function_can_be_had(self):
        names = re.findall(r"\b(wt_\w+)\s*\([^;{}()]*(?:\([^()]*\)[^;{}()]*)*\);", declarations())
        functions = [name for name in names if not name.startswith("wt__")]
        self.assertGreater(len(functions), 100)
        for name in functions:
            self.assertTrue(callable(getattr(library, name)), name)

    def test_texts(self):
        self.assertRegex(ffi.string(library.wt_version()).decode(), r"^\d+\.\d+\.\d+$")
        self.assertEqual(ffi.string(library.wt_error_name(library.WT_ERR_NOMEM)), b"WT_ERR_NOMEM")
        self.assertEqual(ffi.string(library.wt_error_string(library.WT_ERR_NOMEM)), b"out of memory")
        self.assertEqual(ffi.string(library.wt_error_name(12345)), b"WT_ERR_UNKNOWN")
        self.assertEqual(ffi.string(library.wt_cause_name(library.WT_CAUSE_TIMEOUT)), b"timeout")

    def test_defaults_are_those_of_the_header(self):
        config = default_config("server")
        self.assertEqual(config.size, ffi.sizeof("struct wt_server_config"))
        self.assertEqual(config.listen_count, 1)
        self.assertEqual(ffi.string(config.listen[0]), b"[::]:443")
        self.assertEqual(config.idle_timeout_ms, 30000)
        self.assertEqual(config.retry, library.WT_RETRY_UNDER_LOAD)
        self.assertEqual(config.drafts, library.WT_DRAFT_ALL)
        self.assertEqual(default_config("client").keep_alive_ms, 15000)
        options = ffi.new("struct wt_upgrade_options *")
        library.wt_upgrade_options_init(options, ffi.sizeof(options[0]))
        self.assertEqual((options.size, options.callbacks), (ffi.sizeof(options[0]), ffi.NULL))

    def test_an_older_program_is_not_written_past_its_struct(self):
        room = ffi.new("uint8_t[]", b"\xaa" * 4096)
        library.wt_server_config_init(ffi.cast("struct wt_server_config *", room), 64)
        self.assertEqual(bytes(room[64:4096]), b"\xaa" * 4032)

    def test_a_server_serves_and_ends(self):
        out, message = ffi.new("wt_server **"), ffi.new("char[]", 256)
        config = default_config("server")
        address = ffi.new("char[]", b"127.0.0.1:0")
        addresses = ffi.new("const char *[]", [address])
        lines = []

        @ffi.callback("void(enum wt_log_level, const char *, void *)")
        def log(level, line, user_data):
            lines.append((level, ffi.string(line)))

        config.listen, config.log, config.log_level = addresses, log, library.WT_LOG_INFO
        self.assertEqual(library.wt_server_new(config, out, message, len(message)), 0)
        server = out[0]
        certificate = ffi.new("wt_certificate **")
        self.assertEqual(library.wt_certificate_generate(ffi.NULL, 0, 13, certificate), 0)
        self.assertEqual(library.wt_server_add_certificate(server, certificate[0]), 0)
        library.wt_certificate_free(certificate[0])
        self.assertEqual(library.wt_server_start(server), 0)
        self.assertEqual(library.wt_server_get_address(server, 0, message, len(message)), 0)
        self.assertRegex(ffi.string(message).decode(), r"^127\.0\.0\.1:[1-9]\d*$")
        stats = ffi.new("struct wt_server_stats *", {"size": ffi.sizeof("struct wt_server_stats")})
        self.assertEqual(library.wt_server_get_stats(server, stats), 0)
        self.assertEqual(stats.connections_total, 0)
        library.wt_server_close(server)
        self.assertEqual(library.wt_server_run(server), 0)
        library.wt_server_free(server)
        self.assertTrue(lines)

    def test_an_error_comes_with_its_sentence(self):
        out, message = ffi.new("wt_server **"), ffi.new("char[]", 256)
        config = default_config("server")
        config.workers = 0
        self.assertEqual(library.wt_server_new(config, out, message, len(message)), library.WT_ERR_INVALID)
        self.assertEqual(out[0], ffi.NULL)
        self.assertIn(b"workers", ffi.string(message))
        config.size = 8
        self.assertEqual(library.wt_server_new(config, out, message, len(message)), library.WT_ERR_INVALID)

    def test_a_client_dials_and_is_called_back(self):
        out, dial, message = ffi.new("wt_client **"), ffi.new("wt_dial **"), ffi.new("char[]", 256)
        self.assertEqual(library.wt_client_new(default_config("client"), out, message, len(message)), 0)
        client, results = out[0], []

        @ffi.callback("void(wt_dial *, const struct wt_dial_result *, void *)")
        def on_done(dial, result, user_data):
            results.append((result.error, ffi.string(result.message), ffi.from_handle(user_data)))

        handle = ffi.new_handle("mine")
        callbacks = ffi.new("struct wt_dial_callbacks *", {"on_done": on_done})
        options = ffi.new("struct wt_dial_options *")
        library.wt_dial_options_init(options, ffi.sizeof(options[0]))
        options.callbacks, options.user_data = callbacks, handle
        self.assertEqual(library.wt_client_dial(client, b"http://127.0.0.1/", options, dial), library.WT_ERR_ADDRESS)
        self.assertIn(b"https://", ffi.string(library.wt_client_error(client)))
        # Cancelled at once: whether anybody listens at that port does not matter.
        self.assertEqual(library.wt_client_dial(client, b"https://127.0.0.1:1/", options, dial), 0)
        library.wt_dial_cancel(dial[0])
        self.assertEqual(library.wt_client_run(client), 0)
        self.assertEqual([(error, mine) for error, _, mine in results], [(library.WT_ERR_CLOSED, "mine")])
        self.assertTrue(results[0][1])
        library.wt_client_free(client)


if __name__ == "__main__":
    unittest.main()
