#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The command line of `webtransport serve` and its HTTP/1.1 companion, from outside: help, wrong use,
# the ready line, the companion's answers, signals. HTTP/3 has scripts of its own.

. "$(dirname "$0")/lib.sh"
need curl curl
need node nodejs
need openssl openssl

# --- Help and version. ---

help=$("$WEBTRANSPORT" serve --help)
check_equal "serve --help ends well" 0 $?
for option in listen http cert key www origin host protocol log json retry idle-timeout max-connections \
  max-connections-per-address max-handshakes-per-address max-session-rate max-memory max-open-files \
  max-sessions-per-connection require-reset-stream-at \
  ocsp client-ca require-client-certificate cipher-suites groups ticket-lifetime \
  max-open-files-per-connection server-id lb-config drafts workers header-timeout send-timeout body-timeout min-progress help; do
  check_contains "--help lists --$option" "$help" "--$option"
done
check_equal "-h is --help" "$help" "$("$WEBTRANSPORT" serve -h)"
check_contains "--help lists the commands" "$("$WEBTRANSPORT" --help)" "serve"
check_contains "--version tells it" "$("$WEBTRANSPORT" --version)" "webtransport 0."
"$WEBTRANSPORT" --help >/dev/full 2>/dev/null
check_equal "a full disk is a failure" 1 $?

# --- Wrong use: names what was wrong, says where help is, ends with 2. ---

wrong "command"
wrong "'brew'" brew
wrong "'--brew'" --brew
wrong "'--sideways'" serve --sideways
wrong "'-Z'" serve -Z
wrong "'coffee'" serve coffee
wrong "'--listen'" serve --listen
wrong "--congestion-control 'fast'" serve --congestion-control fast
wrong "--congestion-control 'vegas'" probe --congestion-control vegas https://localhost/
wrong "--listen '127.0.0.1'" serve --listen 127.0.0.1
wrong "--listen '127.0.0.1:'" serve --listen 127.0.0.1:
wrong "--listen '127.0.0.1:65536'" serve --listen 127.0.0.1:65536
wrong "--listen '::1:4433'" serve --listen ::1:4433
wrong "--listen ':4433'" serve --listen :4433
wrong "--http 'localhost'" serve --http localhost
wrong "--log 'loud'" serve --log loud
wrong "--retry 'maybe'" serve --retry maybe
wrong "--idle-timeout 'soon'" serve --idle-timeout soon
wrong "from 0 to 24h" serve --idle-timeout 1.5d
wrong "--drafts '7;15'" serve --drafts "7;15"
wrong "--drafts '9'" serve --drafts 9
for drafts in '' , 7, ,7 +7 ' 7' 7x 07 -18446744073709551609 18446744073709551623; do
  wrong "--drafts '$drafts'" serve --drafts="$drafts"
done
wrong "--server-id '31441'" serve --server-id 31441
wrong "--server-id ''" serve --server-id=
wrong "AWS_LBC_QUIC_SERVER_ID" serve --server-id aws
wrong "--lb-config ''" serve --lb-config=
wrong "--max-connections '0'" serve --max-connections 0
wrong "--send-timeout 'soon'" serve --send-timeout soon
wrong "--min-progress '0'" serve --min-progress 0
wrong "--max-open-files 'all'" serve --max-open-files all
wrong "--max-sessions-per-connection '0'" serve --max-sessions-per-connection 0
wrong "--max-memory 'much'" serve --max-memory much
wrong "--max-memory '0.5'" serve --max-memory 0.5
wrong "--idle-timeout '0.5ns'" serve --idle-timeout 0.5ns
wrong "expected 0, or 1M or more" serve --max-memory 1023K
wrong "--workers '0'" serve --workers 0
wrong "from 1 to 256" serve --workers 257
wrong "--origin 'example.com'" serve --origin example.com
wrong "--origin 'https://example.com/a'" serve --origin https://example.com/a
for origin in '' null '*' https://example.com/ 'https://*.example.com' https://example.com:0 https://example.com:x; do
  wrong "--origin '$origin'" serve --origin "$origin"
done
for host in '' a:80 '[::1]:80' '*' 'a b' https://example.com; do
  wrong "--host '$host'" serve --host "$host"
done
wrong "--www '$DIR/none'" serve --www "$DIR/none"
wrong "--log may be given only once" serve --log info --log warn
wrong "--key is missing" serve --cert "$DIR/a.pem"
wrong "--cert is missing" serve --key "$DIR/a.key"

# --- A start that fails: names the culprit, ends with 1. ---

