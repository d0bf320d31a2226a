#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Becomes a service by exec, with what a service manager such as systemd gives to one.

    service_manager.py [--udp FD] [--tcp FD] [--notify PATH] [--watchdog SECONDS] COMMAND...

FD is a bound socket that was inherited. The variables name this process, which the command goes on as."""

import argparse
import fcntl
import os

FIRST = 3


def sockets_place(given):
    """The protocol counts descriptors from 3 on."""
    if not given:
        return
    aside = [fcntl.fcntl(fd, fcntl.F_DUPFD, FIRST + len(given)) for fd in given]
    for i, fd in enumerate(aside):
        os.dup2(fd, FIRST + i, inheritable=True)
        os.close(fd)
    os.environ["LISTEN_FDS"] = str(len(given))
    os.environ["LISTEN_PID"] = str(os.getpid())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--udp", type=int, action="append", default=[])
    parser.add_argument("--tcp", type=int, action="append", default=[])
    parser.add_argument("--notify")
    parser.add_argument("--watchdog", type=float)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.notify:
        os.environ["NOTIFY_SOCKET"] = options.notify
    if options.watchdog:
        os.environ["WATCHDOG_USEC"] = str(int(options.watchdog * 1_000_000))
        os.environ["WATCHDOG_PID"] = str(os.getpid())
    sockets_place(options.udp + options.tcp)
    os.execvp(options.command[0], options.command)


main()
