/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mux_fixture.h"
#include "wire/error_code.h"

/* What the session wants on its CONNECT stream, taken as sent. */
static size_t take_connect(wt_session *session, uint8_t *dst, bool *fin) {
  struct wt__vec vecs[8];
  size_t count = wt__session_peek(session, vecs, 8, fin), len = 0;
  for (size_t i = 0; i < count; i++) {
    memcpy(dst + len, vecs[i].data, vecs[i].len);
    len += vecs[i].len;
  }
  wt__session_sent(session, len, *fin);
  return len;
}

static void test_session_close_sends_capsule_and_fin_before_it_resets_streams(void **state) {
  static const uint8_t want[] = "\x68\x43\x0a\x00\x00\x05\x39"
                                "foobar";
  struct mux_fixture f;
  uint8_t bytes[64];
  bool fin;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_stream *s = wt__mux_stream_new_remote(&f.mux, 4, false, 0, 0);
  EXPECT_APP(&f, "stream 4 of 0; ");
  assert_int_equal(wt_session_close(session, 1337, "foobar", 6), 0);
  EXPECT_APP(&f, ""); /* not inside the call */
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "closed 4 gone local 1337; session 0 local 1337 'foobar'; ");
  EXPECT_WIRE(&f, ""); /* the capsule has not left */
  assert_int_equal(take_connect(session, bytes, &fin), sizeof(want) - 1);
  assert_memory_equal(bytes, want, sizeof(want) - 1);
  assert_true(fin);
  wt__mux_run(&f.mux, 2);
  EXPECT_WIRE(&f, "stop 4 170d7b68; reset 4 170d7b68; ");
  wt__stream_closed(s);
  wt__session_connect_closed(session);
  wt__mux_run(&f.mux, 3);
  EXPECT_WIRE(&f, "session_closed 0; ");
  EXPECT_APP(&f, "");
  fixture_end(&f);
}

/* Whatever arrives behind it is read and dropped, and so is what had not been handed over. */
static void test_session_close_is_followed_by_ends_alone(void **state) {
  static const uint8_t datagram[] = "\x00xyz";
  struct mux_fixture f;
  uint8_t bytes[64];
  bool fin;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_stream *paused = wt__mux_stream_new_remote(&f.mux, 4, false, 0, 0);
  wt_stream *open = wt__mux_stream_new_remote(&f.mux, 8, false, 0, 0);
  wt_stream_pause(paused);
  wt__stream_recv(paused, (const uint8_t *)"kept", 4, false);
  wt_stream_resume(paused);
  f.app[0] = 0;
  assert_int_equal(wt_session_close(session, 1, NULL, 0), 0);
  wt__stream_recv(paused, (const uint8_t *)"more", 4, true);
  wt__stream_recv(open, (const uint8_t *)"bytes", 5, false);
  assert_int_equal(f.consumed, 9); /* flow control goes on */
  wt__stream_recv_stop_sending(open, wt__error_to_wire(2));
  wt__stream_recv_reset(open, wt__error_to_wire(3), 7);
  wt__mux_recv_datagram(&f.mux, datagram, 4, 0);
  assert_null(wt__mux_stream_new_remote(&f.mux, 12, false, 0, 0));
  EXPECT_WIRE(&f, "reset 12 3994bd84; stop 12 3994bd84; ");
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "closed 4 gone local 1; closed 8 gone local 1; session 0 local 1 ''; ");
  assert_true(take_connect(session, bytes, &fin) > 0);
  wt__mux_run(&f.mux, 2);
  EXPECT_WIRE(&f, "reset 4 170d7b68; ");
  assert_int_equal(f.consumed, 13);
  wt__stream_closed(paused);
  wt__stream_closed(open);
  wt__session_connect_closed(session);
  wt__mux_run(&f.mux, 3);
  EXPECT_WIRE(&f, "session_closed 0; ");
  EXPECT_APP(&f, "");
  fixture_end(&f);
}

static void on_data_close(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  app_data(stream, data, len, fin, user_data);
  assert_int_equal(wt_session_close(wt_stream_session(stream), 5, NULL, 0), 0);
}

