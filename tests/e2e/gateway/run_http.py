#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`webtransport gateway` and HTTP: tokens, the server that says who may, and requests that are no sessions.

    run_http.py TOOL FOLDER [NAME...]     all tests, or those of these names"""

import sys

import tests_auth_request
import tests_requests
import tests_token
from rig import run_tests

if __name__ == "__main__":
    sys.exit(run_tests([*tests_token.TESTS, *tests_auth_request.TESTS, *tests_requests.TESTS]))
