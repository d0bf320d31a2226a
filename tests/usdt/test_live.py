#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb stops a server at each point for tracers, and prints the arguments: test_live.py TOOL

The clients are known, so most arguments are too. Where gdb may not trace, the test is left out."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import points

# Ordinary clients do not get a server to drop a datagram.
NOT_REACHED = {"datagram_dropped"}
TEXTS = {"name", "path", "event", "why", "topic"}


def script(documented, log):
    """Each point prints its arguments and goes on. A topic is no string with an end."""
    lines = ["set pagination off", "set confirm off", "set breakpoint pending on", "set debuginfod enabled off",
             "handle SIGPIPE SIGTERM nostop noprint pass", f"set logging file {log}", "set logging redirect on",
             "set logging enabled on"]
    for name, arguments in documented.items():
        formats = ['"%s"' if argument in TEXTS - {"topic"} else "%ld" for argument in arguments]
        values = [f"(char *)$_probe_arg{i}" if argument in TEXTS - {"topic"} else f"(long)$_probe_arg{i}"
                  for i, argument in enumerate(arguments)]
        text = " ".join(formats).replace('"', '\\"')
        lines += [f"break -probe-stap libwebtransport:{name}", "commands", "silent",
                  f'printf "POINT {name} {text}\\n", ' + ", ".join(values), "continue", "end"]
    return "\n".join(lines + ["run", "quit"]) + "\n"


def client(tool, ready, path, *options, data=b""):
    url = "https://127.0.0.1:" + ready["listen"][0].rsplit(":", 1)[1] + path
    return subprocess.run([tool, "connect", "-q", "--insecure-hash", ready["certificate_sha256"], *options, url], input=data,
                          capture_output=True, timeout=60, check=False)


def leave_early(tool, ready):
    """A client that goes while the server still sends: it resets the stream."""
    url = "https://127.0.0.1:" + ready["listen"][0].rsplit(":", 1)[1] + "/source?bytes=1000000000"
    with subprocess.Popen([tool, "connect", "-q", "-r", "--insecure-hash", ready["certificate_sha256"], url],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdout.read(1000)
        process.terminate()


def server_under_gdb(tool, documented, folder):
    """What the points printed while clients came: {point: [[argument...]...]}, or None where gdb may not trace."""
    commands, log = Path(folder) / "commands", Path(folder) / "log"
    commands.write_text(script(documented, log), encoding="utf-8")
    gdb = subprocess.Popen(["gdb", "-q", "-nx", "-batch", "-x", str(commands), "--args", tool, "serve", "--json", "--listen",
                            "127.0.0.1:0", "--http", "none", "--log", "none"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0", "DEBUGINFOD_URLS": ""})
    line = next((line for line in gdb.stdout if line.startswith("{")), None)
    if line is None:
        said = gdb.communicate()[1] + log.read_text(encoding="utf-8")
        if re.search("ptrace|not permitted|Could not trace", said):
            return None
        raise SystemExit(f"FAIL the server did not start: {said}")
    ready = json.loads(line)
    client(tool, ready, "/echo", data=b"hello\n")
    client(tool, ready, "/echo", "--datagrams", "--wait", "300ms", data=b"hello\n")
    client(tool, ready, "/topic/news", "--datagrams", "--wait", "300ms", data=b"four\n")
    client(tool, ready, "/nowhere")
    leave_early(tool, ready)
    subprocess.run(["pkill", "-TERM", "-P", str(gdb.pid)], check=False)
    gdb.communicate(timeout=60)
    seen = {}
    for name, values in re.findall(r"^POINT (\w+) (.*)$", log.read_text(encoding="utf-8", errors="replace"), re.M):
        seen.setdefault(name, []).append(values.split(" "))
    return seen


def main():
    documented, tool = points.documented(), os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        seen = server_under_gdb(tool, documented, folder)
    if seen is None:
        print("skipped: gdb may not trace here")
        return
    column = lambda point, argument: {values[documented[point].index(argument)] for values in seen.get(point, [])}
    connections = column("handshake_done", "connection")
    expected = [
        *((f"{name} was reached", name in seen) for name in documented if name not in NOT_REACHED),
        ("sessions are opened at their paths", column("session_open", "path") >= {'"/echo"', '"/topic/news"'}),
        ("drafts are those of our client", column("session_open", "draft") == {"15"}),
        ("one is refused", column("session_refuse", "path") | column("session_refuse", "status") >= {'"/nowhere"', "404"}),
        ("sessions and streams have a connection whose handshake was done",
         all(column(point, "connection") <= connections for point in documented
             if "connection" in documented[point] and point not in ("connection_end", *NOT_REACHED))),
        ("each connection ends once", len(seen.get("connection_end", [])) == len(seen.get("connection_start", []))),
        ("connections end by the names that they began with",
         column("connection_end", "name") == column("connection_start", "name") == column("handshake_done", "name")),
        ("a datagram of five bytes came", "5" in column("datagram_received", "len")),
        ("four bytes were published", "4" in column("topic_publish", "len")),
        ("streams carried six bytes", "6" in column("stream_close", "received")),
        ("packets have a plausible length", all(20 < int(n) < 70000 for n in column("batch_sent", "bytes"))),
    ]
    for what, good in expected:
        print(f"{'ok  ' if good else 'FAIL'} {what}")
    if not all(good for _, good in expected):
        print({name: values[:5] for name, values in seen.items()})
        sys.exit(1)


if __name__ == "__main__":
    main()
