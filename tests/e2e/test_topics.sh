#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# /topic/NAME of `webtransport serve` with `webtransport connect`: by hand as a chat, each delivery, bounds; then two
# servers of two workers that share topics by redis-server, and by nats-server, with TLS and a password.

. "$(dirname "$0")/lib.sh"
need node nodejs
need openssl openssl
need script bsdutils
PATH=$PATH:/usr/sbin:/sbin
need redis-server redis-server
need nats-server nats-server

PIDS=()      # brokers and the first server
RECEIVERS=()
ended() { for pid in "${PIDS[@]}" "${RECEIVERS[@]}"; do kill -KILL "$pid" 2>/dev/null; done; wait 2>/dev/null; cleanup; }
trap ended EXIT

# Polls until a command succeeds.
wait_until() { # wait_until <command...>
  local until=$((SECONDS + 30))
  while ! "$@"; do
    [ $SECONDS -lt $until ] || { fail "in 30 s: $*"; return 1; }
    read -r -t 0.05 <> <(:) || true
  done
}

# Runs the tool to its end; sets STATUS and ERR. Standard input is the caller's.
connect() { # connect <hash> [argument...]
  local hash=$1
  shift
  timeout 60 "$WEBTRANSPORT" connect --insecure-hash "$hash" "$@" >"$DIR/out.txt" 2>"$DIR/err.txt"
  STATUS=$?
  ERR=$(cat "$DIR/err.txt")
}

# A receiver in the background, which prints what comes to $DIR/<name>.
receive() { # receive <name> <hash> [argument...]
  local name=$1 hash=$2
  shift 2
  "$WEBTRANSPORT" connect -r -q --insecure-hash "$hash" "$@" >"$DIR/$name" 2>"$DIR/$name.err" &
  RECEIVERS+=($!)
}
leave() { # all receivers do: else a server waits for them when it ends
  kill -INT "${RECEIVERS[@]}"
  wait "${RECEIVERS[@]}"
  RECEIVERS=()
}

count() { get "${2:-$HTTP}stats.json" | grep -o "\"$1\":[0-9]*" | cut -d: -f2; } # count <name> [companion]
get() { curl -sS --max-time 20 "$@"; }
# shellcheck disable=SC2317
subscribers() { [ "$(count topic_subscribers "${2:-$HTTP}")" = "$1" ]; }
# shellcheck disable=SC2317
has_lines() { [ "$(wc -l <"$DIR/$1")" -ge "$2" ]; }
# shellcheck disable=SC2317
has_line() { grep -qx -- "$2" "$DIR/$1"; }
sum() { sha256sum <"$DIR/$1"; }

# --- Wrong use. ---

