#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# `webtransport bench`: each workload against `webtransport serve`, with the counts of both ends; what it
# refuses; servers that answer wrongly, not at all or go away; an end before the time. Times are not
# checked, since a machine may be busy.

. "$(dirname "$0")/lib.sh"
need node nodejs
need curl curl

# Runs it with --json; sets OUT, ERR and STATUS.
bench() { # bench [argument...]
  OUT=$(timeout 120 "$WEBTRANSPORT" bench --json --insecure-hash "$HASH" "$@" 2>"$DIR/bench.err")
  STATUS=$?
  ERR=$(cat "$DIR/bench.err")
}

found() { json "$1" <<<"$OUT"; } # found <expression>

clean() { # clean <what>
  check_equal "$1: ends well" "0 " "$STATUS $ERR"
  check_equal "$1: no errors" "0 0" \
    "$(found 'Object.values(j.errors).reduce((sum, e) => sum + e.count, 0) + " " + j.unfinished')"
}

# --- Wrong use. ---

wrong "URL is missing" bench
wrong "URL 'http://localhost/'" bench http://localhost/
wrong "--workload 'brew'" bench --workload brew https://localhost/
wrong "--sessions '0'" bench --sessions 0 https://localhost/
wrong "--size: echo takes from 1" bench --size 0 https://localhost/
wrong "--size: datagram-echo takes from 8 to 65536" bench -w datagram-echo --size 7 https://localhost/
wrong "--duration '0'" bench --duration 0 https://localhost/
wrong "--streams has no meaning for the workload setup" bench -w setup --streams 2 https://localhost/
wrong "--rate has no meaning for the workload download" bench -w download --rate 2 https://localhost/
wrong "--count has no meaning for the workload idle" bench -w idle --count 2 https://localhost/
wrong "--resume has no meaning for the workload echo" bench --resume https://localhost/
wrong "--hz has no meaning for the workload echo" bench --hz 60 https://localhost/
wrong "--rate has no meaning for the workload tick" bench -w tick --rate 60 https://localhost/
wrong "--size: tick takes from 24 to 1024 bytes" bench -w tick --size 23 https://localhost/
wrong "--hz '1001'" bench -w tick --hz 1001 https://localhost/
wrong "--publishers has no meaning for the workload echo" bench --publishers 2 https://localhost/
wrong "--delivery has no meaning for the workload tick" bench -w tick --delivery stream https://localhost/
wrong "--delivery 'pigeon'" bench -w fan-out --delivery pigeon https://localhost/
wrong "--sessions: fan-out needs two at least" bench -w fan-out https://localhost/
wrong "--publishers: there are not as many sessions" bench -w fan-out --sessions 2 --publishers 3 https://localhost/
wrong "--publishers: each of the --workers needs one" bench -w fan-out --sessions 9 --publishers 2 --workers 3 https://localhost/
wrong "10,000,000 pairs" bench -w fan-out --sessions 1000000 --publishers 11 https://localhost/
wrong "--size: fan-out takes from 24 to 65536 bytes" bench -w fan-out --sessions 2 --size 23 https://localhost/
wrong "--outstanding has no meaning for the workload fan-out" bench -w fan-out --outstanding 2 https://localhost/
wrong "--workers: there are not as many sessions" bench --workers 2 https://localhost/
wrong "operations in flight" bench --sessions 1000000 --streams 100000 https://localhost/
help=$("$WEBTRANSPORT" bench --help)
check_equal "bench --help ends well" 0 $?
for option in workload sessions streams size outstanding duration count warmup workers rate hz publishers delivery resume pooled dials \
  patience watch json ca insecure-hash timeout; do
  check_contains "--help lists --$option" "$help" "--$option"
done

# --- Each workload, counted at both ends. ---

start_server --access-log-query --log warn --workers 2 --topic-rate 0 --topic-byte-rate 0
URL=https://127.0.0.1:$PORT
echo 0 >"$DIR/last"
# The server's sessions since the last call: what a JavaScript expression makes of them, called `s`.
served() { # served <expression>
  local all
  for _ in $(seq 200); do # the last one may still be closing
    all=$(curl -s "${HTTP}sessions.json?after=$(cat "$DIR/last")")
    [ "$(json 'j.open' <<<"$all")" = 0 ] && break
    read -r -t 0.05 <> <(:)
  done
  json "const s = j.sessions; $1" <<<"$all"
  json 'j.next' <<<"$all" >"$DIR/last"
}
sum() { echo "s.reduce((sum, x) => sum + x.$1, 0)"; }

