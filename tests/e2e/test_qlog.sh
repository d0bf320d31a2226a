#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Qlogs that `serve` and `connect` write: a private file for each end of a connection, in which each record is JSON, with the
# events of the session that was had.

. "$(dirname "$0")/lib.sh"
need node nodejs
need openssl openssl

wrong "there is no such folder" serve --qlog "$DIR/none"
wrong "this is not a folder" connect --qlog "$0" https://localhost/

mkdir "$DIR/theirs" "$DIR/mine"
unset QLOGDIR
start_server --qlog "$DIR/theirs"
printf 'hello\n' | QLOGDIR="$DIR/mine" timeout 60 "$WEBTRANSPORT" connect --insecure-hash "$HASH" --close 7 \
  --reason 'a "reason"' "https://127.0.0.1:$PORT/echo?a=b%22" >"$DIR/said" 2>"$DIR/messages"
check_equal "connect ends well" 0 $?
check_equal "the echo came" hello "$(cat "$DIR/said")"
stop_server

# Every record of both files, and what is in them.
events() { # events <file>
  python3 -B - "$1" <<'PYTHON'
import json, os, stat, sys
path = sys.argv[1]
parts = open(path, "rb").read().decode().split("\x1e")
assert parts[0] == "" and all(part.endswith("\n") for part in parts[1:])
first, *records = [json.loads(part) for part in parts[1:]]
assert first["qlog_format"] == "JSON-SEQ", first
times = [record["time"] for record in records]
assert times == sorted(times), times
names = [record["name"] for record in records]
data = {record["name"]: record["data"] for record in records}
assert data["webtransport:session_opened"]["path"] == "/echo?a=b%22", data
closed = data["webtransport:session_closed"]
assert (closed["code"], closed["reason"]) == (7, 'a "reason"'), closed
assert closed["bytes_sent"] == closed["bytes_received"] == 6, closed
for name in ("connectivity:connection_started", "connectivity:connection_closed", "webtransport:stream_opened",
             "webtransport:stream_closed", "transport:packet_sent", "transport:packet_received"):
    assert name in names, name
print(oct(stat.S_IMODE(os.stat(path).st_mode)), first["trace"]["vantage_point"]["type"], closed["by"])
PYTHON
}

THEIRS=$(ls "$DIR/theirs")
MINE=$(ls "$DIR/mine")
check_equal "both ends give the connection the same name" "${THEIRS%_server.sqlog}" "${MINE%_client.sqlog}"
check_equal "the server's file" "0o600 server peer" "$(events "$DIR/theirs/$THEIRS" 2>&1)"
check_equal "the client's file" "0o600 client local" "$(events "$DIR/mine/$MINE" 2>&1)"

finish
