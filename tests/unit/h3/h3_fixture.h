/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_H3_FIXTURE_H
#define TESTS_UNIT_H3_FIXTURE_H

/*
 * An HTTP/3 connection between a transport that records and a client made of bytes: requests are written
 * with nghttp3's QPACK encoder, answers are read with its decoder. No packets, no clock.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nghttp3/nghttp3.h>

#include <webtransport/webtransport.h>

#include "base/mem.h"
#include "h3/client_conn_state.h"
#include "h3/conn.h"
#include "h3/conn_state.h"
#include "h3/connect.h"
#include "h3/control_reader.h"
#include "h3/exchange.h"
#include "h3/http.h"
#include "h3/request.h"
#include "h3/role.h"
#include "h3/settings.h"
#include "h3/streams.h"
#include "wire/error_code.h"
#include "wire/stream_header.h"
#include "wire/varint.h"

#include "field_block.h"

#define H3_UNUSED __attribute__((unused))
#define H3_IDS 512
#define H3_MS UINT64_C(1000000)

/* Unidirectional streams that the fixture uses: the client's, and the server's encoder stream. */
#define H3_CONTROL 2
#define H3_ENCODER 6
#define H3_SERVER_ENCODER 7

struct h3_stream_log {
  uint8_t *sent;
  size_t sent_len;
  bool fin, reset, stopped, blocked;
  uint64_t reset_code, stop_code, consumed;
};

struct h3_fixture {
  struct wt__h3_counters counters;
  struct wt__routes routes;
  struct wt__h3_config config;
  struct wt__h3_conn *conn;
  struct wt__gauge gauge; /* what the connection says that it holds */
  struct wt__gauge_sum gauge_sum;
  struct h3_stream_log streams[H3_IDS];
  int64_t next_uni, next_bidi;
  size_t uni_left;
  unsigned wakes;
  bool keep_alive, closed;
  bool time_is_up; /* the turn has no time for more */
  uint64_t close_code;
  uint64_t now;
  nghttp3_qpack_encoder *encoder;
  nghttp3_qpack_decoder *decoder;
  bool reset_at;      /* the peer takes RESET_STREAM_AT */
  size_t decoder_fed; /* bytes of the server's encoder stream */
};

/* An answer, taken apart. */
struct h3_answer {
  int status;
  char fields[2048]; /* "name: value\n" each */
  uint8_t *body;
  size_t body_len;
};

/* --- The transport --- */

static int fake_open_stream(void *ctx, bool uni, int64_t *id) {
  struct h3_fixture *f = ctx;
  if (uni && f->uni_left == 0) return WT_ERR_STREAM_LIMIT;
  if (uni) f->uni_left--;
  *id = uni ? f->next_uni : f->next_bidi;
  if (uni) {
    f->next_uni += 4;
  } else {
    f->next_bidi += 4;
  }
  return 0;
}

static void fake_reset_stream(void *ctx, int64_t id, uint64_t code) {
  struct h3_stream_log *s = &((struct h3_fixture *)ctx)->streams[id];
  if (s->reset) return;
  s->reset = true;
  s->reset_code = code;
}

static bool fake_has_reset_at(void *ctx) { return ((struct h3_fixture *)ctx)->reset_at; }

static void fake_reset_stream_at(void *ctx, int64_t id, uint64_t code, uint64_t reliable_size, uint64_t final_size) {
  assert_true(reliable_size <= final_size);
  fake_reset_stream(ctx, id, code);
}

static void fake_stop_sending(void *ctx, int64_t id, uint64_t code) {
  struct h3_stream_log *s = &((struct h3_fixture *)ctx)->streams[id];
  if (s->stopped) return;
  s->stopped = true;
  s->stop_code = code;
}

static void fake_consume(void *ctx, int64_t id, uint64_t len) {
  ((struct h3_fixture *)ctx)->streams[id].consumed += len;
}

static void fake_wake(void *ctx) { ((struct h3_fixture *)ctx)->wakes++; }

