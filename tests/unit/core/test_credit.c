/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/credit.h"
#include "mux_fixture.h"
#include "wire/error_code.h"

#define LIMITS(bytes, bidi, uni) \
  (&(const struct wt__flow_limits){(bytes), {[WT_BIDIRECTIONAL] = (bidi), [WT_UNIDIRECTIONAL] = (uni)}})

/* A session of which this end allows `ours` and the peer `theirs`. */
static wt_session *credit_session(struct mux_fixture *f, int64_t id, const struct wt__flow_limits *theirs) {
  struct wt__session_params params = {.path = "/", .protocol = "", .peer_address = "", .draft = 15};
  wt_session *session;
  params.peer_limits = theirs;
  params.callbacks = &session_app;
  params.user_data = f;
  assert_int_equal(wt__mux_session_new(&f->mux, id, &params, &session), 0);
  wt__mux_run(&f->mux, 0);
  return session;
}

static void credit_init(struct mux_fixture *f, const struct wt__flow_limits *ours) {
  fixture_init(f);
  f->config.flow.initial = *ours;
  f->config.flow.max_data = ours->data;
}

/* Runs the mux and notes the capsules that it wants to send, as "type:value". */
static void capsules(struct mux_fixture *f, wt_session *session) {
  struct wt__capsule_reader reader;
  struct wt__capsule capsule;
  struct wt__vec vecs[8];
  bool fin;
  wt__mux_run(&f->mux, f->mux.now);
  wt__capsule_reader_init(&reader);
  for (size_t count; (count = wt__session_peek(session, vecs, 8, &fin));) {
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
      const uint8_t *data = vecs[i].data;
      size_t left = vecs[i].len, used;
      for (; left > 0; data += used, left -= used) {
        if (wt__capsule_read(&reader, data, left, &used, &capsule) != WT__CAPSULE_DONE) continue;
        WIRE(f, "%llx:%llu; ", (unsigned long long)(capsule.type & 0xff), (unsigned long long)capsule.value);
      }
      len += vecs[i].len;
    }
    wt__session_sent(session, len, false);
  }
  wt__capsule_reader_free(&reader);
}

static void recv_capsule(wt_session *session, enum wt__capsule_type type, uint64_t value) {
  uint8_t bytes[WT__CAPSULE_WRITE_MAX];
  wt__session_recv(session, bytes, wt__capsule_write_varint(bytes, type, value));
}

static void write_text(wt_stream *stream, const char *text) {
  size_t written;
  assert_int_equal(wt_stream_write(stream, text, strlen(text), &written), 0);
  assert_int_equal(written, strlen(text));
}

/* A remote stream of session 0 with `len` bytes on it. */
static wt_stream *remote(struct mux_fixture *f, int64_t id, size_t len) {
  static const uint8_t bytes[256] = {0};
  wt_stream *stream = wt__mux_stream_new_remote(&f->mux, id, (id & 2) != 0, 0, 0);
  if (stream) wt__stream_set_recv_header(stream, 3);
  if (stream && len > 0) wt__stream_recv(stream, bytes, len, false);
  return stream;
}

static void expect_broken(struct mux_fixture *f, const char *told) {
  wt__mux_run(&f->mux, 1);
  assert_non_null(strstr(f->wire, "connect_reset 0 45d4487; "));
  assert_non_null(strstr(f->app, told));
  f->wire[0] = f->app[0] = 0;
}

#define BROKEN "session 0 transport 0 '' unclean; "

/* --- Sending --- */

static void test_credit_bytes_stop_at_the_limit_and_go_on_with_a_capsule(void **state) {
  struct mux_fixture f;
  wt_stream *s;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  wt_session *session = credit_session(&f, 0, LIMITS(5, 9, 9));
  assert_int_equal(wt_session_open_uni(session, &s), 0);
  write_text(s, "0123456789");
  wt_stream_end(s);
  fixture_send(&f, s->sending.header_len); /* the header is free */
  EXPECT_WIRE(&f, "send 3 '01234'; ");
  assert_int_equal(fixture_send(&f, 0), -1);
  capsules(&f, session);
  EXPECT_WIRE(&f, "41:5; "); /* DATA_BLOCKED */
  assert_int_equal(fixture_send(&f, 0), -1);
  capsules(&f, session);
  EXPECT_WIRE(&f, ""); /* once for each limit */
  recv_capsule(session, WT__CAPSULE_MAX_DATA, 8);
  fixture_send(&f, 0);
  EXPECT_WIRE(&f, "send 3 '567'; ");
  assert_int_equal(fixture_send(&f, 0), -1);
  capsules(&f, session);
  EXPECT_WIRE(&f, "41:8; ");
  recv_capsule(session, WT__CAPSULE_MAX_DATA, 10);
  fixture_send(&f, 0);
  EXPECT_WIRE(&f, "send 3 '89' fin; "); /* exactly the limit, and the FIN with it */
  capsules(&f, session);
  EXPECT_WIRE(&f, "");
  fixture_end(&f);
}

