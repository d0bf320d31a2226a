#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the quic-interop-runner's WebTransport cases here, without its containers.

    tools/interop/drive.py --endpoint build/tools/interop/interop_endpoint          ours with itself
    tools/interop/drive.py ... --peer webtransport-go=FOLDER --pair webtransport-go:ours
    tools/interop/drive.py ... --case handshake --verbose --keep FOLDER

Each cell is a server, a client and a case. As the runner does, it makes files of random bytes, gives both ends their
environment, puts a link of 10 Mbit/s, 15 ms and 25 packets of queue between them (link.py), and looks at what they
have written and at how many handshakes the link saw. A peer is a folder with the programs `server` and `client`,
which keep to the runner's paths and port: each gets a root folder of its own. Python 3.11, nothing else.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time

import link

KB, MB = 1 << 10, 1 << 20
STREAM_SIZES = [100 * KB, 500 * KB, 250 * KB, 1 * MB, 2 * MB]
DATAGRAM_SIZES = [600 + 2 * i for i in range(200)]
RUN_SECONDS, READY_SECONDS, END_SECONDS = 60, 20, 10
LOSS = 0.1
OURS = "ours"

# Each case: TESTCASE of the client and the server, the files, and who has them. `endpoints` and `loss` go beyond
# what the runner does.
TRANSFERS = {f"transfer-{kind}-{direction}": {"client": name if direction == "receive" else "transfer",
                                             "server": name if direction == "send" else "transfer",
                                             "sizes": DATAGRAM_SIZES if kind == "datagram" else STREAM_SIZES,
                                             "source": "server" if direction == "receive" else "client"}
             for kind in ("unidirectional", "bidirectional", "datagram") for direction in ("receive", "send")
             for name in [f"transfer-{kind}-{direction}"]}
CASES = {
    "handshake": {"client": "handshake", "server": "handshake", "sizes": []},
    **TRANSFERS,
    "two-endpoints": dict(TRANSFERS["transfer-bidirectional-receive"], sizes=[100 * KB, 250 * KB], endpoints=2),
    "lost-datagrams": dict(TRANSFERS["transfer-datagram-receive"], loss=LOSS),
    "unknown-case": {},
}


class Failure(Exception):
    """A cell that did not pass, with the reason."""


def slug():
    parts = ("amber brisk calm dusty eager faint gentle hollow", "badger comet delta ember fjord glacier harbor iris")
    return "-".join(random.choice(part.split()) for part in parts) + f"-{random.randrange(1 << 32):08x}"


def read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError:
        return None


def last_line(path):
    lines = (read(path) or b"").decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else "(it said nothing)"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificates(folder):
    """An authority, and a server's certificate by it: ca.pem, cert.pem, priv.key."""
    folder.mkdir()
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    names = f"subjectAltName=DNS:server,DNS:server4,DNS:server6,DNS:server46,IP:{link.SERVER_ADDRESS},IP:127.0.0.1"
    (folder / "names").write_text(names, "ascii")
    openssl("req", "-x509", "-days", 10, "-subj", "/O=interop authority", *key, "-keyout", folder / "ca.key", "-out",
            folder / "ca.pem")
    openssl("req", "-new", "-subj", "/O=interop server", *key, "-keyout", folder / "priv.key", "-out", folder / "csr")
    openssl("x509", "-req", "-days", 10, "-in", folder / "csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
            "-CAcreateserial", "-extfile", folder / "names", "-out", folder / "cert.pem")