static size_t fake_max_datagram_len(void *ctx) {
  (void)ctx;
  return 1200;
}

static void fake_close_connection(void *ctx, uint64_t code, const char *reason) {
  struct h3_fixture *f = ctx;
  assert_non_null(reason);
  assert_false(f->closed);
  f->closed = true;
  f->close_code = code;
}

static bool fake_has_time(void *ctx, bool light) {
  (void)light;
  return !((struct h3_fixture *)ctx)->time_is_up;
}

static void fake_set_keep_alive(void *ctx, bool on) { ((struct h3_fixture *)ctx)->keep_alive = on; }

static void fake_path_stats(void *ctx, struct wt__path_stats *stats) {
  (void)ctx;
  memset(stats, 0, sizeof(*stats));
}

static struct wt__gauge *fake_gauge(void *ctx) { return &((struct h3_fixture *)ctx)->gauge; }

static const struct wt_transport fake_transport = {
    .open_stream = fake_open_stream,
    .reset_stream = fake_reset_stream,
    .has_reset_at = fake_has_reset_at,
    .reset_stream_at = fake_reset_stream_at,
    .stop_sending = fake_stop_sending,
    .consume = fake_consume,
    .wake = fake_wake,
    .max_datagram_len = fake_max_datagram_len,
    .close_connection = fake_close_connection,
    .leave_connection = fake_close_connection,
    .set_keep_alive = fake_set_keep_alive,
    .has_time = fake_has_time,
    .path_stats = fake_path_stats,
    .gauge = fake_gauge,
};

/* --- Life --- */

static struct h3_fixture *h3_new(void) {
  struct h3_fixture *f = calloc(1, sizeof(*f));
  assert_non_null(f);
  wt__routes_init(&f->routes);
  f->gauge_sum.share = SIZE_MAX;
  f->gauge.sum = &f->gauge_sum;
  f->now = 1000 * H3_MS;
  f->next_uni = 3;
  f->next_bidi = 1;
  f->uni_left = 100;
  f->config = (struct wt__h3_config){
      .mux = {.max_stream_send_buffer = 256 * 1024,
              .max_datagrams_queued = 16,
              .max_early_streams = 8,
              .max_early_datagrams = 8,
              .early_timeout_ms = 5000},
      .routes = &f->routes,
      .counters = &f->counters,
      .settings_timeout_ms = 5000,
      .no_request_timeout_ms = 10000,
      .max_sessions_per_connection = 16,
      .max_header_bytes = 16 * 1024,
      .drafts = WT_DRAFT_ALL,
      .max_streams_bidi = 256,
      .max_stream_data = 1024 * 1024,
  };
  assert_int_equal(nghttp3_qpack_encoder_new(&f->encoder, 4096, nghttp3_mem_default()), 0);
  assert_int_equal(nghttp3_qpack_decoder_new(&f->decoder, 65536, 100, nghttp3_mem_default()), 0);
  f->decoder_fed = 1; /* the stream's type */
  return f;
}

static H3_UNUSED void h3_start(struct h3_fixture *f) {
  assert_int_equal(wt__h3_conn_new(&f->conn, &f->config, &fake_transport, f, "192.0.2.1:4433", f->now), 0);
  wt__h3_conn_start(f->conn, 65535);
}

static H3_UNUSED void h3_free(struct h3_fixture *f) {
  wt__h3_conn_free(f->conn, &(struct wt__ending){WT_CAUSE_ERROR, true, WT__H3_NO_ERROR, ""});
  assert_int_equal(f->gauge.bytes, 0); /* it was counted as it was freed */
  assert_int_equal(f->gauge.queued, 0);
  assert_int_equal(f->gauge_sum.bytes, 0);
  wt__routes_free(&f->routes);
  nghttp3_qpack_encoder_del(f->encoder);
  nghttp3_qpack_decoder_del(f->decoder);
  for (size_t i = 0; i < H3_IDS; i++) free(f->streams[i].sent);
  assert_int_equal(f->counters.sessions_open, 0);
  free(f);
  assert_int_equal(wt__mem_live(), 0);
}