bench --sessions 3 --streams 2 --outstanding 4 --size 1000 --count 200 --workers 2 "$URL"
clean echo
check_equal "echo: all messages" "200 200000 200000 200 3 3" "$(found '[j.operations, j.bytes_sent, j.bytes_received,
  j.latency_us.count, j.sessions.opened, j.sessions.connections].join(" ")')"
check_equal "echo: as the server saw it" "3 6 200000 200000" \
  "$(served "[s.length, $(sum streams_in), $(sum bytes_in), $(sum bytes_out)].join(' ')")"
check_equal "echo: percentiles are in order" true \
  "$(found 'const l = j.latency_us; 0 < l.min && l.min <= l.p50 && l.p50 <= l.p90 && l.p90 <= l.p99 && l.p99 <= l.p99_9 &&
            l.p99_9 <= l.max && l.min <= l.mean && l.mean <= l.max')"

bench --size 3000000 --outstanding 2 --count 4 "$URL"
clean "large echo"
check_equal "large echo: all bytes" 12000000 "$(found j.bytes_received)"
served 0 >/dev/null

bench --sessions 4 --rate 2000 --count 300 --watch "$SERVER" "$URL"
clean "echo at a rate"
check_equal "echo at a rate: all messages" 300 "$(found j.operations)"
check_equal "echo at a rate: the server was watched" true \
  "$(found 'j.server.user_seconds >= 0 && j.server.system_seconds >= 0 && j.server.highest_resident_bytes > 1e6')"
check_equal "echo at a rate: round robin" "75 75 75 75" "$(served 's.map(x => x.bytes_in / 100).join(" ")')"

bench -w stream-echo --sessions 2 --outstanding 8 --count 300 "$URL"
clean stream-echo
check_equal "stream-echo: as the server saw it" "300 300 30000 30000" \
  "$(found j.operations) $(served "[$(sum streams_in), $(sum bytes_in), $(sum bytes_out)].join(' ')")"

bench -w stream-echo --outstanding 300 --size 0 --count 900 "$URL"
clean "empty stream-echo"
check_equal "empty stream-echo: more at a time than the server allows" "900 900" \
  "$(found j.operations) $(served "$(sum streams_in)")"

bench -w datagram-echo --sessions 2 --outstanding 16 --count 400 "$URL"
check_equal "datagram-echo: ends well" "0 " "$STATUS $ERR"
check_equal "datagram-echo: each came back or was lost" 400 "$(found 'j.operations + j.datagrams.lost')"
check_equal "datagram-echo: as the server saw it" true "$(served "$(sum datagrams_in) <= 400 && $(sum datagrams_in) > 0")"
check_equal "datagram-echo: how long its answers waited there" true \
  "$(served "$(sum datagrams_expired) === 0 && $(sum datagram_queue_delay_us) <= $(sum max_datagram_queue_delay_us)")"

bench -w tick --sessions 6 --workers 2 --hz 100 --warmup 200ms --duration 500ms --watch "$SERVER" "$URL"
clean tick
check_equal "tick: both directions" "true true true" "$(found '[j.ticks.sent > 0, j.ticks.received > 0,
  j.operations === j.ticks.sent + j.ticks.received].join(" ")')"
check_equal "tick: the sizes" true "$(found 'j.bytes_sent === 60 * j.ticks.sent && j.bytes_received === 60 * j.ticks.received')"
check_equal "tick: distances, from the earliest" true "$(found 'const l = j.ticks.distance_us; l.count === j.ticks.received &&
  0 <= l.min && l.min <= l.p50 && l.p50 <= l.p99 && l.p99 <= l.p99_9 && l.p99_9 <= l.max')"
check_equal "tick: as the server saw it" "6 true" \
  "$(served "[s.length, s.every((x) => x.path === '/tick?hz=100&bytes=60' && x.datagrams_in > 0 && x.datagrams_out > 0)].join(' ')")"

# Players with different rates and sizes at a time, and one who goes and comes back.
"$WEBTRANSPORT" bench --json --insecure-hash "$HASH" -w tick --hz 50 --size 1000 --sessions 2 --duration 600ms "$URL" \
  >"$DIR/slow.json" &