wrong "--topic-max-message '0'" serve --topic-max-message 0
wrong "--topic-max-message '17M'" serve --topic-max-message 17M
wrong "--topic-byte-rate must be at least --topic-max-message" serve --topic-byte-rate 63K
wrong "redis://, rediss://, nats:// or tls://" serve --backplane http://localhost
wrong "one kind of broker" serve --backplane redis://localhost,nats://localhost
wrong "need --backplane" serve --backplane-ca ca.pem
wrong "exclude each other" serve --backplane redis://localhost --max-topics 0
wrong "exclude each other" connect --binary --messages stream https://localhost/
out=$("$WEBTRANSPORT" serve --backplane nats://u:secret@localhost:x --listen 127.0.0.1:0 2>&1)
check_equal "a URL that cannot be: status" 1 $?
check_contains "it is told" "$out" "backplane: "
case $out in *secret*) fail "without the password" "$out" ;; *) pass "without the password" ;; esac
out=$("$WEBTRANSPORT" serve --backplane redis://u@localhost --backplane-password-file "$DIR/none" --listen 127.0.0.1:0 2>&1)
check_contains "a password that is not there is told" "$out" "$DIR/none: No such file or directory"

# --- One server. ---

seq 1 300 >"$DIR/lines"
make_certificate a
start_server --cert "$DIR/a.pem" --key "$DIR/a.key" --workers 2 --max-topics 1 --topic-max-message 2000 --topic-rate 200
URL=https://127.0.0.1:$PORT
receive datagrams "$HASH" "$URL/topic/room%201"
receive streams "$HASH" -m streams "$URL/topic/room%201?delivery=streams"
receive stream "$HASH" -m stream "$URL/topic/room%201?delivery=stream"
receive raw "$HASH" "$URL/topic/room%201?delivery=stream"
wait_until subscribers 4
connect "$HASH" -q "$URL/topic/room%201" <"$DIR/lines"
check_equal "300 lines, more than a second may have" "0 0" "$STATUS $(wc -c <"$DIR/out.txt")"
for name in datagrams streams stream; do
  wait_until has_lines $name 300
  [ $name = streams ] && sort -n -o "$DIR/$name" "$DIR/$name"
  check_equal "come by $name" "$(sum lines)" "$(sum $name)"
done
check_equal "without --messages the stream is as it is: its name first" "...6room 1...11" \
  "$(head -c 15 "$DIR/raw" | tr '\0\1\6' '.16')"
connect "$HASH" -q --uni --wait 50ms "$URL/topic/room%201" < <(printf 'two\nlines')
wait_until has_lines datagrams 302
wait_until has_lines stream 302
check_equal "a unidirectional stream is a message" "two lines" "$(tail -n 2 "$DIR/stream" | paste -s -d ' ')"
connect "$HASH" "$URL/topic/room%201" < <(head -c 2001 /dev/zero | tr '\0' x)
check_equal "a line that is too long: status" 1 "$STATUS"
check_contains "it is told" "$ERR" "code 3"
connect "$HASH" -r "$URL/topic/other" </dev/null
check_equal "one topic too many: status" 9 "$STATUS"
check_contains "it is told" "$ERR" "the server closed the session with code 2: there are too many topics"
connect "$HASH" -q --datagrams --wait 50ms "$URL/topic/room%201" < <(seq 1 2000)
# shellcheck disable=SC2317
some_dropped() { [ "$(count topic_over_rate)" -gt 0 ]; }
wait_until some_dropped
pass "datagrams beyond the rate are dropped and counted"
connect "$HASH" "$URL/topic/" </dev/null
check_contains "no name" "$ERR" "answered 404"
connect "$HASH" "$URL/topic/a%0ab" </dev/null
check_contains "a bad name" "$ERR" "answered 400"
connect "$HASH" "$URL/topic/room%201?delivery=x" </dev/null
check_contains "a bad delivery" "$ERR" "answered 400"
connect "$HASH" --origin https://evil.example "$URL/topic/room%201" </dev/null
check_contains "a page of another origin" "$ERR" "answered 403"
check_equal "counts: topics, subscribers, refused" "1 4 1" \
  "$(count topics) $(count topic_subscribers) $(count topic_not_published)"
check_contains "/metrics" "$(get "${HTTP}metrics")" "
webtransport_topic_subscribers 4
"
case $(get "${HTTP}metrics") in *backplane*) fail "no backplane, no counts" ;; *) pass "no backplane, no counts" ;; esac
# By hand, at a terminal: one types, the other one sees it.
mkfifo "$DIR/typed"
script -qefc "'$WEBTRANSPORT' connect -q --insecure-hash $HASH '$URL/topic/room%201'" /dev/null <"$DIR/typed" >"$DIR/terminal" &
exec 7>"$DIR/typed"
wait_until subscribers 5
connect "$HASH" -q "$URL/topic/room%201" <<<"hello terminal"
wait_until grep -q "\[datagram\] hello terminal" "$DIR/terminal"
pass "a line appears at a terminal"
printf 'hello back\n' >&7
wait_until has_line stream "hello back"
pass "what is typed there appears elsewhere"
exec 7>&-
leave
stop_server
check_equal "the server ends" 0 "$STATUS"

# --- Two servers and a broker. ---

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); });'; }

printf '%s\n' "s3cr%t/@" >"$DIR/password"
broker_configure() { # broker_configure <kind>; sets BROKER (its URL, without the password)
  local port
  port=$(free_port)
  if [ "$1" = redis ]; then
    BROKER=rediss://bus@127.0.0.1:$port
    printf '%s\n' "bind 127.0.0.1" "port 0" "tls-port $port" 'save ""' "dir $DIR" "tls-auth-clients no" \
      "tls-cert-file $DIR/a.pem" "tls-key-file $DIR/a.key" "tls-ca-cert-file $DIR/a.pem" "user default off" \
      "user bus on >s3cr%t/@ ~* &wt:* +@all" >"$DIR/redis.conf"
  else
    BROKER=tls://bus@127.0.0.1:$port
    printf '%s\n' "listen: \"127.0.0.1:$port\"" "authorization { user: bus, password: \"s3cr%t/@\" }" \
      "tls { cert_file: \"$DIR/a.pem\", key_file: \"$DIR/a.key\" }" >"$DIR/nats.conf"
  fi
}
broker_start() { # broker_start <kind>; sets BROKER_PID
  if [ "$1" = redis ]; then redis-server "$DIR/redis.conf" >>"$DIR/broker.log" 2>&1 &
  else nats-server -c "$DIR/nats.conf" >>"$DIR/broker.log" 2>&1 &
  fi
  BROKER_PID=$!
  PIDS+=($!)
}
broker_stop() { kill -KILL "$BROKER_PID"; wait "$BROKER_PID" 2>/dev/null; }