/* The second stream has something to hand over, too, and a reset is behind the first one's bytes. */
static void test_session_close_inside_a_callback_is_the_last_of_them(void **state) {
  static const struct wt_stream_callbacks closes = {
      .size = sizeof(closes), .on_data = on_data_close, .on_reset = app_reset, .on_close = app_stream_close};
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  (void)fixture_session(&f, 0);
  for (int i = 0; i < 2; i++) {
    wt_stream *stream = wt__mux_stream_new_remote(&f.mux, 2 + 4 * i, true, 0, 0);
    wt_stream_set_callbacks(stream, &closes, &f);
    wt_stream_pause(stream);
    wt__stream_recv(stream, (const uint8_t *)"ab", 2, false);
    wt__stream_recv_promise(stream, 2);
    wt__stream_recv_reset(stream, wt__error_to_wire(3), 2);
    wt_stream_resume(stream);
  }
  f.app[0] = 0;
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "data 2 'ab'; closed 2 gone local 5; closed 6 gone local 5; session 0 local 5 ''; ");
  fixture_end(&f);
}

static void test_session_close_of_the_peer_is_told_with_code_and_reason(void **state) {
  struct mux_fixture f;
  uint8_t capsule[WT__CAPSULE_WRITE_MAX], bytes[64];
  bool fin;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  size_t len = wt__capsule_write_close(capsule, 7, "bye", 3);
  for (size_t i = 0; i < len; i++) wt__session_recv(session, capsule + i, 1);
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "session 0 peer 7 'bye'; ");
  assert_false(f.keep_alive);
  assert_int_equal(take_connect(session, bytes, &fin), 0);
  assert_true(fin); /* the peer's close is answered with a FIN */
  wt__session_recv(session, (const uint8_t *)"x", 1);
  EXPECT_WIRE(&f, "connect_reset 0 10e; "); /* bytes behind the close capsule */
  fixture_end(&f);
}

static void test_session_fin_alone_means_code_zero(void **state) {
  struct mux_fixture f;
  uint8_t bytes[8];
  bool fin;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  assert_true(f.keep_alive);
  wt__session_recv_fin(session);
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "session 0 peer 0 ''; ");
  EXPECT_WIRE(&f, "");
  assert_int_equal(take_connect(session, bytes, &fin), 0);
  assert_true(fin); /* it is answered with ours */
  fixture_end(&f);
}

static void test_session_reset_and_broken_capsules_are_unclean(void **state) {
  struct mux_fixture f;
  uint8_t capsule[WT__CAPSULE_WRITE_MAX];
  (void)state;
  fixture_init(&f);
  wt__session_recv_reset(fixture_session(&f, 0), WT__H3_REQUEST_CANCELLED);
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "session 0 peer 0 '' unclean; ");
  EXPECT_WIRE(&f, "connect_reset 0 10c; ");
  wt__session_recv(fixture_session(&f, 4), (const uint8_t *)"\x68\x43\x02\x00\x00", 5);
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "session 4 transport 0 '' unclean; ");
  EXPECT_WIRE(&f, "connect_reset 4 33; ");
  size_t len = wt__capsule_write_varint(capsule, WT__CAPSULE_MAX_STREAM_DATA, 9);
  wt__session_recv(fixture_session(&f, 8), capsule, len);
  wt__mux_run(&f.mux, 1);
  EXPECT_WIRE(&f, "connect_reset 8 10e; ");
  fixture_end(&f);
}

static struct {
  int ends;
  uint64_t wire_code;
} seen;

static void see_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  (void)session, (void)user_data;
  seen.ends++;
  seen.wire_code = info->wire_code;
}

static wt_session *seen_session(struct mux_fixture *f, int64_t id) {
  static const struct wt_session_callbacks callbacks = {.size = sizeof(callbacks), .on_close = see_close};
  wt_session *session = fixture_session(f, id);
  assert_int_equal(wt_session_set_callbacks(session, &callbacks, NULL), 0);
  return session;
}

