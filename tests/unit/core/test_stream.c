/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mux_fixture.h"
#include "wire/error_code.h"

#define BYTES(s) (const uint8_t *)(s), strlen(s)

/* A bidirectional stream of the peer, known to the application. */
static wt_stream *remote_stream(struct mux_fixture *f, int64_t id, bool uni) {
  wt_stream *stream = wt__mux_stream_new_remote(&f->mux, id, uni, 0, 0);
  assert_non_null(stream);
  f->app[0] = 0;
  return stream;
}

static void test_stream_hands_over_bytes_and_reports_them_consumed(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = wt__mux_stream_new_remote(&f.mux, 4, false, 0, 0);
  EXPECT_APP(&f, "stream 4 of 0; ");
  wt__stream_recv(s, BYTES("hello"), false);
  wt__stream_recv(s, BYTES(""), true);
  EXPECT_APP(&f, "data 4 'hello'; data 4 '' fin; ");
  assert_int_equal(f.consumed, 5);
  fixture_end(&f);
}

/* The rule of stream.h: bytes wait until callbacks are set, and are dropped where these have no `on_data`. */
static void test_stream_drops_bytes_without_on_data(void **state) {
  struct mux_fixture f;
  wt_stream *s;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(wt_session_open_bidi(session, &s), 0);
  wt__stream_recv(s, BYTES("early"), false);
  wt__mux_run(&f.mux, 0);
  assert_int_equal(f.consumed, 0);
  assert_int_equal(wt_stream_set_callbacks(s, NULL, NULL), 0);
  wt__mux_run(&f.mux, 0);
  assert_int_equal(f.consumed, 5);
  wt__stream_recv(s, BYTES("late"), true);
  assert_int_equal(f.consumed, 9);
  fixture_end(&f);
}

static void test_stream_keeps_bytes_while_paused_and_leaves_them_unconsumed(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  wt_stream_pause(s);
  wt__stream_recv(s, BYTES("ab"), false);
  wt__stream_recv(s, BYTES("cd"), true);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "");
  assert_int_equal(f.consumed, 0);
  wt_stream_resume(s);
  EXPECT_APP(&f, ""); /* not inside the call */
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "data 4 'abcd' fin; ");
  assert_int_equal(f.consumed, 4);
  fixture_end(&f);
}

static void test_stream_open_sends_its_header_at_once(void **state) {
  struct mux_fixture f;
  wt_stream *s;
  struct wt__send send;
  size_t written;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(wt_session_open_uni(session, &s), 0);
  assert_int_equal(wt_stream_id(s), 3);
  assert_true(wt__mux_next(&f.mux, &send, &s));
  assert_int_equal(send.count, 1);
  assert_memory_equal(send.vecs[0].data, "\x40\x54\x00", 3);
  assert_int_equal(wt_stream_write(s, NULL, 3, &written), WT_ERR_INVALID);
  assert_int_equal(wt_stream_write(s, NULL, 0, &written), 0);
  assert_int_equal(wt_stream_write(s, "xyz", 3, &written), 0);
  assert_int_equal(wt_stream_end(s), 0);
  fixture_send(&f, 3);
  EXPECT_WIRE(&f, "send 3 'xyz' fin; ");
  assert_int_equal(wt_stream_write(s, "x", 1, &written), WT_ERR_STATE);
  assert_int_equal(written, 0);
  assert_int_equal(wt_stream_write(s, "x", 1, NULL), WT_ERR_STATE);
  wt__stream_acked(s, 6);
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, ""); /* no callbacks were set */
  fixture_end(&f);
}

static void test_stream_reset_waits_until_the_header_is_acknowledged(void **state) {
  struct mux_fixture f;
  wt_stream *s;
  size_t written;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(wt_session_open_bidi(session, &s), 0);
  wt_stream_set_callbacks(s, &stream_app, &f);
  assert_int_equal(wt_stream_write(s, "body", 4, &written), 0);
  assert_int_equal(wt_stream_reset(s, 42), 0);
  assert_int_equal(wt_stream_reset(s, 43), 0); /* the first one counts */
  assert_int_equal(wt_stream_write(s, "x", 1, &written), WT_ERR_CLOSED);
  fixture_send(&f, 3);
  EXPECT_WIRE(&f, "send 1 ''; "); /* the header alone */
  wt__stream_acked(s, 3);
  EXPECT_WIRE(&f, "reset 1 52e4a40fa906; ");
  wt__stream_recv(s, BYTES(""), true);
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "data 1 '' fin; closed 1 local 42; ");
  fixture_end(&f);
}

