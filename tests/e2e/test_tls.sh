#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What TLS can be told: certificates of clients, cipher suites and groups, the life of tickets, a stapled OCSP response.
# Between our own ends, and with gtlsclient and gtlsserver, the examples of ngtcp2.

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/authority.sh"
need node nodejs
need openssl openssl
need gtlsclient ngtcp2-client
PATH=$PATH:/usr/sbin
need gtlsserver ngtcp2-server

# --- An authority, a server, clients. ---

make_authorities
DIAL=(--ca "$DIR/ours.pem")

visit() { # visit [option...]: one line to /echo; sets OUT, ERR and STATUS
  OUT=$(timeout 30 "$WEBTRANSPORT" connect -q "${DIAL[@]}" "$@" "https://localhost:$PORT/echo" <<<hello 2>"$DIR/error")
  STATUS=$?
  ERR=$(cat "$DIR/error")
}
plain() { # plain [option...]: GET by gtlsclient; what its log has about the answer, or the end
  timeout 20 gtlsclient --no-http-dump --exit-on-all-streams-close --timeout=5s "$@" 127.0.0.1 "$PORT" \
    "https://localhost:$PORT/source?bytes=10" 2>&1 | grep -o -E "\\[:status: [0-9]+\\]|rx .*CRYPTO_ERROR\\(0x[0-9a-f]+\\)|resum.*"
}
probe() { # probe <expression> [option...]
  local expression=$1
  shift
  timeout 30 "$WEBTRANSPORT" probe --json --watch 0 "${DIAL[@]}" "$@" "https://localhost:$PORT/echo" 2>/dev/null |
    json "$expression"
}

# --- Wrong use. ---