pid=$!
bench -w tick --hz 200 --size 24 --sessions 2 --duration 200ms "$URL"
clean "tick, other rates beside it"
bench -w tick --hz 200 --size 24 --sessions 2 --duration 200ms "$URL"
clean "tick, again"
wait $pid
check_equal "tick, 50 Hz: ends well" 0 $?
check_equal "tick, 50 Hz: its own size" true "$(json 'j.bytes_received === 1000 * j.ticks.received' <"$DIR/slow.json")"
text=$("$WEBTRANSPORT" bench --insecure-hash "$HASH" -w tick --duration 100ms "$URL" 2>&1)
check_equal "tick, text: ends well" 0 $?
check_contains "tick, text: distances" "$text" "off the tick mean "
check_contains "tick, text: losses" "$text" " to the server lost, "
served 0 >/dev/null

# One message to all others, and each of them exactly once: 6 publishers among 20 sessions on 2 workers of either side.
for delivery in datagram streams stream; do
  bench -w fan-out --delivery $delivery --sessions 20 --publishers 6 --workers 2 --count 60 "$URL"
  clean "fan-out, $delivery"
  check_equal "fan-out, $delivery: each message at each of the others" "60 1140 1140 0 0" \
    "$(found '[j.fan_out.published, j.fan_out.delivered, j.operations, j.fan_out.lost, j.fan_out.duplicates].join(" ")')"
  check_equal "fan-out, $delivery: counted in bytes, with a latency each" "6000 114000 1140 true" \
    "$(found '[j.bytes_sent, j.bytes_received, j.latency_us.count, j.latency_us.p50 <= j.latency_us.p99_9].join(" ")')"
  check_equal "fan-out, $delivery: as the server saw it" "20 true" \
    "$(served "[s.length, s.every((x) => x.path === '/topic/bench?delivery=$delivery')].join(' ')")"
done
bench -w fan-out --delivery stream --sessions 5 --rate 200 --warmup 100ms --duration 300ms "$URL/topic/other"
clean "fan-out at a rate"
check_equal "fan-out at a rate: all that was due, and not what was due before" "60 240 true" \
  "$(found '[j.fan_out.published, j.operations, j.fan_out.out_of_order === 0].join(" ")')"
check_equal "fan-out at a rate: the topic of the URL" "/topic/other?delivery=stream" "$(served 's[0].path')"
bench -w fan-out --delivery streams --sessions 3 --size 20000 --count 5 "$URL"
clean "fan-out of long messages"
check_equal "fan-out of long messages: whole" "10 200000" "$(found '[j.operations, j.bytes_received].join(" ")')"
text=$("$WEBTRANSPORT" bench --insecure-hash "$HASH" -w fan-out --sessions 2 --count 3 "$URL" 2>&1)
check_equal "fan-out, text: ends well" 0 $?
check_contains "fan-out, text: messages" "$text" "messages     3 published by 1 sessions, delivered as datagram; 0 deliveries lost"
served 0 >/dev/null

bench -w download --sessions 2 --streams 5 --size 100001 --count 30 --workers 2 "$URL"
clean download
check_equal "download: all streams, at most five in a session" "30 3000030 30 3000030 6" \
  "$(found '[j.operations, j.bytes_received].join(" ")') $(served "[$(sum streams_out), $(sum bytes_out), s.length].join(' ')")"

bench -w upload --sessions 2 --streams 5 --size 100001 --count 30 "$URL"
clean upload
check_equal "upload: all streams, in standing sessions" "30 3000030 30 3000030 2" \
  "$(found '[j.operations, j.bytes_sent].join(" ")') $(served "[$(sum streams_in), $(sum bytes_in), s.length].join(' ')")"

# What a message costs the server, when each comes alone: by the counts before and after. The bounds are far above what
# is expected (2 turns, no timer, no packet that only acknowledges): a busy machine answers late now and then, and the
# handshakes are among them.
curl -s "${HTTP}stats.json" >"$DIR/before.json"
bench --sessions 20 --rate 1000 --count 2000 "$URL"
clean "messages that come alone"
messages=$(found j.operations)
curl -s "${HTTP}stats.json" >"$DIR/after.json"
cost() { # cost <count>: what it grew by for each message
  node -e 'const [a, b] = process.argv.slice(1, 3).map((f) => JSON.parse(require("fs").readFileSync(f)));
           console.log((b[process.argv[3]] - a[process.argv[3]]) / process.argv[4])' "$DIR/before.json" "$DIR/after.json" "$1" "$messages"
}
echo "# a message: $(cost turns) turns, $(cost turns_idle) idle, $(cost timers_set) timers set, $(cost timers_fired) fired," \
  "$(cost packets_sent) packets, $(cost packets_sent_ack) of them only acknowledge, $(cost packets_sent_probe) only ask"
