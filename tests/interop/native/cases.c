/* SPDX-License-Identifier: MIT */
/*
 * The cases as the client plays them; tests/interop/README.md says what each is to do. A step begins things that
 * are awaited together: the sessions of a case are dialled in one step, used in the next, closed in the last.
 *
 * What arrives is compared byte by byte with what it must be; a stream that ends in any other way than its case
 * wants is a failure.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"
#include "run.h"

enum {
  DATAGRAM_BYTES = 64,
  DATAGRAMS_MIN = 95, /* of DATAGRAMS that have to come back */
  DATAGRAM_WINDOW = 8,
  DATAGRAM_LATE_MS = 1000,
  FLOW_STREAMS = 10,
  FLOW_BYTES = 20000,
  LIVE_MESSAGES = 10,
  LIVE_BYTES = 1000,
  TOGETHER = 3, /* sessions */
  SIZES = 5,
};

static const size_t sizes[SIZES] = {0, 1, 1000, 65536, 2097152};

/* --- What a stream is to bring --- */

static bool lane_ended_well(const struct lane *lane) {
  struct run *run = lane_run(lane);
  if (run->over) return false;
  if (lane->lost)
    run_fail(run, "a stream ended without FIN after %zu bytes", lane->in_len);
  else if (lane->was_reset)
    run_fail(run, "a stream was reset with code %" PRIu32 " after %zu bytes", lane->reset_code, lane->in_len);
  else
    return true;
  return false;
}

/* The pattern, as many bytes of it as lane->number says. */
static void pattern_received(struct lane *lane) {
  if (!lane_ended_well(lane)) return;
  if (lane->in_len != lane->number || !pattern_is(lane->in, lane->in_len))
    run_fail(lane_run(lane), "%zu bytes of something instead of %" PRIu64 " of the pattern", lane->in_len,
             lane->number);
  else
    run_done(lane_run(lane));
}

/* The text that lane->user points to. */
static void text_received(struct lane *lane) {
  const char *text = lane->user;
  if (!lane_ended_well(lane)) return;
  if (lane->in_len != strlen(text) || memcmp(lane->in, text, lane->in_len) != 0)
    run_fail(lane_run(lane), "'%.*s' instead of '%s'", (int)lane->in_len, (const char *)lane->in, text);
  else
    run_done(lane_run(lane));
}

/* The digest of as many bytes of the pattern as lane->number says. */
static void digest_received(struct lane *lane) {
  char text[DIGEST_TEXT];
  if (!digest_text_of_pattern((size_t)lane->number, text)) run_fail(lane_run(lane), "no digest");
  lane->user = text;
  text_received(lane);
}

static void expect(struct run *run, struct lane *lane, uint64_t number, void (*received)(struct lane *lane)) {
  if (!lane) {
    run_fail(run, "a stream cannot be opened");
    return;
  }
  lane->number = number;
  lane->on_received = received;
  run->left++;
}

static void hello(struct run *run, size_t index) {
  static char text[] = "hello";
  struct lane *lane = party_open(&run->parties[index], WT_BIDIRECTIONAL, text, strlen(text), LANE_FIN, 0);
  expect(run, lane, 0, text_received);
  if (lane) lane->user = text;
}

/* --- handshake, rejection, subprotocol --- */

static void dial_echo(struct run *run) { run_dial(run, 0, "/echo", NULL, 0, false, NULL); }
static void hello_first(struct run *run) { hello(run, 0); }

static void close_all(struct run *run) {
  for (size_t i = 0; i < PARTIES_MAX; i++)
    if (run->parties[i].session) run_close(run, i, 0, "");
}

static void dial_nowhere(struct run *run) {
  run->expected_status = 404;
  run_dial(run, 0, "/nowhere", NULL, 0, false, NULL);
}

static void dial_two_protocols(struct run *run) {
  static const char *const protocols[] = {"interop-a", "interop-b"};
  run_dial(run, 0, "/echo", protocols, 2, false, NULL);
}

static void dial_other_protocol(struct run *run) {
  static const char *const protocols[] = {"interop-x"};
  if (strcmp(run->protocol_text, "interop-b") != 0) run_fail(run, "the subprotocol is '%s'", run->protocol_text);
  run->may_refuse = true;
  run_dial(run, 1, "/echo", protocols, 1, false, NULL);
}

static void hello_without_protocol(struct run *run) {
  if (run->refused) return;
  if (run->protocol_text[0]) run_fail(run, "the subprotocol is '%s', which was not offered", run->protocol_text);
  hello(run, 1);
}

/* --- bidi, uni --- */

