#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The programs of examples/: server and client against each other, the chat with members that are programs (with pages:
# tests/browser/chat.mjs), the server on a loop of its own with a thread beside it, and the server in a loop of poll(2).

. "$(dirname "$0")/lib.sh"
need openssl openssl

EXAMPLES=${WT_BUILD_DIR:?}/examples
STARTED=()
stop_started() {
  local pid
  for pid in "${STARTED[@]}"; do if kill -KILL "$pid" 2>/dev/null; then wait "$pid" 2>/dev/null; fi; done
}
trap 'stop_started; cleanup' EXIT

# Starts a program with fifos as its input and output; sets NAME_IN, NAME_OUT (our ends) and NAME_PID. Its standard
# error goes to $DIR/NAME.err, or with 'out' to its output. Our ends are not for other programs: they end with ours.
OURS=()
begin() { # begin <NAME> err|out <program> [argument...]
  local name=$1 errors=$DIR/$1.err fifo_in fifo_out fd
  mkfifo "$DIR/$name.in" "$DIR/$name.out"
  [ "$2" = err ] || errors=/dev/stdout
  shift 2
  (
    for fd in "${OURS[@]}"; do exec {fd}>&-; done
    exec "$@" <"$DIR/$name.in" >"$DIR/$name.out" 2>>"$errors"
  ) &
  printf -v "${name}_PID" %s $!
  STARTED+=($!)
  exec {fifo_in}>"$DIR/$name.in" {fifo_out}<"$DIR/$name.out"
  printf -v "${name}_IN" %s "$fifo_in"
  printf -v "${name}_OUT" %s "$fifo_out"
  OURS+=("$fifo_in" "$fifo_out")
}

# Reads what NAME prints until a line has the text; sets LINE.
await() { # await <NAME> <text>
  local descriptor=${1}_OUT
  while read -r -t 20 -u "${!descriptor}" LINE; do
    case $LINE in *"$2"*) return 0 ;; esac
  done
  LINE=
  return 1
}

check_await() { # check_await <what> <NAME> <text>
  if await "$2" "$3"; then pass "$1"; else fail "$1" "'$3' never came"; fi
}

hear() { printf '%s\n' "$2" >&"$1"; } # hear <descriptor> <line>: says a line to a program

end_of() { # end_of <NAME>: waits for its end; sets STATUS
  local pid=${1}_PID
  wait "${!pid}"
  STATUS=$?
}

# --- One server takes over from another. ---