/* --- Sending and acknowledging --- */

static void h3_take(struct h3_fixture *f, const struct wt__send *send, size_t max) {
  struct h3_stream_log *s = &f->streams[send->id];
  size_t total = 0, taken = 0;
  for (size_t i = 0; i < send->count; i++) total += send->vecs[i].len;
  s->sent = realloc(s->sent, s->sent_len + max + 1);
  assert_non_null(s->sent);
  for (size_t i = 0; i < send->count && taken < max; i++) {
    size_t n = send->vecs[i].len < max - taken ? send->vecs[i].len : max - taken;
    memcpy(s->sent + s->sent_len + taken, send->vecs[i].data, n);
    taken += n;
  }
  s->sent_len += taken;
  if (send->fin && taken == total) s->fin = true;
  wt__h3_conn_sent(f->conn, send->id, taken, send->fin && taken == total);
}

/* Sends what there is, in packets of 1,200 bytes. Stops after `max` of them; returns how many there were. */
static H3_UNUSED size_t h3_flush_some(struct h3_fixture *f, size_t max) {
  struct wt__send send;
  size_t packets = 0;
  while (packets < max && wt__h3_conn_next(f->conn, &send, UINT64_MAX)) {
    struct h3_stream_log *s = &f->streams[send.id];
    assert_true(packets < 100000);
    packets++;
    if (s->reset) {
      wt__h3_conn_write_closed(f->conn, send.id);
    } else if (s->blocked) {
      wt__h3_conn_blocked(f->conn, send.id);
    } else {
      h3_take(f, &send, 1200);
    }
  }
  return packets;
}

static H3_UNUSED size_t h3_flush(struct h3_fixture *f) { return h3_flush_some(f, SIZE_MAX); }

/* Requests whose header section is there, and a client's dials and exchanges. */
static size_t h3_requests(const struct wt__h3_conn *conn) {
  size_t count = 0;
  WT__LIST_FOREACH(it, next, &conn->requests) {
    count += WT__CONTAINER_OF(it, struct wt_request, link)->stage != WT__REQUEST_READING;
  }
  if (!conn->client) return count;
  WT__LIST_FOREACH(it, next, &conn->client->dials) count++;
  WT__LIST_FOREACH(it, next, &conn->client->exchanges) count++;
  return count;
}

/* A turn. Where sending leaves a request something to do, the connection has to have asked for the next one. */
static H3_UNUSED void h3_run(struct h3_fixture *f) {
  wt__h3_conn_run(f->conn, f->now);
  unsigned wakes = f->wakes;
  bool had_due = !wt__list_empty(&f->conn->due_requests);
  h3_flush(f);
  if (!f->conn->closing) assert_int_equal(f->conn->requests_open, h3_requests(f->conn));
  if (!had_due && !f->conn->closing && !wt__list_empty(&f->conn->due_requests)) assert_true(f->wakes > wakes);
}

static H3_UNUSED void h3_ack(struct h3_fixture *f, int64_t id) {
  wt__h3_conn_acked(f->conn, id, f->streams[id].sent_len, f->now);
}

/* The stream ended in order on both sides, and QUIC closes it. */
static H3_UNUSED void h3_finish(struct h3_fixture *f, int64_t id) {
  h3_ack(f, id);
  wt__h3_conn_stream_closed(f->conn, id, false, 0);
  h3_run(f);
}

/* --- The client's bytes --- */

static void h3_recv(struct h3_fixture *f, int64_t id, const void *data, size_t len, bool fin) {
  wt__h3_conn_recv(f->conn, id, data, len, fin, f->now);
}

/* The client's control stream, with these settings. Returns its length. */
static size_t h3_write_settings(uint8_t *dst, size_t size, const struct wt__setting *settings, size_t count) {
  dst[0] = 0x00;
  return 1 + wt__settings_write_frame(dst + 1, size - 1, settings, count);
}