static void test_credit_of_zero_moves_headers_and_fins_only(void **state) {
  struct mux_fixture f;
  wt_stream *a, *b;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  wt_session *session = credit_session(&f, 0, LIMITS(0, 9, 9));
  wt_session_open_uni(session, &a);
  wt_session_open_uni(session, &b);
  write_text(a, "x");
  wt_stream_end(b);
  fixture_send(&f, a->sending.header_len);
  fixture_send(&f, b->sending.header_len);
  EXPECT_WIRE(&f, "send 3 ''; send 7 '' fin; ");
  assert_int_equal(fixture_send(&f, 0), -1);
  int wakes = f.wakes;
  wt__mux_run(&f.mux, 1);
  assert_int_equal(fixture_send(&f, 0), -1);
  wt__mux_run(&f.mux, 2);
  assert_int_equal(f.wakes, wakes); /* nothing spins */
  assert_int_equal(wt__mux_expiry(&f.mux), UINT64_MAX);
  fixture_end(&f);
}

static void test_credit_is_shared_by_the_streams_of_a_session(void **state) {
  struct mux_fixture f;
  wt_stream *a, *b, *other;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  wt_session *session = credit_session(&f, 0, LIMITS(4, 9, 9));
  wt_session *second = credit_session(&f, 4, LIMITS(4, 9, 9));
  wt_session_open_uni(session, &a);
  wt_session_open_uni(session, &b);
  wt_session_open_uni(second, &other);
  write_text(a, "aaa");
  write_text(b, "bbb");
  write_text(other, "ooo");
  for (int i = 0; i < 3; i++) fixture_send(&f, 3);
  EXPECT_WIRE(&f, "send 3 'aaa'; send 11 'ooo'; send 7 'b'; "); /* the other session goes on */
  wt_stream_reset(b, 1);                                        /* a parked stream may end */
  recv_capsule(session, WT__CAPSULE_MAX_DATA, 100);
  assert_int_equal(fixture_send(&f, 0), -1);
  fixture_end(&f);
}

static void test_credit_of_streams_and_of_bytes_are_told_apart(void **state) {
  struct mux_fixture f;
  wt_stream *s;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  wt_session *session = credit_session(&f, 0, LIMITS(0, 1, 2));
  assert_int_equal(wt_session_open_bidi(session, &s), 0);
  assert_int_equal(wt_session_open_bidi(session, &s), WT_ERR_STREAM_LIMIT);
  assert_int_equal(wt_session_open_bidi(session, &s), WT_ERR_STREAM_LIMIT);
  assert_int_equal(wt_session_open_uni(session, &s), 0);
  assert_int_equal(wt_session_open_uni(session, &s), 0);
  assert_int_equal(wt_session_open_uni(session, &s), WT_ERR_STREAM_LIMIT);
  capsules(&f, session);
  EXPECT_WIRE(&f, "43:1; 44:2; "); /* STREAMS_BLOCKED, once each */
  EXPECT_APP(&f, "");
  recv_capsule(session, WT__CAPSULE_MAX_STREAMS_BIDI, 2);
  capsules(&f, session);
  EXPECT_APP(&f, "credit 0 0; ");
  assert_int_equal(wt_session_open_bidi(session, &s), 0);
  recv_capsule(session, WT__CAPSULE_MAX_STREAMS_UNI, 3);
  capsules(&f, session);
  EXPECT_APP(&f, "credit 0 1; ");
  EXPECT_WIRE(&f, "");
  fixture_end(&f);
}

