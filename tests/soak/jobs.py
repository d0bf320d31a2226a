# SPDX-License-Identifier: MIT
"""What the clients of a soak do: lanes of jobs that run side by side, in each lane one after the other."""

import itertools

from load import ANY, Job
from rig import KIB, sha256


def lanes(rig):
    some = rig.options.some  # seconds that a job of `bench` takes
    trust = ["--dangerously-accept-any-certificate"]
    patient = ["--timeout", "60s", "--patience", "60s"]

    def bench(workload, *words, port=None, path="", seconds=some):
        length = ["--count", words[words.index("--count") + 1]] if "--count" in words else ["--duration", f"{seconds}s"]
        words = [word for i, word in enumerate(words) if word != "--count" and (i == 0 or words[i - 1] != "--count")]
        return lambda: [rig.tool, "bench", "--workload", workload, *length, *words, *patient, *trust,
                        rig.url(path() if callable(path) else path, port() if port else None)]

    numbers = itertools.count()

    def topic(how="datagram", *words, **more):
        """Each run has a topic of its own: subscribers see it if somebody else publishes."""
        return bench("fan-out", *words, "--delivery", how, path=lambda: f"/topic/{next(numbers)}?delivery={how}", **more)

    def connect(path, *words, port=None):
        return lambda: [rig.tool, "connect", "--quiet", "--binary", "--timeout", "60s", *words, *trust,
                        rig.url(path, port() if port else None)]

    def get(path, *words):
        """By another HTTP/3 client; the body goes to standard output."""
        script = ('file=$(mktemp "$1/got.XXXXXX"); shift; get=$1; shift; "$get" "$@" "$file" >&2; status=$?; cat "$file"; '
                  'rm -f "$file"; exit $status')
        return lambda: ["sh", "-c", script, "sh", rig.folder, rig.get, *words, rig.url(path)]

    link, gateway = (lambda: rig.link_port), (lambda: rig.gateway.port)
    lossy = dict(input=rig.small, expect=sha256(rig.small))
    middle = (KIB, len(rig.small) // 2)
    rig.file_hash = sha256(rig.file)
    calm = [
        [Job("sessions that come and go", bench("setup", "--sessions", "2", "--rate", "20")),
         Job("sessions, resumed", bench("setup", "--sessions", "2", "--rate", "20", "--resume")),
         Job("sessions, pooled", bench("setup", "--sessions", "4", "--rate", "20", "--pooled"))],
        [Job("echo on streams", bench("echo", "--sessions", "10", "--streams", "3", "--rate", "200")),
         Job("echo, a stream for each", bench("stream-echo", "--sessions", "10", "--rate", "100")),
         Job("echo of datagrams", bench("datagram-echo", "--sessions", "10", "--rate", "200")),
         Job("datagrams of a game", bench("tick", "--sessions", "5", "--hz", "20"))],
        [Job(f"topics, {how}", topic(how, "--sessions", "20", "--rate", "10"))
         for how in ("datagram", "streams", "stream")],
        [Job("large download", bench("download", "--size", str(rig.options.large), "--count", "3")),
         Job("large upload", bench("upload", "--size", str(rig.options.large), "--count", "3")),
         Job("large echo by hash", connect("/echo"), input=rig.file, expect=rig.file_hash)],
        [Job("GET of a file", get("/file.bin"), expect=rig.file_hash),
         Job("GET of a range", get("/file.bin", "--range", f"{middle[0]}-{middle[1] - 1}"), expect=sha256(rig.file[slice(*middle)])),
         Job("POST", get("/echo", "--post", "soak " * 2000), expect=sha256(b"soak " * 2000)),
         Job("a page that is not there", get("/nothing"), statuses=ANY)],
        [Job("gateway: echo by hash", connect("/tcp", port=gateway), **lossy),
         Job("gateway: large echo by hash", connect("/tcp", port=gateway), input=rig.file, expect=rig.file_hash)],
        [Job("bad link: echo by hash", connect("/echo", port=link), **lossy),
         Job("bad link: echo on streams", bench("echo", "--sessions", "3", "--rate", "20", port=link, path="/echo")),
         Job("bad link: a stream for each", bench("stream-echo", "--sessions", "3", "--rate", "20", port=link, path="/echo"))],
        [Job("closes with a code", connect("/echo", "--close", "7", "--reason", "soak", "--wait", "0"), input=b"hello"),
         Job("resets its stream", connect("/echo", "--reset", "42"), input=b"hello", statuses=(0, 1)),
         Job("stops the server's stream", connect("/source?bytes=1000000", "--stop", "3", "--wait", "100ms"), input=b"x", statuses=(0, 1, 9)),
         Job("is closed by the server", connect("/close?code=9&reason=soak"), input=b"x", statuses=(0, 1, 9))],
    ]
    faults = [
        [Job("killed while it echoes", bench("echo", "--sessions", "5", "--streams", "4", "--rate", "100", seconds=60), kill=(0.3, 4)),
         Job("killed while it downloads", bench("download", "--sessions", "2", seconds=60), kill=(0.3, 2)),
         Job("killed while it uploads", bench("upload", "--sessions", "2", seconds=60), kill=(0.3, 2)),
         Job("killed as a subscriber", topic("stream", "--sessions", "5", "--rate", "5", seconds=60), kill=(0.3, 4)),
         Job("killed while it dials", bench("setup", "--sessions", "20", "--rate", "100", seconds=60), kill=(0.05, 0.5)),
         Job("gateway: killed", connect("/tcp", port=gateway), input=None, kill=(0.2, 2))],
        [Job("slow reader, then killed", connect("/source?bytes=50000000", "--receive-only"), slow=64 * KIB, kill=(5, 15)),
         Job("reads nothing, then killed", connect("/source?bytes=50000000&streams=8", "--receive-only"), kill=(5, 15))],
        [Job("stops for seconds", bench("echo", "--sessions", "3", "--rate", "20"), stop=(0.5, 4)),
         Job("stops in a download", bench("download", "--size", str(rig.options.large), "--count", "4"), stop=(0.5, 4))],
    ]
    return calm if rig.options.brief else calm + faults
