#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the interop cases: our endpoint at one end, a peer at the other, in both directions.

tests/interop/README.md lays down what a peer is (peer.json) and what each case does. This program knows no
more of a case than which servers it needs and which line the server has to print. Python 3.11, nothing else.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time

import endpoint
import suites
import through

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CLIENT_SECONDS = 30
READY_SECONDS = 20
LINE_SECONDS = 10

# Each case: the limits its server announces, the line that the server prints if it saw what it had to see, and the
# roles of the peer that have it, if not both (and if "also" in its peer.json does not name it).
CASES = {
    "handshake": {},
    "rejection": {},
    "subprotocol": {},
    "bidi": {},
    "uni": {},
    "datagrams": {},
    "resets-out": {},
    "resets-in": {},
    "close-client": {"line": "closed /echo?case=close-client 4294967295 bye ✓"},
    "close-server": {},
    "flow-control": {"limits": "tiny"},
    "pooling": {"line": "closed /echo?n=2 7 middle"},
    "live": {"roles": ["server"]},
    "together": {"line": "closed /echo?together=2 0", "roles": ["server"]},
    "get": {"roles": ["server"]},
    "post": {"roles": ["server"]},
}
ROLES = ("client", "server")


class Failure(Exception):
    """A cell that did not pass, with the reason."""


def fill(command, values):
    """Puts the values into a command's placeholders; other braces stay as they are."""
    for name, value in values.items():
        command = [argument.replace("{" + name + "}", str(value)) for argument in command]
    return command


def has_case(peer, role, case):
    return role in CASES[case].get("roles", ROLES) or case in peer[role].get("also", [])


def roles_of(peer):
    return [role for role in ROLES if role in peer]


