/* SPDX-License-Identifier: MIT */
/* src/core/session.c: what is told of each end, once; calls of other threads; numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mux_fixture.h"
#include "wire/error_code.h"

static struct wt_close_info info;
static char reason[64];
static int closes;

static void on_close(wt_session *session, const struct wt_close_info *told, void *user_data) {
  (void)session, (void)user_data;
  closes++;
  info = *told;
  snprintf(reason, sizeof(reason), "%s", told->reason);
}

static wt_session *session_new(struct mux_fixture *f) {
  fixture_init(f);
  wt_session *session = fixture_session(f, 0);
  session->callbacks.on_close = on_close;
  closes = 0;
  return session;
}

static void expect_end(struct mux_fixture *f, enum wt_party by, enum wt_cause cause, bool clean, uint64_t wire_code) {
  wt__mux_run(&f->mux, 0);
  assert_int_equal(closes, 1);
  assert_int_equal(info.by, by);
  assert_int_equal(info.cause, cause);
  assert_int_equal(info.clean, clean);
  assert_int_equal(info.wire_code, wire_code);
  assert_int_equal(strlen(reason), info.reason_len);
}

static const struct wt__ending lost = {WT_CAUSE_NETWORK, false, 0, "lost"};

/* --- Ends --- */

static void test_session_ends_with_its_connection(void **state) {
  struct mux_fixture f;
  (void)state;
  wt_session *session = session_new(&f);
  wt__session_end_connection(session, &(struct wt__ending){WT_CAUSE_PEER, true, 0x107, "too much"});
  expect_end(&f, WT_PEER, WT_CAUSE_PEER, false, 0x107);
  assert_true(info.connection);
  assert_string_equal(info.message, "too much");
  fixture_end(&f);
}

/* The first end is the one that is told. */
static void test_session_ends_once(void **state) {
  struct mux_fixture f;
  (void)state;
  wt_session *session = session_new(&f);
  assert_int_equal(wt_session_close(session, 7, "bye", 3), 0);
  assert_int_equal(wt_session_close(session, 8, "again", 5), 0);
  wt__session_end_connection(session, &lost);
  wt__session_break(session, WT__WT_FLOW_CONTROL_ERROR);
  expect_end(&f, WT_LOCAL, WT_CAUSE_LOCAL, true, 0);
  assert_int_equal(info.code, 7);
  assert_string_equal(reason, "bye");
  assert_false(info.connection);
  fixture_end(&f);
  assert_int_equal(closes, 1);
}

static void test_session_ends_unclean_without_a_close(void **state) {
  struct mux_fixture f;
  (void)state;
  wt_session *session = session_new(&f); /* QUIC closed the stream */
  wt__session_connect_closed(session);
  expect_end(&f, WT_TRANSPORT, wt__party_cause(WT_TRANSPORT), false, WT__H3_REQUEST_CANCELLED);
  assert_int_equal(info.reason_len, 0);
  fixture_end(&f);

  session = session_new(&f); /* the peer broke a rule */
  wt__session_break(session, WT__WT_FLOW_CONTROL_ERROR);
  EXPECT_WIRE(&f, "connect_reset 0 45d4487; ");
  expect_end(&f, WT_TRANSPORT, wt__party_cause(WT_TRANSPORT), false, WT__WT_FLOW_CONTROL_ERROR);
  assert_int_equal(info.reason_len, 0);
  assert_int_equal(info.code, 0);
  assert_true(info.message[0] != '\0');
  fixture_end(&f);
}

static void test_session_keeps_the_connection_alive_while_it_lasts(void **state) {
  struct mux_fixture f;
  (void)state;
  wt_session *session = session_new(&f);
  wt_session *other = fixture_session(&f, 4);
  assert_true(f.keep_alive);
  wt_session_close(session, 0, NULL, 0);
  assert_true(f.keep_alive);
  wt_session_close(other, 0, NULL, 0);
  assert_false(f.keep_alive);
  fixture_end(&f);
}

/* --- Before the answer --- */

static void test_session_refused_is_told_at_once(void **state) {
  struct mux_fixture f;
  struct wt__session_params params = {.path = "/", .protocol = "", .peer_address = "", .draft = 15, .unanswered = true};
  wt_session *session;
  (void)state;
  for (int by_end = 0; by_end < 2; by_end++) {
    fixture_init(&f);
    closes = 0;
    params.callbacks = &session_app;
    params.user_data = &f;
    assert_int_equal(wt__mux_session_new(&f.mux, 0, &params, &session), 0);
    session->callbacks.on_close = on_close;
    wt__mux_run(&f.mux, 0);
    if (by_end) {
      wt__session_refused_by_end(session, &lost);
    } else {
      wt__session_refused(session, WT_PEER, WT__H3_REQUEST_REJECTED);
    }
    assert_int_equal(closes, 1);
    assert_int_not_equal(session->start, WT__SESSION_ASKED);
    assert_int_equal(info.connection, by_end);
    if (!by_end) assert_int_equal(info.by, WT_PEER);
    wt__session_connect_closed(session);
    wt__mux_run(&f.mux, 0);
    assert_int_equal(f.mux.sessions.len, 0); /* nothing holds it back */
    fixture_end(&f);
    assert_int_equal(closes, 1);
  }
}

