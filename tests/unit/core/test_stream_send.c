/* SPDX-License-Identifier: MIT */
/* src/core/stream.c, the sending side: who may still write, and what a stream does once it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/credit.h"
#include "mux_fixture.h"
#include "wire/error_code.h"

static const struct wt_stream_callbacks no_callbacks;

static wt_stream *remote_stream(struct mux_fixture *f, int64_t id, bool uni) {
  wt_stream *stream = wt__mux_stream_new_remote(&f->mux, id, uni, 0, 0);
  assert_non_null(stream);
  f->app[0] = 0;
  return stream;
}

static wt_stream *local_uni(struct mux_fixture *f, wt_session *session) {
  wt_stream *stream;
  assert_int_equal(wt_session_open_uni(session, &stream), 0);
  wt_stream_set_callbacks(stream, &stream_app, f);
  wt__mux_run(&f->mux, 0);
  return stream;
}

static void write_text(wt_stream *stream, const char *text) {
  size_t written;
  assert_int_equal(wt_stream_write(stream, text, strlen(text), &written), 0);
  assert_int_equal(written, strlen(text));
}

static void never_released(const uint8_t *data, size_t len, void *user_data) {
  (void)data, (void)len, (void)user_data;
  fail_msg("a write that failed must not release");
}

/* All calls that write agree. */
static void expect_no_write(wt_stream *stream, int error) {
  size_t written = 77;
  assert_int_equal(wt_stream_write(stream, "x", 1, &written), error);
  assert_int_equal(written, 0);
  assert_int_equal(wt_stream_write_owned(stream, "x", 1, never_released, NULL), error);
  assert_int_equal(wt_stream_end(stream), error);
  assert_int_equal(wt_stream_writable(stream), 0);
}

/* --- Turns --- */

static void test_stream_that_is_blocked_has_no_turn(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  write_text(s, "ab");
  wt__stream_blocked(s);
  assert_int_equal(fixture_send(&f, 0), -1);
  write_text(s, "cd"); /* more bytes give it no turn either */
  assert_int_equal(fixture_send(&f, 0), -1);
  int wakes = f.wakes;
  write_text(s, "ef");
  assert_int_equal(f.wakes, wakes); /* and the connection is not run for nothing */
  wt__stream_unblocked(s);
  assert_true(f.wakes > wakes);
  assert_int_equal(fixture_send(&f, 0), 4);
  EXPECT_WIRE(&f, "send 4 'abcdef'; ");
  write_text(s, "gh");
  assert_int_equal(fixture_send(&f, 0), 4);
  fixture_end(&f);
}

static void test_stream_counts_the_bytes_behind_its_header(void **state) {
  struct mux_fixture f;
  struct wt__send send;
  wt_stream *got;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_stream *s = local_uni(&f, session);
  write_text(s, "abcd");
  assert_true(wt__mux_next(&f.mux, &send, &got));
  wt__stream_sent(got, 2, false); /* a part of the header */
  assert_int_equal(session->stats.bytes_sent, 0);
  assert_true(wt__mux_next(&f.mux, &send, &got));
  wt__stream_sent(got, 2, false); /* the rest of it, and a byte */
  assert_int_equal(session->stats.bytes_sent, 1);
  assert_true(wt__mux_next(&f.mux, &send, &got));
  wt__stream_sent(got, 3, false);
  assert_int_equal(session->stats.bytes_sent, 4);
  assert_int_equal(session->stats.streams_opened, 1);
  fixture_end(&f);
}

/* --- Who may still write --- */

static void test_stream_of_the_peer_in_one_direction_takes_no_writes(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 2, true);
  expect_no_write(s, WT_ERR_STATE);
  assert_int_equal(wt_stream_reset(s, 1), WT_ERR_STATE);
  assert_int_equal(wt_stream_set_priority(s, 0, 1), WT_ERR_STATE);
  EXPECT_WIRE(&f, "");
  fixture_end(&f);
}

static void test_stream_of_ours_in_one_direction_is_not_read(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_stream *s = local_uni(&f, fixture_session(&f, 0));
  assert_int_equal(wt_stream_stop_sending(s, 1), WT_ERR_STATE);
  EXPECT_WIRE(&f, "");
  write_text(s, "x");
  fixture_end(&f);
}

static void test_stream_that_was_ended_takes_no_writes(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  assert_int_equal(wt_stream_end(s), 0);
  expect_no_write(s, WT_ERR_STATE);
  assert_int_equal(fixture_send(&f, 0), 4);
  EXPECT_WIRE(&f, "send 4 '' fin; ");
  expect_no_write(s, WT_ERR_STATE);
  fixture_end(&f);
}

