#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`webtransport gateway` with back ends on real sockets.

    run.py [--full] TOOL FOLDER [NAME...]     all tests, or those of these names

WT_GATEWAY_MB says how many MiB the large transfers have (64), and WT_GATEWAY_STREAMS how many short streams there are (3,000).
With --full (`make gateway`) they are 1,024 and 10,000."""

import os
import sys

if "--full" in sys.argv:  # before the tests read them
    sys.argv.remove("--full")
    os.environ.update(WT_GATEWAY_MB="1024", WT_GATEWAY_STREAMS="10000")

import tests_config
import tests_datagrams
import tests_slow
import tests_streams
import tests_ssh
import tests_webtransport
from rig import run_tests

TESTS = [*tests_config.TESTS, *tests_streams.TESTS, *tests_slow.TESTS, *tests_datagrams.TESTS, *tests_ssh.TESTS,
         *tests_webtransport.TESTS]


if __name__ == "__main__":
    sys.exit(run_tests(TESTS))