static const struct wt__setting settings_chromium[] = {
    {0x01, 65536}, {0x06, 16384}, {0x07, 100}, {0x33, 1}, {0xffd277, 1}, {0x2b603742, 1}, {0x21, 7},
};
static const struct wt__setting settings_draft15[] = {{0x33, 1}, {0x2c7cf000, 1}};

static H3_UNUSED void h3_settings(struct h3_fixture *f, const struct wt__setting *settings, size_t count) {
  uint8_t bytes[512];
  size_t len = h3_write_settings(bytes, sizeof(bytes), settings, count);
  h3_recv(f, H3_CONTROL, bytes, len, false);
}
#define H3_SETTINGS(f, list) h3_settings((f), (list), sizeof(list) / sizeof((list)[0]))

/* Writes a HEADERS frame; `fields` are name, value, ..., NULL. Instructions for the encoder stream, if any,
 * go to `*inserts`. Returns the frame, to be freed. */
static uint8_t *h3_headers_frame(struct h3_fixture *f, int64_t id, const char *const *fields, size_t *len,
                                 nghttp3_buf *inserts) {
  nghttp3_nv nv[600];
  nghttp3_buf prefix, body;
  size_t count = 0, n;
  uint8_t *frame;
  for (size_t i = 0; fields[i]; i += 2) {
    assert_true(count < 600);
    nv[count++] = (nghttp3_nv){(uint8_t *)fields[i], (uint8_t *)fields[i + 1], strlen(fields[i]), strlen(fields[i + 1]),
                               inserts ? NGHTTP3_NV_FLAG_TRY_INDEX : NGHTTP3_NV_FLAG_NONE};
  }
  nghttp3_buf_init(&prefix);
  nghttp3_buf_init(&body);
  nghttp3_buf none, *enc = inserts ? inserts : &none;
  nghttp3_buf_init(enc);
  assert_int_equal(nghttp3_qpack_encoder_encode(f->encoder, &prefix, &body, enc, id, nv, count), 0);
  if (!inserts) assert_int_equal(nghttp3_buf_len(enc), 0);
  n = nghttp3_buf_len(&prefix) + nghttp3_buf_len(&body);
  frame = malloc(n + 16);
  assert_non_null(frame);
  *len = 0;
  frame[(*len)++] = 0x01;
  *len += wt__varint_write(frame + *len, n);
  memcpy(frame + *len, prefix.pos, nghttp3_buf_len(&prefix));
  *len += nghttp3_buf_len(&prefix);
  memcpy(frame + *len, body.pos, nghttp3_buf_len(&body));
  *len += nghttp3_buf_len(&body);
  nghttp3_buf_free(&prefix, nghttp3_mem_default());
  nghttp3_buf_free(&body, nghttp3_mem_default());
  if (!inserts) nghttp3_buf_free(enc, nghttp3_mem_default());
  return frame;
}

static H3_UNUSED void h3_send_request(struct h3_fixture *f, int64_t id, const char *const *fields, bool fin) {
  size_t len;
  uint8_t *frame = h3_headers_frame(f, id, fields, &len, NULL);
  h3_recv(f, id, frame, len, fin);
  free(frame);
}

/* A HEADERS frame whose section is `block`. */
static H3_UNUSED void h3_send_block(struct h3_fixture *f, int64_t id, const struct field_block *block, bool fin) {
  uint8_t head[16] = {0x01};
  size_t len = 1 + wt__varint_write(head + 1, block->len);
  h3_recv(f, id, head, len, false);
  h3_recv(f, id, block->data, block->len, fin);
}

#define H3_FIELDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define H3_PLAIN(method, path) ":method", method, ":scheme", "https", ":authority", "example.com", ":path", path
#define H3_CONNECT(protocol, path) H3_PLAIN("CONNECT", path), ":protocol", protocol

static H3_UNUSED void h3_get(struct h3_fixture *f, int64_t id, const char *path) {
  h3_send_request(f, id, H3_FIELDS(H3_PLAIN("GET", path)), true);
}

