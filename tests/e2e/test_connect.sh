#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# `webtransport connect` against `webtransport serve`: lines, datagrams and bytes there and back, both ends of a
# session, a reader and a writer that are too slow, signals; and each kind of failure with its message and status.

. "$(dirname "$0")/lib.sh"
need curl curl
need node nodejs
need openssl openssl
need script bsdutils
PATH=$PATH:/usr/sbin:/sbin
need gtlsserver ngtcp2-server

# Runs the tool to its end; sets STATUS, OUT and ERR. Standard input is the caller's.
connect() { # connect [argument...]
  timeout 60 "$WEBTRANSPORT" connect "$@" >"$DIR/out.txt" 2>"$DIR/err.txt"
  STATUS=$?
  OUT=$(tr -d '\0' <"$DIR/out.txt")
  ERR=$(cat "$DIR/err.txt")
}

check_run() { # check_run <what> <status> <output>
  check_equal "$1: status" "$2" "$STATUS"
  check_equal "$1: output" "$3" "$OUT"
}

# One line on standard error, and nothing on standard output.
check_failure() { # check_failure <what> <status> <part of the message>
  check_run "$1" "$2" ""
  check_contains "$1: message" "$ERR" "webtransport connect: "
  check_contains "$1: message tells why" "$ERR" "$3"
}

# --- Wrong use. ---

wrong "URL is missing" connect
wrong "https://" connect http://localhost/
wrong "the URL has no host" connect https://
wrong "'https://two/'" connect https://one/ https://two/
wrong "exclude each other" connect --uni --datagrams https://localhost/
wrong "exclude each other" connect --datagrams -r https://localhost/
wrong "exclude each other" connect --binary --prefix always https://localhost/
wrong "exclude each other" connect --ca a.pem --dangerously-accept-any-certificate https://localhost/
wrong "exclude each other" connect --reset 1 --datagrams https://localhost/
wrong "exclude each other" connect --reset 1 --receive-only https://localhost/
wrong "--reset 'x'" connect --reset x https://localhost/
wrong "--stop '4294967296'" connect --stop 4294967296 https://localhost/
wrong "--close '-1'" connect --close -1 https://localhost/
wrong "--reason" connect --reason "$(head -c 1025 /dev/zero | tr '\0' x)" https://localhost/
wrong "--prefix 'sometimes'" connect --prefix sometimes https://localhost/
wrong "--wait 'soon'" connect --wait soon https://localhost/
wrong "--insecure-hash 'abc'" connect --insecure-hash abc https://localhost/
connect https://localhost:99999/ </dev/null
check_failure "a port that cannot be" 2 "the port is not a number from 1 to 65535"
connect --header 'connection: close' https://localhost/ </dev/null
check_failure "a header field that cannot be" 2 "a header field"

# --- There and back. ---

make_certificate a
start_server --access-log-query --cert "$DIR/a.pem" --key "$DIR/a.key" --protocol chat --protocol news
URL=https://127.0.0.1:$PORT
trusted() { connect --insecure-hash "$HASH" "$@"; }

trusted "$URL/echo" <<<hello
check_run "a line" 0 "hello"
check_equal "its bytes and no others" 6 "$(stat -c %s "$DIR/out.txt")"
check_equal "the message" "webtransport connect: connected to $URL/echo (127.0.0.1:$PORT), draft 15" "$ERR"
trusted --quiet "$URL/echo" <<<hello
check_run "--quiet" 0 "hello"
check_equal "--quiet says nothing" "" "$ERR"
trusted -q "$URL/echo" < <(printf 'without an end')
check_run "a line without an end" 0 "without an end"
check_equal "gets none" 14 "$(stat -c %s "$DIR/out.txt")"
trusted -q "$URL/echo" </dev/null
check_run "no input" 0 ""
trusted -q "$URL/echo" <&-
check_failure "closed input" 1 "cannot read standard input: Bad file descriptor"

seq 1 20000 >"$DIR/lines"
trusted -q "$URL/echo" <"$DIR/lines"
check_equal "20,000 lines" "0 $(sha256sum <"$DIR/lines")" "$STATUS $(sha256sum <"$DIR/out.txt")"
head -c 1048576 /dev/urandom >"$DIR/bytes"
for way in "" --uni; do
  # shellcheck disable=SC2086
  trusted -q --binary $way "$URL/echo" < <(cat "$DIR/bytes")
  check_equal "1 MiB ${way:---bidi} through cat" "0 $(sha256sum <"$DIR/bytes")" "$STATUS $(sha256sum <"$DIR/out.txt")"
