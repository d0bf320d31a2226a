/* SPDX-License-Identifier: MIT */
/* src/core/datagram.c: the queues of sessions, their turns and bound; datagrams that come before their session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/datagram.h"
#include "mux_fixture.h"
#include "wire/error_code.h"

static void send_text(wt_session *session, const char *text) {
  assert_int_equal(wt_session_send_datagram(session, text, strlen(text)), 0);
}

/* Takes all that is queued; notes session and payload in order. */
static void take_all(struct mux_fixture *f) {
  struct wt__vec datagram;
  while (wt__mux_next_datagram(&f->mux, &datagram)) {
    WIRE(f, "%d '%.*s'; ", datagram.data[0] * 4, (int)datagram.len - 1, (const char *)datagram.data + 1);
    wt__mux_datagram_done(&f->mux, true);
  }
  assert_int_equal(f->mux.datagrams_out_len, 0);
}

static void recv_text(struct mux_fixture *f, int64_t session_id, const char *text, uint64_t now) {
  uint8_t bytes[64] = {(uint8_t)(session_id / 4)};
  memcpy(bytes + 1, text, strlen(text));
  wt__mux_recv_datagram(&f->mux, bytes, 1 + strlen(text), now);
}

/* --- Sending --- */

static void test_datagrams_of_sessions_take_turns(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  f.config.max_datagrams_queued = 10;
  wt_session *a = fixture_session(&f, 0), *b = fixture_session(&f, 4);
  int wakes = f.wakes;
  send_text(a, "1");
  assert_true(f.wakes > wakes);
  send_text(a, "2");
  send_text(a, "3");
  send_text(b, "4");
  send_text(b, "5");
  take_all(&f);
  EXPECT_WIRE(&f, "0 '1'; 4 '4'; 0 '2'; 4 '5'; 0 '3'; ");
  assert_int_equal(a->stats.datagrams_sent, 3);
  assert_int_equal(b->stats.datagrams_sent, 2);
  send_text(b, "6"); /* a queue that has been empty goes on */
  take_all(&f);
  EXPECT_WIRE(&f, "4 '6'; ");
  fixture_end(&f);
}

static void test_datagrams_that_do_not_fit_a_packet_are_counted_apart(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  send_text(session, "1");
  send_text(session, "2");
  wt__mux_datagram_done(&f.mux, false);
  take_all(&f);
  EXPECT_WIRE(&f, "0 '2'; ");
  assert_int_equal(session->stats.datagrams_sent, 1);
  assert_int_equal(session->stats.datagrams_dropped_outgoing, 1);
  wt__mux_datagram_done(&f.mux, true); /* there is none */
  assert_int_equal(session->stats.datagrams_sent, 1);
  fixture_end(&f);
}

/* The session that has most pays with its oldest, not the newcomer. */
static void test_datagrams_over_the_bound_push_out_those_of_the_longest_queue(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  f.config.max_datagrams_queued = 6;
  wt_session *a = fixture_session(&f, 0), *b = fixture_session(&f, 4), *c = fixture_session(&f, 8);
  send_text(a, "1");
  send_text(b, "2");
  for (const char *text = "abcd"; *text; text++) assert_int_equal(wt_session_send_datagram(c, text, 1), 0);
  assert_int_equal(f.mux.datagrams_out_len, 6);
  send_text(a, "3"); /* c has most */
  assert_int_equal(c->stats.datagrams_dropped_outgoing, 1);
  send_text(c, "e"); /* has its share, and pays for itself */
  assert_int_equal(c->stats.datagrams_dropped_outgoing, 2);
  assert_int_equal(a->stats.datagrams_dropped_outgoing + b->stats.datagrams_dropped_outgoing, 0);
  assert_int_equal(f.mux.datagrams_out_len, 6);
  take_all(&f);
  EXPECT_WIRE(&f, "0 '1'; 4 '2'; 8 'c'; 0 '3'; 8 'd'; 8 'e'; ");
  fixture_end(&f);
}

