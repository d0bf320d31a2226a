/* SPDX-License-Identifier: MIT */
#ifndef WT_TESTS_MUX_FIXTURE_H
#define WT_TESTS_MUX_FIXTURE_H

/*
 * A mux on a transport that only writes down what it was asked, and an application that only writes down
 * what it was told. Each entry is a line of text, so that a test says what it expects in one string.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "core/mux.h"
#include "core/session.h"
#include "core/stream.h"

#define MS UINT64_C(1000000)

struct mux_fixture {
  struct wt__mux mux;
  struct wt__mux_config config;
  struct wt__gauge gauge; /* what the mux says that it holds */
  struct wt__gauge_sum gauge_sum;
  char wire[8192]; /* "reset 2 52e4a40fa8db; " ... */
  char app[8192];
  uint64_t consumed;
  int64_t next_uni, next_bidi;
  unsigned streams_left;
  size_t max_datagram;
  int wakes;
  bool keep_alive;
  bool reset_at;          /* the peer takes RESET_STREAM_AT */
  wt_stream *last_stream; /* of on_stream */
};

static inline void note(char *log, size_t size, const char *format, ...) {
  size_t len = strlen(log);
  va_list args;
  va_start(args, format);
  vsnprintf(log + len, size - len, format, args);
  va_end(args);
}

#define WIRE(f, ...) note((f)->wire, sizeof((f)->wire), __VA_ARGS__)
#define APP(f, ...) note((f)->app, sizeof((f)->app), __VA_ARGS__)

static inline int fake_open(void *ctx, bool uni, int64_t *id) {
  struct mux_fixture *f = ctx;
  if (f->streams_left == 0) return WT_ERR_STREAM_LIMIT;
  f->streams_left--;
  *id = uni ? f->next_uni : f->next_bidi;
  if (uni)
    f->next_uni += 4;
  else
    f->next_bidi += 4;
  return 0;
}
static inline void fake_reset(void *ctx, int64_t id, uint64_t code) {
  WIRE((struct mux_fixture *)ctx, "reset %d %llx; ", (int)id, (unsigned long long)code);
}
static inline bool fake_has_reset_at(void *ctx) { return ((struct mux_fixture *)ctx)->reset_at; }
static inline void fake_reset_at(void *ctx, int64_t id, uint64_t code, uint64_t reliable_size, uint64_t final_size) {
  WIRE((struct mux_fixture *)ctx, "reset %d %llx at %d of %d; ", (int)id, (unsigned long long)code, (int)reliable_size,
       (int)final_size);
}
static inline void fake_stop(void *ctx, int64_t id, uint64_t code) {
  WIRE((struct mux_fixture *)ctx, "stop %d %llx; ", (int)id, (unsigned long long)code);
}
static inline void fake_consume(void *ctx, int64_t id, uint64_t len) {
  (void)id;
  ((struct mux_fixture *)ctx)->consumed += len;
}
static inline void fake_wake(void *ctx) { ((struct mux_fixture *)ctx)->wakes++; }
static inline size_t fake_max_datagram(void *ctx) { return ((struct mux_fixture *)ctx)->max_datagram; }
static inline void fake_close(void *ctx, uint64_t code, const char *reason) {
  (void)reason;
  WIRE((struct mux_fixture *)ctx, "close %llx; ", (unsigned long long)code);
}
static inline void fake_leave(void *ctx, uint64_t code, const char *reason) {
  WIRE((struct mux_fixture *)ctx, "leave %llx '%s'; ", (unsigned long long)code, reason);
}
static inline void fake_keep_alive(void *ctx, bool on) { ((struct mux_fixture *)ctx)->keep_alive = on; }
static inline void fake_path_stats(void *ctx, struct wt__path_stats *stats) {
  (void)ctx;
  stats->smoothed_rtt_us = 1234;
}
static inline void fake_connect_wake(void *ctx, int64_t id) { (void)ctx, (void)id; }
static inline void fake_connect_reset(void *ctx, int64_t id, uint64_t code) {
  WIRE((struct mux_fixture *)ctx, "connect_reset %d %llx; ", (int)id, (unsigned long long)code);
}
static inline void fake_session_closed(void *ctx, int64_t id) {
  WIRE((struct mux_fixture *)ctx, "session_closed %d; ", (int)id);
}

static inline struct wt__gauge *fake_gauge(void *ctx) { return &((struct mux_fixture *)ctx)->gauge; }

static const struct wt_transport fake_transport = {
    .gauge = fake_gauge,
    .open_stream = fake_open,
    .reset_stream = fake_reset,
    .has_reset_at = fake_has_reset_at,
    .reset_stream_at = fake_reset_at,
    .stop_sending = fake_stop,
    .consume = fake_consume,
    .wake = fake_wake,
    .max_datagram_len = fake_max_datagram,
    .close_connection = fake_close,
    .leave_connection = fake_leave,
    .set_keep_alive = fake_keep_alive,
    .path_stats = fake_path_stats,
    .connect_wake = fake_connect_wake,
    .connect_reset = fake_connect_reset,
    .session_closed = fake_session_closed,
};

