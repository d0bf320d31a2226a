#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# `webtransport serve` as a service of systemd or the like: see test_service.py, which is the test.

. "$(dirname "$0")/lib.sh"
need python3 python3

wrong "--user" serve --user ""
python3 -B "$(dirname "$0")/test_service.py" "$WEBTRANSPORT" "$DIR"
check_equal "test_service.py" 0 $?
finish