static void test_stream_that_was_reset_takes_no_writes(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  assert_int_equal(wt_stream_end(s), 0);
  assert_int_equal(wt_stream_reset(s, 1), 0); /* its end has not been sent */
  EXPECT_WIRE(&f, "reset 4 52e4a40fa8dc; ");
  expect_no_write(s, WT_ERR_CLOSED);
  assert_int_equal(wt_stream_reset(s, 2), 0);
  wt__stream_recv_stop_sending(s, wt__error_to_wire(7)); /* crossed the reset: nothing new */
  assert_int_equal(fixture_send(&f, 0), -1);
  EXPECT_WIRE(&f, "");
  EXPECT_APP(&f, "");
  fixture_end(&f);
}

static void test_stream_that_was_ended_and_then_stopped_is_closed(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  write_text(s, "unsent");
  assert_int_equal(wt_stream_end(s), 0);
  wt__stream_recv_stop_sending(s, wt__error_to_wire(7));
  EXPECT_APP(&f, "stop 4 peer 7; ");
  expect_no_write(s, WT_ERR_CLOSED); /* as after a reset: what came last counts */
  assert_int_equal(wt_stream_end(s), WT_ERR_CLOSED);
  fixture_end(&f);
}

static void test_stream_whose_peer_stopped_reading_takes_no_writes(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  write_text(s, "unsent");
  wt__stream_recv_stop_sending(s, wt__error_to_wire(7));
  EXPECT_APP(&f, "stop 4 peer 7; ");
  expect_no_write(s, WT_ERR_CLOSED);
  wt__stream_recv_stop_sending(s, wt__error_to_wire(8)); /* once is enough */
  assert_int_equal(wt_stream_reset(s, 1), 0);
  assert_int_equal(fixture_send(&f, 0), -1);
  EXPECT_WIRE(&f, ""); /* QUIC has answered already */
  EXPECT_APP(&f, "");
  fixture_end(&f);
}

/* QUIC says that nothing can be sent any more. */
static void test_stream_whose_writing_quic_closed_sends_nothing(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_stream *s = local_uni(&f, session);
  write_text(s, "unsent");
  assert_int_equal(wt_stream_reset(s, 1), 0); /* waits for the header */
  wt__stream_write_closed(s);
  assert_int_equal(fixture_send(&f, 0), -1);
  expect_no_write(s, WT_ERR_CLOSED);
  wt__stream_unblocked(s);
  assert_int_equal(fixture_send(&f, 0), -1);
  wt__stream_acked(s, 3); /* what was waited for does not matter */
  wt__stream_recv_stop_sending(s, wt__error_to_wire(7));
  wt__mux_run(&f.mux, 0);
  EXPECT_WIRE(&f, "");
  EXPECT_APP(&f, "");

  s = local_uni(&f, session); /* without a reset before; its header has arrived */
  assert_int_equal(fixture_send(&f, 3), 7);
  wt__stream_acked(s, 3);
  f.wire[0] = '\0';
  wt__stream_write_closed(s);
  expect_no_write(s, WT_ERR_CLOSED);
  assert_int_equal(wt_stream_reset(s, 1), 0);
  wt__stream_abort(s, 0x10c);
  EXPECT_WIRE(&f, "");
  fixture_end(&f);
}

/* A stream that QUIC has closed may be kept for a reader that paused. */
static void test_stream_that_quic_closed_takes_no_writes(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  wt_stream_pause(s);
  wt__stream_recv(s, (const uint8_t *)"late", 4, true);
  write_text(s, "unsent");
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 0);
  expect_no_write(s, WT_ERR_CLOSED);
  assert_int_equal(wt_stream_reset(s, 1), 0);
  assert_int_equal(fixture_send(&f, 0), -1);
  EXPECT_WIRE(&f, "");
  assert_int_equal(wt_stream_stop_sending(s, 1), 0);
  wt__mux_run(&f.mux, 0);
  EXPECT_WIRE(&f, "");
  EXPECT_APP(&f, "closed 4; ");
  assert_int_equal(f.consumed, 4);
  fixture_end(&f);
}

static void test_stream_of_a_closed_session_takes_no_writes(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 4, false);
  assert_int_equal(wt_session_close(session, 3, "bye", 3), 0);
  expect_no_write(s, WT_ERR_CLOSED);
  fixture_end(&f);
}