class End:
    """One end of a cell: its folders, its process."""

    def __init__(self, role, program, folder, certs):
        self.role, self.program, self.folder = role, program, folder
        self.process = None
        for name in ("www", "downloads", "logs"):
            (folder / name).mkdir(parents=True)
        shutil.copytree(certs, folder / "certs")
        self.log = folder / "output.txt"
        self.ours = program["folder"] is None
        if not self.ours:
            shutil.copy2(program["folder"] / role, folder / "endpoint")

    def start(self, case, requests, protocols, listen=None):
        """Starts the program; the namespace it is to be in is the calling thread's."""
        variables = {"ROLE": self.role, "TESTCASE": case, "REQUESTS": " ".join(requests),
                     "PROTOCOLS": " ".join(protocols)}
        keep = {name: value for name, value in os.environ.items() if name in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}
        keep["PATH"] = os.environ.get("PATH", os.defpath) + ":/usr/sbin"  # where chroot is
        if self.ours:
            command = [self.program["command"]]
            folders = {name.upper(): str(self.folder / name) for name in ("www", "downloads", "logs", "certs")}
            variables.update(folders, LISTEN=listen or "", SSLKEYLOGFILE=str(self.folder / "logs/keys.log"))
        else:
            command = ["chroot", str(self.folder), "/endpoint"]
            variables["SSLKEYLOGFILE"] = "/logs/keys.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, env={**keep, **variables}, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE if self.ours else log, stderr=log)

    def wait_ready(self):
        """The port that a server listens on, once it does."""
        if self.ours:
            ready, _, _ = select.select([self.process.stdout], [], [], READY_SECONDS)
            line = self.process.stdout.readline().decode() if ready else ""
            if not line.startswith("ready "):
                raise Failure(f"the server did not become ready: {last_line(self.log)}")
            return int(line.rsplit(":", 1)[1])
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            for table in ("udp", "udp6"):
                lines = (read(f"/proc/{self.process.pid}/net/{table}") or b"").decode("ascii").splitlines()[1:]
                if any(line.split()[1].endswith(":01BB") for line in lines):
                    return 443
            time.sleep(0.01)  # nothing tells of a socket that is bound
        raise Failure(f"the server did not become ready: {last_line(self.log)}")

    def wait(self, seconds):
        try:
            return self.process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            if self.process.stdout:
                self.process.stdout.close()


