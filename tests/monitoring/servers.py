# SPDX-License-Identifier: MIT
"""The servers that the tests of the dashboard ask: `webtransport serve` and `webtransport gateway`, with their /metrics."""

import json
import subprocess
import urllib.request


class Server:
    """A command of the tool that serves. It is ready when it has said so in JSON."""

    def __init__(self, tool, command, *options):
        self.process = subprocess.Popen([tool, command, "--json", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0",
                                         "--log", "none", *options], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"FAIL {command} did not start")
        ready = json.loads(line)
        self.companion = f"127.0.0.1:{ready['http_port']}" if "http_port" in ready else ready["http"].split("/")[2]
        self.hash = ready["certificate_sha256"]
        self.port = int(ready["listen"][0].rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def metrics(self):
        with urllib.request.urlopen(f"http://{self.companion}/metrics", timeout=20) as answer:
            return answer.read().decode()

    def url(self, path):
        return f"https://127.0.0.1:{self.port}{path}"