static void test_datagrams_of_a_newcomer_push_out_too(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  f.config.max_datagrams_queued = 2;
  wt_session *a = fixture_session(&f, 0), *b = fixture_session(&f, 4);
  send_text(a, "1");
  send_text(a, "2");
  send_text(b, "3");
  take_all(&f);
  EXPECT_WIRE(&f, "0 '2'; 4 '3'; ");
  f.config.max_datagrams_queued = 0; /* one is always taken */
  send_text(a, "4");
  send_text(a, "5");
  take_all(&f);
  EXPECT_WIRE(&f, "0 '5'; ");
  fixture_end(&f);
}

static void test_datagrams_at_the_bounds_of_their_size(void **state) {
  struct mux_fixture f;
  static const uint8_t data[8];
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  f.max_datagram = 5;
  assert_int_equal(wt_session_max_datagram_size(session), 4);
  assert_int_equal(wt_session_send_datagram(session, data, 4), 0);
  assert_int_equal(wt_session_send_datagram(session, data, 5), WT_ERR_TOO_LARGE);
  f.max_datagram = 1;
  assert_int_equal(wt_session_max_datagram_size(session), 0);
  assert_int_equal(wt_session_send_datagram(session, data, 0), 0);
  assert_int_equal(wt_session_send_datagram(session, data, 1), WT_ERR_TOO_LARGE);
  f.max_datagram = 0;
  assert_int_equal(wt_session_max_datagram_size(session), 0);
  assert_int_equal(wt_session_send_datagram(session, data, 0), WT_ERR_UNSUPPORTED);
  assert_int_equal(f.mux.datagrams_out_len, 2);
  wt_session_close(session, 0, "", 0);
  assert_int_equal(wt_session_send_datagram(session, data, 0), WT_ERR_CLOSED);
  fixture_end(&f);
}

static size_t told_size, told_sizes;

static void on_datagram_size(wt_session *session, size_t max, void *user_data) {
  (void)session, (void)user_data;
  told_size = max;
  told_sizes++;
}

static void test_datagrams_whose_size_changes_are_told_once(void **state) {
  static const struct wt_session_callbacks callbacks = {.on_datagram_size = on_datagram_size};
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  session->callbacks = callbacks;
  told_size = told_sizes = 0;
  f.max_datagram = 1000;
  wt__mux_datagram_len_changed(&f.mux);
  assert_int_equal(told_sizes, 0); /* not inside the call */
  wt__mux_run(&f.mux, 0);
  wt__mux_run(&f.mux, 0);
  assert_int_equal(told_sizes, 1);
  assert_int_equal(told_size, 999);
  session->callbacks.on_datagram_size = NULL;
  wt__mux_datagram_len_changed(&f.mux);
  wt__mux_run(&f.mux, 0);
  fixture_end(&f);
}

static void test_datagrams_end_with_their_session(void **state) {
  struct mux_fixture f;
  struct wt__vec datagram;
  (void)state;
  fixture_init(&f);
  wt_session *a = fixture_session(&f, 0), *b = fixture_session(&f, 4);
  send_text(a, "1");
  send_text(a, "2");
  send_text(b, "3");
  wt__datagrams_drop_session(a);
  assert_int_equal(f.mux.datagrams_out_len, 1);
  assert_int_equal(f.mux.datagram_sessions_len, 1);
  assert_true(wt__mux_next_datagram(&f.mux, &datagram));
  take_all(&f);
  EXPECT_WIRE(&f, "4 '3'; ");
  assert_int_equal(f.mux.datagram_sessions_len, 0);
  assert_false(wt__mux_next_datagram(&f.mux, &datagram));
  fixture_end(&f);
}

/* --- Their age --- */

static struct wt_session_stats stats_of(const wt_session *session) {
  struct wt_session_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_session_get_stats(session, &stats), 0);
  return stats;
}

