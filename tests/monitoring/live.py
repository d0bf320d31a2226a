#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the dashboard shows of servers at work: live.py TOOL [SECONDS]

Prometheus reads `serve` (two workers, topics over Redis) and `gateway` while clients load both, for SECONDS (20). It then
answers each expression of the dashboard. Each has to give a number for each instance or label, and those of ordinary work
one that is not zero. `make monitoring` runs this."""

import json
import math
import os
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import panels
from servers import Server

# Curves that are zero, or have no number, while nothing is wrong. Each is a title of a panel, or of a panel and a curve.
NEEDS_A_FAULT = {
    "Overview / Draining", "Limits / Refused by limits", "Loops of the workers / Long turns", "Takeover / Packets between processes",
    "Topics (webtransport serve) / Messages lost", "Topics (webtransport serve) / Backplane: trouble",
    "Topics (webtransport serve) / Backplane: waiting", "Gateway / Streams that failed",
    "Handshakes and networks / Handshakes: gave way", "Handshakes and networks / Handshakes: dropped",
    "Handshakes and networks / Unfinished handshakes", "Traffic / Datagrams: dropped", "Traffic / Datagrams: too old",
    "Traffic / Longest wait of a datagram",
    "Loops of the workers / Packets that waited or were lost", "Topics (webtransport serve) / Backplane: messages: came twice",
    "Gateway / New sessions and refusals: refused", "Gateway / New sessions and refusals: answered with an error",
    "Gateway / New streams: refused", "Gateway / Datagrams: dropped: no room, or over the rate",
    "Gateway / Datagrams: dropped: too large", "Gateway / Datagrams: nobody takes them", "Gateway / Requests: failed",
    "Gateway / Requests: not authorized", "Gateway / Requests: authorization did not answer",
    "Gateway / Requests on their way", "Access log / Lost lines",
}


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            while data := self.request.recv(65536):
                self.request.sendall(data)
        except ConnectionError:
            pass  # a client has enough


class EchoDatagrams(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data, self.client_address)


class Page(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nhi\n")


class Threaded(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True


def backend(stack, kind, handler):
    server = stack.enter_context(kind(("127.0.0.1", 0), handler))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.shutdown)
    return server.server_address[1]


def program(stack, *command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def start_prometheus(stack, folder, jobs):
    port = free_port()
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
              "rule_files": [str(panels.FOLDER / "rules.yaml")],
              "scrape_configs": [{"job_name": job, "static_configs": [{"targets": targets}]} for job, targets in jobs.items()]}
    file = Path(folder) / "prometheus.yml"  # JSON is YAML
    file.write_text(json.dumps(config), encoding="utf-8")
    program(stack, "prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error")
    return f"http://127.0.0.1:{port}/api/v1"


def ask(api, path, **parameters):
    with urllib.request.urlopen(f"{api}/{path}?{urllib.parse.urlencode(parameters, doseq=True)}", timeout=20) as answer:
        return json.load(answer)["data"]


def wait_for_prometheus(api):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if len([t for t in ask(api, "targets")["activeTargets"] if t["health"] == "up"]) == 2:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit("FAIL Prometheus did not read both servers within a minute")


def start_load(stack, tool, serve, other, gateway, seconds):
    """Sessions of each kind that come and go all the time, so that each panel has something to show."""
    def again_and_again(server, command, path, *options):
        shell = 'end=$(($(date +%s) + $0)); while [ $(date +%s) -lt $end ]; do "$@"; done'
        program(stack, "sh", "-c", shell, str(seconds + 60), tool, command, "--insecure-hash", server.hash, *options,
                server.url(path))

    for path in ("/echo", "/sink"):
        again_and_again(serve, "bench", path, "--workload", "setup", "--count", "20", "--sessions", "2")
    again_and_again(serve, "bench", "/echo", "--sessions", "4", "--duration", "60s")
    again_and_again(serve, "bench", "/echo", "--workload", "datagram-echo", "--rate", "200", "--duration", "60s")
    again_and_again(serve, "bench", "/topic/news", "--workload", "fan-out", "--sessions", "4", "--rate", "50", "--duration",
                    "60s")
    again_and_again(other, "bench", "/topic/shared", "--workload", "fan-out", "--sessions", "2", "--rate", "50",
                    "--duration", "60s")
    program(stack, tool, "connect", "-r", "-q", "--insecure-hash", serve.hash, serve.url("/topic/shared"))
    again_and_again(gateway, "bench", "/tcp", "--workload", "setup", "--size", "50", "--count", "20")
    again_and_again(gateway, "bench", "/tcp", "--sessions", "2", "--duration", "60s")
    again_and_again(gateway, "bench", "/udp", "--workload", "datagram-echo", "--rate", "200", "--duration", "60s")
    again_and_again(gateway, "bench", "/whole", "--workload", "setup", "--size", "50", "--count", "20")
    program(stack, "sh", "-c", 'while sleep 0.1; do timeout 5 gtlsclient -q --exit-on-all-streams-close "$@"; done', "sh",
            "127.0.0.1", str(gateway.port), gateway.url("/page"))


def judge(title, called, results, span):
    """What is wrong with the answer to an expression; "": nothing."""
    values = [float(result["value"][1]) for result in results]
    if {title, f"{title}: {called}"} & NEEDS_A_FAULT:
        return "" if values else "nothing, not even 0"
    if not values:
        return "nothing"
    if any(math.isnan(value) or math.isinf(value) for value in values):
        return f"not a number within {span}: {values}"
    return "" if any(values) else "0 alone, while clients were at work"


def check_all(api, span):
    faults, asked = [], 0
    for title, called, text in panels.expressions(jobs="seen", span=span):
        fault = judge(title, called, ask(api, "query", query=text)["result"], span)
        asked += 1
        if fault:
            faults.append(f"{title}: {called}: {fault}\n       {text}")
    for name, metric, label in panels.queries():
        if not ask(api, f"label/{label}/values", **{"match[]": metric.replace('".*"', '"seen"')}):
            faults.append(f"the variable {name} has no values")
        asked += 1
    for group in ask(api, "rules")["groups"]:
        for rule in group["rules"]:
            asked += 1
            if rule["health"] != "ok":
                faults.append(f"alert {rule['name']}: {rule.get('lastError', rule['health'])}")
            elif rule["state"] == "firing":
                faults.append(f"alert {rule['name']} fires for servers without trouble")
    return faults, asked


def main():
    tool, seconds = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        redis = free_port()
        program(stack, "redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--dir", folder)
        serve = stack.enter_context(Server(tool, "serve", "--workers", "2", "--backplane", f"redis://127.0.0.1:{redis}"))
        other = stack.enter_context(Server(tool, "serve", "--backplane", f"redis://127.0.0.1:{redis}"))
        tcp, page = backend(stack, Threaded, Echo), backend(stack, Threaded, Page)
        udp = backend(stack, socketserver.ThreadingUDPServer, EchoDatagrams)
        gateway = stack.enter_context(Server(
            tool, "gateway", "--access-log", "none", "--route", f"/tcp=tcp://127.0.0.1:{tcp}", "--route",
            f"/udp=udp://127.0.0.1:{udp}", "--route", f"/page=http://127.0.0.1:{page}", "--route",
            f"/whole={serve.url('/echo')}", "--default", f"backend-insecure-hash={serve.hash}"))
        api = start_prometheus(stack, folder, {"seen": [serve.companion, gateway.companion]})
        wait_for_prometheus(api)
        start_load(stack, tool, serve, other, gateway, seconds)
        time.sleep(seconds)  # of work, which is what is looked at
        faults, asked = check_all(api, f"{seconds}s")
    for fault in faults:
        print(f"FAIL {fault}")
    print(f"{asked} checks, {len(faults)} failed")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