check_equal "a message costs no timer" true "$(json 'j < 0.3' <<<"$(cost timers_set)")"
check_equal "a message costs one packet" true "$(json 'j < 0.3' <<<"$(cost packets_sent_ack)")"
served 0 >/dev/null

# Runs until the server has moved this much, then is interrupted.
moved() { json 'j.bytes_sent + j.bytes_received' <<<"$(curl -s "${HTTP}stats.json")"; }
for workload in download upload; do
  goal=$(($(moved) + 5000000))
  "$WEBTRANSPORT" bench --json --insecure-hash "$HASH" -w $workload --streams 2 --duration 1h "$URL" \
    >"$DIR/endless.json" 2>"$DIR/bench.err" &
  pid=$!
  for _ in $(seq 400); do
    [ "$(moved)" -ge $goal ] && break
    read -r -t 0.05 <> <(:)
  done
  kill -INT $pid
  wait $pid
  STATUS=$? OUT=$(cat "$DIR/endless.json") ERR=$(cat "$DIR/bench.err")
  clean "endless $workload"
  check_equal "endless $workload: bytes, and no operation" "true 0 true" \
    "$(found '[j.bytes_sent + j.bytes_received > 1e6, j.operations, j.interrupted].join(" ")')"
done
served 0 >/dev/null

bench -w setup --sessions 4 --count 20 "$URL"
clean setup
check_equal "setup: a connection each" "20 20 20 0" \
  "$(found '[j.operations, j.sessions.opened, j.sessions.connections, j.sessions.resumed].join(" ")')"
check_equal "setup: as the server saw it" "20 true" "$(served '[s.length, s.every(x => x.clean && x.code === 0)].join(" ")')"

bench -w setup --resume --count 10 "$URL"
clean "setup --resume"
check_equal "setup --resume: all but the first" "10 9" "$(found '[j.sessions.opened, j.sessions.resumed].join(" ")')"

bench -w setup --pooled --sessions 2 --count 20 "$URL"
clean "setup --pooled"
check_equal "setup --pooled: one connection" "20 1" "$(found '[j.sessions.opened, j.sessions.connections].join(" ")')"
served 0 >/dev/null

bench -w setup --size 1000 --sessions 2 --count 20 "$URL"
clean "setup --size"
check_equal "setup --size: a stream in each, both ways" "20 20 20000 20000" \
  "$(served "[s.length, $(sum streams_in), $(sum bytes_in), $(sum bytes_out)].join(' ')")"

bench -w idle --sessions 50 --workers 2 --duration 100ms "$URL"
clean idle
check_equal "idle: all are held" "50 50 50" \
  "$(found '[j.operations, j.sessions.opened, j.sessions.open_at_end].join(" ")')"
served 0 >/dev/null

bench --warmup 100ms --count 10 "$URL"
clean "echo after a warm-up"
check_equal "echo after a warm-up: counted after it" "10 true" "$(found j.operations) $(served "$(sum bytes_in) > 1000")"

text=$("$WEBTRANSPORT" bench --insecure-hash "$HASH" --count 3 "$URL/echo?a=b" 2>&1)
check_equal "text: ends well" 0 $?
check_contains "text: the URL as given" "$text" "workload     echo, $URL/echo?a=b"
check_contains "text: operations" "$text" "operations   3 in "
check_equal "the path was used" "/echo?a=b" "$(served 's[0].path')"

# --- Answers that are wrong, or do not come. ---

failed() { # failed <what> <status> <kind> <named>
  check_equal "$1: ends with $2" $2 $STATUS
  check_equal "$1: counted" true "$(found "j.errors['$3'].count > 0 && j.status === $2")"
  check_contains "$1: told" "$ERR" "$4"
}