static void test_stream_reset_at_keeps_the_header_and_a_byte(void **state) {
  struct mux_fixture f;
  wt_stream *s;
  size_t written;
  (void)state;
  fixture_init(&f);
  f.reset_at = true;
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(wt_session_open_uni(session, &s), 0);
  wt_stream_set_callbacks(s, &stream_app, &f);
  assert_int_equal(wt_stream_write(s, "body", 4, &written), 0);
  assert_int_equal(wt_stream_reset(s, 42), 0);
  assert_int_equal(wt_stream_reset(s, 43), 0); /* the first one counts */
  EXPECT_WIRE(&f, "");
  fixture_send(&f, 3);
  EXPECT_WIRE(&f, "send 3 'b'; reset 3 52e4a40fa906 at 4 of 4; ");
  assert_int_equal(fixture_send(&f, 0), -1);
  wt__stream_recv_stop_sending(s, wt__error_to_wire(7)); /* too late to matter */
  wt__stream_acked(s, 4);
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "closed 3 local 42; ");
  fixture_end(&f);
}

static void released(const uint8_t *data, size_t len, void *user_data) {
  (void)data;
  APP((struct mux_fixture *)user_data, "released %d; ", (int)len);
}

/* The transport may have to send them again: they must stay until they are acknowledged. */
static void test_stream_reset_at_keeps_what_is_in_flight(void **state) {
  struct mux_fixture f;
  wt_stream *s;
  static const uint8_t data[100];
  (void)state;
  fixture_init(&f);
  f.reset_at = true;
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(wt_session_open_uni(session, &s), 0);
  wt_stream_set_callbacks(s, &stream_app, &f);
  assert_int_equal(wt_stream_write_owned(s, data, sizeof(data), released, &f), 0);
  fixture_send(&f, 1000);
  assert_int_equal(wt_stream_reset(s, 42), 0);
  EXPECT_WIRE(&f, "send 3 ''; reset 3 52e4a40fa906 at 4 of 103; ");
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "");
  wt__stream_acked(s, 103);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "released 100; ");
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "closed 3 local 42; ");
  fixture_end(&f);
}

static void test_stream_reset_at_of_the_bare_header_where_there_is_no_more(void **state) {
  struct mux_fixture f;
  wt_stream *s, *starved;
  size_t written;
  (void)state;
  fixture_init(&f);
  f.reset_at = true;
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(wt_session_open_uni(session, &s), 0);
  assert_int_equal(wt_stream_reset(s, 1), 0);
  fixture_send(&f, 3);
  EXPECT_WIRE(&f, "send 3 ''; reset 3 52e4a40fa8dc at 3 of 3; ");
  /* There is more, but the session has no credit for it. */
  assert_int_equal(wt_session_open_uni(session, &starved), 0);
  wt__stream_sent(starved, 3, false);
  assert_int_equal(wt_stream_write(starved, "body", 4, &written), 0);
  assert_int_equal(wt_stream_reset(starved, 1), 0);
  EXPECT_WIRE(&f, "");
  wt__stream_lacks_credit(starved);
  EXPECT_WIRE(&f, "reset 7 52e4a40fa8dc at 3 of 3; ");
  fixture_end(&f);
}

/* Section 4 of the frame's draft: what the reset leaves is read first, however late. */
static void test_stream_reset_waits_for_promised_bytes_to_be_read(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = wt__mux_stream_new_remote(&f.mux, 2, true, 0, 0);
  wt_stream_set_callbacks(s, &stream_app, &f);
  wt__stream_set_recv_header(s, 3);
  wt_stream_pause(s);
  wt__stream_recv(s, BYTES("promised, and more"), false);
  wt__stream_recv_promise(s, 3 + 8);
  wt__stream_recv_reset(s, wt__error_to_wire(5), 100);
  assert_int_equal(f.consumed, 10);
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "stream 2 of 0; ");
  wt_stream_resume(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "data 2 'promised'; reset 2 peer 5; closed 2 peer 5; ");
  assert_int_equal(f.consumed, 18);
  fixture_end(&f);
}

