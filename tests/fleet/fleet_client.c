/* SPDX-License-Identifier: MIT */

/*
 * The clients of the fleet test, on the library's public API.
 *
 *     fleet_client PORT COUNT MOVERS INTERVAL_MS CERTIFICATE-SHA-256...
 *
 * COUNT clients, each with a socket and a session of its own, dial https://127.0.0.1:PORT/echo. The first MOVERS of them are
 * behind a NAT each, which changes their port once a second. Each client makes a round every INTERVAL_MS: it sends some
 * thousand bytes on a stream, in turns a bidirectional and a unidirectional one, and a datagram, and compares what comes
 * back. If the server wants the session to end, the client finishes the round, closes the session and dials again; it also
 * dials again after any other end. The end of standard input lets all finish their rounds and close.
 *
 * Standard output tells what happened, a line each. The first word is the time, in seconds of CLOCK_MONOTONIC. SERVER is the
 * subprotocol that the server chose, so each server has a name of its own.
 *
 *     TIME open CLIENT SERVER new|resumed
 *     TIME drain CLIENT SERVER
 *     TIME closed CLIENT SERVER asked|CAUSE complete|partial MESSAGE (CODE)      partial: a stream had not come back whole
 *     TIME failed CLIENT MESSAGE                                          a dial
 *     TIME wrong CLIENT SERVER MESSAGE                                    bytes that are not those that were sent
 *     TIME end {"rounds": ..., ...}                                       the last line
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>
#include <webtransport/webtransport.h>

#include "client_input.h"
#include "nat.h"

#define DIAL_AGAIN_MS 200
#define DIALS_AT_ONCE_MS 10 /* between the first dials of two clients */
#define REBIND_MS 1000
#define DIAL_TIMEOUT_MS 20000
#define LEN_MIN 1000
#define LEN_STEP 7 /* a round has LEN_MIN bytes and this for each number before it, modulo LEN_SPAN */
#define LEN_SPAN 4000
#define DATAGRAM_LEN 200
#define SERVERS_MAX 10
#define HASHES_MAX 4

struct visitor {
  uv_timer_t timer, mover; /* the next round or dial; the next change of the address */
  struct nat nat;
  bool moves, draining, in_round, asked_to_close;
  bool moved; /* the address has changed since the round began, or the dial */
  unsigned index;
  wt_client *client;
  wt_session *session;
  char url[64], server[32];
  uint32_t round;
  size_t got, want; /* bytes of the round's stream that came back */
  uint64_t round_began;
};

static struct {
  uv_loop_t loop;
  struct client_input input;
  uv_timer_t ender;
  struct visitor *visitors;
  unsigned count, movers, open;
  uint64_t interval_ms;
  uint8_t hashes[HASHES_MAX][32];
  size_t hash_count;
  bool stopping, failed;
  uint64_t rounds, datagrams_sent, datagrams_back, bytes, longest_ms, slow_rounds, dials, resumed, moves_skipped;
} fleet;

static double now(void) { return (double)uv_hrtime() / 1e9; }

#define SAY(format, ...)                             \
  do {                                               \
    printf("%.3f " format "\n", now(), __VA_ARGS__); \
    fflush(stdout);                                  \
  } while (0)

/* --- What is sent, and whether it comes back --- */

static uint8_t pattern(const struct visitor *visitor, uint32_t round, size_t at) {
  return (uint8_t)((visitor->index * 131u + round * 17u + at * 31u + (at >> 8)) & 0xff);
}

static void pattern_fill(const struct visitor *visitor, uint32_t round, size_t at, uint8_t *data, size_t len) {
  for (size_t i = 0; i < len; i++) data[i] = pattern(visitor, round, at + i);
}

static void say_wrong(struct visitor *visitor, const char *what) {
  SAY("wrong %u %s %s", visitor->index, visitor->server, what);
  fleet.failed = true;
}

static void visitor_dial(struct visitor *visitor);

static void on_timer_dial(uv_timer_t *timer) { visitor_dial(timer->data); }

