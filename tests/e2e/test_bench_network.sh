#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The client of bench/network against `webtransport serve`, without a link between them: what it receives and counts.
# CMake runs this where bench/network is built too.

. "$(dirname "$0")/lib.sh"
need node nodejs

CLIENT=$(dirname "$WEBTRANSPORT")/bench/network_client
BYTES=3000000

start_server
OUT=$(timeout 60 "$CLIENT" bulk "https://127.0.0.1:$PORT" "$BYTES" 30)
check_equal "bulk: ends well" 0 $?
check_equal "bulk: all bytes came" "1 false $BYTES" "$(json 'j.length + " " + j[0].failed + " " + j[0].bytes' <<<"$OUT")"
OUT=$(timeout 60 "$CLIENT" open "https://127.0.0.1:$PORT")
check_equal "open: ends well" 0 $?
check_equal "open: a new connection, a resumed one, one that is there" "false,1,false false,1,true false,1,true" \
  "$(json 'j.map((visit) => [visit.failed, visit.bytes, visit.resumed]).join(" ")' <<<"$OUT")"
stop_server
OUT=$(timeout 60 "$CLIENT" bulk "https://127.0.0.1:$PORT" "$BYTES" 1 2>&1)
check_equal "nobody there: is an error" 1 $?

finish