make_certificate a
begin old out "$EXAMPLES/takeover" "$DIR/a.pem" "$DIR/a.key" 127.0.0.1:0 "$DIR/takeover"
check_await "the first server serves" old "serving"
begin broken out "$EXAMPLES/takeover" "$DIR/a.pem" "$DIR/a.key" 127.0.0.1 "$DIR/takeover"
end_of broken
check_equal "one with a wrong address fails" 1 $STATUS
begin new out "$EXAMPLES/takeover" "$DIR/a.pem" "$DIR/a.key" 127.0.0.1:0 "$DIR/takeover"
check_await "the second server serves" new "serving"
check_await "the first one is told" old "a new process serves"
check_await "and ends" old "ended"
end_of old
check_equal "with status 0" 0 $STATUS
{ kill -KILL "$new_PID" && wait "$new_PID"; } 2>/dev/null
rm -f "$DIR"/*.in "$DIR"/*.out

# --- Server and client. ---

make_certificate a
HASH=$(certificate_hash "$DIR/a.pem")
begin server out "$EXAMPLES/server" "$DIR/a.pem" "$DIR/a.key" 0
check_await "the server listens" server "listening on [::]:"
URL=https://localhost:${LINE##*:}/webtransport

client() { # client [argument...]: sets STATUS, OUT and ERR
  OUT=$(timeout 60 "$EXAMPLES/client" "$@" 2>"$DIR/err.txt")
  STATUS=$?
  ERR=$(cat "$DIR/err.txt")
}

client "$URL" "$HASH"
check_equal "the client's visit" 0 $STATUS
check_contains "the answer on the stream" "$OUT" "hello on a stream"
check_contains "the answer in a datagram" "$OUT" "hello in a datagram"
check_contains "the end" "$OUT" 'closed by local: code 42, "that was all"'
check_equal "nothing to complain about" "" "$ERR"
client "$URL"
check_equal "a certificate of no known authority" 1 $STATUS
check_contains "is refused, with a reason" "$ERR" "no session: the server's certificate"
client "$URL" "$(printf 'ab%.0s' {1..32})"
check_equal "a certificate with another hash" 1 $STATUS
check_contains "is refused, too" "$ERR" "no session: the server's certificate"
client "${URL%/*}/nowhere" "$HASH"
check_equal "a path without a handler" 1 $STATUS
check_contains "is a 404" "$ERR" "404"
client "http://localhost/" "$HASH"
check_equal "a URL that cannot be" 1 $STATUS
check_contains "is named" "$ERR" "https://"
client "$URL" abc
check_equal "a hash that is none" 2 $STATUS
client
check_equal "no URL" 2 $STATUS
# shellcheck disable=SC2154
kill "$server_PID"
wait "$server_PID" 2>/dev/null
OUT=$("$EXAMPLES/server" "$DIR/a.pem" "$DIR/none.key" 0 2>&1)
check_equal "a server without its key" 1 $?
check_contains "says so" "$OUT" "none.key"

# --- The chat, with members that are programs. ---

begin chat err "$EXAMPLES/chat" -l localhost:0
check_await "the chat says how to come in" chat "hash="
HASH=${LINE##*hash=}
[[ $LINE =~ server=(https://localhost:[0-9]+) ]]
URL=${BASH_REMATCH[1]}/chat
member() { # member <NAME> <room?name=...> [option...]
  local name=$1 where=$2
  shift 2
  begin "$name" err "$WEBTRANSPORT" connect --quiet --insecure-hash "$HASH" "$@" "$URL/$where"
}
once() { # once <room?name=...> [option...]: a member that is there for its input
  local where=$1
  shift
  OUT=$(timeout 60 "$WEBTRANSPORT" connect --quiet --insecure-hash "$HASH" "$@" "$URL/$where" 2>"$DIR/err.txt")
  STATUS=$?
  ERR=$(cat "$DIR/err.txt")
}

# shellcheck disable=SC2154
{
  member ada "lobby?name=Ada"
  check_await "Ada is in" ada "here	Ada"
  member bob "lobby?name=Bob%20B"
  check_await "Bob sees Ada" bob "here	Ada"
  check_await "Bob is in" bob "here	Bob B"
  check_await "Ada sees him come" ada "join	Bob B"
  hear "$ada_IN" "hello, Bob"
  check_await "Bob hears Ada" bob "	Ada	hello, Bob"
  check_await "Ada hears herself" ada "	Ada	hello, Bob"
  check_contains "with the time" "$LINE" "say	$(date +%s | cut -c 1-7)"
}

# What was said before comes first; the last 50 lines.
once "lobby?name=Carol" < <(seq 1 60)
check_equal "Carol is there and goes" "0 " "$STATUS $ERR"
check_await "Bob hears the last of hers" bob "	Carol	60"
check_await "Bob sees her go" bob "left	Carol"
once "lobby?name=Dan" </dev/null
check_equal "a newcomer hears 50 lines" 50 "$(grep -c '^say' <<<"$OUT")"
check_equal "the last ones" "$(seq 11 60)" "$(sed -n 's/^say.*Carol\t//p' <<<"$OUT")"
once "attic?name=Ada" </dev/null
check_equal "nothing of it in another room" "here	Ada" "$OUT"

# Many lines at once come in order. They are fewer than a queue holds (128 KiB): Bob and Ada are not read from meanwhile.
seq 1 4000 >"$DIR/lines"
once "lobby?name=Eve" <"$DIR/lines"
check_equal "4,000 lines at once" "0 " "$STATUS $ERR"
check_await "Bob hears them" bob "	Eve	1"
for ((i = 2; i <= 4000; i++)); do
  read -r -t 20 -u "$bob_OUT" LINE || break
  [ "${LINE##*	}" = "$i" ] || break
done
check_equal "all of them, in order" 4001 $i
check_await "Ada, too" ada "left	Eve"

# Refusals.
once "lobby?name=Ada" </dev/null
check_equal "a name that is taken" 9 $STATUS
check_contains "is said to be" "$ERR" "somebody in this room has that name"
for name in "" "x%01y" "$(printf 'n%.0s' {1..33})"; do
  once "lobby?name=$name" </dev/null
  check_equal "the name '$name'" 9 $STATUS
  check_contains "is refused" "$ERR" "a name has 1 to 32 bytes"
done
once "no_room?name=Ada" </dev/null
check_equal "a name that no room can have" 7 $STATUS
check_contains "is a 404" "$ERR" 404
once "lobby?name=Far" -o https://example.com </dev/null
check_equal "a page of another origin" 7 $STATUS
check_contains "is refused with 403" "$ERR" 403
once "lobby?name=Near" -o http://localhost:8000 </dev/null
check_equal "one of the right origin" 0 $STATUS
for text in "$(printf 'x%.0s' {1..1001})" "bell $(printf '\a')"; do
  once "lobby?name=Long" <<<"$text"
  check_equal "a line that is too long, or has a control character" 9 $STATUS
  check_contains "is refused" "$ERR" "a line has at most 1,000 bytes"
done
once "lobby?name=Long" <<<"$(printf 'y%.0s' {1..1000})"
check_equal "a line of 1,000 bytes" "0 " "$STATUS $ERR"
check_await "arrives" ada "	Long	$(printf 'y%.0s' {1..1000})"

# Whoever does not listen leaves; the others go on. Ada and Bob keep up, since each line is waited for.
check_await "Bob is here still" bob "	Long	"
member slow "lobby?name=Slow"
check_await "Slow is in" slow "here	Slow"
check_await "Ada sees it" ada "join	Slow"
# shellcheck disable=SC2154
words=$(printf 'z%.0s' {1..1000})
gone=no
for ((i = 0; i < 3000; i++)); do
  hear "$ada_IN" "$words"
  while read -r -t 20 -u "$ada_OUT" LINE; do
    case $LINE in say*"	Ada	"*) break ;; "left	Slow") gone=yes; break 2 ;; esac
  done
  read -r -t 20 -u "$bob_OUT" LINE || break
done
check_equal "who does not listen is dropped" yes $gone
echo "count: dropped after $i lines of 1,000 bytes"
# shellcheck disable=SC2154
cat <&"$slow_OUT" >/dev/null
end_of slow
check_equal "its session ends with a code" 9 $STATUS
check_contains "and the reason" "$(cat "$DIR/slow.err")" "too slow to keep up with the room"
hear "$ada_IN" "still here"
check_await "the others heard it all" bob "	Ada	still here"

# shellcheck disable=SC2154
kill -TERM "$chat_PID"
end_of chat
check_equal "the chat ends in order" "0 " "$STATUS $(cat "$DIR/chat.err" | grep -v 'upgrading failed')"
end_of ada
check_equal "its members are told" 9 $STATUS
check_contains "why" "$(cat "$DIR/ada.err")" "the server stops"

# --- The broadcast: two fast receivers, and a slow one whose output nobody reads. ---

begin broadcast out "$EXAMPLES/broadcast" "$DIR/a.pem" "$DIR/a.key" 0
check_await "the broadcast listens" broadcast "listening on 127.0.0.1:"
URL=https://localhost:${LINE##*:}/broadcast
HASH=$(certificate_hash "$DIR/a.pem")
receiver() { # receiver <NAME>
  begin "$1" err "$WEBTRANSPORT" connect --receive-only --binary --verbose --insecure-hash "$HASH" "$URL"
  check_await "$1 is there" broadcast "a session has come"
}
sender() { # sender [option...]: with the descriptor of its input in sender_IN
  begin "$1" err "$WEBTRANSPORT" connect --quiet --insecure-hash "$HASH" "${@:2}" "$URL"
  check_await "$1 is there" broadcast "a session has come"
}
# Sends a piece, and takes it from both fast receivers: so their queues never fill, however slow the machine is.
PIECE=16384
pass_on() { # pass_on <text>: exactly PIECE bytes
  printf %s "$1" >&"$streamer_IN"
  printf %s "$1" >>"$DIR/sent"
  timeout 20 head -c $PIECE <&"$fast_OUT" >>"$DIR/fast.got"
  timeout 20 head -c $PIECE <&"$quick_OUT" >>"$DIR/quick.got"
}

receiver fast
receiver quick
receiver lazy
sender teller --datagrams --wait 0
# shellcheck disable=SC2154
hear "$teller_IN" "in a datagram"
check_equal "a datagram reaches one" "in a datagram" "$(timeout 20 head -c 13 <&"$fast_OUT")"
check_equal "and another" "in a datagram" "$(timeout 20 head -c 13 <&"$quick_OUT")"
sender streamer --uni --wait 0
padding=$(printf "%$((PIECE - 8))s" | tr ' ' z)
dropped=no
for ((i = 0; i < 500; i++)); do
  pass_on "$(printf '%07d%s|' $i "$padding")"
  # shellcheck disable=SC2154
  while read -r -t 0 -u "$broadcast_OUT" && read -r -t 20 -u "$broadcast_OUT" LINE; do
    case $LINE in *"dropped for a receiver"*) dropped=yes; break 2 ;; esac
  done
done
check_equal "the slow receiver loses the stream" yes $dropped
echo "count: dropped after $((i * PIECE / 1024)) KiB"
for ((i = 0; i < 20; i++)); do pass_on "$(printf '%07d%s|' $i "$padding")"; done
check_equal "one receiver has all of it, in order" "" "$(cmp "$DIR/sent" "$DIR/fast.got" 2>&1)"
check_equal "so has the other" "" "$(cmp "$DIR/sent" "$DIR/quick.got" 2>&1)"

# What begins later reaches the slow one too, once it listens.
OUT=$(echo "a later stream" | timeout 60 "$WEBTRANSPORT" connect --quiet --uni --wait 0 --insecure-hash "$HASH" "$URL" 2>&1)
check_equal "another sender" "" "$OUT"
check_await "a later stream reaches the fast one" fast "a later stream"
check_await "and the slow one" lazy "a later stream"
check_contains "which knows that the other one was reset" "$(cat "$DIR/lazy.err")" "reset"
# A stream that its sender resets is reset everywhere, with its code.
OUT=$(echo "a short one" | timeout 60 "$WEBTRANSPORT" connect --quiet --uni --reset 42 --insecure-hash "$HASH" "$URL" 2>&1)
check_await "a stream that is reset arrives" fast "a short one"
# shellcheck disable=SC2154
for name in fast quick lazy streamer teller; do
  pid=${name}_PID
  kill -INT "${!pid}"
  end_of $name
done
check_contains "with its code" "$(cat "$DIR/fast.err")" "42"
kill "$broadcast_PID"
wait "$broadcast_PID" 2>/dev/null

# --- Topics: a subscriber by each delivery, on two workers; the one on a stream is read as a page reads it. ---

need node nodejs
begin topics out "$EXAMPLES/topics" "$DIR/a.pem" "$DIR/a.key" 0
check_await "the topics listen" topics "listening on 127.0.0.1:"
URL=https://localhost:${LINE##*:}/topic/news
subscriber() { # subscriber <NAME> <as> [option...]
  begin "$1" err "$WEBTRANSPORT" connect --receive-only --quiet --insecure-hash "$HASH" "${@:3}" "$URL?as=$2"
  check_await "$1 is there" topics "a subscriber has come"
}
subscriber by_datagram datagram
subscriber by_streams streams
subscriber by_stream stream --binary
subscriber elsewhere datagram
sender_line() { # sender_line <text> [option...]
  timeout 60 "$WEBTRANSPORT" connect --quiet --wait 0 --insecure-hash "$HASH" "${@:2}" "$URL" <<<"$1" 2>&1
}
check_equal "a message is published" "" "$(sender_line "the first" --uni)"
check_await "it comes in a datagram" by_datagram "the first"
check_await "and on a stream of its own" by_streams "the first"
check_equal "another message" "" "$(sender_line "the second" --uni)"
check_await "comes too" by_datagram "the second"
check_await "by each delivery" by_streams "the second"
# On the standing stream: 4 + 4 bytes of the name, 4 + 10 of the first message, 4 + 11 of the second.
# shellcheck disable=SC2154
timeout 20 head -c 37 <&"$by_stream_OUT" >"$DIR/stream"
check_equal "the page's reader makes the same of it" $'news\nthe first\n\nthe second\n\nnews: the first\n\nnews: the second' \
  "$(timeout 20 node "${WT_SOURCE_DIR:?}/tests/e2e/topics_reader.mjs" "$WT_SOURCE_DIR/examples/topics/messages.js" <"$DIR/stream" 2>&1)"
# shellcheck disable=SC2154
for name in by_datagram by_streams by_stream elsewhere; do
  pid=${name}_PID
  kill -INT "${!pid}"
  end_of $name
done
kill "$topics_PID"
wait "$topics_PID" 2>/dev/null

# --- The server on a loop of its own. ---

begin loop out "$EXAMPLES/loop" "$DIR/a.pem" "$DIR/a.key" 0
check_await "the loop's server listens" loop "listening on 127.0.0.1:"
URL=https://127.0.0.1:${LINE##*:}/station
HASH=$(certificate_hash "$DIR/a.pem")
begin listener err "$WEBTRANSPORT" connect -r --prefix always --insecure-hash "$HASH" "$URL"
check_await "the time comes in datagrams" listener "[datagram] $(date +%s | cut -c 1-7)"
# shellcheck disable=SC2154
hear "$loop_IN" "a line"
check_await "the other thread's line on a stream" listener "a line"
check_contains "of its own" "$LINE" "uni <-]"
# shellcheck disable=SC2154
exec {loop_IN}>&-
end_of loop
check_equal "the end of its input ends it" 0 $STATUS
end_of listener
check_equal "its listener is told" "0" $STATUS

# --- The server in a loop of poll(2). ---

begin poll out "$EXAMPLES/poll" "$DIR/a.pem" "$DIR/a.key" 0
check_await "the server of poll(2) listens" poll "listening on 127.0.0.1:"
URL=https://127.0.0.1:${LINE##*:}/station
begin hearer err "$WEBTRANSPORT" connect -r --prefix always --insecure-hash "$HASH" "$URL"
# Nobody says when the session is there: a line that comes before it is missed.
# shellcheck disable=SC2154
for ((i = 0; i < 200; i++)); do
  hear "$poll_IN" "typed"
  # shellcheck disable=SC2154
  if read -r -t 0.1 -u "$hearer_OUT" LINE; then break; fi
done
check_contains "what is typed comes on a stream" "$LINE" "uni <-] typed"
# shellcheck disable=SC2154
exec {poll_IN}>&-
end_of poll
check_equal "the end of its input ends it, too" 0 $STATUS
end_of hearer
check_equal "its session is closed in order" "0" $STATUS

finish
