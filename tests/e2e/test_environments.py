#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tool where something lacks: an address family, a writable file system, memory, descriptors, /proc, open standard
streams, the right date. Or where it is the first process of a container.

    test_environments.py TOOL FOLDER              all tests
    test_environments.py TOOL FOLDER NAME         one of those that are run in namespaces of their own"""

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

from service_rig import FOLDER, TOOL, WAIT, Manager, Service, bound, certificate, check, run

HERE = os.path.abspath(__file__)
REFUSE = os.path.join(FOLDER, "refuse")
NO_IPV6 = [REFUSE, "socket@10=EAFNOSUPPORT", "--"]
FORBIDDEN_IPV6 = [REFUSE, "socket@10=EPERM", "--"]
NO_IPV4 = [REFUSE, "socket@2=EAFNOSUPPORT", "--"]


def port_of(ready):
    return int(ready["listen"][0].split(":")[-1])


def echoes(certificate_hash, url, launch=(), **options):
    done = subprocess.run([*launch, TOOL, "connect", "--quiet", "--insecure-hash", certificate_hash, url], input="hello\n",
                          capture_output=True, text=True, timeout=WAIT, check=False, **options)
    return done.stdout == "hello\n", done


def check_echo(what, ready, host="127.0.0.1", launch=(), port=None, **options):
    good, done = echoes(ready["certificate_sha256"], f"https://{host}:{port or port_of(ready)}/echo", launch, **options)
    check(what, good, done)


def check_life(what, service, **options):
    """It starts, serves and ends well."""
    ready = service.ready()
    check(f"{what}: it starts", ready, service.text())
    if ready:
        check_echo(f"{what}: it serves", ready, **options)
    check(f"{what}: it ends well", service.end() == 0, service.text())


def fixed_certificate():
    """The options of a certificate from files, and its hash."""
    folder = os.path.join(FOLDER, "fixed")
    if not os.path.exists(folder):
        os.mkdir(folder)
        certificate("fixed-made", folder)
    shown = subprocess.run([TOOL, "cert", "show", "--json", f"{folder}/cert.pem"], check=True, capture_output=True, text=True)
    return ["--cert", f"{folder}/cert.pem", "--key", f"{folder}/key.pem"], re.search("[0-9a-f]{64}", shown.stdout)[0]


# --- Address families ---

def family(name, launch, left, host, addresses):
    """Both families are asked for, one is there."""
    for address in addresses:
        service = Service("--listen", address, "--http", "localhost:0", launch=launch)
        ready = service.ready()
        check(f"{name}: --listen {address} serves what is there", ready and len(ready["listen"]) == 1, service.text())
        if not ready:
            continue
        check(f"{name}: --listen {address} says what is not", service.logged("not listening on .*: "), service.text())
        for known in ("localhost", host):
            check_echo(f"{name}: a client of {known}", ready, known, launch)
        with urllib.request.urlopen(f"http://{host}:{ready['http'].split(':')[-1].strip('/')}/healthz", timeout=WAIT) as answer:
            check(f"{name}: HTTP/1.1", answer.status == 200)
        gateway = Service("--listen", address, "--http", "localhost:0", "--route", f"/echo=https://localhost:{port_of(ready)}",
                          "--default", f"backend-insecure-hash={ready['certificate_sha256']}", launch=launch, command="gateway")
        middle = gateway.ready()
        check(f"{name}: a gateway starts", middle, gateway.text())
        if middle:
            check_echo(f"{name}: through a gateway", middle, "localhost", launch)
        check(f"{name}: the gateway ends well", gateway.end() == 0, gateway.text())
        check(f"{name}: it ends well", service.end() == 0, service.text())
    service = Service("--listen", f"{left}:0", "--http", "none", launch=launch)
    check(f"{name}: the other address alone is an error", service.process.wait(WAIT) == 1, service.text())
    check(f"{name}: with a sentence", re.search(f"cannot listen on {re.escape(left)}:0: ", service.text()), service.text())


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as made:
            made.bind(("::1", 0))
        return True
    except OSError:
        return False


def test_without_a_family():
    family("no IPv6", NO_IPV6, "[::1]", "127.0.0.1", ("localhost:0", "[::]:0"))
    family("IPv6 is forbidden", FORBIDDEN_IPV6, "[::1]", "127.0.0.1", ("[::]:0",))
    if has_ipv6():
        family("no IPv4", NO_IPV4, "127.0.0.1", "[::1]", ("localhost:0",))


def inside_ipv6_disabled():
    """The kernel has the family and no address of it."""
    with open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w", encoding="utf-8") as file:
        file.write("1")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # [::] can be bound without an address; what is left out is ::1.
    service = Service("--listen", "localhost:0")
    ready = service.ready()
    check("::1 is left out", ready and len(ready["listen"]) == 1, service.text())
    check("and this is said", service.logged(r"not listening on \[::1\]:\d+: address not available"), service.text())
    check_echo("a client of localhost", ready, "localhost")
    check("it ends well", service.end() == 0)
    service = Service()
    ready = service.ready()
    check("the defaults serve", ready, service.text())
    check_echo("a client of localhost", ready, "localhost")
    check_echo("a client of 127.0.0.1", ready)
    check("it ends well", service.end() == 0)
    done = subprocess.run([TOOL, "connect", f"https://[::1]:{port_of(ready)}/echo"], capture_output=True, text=True, timeout=WAIT,
                          check=False, input="")
    check("a client of ::1 is told", done.returncode == 3 and "address not available" in done.stderr, done)


# --- File systems ---

def is_writable(folder):
    name = os.path.join(folder, f"written.{os.getpid()}")
    try:
        os.mkdir(name)
        os.rmdir(name)
        return True
    except OSError:
        return False


def inside_read_only():
    """Nothing can be written but FOLDER, where the logs of this test are."""
    subprocess.run(["mount", "--bind", FOLDER, FOLDER], check=True)
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = [line.split()[1] for line in file]
    for mount in mounts:
        if mount != FOLDER:
            subprocess.run(["mount", "-o", "remount,bind,ro", mount], check=False, capture_output=True)
    check("nothing can be written", not any(map(is_writable, ("/", "/tmp", "/var/tmp", "/run", os.path.expanduser("~")))))
    os.chdir("/")
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    check_life("read-only, own certificate", Service("--listen", "127.0.0.1:0", "--http", "localhost:0", env=environment))
    options, _ = fixed_certificate()
    service = Service("--listen", "127.0.0.1:0", "--http", "localhost:0", "--www", "/usr/share", *options, env=environment)
    check_life("read-only, certificate of files, pages", service)
    gateway = Service("--listen", "127.0.0.1:0", "--route", "/echo=tcp://127.0.0.1:9", env=environment, command="gateway")
    check("read-only: a gateway starts", gateway.ready(), gateway.text())
    check("read-only: it ends well", gateway.end() == 0)
    service = Service("--listen", "127.0.0.1:0", "--http", "none", "--qlog", "/var/log", env=environment)
    ready = service.ready()
    if ready:
        check_echo("read-only: a qlog that cannot be written hinders nobody", ready)
    check("read-only: it is told", "/var/log" in service.text() or not ready, service.text())
    check("read-only: and it ends", service.end() in (0, 1))


def inside_without_proc():
    """Neither /proc nor /sys nor /dev, as in a chroot."""
    options, _ = fixed_certificate()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/sys"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/dev"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/proc"], check=True)
    service = Service("--listen", "127.0.0.1:0", "--http", "localhost:0", "--workers", "2", *options)
    ready = service.ready()
    check("no /proc: it starts", ready, service.text())
    done = subprocess.run([TOOL, "connect", "--quiet", "--insecure-hash", ready["certificate_sha256"],
                           f"https://127.0.0.1:{port_of(ready)}/echo"], input="hello\n", capture_output=True, text=True,
                          timeout=WAIT, check=False)
    check("no /proc: it serves", done.stdout == "hello\n", done)
    check("no /proc: it ends well", service.end() == 0, service.text())


# --- The first process of a container ---

def first_process(*command):
    """The command as process 1 of a namespace, the object of `unshare`, and its id outside."""
    outer = subprocess.Popen(["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child", *command],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return outer


def child_of(process):
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8") as file:
            children = file.read().split()
        if children:
            return int(children[0])
        time.sleep(0.02)
    return None


def test_first_process():
    for number in (signal.SIGTERM, signal.SIGINT):
        outer = first_process(TOOL, "serve", "--json", "--listen", "127.0.0.1:0", "--http", "none")
        ready = json.loads(outer.stdout.readline())
        check_echo("as process 1 it serves", ready)
        os.kill(child_of(outer), signal.SIGHUP)
        os.kill(child_of(outer), number)
        said = outer.communicate(timeout=WAIT)
        check(f"as process 1 it ends well by {number.name}", outer.returncode == 0, said)
    for command in ("connect", "probe"):
        check_first_process_ends(command)


def check_first_process_ends(command):
    """A client that waits for a server that never answers: a packet says that it is at work."""
    silent = bound(socket.SOCK_DGRAM)
    silent.settimeout(WAIT)
    outer = first_process(TOOL, command, f"https://127.0.0.1:{silent.getsockname()[1]}/echo")
    silent.recv(2048)
    pid = child_of(outer)
    os.kill(pid, signal.SIGTERM)
    try:
        outer.communicate(timeout=5)
        check(f"as process 1 {command} ends by SIGTERM", True)
    except subprocess.TimeoutExpired:
        check(f"as process 1 {command} ends by SIGTERM", False)
        os.kill(pid, signal.SIGKILL)
        outer.communicate(timeout=WAIT)
    silent.close()


# --- Streams, signals, variables, rights ---

def test_closed_standard_streams():
    options, certificate_hash = fixed_certificate()
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        udp, manager = bound(socket.SOCK_DGRAM), Manager(f"closed.{time.monotonic_ns()}")
        service = Service("--http", "none", *options, udp=udp, manager=manager,
                          launch=["sh", "-c", f'exec "$@" {closed}', "sh"])
        check(f"with {closed} it gets ready", manager.next() == "READY=1", service.text())
        good, done = echoes(certificate_hash, f"https://127.0.0.1:{udp.getsockname()[1]}/echo")
        check(f"with {closed} it serves", good, done)
        service.process.send_signal(signal.SIGHUP)
        check(f"with {closed} it reloads", manager.next().startswith("RELOADING=1") and manager.next() == "READY=1")
        check(f"with {closed} it ends well", service.end() == 0, service.text())
        udp.close()


def test_a_log_that_nobody_reads():
    """A pipe without a reader: SIGPIPE must not end the server."""
    options, _ = fixed_certificate()
    process = subprocess.Popen([TOOL, "serve", "--json", "--listen", "127.0.0.1:0", "--http", "none", *options], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
    ready = json.loads(process.stdout.readline())
    process.stdout.close()
    process.stderr.close()
    process.send_signal(signal.SIGHUP)
    check_echo("a log without a reader: it serves", ready)
    process.send_signal(signal.SIGTERM)
    check("a log without a reader: it ends well", process.wait(WAIT) == 0)


def test_variables_and_masks():
    listen = ("--listen", "127.0.0.1:0", "--http", "localhost:0")
    for name, environment in (("no variables", {}), ("POSIX", {"LC_ALL": "POSIX"}), ("an unknown locale", {"LC_ALL": "xx_XX.UTF-8"}),
                              ("a relative HOME", {"HOME": "nowhere", "TMPDIR": "/nowhere"})):
        check_life(name, Service(*listen, env=environment), env=environment)
    for mask in (0o077, 0o000, 0o777):
        out = os.path.join(FOLDER, f"mask{mask:o}")
        previous = os.umask(mask)
        done = subprocess.run([TOOL, "cert", "--out", out], capture_output=True, text=True, timeout=WAIT, check=False)
        os.umask(previous)
        check(f"umask {mask:03o}: a certificate is made", done.returncode == 0, done)
        if done.returncode == 0:
            mode = os.stat(f"{out}.key").st_mode & 0o777
            check(f"umask {mask:03o}: the key is its owner's alone", mode & 0o077 == 0, oct(mode))
        os.umask(mask & 0o077)
        check_life(f"umask {mask:03o}", Service(*listen, "--takeover", os.path.join(FOLDER, f"take{mask:o}")))
        os.umask(previous)


def test_one_processor():
    one = min(os.sched_getaffinity(0))
    check_life("one processor, two workers",
               Service("--listen", "127.0.0.1:0", "--http", "localhost:0", "--workers", "2",
                       launch=[sys.executable, "-c", "import os, sys; os.sched_setaffinity(0, [int(sys.argv[1])]);"
                               "os.execv(sys.argv[2], sys.argv[2:])", str(one)]))


# --- The date ---

def test_a_date_that_jumps():
    """Back to 1970 and ahead by 30 years, with a session open: it goes on, and others come."""
    date = os.path.join(FOLDER, "date.now")
    environment = {**os.environ, "LD_PRELOAD": os.path.join(FOLDER, "date"), "DATE_FILE": date}
    year = 365 * 86400

    def jump(seconds):
        with open(f"{date}.new", "w", encoding="utf-8") as file:
            file.write(str(seconds))
        os.replace(f"{date}.new", date)

    jump(0)
    service = Service("--listen", "127.0.0.1:0", "--http", "none", "--retry", "always", env=environment)
    ready = service.ready()
    check("it starts", ready, service.text())
    client = subprocess.Popen([TOOL, "connect", "--quiet", "--insecure-hash", ready["certificate_sha256"],
                               f"https://127.0.0.1:{port_of(ready)}/echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for name, seconds in (("as it is", 0), ("back by a day", -86400), ("back to 1970", -int(time.time()) + 60),
                          ("ahead by a year", year), ("ahead by 30 years", 30 * year), ("right again", 0)):
        jump(seconds)
        client.stdin.write(f"{name}\n")
        client.stdin.flush()
        check(f"{name}: an open session goes on", client.stdout.readline() == f"{name}\n")
        check_echo(f"{name}: a new client", ready)
    client.stdin.close()
    check("the session ends well", client.wait(WAIT) == 0)
    client.stdout.close()
    check("it ends well", service.end() == 0, service.text())


# --- Descriptors and memory ---

def limited(what, value):
    """A program that sets a limit and becomes the tool."""
    return [sys.executable, "-c", "import os, resource, sys; resource.setrlimit(int(sys.argv[1]), [int(sys.argv[2])] * 2);"
            "os.execv(sys.argv[3], sys.argv[3:])", str(what), str(value)]


def test_few_descriptors():
    service = Service("--listen", "127.0.0.1:0", "--http", "localhost:0", "--www", FOLDER,
                      launch=limited(resource.RLIMIT_NOFILE, 64))
    ready = service.ready()
    check("64 descriptors: it starts", ready, service.text())
    http = int(ready["http"].split(":")[-1].strip("/"))
    held = [socket.create_connection(("127.0.0.1", http), timeout=WAIT) for _ in range(100)]
    check_echo("64 descriptors: sessions while TCP connections use them up", ready)
    for connection in held:
        connection.close()
    with urllib.request.urlopen(f"http://127.0.0.1:{http}/healthz", timeout=WAIT) as answer:
        check("64 descriptors: HTTP/1.1 afterwards", answer.status == 200)
    check("64 descriptors: it ends well", service.end() == 0, service.text())


class EchoServer:
    """TCP: what comes is sent back."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    @staticmethod
    def serve(connection):
        try:
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)
        except OSError:  # the gateway has reset it
            pass