static void test_credit_is_given_back_when_quic_has_no_stream(void **state) {
  struct mux_fixture f;
  wt_stream *s;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  wt_session *session = credit_session(&f, 0, LIMITS(0, 1, 0));
  f.streams_left = 0;
  assert_int_equal(wt_session_open_bidi(session, &s), WT_ERR_STREAM_LIMIT);
  f.streams_left = 1;
  assert_int_equal(wt_session_open_bidi(session, &s), 0);
  capsules(&f, session);
  EXPECT_WIRE(&f, ""); /* it was not the session's limit */
  fixture_end(&f);
}

static void test_credit_capsules_that_break_the_rules_end_the_session(void **state) {
  static const struct {
    enum wt__capsule_type type;
    uint64_t value;
  } cases[] = {
      {WT__CAPSULE_MAX_DATA, 5},
      {WT__CAPSULE_MAX_DATA, 4},
      {WT__CAPSULE_MAX_STREAMS_BIDI, 2},
      {WT__CAPSULE_MAX_STREAMS_UNI, 1},
      {WT__CAPSULE_MAX_STREAMS_BIDI, (UINT64_C(1) << 60) + 1},
      {WT__CAPSULE_MAX_STREAMS_UNI, (UINT64_C(1) << 60) + 1},
      {WT__CAPSULE_STREAMS_BLOCKED_BIDI, (UINT64_C(1) << 60) + 1},
      {WT__CAPSULE_STREAMS_BLOCKED_UNI, (UINT64_C(1) << 60) + 1},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct mux_fixture f;
    credit_init(&f, LIMITS(100, 9, 9));
    wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
    recv_capsule(session, cases[i].type, cases[i].value);
    expect_broken(&f, BROKEN);
    fixture_end(&f);
  }
}

static void test_credit_capsules_up_to_the_bounds_are_fine(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
  recv_capsule(session, WT__CAPSULE_MAX_DATA, (UINT64_C(1) << 62) - 1);
  recv_capsule(session, WT__CAPSULE_MAX_STREAMS_BIDI, UINT64_C(1) << 60);
  recv_capsule(session, WT__CAPSULE_MAX_STREAMS_UNI, UINT64_C(1) << 60);
  recv_capsule(session, WT__CAPSULE_STREAMS_BLOCKED_UNI, UINT64_C(1) << 60);
  recv_capsule(session, WT__CAPSULE_DATA_BLOCKED, 7);
  capsules(&f, session);
  EXPECT_WIRE(&f, "");
  EXPECT_APP(&f, "");
  fixture_end(&f);
}

static void test_credit_is_off_unless_both_sides_announce(void **state) {
  (void)state;
  for (int ours = 0; ours < 2; ours++) {
    struct mux_fixture f;
    wt_stream *s;
    credit_init(&f, ours ? LIMITS(1, 1, 1) : LIMITS(0, 0, 0));
    wt_session *session = credit_session(&f, 0, ours ? NULL : LIMITS(1, 1, 1));
    recv_capsule(session, WT__CAPSULE_MAX_DATA, 1);
    recv_capsule(session, WT__CAPSULE_MAX_DATA, 1); /* ignored, as it ought to be */
    recv_capsule(session, WT__CAPSULE_STREAMS_BLOCKED_UNI, UINT64_C(1) << 61);
    for (int i = 0; i < 3; i++) assert_int_equal(wt_session_open_bidi(session, &s), 0);
    write_text(s, "more than one");
    remote(&f, 2, 200);
    remote(&f, 6, 200);
    capsules(&f, session);
    EXPECT_WIRE(&f, "");
    fixture_end(&f);
  }
}

/* --- Receiving --- */

static void test_credit_returns_as_bytes_are_read(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
  wt_stream *s = remote(&f, 2, 49);
  capsules(&f, session);
  EXPECT_WIRE(&f, "");
  wt__stream_recv(s, (const uint8_t *)"x", 1, false);
  capsules(&f, session);
  EXPECT_WIRE(&f, "3d:150; ");
  wt_stream_pause(s);
  wt__stream_recv(s, (const uint8_t[100]){0}, 100, false);
  capsules(&f, session);
  EXPECT_WIRE(&f, ""); /* nobody has read them */
  wt_stream_resume(s);
  capsules(&f, session);
  EXPECT_WIRE(&f, "3d:250; ");
  fixture_end(&f);
}