static void test_stream_reset_without_promise_drops_what_was_not_read(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = wt__mux_stream_new_remote(&f.mux, 2, true, 0, 0);
  wt_stream_set_callbacks(s, &stream_app, &f);
  wt__stream_set_recv_header(s, 3);
  wt_stream_pause(s);
  wt__stream_recv(s, BYTES("unread"), false);
  wt__stream_recv_promise(s, 3); /* the header alone */
  wt__stream_recv_reset(s, wt__error_to_wire(5), 9);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "stream 2 of 0; reset 2 peer 5; ");
  assert_int_equal(f.consumed, 6);
  fixture_end(&f);
}

static void test_stream_reset_of_the_peers_stream_needs_no_header(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  f.reset_at = true;
  fixture_session(&f, 0);
  wt_stream *s = wt__mux_stream_new_remote(&f.mux, 4, false, 0, 0);
  wt_stream_set_callbacks(s, &stream_app, &f);
  assert_int_equal(wt_stream_reset(s, 1), 0);
  EXPECT_WIRE(&f, "reset 4 52e4a40fa8dc; ");
  fixture_end(&f);
}

static void test_stream_tells_reset_and_stop_sending_with_the_mapped_code(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  wt__stream_recv_reset(s, wt__error_to_wire(127), 0);
  wt__stream_recv_stop_sending(s, wt__error_to_wire(0xffffffff));
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "stop 4 peer 4294967295; reset 4 peer 127; ");
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "closed 4 peer 127; ");
  s = remote_stream(&f, 8, false);
  wt__stream_recv_reset(s, WT__H3_REQUEST_CANCELLED, 0);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "reset 8 peer wire 10c; ");
  fixture_end(&f);
}

static void test_stream_stop_sending_discards_and_consumes(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 2, true);
  wt_stream_pause(s);
  wt__stream_recv(s, BYTES("abc"), false);
  assert_int_equal(wt_stream_stop_sending(s, 1), 0);
  EXPECT_WIRE(&f, "stop 2 52e4a40fa8dc; ");
  wt__stream_recv(s, BYTES("defg"), false);
  assert_int_equal(f.consumed, 7);
  assert_int_equal(wt_stream_reset(s, 1), WT_ERR_STATE);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "");
  fixture_end(&f);
}

static void test_stream_says_when_it_is_writable_again(void **state) {
  struct mux_fixture f;
  static const uint8_t data[2000];
  size_t written;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  wt__mux_run(&f.mux, 0);
  assert_int_equal(wt_stream_write(s, data, sizeof(data), &written), 0);
  assert_int_equal(written, 1000);
  assert_int_equal(wt_stream_writable(s), 0);
  wt__stream_sent(s, 1000, false);
  wt__stream_acked(s, 1000);
  EXPECT_APP(&f, "");
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "writable 4; ");
  fixture_end(&f);
}

/* The obvious loop: write what there is room for, until there is none, then wait. */
static void test_stream_says_so_to_whoever_fills_it_exactly(void **state) {
  struct mux_fixture f;
  static const uint8_t data[2500];
  size_t written, room, left = sizeof(data);
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  wt__mux_run(&f.mux, 0);
  for (uint64_t acked = 0; left > 0;) {
    while (left > 0 && (room = wt_stream_writable(s)) > 0) {
      if (room > left) room = left;
      assert_int_equal(wt_stream_write(s, data, room, &written), 0);
      assert_int_equal(written, room);
      left -= room;
      acked += room;
    }
    EXPECT_APP(&f, "");
    wt__stream_sent(s, 1000, false);
    wt__stream_acked(s, acked);
    wt__mux_run(&f.mux, 0);
    EXPECT_APP(&f, left > 0 || acked % 1000 == 0 ? "writable 4; " : ""); /* the last write did not fill it */
  }
  fixture_end(&f);
}

static void test_stream_limit_is_an_error_and_credit_is_told(void **state) {
  struct mux_fixture f;
  wt_stream *s;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  f.streams_left = 0;
  assert_int_equal(wt_session_open_uni(session, &s), WT_ERR_STREAM_LIMIT);
  assert_null(s);
  wt__mux_streams_allowed(&f.mux, false);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "");
  wt__mux_streams_allowed(&f.mux, true);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "credit 0 1; ");
  fixture_end(&f);
}

static void test_stream_closed_by_quic_waits_for_a_paused_reader(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 2, true);
  wt_stream_pause(s);
  wt__stream_recv(s, BYTES("late"), true);
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "");
  wt_stream_resume(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "data 2 'late' fin; closed 2; ");
  fixture_end(&f);
}

