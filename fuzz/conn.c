/* SPDX-License-Identifier: MIT */
/*
 * The interpreter of the connection targets. A script is a list of steps of one byte each, with what they need behind
 * them: what the peer sends (frames, field sections, capsules, stream headers, and raw bytes), what QUIC does
 * (acknowledgements, windows, resets), what the application does, and time. Steps below know the formats, so that a
 * mutated script gets deep; STEP_MUTATE spoils the bytes of the next one. Unless the high bit of a step is set, the
 * connection has its turn behind it.
 *
 * It is checked that everything that began has ended exactly once, that all memory is given back and counted back, that
 * the memory held has a bound, and that a connection that was closed has a code. Scripts of the corpus are written by
 * make_corpus.py, which has the same list of steps.
 */

#include "conn.h"

#include <string.h>

#include "app.h"
#include "base/mem.h"
#include "bytes.h"
#include "fuzz.h"
#include "h3/client.h"
#include "h3/conn.h"
#include "h3/conn_state.h"
#include "h3/routes.h"
#include "quic.h"
#include "wire/error_code.h"

#define MS UINT64_C(1000000)
#define HOLD 0x80 /* bit of a step: the connection has no turn behind it */

enum step {
  STEP_RAW = 0,      /* stream, bytes */
  STEP_FRAME,        /* stream, type, bytes: a frame */
  STEP_FIELDS,       /* stream, preset, fields: HEADERS */
  STEP_DATA,         /* stream, bytes: DATA */
  STEP_CAPSULE,      /* stream, type, bytes: a capsule in DATA */
  STEP_WEBTRANSPORT, /* stream, session's stream, bytes: a stream header and bytes */
  STEP_SETTINGS,     /* preset */
  STEP_CRITICAL,     /* which, bytes: QPACK's streams */
  STEP_CONTROL,      /* type, bytes: a frame on the control stream */
  STEP_FIN,          /* stream */
  STEP_RESET,        /* stream, code, lost bytes */
  STEP_STOP,         /* stream, code */
  STEP_DATAGRAM,     /* session's stream, bytes */
  STEP_RAW_DATAGRAM, /* bytes */
  STEP_ACK,          /* stream, length */
  STEP_ACK_ALL,
  STEP_WINDOW,  /* stream, length */
  STEP_STREAMS, /* which kind, count */
  STEP_TIME,    /* milliseconds, times 16 */
  STEP_APP,     /* object, action */
  STEP_ASK,     /* the client's application asks for a session, or the server's limit on requests grows */
  STEP_REQUEST, /* the client's application sends a request */
  STEP_SHUTDOWN,
  STEP_MUTATE,      /* place, value: of the bytes that come next */
  STEP_NO_MEMORY,   /* count: the allocation after that many fails */
  STEP_PRESSURE,    /* level */
  STEP_STREAM_ROOM, /* what a stream may send from its beginning */
  STEP_REPEAT,      /* count: the bytes that come next are sent so often */
  STEP_SPLIT,       /* place: where the bytes that come next arrive in two pieces */
  STEPS
};

struct conn {
  bool client;
  struct script script;
  struct quic quic;
  struct app app;
  struct wt__h3_conn *h3;
  struct wt__h3_config config;
  struct wt__h3_counters counters;
  struct wt__routes routes;
  struct wt__hub hub;   /* of a server */
  bool ended, in_bytes; /* the latter: all bytes arrive one by one */
  /* Of the next bytes. */
  bool mutate;
  size_t mutate_at, repeat, split;
  uint8_t mutate_value;
};

/* --- Streams of the peer and of the library --- */

/* Which stream a byte of the script names: one of the peer's, or of the library's. */
static int64_t script_stream(struct conn *conn) {
  uint8_t byte = script_byte(&conn->script);
  return (int64_t)(byte & 3) + 4 * (byte >> 2 & 31);
}

static int64_t stream_control(const struct conn *conn) { return conn->client ? 3 : 2; }

/* In two pieces, if the script says so, or byte by byte. */
static void send_pieces(struct conn *conn, int64_t id, const struct chunk *chunk, bool fin) {
  size_t at = 0, piece = conn->in_bytes ? 1 : conn->split ? conn->split : chunk->len;
  for (; piece > 0 && at + piece < chunk->len && !conn->quic.closed; at += piece) {
    quic_recv(&conn->quic, id, chunk->data + at, piece, false);
    if (!conn->in_bytes) piece = chunk->len;
  }
  if (!conn->quic.closed) quic_recv(&conn->quic, id, chunk->data + at, chunk->len - at, fin);
}

