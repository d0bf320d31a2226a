#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures what `webtransport gateway` costs beside websockify and Envoy, on the same work: ../README.md says how.

`make bench-gateway` builds what this needs. config.json names the gateways, the workloads and the targets, which are
fixed before a run. Options, rounds and the rule for steal are those of ../run.py; the results go to a part of
docs/benchmarks.md with markers of its own.
"""
import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import measure
import page
import report
import run

run.CLIENTS.update({
    "{tcpload}": ["{out}/gateway_tcpload", "--port", "{port}", "--duration", "{milliseconds}", "--warmup", "{warmup}"],
    "{h3load}": ["{out}/gateway_h3load", "--port", "{port}", "--duration", "{milliseconds}", "--warmup", "{warmup}"],
    "{count}": ["{build}/webtransport", "bench", "--insecure-hash", "{hash}", "--watch", "{pid}", "--json"],
})


class GatewayBench(run.Bench):
    """A back end of the run's own stands behind the gateway, on the client's core."""

    def run_values(self, name, server):
        values = super().run_values(name, server)
        values.update(backend_port=self.backend_port, backend=f"tcp://127.0.0.1:{self.backend_port}")
        if server.startswith("envoy"):
            values["envoy_config"] = self.envoy_config(values)
        return values

    def envoy_config(self, values):
        """bench/gateway/envoy.yaml for this run."""
        text = (HERE / "envoy.yaml").read_text("utf-8")
        path = self.out / "envoy.yaml"
        places = {"port": values["free_port"], "backend": self.backend_port, "cert": values["cert"], "key": values["key"]}
        path.write_text(run.fill([text], places)[0], "utf-8")
        return path

    def run_once(self, name, server):
        words = run.fill(self.config["workloads"][name]["backend"], self.values)
        # Without a gateway the back end is the server, on the server's core.
        cores = self.config["cores"]["server" if server == "direct" else "client"]
        backend = measure.Process([str(self.out / "gateway_backend"), *words], cores, self.out,
                                  self.logs / f"gateway-{name}-{server}-backend.log")
        try:
            self.backend_port = backend.wait_port(r"^ready (\d+)", None)
            if self.backend_port is None:
                raise run.Failure(f"the back end did not become ready: {backend.last_words()}")
            return self.run_direct(name, backend) if server == "direct" else super().run_once(name, server)
        finally:
            backend.stop()

    def run_direct(self, name, backend):
        workload, values = self.config["workloads"][name], self.run_values(name, "direct")
        values.update(port=self.backend_port, pid=backend.pid)
        return self.run_client(workload, workload["load"]["direct"], values, backend, self.logs / f"gateway-{name}-direct",
                               self.config["cores"]["client"])


def write(options, results):
    part = page.part(results)
    if not options.markdown:
        print(part)
        return
    report.page_write(pathlib.Path(options.markdown), part, page.BEGIN, page.END)
    print(f"bench: wrote {options.markdown}")


if __name__ == "__main__":
    sys.exit(run.main(GatewayBench, HERE / "config.json", write, "gateway.json"))