static void test_streams_take_turns(void **state) {
  struct mux_fixture f;
  size_t written;
  struct wt__send send;
  wt_stream *got;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *a = remote_stream(&f, 4, false), *b = remote_stream(&f, 8, false);
  wt_stream_write(a, "aaaa", 4, &written);
  wt_stream_write(b, "bbbb", 4, &written);
  int64_t want[] = {4, 8, 4, 8};
  for (size_t i = 0; i < 4; i++) {
    assert_true(wt__mux_next(&f.mux, &send, &got));
    assert_int_equal(send.id, want[i]);
    wt__stream_sent(got, 2, false);
  }
  assert_false(wt__mux_next(&f.mux, &send, &got));
  wt_stream_write(a, "a", 1, &written);
  assert_true(wt__mux_next(&f.mux, &send, &got));
  wt__stream_blocked(got);
  assert_false(wt__mux_next(&f.mux, &send, &got));
  wt__stream_unblocked(a);
  assert_true(wt__mux_next(&f.mux, &send, &got));
  fixture_end(&f);
}

static void app_data_half(wt_stream *s, const uint8_t *data, size_t len, bool fin, void *ud) {
  app_data(s, data, len, fin, ud);
  assert_int_equal(wt_stream_unread(s, len + 1), WT_ERR_INVALID);
  assert_int_equal(wt_stream_unread(s, len / 2), 0);
}

static void test_stream_gives_unread_bytes_again(void **state) {
  struct mux_fixture f;
  struct wt_stream_callbacks callbacks = stream_app;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  callbacks.on_data = app_data_half;
  wt_stream_set_callbacks(s, &callbacks, &f);
  assert_int_equal(wt_stream_unread(s, 0), WT_ERR_STATE);
  wt__stream_recv(s, BYTES("abcd"), false);
  wt__stream_recv(s, BYTES("ef"), true);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "data 4 'abcd'; "); /* paused, with "cdef" kept */
  assert_int_equal(f.consumed, 2);
  wt_stream_resume(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "data 4 'cdef' fin; ");
  assert_int_equal(f.consumed, 4);
  wt_stream_resume(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "data 4 'ef' fin; ");
  wt_stream_set_callbacks(s, &stream_app, &f);
  wt_stream_resume(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "data 4 'f' fin; ");
  assert_int_equal(f.consumed, 6);
  wt_stream_resume(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "");
  fixture_end(&f);
}

static void app_data_give_back_fin(wt_stream *s, const uint8_t *data, size_t len, bool fin, void *ud) {
  app_data(s, data, len, fin, ud);
  if (fin) assert_int_equal(wt_stream_unread(s, 0), 0);
}

/* A FIN that comes alone, and one behind bytes, are kept for later; QUIC may be done with the stream meanwhile. */
static void test_stream_gives_a_fin_again(void **state) {
  struct mux_fixture f;
  struct wt_stream_callbacks callbacks = stream_app;
  (void)state;
  callbacks.on_data = app_data_give_back_fin;
  fixture_init(&f);
  fixture_session(&f, 0);
  for (int alone = 0; alone < 2; alone++) {
    wt_stream *s = remote_stream(&f, alone ? 2 : 6, true);
    wt_stream_set_callbacks(s, &callbacks, &f);
    if (alone) wt__stream_recv(s, BYTES("ab"), false);
    wt__stream_recv(s, BYTES("ab"), !alone);
    if (alone) wt__stream_recv(s, NULL, 0, true);
    f.app[0] = 0;
    wt__stream_closed(s);
    wt__mux_run(&f.mux, 0);
    EXPECT_APP(&f, ""); /* paused, and not closed */
    wt_stream_resume(s);
    wt__mux_run(&f.mux, 0);
    EXPECT_APP(&f, alone ? "data 2 '' fin; " : "data 6 '' fin; ");
    wt_stream_set_callbacks(s, &stream_app, &f);
    wt_stream_resume(s);
    wt__mux_run(&f.mux, 0);
    EXPECT_APP(&f, alone ? "data 2 '' fin; closed 2; " : "data 6 '' fin; closed 6; ");
  }
  fixture_end(&f);
}

static int given_back;

static void app_data_give_back_once(wt_stream *s, const uint8_t *data, size_t len, bool fin, void *ud) {
  app_data(s, data, len, fin, ud);
  if (given_back++) return;
  assert_int_equal(wt_stream_unread(s, len), 0);
  wt_stream_resume(s);
}