static void send_chunk(struct conn *conn, int64_t id, struct chunk *chunk, bool fin) {
  size_t times = conn->repeat ? conn->repeat : 1;
  if (conn->mutate && chunk->len > 0) {
    chunk->data[conn->mutate_at % chunk->len] ^= conn->mutate_value;
    if (conn->mutate_value == 0) chunk->len = conn->mutate_at % chunk->len; /* cut */
  }
  conn->mutate = false;
  conn->repeat = 0;
  for (size_t i = 0; i < times && !conn->quic.closed; i++) send_pieces(conn, id, chunk, fin && i + 1 == times);
  conn->split = 0;
}

/* --- Steps --- */

static void step_frame(struct conn *conn, int64_t id, uint64_t type) {
  struct chunk payload = {.len = 0}, chunk = {.len = 0};
  chunk_script(&payload, &conn->script);
  chunk_frame(&chunk, type, &payload);
  send_chunk(conn, id, &chunk, false);
}

static void step_capsule(struct conn *conn) {
  int64_t id = script_stream(conn);
  struct chunk value = {.len = 0}, capsule = {.len = 0}, chunk = {.len = 0};
  uint64_t type = script_some_capsule(&conn->script);
  chunk_script(&value, &conn->script);
  chunk_frame(&capsule, type, &value); /* a capsule has the form of a frame */
  chunk_frame(&chunk, 0x00, &capsule);
  send_chunk(conn, id, &chunk, false);
}

static void step_webtransport(struct conn *conn) {
  int64_t id = script_stream(conn), session = script_stream(conn);
  struct chunk chunk = {.len = 0};
  chunk_varint(&chunk, id & 2 ? 0x54 : 0x41);
  chunk_varint(&chunk, (uint64_t)session);
  chunk_script(&chunk, &conn->script);
  send_chunk(conn, id, &chunk, false);
}

static void step_settings(struct conn *conn) {
  struct chunk chunk = {.len = 0};
  chunk_settings(&chunk, &conn->script);
  send_chunk(conn, stream_control(conn), &chunk, false);
}

static void step_critical(struct conn *conn) {
  unsigned which = script_byte(&conn->script) & 1;
  int64_t id = stream_control(conn) + 4 + 4 * (int64_t)which;
  struct chunk chunk = {.len = 0};
  const struct quic_stream *stream = quic_stream(&conn->quic, id);
  if (stream->received == 0) chunk_byte(&chunk, (uint8_t)(0x02 + which));
  chunk_script(&chunk, &conn->script);
  send_chunk(conn, id, &chunk, false);
}

static void step_datagram(struct conn *conn, bool raw) {
  struct chunk chunk = {.len = 0};
  if (!raw) chunk_varint(&chunk, (uint64_t)script_stream(conn) / 4);
  chunk_script(&chunk, &conn->script);
  if (!conn->quic.closed) wt__h3_conn_recv_datagram(conn->h3, chunk.data, chunk.len, conn->quic.now);
}

static void step_ack_all(struct conn *conn) {
  for (int64_t id = 0; id < 4 * QUIC_STREAMS; id++) quic_recv_ack(&conn->quic, id, UINT64_MAX);
}

static void step_mutate(struct conn *conn) {
  conn->mutate = true;
  conn->mutate_at = (size_t)script_number(&conn->script);
  conn->mutate_value = script_byte(&conn->script);
}

static void step_time(struct conn *conn) { conn->quic.now += script_byte(&conn->script) * 16 * MS; }