static void source_accept(struct lane *lane) {
  const struct run *run = lane_run(lane);
  lane->number = sizes[lane->party - run->parties];
  lane->on_received = pattern_received;
  if (lane->kind == WT_BIDIRECTIONAL) lane_send(lane, NULL, 0, LANE_FIN);
}

static void dial_sources(struct run *run, const char *kind) {
  char path[96];
  for (size_t i = 0; i < SIZES; i++) {
    snprintf(path, sizeof path, "/source?kind=%s&bytes=%zu&streams=1", kind, sizes[i]);
    run->left++; /* the stream */
    run_dial(run, i, path, NULL, 0, false, source_accept);
  }
}

/* Answers on unidirectional streams may come in any order: each says how long the stream was that it is for. */
static void uni_digest_received(struct lane *lane) {
  char text[DIGEST_TEXT] = "";
  if (!lane_ended_well(lane)) return;
  if (lane->in_len < DIGEST_TEXT) memcpy(text, lane->in, lane->in_len);
  lane->number = strtoull(text, NULL, 10);
  for (size_t i = 0; i < SIZES; i++) {
    if (sizes[i] != lane->number) continue;
    digest_received(lane);
    return;
  }
  run_fail(lane_run(lane), "an answer of /digest begins '%.20s'", text);
}

static void uni_digest_accept(struct lane *lane) { lane->on_received = uni_digest_received; }

static void uni_echo_accept(struct lane *lane) {
  lane->number = sizes[3];
  lane->on_received = pattern_received;
}

static void dial_bidi(struct run *run) {
  run_dial(run, 5, "/digest", NULL, 0, false, NULL);
  run_dial(run, 6, "/echo", NULL, 0, false, NULL);
}

static void bidi_up(struct run *run) {
  for (size_t i = 0; i < SIZES; i++)
    expect(run, party_open(&run->parties[5], WT_BIDIRECTIONAL, NULL, sizes[i], LANE_FIN, 0), sizes[i], digest_received);
}

static void bidi_echo(struct run *run) {
  expect(run, party_open(&run->parties[6], WT_BIDIRECTIONAL, NULL, sizes[4], LANE_FIN, 0), sizes[4], pattern_received);
}

static void bidi_down(struct run *run) { dial_sources(run, "bidi"); }

static void dial_uni(struct run *run) {
  run_dial(run, 5, "/digest", NULL, 0, false, uni_digest_accept);
  run_dial(run, 6, "/echo", NULL, 0, false, uni_echo_accept);
}

static void uni_up(struct run *run) {
  for (size_t i = 0; i < SIZES; i++) {
    if (!party_open(&run->parties[5], WT_UNIDIRECTIONAL, NULL, sizes[i], LANE_FIN, 0)) run_fail(run, "no stream");
    run->left++;
  }
}

static void uni_echo(struct run *run) {
  if (!party_open(&run->parties[6], WT_UNIDIRECTIONAL, NULL, sizes[3], LANE_FIN, 0)) run_fail(run, "no stream");
  run->left++;
}

static void uni_down(struct run *run) { dial_sources(run, "uni"); }

/* --- datagrams --- */

static void datagram_fill(unsigned int number, uint8_t data[DATAGRAM_BYTES]) {
  for (size_t i = 0; i < DATAGRAM_BYTES; i++) data[i] = pattern_at(i + number);
  data[0] = (uint8_t)(number >> 8);
  data[1] = (uint8_t)number;
}

static void on_datagrams_late(uv_timer_t *timer);

static void datagrams_send(struct run *run) {
  uint8_t data[DATAGRAM_BYTES];
  while (run->sent < DATAGRAMS && run->outstanding < DATAGRAM_WINDOW) {
    size_t index = run->sharing ? run->sent % run->sharing : 0;
    datagram_fill(run->sent++, data);
    run->outstanding++;
    int error = wt_session_send_datagram(run->parties[index].session, data, sizeof data);
    if (error) run_fail(run, "datagram %u: %s", run->sent - 1, wt_error_string(error));
  }
  uv_timer_start(&run->datagram_timer, on_datagrams_late, DATAGRAM_LATE_MS, 0);
  if (run->outstanding > 0) return;
  uv_timer_stop(&run->datagram_timer);
  printf("%u of %d datagrams came back\n", run->answered, DATAGRAMS);
  if (run->answered < DATAGRAMS_MIN) run_fail(run, "%u of %d datagrams came back", run->answered, DATAGRAMS);
  run_done(run);
}

static void on_datagrams_late(uv_timer_t *timer) {
  struct run *run = timer->data;
  run->outstanding = 0;
  datagrams_send(run);
}

