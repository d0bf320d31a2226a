#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails on an include that breaks the layers of docs/architecture.md.

    scripts/check_layers.py [ROOT]       check the tree
    scripts/check_layers.py --self-test  check that each bad sample of tests/checks/layers is found

A file of src/ may include files of its own layer and of those before it in LAYERS, and the public
headers. Headers of other projects may be included only where FOREIGN says. What neither names has to be a
header of C or of the operating system. A header of src/ does not include itself by way of others. And a line of the
log that a peer can repeat has to have a limit: below src/net, where peers are, only the macros of base/log_limit.h may
write lines above debug. A folder of tools/webtransport/ may include itself and the folders that TOOL names. A folder of
backplanes/ may include itself, common/, the public headers and src/base. Samples say what they expect: a line with
"EXPECT" has to be reported, and no other line may be.
"""

import pathlib
import re
import sys

LAYERS = ["base", "wire", "core", "h3", "quic", "net"]

# Header pattern, the files that may include it (as a pattern of the path), the words for it.
FOREIGN = [
    (r"uv\.h|uv/.*",
     r"src/net/.*|backplanes/.*|examples/.*|tests/.*|"
     r"tools/webtransport/(bench/bench_worker\.c|common/(file_watch|housekeeping)\.c|gateway/.*)",
     "src/net, backplanes, bench_worker.c, file_watch.c, housekeeping.c, the gateway and examples"),
    (r"yaml\.h", r"tools/webtransport/gateway/config_file\.c", "tools/webtransport/gateway/config_file.c"),
    (r"curl/.*", r"tools/webtransport/gateway/.*", "the gateway"),
    (r"jwt\.h", r"tools/webtransport/gateway/token_signature\.c", "tools/webtransport/gateway/token_signature.c"),
    (r"ngtcp2/ngtcp2_crypto_gnutls\.h|gnutls/.*", r"(src/quic|backplanes/redis)/[^/]*_gnutls\.[ch]|tests/.*",
     "src/quic/*_gnutls.c and backplanes/redis/*_gnutls.c"),
    (r"hiredis\.h|hiredis/.*", r"(tests/)?backplanes/redis/.*", "backplanes/redis"),
    (r"nats\.h|nats/.*", r"backplanes/nats/.*|tests/backplanes/(nats|servers)/.*", "backplanes/nats"),
    (r"intel-ipsec-mb\.h", r"src/quic/seal_ipsec_mb\.c", "src/quic/seal_ipsec_mb.c"),
    (r"openssl/.*", r"src/quic/sign_libcrypto\.c|tests/.*|bench/.*", "src/quic/sign_libcrypto.c"),
    (r"ngtcp2/.*", r"src/quic/.*|tests/.*", "src/quic"),
    (r"nghttp3/.*", r"src/h3/.*|tests/.*", "src/h3"),
    (r"microhttpd\.h|jansson\.h", r"tools/.*|tests/.*", "tools"),
    (r"sys/sdt\.h", r"src/base/usdt\.h", "src/base/usdt.h"),
    (r"malloc\.h", r"src/base/mem\.c|tests/.*|bench/.*", "src/base/mem.c"),
    (r"sanitizer/asan_interface\.h", r"src/base/pool\.c|tests/.*", "src/base/pool.c"),
    (r"cmocka\.h", r"tests/.*", "tests"),
]

# What a public header may include besides its own kind.
PLAIN = {"stdbool.h", "stddef.h", "stdint.h"}

# Headers of C and of Linux that src/ may include; src/base and src/wire may use those of C alone.
C_HEADERS = {name + ".h" for name in
             "assert ctype errno float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic "
             "stdbool stddef stdint stdio stdlib stdnoreturn string threads time uchar wchar wctype".split()}
SYSTEM = re.compile(r"(sys|netinet|arpa|net|linux|bits)/.*|"
                    r"(unistd|fcntl|dirent|poll|pthread|netdb|endian|getopt|strings|signal|termios|sched|byteswap)\.h")

# A line of the log without a limit, and the files that may have one.
UNLIMITED = re.compile(r"\bWT__(?:ERROR|WARN|INFO|LOG)\(")
NO_PEER = re.compile(r"src/net/.*|src/quic/canary\.c|src/base/log(_limit)?\.[ch]")

# The folders of tools/webtransport/ that a file there may include, besides its own.
TOOL = {"common": set(), "serve": {"common"}, "connect": {"common"}, "bench": {"common"}, "cert": {"common"}, "explain": {"common"},
        "gateway": {"common"},
        "probe": {"common", "cert"}}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def layer_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


def resolve(path, quoted, name, root):
    """The path in the tree that an include means, or None when it is not of this project."""
    candidates = ["src/" + name, "include/" + name]
    if path.startswith("backplanes/"):
        candidates += [f"backplanes/{folder}/{name}" for folder in (path.split("/")[1], "common")]
        candidates += [str(file.relative_to(root).as_posix()) for file in (root / "backplanes").glob("*/" + name)]
    if quoted:
        candidates.insert(0, str(pathlib.PurePosixPath(path).parent / name))
    for candidate in candidates:
        if ".." not in candidate and (root / candidate).is_file():
            return candidate
    first = name.split("/")[0]
    if first in LAYERS and "/" in name:
        return "src/" + name
    if first == "webtransport":
        return "include/" + name
    return None


def backplane_complaint(path, name, target):
    """What is wrong with an include of backplanes/, or None."""
    if target and target.startswith("src/") and not target.startswith("src/base/"):
        return "backplanes use the public headers and src/base alone"
    if target and target.startswith("backplanes/") and target.split("/")[1] not in (path.split("/")[1], "common"):
        return "a backplane knows itself and common alone"
    return None


def complaint(path, quoted, name, root):
    """What is wrong with one include, or None."""
    layer = layer_of(path)
    if ".." in name.split("/"):
        return "a path with '..' hides which layer it points to"
    for pattern, allowed, where in FOREIGN:
        if re.fullmatch(pattern, name):
            return None if re.fullmatch(allowed, path) else f"<{name}> belongs to {where} alone"
    target = resolve(path, quoted, name, root)
    if path.startswith("include/"):
        if name in PLAIN or (target or "").startswith("include/"):
            return None
        return "a public header includes only public headers and stdbool.h, stddef.h, stdint.h"
    if path.startswith(("tools/", "examples/")):
        if target and target.startswith("src/"):
            return "tools and examples use the public headers alone"
        folder = path.split("/")[2] if path.startswith("tools/webtransport/") else None
        below = name.split("/")[0] if "/" in name else None
        if folder in TOOL and below in TOOL and below != folder and below not in TOOL[folder]:
            return f"tools/webtransport/{folder} must not know {below}"
        return None
    if path.startswith("backplanes/"):
        return backplane_complaint(path, name, target)
    if layer is None:
        return None
    if layer not in LAYERS:
        return f"src/{layer} is no layer"
    if target is None:
        if name in C_HEADERS:
            return None
        if not SYSTEM.fullmatch(name):
            return f"<{name}> is of no layer and not of the system"
        return f"src/{layer} makes no calls of the operating system" if layer in ("base", "wire", "core") and not (
            name in ("endian.h", "strings.h")) else None
    if target.startswith("include/"):
        return None
    below = layer_of(target)
    if below is None:
        return f"{target} is outside src/"
    if LAYERS.index(below) > LAYERS.index(layer):
        return f"src/{layer} must not know src/{below}, which is built on it"
    return None


def includes(path, root):
    """The lines of a file that include something of this project: number and path."""
    for number, line in enumerate((root / path).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        target = match and resolve(path, match[1] == '"', match[2], root)
        if target and (root / target).is_file():
            yield number, target


def circles(root):
    """The includes of headers that lead back to the same header."""
    headers = {path: list(includes(path, root)) for path, _ in sources(root) if layer_of(path) and path.endswith(".h")}
    for path, lines in headers.items():
        for number, target in lines:
            reached, found = [target], {target}
            while reached:
                found.update(new := {t for _, t in headers.get(reached.pop(), []) if t not in found})
                reached.extend(new)
            if path in found:
                yield path, number, f"{target} includes this header again, perhaps by way of others"


def sources(root):
    for folder in ("include", "src", "backplanes", "tools", "examples", "fuzz", "tests"):
        for file in sorted((root / folder).rglob("*.[ch]")):
            path = file.relative_to(root).as_posix()
            if not path.startswith("tests/checks/") and "node_modules" not in path:
                yield path, file


def check(root):
    found = list(circles(root))
    for path, file in sources(root):
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if layer_of(path) and UNLIMITED.search(line) and not NO_PEER.fullmatch(path):
                found.append((path, number, "a peer may repeat this line: use the macros of base/log_limit.h"))
            match = INCLUDE.match(line)
            if not match:
                if re.match(r"\s*#\s*include\b", line):
                    found.append((path, number, "an include by macro cannot be checked"))
                continue
            problem = complaint(path, match[1] == '"', match[2], root)
            if problem:
                found.append((path, number, problem))
    return found


def self_test(root):
    expected = {(path, number) for path, file in sources(root)
                for number, line in enumerate(file.read_text().splitlines(), 1) if "EXPECT" in line}
    found = {(path, number) for path, number, _ in check(root)}
    for path, number in sorted(expected - found):
        print(f"{path}:{number}: should have been reported")
    for path, number in sorted(found - expected):
        print(f"{path}:{number}: should not have been reported")
    return bool(expected) and expected == found


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    if "--self-test" in sys.argv:
        return 0 if self_test(here / "tests/checks/layers") else 1
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    count = sum(1 for _ in sources(root))
    if count == 0:
        print("no source files found")
        return 1
    problems = check(root)
    for path, number, problem in problems:
        print(f"{path}:{number}: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