static void test_stream_that_is_written_has_a_priority(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(wt_stream_set_priority(remote_stream(&f, 4, false), 0, 1), 0);
  assert_int_equal(wt_stream_set_priority(local_uni(&f, session), 0, 1), 0);
  fixture_end(&f);
}

/* --- Told that there is room --- */

/* A stream that could not take all bytes; 1,000 are sent and not acknowledged. */
static wt_stream *full_stream(struct mux_fixture *f) {
  static const uint8_t data[2000];
  size_t written;
  wt_stream *s = remote_stream(f, 4, false);
  wt__mux_run(&f->mux, 0);
  assert_int_equal(wt_stream_write(s, data, sizeof(data), &written), 0);
  assert_int_equal(written, 1000);
  wt__stream_sent(s, 1000, false);
  return s;
}

static void test_stream_hears_of_room_only_while_it_may_write(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f); /* ended before the acknowledgement, and after it */
  fixture_session(&f, 0);
  wt_stream *s = full_stream(&f);
  assert_int_equal(wt_stream_end(s), 0);
  wt__stream_acked(s, 1000);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "");
  fixture_end(&f);

  fixture_init(&f);
  fixture_session(&f, 0);
  s = full_stream(&f);
  wt__stream_acked(s, 1000);
  assert_int_equal(wt_stream_end(s), 0);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "");
  fixture_end(&f);

  fixture_init(&f); /* the application has closed the session meanwhile */
  wt_session *session = fixture_session(&f, 0);
  s = full_stream(&f);
  wt__stream_acked(s, 1000);
  assert_int_equal(wt_session_close(session, 0, "", 0), 0);
  wt__mux_run(&f.mux, 0);
  assert_null(strstr(f.app, "writable"));
  fixture_end(&f);

  fixture_init(&f); /* no callback for it */
  fixture_session(&f, 0);
  s = full_stream(&f);
  wt_stream_set_callbacks(s, &no_callbacks, NULL);
  wt__stream_acked(s, 1000);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "");
  fixture_end(&f);
}

static void test_stream_acknowledged_again_tells_nothing_new(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = full_stream(&f);
  wt__stream_acked(s, 1000);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "writable 4; ");
  wt__stream_acked(s, 1000);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "");
  assert_int_equal(wt_stream_writable(s), 1000);
  fixture_end(&f);
}

/* --- Resets --- */

static void test_stream_reset_drops_an_end_that_was_not_sent(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_stream *s = local_uni(&f, session);
  write_text(s, "body");
  assert_int_equal(wt_stream_end(s), 0);
  assert_int_equal(wt_stream_reset(s, 42), 0);
  assert_int_equal(fixture_send(&f, 3), 3);
  EXPECT_WIRE(&f, "send 3 ''; "); /* the header, without the end */
  wt__stream_acked(s, 2);
  EXPECT_WIRE(&f, "");
  wt__stream_acked(s, 3);
  EXPECT_WIRE(&f, "reset 3 52e4a40fa906; ");
  wt__stream_acked(s, 3);
  EXPECT_WIRE(&f, "");
  fixture_end(&f);
}

static void test_stream_reset_once_the_header_is_acknowledged_is_at_once(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_stream *s = local_uni(&f, session);
  assert_int_equal(fixture_send(&f, 3), 3);
  wt__stream_acked(s, 3);
  write_text(s, "body");
  f.wire[0] = 0;
  int wakes = f.wakes;
  assert_int_equal(wt_stream_reset(s, 42), 0);
  EXPECT_WIRE(&f, "reset 3 52e4a40fa906; ");
  assert_true(f.wakes > wakes);
  assert_int_equal(fixture_send(&f, 0), -1);
  assert_int_equal(wt_stream_reset(s, 43), 0);
  wt__stream_recv_stop_sending(s, wt__error_to_wire(7));
  EXPECT_WIRE(&f, "");
  EXPECT_APP(&f, "");
  fixture_end(&f);
}

static void test_stream_reset_at_goes_once(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  f.reset_at = true;
  wt_session *session = fixture_session(&f, 0);
  wt_stream *s = local_uni(&f, session);
  write_text(s, "body");
  assert_int_equal(fixture_send(&f, 3), 3);
  assert_int_equal(wt_stream_reset(s, 42), 0);
  EXPECT_WIRE(&f, "send 3 'body'; reset 3 52e4a40fa906 at 4 of 7; ");
  assert_int_equal(wt_stream_reset(s, 43), 0);
  wt__stream_acked(s, 7);
  wt__stream_recv_stop_sending(s, wt__error_to_wire(7));
  wt__stream_abort(s, 0x10c);
  EXPECT_WIRE(&f, "");
  EXPECT_APP(&f, "");
  fixture_end(&f);
}