/* What the library's own side does. */
static void play_local(struct conn *conn, enum step step) {
  struct script *script = &conn->script;
  switch (step) {
    case STEP_APP: app_step(&conn->app); break;
    case STEP_ASK:
      if (conn->client) {
        app_dial(&conn->app);
      } else {
        wt__h3_conn_max_remote_bidi(conn->h3, script_byte(script));
      }
      break;
    case STEP_REQUEST:
      if (conn->client) app_exchange(&conn->app);
      break;
    case STEP_SHUTDOWN:
      if (conn->client && (script_byte(script) & 1)) {
        wt__h3_conn_close(conn->h3);
      } else {
        wt__h3_conn_shutdown(conn->h3);
      }
      break;
    case STEP_NO_MEMORY: wt__mem_fail_after(script_byte(script)); break;
    case STEP_PRESSURE:
      conn->quic.sum.pressure = (enum wt__pressure)(script_byte(script) % 3);
      conn->quic.sum.share = conn->quic.sum.pressure == WT__PRESSURE_FULL ? 65536 : SIZE_MAX;
      break;
    case STEP_TIME: step_time(conn); break;
    default: break;
  }
}

static void play_stream(struct conn *conn, enum step step) {
  struct chunk chunk = {.len = 0};
  int64_t id = script_stream(conn);
  switch (step) {
    case STEP_RAW:
      chunk_script(&chunk, &conn->script);
      send_chunk(conn, id, &chunk, false);
      break;
    case STEP_FRAME: step_frame(conn, id, script_some_type(&conn->script)); break;
    case STEP_FIELDS:
      chunk_headers(&chunk, &conn->script);
      send_chunk(conn, id, &chunk, false);
      break;
    case STEP_DATA: step_frame(conn, id, 0x00); break;
    case STEP_FIN: send_chunk(conn, id, &chunk, true); break;
    case STEP_RESET: {
      uint64_t code = script_some_code(&conn->script), more = script_byte(&conn->script);
      quic_recv_reset(&conn->quic, id, code, more >> 1, more & 1);
      break;
    }
    case STEP_STOP: quic_recv_stop_sending(&conn->quic, id, script_some_code(&conn->script)); break;
    case STEP_ACK: quic_recv_ack(&conn->quic, id, script_number(&conn->script)); break;
    case STEP_WINDOW: quic_recv_max_stream_data(&conn->quic, id, script_number(&conn->script)); break;
    default: break;
  }
}

static void play_step(struct conn *conn, enum step step) {
  struct script *script = &conn->script;
  unsigned uni;
  switch (step) {
    case STEP_RAW:
    case STEP_FRAME:
    case STEP_FIELDS:
    case STEP_DATA:
    case STEP_FIN:
    case STEP_RESET:
    case STEP_STOP:
    case STEP_ACK:
    case STEP_WINDOW: play_stream(conn, step); break;
    case STEP_CAPSULE: step_capsule(conn); break;
    case STEP_WEBTRANSPORT: step_webtransport(conn); break;
    case STEP_SETTINGS: step_settings(conn); break;
    case STEP_CRITICAL: step_critical(conn); break;
    case STEP_CONTROL: step_frame(conn, stream_control(conn), script_some_type(&conn->script)); break;
    case STEP_DATAGRAM: step_datagram(conn, false); break;
    case STEP_RAW_DATAGRAM: step_datagram(conn, true); break;
    case STEP_ACK_ALL: step_ack_all(conn); break;
    case STEP_STREAMS:
      uni = script_byte(script);
      quic_recv_max_streams(&conn->quic, uni & 1, uni >> 1 & 7);
      break;
    case STEP_MUTATE: step_mutate(conn); break;
    case STEP_STREAM_ROOM: conn->quic.stream_max = script_number(script); break;
    case STEP_REPEAT: conn->repeat = script_byte(script); break;
    case STEP_SPLIT: conn->split = (size_t)script_number(script); break;
    default: play_local(conn, step); break;
  }
}

/* --- A connection's life --- */

static void conn_turn(struct conn *conn) {
  quic_close_streams(&conn->quic);
  if (!conn->quic.closed) wt__h3_conn_run(conn->h3, conn->quic.now);
  if (!conn->quic.closed) quic_send(&conn->quic, 64, QUIC_WINDOW);
  if (!conn->quic.closed) wt__h3_conn_run(conn->h3, conn->quic.now);
  (void)wt__h3_conn_expiry(conn->h3);
  FUZZ_CHECK(conn->quic.gauge.bytes <= QUIC_MEMORY_MAX && conn->quic.sum.bytes <= QUIC_MEMORY_MAX);
}

