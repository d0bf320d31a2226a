#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What TLS can be told, with Go's crypto/tls at the other end: certificates of clients, resumption with them, cipher suites and
# groups, a stapled OCSP response, key logs.
#
#   tests/interop/test_tls.sh path/to/webtransport path/to/webtransport-go/peer

PEER=${2:?usage: $0 path/to/webtransport path/to/peer}
. "$(dirname "$0")/../e2e/lib.sh"
. "$(dirname "$0")/../e2e/authority.sh"
need openssl openssl
make_authorities

client() { # client [option...]: Go gets 10 bytes from our server; its lines, or its error
  timeout 30 "$PEER" tls-client --url "https://localhost:$PORT/source?bytes=10" --ca "$DIR/ours.pem" "$@" 2>&1
}
ALICE=(--cert "$DIR/alice.pem" --key "$DIR/alice.key")
EVE=(--cert "$DIR/eve.pem" --key "$DIR/eve.key")

# --- Our server, Go's client. ---

respond V "$DIR/good.ocsp" -ndays 5
start_server "${SERVE[@]}" --client-ca "$DIR/ours.pem" --require-client-certificate --ocsp "$DIR/good.ocsp" \
  --cipher-suites TLS_CHACHA20_POLY1305_SHA256 --groups secp521r1,x25519
out=$(client "${ALICE[@]}" --times 2 --key-log "$DIR/keys")
check_contains "a certificate, our suite and group, a response" "$out" \
  "status=200 suite=TLS_CHACHA20_POLY1305_SHA256 group=X25519 ocsp=true resumed=false subject=server"
check_contains "resumed" "$out" "resumed=true"
check_contains "another group" "$(client "${ALICE[@]}" --group secp521r1)" "group=CurveP521"
check_contains "no group in common" "$(client "${ALICE[@]}" --group secp384r1)" "handshake failure"
check_contains "no certificate" "$(client)" "certificate required"
check_contains "and the log says so" "$(wait_log "is refused")" "is required, and it showed none"
check_contains "a certificate of another authority" "$(client "${EVE[@]}")" "unknown certificate authority"
check_contains "and the log says so, too" "$(wait_log "is refused")" "(CN=eve) is not signed by an authority"
stop_server

# Both ends tell the same secrets.
SSLKEYLOGFILE=$DIR/ours.keys start_server "${SERVE[@]}"
client --key-log "$DIR/keys" >/dev/null
stop_server
missing=$(grep -v "^CLIENT_EARLY\|^#" "$DIR/keys" | grep -c -v -F -f "$DIR/ours.keys")
check_equal "the key logs agree" "0 4" "$missing $(grep -c -F -f "$DIR/ours.keys" "$DIR/keys")"

# --- Go's server, our client. ---

go_server() { # go_server [option...]
  rm -f "$DIR/go"
  mkfifo "$DIR/go"
  "$PEER" tls-server --ca "$DIR/ours.pem" --cert "$DIR/server.pem" --key "$DIR/server.key" "$@" >"$DIR/go" 2>&1 &
  SERVER=$!
  exec 5<"$DIR/go"
  read -r -t 20 PORT <&5
}
dial() { # dial [option...]
  timeout 30 "$WEBTRANSPORT" connect -q --receive-only --ca "$DIR/ours.pem" "$@" "https://localhost:$PORT/" 2>&1 </dev/null
}
stop_go() {
  kill "$SERVER"
  wait "$SERVER" 2>/dev/null
  SERVER=
  exec 5<&-
}
go_server --require
dial --client-cert "$DIR/alice.pem" --client-key "$DIR/alice.key" --cipher-suites TLS_AES_256_GCM_SHA384 \
  --groups secp256r1 >/dev/null
read -r -t 20 line <&5
check_equal "ours shows a certificate" "client=alice suite=TLS_AES_256_GCM_SHA384 group=CurveP256 resumed=false" "$line"
check_contains "ours without one is told" "$(dial)" "the server requires a certificate of the client"
check_contains "ours with another one is told" "$(dial --client-cert "$DIR/eve.pem" --client-key "$DIR/eve.key")" \
  "the server refuses the client's certificate"
stop_go
go_server
dial >/dev/null
read -r -t 20 line <&5
check_contains "ours is not asked for more than it has" "$line" "client=nobody"
stop_go

finish
