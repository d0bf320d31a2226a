# SPDX-License-Identifier: MIT
"""OpenSSH's client by `webtransport connect` and the gateway to OpenSSH's server, which runs on a loopback port with
keys of its own and the rights of whoever runs the test."""

import getpass
import hashlib
import os
import shutil
import socket
import subprocess

from rig import Gateway, check, wait_for


def run(*command, **options):
    return subprocess.run(command, capture_output=True, timeout=120, check=False, **options)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_sshd(folder):
    for name in ("host", "user"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/{name}_key")
    shutil.copy(f"{folder}/user_key.pub", f"{folder}/authorized")
    port = free_port()
    with open(f"{folder}/sshd_config", "w", encoding="ascii") as config:
        config.write(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\n"
                     f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nPasswordAuthentication no\n"
                     f"PermitRootLogin yes\nAcceptEnv none\nSubsystem sftp internal-sftp\n")
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # sshd's folder for the separation of privileges
    sshd = subprocess.Popen([shutil.which("sshd"), "-D", "-e", "-f", f"{folder}/sshd_config"],
                            stderr=subprocess.PIPE)

    def listens():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0
    wait_for("sshd listens", listens)
    return sshd, port


def test_ssh(tool, folder):
    sshd, port = start_sshd(folder)
    gateway = Gateway(tool, "-r", f"/ssh=tcp://127.0.0.1:{port}")
    proxy = " ".join(gateway.arguments("/ssh", "-q", "--binary"))
    ssh = ["ssh", "-F", "none", "-i", f"{folder}/user_key", "-o", f"ProxyCommand={proxy}", "-o",
           f"UserKnownHostsFile={folder}/known", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
           f"{getpass.getuser()}@gateway.test"]
    result = run(*ssh, "echo hello; exit 3")
    check("ssh: a command, its output and its status", (result.stdout, result.returncode) == (b"hello\n", 3), result)
    data = os.urandom(8 << 20)
    result = run(*ssh, "cat", input=data)
    check("ssh: 8 MiB through cat", hashlib.sha256(result.stdout).digest() == hashlib.sha256(data).digest(),
          result.stderr)
    result = run("script", "-qec", " ".join([*[f"'{word}'" for word in ssh[:1]], "-tt",
                                             *[f"'{word}'" for word in ssh[1:]]]), "/dev/null",
                 input=b"tty; stty size; exit\n")
    check("ssh: a terminal", b"/dev/pts/" in result.stdout, result)
    line = gateway.session("/ssh")
    check("the access log has the session", line["streams"] == 1 and line["bytes_in"] > 1000, line)
    check("it ends in order", gateway.end() == 0)
    sshd.terminate()
    sshd.wait(60)


TESTS = [test_ssh]
