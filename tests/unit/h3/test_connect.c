/* SPDX-License-Identifier: MIT */

/* src/h3/connect.c: what comes on a session's stream between the answer and the next pass, and behind its end. */

#include "h3_fixture.h"

#include "wire/capsule.h"

static struct app {
  wt_request *request;
  wt_session *session;
  int closed;
  struct wt_close_info info;
} app;

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  (void)session, (void)user_data;
  app.closed++;
  app.info = *info;
}

static void handler(wt_request *request, void *user_data) {
  (void)user_data;
  app.request = request;
}

static void take(wt_request *request) {
  static const struct wt_session_callbacks callbacks = {.on_close = on_close};
  struct wt_upgrade_options options;
  wt_upgrade_options_default(&options);
  options.callbacks = &callbacks;
  assert_int_equal(wt_upgrade(request, &options, &app.session), 0);
}

static struct h3_fixture *started(void) {
  struct h3_fixture *f = h3_new();
  memset(&app, 0, sizeof(app));
  assert_int_equal(wt__routes_set(&f->routes, "/wt", handler, NULL, NULL), 0);
  h3_start(f);
  H3_SETTINGS(f, settings_chromium);
  return f;
}

/* A session on stream 0 that was accepted in this moment: no pass since. */
static struct h3_fixture *accepted(void) {
  struct h3_fixture *f = started();
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), false);
  h3_run(f);
  take(app.request);
  return f;
}

static void expect_closed(bool clean, uint32_t code, uint64_t wire_code) {
  assert_int_equal(app.closed, 1);
  assert_int_equal(app.info.by, WT_PEER);
  assert_int_equal(app.info.clean, clean);
  assert_int_equal(app.info.code, code);
  assert_int_equal(app.info.wire_code, wire_code);
}

static void test_connect_fin_before_the_first_pass(void **state) {
  (void)state;
  struct h3_fixture *f = accepted();
  h3_recv(f, 0, NULL, 0, true);
  assert_int_equal(app.closed, 0);
  h3_run(f);
  expect_closed(true, 0, 0);
  h3_run(f);
  assert_true(f->streams[0].fin);
  h3_free(f);
  assert_int_equal(app.closed, 1);
}

static void test_connect_capsule_in_pieces_around_the_first_pass(void **state) {
  uint8_t capsule[WT__CAPSULE_WRITE_MAX];
  size_t len = wt__capsule_write_close(capsule, 7, "bye", 3);
  (void)state;
  for (size_t cut = 1; cut < len; cut++) {
    struct h3_fixture *f = accepted();
    uint64_t before = f->streams[0].consumed;
    h3_data(f, 0, capsule, cut, false);
    assert_int_equal(f->streams[0].consumed, before + 2); /* the frame's header: the capsule waits */
    h3_run(f);
    assert_int_equal(f->streams[0].consumed, before + 2 + cut);
    assert_int_equal(app.closed, 0);
    h3_data(f, 0, capsule + cut, len - cut, false);
    assert_int_equal(f->streams[0].consumed, before + 4 + len);
    h3_run(f);
    expect_closed(true, 7, 0);
    h3_free(f);
  }
}

static void test_connect_capsule_and_fin_before_the_first_pass(void **state) {
  uint8_t capsule[WT__CAPSULE_WRITE_MAX];
  size_t len = wt__capsule_write_close(capsule, 7, "bye", 3);
  (void)state;
  struct h3_fixture *f = accepted();
  h3_data(f, 0, capsule, len, true);
  h3_run(f);
  expect_closed(true, 7, 0); /* the capsule's, not the end's */
  h3_free(f);
}

static void test_connect_reset_before_the_first_pass(void **state) {
  (void)state;
  for (int fin_behind = 0; fin_behind < 2; fin_behind++) {
    struct h3_fixture *f = accepted();
    wt__h3_conn_recv_reset(f->conn, 0, 0x10b, 0);
    wt__h3_conn_recv_reset(f->conn, 0, 0x10c, 0); /* the first one counts */
    if (fin_behind) h3_recv(f, 0, NULL, 0, true);
    assert_int_equal(app.closed, 0);
    h3_run(f);
    expect_closed(false, 0, 0x10b);
    h3_free(f);
    assert_int_equal(app.closed, 1);
  }
}

static void test_connect_closed_before_the_first_pass(void **state) {
  (void)state;
  struct h3_fixture *f = accepted();
  h3_recv(f, 0, NULL, 0, true);
  wt__h3_conn_stream_closed(f->conn, 0, false, 0);
  assert_true(wt__list_empty(&f->conn->due_connects));
  h3_run(f);
  expect_closed(true, 0, 0); /* what was put off is read first */
  assert_int_equal(f->conn->mux.sessions.len, 0);
  h3_free(f);
}

/* Three sessions, of which each has the end of its stream waiting for the next pass. */
static struct h3_fixture *three_wait(void) {
  struct h3_fixture *f = started();
  wt_request *requests[3];
  for (int64_t i = 0; i < 3; i++) {
    h3_send_request(f, 4 * i, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), false);
    h3_run(f);
    requests[i] = app.request;
  }
  for (int64_t i = 0; i < 3; i++) {
    take(requests[i]);
    h3_recv(f, 4 * i, NULL, 0, true);
  }
  assert_int_equal(app.closed, 0);
  return f;
}

static void test_connects_that_wait_are_all_run_in_a_pass(void **state) {
  (void)state;
  struct h3_fixture *f = three_wait();
  wt__h3_conn_run(f->conn, f->now);
  assert_int_equal(app.closed, 3);
  h3_free(f);
}

static size_t list_count(const struct wt__list *list) {
  size_t count = 0;
  for (const struct wt__link *link = list->head.next; link != &list->head; link = link->next) count++;
  return count;
}

static void test_connects_of_a_turn_without_time_are_run_one_by_one(void **state) {
  (void)state;
  struct h3_fixture *f = three_wait();
  f->time_is_up = true;
  for (size_t left = 3; left > 0; left--) {
    assert_int_equal(list_count(&f->conn->due_connects), left);
    wt__h3_conn_run(f->conn, f->now);
  }
  f->time_is_up = false;
  wt__h3_conn_run(f->conn, f->now);
  assert_int_equal(app.closed, 3);
  h3_free(f);
}

/* Nobody reads what comes behind the end, and it costs no window. */
static void test_connect_bytes_behind_a_reset_are_consumed(void **state) {
  (void)state;
  struct h3_fixture *f = accepted();
  h3_run(f);
  h3_data(f, 0, "\x3f\xff", 2, false); /* half of something */
  wt_session_close(app.session, 3, NULL, 0);
  h3_run(f);
  uint64_t before = f->streams[0].consumed;
  h3_data(f, 0, "12345678", 8, false);
  h3_run(f);
  assert_int_equal(f->streams[0].consumed, before + 10);
  assert_false(f->closed);
  h3_free(f);
  assert_int_equal(app.closed, 1);
  assert_int_equal(app.info.by, WT_LOCAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_connect_fin_before_the_first_pass),
      cmocka_unit_test(test_connect_capsule_in_pieces_around_the_first_pass),
      cmocka_unit_test(test_connect_capsule_and_fin_before_the_first_pass),
      cmocka_unit_test(test_connect_reset_before_the_first_pass),
      cmocka_unit_test(test_connect_closed_before_the_first_pass),
      cmocka_unit_test(test_connects_that_wait_are_all_run_in_a_pass),
      cmocka_unit_test(test_connects_of_a_turn_without_time_are_run_one_by_one),
      cmocka_unit_test(test_connect_bytes_behind_a_reset_are_consumed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
