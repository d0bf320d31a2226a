#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The companion before peers that mean ill: connections that say nothing, or a byte now and then, or read nothing;
# requests for hosts that are not this server; requests that are none. And the end: whatever peers do at either port,
# SIGTERM ends the tool in 5 seconds, and a second one at once.

. "$(dirname "$0")/lib.sh"
need curl curl
need node nodejs
need openssl openssl
need python3 python3

RAW=$(dirname "$0")/client/raw_http.mjs
HOLDER=
CLIENT=
drop() { # drop <pid>: ends a program of ours, running or stopped
  [ -z "$1" ] && return
  kill -KILL "$1" 2>/dev/null
  wait "$1" 2>/dev/null
}
trap 'drop "$HOLDER"; drop "$CLIENT"; cleanup' EXIT

port_of() { # port_of <url>
  local port=${1##*:}
  echo "${port%/}"
}

# --- Requests: each line a name of the check, what is expected, and the request after the header's beginning. ---

# asked <expected> <what> <request>: collected, and sent by `ask_all`.
names=() wanted=() requests=()
asked() {
  wanted+=("$1")
  names+=("$2")
  requests+=("$3")
}
ask_all() {
  local got i=0
  while read -r got; do
    check_equal "${names[$i]}" "${wanted[$i]}" "$got"
    i=$((i + 1))
  done < <(printf '%s\n' "${requests[@]}" | timeout 100 node "$RAW" "$(port_of "$HTTP")" ask)
  check_equal "all were asked" "${#names[@]}" "$i"
  names=() wanted=() requests=()
}
host() { asked "$1" "Host: $2" "GET /info.json HTTP/1.1\r\nHost: $2\r\n\r\n"; }

make_certificate names
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj "/CN=x" -keyout "$DIR/site.key" \
  -addext "subjectAltName=DNS:site.example,DNS:*.wild.example,IP:203.0.113.9" -out "$DIR/site.pem" 2>/dev/null
cp "$DIR/site.pem" "$DIR/live.pem"
cp "$DIR/site.key" "$DIR/live.key"
start_server --cert "$DIR/live.pem" --key "$DIR/live.key" --host extra.example --host 2001:db8::1

for name in localhost LOCALHOST localhost:1 localhost. localhost.:65535 127.0.0.1 127.9.9.9:80 '[::1]' '[0::1]:8080' \
  site.example SITE.example.:443 a.wild.example 203.0.113.9 extra.example '[2001:DB8:0::1]:443' "$(hostname)"; do
  host 200 "$name"
done
for name in evil.example evil.example:8080 localhost.evil.example wild.example a.b.wild.example 203.0.113.10 0.0.0.0 \
  '[::]' '[2001:db8::2]' a.extra.example 127.1 2130706433; do
  host 421 "$name"
done
for name in '' ' ' :80 ::1 '[::1' '[::1]x' a..b . localhost.. localhost: localhost:x localhost:99999 user@localhost \
  localhost/ 'localhost, evil.example' 'localhost localhost' 'localhost\tx' '\xffa' 'a*300*'; do
  host 400 "$name"
done
asked 400 "no Host" 'GET /healthz HTTP/1.1\r\n\r\n'
asked 400 "no Host in HTTP/1.0" 'GET /info.json HTTP/1.0\r\n\r\n'
asked 200 "HTTP/1.0" 'GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n'
asked 400 "the same Host twice" 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n'
asked 400 "two Hosts" 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nhOsT: evil.example\r\n\r\n'
asked 400 "a folded Host" 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n evil.example\r\n\r\n'
asked 400 "a space before the colon" 'GET /healthz HTTP/1.1\r\nHost : evil.example\r\nHost: localhost\r\n\r\n'
asked 200 "a URL as target" 'GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'
asked 200 "a URL without a path" 'GET HTTP://site.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n'
asked 421 "a foreign URL as target" 'GET http://evil.example/info.json HTTP/1.1\r\nHost: localhost\r\n\r\n'
asked 421 "a URL of ours, a foreign Host" 'GET http://localhost/info.json HTTP/1.1\r\nHost: evil.example\r\n\r\n'
asked 400 "a URL without a host" 'GET http:///info.json HTTP/1.1\r\nHost: localhost\r\n\r\n'
asked 400 "a target that is no path" 'GET info.json HTTP/1.1\r\nHost: localhost\r\n\r\n'
asked 421 "line feeds alone, foreign" 'GET /info.json HTTP/1.1\nHost: evil.example\n\n'
asked 405 "OPTIONS" 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n'
asked 405 "TRACE" 'TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n'
asked 405 "CONNECT" 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n'
asked 405 "POST" 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc'
asked 421 "POST, foreign" 'POST / HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 3\r\n\r\nabc'
asked 413 "a long body is not waited for" 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\na'
asked closed "nor a long one in chunks" \
  'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\na*131072*\r\n0\r\n\r\n'
asked 200 "a body of a GET is dropped" 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc'
asked 431 "a large header" 'GET / HTTP/1.1\r\nHost: localhost\r\nX: a*100000*\r\n\r\n'
asked 414 "a long target" 'GET /a*100000* HTTP/1.1\r\nHost: localhost\r\n\r\n'
asked 404 "a NUL in a path" 'GET /healthz%00.txt HTTP/1.1\r\nHost: localhost\r\n\r\n'
asked 400 "a NUL in a number" 'GET /sessions.json?after=5%00x HTTP/1.1\r\nHost: localhost\r\n\r\n'
asked 400 "an empty number" 'GET /sessions.json?after= HTTP/1.1\r\nHost: localhost\r\n\r\n'
ask_all
check_contains "the log says which host, and what helps" "$(wait_log "host evil.example")" "--host adds one"

# The names of the certificate follow a reload.
cp "$DIR/names.pem" "$DIR/live.pem"
cp "$DIR/names.key" "$DIR/live.key"
kill -HUP "$SERVER"
wait_log "certificate reloaded" >/dev/null
host 421 site.example
ask_all
stop_server

# Metrics: both formats, and promtool's opinion where it is installed.
sound() { # sound <what> <URL>
  local type
  for form in openmetrics prometheus; do
    type="text/plain;q=0.5"
    [ "$form" = openmetrics ] && type="application/openmetrics-text;version=1.0.0,$type"
    check_equal "$1: $form" sound \
      "$(curl -sS --max-time 5 -H "Accept: $type" "$2" | python3 "$(dirname "$0")/metrics_format.py" "$form")"
  done
  command -v promtool >/dev/null || return 0
  check_equal "$1: promtool" "" "$(curl -sS --max-time 5 "$2" | promtool check metrics 2>&1)"
}
start_server
sound /metrics "${HTTP}metrics"
check_contains "OpenMetrics if it is asked for" \
  "$(curl -sS -D - -o /dev/null -H 'Accept: application/openmetrics-text' "${HTTP}metrics")" \
  "application/openmetrics-text; version=1.0.0; charset=utf-8"
check_contains "and the older format if not" "$(curl -sS -D - -o /dev/null "${HTTP}metrics")" "text/plain; version=0.0.4"
stop_server

start_server --host any
host 200 anything.example
host 400 'a b'
ask_all
stop_server

# --- Floods: others are answered, descriptors are bounded, and the end comes. ---

mkdir "$DIR/www"
echo '<p>mine</p>' >"$DIR/www/index.html"
truncate -s 64M "$DIR/www/big.bin"

hold() { # hold <count> <text>
  rm -f "$DIR/held" "$DIR/trickle"
  mkfifo "$DIR/held" "$DIR/trickle"
  node "$RAW" "$(port_of "$HTTP")" hold "$1" "$2" <"$DIR/trickle" >"$DIR/held" &
  HOLDER=$!
  exec 5>"$DIR/trickle" 6<"$DIR/held"
  read -r -t 30 _ <&6 || fail "the connections are held"
}
release() {
  exec 5>&- 6<&-
  drop "$HOLDER"
  HOLDER=
}

flood() { # flood <what> <most descriptors> <text>
  hold 256 "$3"
  echo a >&5
  check_equal "$1: /healthz answers" ok "$(curl -sS --max-time 5 "${HTTP}healthz")"
  check_equal "$1: /stats.json too" 200 "$(curl -sS --max-time 5 -o /dev/null -w '%{http_code}' "${HTTP}stats.json")"
  echo a >&5
  check_equal "$1: /healthz answers again" ok "$(curl -sS --max-time 5 "${HTTP}healthz")"
  local descriptors
  descriptors=$(find "/proc/$SERVER/fd" -mindepth 1 | wc -l)
  check_equal "$1: at most $2 descriptors, now $descriptors" true "$([ "$descriptors" -le "$2" ] && echo true)"
  stop_server
  check_equal "$1: SIGTERM ends it well" 0 "$STATUS"
  check_equal "$1: within 5 s" true "$([ "$TOOK" -le 5 ] && echo true)"
  release
}
begin='HTTP/1.1\r\nHost: localhost\r\n'
start_server
flood "silent connections" 160 ''
start_server
flood "headers without an end" 160 'GET / HTTP/1.1\r\nHost: a\r\nX: '
start_server --www "$DIR/www"
flood "readers that do not read" 200 "GET /big.bin $begin\r\n"
start_server --www "$DIR/www"
flood "requests in a pipeline" 200 "GET /big.bin $begin\r\nGET /big.bin $begin\r\nGET /big.bin $begin\r\n"
start_server
flood "bodies without an end" 160 "POST / ${begin}Content-Length: 1000\r\n\r\n"
start_server
flood "connections that are kept" 160 "GET /healthz $begin\r\n"

LAUNCH="prlimit --nofile=128:128" start_server --www "$DIR/www"
flood "few descriptors" 70 "GET /big.bin $begin\r\n"

# --- The end, with a client that does not answer at the UDP port. ---

frozen_client() {
  mkfifo "$DIR/lines" "$DIR/echo" 2>/dev/null
  "$WEBTRANSPORT" connect --insecure-hash "$HASH" "https://127.0.0.1:$PORT/echo" <"$DIR/lines" >"$DIR/echo" 2>/dev/null &
  CLIENT=$!
  exec 7>"$DIR/lines" 8<"$DIR/echo"
  echo hello >&7
  read -r -t 30 _ <&8 || fail "the session is there"
  kill -STOP "$CLIENT"
}
thaw() {
  exec 7>&- 8<&-
  drop "$CLIENT"
  CLIENT=
}

start_server
frozen_client
hold 256 'GET / HTTP/1.1\r\nHost: a\r\nX: '
stop_server
check_equal "a frozen session: SIGTERM ends it well" 0 "$STATUS"
check_equal "a frozen session: within 5 s" true "$([ "$TOOK" -le 6 ] && echo true)" # whole seconds, rounded either way
thaw
release

start_server
frozen_client
hold 256 'GET / HTTP/1.1\r\nHost: a\r\nX: '
kill -TERM "$SERVER"
wait_log "SIGTERM" >/dev/null
stop_server
check_equal "a second SIGTERM ends it well" 0 "$STATUS"
check_equal "and at once" true "$([ "$TOOK" -le 2 ] && echo true)"
thaw
release

# The process does not run for a while as it ends: that is no failure of the server.
start_server
frozen_client
kill -TERM "$SERVER"
wait_log "shutting down" >/dev/null
kill -STOP "$SERVER"
sleep 5.2
kill -CONT "$SERVER"
stop_server CONT
check_equal "a pause while it ends: it ends well" 0 "$STATUS"
thaw

finish