static void test_datagrams_that_are_too_old_are_dropped(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  f.config.max_datagrams_queued = 10;
  wt_session *a = fixture_session(&f, 0), *b = fixture_session(&f, 4);
  wt_session_set_datagram_max_age(a, 20);
  send_text(a, "1");
  send_text(b, "2"); /* has no maximum */
  wt__mux_run(&f.mux, 100 * MS);
  wt__mux_run(&f.mux, 105 * MS); /* their age goes on */
  send_text(a, "3");
  wt__mux_run(&f.mux, 120 * MS); /* the maximum itself is not too old */
  assert_int_equal(f.mux.datagrams_out_len, 3);
  wt__mux_run(&f.mux, 120 * MS + 1);
  take_all(&f);
  EXPECT_WIRE(&f, "0 '3'; 4 '2'; "); /* the turn is the session's, not the datagram's */
  assert_int_equal(stats_of(a).datagrams_expired_outgoing, 1);
  assert_int_equal(stats_of(a).datagrams_dropped_outgoing, 0);
  assert_int_equal(stats_of(b).datagrams_expired_outgoing, 0);
  fixture_end(&f);
}

static void test_datagrams_that_are_all_too_old_leave_no_turn(void **state) {
  struct mux_fixture f;
  struct wt__vec datagram;
  (void)state;
  fixture_init(&f);
  wt_session *a = fixture_session(&f, 0), *b = fixture_session(&f, 4);
  send_text(a, "1");
  send_text(b, "2");
  wt_session_set_datagram_max_age(a, 1); /* holds for what waits, too */
  wt_session_set_datagram_max_age(b, 1);
  wt__mux_run(&f.mux, 10 * MS);
  wt__mux_run(&f.mux, 12 * MS);
  assert_false(wt__mux_next_datagram(&f.mux, &datagram));
  assert_int_equal(f.mux.datagrams_out_len, 0);
  assert_int_equal(f.mux.datagram_sessions_len, 0);
  send_text(a, "3"); /* the time of the last run says nothing about its age */
  assert_true(wt__mux_next_datagram(&f.mux, &datagram));
  wt_session_set_datagram_max_age(a, 0);
  wt__mux_run(&f.mux, 20 * MS);
  wt__mux_run(&f.mux, 20000 * MS);
  take_all(&f);
  EXPECT_WIRE(&f, "0 '3'; ");
  wt_session_set_datagram_max_age(a, UINT64_MAX); /* as 0 */
  send_text(a, "4");
  wt__mux_run(&f.mux, 30000 * MS);
  take_all(&f);
  EXPECT_WIRE(&f, "0 '4'; ");
  fixture_end(&f);
}

/* A full queue loses what is too old first, which makes room for more than one. */
static void test_datagrams_that_are_too_old_make_room(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_session_set_datagram_max_age(session, 10);
  send_text(session, "1");
  send_text(session, "2");
  send_text(session, "3");
  wt__mux_run(&f.mux, 10 * MS);
  wt__mux_run(&f.mux, 30 * MS);
  send_text(session, "4");
  assert_int_equal(f.mux.datagrams_out_len, 1);
  assert_int_equal(stats_of(session).datagrams_expired_outgoing, 3);
  assert_int_equal(stats_of(session).datagrams_dropped_outgoing, 0);
  send_text(session, "5");
  send_text(session, "6");
  send_text(session, "7"); /* none is too old */
  assert_int_equal(stats_of(session).datagrams_dropped_outgoing, 1);
  take_all(&f);
  EXPECT_WIRE(&f, "0 '5'; 0 '6'; 0 '7'; ");
  fixture_end(&f);
}

static void test_datagrams_tell_how_long_they_waited(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  assert_int_equal(stats_of(session).datagram_queue_delay_us, 0);
  send_text(session, "1");
  wt__mux_run(&f.mux, 10 * MS);
  wt__mux_run(&f.mux, 18 * MS);
  take_all(&f);
  assert_int_equal(stats_of(session).datagram_queue_delay_us, 8000);
  send_text(session, "2");
  wt__mux_run(&f.mux, 20 * MS);
  take_all(&f);
  assert_int_equal(stats_of(session).datagram_queue_delay_us, 7000);
  assert_int_equal(stats_of(session).max_datagram_queue_delay_us, 8000);
  fixture_end(&f);
}

/* --- Before their session --- */