static inline void told_error(struct mux_fixture *f, const char *what, wt_stream *s, const struct wt_stream_error *e) {
  if (e == NULL)
    APP(f, "%s %d; ", what, (int)wt_stream_id(s));
  else if (e->session_gone)
    APP(f, "%s %d gone %s %u; ", what, (int)wt_stream_id(s), wt_party_name(e->by), e->code);
  else if (e->has_code)
    APP(f, "%s %d %s %u; ", what, (int)wt_stream_id(s), wt_party_name(e->by), e->code);
  else
    APP(f, "%s %d %s wire %llx; ", what, (int)wt_stream_id(s), wt_party_name(e->by), (unsigned long long)e->wire_code);
}
static inline void app_data(wt_stream *s, const uint8_t *data, size_t len, bool fin, void *ud) {
  APP((struct mux_fixture *)ud, "data %d '%.*s'%s; ", (int)wt_stream_id(s), (int)len, data ? (const char *)data : "",
      fin ? " fin" : "");
}
static inline void app_writable(wt_stream *s, void *ud) {
  APP((struct mux_fixture *)ud, "writable %d; ", (int)wt_stream_id(s));
}
static inline void app_reset(wt_stream *s, const struct wt_stream_error *e, void *ud) { told_error(ud, "reset", s, e); }
static inline void app_stop(wt_stream *s, const struct wt_stream_error *e, void *ud) { told_error(ud, "stop", s, e); }
static inline void app_stream_close(wt_stream *s, const struct wt_stream_error *e, void *ud) {
  told_error(ud, "closed", s, e);
}

static const struct wt_stream_callbacks stream_app = {
    .on_data = app_data,
    .on_writable = app_writable,
    .on_reset = app_reset,
    .on_stop_sending = app_stop,
    .on_close = app_stream_close,
};

static inline void app_stream(wt_session *session, wt_stream *stream, void *ud) {
  struct mux_fixture *f = ud;
  APP(f, "stream %d of %d; ", (int)wt_stream_id(stream), (int)wt_session_id(session));
  f->last_stream = stream;
  wt_stream_set_callbacks(stream, &stream_app, f);
}
static inline void app_datagram(wt_session *session, const uint8_t *data, size_t len, void *ud) {
  APP((struct mux_fixture *)ud, "datagram %d '%.*s'; ", (int)wt_session_id(session), (int)len, (const char *)data);
}
static inline void app_credit(wt_session *session, enum wt_stream_kind kind, void *ud) {
  APP((struct mux_fixture *)ud, "credit %d %d; ", (int)wt_session_id(session), kind);
}
static inline void app_drain(wt_session *session, void *ud) {
  APP((struct mux_fixture *)ud, "drain %d; ", (int)wt_session_id(session));
}
static inline void app_close(wt_session *session, const struct wt_close_info *info, void *ud) {
  APP((struct mux_fixture *)ud, "session %d %s %u '%s'%s; ", (int)wt_session_id(session), wt_party_name(info->by),
      info->code, info->reason, info->clean ? "" : " unclean");
}

static const struct wt_session_callbacks session_app = {
    .on_stream = app_stream,
    .on_datagram = app_datagram,
    .on_stream_credit = app_credit,
    .on_drain = app_drain,
    .on_close = app_close,
};

static inline void fixture_init(struct mux_fixture *f) {
  memset(f, 0, sizeof(*f));
  f->config = (struct wt__mux_config){.max_stream_send_buffer = 1000,
                                      .max_datagrams_queued = 3,
                                      .max_early_streams = 2,
                                      .max_early_datagrams = 2,
                                      .early_timeout_ms = 5000};
  f->next_uni = 3;
  f->next_bidi = 1;
  f->streams_left = 100;
  f->max_datagram = 1200;
  f->gauge_sum.share = SIZE_MAX;
  f->gauge.sum = &f->gauge_sum;
  wt__mux_init(&f->mux, &f->config, &fake_transport, f);
}

static inline wt_session *fixture_session(struct mux_fixture *f, int64_t id) {
  struct wt__session_params params = {.path = "/echo",
                                      .protocol = "",
                                      .peer_address = "192.0.2.1:1",
                                      .draft = 2,
                                      .callbacks = &session_app,
                                      .user_data = f};
  wt_session *session;
  assert_int_equal(wt__mux_session_new(&f->mux, id, &params, &session), 0);
  wt__mux_run(&f->mux, 0);
  return session;
}

/* Compares with what was noted since the last time, and forgets it. */
static inline void expect(char *log, const char *text) {
  assert_string_equal(log, text);
  log[0] = 0;
}
#define EXPECT_WIRE(f, text) expect((f)->wire, text)
#define EXPECT_APP(f, text) expect((f)->app, text)

/* Lets the transport take the next stream's bytes, all of them; notes id and bytes from `skip` on. */
static inline int64_t fixture_send(struct mux_fixture *f, size_t skip) {
  struct wt__send send;
  wt_stream *stream;
  char bytes[4096];
  size_t len = 0;
  if (!wt__mux_next(&f->mux, &send, &stream)) return -1;
  for (size_t i = 0; i < send.count; i++) {
    memcpy(bytes + len, send.vecs[i].data, send.vecs[i].len);
    len += send.vecs[i].len;
  }
  if (skip > len) skip = len;
  WIRE(f, "send %d '%.*s'%s; ", (int)send.id, (int)(len - skip), bytes + skip, send.fin ? " fin" : "");
  wt__stream_sent(stream, len, send.fin);
  return send.id;
}

static inline void fixture_end(struct mux_fixture *f) {
  wt__mux_free(&f->mux, &(struct wt__ending){WT_CAUSE_ERROR, true, 0x100, ""});
  assert_int_equal(f->gauge.bytes, 0); /* it was counted as it was freed */
  assert_int_equal(f->gauge.queued, 0);
  assert_int_equal(f->gauge_sum.bytes, 0);
  assert_int_equal(wt__mem_live(), 0);
}

#endif