wrong "--client-ca is missing" serve --require-client-certificate
wrong "--cert is missing" serve --ocsp "$DIR/x"
wrong "--client-key is missing" connect --client-cert "$DIR/alice.pem" https://localhost/
wrong "--client-cert is missing" probe --client-key "$DIR/alice.key" https://localhost/
wrong "--client-key is missing" bench --client-cert "$DIR/alice.pem" https://localhost/
wrong "a name is empty" serve --groups x25519,,x448
wrong "from 1s to 168h" serve --ticket-lifetime 0
out=$("$WEBTRANSPORT" serve --listen 127.0.0.1:0 --http none --client-ca "$DIR/none.pem" 2>&1)
check_contains "a missing file of authorities is named" "$out" "client_ca_file $DIR/none.pem"
out=$("$WEBTRANSPORT" serve --listen 127.0.0.1:0 --http none --groups x25519,P-256 2>&1)
check_contains "an unknown group is named, with those that are known" "$out" '"P-256", must be one of x25519, secp256r1'
out=$("$WEBTRANSPORT" connect --cipher-suites AES128-SHA https://localhost:1/ 2>&1 </dev/null)
check_contains "an unknown suite is named by a client" "$out" '"AES128-SHA", must be one of TLS_AES_128_GCM_SHA256'
out=$("$WEBTRANSPORT" connect --client-cert "$DIR/alice.pem" --client-key "$DIR/eve.key" https://localhost:1/ 2>&1)
check_contains "a key of another certificate is named" "$out" "$DIR/eve.key does not belong to"

# --- Certificates of clients. ---

start_server "${SERVE[@]}" --client-ca "$DIR/ours.pem" --require-client-certificate
visit --client-cert "$DIR/alice.pem" --client-key "$DIR/alice.key"
check_equal "a client with a certificate is served" "0 hello" "$STATUS $OUT"
check_contains "and named in the log" "$(wait_log "session at /echo")" "of CN=alice"
visit
check_contains "a client without one is told" "$ERR" "the server requires a certificate of the client"
check_contains "and the log says so" "$(wait_log "is refused")" "the client's certificate is required"
visit --client-cert "$DIR/eve.pem" --client-key "$DIR/eve.key"
check_contains "a client of another authority is told" "$ERR" "the server refuses the client's certificate: CA is unknown"
check_contains "and named in the log" "$(wait_log "is refused")" "(CN=eve) is not signed by an authority"
visit --client-cert "$DIR/server.pem" --client-key "$DIR/server.key"
check_contains "a certificate for servers is none for clients" "$(wait_log "is refused")" "is not for clients of TLS"
check_contains "gtlsclient: with a certificate" \
  "$(plain --cert="$DIR/alice.pem" --key="$DIR/alice.key" --session-file="$DIR/session" --wait-for-ticket)" "[:status: 200]"
check_contains "gtlsclient: resumed, without showing it" "$(plain --session-file="$DIR/session")" "[:status: 200]"
out=$(plain)
check_contains "gtlsclient: without a certificate it is certificate_required" "$out" "0x174"
# It goes by the list of authorities that the server sends.
out=$(plain --cert="$DIR/eve.pem" --key="$DIR/eve.key")
check_contains "gtlsclient: a certificate of another authority is not shown" "$out" "0x174"
bench=$(timeout 60 "$WEBTRANSPORT" bench --json --workload setup --duration 200ms "${DIAL[@]}" \
  --client-cert "$DIR/alice.pem" --client-key "$DIR/alice.key" "https://localhost:$PORT/echo" 2>&1)
check_equal "bench shows it too" 0 $?
stop_server
start_server "${SERVE[@]}" --client-ca "$DIR/ours.pem"
visit
check_equal "a server that only asks takes a client without" "0 hello" "$STATUS $OUT"
visit --client-cert "$DIR/eve.pem" --client-key "$DIR/eve.key"
check_contains "but none of another authority" "$ERR" "the server refuses the client's certificate"
stop_server

# --- Cipher suites and groups. ---

start_server "${SERVE[@]}" --cipher-suites TLS_CHACHA20_POLY1305_SHA256,TLS_AES_256_GCM_SHA384 --groups secp384r1:x25519
check_equal "the server's order counts" "CHACHA20-POLY1305 SECP384R1" "$(probe 'j.tls.cipher + " " + j.tls.group')"
check_equal "among what the client offers" "AES-256-GCM X25519" \
  "$(probe 'j.tls.cipher + " " + j.tls.group' --cipher-suites TLS_AES_256_GCM_SHA384 --groups x25519)"
visit --cipher-suites TLS_AES_128_GCM_SHA256
check_contains "nothing in common" "$ERR" "the server ended the handshake: Handshake failed"
check_contains "gtlsclient: with AES-256-GCM alone" \
  "$(plain --ciphers=NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM)" "[:status: 200]"
stop_server

# --- A stapled OCSP response. ---

respond V "$DIR/good.ocsp" -ndays 5
respond R "$DIR/revoked.ocsp" -ndays 5
refused() { # refused <what> <sentence> [option...]
  local what=$1 sentence=$2 out
  shift 2
  out=$("$WEBTRANSPORT" serve --listen 127.0.0.1:0 --http none "$@" 2>&1)
  check_contains "$what" "$out" "$sentence"
}
refused "a missing response" "OCSP file $DIR/none: No such file" "${SERVE[@]}" --ocsp "$DIR/none"
refused "no response" "is no OCSP response" "${SERVE[@]}" --ocsp "$DIR/server.pem"
refused "a revoked certificate" "was revoked" "${SERVE[@]}" --ocsp "$DIR/revoked.ocsp"
refused "a response about another" "about another certificate" --cert "$DIR/alice.pem" --key "$DIR/alice.key" \
  --ocsp "$DIR/good.ocsp"
cp "$DIR/good.ocsp" "$DIR/live.ocsp"
start_server "${SERVE[@]}" --ocsp "$DIR/live.ocsp" --log info
check_equal "a response comes with the certificate" true "$(probe j.tls.ocsp_stapled)"
visit
check_equal "and a client that verifies takes it" "0 hello" "$STATUS $OUT"
cp "$DIR/revoked.ocsp" "$DIR/live.ocsp"
kill -HUP "$SERVER"
check_contains "SIGHUP reads it again" "$(wait_log "certificate not reloaded")" "was revoked"
stop_server
start_server "${SERVE[@]}"
check_equal "without a response there is none" false "$(probe j.tls.ocsp_stapled)"
stop_server

finish