static void close_session(struct visitor *visitor) {
  visitor->asked_to_close = true;
  uv_timer_stop(&visitor->timer);
  (void)wt_session_close(visitor->session, 0, "done", 4);
}

static void on_timer_round(uv_timer_t *timer);

static void round_finish(struct visitor *visitor) {
  uint64_t took = (uv_hrtime() - visitor->round_began) / 1000000;
  visitor->in_round = false;
  fleet.rounds++;
  fleet.bytes += visitor->want;
  if (took > fleet.longest_ms) fleet.longest_ms = took;
  if (took > 1000) fleet.slow_rounds++;
  if (visitor->draining || fleet.stopping)
    close_session(visitor);
  else
    uv_timer_start(&visitor->timer, on_timer_round, took < fleet.interval_ms ? fleet.interval_ms - took : 0, 0);
}

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct visitor *visitor = user_data;
  (void)stream;
  if (!visitor->in_round || len > visitor->want - visitor->got) {
    say_wrong(visitor, "more bytes than were sent");
    return;
  }
  for (size_t i = 0; i < len; i++) {
    if (data[i] == pattern(visitor, visitor->round, visitor->got + i)) continue;
    say_wrong(visitor, "a byte of a stream");
    return;
  }
  visitor->got += len;
  if (!fin) return;
  if (visitor->got == visitor->want)
    round_finish(visitor);
  else
    say_wrong(visitor, "fewer bytes than were sent");
}

static const struct wt_stream_callbacks stream_callbacks = {.on_data = on_data};

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  (void)session;
  wt_stream_set_callbacks(stream, &stream_callbacks, user_data);
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct visitor *visitor = user_data;
  uint32_t round;
  (void)session;
  if (len != DATAGRAM_LEN) {
    say_wrong(visitor, "a datagram's length");
    return;
  }
  memcpy(&round, data, sizeof(round));
  for (size_t i = sizeof(round); i < len; i++) {
    if (data[i] == pattern(visitor, round, i)) continue;
    say_wrong(visitor, "a byte of a datagram");
    return;
  }
  fleet.datagrams_back++;
}

static void send_datagram(struct visitor *visitor) {
  uint8_t datagram[DATAGRAM_LEN];
  pattern_fill(visitor, visitor->round, 0, datagram, sizeof(datagram));
  memcpy(datagram, &visitor->round, sizeof(visitor->round));
  if (wt_session_send_datagram(visitor->session, datagram, sizeof(datagram)) == 0) fleet.datagrams_sent++;
}

static void on_timer_round(uv_timer_t *timer) {
  struct visitor *visitor = timer->data;
  uint8_t data[LEN_MIN + LEN_SPAN];
  wt_stream *stream;
  visitor->round++;
  visitor->got = 0;
  visitor->want = LEN_MIN + visitor->round * LEN_STEP % LEN_SPAN;
  visitor->in_round = true;
  visitor->moved = false;
  visitor->round_began = uv_hrtime();
  pattern_fill(visitor, visitor->round, 0, data, visitor->want);
  int error = visitor->round % 2 ? wt_session_open_bidi(visitor->session, &stream)
                                 : wt_session_open_uni(visitor->session, &stream);
  if (error) {
    say_wrong(visitor, wt_error_string(error));
    return;
  }
  wt_stream_set_callbacks(stream, &stream_callbacks, visitor);
  (void)wt_stream_write(stream, data, visitor->want, NULL); /* a few thousand bytes always fit */
  (void)wt_stream_end(stream);
  send_datagram(visitor);
}

/* --- Sessions --- */

static void on_drain(wt_session *session, void *user_data) {
  struct visitor *visitor = user_data;
  (void)session;
  SAY("drain %u %s", visitor->index, visitor->server);
  visitor->draining = true;
  if (!visitor->in_round) close_session(visitor);
}

static void on_end(uv_timer_t *timer);