bench --count 5 --patience 300ms "$URL/sink"
failed "echo of a sink" 4 stalled "no answer"
bench -w stream-echo --count 5 "$URL/sink"
failed "stream-echo of a sink" 1 mismatch "wrong"
bench -w upload --count 1 --size 10 "$URL/echo"
failed "upload to an echo" 1 mismatch "10 bytes were sent, and the server answered"
bench -w download --count 1 --size 10 "$URL/source?bytes=11"
failed "download of another length" 1 mismatch "not 10"
bench -w datagram-echo --count 5 --patience 100ms "$URL/sink"
failed "datagram-echo of a sink" 4 stalled "not one datagram came back"
check_equal "datagram-echo of a sink: lost" "0 5" "$(found '[j.operations, j.datagrams.lost].join(" ")')"
bench -w tick --duration 400ms --patience 300ms "$URL/sink"
failed "tick of a sink" 4 stalled "got no tick"
bench -w tick --duration 400ms "$URL/tick?hz=0"
failed "tick of a server that refuses" 7 dial 400
bench -w tick --duration 400ms --size 50 "$URL/tick?hz=60&bytes=51"
failed "ticks of another size" 1 mismatch "51 bytes, not 50"
bench -w fan-out --sessions 2 --count 1 --patience 300ms "$URL/sink"
failed "fan-out of a sink" 4 stalled "1 of 1 messages did not come"
check_equal "fan-out of a sink: lost" "1 1" "$(found '[j.fan_out.published, j.fan_out.lost].join(" ")')"
bench -w fan-out --sessions 2 --count 3 --patience 300ms "$URL/echo"
failed "fan-out of an echo" 1 mismatch "a publisher got its own message"
bench -w fan-out --sessions 2 --count 3 --size 60000 "$URL"
failed "fan-out of datagrams that are too large" 1 internal "the path takes datagrams of up to"
bench --count 5 "$URL/close?code=7&reason=go"
failed "sessions that are closed" 9 lost "with code 7: go"
bench -w datagram-echo --count 5 --size 60000 "$URL"
failed "datagrams that are too large" 1 internal "the path takes datagrams of up to"
bench --count 5 "$URL/nothing"
failed "a path that is not there" 7 dial 404
bench -w setup --count 5 "$URL/nothing"
failed "setup at a path that is not there" 7 dial 404
check_equal "it gives up after three" 3 "$(found j.errors.dial.count)"
bench -w setup --size 1000 --count 5 "$URL/sink"
failed "setup --size where nothing comes back" 1 mismatch "not what was sent"
HASH=$(printf '00%.0s' $(seq 32)) bench --count 5 "$URL"
failed "another certificate" 5 dial certificate

# --- The end before the time. ---

"$WEBTRANSPORT" bench --json --insecure-hash "$HASH" -w idle --duration 1h "$URL" >"$DIR/idle.json" 2>"$DIR/bench.err" &
pid=$!
for _ in $(seq 400); do
  [ "$(curl -s "${HTTP}sessions.json?after=0" | json j.open)" = 1 ] && break
  read -r -t 0.05 <> <(:)
done
kill -INT $pid
wait $pid
check_equal "interrupted: ends well" 0 $?
check_equal "interrupted: the results" "true 1 1" \
  "$(json '[j.interrupted, j.sessions.opened, j.operations].join(" ")' <"$DIR/idle.json")"

"$WEBTRANSPORT" bench --json --insecure-hash "$HASH" --sessions 2 --duration 1h --patience 1s "$URL" \
  >"$DIR/gone.json" 2>"$DIR/bench.err" &
pid=$!
for _ in $(seq 400); do
  [ "$(curl -s "${HTTP}sessions.json?after=0" | json j.open)" = 2 ] && break
  read -r -t 0.05 <> <(:)
done
kill -KILL "$SERVER"
wait "$SERVER" 2>/dev/null
SERVER=
wait $pid
STATUS=$?
check_equal "a server that dies: not a success" true "$([ $STATUS -ne 0 ] && echo true)"
check_equal "a server that dies: the results" true \
  "$(json 'j.errors.stalled.count + j.errors.lost.count > 0 && j.operations > 0 && j.status === '$STATUS <"$DIR/gone.json")"

bench --count 5 --timeout 2s "$URL"
check_equal "no server: told by the status" true "$([ $STATUS -eq 3 ] || [ $STATUS -eq 4 ] && echo true)"
check_equal "no server: counted" 1 "$(found j.errors.dial.count)"

finish