class Server:
    """A server process, and the lines it has printed."""

    def __init__(self, command, folder, log_path, environment):
        self.lines = []
        self.changed = threading.Condition()
        self.log_path = log_path
        self.ended = False
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=log, env=environment)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with self.process.stdout as lines:
            for line in lines:
                with self.changed:
                    self.lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
                    self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_line(self, matches, seconds):
        """The first line that matches, or None once the server has ended or the time has passed."""
        def found():
            return next((line for line in self.lines if matches(line)), None)
        with self.changed:
            self.changed.wait_for(lambda: found() is not None or self.ended, seconds)
            return found()

    def port(self):
        line = self.wait_line(lambda text: text.startswith("ready "), READY_SECONDS)
        if line is None:
            raise Failure(f"the server did not become ready: {last_line(self.log_path)}")
        return int(line.split()[1])

    def forget(self):
        """Lines of earlier cases do not count for the next."""
        with self.changed:
            self.lines = [line for line in self.lines if line.startswith("ready ")]

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """Ends it; returns its exit status, a negative one for a signal."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "it did not end"


def last_line(path):
    try:
        lines = pathlib.Path(path).read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1][:300] if lines else "(it said nothing)"


class Runner:
    def __init__(self, options, folder=HERE):
        self.options = options
        self.folder = folder  # of the peers
        self.build = pathlib.Path(options.build).resolve()
        self.logs = self.build / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.native = {
            "server": ["{native}", "server", "--port", "{port}", "--cert", "{cert}", "--key", "{key}", "--limits",
                       "{limits}"],
            "client": ["{native}", "client", "--url", "{url}", "--case", "{case}", "--hash", "{hash}"],
        }
        self.environment = dict(os.environ, PYTHONUNBUFFERED="1")
        self.output = threading.Lock()

    # --- What there is ---

    def peers(self):
        found = []
        for path in sorted(self.folder.glob("*/peer.json")):
            peer = json.loads(path.read_text("utf-8"))
            peer["folder"] = path.parent
            peer["id"] = path.parent.name
            peer["build"] = self.build / path.parent.name
            strange = set(peer.get("needs", [])) - {"go", "cargo", "npm", "python3-venv"}
            if strange:
                raise SystemExit(f"{path}: scripts/setup.sh cannot provide {', '.join(sorted(strange))}")
            for role in roles_of(peer):
                unknown = set(peer[role]["cannot"]) | set(peer[role].get("also", []))
                unknown -= set(CASES) | {"*"}
                if unknown:
                    raise SystemExit(f"{path}: 'cannot' or 'also' names unknown cases: {', '.join(sorted(unknown))}")
                for name, why in peer[role]["cannot"].items():
                    if not why.get("limitation") or not why.get("source", "").startswith("https://"):
                        raise SystemExit(f"{path}: {role}, {name}: a limitation and its source (a link) are needed")
            if not self.options.peer or peer["id"] in self.options.peer or peer["name"] in self.options.peer:
                found.append(peer)
        if not found:
            raise SystemExit("no peer of that name")
        return found

    def cells(self, peers):
        for peer in peers:
            for role in roles_of(peer):
                for case in CASES:
                    if (not self.options.role or role == self.options.role) and has_case(peer, role, case) and \
                            (not self.options.case or case in self.options.case):
                        yield peer, role, case

    def cannot(self, peer, role, case):
        limits = peer[role]["cannot"]
        return limits.get(case) or limits.get("*") or (through.CANNOT.get(case) if self.options.through else None)

    # --- Set-up ---

    def set_up(self, peers):
        for peer in peers:
            peer["build"].mkdir(parents=True, exist_ok=True)
            for command in peer.get("setup", []):
                command = fill(command, {"build": peer["build"]})
                log_path = self.logs / f"{peer['id']}-setup.log"
                with open(log_path, "wb") as log:
                    status = subprocess.run(command, cwd=peer["folder"], stdout=log, stderr=log, check=False).returncode
                if status != 0:
                    sys.stderr.write(log_path.read_text("utf-8", "replace")[-3000:])
                    raise SystemExit(f"setting up {peer['id']} failed: {' '.join(map(str, command))}")

    def certificate(self):
        """A certificate as serverCertificateHashes wants it; made anew, so that it is never too old."""
        folder = self.build / "tls"
        folder.mkdir(exist_ok=True)
        cert, key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "10", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1", "-keyout", str(key), "-out", str(cert)],
                       check=True, stderr=subprocess.DEVNULL)
        der = ssl.PEM_cert_to_DER_cert(cert.read_text("ascii"))
        return {"cert": cert, "key": key, "hash": hashlib.sha256(der).hexdigest()}

    # --- Running ---

    def run_pair(self, peer, role, cases, values):
        """All cases of a peer in one role, one after the other; returns {case: result}."""
        servers, gateways, results = {}, {}, {}
        values = dict(values, build=peer["build"], native=self.options.native)
        server_command = peer["server"]["command"] if role == "server" else self.native["server"]
        server_folder = peer["folder"] if role == "server" else ROOT
        client_command = peer["client"]["command"] if role == "client" else self.native["client"]
        client_folder = peer["folder"] if role == "client" else ROOT
        for case in cases:
            why = self.cannot(peer, role, case)
            if why:
                results[case] = dict(why, result="cannot")
                self.tell(peer, role, case, "cannot", why["limitation"])
                continue
            limits = CASES[case].get("limits", "default")
            begun = time.monotonic()
            try:
                server = servers.get(limits)
                if server is None or not server.alive():
                    log = self.logs / f"{peer['id']}-{role}-server-{limits}.log"
                    command = fill(server_command, dict(values, port=0, limits=limits))
                    server = servers[limits] = Server(command, server_folder, log, self.environment)
                port = server.port()
                if self.options.through:
                    port = self.gateway_port(gateways, server, values, f"{peer['id']}-{role}-gateway-{limits}.log")
                url = f"https://127.0.0.1:{port}"
                command = fill(client_command, dict(values, url=url, case=case))
                self.run_client(command, client_folder, self.logs / f"{peer['id']}-{role}-{case}.log", server, case)
                results[case] = {"result": "pass"}
                self.tell(peer, role, case, "pass", f"{time.monotonic() - begun:.1f} s")
            except (Failure, OSError) as error:
                results[case] = {"result": "fail", "reason": str(error)}
                self.tell(peer, role, case, "fail", str(error))
        for gateway in gateways.values():
            status = gateway.stop()
            if status != 0:
                case = cases[-1]
                results[case] = {"result": "fail", "reason": f"the gateway ended with {status}: {last_line(gateway.log_path)}"}
                self.tell(peer, role, case, "fail", results[case]["reason"])
        for limits, server in servers.items():
            status = server.stop()
            # Ours has to end in order, which under the sanitizers means: without a finding.
            if "{native}" in server_command and status != 0:
                reason = f"our server ended with {status}: {last_line(server.log_path)}"
                for case, result in results.items():
                    if result["result"] == "pass" and CASES[case].get("limits", "default") == limits:
                        results[case] = {"result": "fail", "reason": reason}
                        self.tell(peer, role, case, "fail", reason)
                        break
        return results

    def gateway_port(self, gateways, server, values, log_name):
        """The port of the gateway in front of this server, which is begun with the server's first case."""
        if server not in gateways:
            gateways[server] = through.Gateway(self.options.through, server.port(), values, self.logs / log_name,
                                               self.environment)
        port = gateways[server].port()
        if port is None:
            raise Failure(f"the gateway did not become ready: {last_line(gateways[server].log_path)}")
        return port

    def run_client(self, command, folder, log_path, server, case):
        server.forget()
        with open(log_path, "wb") as log:
            client = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                      env=self.environment)
            try:
                status = client.wait(CLIENT_SECONDS)
            except subprocess.TimeoutExpired:
                raise Failure(f"the client was not done after {CLIENT_SECONDS} s: {last_line(log_path)}") from None
            finally:
                if client.poll() is None:
                    client.kill()
                    client.wait()
        if not server.alive():
            raise Failure(f"the server died: {last_line(server.log_path)}")
        if status != 0:
            raise Failure(f"{last_line(log_path)} (the client's status is {status})")
        line = CASES[case].get("line")
        if line and server.wait_line(lambda text: text.rstrip() == line, LINE_SECONDS) is None:
            raise Failure(f"the server did not print '{line}' but {server.lines[1:]}")

    def tell(self, peer, role, case, result, text):
        if result == "fail" or self.options.verbose:
            with self.output:
                print(f"{result:6} {peer['id']}/{role}/{case}: {text}", flush=True)

    def run(self, peers):
        values = self.certificate()
        pairs = {}
        for peer, role, case in self.cells(peers):
            pairs.setdefault((peer["id"], role), (peer, role, [], values))[2].append(case)
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            running = {key: pool.submit(self.run_pair, *pair) for key, pair in pairs.items()}
            return {key: future.result() for key, future in running.items()}