/* There is no session now, and none is being dialled. */
static void visitor_ended(struct visitor *visitor, uint64_t again_ms) {
  fleet.open--;
  if (!fleet.stopping)
    uv_timer_start(&visitor->timer, on_timer_dial, again_ms, 0);
  else if (fleet.open == 0)
    uv_timer_start(&fleet.ender, on_end, 0, 0); /* not inside a callback of a client */
}

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct visitor *visitor = user_data;
  bool partial = visitor->in_round;
  (void)session;
  visitor->session = NULL;
  visitor->in_round = false;
  uv_timer_stop(&visitor->timer);
  SAY("closed %u %s %s %s %s (0x%" PRIx64 ")", visitor->index, visitor->server,
      visitor->asked_to_close ? "asked" : wt_cause_name(info->cause), partial ? "partial" : "complete",
      info->clean ? info->reason : info->message, info->wire_code);
  visitor_ended(visitor, 0);
}

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct visitor *visitor = user_data;
  struct wt_connection_info info = {.size = sizeof(info)};
  (void)dial;
  if (!result->session) {
    SAY("failed %u %s", visitor->index, result->message);
    visitor_ended(visitor, DIAL_AGAIN_MS);
    return;
  }
  visitor->session = result->session;
  (void)wt_session_get_connection_info(visitor->session, &info);
  snprintf(visitor->server, sizeof(visitor->server), "%s", wt_session_protocol(visitor->session));
  fleet.resumed += info.resumed;
  SAY("open %u %s %s", visitor->index, visitor->server, info.resumed ? "resumed" : "new");
  if (fleet.stopping)
    close_session(visitor);
  else
    uv_timer_start(&visitor->timer, on_timer_round, visitor->index * 37 % (fleet.interval_ms + 1), 0);
}

static void visitor_dial(struct visitor *visitor) {
  static const char *const names[SERVERS_MAX] = {"server-0", "server-1", "server-2", "server-3", "server-4",
                                                 "server-5", "server-6", "server-7", "server-8", "server-9"};
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = on_done};
  static const struct wt_session_callbacks session_callbacks = {
      .on_stream = on_stream, .on_datagram = on_datagram, .on_drain = on_drain, .on_close = on_close};
  struct wt_dial_options options;
  wt_dial *dial;
  if (fleet.stopping) return;
  wt_dial_options_default(&options);
  options.callbacks = &dial_callbacks;
  options.user_data = visitor;
  options.session_callbacks = &session_callbacks;
  options.session_user_data = visitor;
  options.protocols = names;
  options.protocol_count = SERVERS_MAX;
  options.timeout_ms = DIAL_TIMEOUT_MS;
  visitor->draining = visitor->asked_to_close = visitor->moved = false;
  fleet.dials++;
  fleet.open++;
  if (wt_client_dial(visitor->client, visitor->url, &options, &dial)) {
    fprintf(stderr, "fleet_client: %s\n", wt_client_error(visitor->client));
    exit(1);
  }
}

/* --- All of them --- */

/* A round, or a dial, sees one change at most. On a machine so busy that a round takes a second, a client would else never be heard on
 * any of its addresses: there is no way to survive that. */
static void on_move(uv_timer_t *timer) {
  struct visitor *visitor = timer->data;
  if (visitor->moved && (visitor->in_round || !visitor->session)) {
    fleet.moves_skipped++;
    return;
  }
  visitor->moved = true;
  if (!nat_rebind(&visitor->nat)) {
    fprintf(stderr, "fleet_client: no socket for a NAT\n");
    exit(1);
  }
}