done
trusted -q --uni "$URL/echo" <<<hello
check_run "--uni" 0 "hello"
trusted -q --datagrams "$URL/echo" < <(seq 1 100)
check_equal "--datagrams: a line each" "0 $(seq 1 100 | paste -s -d ' ')" "$STATUS $(sort -n "$DIR/out.txt" | paste -s -d ' ')"
trusted -q --datagrams "$URL/source?bytes=0" < <(seq 1 10)
check_equal "/source echoes datagrams, beside its streams" "0 $(seq 1 10 | paste -s -d ' ')" \
  "$STATUS $(sort -n "$DIR/out.txt" | paste -s -d ' ')"
trusted -q --datagrams "$URL/echo" < <(printf 'one\n\nrest')
check_equal "an empty line and one without an end are datagrams" "0 3" "$STATUS $(wc -l <"$DIR/out.txt")"
# The client may know of larger packets before the server does, whose echo of such a datagram is then too large for it and
# lost, as datagrams may be.
for _ in 1 2 3 4 5; do
  trusted -q --datagrams --binary "$URL/echo" < <(head -c 5000 "$DIR/bytes")
  [ "$(wc -c <"$DIR/out.txt")" -lt 5000 ] || break
done
check_equal "--datagrams --binary cuts what is too large" "0 $(head -c 5000 "$DIR/bytes" | sha256sum)" \
  "$STATUS $(sha256sum <"$DIR/out.txt")"
trusted --datagrams "$URL/echo" < <(head -c 70000 /dev/zero | tr '\0' x; echo; head -c 3000 /dev/zero | tr '\0' y; echo; echo z)
check_run "lines too long for a datagram" 1 "z"
check_contains "are told" "$ERR" "a line of 70000 bytes was not sent: a datagram takes "
check_contains "each" "$ERR" "a line of 3000 bytes was not sent"
trusted --dangerously-accept-any-certificate "$URL/echo" </dev/null
check_contains "ways to trust exclude each other" "$ERR" "exclude each other"
connect -q --dangerously-accept-any-certificate "$URL/echo" <<<hello
check_run "any certificate" 0 "hello"
check_contains "is warned of, --quiet or not" "$ERR" "WARNING: the server's certificate is not checked"
connect -q --ca "$DIR/a.pem" "https://localhost:$PORT/echo" <<<hello
check_run "--ca" 0 "hello"

# --- Prefixes. ---

trusted -v --prefix always "$URL/echo" < <(printf 'one\ntwo')
check_run "--prefix always" 0 "[4 bidi] one
[4 bidi] two"
check_equal "ends its last line" 2 "$(wc -l <"$DIR/out.txt")"
check_contains "--verbose tells of streams" "$ERR" "stream 4 bidi was ended by the server"
trusted -q --uni --prefix always "$URL/echo" <<<one
check_equal "a stream of the server" 1 "$(grep -c '^\[[0-9]* uni <-\] one$' "$DIR/out.txt")"
trusted -q --datagrams --prefix always "$URL/echo" <<<one
check_run "a datagram" 0 "[datagram] one"
printf 'a\x1b[2Jb\n' >"$DIR/evil"
script -qec "'$WEBTRANSPORT' connect -q --insecure-hash $HASH $URL/echo < '$DIR/evil'" /dev/null >"$DIR/out.txt" </dev/null
check_equal "on a terminal: a prefix, control characters shown" '[4 bidi] a\x1b[2Jb' "$(tr -d '\r' <"$DIR/out.txt")"

# --- What the server does. ---