make_certificate a
make_certificate b
hash_a=$(certificate_hash "$DIR/a.pem")
hash_b=$(certificate_hash "$DIR/b.pem")
failing() { # failing <named> [option...]
  local named=$1 out status
  shift
  out=$(timeout 30 "$WEBTRANSPORT" serve "$@" 2>&1 >/dev/null)
  status=$?
  check_equal "'serve $*' ends with 1" 1 $status
  check_contains "'serve $*' names it" "$out" "$named"
}
failing "$DIR/none.pem" --listen 127.0.0.1:0 --http none --cert "$DIR/none.pem" --key "$DIR/a.key"
failing "$DIR/none.key" --listen 127.0.0.1:0 --http none --cert "$DIR/a.pem" --key "$DIR/none.key"
failing "$DIR/b.key" --listen 127.0.0.1:0 --http none --cert "$DIR/a.pem" --key "$DIR/b.key"
echo rubbish >"$DIR/rubbish.pem"
failing "$DIR/rubbish.pem" --listen 127.0.0.1:0 --http none --cert "$DIR/rubbish.pem" --key "$DIR/a.key"

# --- A key that everybody can read works, with a warning. ---

cp "$DIR/a.key" "$DIR/open.key"
chmod 644 "$DIR/open.key"
start_server --cert "$DIR/a.pem" --key "$DIR/open.key"
check_contains "a key that everybody can read is told" "$(wait_log "every user")" "$DIR/open.key"
kill -HUP "$SERVER"
warnings=0
while read -r -t 20 line <&4; do
  case $line in *"every user"*) ((++warnings)) ;; *"certificate reloaded"*) break ;; esac
done
check_equal "once, and once more at a reload" 1 "$warnings"
stop_server

# --- The ready line and the companion. ---

ulimit -Sn 256
start_server --protocol chat
check_equal "its soft limit on descriptors is the hard one" "$(ulimit -Hn)" "$(awk '/^Max open files/ {print $4}' "/proc/$SERVER/limits")"
check_equal "the line has its three members" "listen,http,certificate_sha256" \
  "$(json 'Object.keys(j).join()' <<<"$READY")"
check_contains "port 0 became a port" "$(json '/^127\.0\.0\.1:[1-9]\d*$/.test(j.listen[0])' <<<"$READY")" true
check_contains "the companion is on localhost" "$HTTP" "http://localhost:"
check_equal "the hash is SHA-256 in hex" true "$(json '/^[0-9a-f]{64}$/.test(j.certificate_sha256)' <<<"$READY")"

get() { curl -sS --max-time 20 "$@"; }
status() { get -o /dev/null -w '%{http_code}' "$@"; }
check_equal "/ is a page" "200 text/html; charset=utf-8" "$(get -o /dev/null -w '%{http_code} %{content_type}' "$HTTP")"
check_equal "HEAD / too" 200 "$(status -I "$HTTP")"
check_contains "its length is told" "$(get -I "$HTTP")" "Content-Length: "
check_equal "over IPv6 too" 200 "$(status "${HTTP/localhost/[::1]}")"
check_equal "/healthz" "ok" "$(get "${HTTP}healthz")"
info=$(get "${HTTP}info.json")
check_equal "/info.json: port" "$PORT" "$(json 'j.webtransport_port' <<<"$info")"
check_equal "/info.json: hash" "$HASH" "$(json 'j.certificate_sha256' <<<"$info")"
check_equal "/info.json: base64" "$HASH" \
  "$(json 'Buffer.from(j.certificate_sha256_base64, "base64").toString("hex")' <<<"$info")"
check_equal "/info.json: self-signed" true "$(json 'j.self_signed' <<<"$info")"
check_equal "/info.json: endpoints" '["/echo","/sink","/source","/tick","/topic/NAME","/close"]' "$(json 'j.endpoints' <<<"$info")"
check_equal "/sessions.json: none yet" '{"next":0,"open":0,"sessions":[]}' "$(get "${HTTP}sessions.json?after=0")"
check_equal "/sessions.json: after is checked" 400 "$(status "${HTTP}sessions.json?after=x")"
check_equal "/stats.json" "0 0" "$(get "${HTTP}stats.json" | json 'j.connections_open + " " + j.sessions_total')"
check_equal "/stats.json tells of memory" "0 0 0 0 0" "$(get "${HTTP}stats.json" |
  json '[j.memory_used, j.memory_refused_connections, j.memory_refused_requests, j.memory_refused_packets,
   j.memory_closed_connections].join(" ")')"
check_equal "/stats.json tells of handshakes" "0 0 0" "$(get "${HTTP}stats.json" |
  json '[j.connections_refused, j.handshakes_evicted, j.handshakes_dropped].join(" ")')"
check_equal "/stats.json tells of clients that do not move" 0 "$(get "${HTTP}stats.json" | json 'j.streams_given_up')"
check_equal "/stats.json tells of turns" "true true 0 0" "$(get "${HTTP}stats.json" |
  json '[j.longest_turn_us >= 0, j.longest_visit_us >= 0, j.packets_put_off, j.packets_cut_off].join(" ")')"