static void visitor_init(struct visitor *visitor, unsigned index, uint16_t port) {
  struct wt_client_config config;
  char message[256];
  visitor->index = index;
  visitor->moves = index < fleet.movers;
  uv_timer_init(&fleet.loop, &visitor->timer);
  uv_timer_init(&fleet.loop, &visitor->mover);
  visitor->timer.data = visitor->mover.data = visitor;
  if (visitor->moves) {
    if (!nat_open(&visitor->nat, &fleet.loop, port)) exit(1);
    uv_timer_start(&visitor->mover, on_move, REBIND_MS + index * 29 % REBIND_MS, REBIND_MS);
    port = visitor->nat.port;
  }
  snprintf(visitor->url, sizeof(visitor->url), "https://127.0.0.1:%u/echo", (unsigned)port);
  wt_client_config_default(&config);
  config.loop = &fleet.loop;
  config.bind = "127.0.0.1:0"; /* and not all addresses: the balancer takes the same port on another one */
  config.certificate_hashes = fleet.hashes;
  config.certificate_hash_count = fleet.hash_count;
  if (wt_client_new(&config, &visitor->client, message, sizeof(message))) {
    fprintf(stderr, "fleet_client: %s\n", message);
    exit(1);
  }
  uv_timer_start(&visitor->timer, on_timer_dial, index * (uint64_t)DIALS_AT_ONCE_MS, 0);
}

static void on_end(uv_timer_t *timer) {
  unsigned rebinds = 0;
  uv_close((uv_handle_t *)timer, NULL);
  for (unsigned i = 0; i < fleet.count; i++) rebinds += fleet.visitors[i].nat.rebinds;
  SAY("end {\"rounds\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"longest_ms\": %" PRIu64 ", \"slow_rounds\": %" PRIu64
      ", \"datagrams_sent\": %" PRIu64 ", \"datagrams_back\": %" PRIu64 ", \"dials\": %" PRIu64
      ", \"resumed\": %" PRIu64 ", \"rebinds\": %u, \"rebinds_skipped\": %" PRIu64 ", \"failed\": %s}",
      fleet.rounds, fleet.bytes, fleet.longest_ms, fleet.slow_rounds, fleet.datagrams_sent, fleet.datagrams_back,
      fleet.dials, fleet.resumed, rebinds, fleet.moves_skipped, fleet.failed ? "true" : "false");
  for (unsigned i = 0; i < fleet.count; i++) {
    struct visitor *visitor = &fleet.visitors[i];
    wt_client_free(visitor->client);
    if (visitor->moves) nat_close(&visitor->nat);
    uv_close((uv_handle_t *)&visitor->timer, NULL);
    uv_close((uv_handle_t *)&visitor->mover, NULL);
  }
}

static void fleet_stop(void) {
  fleet.stopping = true;
  for (unsigned i = 0; i < fleet.count; i++) {
    struct visitor *visitor = &fleet.visitors[i];
    if (visitor->session && !visitor->in_round && !visitor->asked_to_close) close_session(visitor);
  }
  if (fleet.open == 0) uv_timer_start(&fleet.ender, on_end, 0, 0);
}

/* Of the certificates that servers may have: more than one if they are renewed. */
static bool hashes_parse(int count, char **words) {
  if (count < 1 || count > HASHES_MAX) return false;
  for (; fleet.hash_count < (size_t)count; fleet.hash_count++)
    if (!hash_parse(words[fleet.hash_count], fleet.hashes[fleet.hash_count])) return false;
  return true;
}

int main(int argc, char **argv) {
  if (!hashes_parse(argc - 5, argv + 5)) {
    fprintf(stderr, "usage: fleet_client PORT COUNT MOVERS INTERVAL_MS CERTIFICATE-SHA-256...\n");
    return 2;
  }
  fleet.input.on_end = fleet_stop;
  fleet.count = (unsigned)atoi(argv[2]);
  fleet.movers = (unsigned)atoi(argv[3]);
  fleet.interval_ms = (uint64_t)atoi(argv[4]);
  fleet.visitors = calloc(fleet.count, sizeof(*fleet.visitors));
  if (!fleet.visitors || uv_loop_init(&fleet.loop)) return 1;
  for (unsigned i = 0; i < fleet.count; i++) visitor_init(&fleet.visitors[i], i, (uint16_t)atoi(argv[1]));
  uv_timer_init(&fleet.loop, &fleet.ender);
  if (!client_input_start(&fleet.input, &fleet.loop)) return 1;
  uv_run(&fleet.loop, UV_RUN_DEFAULT);
  free(fleet.visitors);
  (void)uv_loop_close(&fleet.loop);
  return fleet.failed ? 1 : 0;
}