/* --- Calls of other threads --- */

static int posted, post_error, calls;
static wt_session *called_with;

static int fake_post(void *ctx, wt_session *session, wt__session_function function, void *argument) {
  assert_ptr_equal(ctx, &posted);
  assert_non_null(session);
  assert_non_null(function);
  assert_ptr_equal(argument, &calls);
  posted++;
  return post_error;
}

static void function(wt_session *session, void *argument) {
  assert_ptr_equal(argument, &calls);
  called_with = session;
  calls++;
}

static void test_session_posts_what_it_can(void **state) {
  struct mux_fixture f;
  (void)state;
  posted = post_error = calls = 0;
  wt_session *session = session_new(&f);
  assert_int_equal(wt_session_post(session, function, &calls), WT_ERR_UNSUPPORTED);
  f.config.post = fake_post;
  f.config.post_ctx = &posted;
  assert_int_equal(wt_session_post(session, NULL, &calls), WT_ERR_INVALID);
  assert_int_equal(wt_session_post(NULL, function, &calls), WT_ERR_INVALID);
  assert_int_equal(posted, 0);
  post_error = WT_ERR_NOMEM;
  assert_int_equal(wt_session_post(session, function, &calls), WT_ERR_NOMEM);
  assert_int_equal(atomic_load(&session->posts), 0);
  post_error = 0;
  assert_int_equal(wt_session_post(session, function, &calls), 0);
  assert_int_equal(atomic_load(&session->posts), 1);
  wt__session_posted(session, function, &calls);
  assert_ptr_equal(called_with, session);
  assert_int_equal(atomic_load(&session->posts), 0);
  fixture_end(&f);
}

/* The record waits for the last call, which hears that the session is gone. */
static void test_session_that_is_freed_is_posted_null(void **state) {
  struct mux_fixture f;
  (void)state;
  calls = post_error = 0;
  wt_session *session = session_new(&f);
  f.config.post = fake_post;
  f.config.post_ctx = &posted;
  assert_int_equal(wt_session_post(session, function, &calls), 0);
  assert_int_equal(wt_session_post(session, function, &calls), 0);
  wt__mux_free(&f.mux, &lost);
  assert_int_equal(closes, 1);
  for (int i = 1; i <= 2; i++) {
    assert_true(wt__mem_live() > 0);
    called_with = session;
    wt__session_posted(session, function, &calls);
    assert_null(called_with);
    assert_int_equal(calls, i);
  }
  assert_int_equal(wt__mem_live(), 0);
}

/* --- Numbers --- */

static struct wt__path_stats path;

static void path_stats(void *ctx, struct wt__path_stats *stats) {
  (void)ctx;
  *stats = path;
}

static void test_session_stats_estimate_the_rate(void **state) {
  static const struct {
    uint64_t rtt, window, rate;
  } cases[] = {{0, 12000, 0}, {1, 1, 8000000}, {2, 1, 4000000}, {100000, 12000, 960000}};
  struct wt_transport transport = fake_transport;
  struct mux_fixture f;
  (void)state;
  wt_session *session = session_new(&f);
  transport.path_stats = path_stats;
  f.mux.transport = &transport;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wt_session_stats stats = {.size = sizeof(stats)};
    path = (struct wt__path_stats){
        .smoothed_rtt_us = cases[i].rtt, .congestion_window = cases[i].window, .packets_sent = 3};
    assert_int_equal(wt_session_get_stats(session, &stats), 0);
    assert_int_equal(stats.smoothed_rtt_us, cases[i].rtt);
    assert_int_equal(stats.estimated_send_rate, cases[i].rate);
    assert_int_equal(stats.packets_sent, 3);
  }
  fixture_end(&f);
}

static void test_session_drains_once_and_not_when_it_is_over(void **state) {
  struct mux_fixture f;
  (void)state;
  wt_session *session = session_new(&f);
  uint64_t before = session->capsules.end;
  wt_session_drain(session);
  uint64_t after = session->capsules.end;
  assert_true(after > before);
  wt_session_drain(session);
  assert_int_equal(session->capsules.end, after);
  fixture_end(&f);

  session = session_new(&f);
  wt_session_close(session, 0, NULL, 0);
  before = session->capsules.end;
  wt_session_drain(session);
  assert_int_equal(session->capsules.end, before);
  fixture_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_session_ends_with_its_connection),
      cmocka_unit_test(test_session_ends_once),
      cmocka_unit_test(test_session_ends_unclean_without_a_close),
      cmocka_unit_test(test_session_keeps_the_connection_alive_while_it_lasts),
      cmocka_unit_test(test_session_refused_is_told_at_once),
      cmocka_unit_test(test_session_posts_what_it_can),
      cmocka_unit_test(test_session_that_is_freed_is_posted_null),
      cmocka_unit_test(test_session_stats_estimate_the_rate),
      cmocka_unit_test(test_session_drains_once_and_not_when_it_is_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