# --- Reports ---


def markdown(peers, results, endpoint_results=(), others=()):
    """The table of docs/interop.md. No times: it changes only when a result does."""
    lines = [
        "# Interop",
        "",
        "`make interop` runs our endpoint against other implementations, over loopback and in both directions, and writes",
        "this page. [tests/interop/README.md](../tests/interop/README.md) says what each case does. Browsers and plain HTTP/3",
        "clients, in the versions of the machine's distribution, have sections of their own. webtransport-go and Chromium are",
        "tested through `webtransport gateway` as well: all cases pass but `flow-control`, which is that of each hop.",
        "",
        "| peer | version | language |",
        "| --- | --- | --- |",
    ]
    for peer in peers:
        name = f"[{peer['name']}]({peer['url']})" if peer.get("url") else peer["name"]
        lines.append(f"| {name} | {peer['version']} | {peer['language']} |")
    lines += suites.peer_rows(others)
    columns = [(peer, role) for peer in peers for role in roles_of(peer)]
    notes = []

    def cell(peer, role, case):
        if not has_case(peer, role, case):
            return suites.NO_CELL
        result = results[peer["id"], role][case]
        if result["result"] != "cannot":
            return {"pass": "passes", "fail": "**fails**"}[result["result"]]
        return limitation(peer["name"], result["limitation"], result["source"])

    def limitation(*note):
        if note not in notes:
            notes.append(note)
        return f"limitation {notes.index(note) + 1}"

    lines += ["", "A *client* is the peer's client with our server; a *server* is the peer's server with our client.",
              *(f"{peer['name']} stands {peer['stands']}." for peer in peers if "stands" in peer), "",
              "| case | " + " | ".join(f"{peer['name']} {role}" for peer, role in columns) + " |",
              "| --- |" + " --- |" * len(columns)]
    for case in CASES:
        lines.append(f"| {case} | " + " | ".join(cell(peer, role, case) for peer, role in columns) + " |")
    if endpoint_results:
        lines += endpoint.markdown(peers, endpoint_results, limitation)
    if notes:
        lines += ["", "Limitations of the peers:", ""]
        lines += [f"{number}. {name}: {limitation} ([source]({source}))"
                  for number, (name, limitation, source) in enumerate(notes, 1)]
    return "\n".join(lines + suites.sections(others)) + "\n"