trusted "$URL/close?code=42&reason=so%20long" </dev/null
check_failure "closed with a code" 9 "the server closed the session with code 42: so long"
trusted "$URL/close?code=0&reason=done" </dev/null
check_run "closed without one" 0 ""
check_contains "is told" "$ERR" "the server closed the session: done"
trusted "$URL/close?code=1&reason=%1b%5b2J" </dev/null
check_contains "a reason cannot control the terminal" "$ERR" 'code 1: \x1b[2J'
trusted -q --wait 1s --receive-only "$URL/source?bytes=300000&streams=2" </dev/null
check_equal "--receive-only prints what comes" "0 600000" "$STATUS $(stat -c %s "$DIR/out.txt")"
trusted "$URL/source?bytes=300000" </dev/null
check_equal "a stream that is refused is a failure" "1 300000" "$STATUS $(stat -c %s "$DIR/out.txt")"
check_contains "and told" "$ERR" "the server reset stream 4 bidi: code 0"
for way in "" --uni --datagrams; do
  # shellcheck disable=SC2086
  trusted -q $way --wait 0 "$URL/sink" <"$DIR/lines"
  check_equal "--wait 0 ${way:---bidi}" 0 "$STATUS"
done
found=$(curl -sS "${HTTP}sessions.json?after=0" | json 'j.sessions.filter((s) => s.path === "/sink").slice(0, 2)
  .map((s) => [s.bytes_in, s.by, s.code, s.clean].join(" ")).join()')
whole="$(stat -c %s "$DIR/lines") peer 0 true"
check_equal "which loses nothing, and closes in order" "$whole,$whole" "$found"

# --- Codes that are sent: what the server makes of them. ---

ended() { # ended <path> <expression of a session>
  curl -sS "${HTTP}sessions.json?after=0" | json "j.sessions.filter((s) => s.path === '$1').map((s) => $2).join()"
}
trusted -q --reset 42 "$URL/echo?reset" <<<hello
# The echo may go with the reset, which the server passes on: all of it comes, or nothing.
check_run "--reset, behind the input" 0 "${OUT:+hello}"
check_equal "arrives with its code, and all before it" "6 42" "$(ended '/echo?reset' 's.bytes_in + " " + s.resets[0].code')"
trusted -q --reset 43 --uni --wait 0 "$URL/sink?uni" <<<hello
check_equal "--reset of a unidirectional stream" "0 6 43" "$STATUS $(ended '/sink?uni' 's.bytes_in + " " + s.resets[0].code')"
trusted -q --stop 44 "$URL/echo?stop" <<<hello
check_run "--stop prints nothing" 0 ""
check_equal "and arrives with its code" 44 "$(ended '/echo?stop' 's.stop_sendings[0].code')"
trusted -q --stop 45 -r --wait 500ms "$URL/source?bytes=30000000&streams=2" </dev/null
check_equal "--stop of the server's streams" "0 0 45 45" "$STATUS $(stat -c %s "$DIR/out.txt") $(
  ended '/source?bytes=30000000&streams=2' 's.stop_sendings.map((one) => one.code).join(" ")')"
trusted -q --close 4294967295 --reason $'gone\e[2J' "$URL/echo?close" <<<hello
check_run "--close and --reason" 0 "hello"
check_equal "arrive" "4294967295 gone" "$(ended '/echo?close' 's.code + " " + s.reason.slice(0, 4)')"
trusted -q --reason $'\xff' "$URL/echo" </dev/null
check_failure "a reason that is not UTF-8" 1 "the session cannot be closed"

# --- Subprotocols, header fields. ---

trusted --protocol other --protocol news "$URL/echo" <<<hello
check_run "a subprotocol" 0 "hello"
check_contains "is told" "$ERR" "draft 15, subprotocol news"
trusted --protocol other "$URL/echo" <<<hello
check_failure "a subprotocol that the server does not speak" 8 "subprotocol"

# --- Refusals. ---

trusted "$URL/nowhere" </dev/null
check_failure "no such path" 7 "the server answered 404 to /nowhere"
trusted --origin https://elsewhere.example "$URL/echo" </dev/null
check_failure "an origin that is refused" 7 "the server answered 403"
connect --insecure-hash "${HASH//[0-9]/0}" "$URL/echo" </dev/null
check_failure "another hash" 5 "hash"
connect "$URL/echo" </dev/null
check_failure "no authority" 5 "is not signed by an authority that is trusted here"
connect --ca "$DIR/none.pem" "$URL/echo" </dev/null
check_failure "no file of authorities" 1 "$DIR/none.pem"

# --- Slow readers: nobody has to wait for them, and nothing piles up. ---