void datagram_arrived(struct run *run, const uint8_t *data, size_t len) {
  uint8_t expected[DATAGRAM_BYTES];
  unsigned int number = len == DATAGRAM_BYTES ? (unsigned int)data[0] << 8 | data[1] : DATAGRAMS;
  if (run->over) return;
  if (number < DATAGRAMS) datagram_fill(number, expected);
  if (number >= run->sent || memcmp(data, expected, sizeof expected) != 0) {
    run_fail(run, "a datagram of %zu bytes that was never sent", len);
    return;
  }
  if (run->echoed[number]) return; /* came twice: allowed */
  run->echoed[number] = true;
  run->answered++;
  if (run->outstanding > 0) run->outstanding--;
  datagrams_send(run);
}

static void datagrams_begin(struct run *run) {
  run->left++;
  datagrams_send(run);
}

/* --- resets --- */

static void list_received(struct lane *lane) {
  char *text = malloc(COUNT * 11 + 1);
  size_t len = 0;
  if (!text) run_fail(lane_run(lane), "no memory");
  for (uint64_t i = 0; text && i < COUNT; i++) len += (size_t)sprintf(text + len, "%" PRIu32 "\n", reset_code_of(i));
  lane->user = text;
  if (text) text_received(lane);
  free(text);
}

static void list_accept(struct lane *lane) { lane->on_received = list_received; }

static void dial_collect(struct run *run) {
  char path[64];
  snprintf(path, sizeof path, "/collect?count=%d", COUNT);
  run_dial(run, 0, path, NULL, 0, false, list_accept);
}

static void resets_out(struct run *run) {
  run->left++; /* the list */
  for (uint64_t i = 0; i < COUNT; i++) {
    enum wt_stream_kind kind = i % 2 ? WT_BIDIRECTIONAL : WT_UNIDIRECTIONAL;
    if (!party_open(&run->parties[0], kind, NULL, RESET_BYTES, LANE_RESET, reset_code_of(i)))
      run_fail(run, "stream %" PRIu64 " cannot be opened", i);
  }
}

static void reset_received(struct lane *lane) {
  struct run *run = lane_run(lane);
  uint32_t number = lane->reset_code / 4294967;
  if (run->over) return;
  if (!lane->was_reset || !lane->has_code)
    run_fail(run, "a stream ended %s", lane->was_reset ? "with a reset without a code" : "without a reset");
  else if (number >= COUNT || lane->reset_code != reset_code_of(number) || run->seen[number])
    run_fail(run, "a reset with code %" PRIu32, lane->reset_code);
  else
    run_done(run);
  run->seen[number < COUNT ? number : 0] = true;
}

static void reset_accept(struct lane *lane) { lane->on_received = reset_received; }

static void resets_in(struct run *run) {
  char path[64];
  snprintf(path, sizeof path, "/resets?count=%d", COUNT);
  run->left += COUNT;
  run_dial(run, 0, path, NULL, 0, false, reset_accept);
}

/* --- close --- */

static void dial_close_client(struct run *run) { run_dial(run, 0, "/echo?case=close-client", NULL, 0, false, NULL); }
static void close_first(struct run *run) { run_close(run, 0, UINT32_MAX, "bye \xe2\x9c\x93"); }

static void dial_close_server(struct run *run) {
  run->closing = true;
  run->left++; /* the end */
  run_dial(run, 0, "/close?code=3735928559&reason=so%20long%20%E2%9C%93", NULL, 0, false, NULL);
}

static void close_check(struct run *run) {
  const struct wt_close_info *info = &run->close;
  if (info->by != WT_PEER || info->code != 3735928559u || !info->clean ||
      strcmp(run->close_reason, "so long \xe2\x9c\x93") != 0)
    run_fail(run, "closed by %s with %" PRIu32 " '%s', %s, wire code %" PRIu64, wt_party_name(info->by), info->code,
             run->close_reason, info->clean ? "in order" : "not in order", info->wire_code);
}

/* --- flow-control --- */

static void flow_digest_received(struct lane *lane) {
  lane->number = FLOW_BYTES;
  digest_received(lane);
}

static void flow_digest_accept(struct lane *lane) { lane->on_received = flow_digest_received; }

static void flow_source_accept(struct lane *lane) {
  lane->number = FLOW_BYTES;
  lane->on_received = pattern_received;
}

static void dial_flow(struct run *run) { run_dial(run, 0, "/digest", NULL, 0, false, flow_digest_accept); }