check_equal "/stats.json tells what messages cost" true "$(get "${HTTP}stats.json" |
  json 'j.turns >= j.turns_idle && j.timers_set >= 0 && j.timers_fired >= 0 && j.packets_sent_ack === 0 && j.packets_sent_probe === 0')"
check_contains "/metrics tells of turns" "$(get "${HTTP}metrics")" "
webtransport_turns_total "
check_equal "/stats.json tells of datagrams" "0 0 0 0" "$(get "${HTTP}stats.json" |
  json '[j.datagrams_sent, j.datagrams_dropped, j.datagrams_expired, j.longest_datagram_delay_us].join(" ")')"
check_equal "/stats.json tells of congestion control" cubic "$(get "${HTTP}stats.json" | json j.congestion_control)"
check_contains "/metrics tells of congestion control" "$(get "${HTTP}metrics")" "
webtransport_congestion_control{algorithm=\"cubic\"} 1
"
check_contains "/metrics" "$(get "${HTTP}metrics")" "
webtransport_sessions_open 0
"
check_contains "/metrics tells of handshakes" "$(get "${HTTP}metrics")" "
webtransport_handshakes_evicted_total 0
"
check_contains "/metrics: a gauge" "$(get "${HTTP}metrics")" "# TYPE webtransport_longest_turn_seconds gauge"
check_contains "/metrics: a counter" "$(get "${HTTP}metrics")" "
webtransport_packets_put_off_total 0
"
check_equal "no such path" 404 "$(status "${HTTP}nothing/here")"
check_equal "no way out of the page" 404 "$(status --path-as-is "${HTTP}../../../../etc/passwd")"
check_equal "nor an encoded one" 404 "$(status --path-as-is "${HTTP}%2e%2e/%2e%2e/%2e%2e/etc/passwd")"
check_equal "POST is refused" 405 "$(status -d x=1 "$HTTP")"
check_equal "DELETE is refused" 405 "$(status -X DELETE "${HTTP}info.json")"
headers=$(get -I "$HTTP")
check_contains "Alt-Svc points to the UDP port" "$headers" "Alt-Svc: h3=\":$PORT\""
check_contains "nosniff" "$headers" "X-Content-Type-Options: nosniff"
check_contains "a content security policy" "$headers" "Content-Security-Policy: default-src 'self'"
check_contains "no referrer" "$headers" "Referrer-Policy: no-referrer"

# --- Taken ports are named. ---

http_port=${HTTP##*:}
http_port=${http_port%/}
failing "127.0.0.1:$PORT" --listen "127.0.0.1:$PORT" --http none
failing "localhost:$http_port" --listen 127.0.0.1:0 --http "localhost:$http_port"

stop_server TERM
check_equal "SIGTERM ends it well" 0 "$STATUS"
check_equal "within the deadline" true "$([ "$TOOK" -le 6 ] && echo true)"

start_server
stop_server INT
check_equal "SIGINT ends it well" 0 "$STATUS"

# --- Text for people. ---

mkfifo "$DIR/text"
"$WEBTRANSPORT" serve --listen 127.0.0.1:0 --http localhost:0 --log none >"$DIR/text" &
SERVER=$!
exec 3<"$DIR/text" 4</dev/null
text=
while read -r -t 30 line <&3; do
  text="$text$line
"
  case $line in Ctrl-C*) break ;; esac
done
check_contains "the text says what to open" "$text" "http://localhost:"
check_contains "and where sessions go" "$text" "/echo"
check_contains "and the hash" "$text" "SHA-256"
stop_server TERM

# --- --http none and --www. ---

mkdir "$DIR/www"
echo '<p>mine</p>' >"$DIR/www/index.html"
echo outside >"$DIR/secret.txt"
ln -s ../secret.txt "$DIR/www/link.txt"
start_server --www "$DIR/www" --workers 2 --congestion-control bbr
check_equal "--congestion-control" bbr "$(get "${HTTP}stats.json" | json j.congestion_control)"
check_equal "--www is served" "<p>mine</p>" "$(get "$HTTP")"
check_equal "a link that leads out is not" 404 "$(status "${HTTP}link.txt")"
check_equal "nor is a path that does" 404 "$(status --path-as-is "${HTTP}%2e%2e/secret.txt")"
check_equal "nor is the built-in page" 404 "$(status "${HTTP}app.js")"
free=0 # with one descriptor more than are in use a connection can be accepted, and no file opened
while [ -e "/proc/$SERVER/fd/$free" ]; do free=$((free + 1)); done
prlimit --pid "$SERVER" --nofile="$((free + 1)):$(ulimit -Hn)"
check_equal "without descriptors a file is not absent" 503 "$(status "${HTTP}index.html")"
check_contains "and the log says why" "$(wait_log "cannot open")" "Too many open files"
stop_server

rm "$DIR/out" "$DIR/err"
mkfifo "$DIR/out"
"$WEBTRANSPORT" serve --json --listen 127.0.0.1:0 --http none --log none >"$DIR/out" &
SERVER=$!
exec 3<"$DIR/out" 4</dev/null
read -r -t 30 READY <&3
check_equal "--http none: no companion" null "$(json 'j.http' <<<"$READY")"
stop_server

# --- SIGHUP: a new certificate, or, if it is no good, the old one. ---

cp "$DIR/a.pem" "$DIR/live.pem"
cp "$DIR/a.key" "$DIR/live.key"
start_server --cert "$DIR/live.pem" --key "$DIR/live.key" --workers 2
check_equal "the hash is that of --cert" "$hash_a" "$HASH"
check_equal "which is not self-made" false "$(get "${HTTP}info.json" | json 'j.self_signed')"
cp "$DIR/b.pem" "$DIR/live.pem"
cp "$DIR/b.key" "$DIR/live.key"
chmod 640 "$DIR/live.key"
kill -HUP "$SERVER"
check_contains "SIGHUP reloads" "$(wait_log "certificate reloaded")" "$hash_b"
check_equal "and /info.json follows" "$hash_b" "$(get "${HTTP}info.json" | json 'j.certificate_sha256')"
chmod 644 "$DIR/live.key"
kill -HUP "$SERVER"
check_contains "a key that all may read is told of" "$(wait_log "may read or change")" "chmod o= $DIR/live.key"
wait_log "certificate reloaded" >/dev/null
rm "$DIR/live.key"
kill -HUP "$SERVER"
check_contains "a reload that fails names the file" "$(wait_log "not reloaded")" "$DIR/live.key"
check_equal "and leaves the old one" "$hash_b" "$(get "${HTTP}info.json" | json 'j.certificate_sha256')"
stop_server
check_equal "and the server lives on to its end" 0 "$STATUS"

cp "$DIR/b.key" "$DIR/live.key"
chmod 644 "$DIR/live.key"
start_server --cert "$DIR/live.pem" --key "$DIR/live.key"
check_contains "and at the start" "$(wait_log "may read or change")" "chmod o= $DIR/live.key"
stop_server

# --- Connection ids for load balancers: another configuration, or, if it is no good, the old one. ---

cat >"$DIR/lb.json" <<<'{"layout": "quic-lb", "config_id": 1, "nonce_lenght": 6}'
out=$("$WEBTRANSPORT" serve --lb-config "$DIR/lb.json" --listen 127.0.0.1:0 --http none 2>&1 >/dev/null)
check_equal "a wrong --lb-config ends with 1" 1 $?
check_contains "and names the member" "$out" "$DIR/lb.json: member \"nonce_lenght\" is not known"
cat >"$DIR/lb.json" <<<'{"layout": "quic-lb", "config_id": 1, "nonce_length": 6}'
out=$("$WEBTRANSPORT" serve --lb-config "$DIR/lb.json" --listen 127.0.0.1:0 --http none 2>&1 >/dev/null)
check_contains "so does the library" "$out" "server_id_len is 0, must be 1 to 15"
start_server --lb-config "$DIR/lb.json" --server-id 0x31441a --workers 2
cat >"$DIR/lb.json" <<<'{"layout": "quic-lb", "config_id": 2, "nonce_length": 6, "key": "000102030405060708090a0b0c0d0e0f"}'
kill -HUP "$SERVER"
check_contains "SIGHUP reads --lb-config again" "$(wait_log "connection ids are made as")" "$DIR/lb.json"
cat >"$DIR/lb.json" <<<'{"layout": "quic-lb", "config_id": 3, "length": 20}'
kill -HUP "$SERVER"
check_contains "another length stays out" "$(wait_log "stay as they are")" "length is 20, must stay 18"
echo '{' >"$DIR/lb.json"
kill -HUP "$SERVER"
check_contains "what is no JSON does, too" "$(wait_log "stay as they are")" "$DIR/lb.json: line "
rm "$DIR/lb.json"
kill -HUP "$SERVER"
check_contains "and what is not there" "$(wait_log "stay as they are")" "$DIR/lb.json"
stop_server
check_equal "and the server lives on to its end" 0 "$STATUS"

AWS_LBC_QUIC_SERVER_ID=MUQaAQIDBAU= start_server --server-id aws
stop_server
check_equal "--server-id aws reads the environment" 0 "$STATUS"

start_server
kill -HUP "$SERVER"
wait_log "certificate reloaded" >/dev/null
check_equal "SIGHUP without --cert makes a new one" true \
  "$([ "$(get "${HTTP}info.json" | json 'j.certificate_sha256')" != "$HASH" ] && echo true)"
stop_server

finish