# Starts the tool in the background, its output to a pipe that is not read; waits until it is connected.
# Its standard error is file descriptor 6, the pipe 5.
begin() { # begin [argument...]
  rm -f "$DIR/slow" "$DIR/said"
  mkfifo "$DIR/slow" "$DIR/said"
  "$WEBTRANSPORT" connect --insecure-hash "$HASH" "$@" >"$DIR/slow" 2>"$DIR/said" <&7 &
  CLIENT=$!
  exec 5<"$DIR/slow" 6<"$DIR/said"
  read -r -t 30 line <&6
  check_contains "connected" "$line" "connected to"
}

end() { # end <what> <status>
  local from=$SECONDS
  wait "$CLIENT"
  check_equal "$1: status" "$2" $?
  check_equal "$1: in time" true "$([ $((SECONDS - from)) -le 8 ] && echo true)"
  exec 5<&- 6<&- 7<&-
}

# How far the file behind descriptor 7 was read, once that has not changed for a second.
settled() {
  local at=-1 next same=0 until=$((SECONDS + 30))
  while [ $same -lt 10 ] && [ $SECONDS -lt $until ]; do
    next=$(sed -n 's/^pos:\t//p' /proc/$$/fdinfo/7)
    if [ "$next" = "$at" ]; then same=$((same + 1)); else same=0; fi
    at=$next
    read -r -t 0.1 -u 8 || true
  done
  echo "$at"
}
mkfifo "$DIR/never"
exec 8<>"$DIR/never"

sent() { curl -sS "${HTTP}stats.json" | json j.bytes_sent; }
before=$(sent)
exec 7</dev/null
begin --binary --receive-only --wait 2s "$URL/source?bytes=67108864"
read -r -t 2.5 -u 8 # longer than --wait: what is held back has not arrived yet, it only waits
sum=$(($(sent) - before))
check_equal "output that is not read holds the server back" true \
  "$([ "$sum" -gt 262144 ] && [ "$sum" -lt 33554432 ] && echo true || echo "$sum of 67108864 bytes")"
check_equal "and all arrives once it is" 67108864 "$(wc -c <&5)"
end "64 MiB" 0

head -c 67108864 /dev/zero >"$DIR/much"
exec 7<"$DIR/much"
begin --binary "$URL/echo"
at=$(settled)
check_equal "output that is not read holds the input back" true \
  "$([ "$at" -gt 262144 ] && [ "$at" -lt 50331648 ] && echo true || echo "$at of 67108864 bytes")"
kill -INT "$CLIENT"
end "Ctrl-C, while output is stuck" 0

exec 7<"$DIR/much"
begin --binary "$URL/echo"
head -c 1000 <&5 >"$DIR/some"
exec 5<&-
end "a reader that has enough" 1
check_equal "a reader gets the beginning" "$(head -c 1000 "$DIR/much" | sha256sum)" "$(sha256sum <"$DIR/some")"
if [ -w /dev/full ]; then
  timeout 60 "$WEBTRANSPORT" connect -q --insecure-hash "$HASH" "$URL/echo" <<<hello >/dev/full 2>"$DIR/err.txt"
  check_equal "a full disk is a failure" 1 $?
  check_contains "and told" "$(cat "$DIR/err.txt")" "cannot write to standard output: No space left on device"
fi

# --- Signals. The input stays open. ---

for signal in INT TERM HUP; do
  exec 7<>"$DIR/never"
  begin "$URL/echo?signal=$signal"
  echo "to $signal" >&7
  read -r -t 30 line <&5
  check_equal "a line comes back at once" "to $signal" "$line"
  kill "-$signal" "$CLIENT"
  end "SIG$signal" 0