class Cell:
    """One server, one client, one case."""

    def __init__(self, driver, server, client, case):
        self.driver, self.name, self.case = driver, case, CASES[case]
        self.names = server, client
        self.folder = driver.folder / f"{server}-{client}-{case}"
        self.ends = {role: End(role, driver.programs[name], self.folder / role, driver.certs)
                     for role, name in (("server", server), ("client", client))}
        self.link = None
        self.prepare()

    def prepare(self):
        """The files, the protocols, and the requests of either end."""
        self.endpoints = {slug(): {} for _ in range(self.case.get("endpoints", 1))}
        source = self.ends[self.case.get("source", "server")]
        for endpoint, files in self.endpoints.items():
            for end in self.ends.values():
                (end.folder / "www" / endpoint).mkdir()
            for size in self.case.get("sizes", []):
                name = slug()
                files[name] = os.urandom(size)
                (source.folder / "www" / endpoint / name).write_bytes(files[name])
        shared, other = [slug(), slug()], [[slug() for _ in range(3)] for _ in range(2)]
        self.protocols = {"client": [other[0][0], shared[0], other[0][1], shared[1], other[0][2]],
                          "server": [other[1][0], shared[1], other[1][1], shared[0], other[1][2]]}
        self.protocol = shared[0]  # the client's order counts
        self.files = [f"{endpoint}/{name}" for endpoint, files in self.endpoints.items() for name in files]

    def requests(self, role, origin=""):
        if self.case[role] == "transfer" or not self.files:
            return [f"{origin}/{endpoint}" for endpoint in self.endpoints] if role == "client" else []
        return [f"{origin}/{name}" if role == "client" else name for name in self.files]

    def start(self):
        """Both ends and the link between them."""
        server, client = self.ends["server"], self.ends["client"]
        loss = self.case.get("loss", 0)

        def start_server(listen):
            server.start(self.case["server"], self.requests("server"), self.protocols["server"], listen)

        def start_client(origin):
            client.start(self.case["client"], self.requests("client", origin), self.protocols["client"])

        if self.driver.namespaces:
            devices = []
            try:
                devices.append(link.in_namespace(link.SERVER_ADDRESS, lambda: start_server("0.0.0.0:443")))
                server.wait_ready()
                origin = f"https://{link.SERVER_ADDRESS}:443"
                devices.append(link.in_namespace(link.CLIENT_ADDRESS, lambda: start_client(origin)))
            except BaseException:
                for device in devices:
                    device.close()
                raise
            self.link = link.TunLink(devices[1], devices[0], loss)
            self.link.start()
        else:
            start_server("127.0.0.1:0")
            self.link = link.RelayLink(server.wait_ready(), loss)
            self.link.start()
            start_client(f"https://127.0.0.1:{self.link.port}")

    def wait(self):
        """Waits for the end whose part it is to be done first, then for the other."""
        first, second = (self.ends[role] for role in
                         (("client", "server") if self.case["client"] != "transfer" else ("server", "client")))
        until = time.monotonic() + RUN_SECONDS
        status = first.wait(until - time.monotonic())
        if status != 0:
            what = f"not done after {RUN_SECONDS} s" if status is None else f"status {status}"
            raise Failure(f"{first.role}: {what}: {last_line(first.log)}; {second.role}: {last_line(second.log)}")
        # Ours ends by itself when ours has left. Others may leave without a word (webtransport-go's client does, now and
        # then); the runner stops the second container anyway. In order it has to be in either case.
        if second.ours and not first.ours:
            second.process.terminate()
        if second.ours and (status := second.wait(END_SECONDS)) != 0:
            raise Failure(f"{second.role}: status {status} afterwards: {last_line(second.log)}")

    def check(self):
        if len(self.link.handshakes) != 1:
            raise Failure(f"{len(self.link.handshakes)} handshakes, and there has to be one")
        if self.case.get("loss") and self.link.up.dropped + self.link.down.dropped == 0:
            raise Failure("the link lost nothing")
        for role, end in self.ends.items():
            if end.ours and b"CLIENT_TRAFFIC_SECRET_0" not in (read(end.folder / "logs/keys.log") or b""):
                raise Failure(f"{role}: no secrets in SSLKEYLOGFILE")
            if self.name == "handshake":
                chosen = (read(end.folder / "downloads/negotiated_protocol.txt") or b"(no file)").decode().strip()
                if chosen != self.protocol:
                    raise Failure(f"{role}: the protocol is {chosen}, not {self.protocol}")
        if self.files:
            self.check_files()

    def check_files(self):
        target = self.ends["client" if self.case["source"] == "server" else "server"].folder / "downloads"
        saved = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
        if saved != set(self.files):
            raise Failure(f"{len(set(self.files) - saved)} files are missing, {len(saved - set(self.files))} too many")
        for endpoint, files in self.endpoints.items():
            for name, data in files.items():
                if read(target / endpoint / name) != data:
                    raise Failure(f"{name}: other bytes than the {len(data)} of the source")

    def check_unknown(self):
        for role, end in self.ends.items():
            end.start(slug(), [], [])
            if (status := end.wait(READY_SECONDS)) != 127:
                raise Failure(f"{role}: an unknown TESTCASE ends with {status}, not 127: {last_line(end.log)}")

    def run(self):
        try:
            if self.name == "unknown-case":
                self.check_unknown()
                return
            self.start()
            self.wait()
            self.check()
        finally:
            for end in self.ends.values():
                end.kill()
            if self.link:
                self.link.stop()