static void released(const uint8_t *data, size_t len, void *user_data) {
  (void)data;
  APP((struct mux_fixture *)user_data, "released %d; ", (int)len);
}

/* Nothing of a stream that is reset is sent again: its bytes are given back with it. */
static void test_stream_reset_gives_back_what_it_was_lent(void **state) {
  static const uint8_t data[10];
  struct mux_fixture f;
  (void)state;
  for (int how = 0; how < 4; how++) {
    fixture_init(&f);
    fixture_session(&f, 0);
    wt_stream *s = remote_stream(&f, 4, false);
    assert_int_equal(wt_stream_write_owned(s, data, 0, released, &f), WT_ERR_INVALID);
    assert_int_equal(wt_stream_write_owned(s, data, 1, NULL, &f), WT_ERR_INVALID);
    assert_int_equal(wt_stream_write_owned(s, data, 1, released, &f), 0);
    assert_int_equal(wt_stream_write_owned(s, data, 10, released, &f), 0);
    if (how == 0) wt_stream_reset(s, 1);
    if (how == 1) wt__stream_recv_stop_sending(s, wt__error_to_wire(1));
    if (how == 2) wt__stream_write_closed(s);
    if (how == 3) wt__stream_closed(s);
    f.app[0] = '\0';
    wt__mux_run(&f.mux, 0);
    EXPECT_APP(&f, "released 1; released 10; ");
    fixture_end(&f);
  }
}

/* --- A peer that takes nothing --- */

/* Four seconds in which others send a thousand bytes each second. */
static void four_seconds(struct mux_fixture *f) {
  for (uint64_t ms = 0; ms <= 5000; ms += 500) {
    f->mux.sent_total += 500;
    wt__mux_run(&f->mux, ms * MS);
  }
}

static void test_stream_that_waits_for_its_turn_is_not_given_up(void **state) {
  struct mux_fixture f;
  (void)state;
  for (int parked = 0; parked < 2; parked++) {
    fixture_init(&f);
    f.config.send_timeout_ms = 4000;
    f.config.min_progress = 1;
    wt__progress_list_init(&f.mux.sending, 4000, 1);
    fixture_session(&f, 0);
    wt_stream *s = remote_stream(&f, 4, false);
    write_text(s, "bytes");
    if (parked) wt__credit_park(s); /* it waits for its peer's credit, whatever others send */
    four_seconds(&f);
    EXPECT_APP(&f, parked ? "closed 4 transport wire 107; " : "");
    fixture_end(&f);
  }
}

/* --- Reading that ends --- */

static void test_stream_whose_end_has_come_is_not_stopped(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 2, true);
  wt_stream_pause(s);
  wt__stream_recv(s, (const uint8_t *)"late", 4, true);
  assert_int_equal(wt_stream_stop_sending(s, 1), 0);
  assert_int_equal(wt_stream_stop_sending(s, 2), 0); /* it is done already */
  EXPECT_WIRE(&f, "");
  assert_int_equal(f.consumed, 4);
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 0);
  EXPECT_APP(&f, "closed 2; "); /* no error: all has arrived */
  fixture_end(&f);
}

static void test_stream_is_stopped_once(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_stream *s = remote_stream(&f, 2, true);
  assert_int_equal(wt_stream_stop_sending(s, 1), 0);
  EXPECT_WIRE(&f, "stop 2 52e4a40fa8dc; ");
  assert_int_equal(wt_stream_stop_sending(s, 2), 0);
  EXPECT_WIRE(&f, "");

  s = remote_stream(&f, 6, true); /* the application has heard of its end */
  wt_session_close(session, 0, NULL, 0);
  wt__session_sent(session, wt__sendq_room(&session->capsules), true);
  wt__mux_run(&f.mux, 0);
  assert_true(s->close_told);
  f.wire[0] = '\0';
  assert_int_equal(wt_stream_stop_sending(s, 1), 0);
  assert_int_equal(wt_stream_reset(s, 1), WT_ERR_STATE);
  EXPECT_WIRE(&f, "");
  fixture_end(&f);
}