static void test_session_tells_the_code_of_the_wire(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  seen.ends = 0;
  wt__session_recv_fin(seen_session(&f, 0));
  wt__mux_run(&f.mux, 1);
  assert_int_equal(seen.ends, 1);
  assert_int_equal(seen.wire_code, 0);
  wt__session_recv_reset(seen_session(&f, 4), 0x10c);
  wt__mux_run(&f.mux, 1);
  assert_int_equal(seen.ends, 2);
  assert_int_equal(seen.wire_code, 0x10c);
  wt__session_recv_stop_sending(seen_session(&f, 8), 0x10b); /* a close capsule may follow, for a while */
  wt__mux_run(&f.mux, 1);
  assert_int_equal(seen.ends, 2);
  wt__mux_run(&f.mux, 1 + WT__SESSION_STOP_NS);
  assert_int_equal(seen.ends, 3);
  assert_int_equal(seen.wire_code, 0x10b);
  fixture_end(&f);
}

static void test_session_reason_for_leaving_the_connection(void **state) {
  char text[WT__LEAVE_REASON_MAX + 1], reason[300];
  (void)state;
  memset(text, 'x', sizeof(text));
  assert_int_equal(wt__leave_check(0, NULL, 0, text), 0);
  assert_string_equal(text, "");
  assert_int_equal(wt__leave_check(1, "whyever", 3, text), 0);
  assert_string_equal(text, "why");
  assert_int_equal(wt__leave_check(1, NULL, 3, text), WT_ERR_INVALID);
  assert_int_equal(wt__leave_check(1, "a\0b", 3, text), WT_ERR_INVALID);
  assert_int_equal(wt__leave_check(1, "\xff", 1, text), WT_ERR_INVALID);
  assert_int_equal(wt__leave_check((UINT64_C(1) << 62) - 1, "", 0, text), 0);
  assert_int_equal(wt__leave_check(UINT64_C(1) << 62, "", 0, text), WT_ERR_INVALID);
  memset(reason, 'a', sizeof(reason));
  memcpy(reason + WT__LEAVE_REASON_MAX - 1, "\xc3\xbc", 2); /* is not cut in two */
  assert_int_equal(wt__leave_check(1, reason, sizeof(reason), text), 0);
  assert_int_equal(strlen(text), WT__LEAVE_REASON_MAX - 1);
}

static void test_session_fin_inside_a_capsule_is_malformed(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt__session_recv(session, (const uint8_t *)"\x68\x43\x0a\x00", 4);
  wt__session_recv_fin(session);
  EXPECT_WIRE(&f, "connect_reset 0 33; ");
  fixture_end(&f);
}

static void test_session_close_cuts_the_reason_and_refuses_bad_utf8(void **state) {
  struct mux_fixture f;
  char reason[1500];
  uint8_t bytes[2000];
  bool fin;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  memset(reason, 'a', sizeof(reason));
  memcpy(reason + 1022, "\xe2\x82\xac", 3);
  assert_int_equal(wt_session_close(session, 0, "\xff", 1), WT_ERR_INVALID);
  assert_int_equal(wt_session_close(session, 0, "a\0b", 3), WT_ERR_INVALID); /* readers of strings would miss the b */
  assert_int_equal(wt_session_close(session, 0, reason, sizeof(reason)), 0);
  assert_int_equal(take_connect(session, bytes, &fin), 2 + 2 + 4 + 1022);
  assert_int_equal(wt_session_close(session, 1, "", 0), 0); /* does nothing */
  assert_int_equal(take_connect(session, bytes, &fin), 0);
  fixture_end(&f);
}

static void test_session_drain_reaches_the_application_and_is_sent_once(void **state) {
  struct mux_fixture f;
  uint8_t bytes[64];
  bool fin;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_session_drain(session);
  wt_session_drain(session);
  assert_int_equal(take_connect(session, bytes, &fin), 5);
  assert_memory_equal(bytes, "\x80\x00\x78\xae\x00", 5);
  assert_false(fin);
  wt__session_recv(session, bytes, 5);
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "drain 0; ");
  wt_stream *s;
  assert_int_equal(wt_session_open_bidi(session, &s), 0); /* the session goes on */
  fixture_end(&f);
}