/* Left to itself it comes to rest, and does not keep the loop from sleeping. */
static void conn_check_rest(struct conn *conn) {
  for (int i = 0; i < 1000; i++) {
    if (conn->quic.closed || wt__h3_conn_expiry(conn->h3) > conn->quic.now) return;
    conn_turn(conn);
  }
  FUZZ_CHECK(false);
}

static void on_end(const struct wt__h3_end *end, void *user_data) {
  struct conn *conn = user_data;
  FUZZ_CHECK(!conn->ended && end->error != 0);
  conn->ended = true;
}

static int conn_new(struct conn *conn) {
  static const struct wt__h3_client_callbacks callbacks = {.on_end = on_end};
  const char *address = "192.0.2.1:4433";
  if (!conn->client)
    return wt__h3_conn_new(&conn->h3, &conn->config, &quic_transport, &conn->quic, address, conn->quic.now);
  return wt__h3_conn_new_client(&conn->h3, &conn->config, &callbacks, conn, &quic_transport, &conn->quic, address,
                                conn->quic.now);
}

static void conn_begin(struct conn *conn) {
  uint8_t choice = script_byte(&conn->script);
  conn->config = (struct wt__h3_config){
      .mux = {.max_stream_send_buffer = 8 * 1024,
              .max_datagrams_queued = 16,
              .max_early_streams = 8,
              .max_early_datagrams = 8,
              .early_timeout_ms = 500},
      .routes = &conn->routes,
      .counters = &conn->counters,
      .settings_timeout_ms = 500,
      .no_request_timeout_ms = 2000,
      .max_sessions_per_connection = 3,
      .max_session_rate = 5,
      .max_header_bytes = 2048,
      .drafts = WT_DRAFT_ALL,
      .max_streams_bidi = QUIC_STREAMS,
      .max_stream_data = QUIC_STREAM_WINDOW,
  };
  if (choice & 1) {
    conn->config.mux.flow = (struct wt__flow_windows){{.data = 2000, .streams = {3, 3}}, .max_data = 8000};
  }
  if (!conn->client) {
    FUZZ_CHECK(wt__hub_init(&conn->hub, 1) == 0);
    conn->app.hub = &conn->hub;
    conn->config.mux.topics = &conn->hub.workers[0].topics;
  }
  conn->quic.reset_at = (choice & 2) != 0;
  conn->in_bytes = (choice & 8) != 0;
  FUZZ_CHECK(conn_new(conn) == 0);
  conn->quic.h3 = conn->app.h3 = conn->h3;
  wt__h3_conn_start(conn->h3, choice & 4 ? 0 : 65535);
  if (conn->client) wt__h3_conn_connected(conn->h3);
}

static void conn_end(struct conn *conn) {
  wt__mem_fail_after(SIZE_MAX);
  conn_check_rest(conn);
  wt__h3_conn_free(conn->h3, &(struct wt__ending){WT_CAUSE_ERROR, true,
                                                  conn->quic.closed ? conn->quic.close_code : WT__H3_NO_ERROR, ""});
  conn->app.ended = true;
  FUZZ_CHECK(!conn->client || conn->ended);
  wt__routes_free(&conn->routes);
  app_check_ended(&conn->app);
  FUZZ_CHECK(conn->hub.len == 0);
  wt__hub_free(&conn->hub);
  FUZZ_CHECK(conn->quic.gauge.bytes == 0 && conn->quic.sum.bytes == 0);
  FUZZ_CHECK(conn->counters.sessions_open == 0);
  FUZZ_CHECK(wt__mem_live() == 0);
}

void conn_play(bool client, const uint8_t *data, size_t size) {
  static struct conn conn;
  memset(&conn, 0, sizeof(conn));
  conn.client = client;
  if (!script_init(&conn.script, data, size)) return;
  quic_init(&conn.quic, client);
  app_init(&conn.app, &conn.script, client);
  wt__routes_init(&conn.routes);
  FUZZ_CHECK(wt__routes_set(&conn.routes, "/", app_handle, &conn.app, NULL) == 0);
  conn_begin(&conn);
  conn_turn(&conn);
  while (!script_is_over(&conn.script) && !conn.quic.closed) {
    uint8_t step = script_byte(&conn.script);
    play_step(&conn, (enum step)((step & ~HOLD) % STEPS));
    if (!(step & HOLD)) conn_turn(&conn);
  }
  conn_end(&conn);
}