/* A DATA frame. */
static H3_UNUSED void h3_data(struct h3_fixture *f, int64_t id, const void *data, size_t len, bool fin) {
  uint8_t *frame = malloc(len + 16);
  size_t at = 0;
  assert_non_null(frame);
  frame[at++] = 0x00;
  at += wt__varint_write(frame + at, len);
  if (len > 0) memcpy(frame + at, data, len);
  h3_recv(f, id, frame, at + len, fin);
  free(frame);
}

/* --- Reading answers --- */

static void h3_read_fields(struct h3_fixture *f, int64_t id, const uint8_t *data, size_t len,
                           struct h3_answer *answer) {
  const struct h3_stream_log *inserts = &f->streams[H3_SERVER_ENCODER];
  nghttp3_qpack_stream_context *context;
  if (inserts->sent_len > f->decoder_fed) {
    size_t n = inserts->sent_len - f->decoder_fed;
    assert_int_equal(nghttp3_qpack_decoder_read_encoder(f->decoder, inserts->sent + f->decoder_fed, n), n);
    f->decoder_fed += n;
  }
  assert_int_equal(nghttp3_qpack_stream_context_new(&context, id, nghttp3_mem_default()), 0);
  for (;;) {
    nghttp3_qpack_nv nv;
    uint8_t flags = 0;
    nghttp3_ssize n = nghttp3_qpack_decoder_read_request(f->decoder, context, &nv, &flags, data, len, 1);
    assert_true(n >= 0);
    data += n;
    len -= (size_t)n;
    if (flags & NGHTTP3_QPACK_DECODE_FLAG_FINAL) break;
    assert_true(flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT);
    nghttp3_vec name = nghttp3_rcbuf_get_buf(nv.name), value = nghttp3_rcbuf_get_buf(nv.value);
    size_t used = strlen(answer->fields);
    snprintf(answer->fields + used, sizeof(answer->fields) - used, "%.*s: %.*s\n", (int)name.len, name.base,
             (int)value.len, value.base);
    if (name.len == 7 && memcmp(name.base, ":status", 7) == 0) answer->status = atoi((const char *)value.base);
    nghttp3_rcbuf_decref(nv.name);
    nghttp3_rcbuf_decref(nv.value);
  }
  nghttp3_qpack_stream_context_del(context);
}

/* Takes apart what was sent on `id`. Free with `h3_answer_free`. */
static H3_UNUSED struct h3_answer h3_answer(struct h3_fixture *f, int64_t id) {
  const struct h3_stream_log *s = &f->streams[id];
  struct h3_answer answer = {0};
  size_t at = 0;
  answer.body = malloc(s->sent_len + 1);
  assert_non_null(answer.body);
  while (at < s->sent_len) {
    uint64_t type, len;
    at += wt__varint_read(s->sent + at, s->sent_len - at, &type);
    at += wt__varint_read(s->sent + at, s->sent_len - at, &len);
    assert_true(len <= s->sent_len - at);
    if (type == 0x01) {
      h3_read_fields(f, id, s->sent + at, (size_t)len, &answer);
    } else {
      assert_int_equal(type, 0x00);
      memcpy(answer.body + answer.body_len, s->sent + at, (size_t)len);
      answer.body_len += (size_t)len;
    }
    at += (size_t)len;
  }
  answer.body[answer.body_len] = '\0';
  return answer;
}

static H3_UNUSED void h3_answer_free(struct h3_answer *answer) { free(answer->body); }

static H3_UNUSED int h3_status(struct h3_fixture *f, int64_t id) {
  struct h3_answer answer = h3_answer(f, id);
  h3_answer_free(&answer);
  return answer.status;
}

static H3_UNUSED bool h3_has_field(const struct h3_answer *answer, const char *line) {
  size_t len = strlen(line);
  const char *at = answer->fields;
  while (at && *at) {
    if (strncmp(at, line, len) == 0 && at[len] == '\n') return true;
    at = strchr(at, '\n');
    if (at) at++;
  }
  return false;
}

#endif