static void flow_up(struct run *run) {
  if (!limits_are_tiny(run->parties[0].session)) run_fail(run, "the server announces other limits");
  for (size_t i = 0; i < FLOW_STREAMS; i++) {
    expect(run, party_open(&run->parties[0], WT_BIDIRECTIONAL, NULL, FLOW_BYTES, LANE_FIN, 0), FLOW_BYTES,
           digest_received);
    if (!party_open(&run->parties[0], WT_UNIDIRECTIONAL, NULL, FLOW_BYTES, LANE_FIN, 0)) run_fail(run, "no stream");
    run->left++;
  }
}

static void flow_down(struct run *run) {
  char path[64];
  snprintf(path, sizeof path, "/source?kind=uni&bytes=%d&streams=%d", FLOW_BYTES, FLOW_STREAMS);
  run->left += FLOW_STREAMS;
  run_dial(run, 1, path, NULL, 0, false, flow_source_accept);
}

/* --- pooling --- */

static void dial_three(struct run *run) {
  run_dial(run, 0, "/echo?n=1", NULL, 0, true, NULL);
  run_dial(run, 1, "/echo?n=2", NULL, 0, true, NULL);
  run_dial(run, 2, "/echo?n=3", NULL, 0, true, NULL);
}

/* All of them on one connection, or it would not be pooling. */
static void hello_three(struct run *run) {
  struct wt_client_stats stats = {.size = sizeof stats};
  wt_client_get_stats(run->client, &stats);
  if (stats.connections_total != 1) run_fail(run, "%" PRIu64 " connections", stats.connections_total);
  for (size_t i = 0; i < 3; i++) hello(run, i);
}

static void close_middle(struct run *run) { run_close(run, 1, 7, "middle"); }

static void hello_others(struct run *run) {
  run->closing = false;
  hello(run, 0);
  hello(run, 2);
}

/* --- live --- */

static void live_part(struct lane *lane) {
  if (lane->in_len < lane->out_len) return;
  if (lane->in_len != lane->out_len || !pattern_is(lane->in, lane->in_len)) {
    run_fail(lane_run(lane), "%zu bytes of something instead of %zu of the pattern", lane->in_len, lane->out_len);
  } else if (lane->out_len < (size_t)LIVE_MESSAGES * LIVE_BYTES) {
    lane_send_more(lane, LIVE_BYTES);
  } else {
    lane->received = true; /* that it ends with the session is no failure */
    run_done(lane_run(lane));
  }
}

static void live(struct run *run) {
  struct lane *lane = party_open(&run->parties[0], WT_BIDIRECTIONAL, NULL, LIVE_BYTES, LANE_OPEN, 0);
  expect(run, lane, 0, pattern_received);
  if (lane) lane->on_part = live_part;
}

/* --- together --- */

/* Three clients: three connections. Behind a proxy the server sees one. */
static void dial_together(struct run *run) {
  static const char *const paths[] = {"/echo?together=1", "/echo?together=2", "/echo?together=3"};
  for (size_t i = 0; i < TOGETHER; i++) run_dial(run, i, paths[i], NULL, 0, false, NULL);
}

static void together_streams(struct run *run) {
  struct wt_client_stats stats = {.size = sizeof stats};
  wt_client_get_stats(run->client, &stats);
  if (stats.connections_total != TOGETHER) run_fail(run, "%" PRIu64 " connections", stats.connections_total);
  for (size_t i = 0; i < TOGETHER; i++)
    expect(run, party_open(&run->parties[i], WT_BIDIRECTIONAL, NULL, sizes[3], LANE_FIN, 0), sizes[3],
           pattern_received);
}

static void together_datagrams(struct run *run) {
  run->sharing = TOGETHER;
  datagrams_begin(run);
}

const struct play plays[] = {
    {"handshake", {dial_echo, hello_first, close_all}, false},
    {"rejection", {dial_nowhere}, false},
    {"subprotocol", {dial_two_protocols, dial_other_protocol, hello_without_protocol, close_all}, false},
    {"bidi", {dial_bidi, bidi_up, bidi_echo, bidi_down, close_all}, false},
    {"uni", {dial_uni, uni_up, uni_echo, uni_down, close_all}, false},
    {"datagrams", {dial_echo, datagrams_begin, close_all}, false},
    {"resets-out", {dial_collect, resets_out, close_all}, false},
    {"resets-in", {resets_in, close_all}, false},
    {"close-client", {dial_close_client, close_first}, false},
    {"close-server", {dial_close_server, close_check}, false},
    {"flow-control", {dial_flow, flow_up, flow_down, close_all}, true},
    {"pooling", {dial_three, hello_three, close_middle, hello_others, close_all}, false},
    {"live", {dial_echo, live, close_all}, false},
    {"together", {dial_together, together_streams, together_datagrams, close_all}, false},
    {"get", {plain_get}, false},
    {"post", {plain_post}, false},
    {NULL, {NULL}, false},
};