static void test_session_frees_capsules_that_are_acknowledged_in_pieces(void **state) {
  struct mux_fixture f;
  uint8_t bytes[64];
  bool fin;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  int64_t before = wt__mem_live();
  wt_session_drain(session);
  size_t len = take_connect(session, bytes, &fin);
  for (size_t i = 0; i < len; i++) wt__session_acked(session, 1);
  assert_int_equal(wt__mem_live(), before);
  fixture_end(&f);
}

static void test_session_that_is_stuck_is_reset_after_a_while(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(wt__mux_expiry(&f.mux), UINT64_MAX);
  wt_session_close(session, 0, NULL, 0);
  wt__mux_run(&f.mux, 1000);
  uint64_t now = 1000;
  while (now < 1000 + WT__SESSION_CLOSE_NS) { /* nothing of it is acknowledged: it may yet arrive */
    EXPECT_WIRE(&f, "");
    assert_int_equal(wt__mux_expiry(&f.mux), now + WT__SESSION_LINGER_NS);
    now += WT__SESSION_LINGER_NS;
    wt__mux_run(&f.mux, now);
  }
  EXPECT_WIRE(&f, "connect_reset 0 170d7b68; ");
  assert_int_equal(wt__mux_expiry(&f.mux), UINT64_MAX);
  wt__session_connect_closed(session);
  wt__mux_run(&f.mux, 9000 * MS);
  EXPECT_WIRE(&f, "session_closed 0; ");
  fixture_end(&f);
}

/* The peer has the close, or wants none of it: nothing is lost with the CONNECT stream. */
static void test_session_that_is_stuck_is_reset_sooner_when_its_close_is_settled(void **state) {
  (void)state;
  for (int stopped = 0; stopped < 2; stopped++) {
    struct mux_fixture f;
    uint8_t bytes[64];
    bool fin;
    fixture_init(&f);
    wt_session *session = fixture_session(&f, 0);
    wt_session_close(session, 7, "bye", 3);
    wt__mux_run(&f.mux, 1000);
    if (stopped) {
      wt__session_recv_stop_sending(session, WT__WT_SESSION_GONE);
    } else {
      wt__session_acked(session, take_connect(session, bytes, &fin));
    }
    wt__mux_run(&f.mux, 1000 + WT__SESSION_LINGER_NS);
    EXPECT_WIRE(&f, "connect_reset 0 170d7b68; ");
    fixture_end(&f);
  }
}

static void test_session_and_streams_are_told_when_the_connection_is_lost(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  fixture_session(&f, 0);
  wt__mux_stream_new_remote(&f.mux, 4, false, 0, 0);
  f.app[0] = 0;
  wt__mux_free(&f.mux, &(struct wt__ending){WT_CAUSE_ERROR, false, 0x1, ""});
  EXPECT_APP(&f, "closed 4 gone transport 0; session 0 transport 0 '' unclean; ");
  EXPECT_WIRE(&f, "");
  assert_int_equal(wt__mem_live(), 0);
}

static void test_session_stats_count(void **state) {
  struct mux_fixture f;
  struct wt_session_stats stats = {.size = sizeof(stats)};
  wt_stream *s;
  size_t written;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  s = wt__mux_stream_new_remote(&f.mux, 4, false, 0, 0);
  wt__stream_recv(s, (const uint8_t *)"12345", 5, false);
  wt_session_open_uni(session, &s);
  wt_stream_write(s, "123", 3, &written);
  fixture_send(&f, 0);
  assert_int_equal(wt_session_get_stats(session, &stats), 0);
  assert_int_equal(stats.bytes_received, 5);
  assert_int_equal(stats.bytes_sent, 3); /* without the header */
  assert_int_equal(stats.streams_opened, 1);
  assert_int_equal(stats.streams_accepted, 1);
  assert_int_equal(stats.streams_open, 2);
  assert_int_equal(stats.smoothed_rtt_us, 1234);
  stats.size = 8;
  assert_int_equal(wt_session_get_stats(session, &stats), WT_ERR_INVALID);
  fixture_end(&f);
}

static void other_data(wt_stream *s, const uint8_t *data, size_t len, bool fin, void *ud) {
  (void)data, (void)fin;
  APP((struct mux_fixture *)ud, "other %d %d; ", (int)wt_stream_id(s), (int)len);
}

