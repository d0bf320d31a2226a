#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# `webtransport gateway` with back ends on real sockets: see gateway/run.py, which is the test.

. "$(dirname "$0")/lib.sh"
need python3 python3
need openssl openssl
need ssh openssh-client
PATH=$PATH:/usr/sbin:/sbin
need sshd openssh-server

wrong "--no-such-thing" gateway --no-such-thing
python3 -B "$(dirname "$0")/gateway/run.py" "$WEBTRANSPORT" "$DIR"
check_equal "gateway/run.py" 0 $?
finish
