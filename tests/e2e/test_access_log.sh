#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The access log, the log in JSON and /healthz of `webtransport serve` and the gateway: see test_access_log.py, which is the test.

. "$(dirname "$0")/lib.sh"
need python3 python3
need gtlsclient ngtcp2-client

wrong "--access-log" serve --access-log ""
wrong "--log-format" serve --log-format xml
python3 -B "$(dirname "$0")/test_access_log.py" "$WEBTRANSPORT" "$DIR"
check_equal "test_access_log.py" 0 $?
finish