def report(options, peers, results, endpoint_results=(), others=()):
    """Writes what was asked for; returns the exit status."""
    flat = [dict(result, peer=peer["id"], version=peer["version"], role=role, case=case)
            for peer in peers for role in ROLES for case, result in results.get((peer["id"], role), {}).items()]
    flat += [dict(result, case=f"runner-{result['case']}") for result in endpoint_results]
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(flat, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if options.markdown:
        pathlib.Path(options.markdown).write_text(markdown(peers, results, endpoint_results, others), "utf-8")
    if options.tally:
        # A cell that the peer cannot do is neither passed nor failed.
        lines = [f"{cell['result']} interop/{cell['peer']}/{cell['role']}/{cell['case']}\n" for cell in flat
                 if cell["result"] != "cannot"]
        pathlib.Path(options.tally).write_text("".join(lines), "utf-8")
    count = {name: sum(cell["result"] == name for cell in flat) for name in ("pass", "fail", "cannot")}
    print(f"interop: {count['pass']} passed, {count['fail']} failed, {count['cannot']} beyond the peer")
    faults = [f"{suite.id}: {fault}" for suite in others for fault in suite.failed()]
    if others:
        cells = [cell["result"] for suite in others for cell in suite.cells.values()]
        print(f"browsers, plain requests: {cells.count('pass')} passed, {len(faults)} failed, "
              f"{cells.count('cannot')} beyond the peer", *faults, sep="\n  ")
    return 1 if count["fail"] or not count["pass"] or faults else 0


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", action="append", help="only this peer (again for more)")
    parser.add_argument("--role", choices=ROLES, help="only this role of the peer")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this case (again for more)")
    parser.add_argument("--list", action="store_true", help="print the cells and run none")
    parser.add_argument("--needs", action="store_true", help="print the programs that the peers need")
    parser.add_argument("--setup", action="store_true", help="set the peers up and run none")
    parser.add_argument("--no-setup", action="store_true", help="the peers are set up")
    parser.add_argument("--native", default=str(ROOT / "build/tests/interop/interop_peer"), help="our endpoint")
    parser.add_argument("--endpoint", metavar="PROGRAM", help="our endpoint for the quic-interop-runner: its cases too")
    parser.add_argument("--through", metavar="TOOL", help="the gateway of this tool stands between the ends")
    parser.add_argument("--build", default=str(ROOT / "build/interop"), help="where the peers are built")
    parser.add_argument("--suites", metavar="FOLDER",
                        help="for the table, results of the tests of suites.json; without it they are run")
    parser.add_argument("--tool", default=str(ROOT / "build/webtransport"), help="the tool that they test")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON")
    parser.add_argument("--markdown", metavar="FILE", help="write the table (all peers, roles and cases alone)")
    parser.add_argument("--tally", metavar="FILE", help="write a line 'pass interop/PEER/ROLE/CASE' for each cell")
    parser.add_argument("--jobs", type=int, default=2, help="pairs of endpoints at the same time")
    parser.add_argument("--verbose", action="store_true", help="a line for each cell")
    options = parser.parse_args(arguments)
    if options.markdown and (options.peer or options.role or options.case or options.through):
        parser.error("--markdown needs all peers, roles and cases, and no --through")
    options.native = str(pathlib.Path(options.native).resolve())
    return options


def main():
    options = parse(None)
    runner = Runner(options)
    peers = runner.peers()
    if options.list:
        for peer, role, case in runner.cells(peers):
            print(f"{peer['id']}/{role}/{case}{' (cannot)' if runner.cannot(peer, role, case) else ''}")
        return 0
    if options.needs:
        print("\n".join(sorted({program for peer in peers for program in peer.get("needs", [])})))
        return 0
    if not options.no_setup:
        runner.set_up(peers)
    if options.setup:
        return 0
    if not shutil.which(options.native):
        raise SystemExit(f"our endpoint is missing: {options.native} (cmake --build build --target interop_peer)")
    results = runner.run(peers)
    others = suites.load(HERE) if options.markdown else []
    suites.gather(others, options.suites, options.tool, runner.logs)
    if not options.endpoint or options.role or options.case:
        return report(options, peers, results, others=others)
    able = [peer for peer in peers if "runner" in peer]
    return report(options, peers, results, endpoint.run(options.endpoint, able, options.verbose), others)


if __name__ == "__main__":
    sys.exit(main())