/* Early streams of a session that takes none, which QUIC has closed meanwhile, leave nothing behind. */
static void test_stream_that_nobody_takes_is_freed(void **state) {
  struct mux_fixture f;
  struct wt__session_params params = {.path = "/", .protocol = "", .peer_address = "", .draft = 15};
  static const struct wt_session_callbacks none;
  wt_session *session;
  (void)state;
  fixture_init(&f);
  params.callbacks = &none;
  wt_stream *s = wt__mux_stream_new_remote(&f.mux, 2, true, 0, 0);
  wt__stream_recv(s, (const uint8_t *)"x", 1, true);
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 0);
  assert_int_equal(wt__mux_session_new(&f.mux, 0, &params, &session), 0);
  wt__mux_run(&f.mux, 0);
  assert_true(wt__list_empty(&session->streams));
  assert_int_equal(session->stats.streams_open, 0);
  assert_int_equal(session->stats.streams_accepted, 1);
  assert_int_equal(f.consumed, 1);
  fixture_end(&f);
}

/* Bytes of a stream that QUIC has closed, and that are never read, go back to the connection's window. */
static void test_stream_kept_and_never_read_is_consumed(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f); /* the session is refused */
  wt_stream *s = wt__mux_stream_new_remote(&f.mux, 2, true, 0, 0);
  wt__stream_recv(s, (const uint8_t *)"early", 5, true);
  wt__stream_closed(s);
  wt__mux_session_refused(&f.mux, 0);
  wt__mux_run(&f.mux, 0);
  assert_int_equal(f.consumed, 5);
  fixture_end(&f);

  fixture_init(&f); /* it does not come in time */
  s = wt__mux_stream_new_remote(&f.mux, 2, true, 0, 0);
  wt__stream_recv(s, (const uint8_t *)"early", 5, true);
  wt__stream_closed(s);
  wt__mux_run(&f.mux, 5000 * MS);
  wt__mux_run(&f.mux, 5000 * MS);
  assert_int_equal(f.consumed, 5);
  fixture_end(&f);

  for (int by_peer = 0; by_peer < 2; by_peer++) { /* the session ends while the reader pauses */
    fixture_init(&f);
    wt_session *session = fixture_session(&f, 0);
    s = remote_stream(&f, 2, true);
    wt_stream_pause(s);
    wt__stream_recv(s, (const uint8_t *)"kept", 4, true);
    wt__stream_closed(s);
    wt__mux_run(&f.mux, 0);
    assert_int_equal(f.consumed, 0);
    if (by_peer) {
      wt__session_recv_fin(session);
    } else {
      wt_session_close(session, 0, "", 0);
    }
    wt__session_sent(session, wt__sendq_room(&session->capsules), true);
    wt__mux_run(&f.mux, 0);
    wt__mux_run(&f.mux, 0);
    assert_int_equal(f.consumed, 4);
    fixture_end(&f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_stream_that_is_blocked_has_no_turn),
      cmocka_unit_test(test_stream_counts_the_bytes_behind_its_header),
      cmocka_unit_test(test_stream_of_the_peer_in_one_direction_takes_no_writes),
      cmocka_unit_test(test_stream_of_ours_in_one_direction_is_not_read),
      cmocka_unit_test(test_stream_that_was_ended_takes_no_writes),
      cmocka_unit_test(test_stream_that_was_reset_takes_no_writes),
      cmocka_unit_test(test_stream_that_was_ended_and_then_stopped_is_closed),
      cmocka_unit_test(test_stream_whose_peer_stopped_reading_takes_no_writes),
      cmocka_unit_test(test_stream_whose_writing_quic_closed_sends_nothing),
      cmocka_unit_test(test_stream_that_quic_closed_takes_no_writes),
      cmocka_unit_test(test_stream_of_a_closed_session_takes_no_writes),
      cmocka_unit_test(test_stream_that_is_written_has_a_priority),
      cmocka_unit_test(test_stream_hears_of_room_only_while_it_may_write),
      cmocka_unit_test(test_stream_acknowledged_again_tells_nothing_new),
      cmocka_unit_test(test_stream_reset_drops_an_end_that_was_not_sent),
      cmocka_unit_test(test_stream_reset_once_the_header_is_acknowledged_is_at_once),
      cmocka_unit_test(test_stream_reset_at_goes_once),
      cmocka_unit_test(test_stream_reset_gives_back_what_it_was_lent),
      cmocka_unit_test(test_stream_that_waits_for_its_turn_is_not_given_up),
      cmocka_unit_test(test_stream_whose_end_has_come_is_not_stopped),
      cmocka_unit_test(test_stream_is_stopped_once),
      cmocka_unit_test(test_stream_that_nobody_takes_is_freed),
      cmocka_unit_test(test_stream_kept_and_never_read_is_consumed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