class Driver:
    def __init__(self, options, folder):
        self.options, self.folder = options, pathlib.Path(folder).resolve()
        self.programs = {OURS: {"command": str(pathlib.Path(options.endpoint).resolve()), "folder": None, "cannot": {}}}
        for text in options.peer:
            name, _, place = text.partition("=")
            place = pathlib.Path(place).resolve()
            limits = pathlib.Path(__file__).resolve().parent / f"{name}.json"
            self.programs[name] = {"folder": place, "cannot": json.loads(limits.read_text("utf-8"))["cannot"]}
        missing = None if options.relay else link.namespaces_missing()
        self.namespaces = not options.relay and missing is None
        self.link_text = "network namespaces" if self.namespaces else \
            f"a relay on loopback ({missing or 'as asked for'})"
        self.certs = self.folder / "certs"
        certificates(self.certs)

    def cannot(self, server, client, case):
        for role, name in (("server", server), ("client", client)):
            why = self.programs[name]["cannot"].get(role, {}).get(case)
            if why:
                return why
        return None

    def run_cell(self, server, client, case):
        begun = time.monotonic()
        result = {"server": server, "client": client, "case": case}
        why = self.cannot(server, client, case)
        if why:
            result.update(why, result="cannot")
        else:
            cell = None
            try:
                cell = Cell(self, server, client, case)
                cell.run()
                result.update(result="pass")
                if not self.options.keep:
                    shutil.rmtree(cell.folder)
            except (Failure, OSError) as error:
                result.update(result="fail", reason=str(error))
            if cell and cell.link:
                result.update(packets=cell.link.up.carried + cell.link.down.carried,
                              dropped=cell.link.up.dropped + cell.link.down.dropped)
        result["seconds"] = round(time.monotonic() - begun, 1)
        if self.options.verbose or result["result"] == "fail":
            text = result.get("limitation") or \
                f"{result['seconds']} s, {result.get('packets', 0)} packets, {result.get('dropped', 0)} dropped"
            if "reason" in result:
                text += f"; {result['reason']}"
            print(f"{result['result']:6} {server} (server), {client} (client), {case}: {text}", flush=True)
        return result

    def run(self):
        pairs = [pair.split(":") for pair in self.options.pair or [f"{OURS}:{OURS}"]]
        for name in {name for pair in pairs for name in pair} - set(self.programs):
            raise SystemExit(f"--pair {name}: there is no --peer {name}=FOLDER")
        cells = [(server, client, case) for server, client in pairs for case in self.options.case or CASES]
        # A peer's server has one port, and without namespaces all share it.
        jobs = self.options.jobs if self.namespaces else 1
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(lambda cell: self.run_cell(*cell), cells))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True, metavar="PROGRAM", help="our endpoint, interop_endpoint")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=FOLDER", help="another one's programs")
    parser.add_argument("--pair", action="append", metavar="SERVER:CLIENT", help="default ours:ours (again for more)")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this case (again for more)")
    parser.add_argument("--relay", action="store_true", help="a relay on loopback also where namespaces are possible")
    parser.add_argument("--jobs", type=int, default=3, help="cells at the same time (default 3)")
    parser.add_argument("--json", metavar="FILE", help="write the results")
    parser.add_argument("--keep", metavar="FOLDER", help="leave folders and logs of all cells there")
    parser.add_argument("--verbose", action="store_true", help="a line for each cell")
    return parser.parse_args()


def main():
    options = parse()
    if not options.relay:
        try:
            link.become_root()
        except OSError:
            pass  # then there are no namespaces either, which is told below
    with tempfile.TemporaryDirectory(prefix="webtransport-interop.") as scratch:
        if options.keep:
            pathlib.Path(options.keep).mkdir(parents=True, exist_ok=True)
            scratch = tempfile.mkdtemp(dir=options.keep)
            print(f"folders: {scratch}")
        driver = Driver(options, scratch)
        print(f"link: {link.BITS_PER_SECOND // 1000000} Mbit/s, {link.DELAY_SECONDS * 1000:.0f} ms, "
              f"{link.QUEUE_PACKETS} packets, by {driver.link_text}", flush=True)
        results = driver.run()
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    count = {name: sum(result["result"] == name for result in results) for name in ("pass", "fail", "cannot")}
    print(f"interop endpoint: {count['pass']} passed, {count['fail']} failed, {count['cannot']} beyond the peer")
    return 1 if count["fail"] or not count["pass"] else 0


if __name__ == "__main__":
    sys.exit(main())