static void test_datagrams_that_are_early_are_those_of_their_session(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  f.config.max_early_datagrams = 3;
  recv_text(&f, 0, "a", 0);
  recv_text(&f, 4, "b", 0);
  recv_text(&f, 0, "c", 0);
  recv_text(&f, 4, "too many", 0);
  wt_session *session = fixture_session(&f, 4);
  EXPECT_APP(&f, "datagram 4 'b'; ");
  assert_int_equal(session->stats.datagrams_received, 1);
  assert_int_equal(session->stats.datagrams_dropped_incoming, 1);
  assert_int_equal(f.mux.early_datagrams_len, 2);
  fixture_session(&f, 0);
  EXPECT_APP(&f, "datagram 0 'a'; datagram 0 'c'; ");
  assert_int_equal(f.mux.early_datagrams_len, 0);
  recv_text(&f, 0, "d", 0);
  EXPECT_APP(&f, "datagram 0 'd'; ");
  fixture_end(&f);
}

static void test_datagrams_of_a_refused_session_are_dropped(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  recv_text(&f, 0, "a", 0);
  recv_text(&f, 4, "b", 0);
  wt__mux_session_refused(&f.mux, 0);
  assert_int_equal(f.mux.early_datagrams_len, 1);
  recv_text(&f, 0, "late", 0);
  assert_int_equal(f.mux.early_datagrams_len, 1);
  fixture_session(&f, 4);
  EXPECT_APP(&f, "datagram 4 'b'; ");
  fixture_end(&f);
}

static void test_datagrams_that_are_early_expire_in_order(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  assert_true(wt__datagrams_expiry(&f.mux) == UINT64_MAX);
  recv_text(&f, 0, "a", 10 * MS);
  recv_text(&f, 0, "b", 20 * MS);
  assert_int_equal(wt__datagrams_expiry(&f.mux), 5010 * MS);
  wt__datagrams_expire(&f.mux, 5010 * MS - 1);
  assert_int_equal(f.mux.early_datagrams_len, 2);
  wt__datagrams_expire(&f.mux, 5010 * MS);
  assert_int_equal(f.mux.early_datagrams_len, 1);
  assert_int_equal(f.mux.early_datagrams_dropped, 1);
  assert_int_equal(wt__datagrams_expiry(&f.mux), 5020 * MS);
  fixture_session(&f, 0);
  EXPECT_APP(&f, "datagram 0 'b'; ");
  fixture_end(&f);
}

static void test_datagrams_for_a_session_that_has_ended_are_not_told(void **state) {
  struct mux_fixture f;
  (void)state;
  fixture_init(&f);
  wt_session *session = fixture_session(&f, 0);
  wt_session_close(session, 0, "", 0);
  recv_text(&f, 0, "a", 0);
  EXPECT_APP(&f, "");
  assert_int_equal(session->stats.datagrams_received, 0);
  fixture_end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_datagrams_of_sessions_take_turns),
      cmocka_unit_test(test_datagrams_that_do_not_fit_a_packet_are_counted_apart),
      cmocka_unit_test(test_datagrams_over_the_bound_push_out_those_of_the_longest_queue),
      cmocka_unit_test(test_datagrams_of_a_newcomer_push_out_too),
      cmocka_unit_test(test_datagrams_at_the_bounds_of_their_size),
      cmocka_unit_test(test_datagrams_whose_size_changes_are_told_once),
      cmocka_unit_test(test_datagrams_end_with_their_session),
      cmocka_unit_test(test_datagrams_that_are_too_old_are_dropped),
      cmocka_unit_test(test_datagrams_that_are_all_too_old_leave_no_turn),
      cmocka_unit_test(test_datagrams_that_are_too_old_make_room),
      cmocka_unit_test(test_datagrams_tell_how_long_they_waited),
      cmocka_unit_test(test_datagrams_that_are_early_are_those_of_their_session),
      cmocka_unit_test(test_datagrams_of_a_refused_session_are_dropped),
      cmocka_unit_test(test_datagrams_that_are_early_expire_in_order),
      cmocka_unit_test(test_datagrams_for_a_session_that_has_ended_are_not_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
