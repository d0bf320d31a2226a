#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# /topic/NAME of `webtransport serve` with `webtransport connect`: by hand as a chat, each delivery, bounds.

. "$(dirname "$0")/lib.sh"
need node nodejs
need openssl openssl
need script bsdutils

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

wrong "--max-topics 'x'" serve --max-topics x
wrong "--topic-max-message '0'" serve --topic-max-message 0
wrong "--topic-max-message '17M'" serve --topic-max-message 17M
wrong "--topic-queue '0'" serve --topic-queue 0
wrong "--topic-rate '-1'" serve --topic-rate -1
wrong "--topic-byte-rate must be at least --topic-max-message" serve --topic-byte-rate 63K
wrong "exclude each other" connect --binary --messages stream https://localhost/
wrong "--messages 'all'" connect --messages all https://localhost/

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

finish