static void test_credit_overrun_ends_the_session(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(100, 1, 2));
  credit_session(&f, 0, LIMITS(5, 2, 2));
  wt_stream *s = remote(&f, 2, 0);
  wt_stream_pause(s);
  wt__stream_recv(s, (const uint8_t[100]){0}, 100, false);
  f.app[0] = 0;
  wt__stream_recv(s, (const uint8_t *)"y", 1, false);
  assert_int_equal(f.consumed, 1); /* of no use to anybody */
  expect_broken(&f, BROKEN);
  fixture_end(&f);

  credit_init(&f, LIMITS(100, 1, 2));
  credit_session(&f, 0, LIMITS(5, 2, 2));
  remote(&f, 2, 0);
  remote(&f, 6, 0);
  remote(&f, 4, 0);
  EXPECT_APP(&f, "stream 2 of 0; stream 6 of 0; stream 4 of 0; ");
  remote(&f, 10, 0);
  assert_null(strstr(f.app, "stream 10"));
  expect_broken(&f, BROKEN);
  fixture_end(&f);
}

static void test_credit_of_streams_returns_when_they_close(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 2));
  wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
  wt_stream *a = remote(&f, 2, 0);
  wt_stream *b = remote(&f, 6, 0);
  wt__stream_recv(a, NULL, 0, true);
  capsules(&f, session);
  EXPECT_WIRE(&f, "");
  wt__stream_closed(a);
  capsules(&f, session);
  EXPECT_WIRE(&f, "40:3; ");
  wt__stream_recv(b, NULL, 0, true);
  wt__stream_closed(b);
  capsules(&f, session);
  EXPECT_WIRE(&f, "40:4; ");
  fixture_end(&f);
}

static void test_credit_of_a_reset_stream_is_its_final_size(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
  wt_stream *s = remote(&f, 2, 0);
  wt_stream_pause(s);
  wt__stream_recv(s, (const uint8_t[30]){0}, 30, false);
  wt__stream_recv_reset(s, 7, 3 + 80); /* 50 more that never came; 3 of the header */
  capsules(&f, session);
  EXPECT_WIRE(&f, "3d:180; "); /* all 80 are free again */
  assert_int_equal(session->flow.data_in.used, 80);
  wt__stream_recv_reset(s, 7, 3 + 80);
  assert_int_equal(session->flow.data_in.used, 80);
  s = remote(&f, 6, 10);
  wt__stream_recv_reset(s, 7, 3 + 101);
  expect_broken(&f, BROKEN);
  fixture_end(&f);
}

static void test_credit_of_stopped_streams_returns(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
  wt_stream *s = remote(&f, 2, 0);
  wt_stream_pause(s);
  wt__stream_recv(s, (const uint8_t[40]){0}, 40, false);
  wt_stream_stop_sending(s, 1);
  assert_int_equal(session->flow.data_in.returned, 40);
  wt__stream_recv(s, (const uint8_t[5]){0}, 5, false);
  wt__stream_recv_reset(s, 7, 3 + 60);
  assert_int_equal(session->flow.data_in.used, 60);
  assert_int_equal(session->flow.data_in.returned, 60);
  fixture_end(&f);
}

static void test_credit_of_early_streams_counts_with_the_session(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  wt_stream *a = remote(&f, 2, 60);
  remote(&f, 6, 30);
  wt__stream_closed(a);
  wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
  assert_int_equal(session->flow.data_in.used, 90);
  assert_int_equal(session->flow.streams_in[1].used, 2);
  assert_int_equal(session->flow.streams_in[1].returned, 1);
  f.wire[0] = 0;
  fixture_end(&f);

  credit_init(&f, LIMITS(100, 9, 9));
  remote(&f, 2, 60);
  remote(&f, 6, 60); /* one of the two is too much */
  credit_session(&f, 0, LIMITS(5, 2, 2));
  expect_broken(&f, BROKEN);
  fixture_end(&f);
}

/* The peer counts streams that were refused, whether its session began later or goes on. */
static void test_credit_of_refused_streams_is_not_lost(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  remote(&f, 2, 10);
  remote(&f, 6, 10);
  wt_stream *s = remote(&f, 10, 20); /* over the bound of early streams */
  assert_non_null(s);
  EXPECT_WIRE(&f, "stop 10 3994bd84; ");
  wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
  assert_int_equal(session->flow.streams_in[1].used, 3);
  assert_int_equal(session->flow.streams_in[1].returned, 1);
  assert_int_equal(session->flow.data_in.used, 40);
  wt__stream_recv_reset(s, 7, 3 + 25);
  assert_int_equal(session->flow.data_in.used, 45);
  assert_int_equal(session->flow.data_in.returned, 45); /* the others were read */
  wt__stream_closed(s);
  fixture_end(&f);

  credit_init(&f, LIMITS(100, 9, 9)); /* refused for its age */
  remote(&f, 2, 10);
  wt__mux_run(&f.mux, 5000 * MS);
  session = credit_session(&f, 0, LIMITS(5, 2, 2));
  assert_int_equal(session->flow.streams_in[1].used, 1);
  assert_int_equal(session->flow.data_in.returned, 10);
  fixture_end(&f);
}

