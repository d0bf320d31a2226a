#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# `webtransport probe` against `webtransport serve` with several drafts and certificates, against a server of HTTP/3
# that knows no WebTransport, and against none: how far each report comes, its verdicts, its exit status.

. "$(dirname "$0")/lib.sh"
need node nodejs
need openssl openssl
PATH=$PATH:/usr/sbin:/sbin
need gtlsserver ngtcp2-server

# Probes with --json; sets STATUS and OUT.
probe() { # probe [argument...]
  OUT=$(timeout 60 "$WEBTRANSPORT" probe --json --watch 50ms "$@" 2>"$DIR/err.txt")
  STATUS=$?
}

# The same as text.
probe_text() { # probe_text [argument...]
  OUT=$(timeout 60 "$WEBTRANSPORT" probe --watch 50ms "$@" 2>"$DIR/err.txt")
  STATUS=$?
}

check_status() { # check_status <what> <status>
  check_equal "$1: exit status" "$2" "$STATUS"
  check_equal "$1: the report says it too" "$2" "$(json j.exit_status <<<"$OUT")"
  check_equal "$1: nothing on standard error" "" "$(cat "$DIR/err.txt")"
}

check_json() { # check_json <what> <expected> <expression>
  check_equal "$1" "$2" "$(json "$3" <<<"$OUT")"
}

# Chromium, Firefox, Safari, webtransport-go: Y, N or ?.
check_verdicts() { # check_verdicts <what> <expected>
  check_json "$1: verdicts" "$2" 'j.verdicts.map((v) => ({true: "Y", false: "N", null: "?"})[v.would_connect]).join("")'
}

# The rules that a client (by its place) finds broken.
check_broken() { # check_broken <what> <client> <expected>
  check_json "$1" "$3" "j.verdicts[$2].rules.filter((r) => r.kept === false).map((r) => r.name).join()"
}

# --- Wrong use. ---

