# SPDX-License-Identifier: MIT
"""`webtransport gateway` between the two ends of a case: run.py --through TOOL.

Each server gets a gateway of its own in front, with one route for all paths. So each case shows two hops: the client
with the gateway's server, and the gateway's client with the server.
"""
import json
import subprocess
import threading

READY_SECONDS = 20
END_SECONDS = 10
GUIDE = "https://www.ietf.org/archive/id/draft-ietf-webtrans-http3-16.html"

# What no gateway can pass on.
CANNOT = {
    "flow-control": {"limitation": "flow control is that of each hop: the ends see the gateway's limits, not each other's",
                     "source": f"{GUIDE}#section-5.6.1"},
    "get": {"limitation": "plain requests go to the back end by TCP", "source": f"{GUIDE}#section-3.2"},
    "post": {"limitation": "plain requests go to the back end by TCP", "source": f"{GUIDE}#section-3.2"},
}


class Gateway:
    """A gateway process. It has the server's certificate, so the client may know it by its hash."""

    def __init__(self, tool, server_port, values, log_path, environment):
        self.log_path = log_path
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(
                [tool, "gateway", "--json", "--listen", "127.0.0.1:0", "--host", "any", "--access-log", "none", "--cert",
                 str(values["cert"]), "--key", str(values["key"]), "--route", f"/=https://127.0.0.1:{server_port}",
                 "--default", f"backend-insecure-hash={values['hash']}", "--default", "origin=any"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=environment)
        self.line = b""
        reader = threading.Thread(target=self.read, daemon=True)
        reader.start()
        reader.join(READY_SECONDS)
        if not self.line:
            self.stop()

    def read(self):
        self.line = self.process.stdout.readline()

    def port(self):
        """None: it did not become ready."""
        return int(json.loads(self.line)["listen"][0].rsplit(":", 1)[1]) if self.line else None

    def stop(self):
        """Ends it; returns its exit status."""
        self.process.terminate()
        try:
            status = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "it did not end"
        self.process.stdout.close()
        return status