/* Streams of many future sessions are refused in turns: each session finds what its own have used. */
static void test_credit_of_refused_streams_is_kept_by_session(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(1000, 9, 9));
  for (int round = 0; round < 2; round++) {
    for (int64_t id = 0; id < 4 * WT__PAST_REFUSED_CREDITS; id += 4) {
      wt__credit_refused(&f.mux, id, true, 1, 10 + (uint64_t)id);
      wt__credit_refused(&f.mux, id, false, 2, 1);
    }
  }
  for (int64_t id = 4 * WT__PAST_REFUSED_CREDITS - 4; id >= 0; id -= 4) {
    wt_session *session = credit_session(&f, id, LIMITS(5, 2, 2));
    assert_int_equal(session->flow.streams_in[WT_UNIDIRECTIONAL].used, 2);
    assert_int_equal(session->flow.streams_in[WT_UNIDIRECTIONAL].returned, 2);
    assert_int_equal(session->flow.streams_in[WT_BIDIRECTIONAL].used, 4);
    assert_int_equal(session->flow.streams_in[WT_BIDIRECTIONAL].returned, 4);
    assert_int_equal(session->flow.data_in.used, 2 * (11 + id));
    assert_int_equal(session->flow.data_in.returned, 2 * (11 + id));
  }
  fixture_end(&f);
}

/* The table has a bound: the oldest session's row gives way. */
static void test_credit_of_refused_streams_is_kept_for_the_latest_sessions(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(1000, 9, 9));
  for (int64_t id = 0; id <= 4 * WT__PAST_REFUSED_CREDITS; id += 4) wt__credit_refused(&f.mux, id, true, 1, 10);
  assert_int_equal(credit_session(&f, 0, LIMITS(5, 2, 2))->flow.data_in.used, 0);
  assert_int_equal(credit_session(&f, 4, LIMITS(5, 2, 2))->flow.data_in.used, 10);
  assert_int_equal(credit_session(&f, 4 * WT__PAST_REFUSED_CREDITS, LIMITS(5, 2, 2))->flow.data_in.used, 10);
  fixture_end(&f);
}

/* A row counts once: it is gone with the session that has found it. */
static void test_credit_of_refused_streams_is_taken_once(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(1000, 9, 9));
  wt__credit_refused(&f.mux, 0, true, 1, 10);
  wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
  assert_int_equal(session->flow.data_in.used, 10);
  wt__credit_begin(session);
  assert_int_equal(session->flow.data_in.used, 10);
  assert_int_equal(session->flow.streams_in[WT_UNIDIRECTIONAL].used, 1);
  wt__credit_refused(&f.mux, 0, true, 1, 10); /* the session is there: it counts at once */
  assert_int_equal(session->flow.data_in.used, 20);
  assert_int_equal(session->flow.data_in.returned, 20);
  fixture_end(&f);
}

static void test_credit_window_grows_with_the_round_trip_time(void **state) {
  struct mux_fixture f;
  (void)state;
  credit_init(&f, LIMITS(100, 9, 9));
  f.config.flow.max_data = 400;
  wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
  wt_stream *s = remote(&f, 2, 50); /* the fixture's round trip is 1.234 ms, and no time has passed */
  wt__mux_run(&f.mux, 0);
  capsules(&f, session);
  EXPECT_WIRE(&f, "3d:250; ");
  wt__stream_recv(s, (const uint8_t[100]){0}, 100, false);
  wt__mux_run(&f.mux, 1000 * MS);
  capsules(&f, session);
  EXPECT_WIRE(&f, "3d:350; "); /* slowly: no need to grow */
  fixture_end(&f);
}