/* Given back and resumed in the same call: it comes again in the next run. */
static void test_stream_gives_again_what_was_resumed_at_once(void **state) {
  struct mux_fixture f;
  struct wt_stream_callbacks callbacks = stream_app;
  (void)state;
  callbacks.on_data = app_data_give_back_once;
  fixture_init(&f);
  fixture_session(&f, 0);
  for (int len = 0; len < 2; len++) {
    wt_stream *s = remote_stream(&f, 2 + 4 * len, true);
    wt_stream_set_callbacks(s, &callbacks, &f);
    wt__mux_run(&f.mux, 0);
    f.app[0] = 0;
    given_back = 0;
    wt__stream_recv(s, BYTES("a"), len == 0);
    if (len == 0) {
      EXPECT_APP(&f, "data 2 'a' fin; ");
      wt__mux_run(&f.mux, 0);
      EXPECT_APP(&f, "data 2 'a' fin; ");
    } else {
      EXPECT_APP(&f, "data 6 'a'; ");
      wt__mux_run(&f.mux, 0);
      EXPECT_APP(&f, "data 6 'a'; ");
    }
  }
  fixture_end(&f);
}

/* Both directions of a stream that has both, and the one that there is of others; what is over stays as it is. */
static void test_stream_abort_gives_up_all_that_is_open(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *both = remote_stream(&f, 4, false), *in = remote_stream(&f, 2, true), *ended = remote_stream(&f, 8, false);
  wt_stream *out;
  assert_int_equal(wt_session_open_uni(wt_stream_session(both), &out), 0);
  fixture_send(&f, 0);
  wt__stream_acked(out, 3);
  wt__stream_recv(ended, BYTES("x"), true);
  f.app[0] = f.wire[0] = 0;
  wt_stream_abort(both, 7);
  EXPECT_WIRE(&f, "reset 4 52e4a40fa8e2; stop 4 52e4a40fa8e2; ");
  wt_stream_abort(both, 8);
  EXPECT_WIRE(&f, "");
  wt_stream_abort(in, 7);
  EXPECT_WIRE(&f, "stop 2 52e4a40fa8e2; ");
  wt_stream_abort(out, 7);
  EXPECT_WIRE(&f, "reset 3 52e4a40fa8e2; ");
  wt_stream_abort(ended, 7);
  EXPECT_WIRE(&f, "reset 8 52e4a40fa8e2; ");
  wt__stream_closed(both);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "closed 4 local 7; ");
  fixture_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_stream_hands_over_bytes_and_reports_them_consumed),
      cmocka_unit_test(test_stream_drops_bytes_without_on_data),
      cmocka_unit_test(test_stream_keeps_bytes_while_paused_and_leaves_them_unconsumed),
      cmocka_unit_test(test_stream_open_sends_its_header_at_once),
      cmocka_unit_test(test_stream_reset_waits_until_the_header_is_acknowledged),
      cmocka_unit_test(test_stream_reset_at_keeps_the_header_and_a_byte),
      cmocka_unit_test(test_stream_reset_at_keeps_what_is_in_flight),
      cmocka_unit_test(test_stream_reset_at_of_the_bare_header_where_there_is_no_more),
      cmocka_unit_test(test_stream_reset_waits_for_promised_bytes_to_be_read),
      cmocka_unit_test(test_stream_reset_without_promise_drops_what_was_not_read),
      cmocka_unit_test(test_stream_reset_of_the_peers_stream_needs_no_header),
      cmocka_unit_test(test_stream_tells_reset_and_stop_sending_with_the_mapped_code),
      cmocka_unit_test(test_stream_stop_sending_discards_and_consumes),
      cmocka_unit_test(test_stream_says_when_it_is_writable_again),
      cmocka_unit_test(test_stream_says_so_to_whoever_fills_it_exactly),
      cmocka_unit_test(test_stream_limit_is_an_error_and_credit_is_told),
      cmocka_unit_test(test_stream_closed_by_quic_waits_for_a_paused_reader),
      cmocka_unit_test(test_streams_take_turns),
      cmocka_unit_test(test_stream_gives_unread_bytes_again),
      cmocka_unit_test(test_stream_gives_a_fin_again),
      cmocka_unit_test(test_stream_abort_gives_up_all_that_is_open),
      cmocka_unit_test(test_stream_gives_again_what_was_resumed_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
