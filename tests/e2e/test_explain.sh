#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# `webtransport explain`: the page about a session of both ends; files that are none, cut or hostile.

. "$(dirname "$0")/lib.sh"
need node nodejs
need python3 python3

explain() { # explain <file>: sets STATUS, OUT and ERR
  timeout 20 "$WEBTRANSPORT" explain "$1" >"$DIR/page" 2>"$DIR/messages"
  STATUS=$?
  OUT=$(cat "$DIR/page")
  ERR=$(cat "$DIR/messages")
}

wrong "FILE is missing" explain
explain "$DIR/none"
check_equal "a file that is not there: status" 1 "$STATUS"
check_contains "a file that is not there" "$ERR" "No such file"
explain "$DIR"
check_equal "a folder: status" 1 "$STATUS"
check_contains "a folder" "$ERR" "Is a directory"
explain "$0"
check_equal "another file: status" 1 "$STATUS"
check_contains "another file" "$ERR" "this is no qlog"

# --- Both ends of a session. ---

unset QLOGDIR
mkdir "$DIR/theirs" "$DIR/mine"
start_server --qlog "$DIR/theirs"
echo hello | timeout 60 "$WEBTRANSPORT" connect --qlog "$DIR/mine" --insecure-hash "$HASH" --close 7 --reason bye \
  "https://127.0.0.1:$PORT/echo?a=b" >"$DIR/said" 2>"$DIR/messages"
stop_server
explain "$DIR"/theirs/*_server.sqlog
check_equal "the server's page: status" 0 "$STATUS"
check_equal "the server's page: all was read" "" "$ERR"
NAME=$(basename "$DIR"/theirs/*_server.sqlog _server.sqlog)
for part in "Connection   $NAME, seen by the server" "Handshake    done after" "Peer allows  30000 ms of silence" " 0 lost" "Sessions     1" \
  "/echo?a=b, draft" "1 streams; sent 6 bytes" "by peer, code 7: bye" "code 256 H3_NO_ERROR"; do
  check_contains "the server's page" "$OUT" "$part"
done
explain "$DIR"/mine/*_client.sqlog
check_contains "the client's page" "$OUT" "seen by the client"
check_contains "the client's page" "$OUT" "by local, code 7: bye"

cat "$DIR"/mine/*_client.sqlog "$DIR"/theirs/*_server.sqlog >"$DIR/both"
explain "$DIR/both"
check_contains "two logs in one file: the first" "$OUT" "seen by the client"
check_contains "two logs in one file: and nothing of the other" "$OUT" "Sessions     1"
check_contains "two logs in one file: it is told" "$ERR" "another connection's log follows"

# --- Files that a stranger has made. ---

# As later drafts of qlog have it: another first record, one namespace for all events of QUIC, other names of members.
cat >"$DIR/later" <<'QLOG'
{"file_schema":"urn:ietf:params:qlog:file:sequential","serialization_format":"application/qlog+json-seq","trace":{"vantage_point":{"type":"client"},"common_fields":{"group_id":"abcd"}}}
{"time":0.5,"name":"quic:parameters_set","data":{"initiator":"remote","max_idle_timeout":7000}}
{"time":1.5,"name":"quic:packet_sent","data":{"raw":{"length":1200}}}
{"time":2.5,"name":"quic:recovery_metrics_updated","data":{"min_rtt":3.25,"smoothed_rtt":4}}
{"time":2.6,"name":"http:parameters_set","data":{"initiator":"remote","max_idle_timeout":1}}
{"time":9.5,"name":"transport:connection_closed","data":{"initiator":"remote","connection_error":"no_error","reason":"enough"}}
QLOG
explain "$DIR/later"
for part in "Connection   abcd, seen by the client" "Handshake    the log does not say" "Peer allows  7000 ms" "1 sent (1200 bytes)" \
  "3 ms at best" "after 9 ms, by remote no_error: enough"; do
  check_contains "a log of a later draft" "$OUT" "$part"
done

head -c 3000 "$(ls "$DIR"/mine/*)" >"$DIR/cut"
explain "$DIR/cut"
check_equal "a file that is cut: status" 0 "$STATUS"
check_contains "a file that is cut" "$OUT" "Ended        not within the log"

python3 -B - "$DIR/hostile" <<'PYTHON'
import json, sys
with open(sys.argv[1], "w") as out:
    out.write(json.dumps({"qlog_format": "JSON-SEQ", "trace": [1]}) + "\n")
    out.write("[1]\n" + "[" * 60000 + "\n" + '{"a":"' + "x" * 200000 + '"}\n')
    for number in (-1, 1e300, 2**63 - 1, "7", None, {}, 0.5):
        for name in ("transport:packet_sent", "webtransport:session_closed", "connectivity:connection_closed", "?"):
            data = {key: number for key in ("session_id", "path", "code", "streams_opened", "streams_accepted", "raw")}
            out.write("\x1e" + json.dumps({"time": number, "name": name, "data": data}) + "\n")
            out.write(json.dumps({"time": number, "name": name, "data": number}) + "\n")
    for session in range(1000):
        out.write(json.dumps({"time": 5, "name": "webtransport:session_opened",
                              "data": {"session_id": session, "path": "/\x1b[2J" + "p" * 5000}}) + "\n")
PYTHON
explain "$DIR/hostile"
check_equal "a hostile file: status" 0 "$STATUS"
check_contains "a hostile file: sessions are bounded" "$OUT" "more"
check_contains "a hostile file: what is no record is counted" "$ERR" "3 records cannot be read"
check_equal "a hostile file: no control characters" "" "$(tr -d '[:print:]\n' <"$DIR/page")"

finish