/* A peer that reads no capsules cannot make us keep them for ever. */
/* Half of the window is read in less than a round trip, of 1,234 us, or in exactly that. */
static void test_credit_window_grows_within_a_round_trip_alone(void **state) {
  (void)state;
  for (uint64_t late = 0; late < 2; late++) {
    struct mux_fixture f;
    credit_init(&f, LIMITS(100, 9, 9));
    f.config.flow.max_data = 1000;
    wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
    remote(&f, 2, 50);
    wt__mux_run(&f.mux, 1234000 - 1 + late);
    assert_int_equal(session->flow.data_in.window, late ? 100 : 200);
    fixture_end(&f);
  }
}

static void test_credit_capsules_that_nobody_reads_end_the_session(void **state) {
  struct mux_fixture f;
  size_t count = 0;
  (void)state;
  credit_init(&f, LIMITS(1, 9, 9));
  wt_session *session = credit_session(&f, 0, LIMITS(5, 2, 2));
  wt_stream *s = remote(&f, 2, 0);
  for (; !session->ended && count < 100000; count++) {
    wt__stream_recv(s, (const uint8_t *)"x", 1, false);
    f.app[0] = 0;
    wt__mux_run(&f.mux, 1);
  }
  assert_in_range(count, 4096, 65536);
  EXPECT_WIRE(&f, "connect_reset 0 107; stop 2 170d7b68; "); /* H3_EXCESSIVE_LOAD */
  assert_int_equal(session->end.wire_code, WT__H3_EXCESSIVE_LOAD);
  fixture_end(&f);
}

static void test_credit_told_first_to_who_opened_longest_ago(void **state) {
  struct mux_fixture f;
  wt_stream *s;
  (void)state;
  fixture_init(&f);
  wt_session *a = fixture_session(&f, 0), *b = fixture_session(&f, 4);
  f.streams_left = 0;
  assert_int_equal(wt_session_open_uni(a, &s), WT_ERR_STREAM_LIMIT);
  assert_int_equal(wt_session_open_uni(b, &s), WT_ERR_STREAM_LIMIT);
  f.streams_left = 1;
  wt__mux_streams_allowed(&f.mux, true);
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "credit 0 1; credit 4 1; ");
  assert_int_equal(wt_session_open_uni(a, &s), 0);
  assert_int_equal(wt_session_open_uni(a, &s), WT_ERR_STREAM_LIMIT);
  assert_int_equal(wt_session_open_uni(b, &s), WT_ERR_STREAM_LIMIT);
  wt__mux_streams_allowed(&f.mux, true);
  wt__mux_run(&f.mux, 2);
  EXPECT_APP(&f, "credit 4 1; credit 0 1; ");
  fixture_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_credit_bytes_stop_at_the_limit_and_go_on_with_a_capsule),
      cmocka_unit_test(test_credit_of_zero_moves_headers_and_fins_only),
      cmocka_unit_test(test_credit_is_shared_by_the_streams_of_a_session),
      cmocka_unit_test(test_credit_of_streams_and_of_bytes_are_told_apart),
      cmocka_unit_test(test_credit_is_given_back_when_quic_has_no_stream),
      cmocka_unit_test(test_credit_capsules_that_break_the_rules_end_the_session),
      cmocka_unit_test(test_credit_capsules_up_to_the_bounds_are_fine),
      cmocka_unit_test(test_credit_is_off_unless_both_sides_announce),
      cmocka_unit_test(test_credit_returns_as_bytes_are_read),
      cmocka_unit_test(test_credit_overrun_ends_the_session),
      cmocka_unit_test(test_credit_of_streams_returns_when_they_close),
      cmocka_unit_test(test_credit_of_a_reset_stream_is_its_final_size),
      cmocka_unit_test(test_credit_of_stopped_streams_returns),
      cmocka_unit_test(test_credit_of_early_streams_counts_with_the_session),
      cmocka_unit_test(test_credit_of_refused_streams_is_not_lost),
      cmocka_unit_test(test_credit_of_refused_streams_is_kept_by_session),
      cmocka_unit_test(test_credit_of_refused_streams_is_kept_for_the_latest_sessions),
      cmocka_unit_test(test_credit_of_refused_streams_is_taken_once),
      cmocka_unit_test(test_credit_window_grows_with_the_round_trip_time),
      cmocka_unit_test(test_credit_window_grows_within_a_round_trip_alone),
      cmocka_unit_test(test_credit_capsules_that_nobody_reads_end_the_session),
      cmocka_unit_test(test_credit_told_first_to_who_opened_longest_ago),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
