/* SPDX-License-Identifier: MIT */
/*
 * Sessions of a client before the server's answer, in core/session.c and core/stream.c: what is sent, what is held
 * back, and how they go on or end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mux_fixture.h"
#include "wire/error_code.h"

static wt_session *unanswered(struct mux_fixture *f) {
  struct wt__session_params params = {.path = "/echo",
                                      .protocol = "",
                                      .peer_address = "192.0.2.1:1",
                                      .draft = 15,
                                      .unanswered = true,
                                      .callbacks = &session_app,
                                      .user_data = f};
  wt_session *session;
  fixture_init(f);
  f->next_uni = 2;
  f->next_bidi = 4;
  assert_int_equal(wt__mux_session_new(&f->mux, 0, &params, &session), 0);
  wt__mux_run(&f->mux, 0);
  return session;
}

static wt_stream *open_stream(struct mux_fixture *f, wt_session *session, bool uni) {
  wt_stream *stream;
  size_t written;
  assert_int_equal(uni ? wt_session_open_uni(session, &stream) : wt_session_open_bidi(session, &stream), 0);
  wt_stream_set_callbacks(stream, &stream_app, f);
  assert_int_equal(wt_stream_write(stream, "up", 2, &written), 0);
  return stream;
}

/* Everything that a session can hear of. */
static void hear_all(struct mux_fixture *f, wt_session *session) {
  wt_stream *data = open_stream(f, session, false), *reset = open_stream(f, session, false);
  wt_stream *stop = open_stream(f, session, true);
  while (fixture_send(f, 3) >= 0) continue;
  EXPECT_WIRE(f, "send 4 'up'; send 8 'up'; send 2 'up'; ");
  wt__stream_recv(data, (const uint8_t *)"down", 4, true);
  wt__stream_recv_reset(reset, wt__error_to_wire(3), 10);
  wt__stream_recv_stop_sending(stop, wt__error_to_wire(4));
  wt__stream_closed(stop);
  wt_stream *remote = wt__mux_stream_new_remote(&f->mux, 3, true, 0, 0);
  wt__stream_recv(remote, (const uint8_t *)"hello", 5, false);
  wt__mux_recv_datagram(&f->mux, (const uint8_t *)"\0dg", 3, 0);
  wt__mux_drain(&f->mux);
  wt__mux_run(&f->mux, 1);
}

static void test_unanswered_sends_and_tells_nothing_until_it_is_answered(void **state) {
  struct mux_fixture f;
  wt_session *session = unanswered(&f);
  (void)state;
  hear_all(&f, session);
  EXPECT_APP(&f, "");
  assert_int_equal(f.consumed, 0);
  assert_int_equal(wt__session_set_protocol(session, "chat"), 0);
  assert_string_equal(wt_session_protocol(session), "chat");
  wt__session_answered(session);
  EXPECT_APP(&f, ""); /* not from inside the call */
  wt__mux_run(&f.mux, 2);
  EXPECT_APP(&f, "data 4 'down' fin; reset 8 peer 3; stop 2 peer 4; closed 2 peer 4; stream 3 of 0; datagram 0 'dg'; "
                 "drain 0; data 3 'hello'; ");
  fixture_end(&f);
}

static void test_unanswered_that_is_refused_ends_at_once_with_its_streams(void **state) {
  struct mux_fixture f;
  wt_session *session = unanswered(&f);
  (void)state;
  hear_all(&f, session);
  EXPECT_APP(&f, "");
  f.wire[0] = '\0';
  wt__session_refused(session, WT_PEER, 0x10b);
  assert_true(strstr(f.app, "session 0 peer 0 '' unclean; ") != NULL);
  assert_true(strstr(f.app, "data") == NULL && strstr(f.app, "datagram") == NULL && strstr(f.app, "stream ") == NULL);
  size_t told = strlen(f.app);
  wt__mux_run(&f.mux, 2);
  assert_int_equal(strlen(f.app), told); /* and nothing after it */
  assert_non_null(strstr(f.wire, "stop 3 170d7b68; "));
  fixture_end(&f);
}

static void test_unanswered_that_was_closed_has_no_deadline_and_ends_after_the_answer(void **state) {
  struct mux_fixture f;
  wt_session *session = unanswered(&f);
  (void)state;
  assert_int_equal(wt_session_close(session, 5, "bye", 3), 0);
  assert_int_equal(f.mux.sessions_open, 0);
  wt__mux_run(&f.mux, 1);
  EXPECT_APP(&f, "");
  assert_true(wt__mux_expiry(&f.mux) == UINT64_MAX); /* else waiting would be a busy loop */
  wt__session_answered(session);
  wt__mux_run(&f.mux, 2);
  EXPECT_APP(&f, "session 0 local 5 'bye'; ");
  fixture_end(&f);
}

static void test_unanswered_that_was_closed_and_is_refused_ends_once(void **state) {
  struct mux_fixture f;
  wt_session *session = unanswered(&f);
  (void)state;
  assert_int_equal(wt_session_close(session, 5, "bye", 3), 0);
  wt__session_refused(session, WT_PEER, 0x10b);
  wt__mux_run(&f.mux, 2);
  EXPECT_APP(&f, "session 0 local 5 'bye'; ");
  fixture_end(&f);
}

static void test_unanswered_ends_with_the_connection(void **state) {
  struct mux_fixture f;
  (void)state;
  (void)unanswered(&f);
  wt__mux_free(&f.mux, &(struct wt__ending){WT_CAUSE_ERROR, true, 0x100, ""});
  EXPECT_APP(&f, "session 0 transport 0 '' unclean; ");
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_unanswered_sends_and_tells_nothing_until_it_is_answered),
      cmocka_unit_test(test_unanswered_that_is_refused_ends_at_once_with_its_streams),
      cmocka_unit_test(test_unanswered_that_was_closed_has_no_deadline_and_ends_after_the_answer),
      cmocka_unit_test(test_unanswered_that_was_closed_and_is_refused_ends_once),
      cmocka_unit_test(test_unanswered_ends_with_the_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