def test_a_gateway_with_few_descriptors():
    back = EchoServer()
    gateway = Service("--listen", "127.0.0.1:0", "--route", f"/echo=tcp://127.0.0.1:{back.port}", command="gateway",
                      launch=limited(resource.RLIMIT_NOFILE, 64))
    ready = gateway.ready()
    url = f"https://127.0.0.1:{port_of(ready)}/echo"
    clients = [subprocess.Popen([TOOL, "connect", "--quiet", "--insecure-hash", ready["certificate_sha256"], url],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
               for _ in range(64)]
    for client in clients:
        client.stdin.write("hello\n")
        client.stdin.flush()
    answers = [client.stdout.readline() for client in clients]
    served = answers.count("hello\n")
    check("64 descriptors, 64 streams: as many are served as it has room for", 20 < served < 64, answers)
    check("the others are told", gateway.logged("Too many open files"), gateway.text()[-2000:])
    for client in clients:
        client.communicate(timeout=WAIT)
    check_echo("a stream afterwards", ready)
    check("it ends well", gateway.end() == 0, gateway.text()[-2000:])


def peak(pid):
    """The most that the process has held of memory which the kernel cannot take away again, in MiB: programs and libraries are in
    files, from which it can read them anew."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        text = file.read()
    kib = {name: int(re.search(name + r":\s+(\d+) kB", text)[1]) for name in ("VmHWM", "RssFile")}
    return (kib["VmHWM"] - kib["RssFile"]) / 1024


def is_sanitized():
    with open(TOOL, "rb") as file:
        return b"__asan_init" in file.read()


def hostile_initials(port, count):
    """Clients that say the first words of a handshake and nothing more, each as another one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for i in range(count):
            name = os.urandom(8)
            head = bytes([0xC0 | (i & 3)]) + (1).to_bytes(4, "big") + bytes([8]) + name + bytes([8]) + name[::-1] + b"\0"
            rest = os.urandom(1200 - len(head) - 2)
            sender.sendto(head + (0x4000 | len(rest)).to_bytes(2, "big") + rest, ("127.0.0.1", port))


def loads(url, certificate_hash):
    """More than fits: many connections, and streams whose bytes nobody reads."""
    common = ["bench", "--insecure-hash", certificate_hash, "--duration", "60s", "--dials", "50"]
    kinds = ([*common, "--sessions", "300", "--size", "60000", "--outstanding", "8", url],
             [*common, "--sessions", "200", "--workload", "download", "--streams", "4", "--size", "4M", url],
             [*common, "--sessions", "50", "--workload", "setup", url])
    return [subprocess.Popen([TOOL, *kind], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for kind in kinds]


def stuffed(url, certificate_hash):
    """Clients that send and do not take what comes back: they are stopped."""
    made = []
    for _ in range(12):
        client = subprocess.Popen([TOOL, "connect", "--quiet", "--insecure-hash", certificate_hash, f"{url}/echo"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(client.stdin.fileno(), False)
        made.append(client)
    return made


def stuff(clients):
    for client in clients:
        try:
            os.write(client.stdin.fileno(), bytes(65536))
        except (BlockingIOError, BrokenPipeError):
            pass


def test_64_mebibytes():
    if is_sanitized():
        print("     left out: a sanitizer needs more memory than that")
        return
    service = Service("--listen", "127.0.0.1:0", "--http", "none", "--max-memory", "32M", "--log", "info",
                      launch=limited(resource.RLIMIT_DATA, 64 << 20))
    ready = service.ready()
    check("64 MiB: it starts", ready, service.text())
    url = f"https://127.0.0.1:{port_of(ready)}"
    running, stopped = loads(url, ready["certificate_sha256"]), stuffed(url, ready["certificate_sha256"])
    wanted, full = 0, r"connections hold (2[4-9]|3\d)\.\d of .* refused"
    end = time.monotonic() + WAIT
    while time.monotonic() < end and wanted < 20 and service.process.poll() is None:
        hostile_initials(port_of(ready), 200)
        stuff(stopped)
        wanted += re.search(full, service.text()) is not None
        time.sleep(0.05)
    check("64 MiB: more was wanted than there is", wanted, service.text()[-3000:])
    for process in [*running, *stopped]:
        process.kill()
        process.communicate()
    check("64 MiB: it goes on", service.process.poll() is None, service.text()[-3000:])
    check(f"64 MiB: the peak was {peak(service.process.pid):.1f} MiB", peak(service.process.pid) < 56)
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:  # refused until memory is there again
        good, done = echoes(ready["certificate_sha256"], f"{url}/echo")
        if good:
            break
    check("64 MiB: a session afterwards", good, done)
    service.process.send_signal(signal.SIGTERM)
    service.logged("SIGTERM: ending")
    check("64 MiB: it ends well, and at once if asked twice", service.end() == 0, service.text()[-3000:])


# --- Namespaces ---

INSIDE = {"ipv6_disabled": (["--net"], inside_ipv6_disabled), "read_only": (["--mount"], inside_read_only),
          "without_proc": (["--mount"], inside_without_proc)}


def can_unshare():
    return subprocess.run(["unshare", "--user", "--map-root-user", "--net", "--mount", "true"], check=False,
                          capture_output=True).returncode == 0


def test_in_namespaces():
    fixed_certificate()
    for name, (kinds, _) in INSIDE.items():
        done = subprocess.run(["unshare", "--user", "--map-root-user", *kinds, sys.executable, "-B", HERE, TOOL, FOLDER, name],
                              check=False)
        check(f"in namespaces: {name}", done.returncode == 0)


if len(sys.argv) > 3:
    run((INSIDE[sys.argv[3]][1],))
NAMESPACES = (test_in_namespaces, test_first_process)
if not can_unshare():
    print("left out: this machine lets nobody make namespaces")
run((test_without_a_family, test_closed_standard_streams, test_a_log_that_nobody_reads, test_variables_and_masks,
     test_one_processor, test_a_date_that_jumps, test_few_descriptors, test_a_gateway_with_few_descriptors, test_64_mebibytes,
     *(NAMESPACES if can_unshare() else ())))
