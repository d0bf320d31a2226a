#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# `webtransport gateway` and HTTP: who may use a route, and requests that are no sessions. See gateway/run_http.py, which is the test.

. "$(dirname "$0")/lib.sh"
need python3 python3
need openssl openssl

python3 -B "$(dirname "$0")/gateway/run_http.py" "$WEBTRANSPORT" "$DIR"
check_equal "gateway/run_http.py" 0 $?
finish
