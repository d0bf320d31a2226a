# SPDX-License-Identifier: MIT
"""HTTP/3 requests by libcurl, opened at run time. The numbers are part of its ABI."""

import collections
import ctypes
import ctypes.util
import threading

HTTP_VERSION_3ONLY = 31
LONG = {"nobody": 44, "upload": 46, "ssl_verifypeer": 64, "ssl_verifyhost": 81, "http_version": 84, "timeout": 13,
        "infilesize_large": 30115, "nosignal": 99, "path_as_is": 234, "buffersize": 98}
POINTER = {"writedata": 10001, "url": 10002, "readdata": 10009, "httpheader": 10023, "headerdata": 10029,
           "customrequest": 10036, "writefunction": 20011, "readfunction": 20012, "headerfunction": 20079}
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p)
ABORT = 0x10000000  # CURL_READFUNC_ABORT

Answer = collections.namedtuple("Answer", "status fields body error sections")


def library_open():
    library = ctypes.CDLL("libcurl-gnutls.so.4")
    for name in ("curl_easy_init", "curl_slist_append"):
        getattr(library, name).restype = ctypes.c_void_p
    library.curl_slist_append.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.curl_easy_perform.argtypes = library.curl_easy_cleanup.argtypes = [ctypes.c_void_p]
    library.curl_easy_strerror.restype = ctypes.c_char_p
    library.curl_global_init.argtypes = [ctypes.c_long]
    library.curl_global_init(3)
    return library


LIBRARY = library_open()


class Transfer:
    """A request. `body` is bytes, or a function that returns bytes: b"" at the end, None to break off. `on_data` gets
    pieces of the answer's body, and returns False to break off."""

    def __init__(self, url, method="GET", fields=(), body=None, length=None, on_data=None):
        self.easy, self.sections, self.body, self.pieces = LIBRARY.curl_easy_init(), [], [], None
        self.on_data = on_data
        self.kept = []  # what libcurl points to
        self.option("url", url.encode())
        self.option("customrequest", method.encode())
        for name, value in (("ssl_verifypeer", 0), ("ssl_verifyhost", 0), ("http_version", HTTP_VERSION_3ONLY),
                            ("timeout", 60), ("nosignal", 1), ("path_as_is", 1)):
            self.option(name, value)
        if method == "HEAD":
            self.option("nobody", 1)
        if body is not None:
            rest = [body] if isinstance(body, bytes) else None
            self.pieces = body if rest is None else lambda: rest.pop() if rest else b""
            self.left = b""
            self.option("upload", 1)
            self.option("infilesize_large", len(body) if isinstance(body, bytes) and length is None else
                        -1 if length is None else length)
        slist = None
        for field in fields:
            slist = LIBRARY.curl_slist_append(slist, field.encode())
        self.option("httpheader", slist)
        for name, function in (("headerfunction", self.on_header), ("writefunction", self.on_body),
                               ("readfunction", self.on_read)):
            self.option(name, CALLBACK(function))

    def option(self, name, value):
        if name in LONG:
            LIBRARY.curl_easy_setopt(ctypes.c_void_p(self.easy), LONG[name], ctypes.c_long(value))
            return
        self.kept.append(value)
        argument = value if isinstance(value, CALLBACK) else ctypes.c_void_p(value) if isinstance(value, int) else value
        LIBRARY.curl_easy_setopt(ctypes.c_void_p(self.easy), POINTER[name], argument)

    def on_header(self, data, one, count, _):
        line = ctypes.string_at(data, one * count).decode("latin-1").strip()
        if line.startswith("HTTP/"):
            self.sections.append((int(line.split()[1]), []))
        elif ":" in line:
            name, value = line.split(":", 1)
            self.sections[-1][1].append((name, value.strip()))
        return one * count

    def on_body(self, data, one, count, _):
        piece = ctypes.string_at(data, one * count)
        self.body.append(piece)
        return 0 if self.on_data and self.on_data(piece) is False else one * count

    def on_read(self, data, one, count, _):
        if not self.left:
            self.left = self.pieces()
        if self.left is None:
            return ABORT
        piece, self.left = self.left[:one * count], self.left[one * count:]
        ctypes.memmove(data, piece, len(piece))
        return len(piece)

    def run(self):
        error = LIBRARY.curl_easy_perform(self.easy)
        LIBRARY.curl_easy_cleanup(self.easy)
        status, fields = self.sections[-1] if self.sections else (0, [])
        return Answer(status, dict(fields), b"".join(self.body),
                      LIBRARY.curl_easy_strerror(error).decode() if error else "", self.sections)


def fetch(url, **options):
    return Transfer(url, **options).run()


def fetch_beside(url, **options):
    """Runs beside the test. Returns a function that waits for the answer."""
    result, transfer = [], Transfer(url, **options)
    thread = threading.Thread(target=lambda: result.append(transfer.run()), daemon=True)
    thread.start()

    def wait():
        thread.join(120)
        return result[0] if result else Answer(0, {}, b"", "it did not end", [])
    return wait