static wt_stream *peer_opens(struct mux_fixture *f, int64_t id) {
  wt_stream *stream = wt__mux_stream_new_remote(&f->mux, id, false, 0, 0);
  if (stream) wt__stream_recv(stream, (const uint8_t *)"ab", 2, false);
  wt__mux_run(&f->mux, 0);
  return stream;
}

/* Streams of both sides begin with them, `on_stream` is not needed, and one stream alone may have others. */
static void test_session_has_callbacks_for_all_streams(void **state) {
  static const struct wt_session_callbacks silent = {.on_close = app_close};
  static const struct wt_stream_callbacks other = {.on_data = other_data}, none = {.size = 1};
  struct mux_fixture f;
  wt_stream *own;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(wt_session_set_callbacks(session, &silent, &f), 0);
  assert_int_equal(wt_session_set_stream_callbacks(session, &none, &f), WT_ERR_INVALID);
  peer_opens(&f, 4);
  EXPECT_APP(&f, ""); /* refused */
  EXPECT_WIRE(&f, "stop 4 52e4a40fa8db; reset 4 52e4a40fa8db; ");
  assert_int_equal(wt_session_set_stream_callbacks(session, &stream_app, &f), 0);
  wt_stream *stream = peer_opens(&f, 8);
  assert_ptr_equal(wt_stream_user_data(stream), &f);
  EXPECT_APP(&f, "data 8 'ab'; ");
  EXPECT_WIRE(&f, "");
  assert_int_equal(wt_session_open_bidi(session, &own), 0);
  wt__stream_recv(own, (const uint8_t *)"cd", 2, true);
  EXPECT_APP(&f, "data 1 'cd' fin; ");
  assert_int_equal(wt_stream_set_callbacks(stream, &other, &f), 0);
  wt__stream_recv(stream, (const uint8_t *)"ef", 2, false);
  EXPECT_APP(&f, "other 8 2; ");
  wt__stream_recv(own, NULL, 0, true); /* the other one has kept its own */
  assert_int_equal(wt_session_set_callbacks(session, &session_app, &f), 0);
  assert_int_equal(wt_session_set_stream_callbacks(session, &other, &f), 0);
  peer_opens(&f, 12); /* `on_stream` has the last word */
  EXPECT_APP(&f, "stream 12 of 0; data 12 'ab'; ");
  assert_int_equal(wt_session_set_callbacks(session, &silent, &f), 0);
  assert_int_equal(wt_session_set_stream_callbacks(session, NULL, NULL), 0);
  peer_opens(&f, 16);
  EXPECT_APP(&f, "");
  fixture_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_session_close_sends_capsule_and_fin_before_it_resets_streams),
      cmocka_unit_test(test_session_close_is_followed_by_ends_alone),
      cmocka_unit_test(test_session_close_inside_a_callback_is_the_last_of_them),
      cmocka_unit_test(test_session_close_of_the_peer_is_told_with_code_and_reason),
      cmocka_unit_test(test_session_fin_alone_means_code_zero),
      cmocka_unit_test(test_session_reset_and_broken_capsules_are_unclean),
      cmocka_unit_test(test_session_tells_the_code_of_the_wire),
      cmocka_unit_test(test_session_reason_for_leaving_the_connection),
      cmocka_unit_test(test_session_fin_inside_a_capsule_is_malformed),
      cmocka_unit_test(test_session_close_cuts_the_reason_and_refuses_bad_utf8),
      cmocka_unit_test(test_session_drain_reaches_the_application_and_is_sent_once),
      cmocka_unit_test(test_session_frees_capsules_that_are_acknowledged_in_pieces),
      cmocka_unit_test(test_session_that_is_stuck_is_reset_after_a_while),
      cmocka_unit_test(test_session_that_is_stuck_is_reset_sooner_when_its_close_is_settled),
      cmocka_unit_test(test_session_and_streams_are_told_when_the_connection_is_lost),
      cmocka_unit_test(test_session_stats_count),
      cmocka_unit_test(test_session_has_callbacks_for_all_streams),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