# Sends lines to topic "room" of a server until one is at a receiver: both servers have subscribed then.
until_there() { # until_there <hash> <url> <receiver> <line>
  local until=$((SECONDS + 30))
  until has_line "$3" "$4"; do
    [ $SECONDS -lt $until ] || { fail "'$4' did not come to $3 in 30 s"; return; }
    connect "$1" -q --wait 50ms "$2/topic/room" <<<"$4"
  done
}

with_broker() { # with_broker <kind>
  local kind=$1 hash=$HASH i
  broker_configure "$kind"
  set -- --cert "$DIR/a.pem" --key "$DIR/a.key" --workers 2 --backplane "$BROKER" --backplane-ca "$DIR/a.pem" \
    --backplane-password-file "$DIR/password" --topic-rate 0
  start_server "$@"
  check_contains "$kind: a broker that is not there is told" "$(wait_log 'the broker is not connected')" "backplane: "
  local url=https://127.0.0.1:$PORT http=$HTTP server=$SERVER
  hash=$HASH
  PIDS+=("$server")
  exec 5<&4
  start_server "$@"
  local url2=https://127.0.0.1:$PORT
  receive "$kind.a" "$hash" -m stream "$url/topic/room?delivery=stream"
  receive "$kind.b" "$HASH" -m stream "$url2/topic/room?delivery=stream"
  wait_until subscribers 1 "$http"
  wait_until subscribers 1
  connect "$hash" -q "$url/topic/room" <<<local
  wait_until has_line "$kind.a" local
  pass "$kind: without it sessions of one server get messages"
  broker_start "$kind"
  check_contains "$kind: told when it is there" "$(wait_log 'the broker is connected')" "backplane: "
  until_there "$hash" "$url" "$kind.b" begin
  until_there "$HASH" "$url2" "$kind.a" begun
  connect "$hash" -q "$url/topic/room" <"$DIR/lines"
  wait_until has_line "$kind.b" 300
  check_equal "$kind: from one to the other, once and in order" "$(sum lines)" \
    "$(grep '^[0-9]*$' "$DIR/$kind.b" | sha256sum)"
  sed 's/^/x/' "$DIR/lines" >"$DIR/xlines"
  connect "$HASH" -q "$url2/topic/room" <"$DIR/xlines"
  wait_until has_line "$kind.a" x300
  for i in a b; do
    check_equal "$kind: and back, and to its own ($i)" "$(sum xlines)" "$(grep '^x' "$DIR/$kind.$i" | sha256sum)"
  done
  check_equal "$kind: counts of the backplane" "1 true true" \
    "$(count backplane_up) $([ "$(count backplane_published)" -ge 300 ] && echo true) $([ "$(count backplane_received)" -ge 300 ] && echo true)"
  check_contains "$kind: /metrics" "$(get "${HTTP}metrics")" "
webtransport_backplane_up 1
"
  broker_stop
  check_contains "$kind: told when it is gone" "$(wait_log 'the broker is not connected')" "backplane: "
  connect "$HASH" -q "$url2/topic/room" <<<"while it was gone"
  wait_until has_line "$kind.b" "while it was gone"
  pass "$kind: sessions of one server go on"
  broker_start "$kind"
  wait_until has_line "$kind.a" "while it was gone"
  pass "$kind: others get it when the broker is back"
  check_contains "$kind: what may be missing is told" "$(wait_log 'messages of other servers may be missing')" "backplane: "
  leave
  stop_server
  check_equal "$kind: a server ends" 0 "$STATUS"
  kill -TERM "$server"
  wait "$server"
  check_equal "$kind: so does the other one" 0 $?
  case $(timeout 2 cat <&5)$(cat "$DIR/$kind".*.err) in
    *s3cr*) fail "$kind: no password in the log" ;;
    *) pass "$kind: no password in the log" ;;
  esac
  exec 5<&-
  broker_stop
}
with_broker redis
with_broker nats

# A password in the URL: `ps` does not show it.
start_server --backplane redis://bus:verysecret@127.0.0.1:1
check_contains "ps: the URL is there" "$(tr '\0' ' ' <"/proc/$SERVER/cmdline")" "--backplane redis://**************@127.0.0.1:1"
check_contains "and works on" "$(wait_log 'the broker is not connected')" "backplane: "
stop_server

finish