wrong "URL is missing" probe
wrong "https://" probe http://localhost/
wrong "--watch 'soon'" probe --watch soon https://localhost/
wrong "exclude each other" probe --ca a.pem --dangerously-accept-any-certificate https://localhost/
out=$("$WEBTRANSPORT" probe https://localhost:99999/ 2>&1 >/dev/null)
check_equal "a port that cannot be: exit status" 2 $?
check_contains "a port that cannot be: message" "$out" "the port is not a number from 1 to 65535"
out=$("$WEBTRANSPORT" probe --ca "$DIR/none.pem" https://localhost/ 2>&1 >/dev/null)
check_equal "authorities that are not there: exit status" 1 $?
check_contains "authorities that are not there: message" "$out" "$DIR/none.pem"

# --- A session: everything is told. ---

make_certificate a
start_server --cert "$DIR/a.pem" --key "$DIR/a.key" --protocol chat --retry always
URL=https://127.0.0.1:$PORT
probe --insecure-hash "$HASH" --protocol news --protocol chat "$URL/echo"
check_status "by hash" 0
check_json "the URL" "$URL/echo" j.url
check_json "no error, checked" "null false" 'j.error + " " + j.unchecked'
check_json "the address that was tried" "127.0.0.1:$PORT null" 'j.addresses.map((a) => a.address + " " + a.error).join()'
check_json "with its times" true '((a) => a.ended_us > a.begun_us)(j.addresses[0])'
check_json "QUIC's version and addresses" "0x00000001 127.0.0.1:$PORT true" \
  'j.quic.version + " " + j.quic.peer_address + " " + /^127\.0\.0\.1:\d+$/.test(j.quic.local_address)'
check_json "transport parameters" "30000 65535 true" \
  '((p) => p.max_idle_timeout_ms + " " + p.max_datagram_frame_size + " " + p.reset_stream_at)(j.quic.transport_parameters)'
check_json "all fifteen of them" 15 'Object.keys(j.quic.transport_parameters).length'
check_json "the path's MTU" true \
  'j.quic.path_mtu === j.quic.max_udp_payload_size + 28 && j.quic.path_mtu >= 1228 && j.quic.path_mtu <= 1500'
check_json "the largest datagram" true \
  'j.session.max_datagram_size > 1000 && j.session.max_datagram_size < j.quic.max_udp_payload_size'
check_json "TLS" "TLS1.3 true X25519 true" \
  'j.tls.version + " " + /GCM|POLY1305/.test(j.tls.cipher) + " " + j.tls.group + " " + j.tls.resumes'
check_json "certificate: the hash" "$(certificate_hash "$DIR/a.pem")" j.certificate.sha256
check_json "certificate: names, key, validity" "localhost,127.0.0.1 ECDSA P-256 864000" \
  'j.certificate.names + " " + j.certificate.key + " " + (j.certificate.not_after - j.certificate.not_before)'
check_json "certificate: by the hash that was given" true j.given_hash.accepted
check_json "certificate: no authority" "false true" \
  'j.authorities.accepted + " " + /not signed by an authority/.test(j.authorities.message)'
check_json "certificate: browsers take it by hash" true j.certificate.browsers_accept_hash
check_json "SETTINGS by name" "1 1 1 1 1 1" \
  '["SETTINGS_ENABLE_CONNECT_PROTOCOL", "SETTINGS_H3_DATAGRAM", "SETTINGS_ENABLE_WEBTRANSPORT", "SETTINGS_WT_ENABLED",
    "SETTINGS_WT_MAX_SESSIONS", "SETTINGS_WEBTRANSPORT_MAX_SESSIONS"].map((n) => j.settings.find((s) => s.name === n).value).join(" ")'
check_json "SETTINGS by number" SETTINGS_WT_ENABLED 'j.settings.find((s) => s.id === "0x2c7cf000").name'
check_json "GREASE has no name, and others are none" true \
  'j.settings.every((s) => s.grease === ((parseInt(s.id) - 0x21) % 0x1f === 0) && (s.name === null) === s.grease)'
check_json "draft, subprotocol, status" "15 chat 200" 'j.draft + " " + j.session.subprotocol + " " + j.answer.status'
check_json "the answer's fields" chat 'j.answer.headers.find((h) => h.name === "wt-protocol").value.replace(/"/g, "")'
check_json "the session was not closed by the server" null j.session.closed
check_json "times" true 'j.times_us.handshake > 0 && j.times_us.settings >= j.times_us.handshake &&
                         j.times_us.answer >= j.times_us.settings && j.times_us.smoothed_rtt >= j.times_us.min_rtt &&
                         j.times_us.min_rtt > 0 && j.times_us.rtt_variation > 0'
check_json "congestion control" "cubic true" 'j.quic.congestion_control + " " + (j.quic.congestion_window > 2400)'
probe --congestion-control reno --insecure-hash "$HASH" "$URL/echo"
check_json "congestion control that was asked for" reno j.quic.congestion_control
probe_text --congestion-control bbr --insecure-hash "$HASH" "$URL/echo"
check_contains "congestion control as text" "$OUT" "bbr, window of "
probe --insecure-hash "$HASH" --protocol news --protocol chat "$URL/echo"
check_verdicts "by hash" YYYN
check_broken "webtransport-go wants an authority" 3 certificate
check_json "clients" "Chromium,Firefox,Safari,webtransport-go" 'j.verdicts.map((v) => v.client).join()'
probe_text --insecure-hash "$HASH" --protocol chat "$URL/echo"
for part in "  Session     yes" "  127.0.0.1:$PORT" ": connected" "TLS1.3" "a second connection resumes" "$HASH" \
  "CA          refused by the system's authorities: " "Given hash  accepted by --insecure-hash" \
  "max_datagram_frame_size               65535" "0x2c7cf000  SETTINGS_WT_ENABLED                   1" \
  "They choose draft 15." "Status      200" "Protocol    chat" "wt-protocol: \"chat\"" "Chromium 156          yes" \
  "only by its hash" "webtransport-go 0.12  no"; do
  check_contains "text: '$part'" "$OUT" "$part"
done

# --- Trust. ---

probe "$URL/echo"
check_status "not trusted" 5
check_json "not trusted: why" "WT_ERR_CERTIFICATE connect" 'j.error.name + " " + j.error.stage'
check_json "not trusted: the rest is told all the same" "true null 200 15 $HASH" \
  'j.unchecked + " " + j.unchecked_error + " " + j.answer.status + " " + j.draft + " " + j.certificate.sha256'
check_verdicts "not trusted" YYYN
probe_text "$URL/echo"
check_contains "not trusted: text" "$OUT" "Session     no, as the certificate was refused"
check_contains "not trusted: text says how it was seen" "$OUT" "whose certificate was not checked, with a session"

# What may be a secret goes only to a server that is trusted. It answers the field with 403, the query with a code.
probe --insecure-hash "$HASH" --header 'origin: https://evil.example' "$URL/echo"
check_json "header fields go to a trusted server" 403 j.answer.status
probe --header 'origin: https://evil.example' "$URL/echo"
check_json "header fields go to no other" 200 j.answer.status
probe --dangerously-accept-any-certificate --header 'origin: https://evil.example' "$URL/echo"
check_json "unless that was asked for" 403 j.answer.status
probe --insecure-hash "$HASH" "$URL/close?code=7&reason=x"
check_json "a query goes to a trusted server" 7 j.session.closed.code
probe "$URL/close?code=7&reason=x"
check_json "a query goes to no other" 0 j.session.closed.code

probe --dangerously-accept-any-certificate "$URL/echo"
check_status "anything is accepted" 0
check_json "but judged" "false null" 'j.authorities.accepted + " " + j.given_hash'
probe --insecure-hash "${HASH//[0-9]/0}" "$URL/echo"
check_status "another hash" 5
check_json "another hash: refused" "false true" 'j.given_hash.accepted + " " + j.unchecked'
probe --ca "$DIR/a.pem" "https://localhost:$PORT/echo"
check_status "by --ca" 0
check_json "by --ca: accepted" "true $DIR/a.pem" 'j.authorities.accepted + " " + j.authorities.file'
check_verdicts "by --ca" YYYY
check_json "a second address has the ticket that the first did not use" "2 true" 'j.addresses.length + " " + j.tls.resumes'
make_certificate b
probe --ca "$DIR/b.pem" "$URL/echo"
check_status "by another --ca" 5

# --- Ends. ---

trusted() { probe --insecure-hash "$HASH" "$@"; }
trusted "$URL/nothing"
check_status "404" 7
check_json "404: status and fields" "404 text/plain; charset=utf-8 null" \
  'j.answer.status + " " + j.answer.headers.find((h) => h.name === "content-type").value + " " + j.session'
check_json "404: SETTINGS, draft, resumption" "true 15 true" '(j.settings.length > 10) + " " + j.draft + " " + j.tls.resumes'
check_json "404: the error" "WT_ERR_REJECTED answered" 'j.error.name + " " + j.error.stage'
check_verdicts "404" NNNN
check_broken "404 is why" 0 answer
trusted --origin https://evil.example "$URL/echo"
check_status "a refused origin" 7
check_json "a refused origin: status" 403 j.answer.status
trusted --protocol other "$URL/echo"
check_status "no common subprotocol" 8
check_json "no common subprotocol: a session" "200 null" 'j.answer.status + " " + j.session.subprotocol'
trusted "$URL/close?code=7&reason=bye%1b"
check_status "closed with a code" 9
check_json "closed: by whom and why" 'peer 7 true "bye\u001b"' \
  '((c) => c.by + " " + c.code + " " + c.clean + " " + JSON.stringify(c.reason))(j.session.closed)'
check_json "closed: the session alone, in order" 'peer false null ""' \
  '((c) => c.cause + " " + c.connection + " " + c.wire_is_h3 + " " + JSON.stringify(c.message))(j.session.closed)'
probe_text --insecure-hash "$HASH" "$URL/close?code=7&reason=bye%1b"
check_contains "a reason cannot steer the terminal" "$OUT" "Closed      by peer, code 7, reason 'bye\\x1b'"
trusted "$URL/close?code=0&reason=done"
check_status "closed with 0" 0
"$WEBTRANSPORT" probe --json --watch 0 --insecure-hash "$HASH" "$URL/echo" >/dev/full 2>/dev/null
check_equal "a full disk is a failure" 1 $?
stop_server

# --- Nothing there. ---

probe "$URL/echo"
check_status "a closed port" 3
check_json "a closed port: the address" "WT_ERR_IO connection refused" 'j.addresses[0].error + " " + j.addresses[0].message'
check_json "a closed port: nothing else" "null null null null null" \
  '[j.quic, j.tls, j.certificate, j.settings, j.answer].map(String).join(" ")'
check_verdicts "a closed port" NNNN
probe_text "$URL/echo"
check_contains "a closed port: text" "$OUT" "Because     127.0.0.1:$PORT: connection refused"
probe https://no-such-name.invalid/
check_status "an unknown name" 3
check_json "an unknown name: no address" "resolve 0" 'j.error.stage + " " + j.addresses.length'

# A socket that never answers.
mkfifo "$DIR/mute"
node -e 'const s = require("dgram").createSocket("udp4");
         s.bind(0, "127.0.0.1", () => console.log(s.address().port));' >"$DIR/mute" &
SERVER=$!
read -r -t 30 mute <"$DIR/mute"
probe --timeout 300ms "https://127.0.0.1:$mute/"
check_status "a server that says nothing" 4
check_json "a server that says nothing: how far" connect j.error.stage
kill "$SERVER"
wait "$SERVER" 2>/dev/null
SERVER=

# --- Drafts. ---

drafts() { # drafts <list> <chosen> <verdicts>
  start_server --cert "$DIR/a.pem" --key "$DIR/a.key" --drafts "$1"
  probe --ca "$DIR/a.pem" "https://127.0.0.1:$PORT/echo"
  check_status "drafts $1" 0
  check_json "drafts $1: the one chosen" "$2" j.draft
  check_verdicts "drafts $1" "$3"
  stop_server
}
drafts 2 2 YYNN
drafts 7 7 NNYN
drafts 13 13 NNYN
drafts 15 15 NNNY
drafts 2,13 13 YYYN
drafts 7,15 15 NNYY

# --- Certificates. ---

# Two that browsers refuse by hash: for too long, and with the wrong key.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 15 -subj /CN=localhost \
  -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout "$DIR/long.key" -out "$DIR/long.pem" 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 10 -subj /CN=localhost \
  -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout "$DIR/rsa.key" -out "$DIR/rsa.pem" 2>/dev/null
refused() { # refused <name> <part of why>
  start_server --cert "$DIR/$1.pem" --key "$DIR/$1.key"
  probe --insecure-hash "$HASH" "https://127.0.0.1:$PORT/echo"
  check_status "$1: by hash" 5
  check_json "$1: refused by hash" "false false" 'j.given_hash.accepted + " " + j.certificate.browsers_accept_hash'
  check_contains "$1: why" "$(json j.certificate.refusal <<<"$OUT")" "$2"
  check_verdicts "$1: nobody takes it" NNNN
  check_broken "$1: for its certificate" 1 certificate
  probe --ca "$DIR/$1.pem" "https://127.0.0.1:$PORT/echo"
  check_status "$1: by --ca" 0
  check_verdicts "$1: where the authority is known" NYYY
  probe_text --ca "$DIR/$1.pem" "https://127.0.0.1:$PORT/echo"
  check_contains "$1: text" "$OUT" "By hash     browsers refuse it: "
  stop_server
}
refused long "14 days"
refused rsa key

# --- HTTP/3 without WebTransport, with an expired certificate. ---

make_dated_certificate old 20200101000000Z 20200110000000Z
# On a port that was free a moment ago. It is there when it is not refused any more.
serve_old() { # serve_old [option...]
  gtlsserver -q -d "$DIR" "$@" 127.0.0.1 "$PORT" "$DIR/old.key" "$DIR/old.pem" >/dev/null 2>&1 &
  SERVER=$!
  STATUS=3
  until [ "$STATUS" != 3 ] || ! kill -0 "$SERVER" 2>/dev/null; do probe "https://127.0.0.1:$PORT/"; done
}
end_old() {
  kill "$SERVER"
  wait "$SERVER" 2>/dev/null
  SERVER=
}
serve_old
probe --insecure-hash "$(certificate_hash "$DIR/old.pem")" "https://127.0.0.1:$PORT/"
check_status "an expired certificate" 5
check_json "an expired certificate: why" "false it has expired" \
  'j.given_hash.accepted + " " + j.certificate.refusal'
check_json "an expired certificate: how far it came unchecked" "WT_ERR_SETTINGS settings" \
  'j.unchecked_error.name + " " + j.unchecked_error.stage'
probe --dangerously-accept-any-certificate "https://127.0.0.1:$PORT/"
check_status "a server without WebTransport" 6
check_json "a server without WebTransport: its SETTINGS" "true null" \
  'j.settings.some((s) => s.name === "SETTINGS_QPACK_MAX_TABLE_CAPACITY") + " " + j.draft'
check_json "a server without WebTransport: parameters" "0 false" \
  'j.quic.transport_parameters.max_datagram_frame_size + " " + j.quic.transport_parameters.reset_stream_at'
check_json "a server without WebTransport: tickets" true j.tls.resumes
check_verdicts "a server without WebTransport" NNNN
check_broken "a server without WebTransport: Chromium" 0 certificate,draft-02,h3-datagram,datagram-frames
check_broken "a server without WebTransport: Safari" 2 \
  certificate,max-sessions,extended-connect,h3-datagram,datagram-frames
check_broken "a server without WebTransport: webtransport-go" 3 \
  certificate,draft-15,extended-connect,h3-datagram,datagram-frames,reset-stream-at
probe_text --dangerously-accept-any-certificate "https://127.0.0.1:$PORT/"
check_contains "a server without WebTransport: text" "$OUT" "the server does not speak WebTransport"
check_contains "a server without WebTransport: no draft" "$OUT" "They choose no draft."
end_old

# A group for the key exchange that the client does not have.
serve_old --groups=-GROUP-ALL:+GROUP-FFDHE2048
probe "https://127.0.0.1:$PORT/"
check_status "TLS that fails" 5
check_json "TLS that fails: no certificate, no SETTINGS" "WT_ERR_TLS connect null null" \
  '[j.error.name, j.error.stage, j.certificate, j.settings].map(String).join(" ")'
check_verdicts "TLS that fails" NNNN
end_old

finish