done
found=$(curl -sS "${HTTP}sessions.json?after=0" | json 'j.sessions.filter((s) => s.path.includes("signal="))
  .map((s) => s.by + " " + s.code + " " + s.clean).join()')
check_equal "a signal closes in order, with code 0" "peer 0 true,peer 0 true,peer 0 true" "$found"
exec 7<>"$DIR/never"
begin "$URL/echo"
stop_server TERM
said=$(cat <&6)
check_contains "a server that ends asks for it" "$said" "the server asks to end the session soon"
check_contains "and closes the session at last" "$said" "the server closed the session: the server is shutting down"
end "a server that ends" 0

# --- A server that falls silent: the lower of both idle timeouts counts. ---

start_server --access-log-query --idle-timeout 1s
URL=https://127.0.0.1:$PORT
exec 7<>"$DIR/never"
begin "$URL/echo"
read -r -t 2.5 -u 8
echo "still here" >&7
read -r -t 30 line <&5
check_equal "PINGs keep a session from it" "still here" "$line"
kill -STOP "$SERVER"
said=$(cat <&6)
end "a silent server" 9
check_contains "is told from a server that closes" "$said" "the connection timed out: nothing was "
kill -CONT "$SERVER"
stop_server TERM
start_server --access-log-query
trusted -q --close 4294967295 --reason $'gone\e[2J' "https://127.0.0.1:$PORT/echo?close" <<<hello
check_contains "the server tells of a session's end" "$(wait_log 'session at /echo ended')" \
  "ended by peer, code 4294967295: gone?[2J"
stop_server TERM

# --- Nobody there, or nobody who speaks WebTransport. ---

connect https://nothing.invalid/ </dev/null
check_failure "a name that is not known" 3 "nothing.invalid"

# A socket that takes everything and answers nothing.
mkfifo "$DIR/port"
node -e 'const s = require("dgram").createSocket("udp4");
         s.bind(0, "127.0.0.1", () => console.log(s.address().port));' >"$DIR/port" &
SERVER=$!
exec 3<"$DIR/port"
read -r -t 30 PORT <&3
connect --timeout 300ms "https://127.0.0.1:$PORT/" </dev/null
check_failure "no answer" 4 "within 300 ms"
exec 7<>"$DIR/never"
"$WEBTRANSPORT" connect --timeout 0 --prefix never "https://127.0.0.1:$PORT/" 2>"$DIR/err.txt" <&7 &
CLIENT=$!
# SIGHUP, SIGINT and SIGTERM are blocked, to be taken by its thread.
until grep -q '^SigBlk:.*4003$' "/proc/$CLIENT/status"; do read -r -t 0.05 -u 8 || true; done
kill -INT "$CLIENT"
wait "$CLIENT"
check_equal "Ctrl-C before there is a session" 1 $?
check_contains "is told" "$(cat "$DIR/err.txt")" "interrupted"
kill "$SERVER"
wait "$SERVER" 2>/dev/null
connect "https://127.0.0.1:$PORT/" </dev/null
check_failure "a port that is closed" 3 "connection refused"

# An HTTP/3 server without WebTransport, with a certificate that has expired.
: >"$DIR/index.txt"
cat >"$DIR/ca.cnf" <<CNF
[ca]
default_ca = all
[all]
database = $DIR/index.txt
new_certs_dir = $DIR
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = optional
[names]
subjectAltName = DNS:localhost,IP:127.0.0.1
CNF
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout "$DIR/old.key" \
  -out "$DIR/old.csr" 2>/dev/null
openssl ca -batch -selfsign -config "$DIR/ca.cnf" -keyfile "$DIR/old.key" -in "$DIR/old.csr" -out "$DIR/old.pem" \
  -notext -startdate 20200101000000Z -enddate 20200110000000Z 2>/dev/null
# On the port that was free a moment ago. It is there when it is not refused any more.
gtlsserver -q -d "$DIR" 127.0.0.1 "$PORT" "$DIR/old.key" "$DIR/old.pem" >/dev/null 2>&1 &
SERVER=$!
STATUS=3
until [ "$STATUS" != 3 ] || ! kill -0 "$SERVER" 2>/dev/null; do
  connect --insecure-hash "$(certificate_hash "$DIR/old.pem")" "https://127.0.0.1:$PORT/" </dev/null
done
check_failure "an expired certificate" 5 "expired on 2020-01-10"
connect --ca "$DIR/old.pem" "https://127.0.0.1:$PORT/" </dev/null
check_failure "an expired certificate, by --ca" 5 "expired"
connect -q --dangerously-accept-any-certificate "https://127.0.0.1:$PORT/" </dev/null
check_failure "a server without WebTransport" 6 "the server does not speak WebTransport"
kill "$SERVER"
wait "$SERVER" 2>/dev/null
SERVER=

finish
