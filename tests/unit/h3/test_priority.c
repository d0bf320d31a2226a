/* SPDX-License-Identifier: MIT */

/* src/h3/priority.c, peer_control.c and frames.c: PRIORITY_UPDATE for a session, before and after it is one. */

#include "h3_fixture.h"

#include "core/session.h"

static wt_request *waiting; /* of /later */
static int upgraded;

static void accept_request(wt_request *request) {
  struct wt_upgrade_options options;
  wt_upgrade_options_default(&options);
  assert_int_equal(wt_upgrade(request, &options, NULL), 0);
  upgraded++;
}

static void accept_now(wt_request *request, void *user_data) {
  (void)user_data;
  accept_request(request);
}

static void accept_later(wt_request *request, void *user_data) {
  (void)user_data;
  waiting = request;
}

static struct h3_fixture *started(void) {
  struct h3_fixture *f = h3_new();
  upgraded = 0;
  assert_int_equal(wt__routes_set(&f->routes, "/wt", accept_now, NULL, NULL), 0);
  assert_int_equal(wt__routes_set(&f->routes, "/later", accept_later, NULL, NULL), 0);
  h3_start(f);
  H3_SETTINGS(f, settings_chromium);
  return f;
}

static void connect_session(struct h3_fixture *f, int64_t id) {
  h3_send_request(f, id, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), false);
  h3_run(f);
}

/* A PRIORITY_UPDATE (0xf0700, in a varint of four bytes) for stream `id`, below 64. Returns its length. */
static size_t update_write(uint8_t *dst, int64_t id, const char *value) {
  size_t len = strlen(value), n = 4;
  memcpy(dst, "\x80\x0f\x07\x00", 4);
  n += wt__varint_write(dst + n, len + 1);
  dst[n++] = (uint8_t)id;
  memcpy(dst + n, value, len);
  return n + len;
}

static void update(struct h3_fixture *f, int64_t id, const char *value) {
  uint8_t frame[256];
  h3_recv(f, H3_CONTROL, frame, update_write(frame, id, value), false);
}

static unsigned urgency(const struct h3_fixture *f, int64_t id) {
  const wt_session *session = wt__map_get(&f->conn->mux.sessions, (uint64_t)id);
  assert_non_null(session);
  return session->sched.urgency;
}

static void test_priority_update_changes_an_open_session(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  connect_session(f, 0);
  connect_session(f, 4);
  assert_int_equal(upgraded, 2);
  assert_int_equal(urgency(f, 4), 3);
  update(f, 4, "u=1");
  assert_int_equal(urgency(f, 4), 1);
  assert_int_equal(urgency(f, 0), 3);
  update(f, 4, "i, u=7");
  assert_int_equal(urgency(f, 4), 7);
  update(f, 4, "i"); /* no urgency: the default */
  assert_int_equal(urgency(f, 4), 3);
  update(f, 4, "u=0");
  update(f, 4, ""); /* nothing at all, likewise */
  assert_int_equal(urgency(f, 4), 3);
  assert_false(f->closed);
  h3_free(f);
}

static void test_priority_update_before_the_request_counts_more_than_its_field(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  update(f, 0, "u=1");
  update(f, 4, "u=2");
  connect_session(f, 0);
  assert_int_equal(urgency(f, 0), 1);
  h3_send_request(f, 4, H3_FIELDS(H3_CONNECT("webtransport", "/wt"), "priority", "u=6"), false);
  h3_run(f);
  assert_int_equal(urgency(f, 4), 2);
  h3_free(f);
}

static void test_priority_update_between_request_and_upgrade(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/later"), "priority", "u=6"), false);
  h3_run(f);
  update(f, 0, "u=2");
  accept_request(waiting);
  assert_int_equal(urgency(f, 0), 2);
  h3_free(f);
}

/* Several in one piece, and cut anywhere: behind the stream's id, too, where nghttp3 would fail an assertion. */
static void test_priority_updates_split_at_every_byte(void **state) {
  struct h3_fixture *f = started();
  uint8_t frames[64];
  size_t len = update_write(frames, 0, "u=1");
  (void)state;
  memcpy(frames + len, "\x21\x03zzz", 5); /* a frame that nobody knows */
  len += 5;
  len += update_write(frames + len, 0, "u=5");
  connect_session(f, 0);
  for (size_t cut = 1; cut < len; cut++) {
    update(f, 0, "u=2");
    h3_recv(f, H3_CONTROL, frames, cut, false);
    h3_recv(f, H3_CONTROL, frames + cut, len - cut, false);
    assert_int_equal(urgency(f, 0), 5);
  }
  uint64_t consumed = f->streams[H3_CONTROL].consumed;
  for (size_t i = 0; i < len; i++) {
    h3_recv(f, H3_CONTROL, frames + i, 1, false);
    assert_int_equal(urgency(f, 0), i + 1 < 9 ? 5 : i + 1 < len ? 1 : 5);
  }
  assert_int_equal(f->streams[H3_CONTROL].consumed, consumed + len);
  assert_false(f->closed);
  h3_free(f);
}

static void test_priority_update_that_is_long_is_passed_over(void **state) {
  struct h3_fixture *f = started();
  char value[WT__PRIORITY_UPDATE_MAX + 1];
  (void)state;
  connect_session(f, 0);
  memset(value, ' ', sizeof(value));
  memcpy(value, "u=1", 3);
  value[WT__PRIORITY_UPDATE_MAX] = '\0';
  uint64_t consumed = f->streams[H3_CONTROL].consumed;
  update(f, 0, value); /* with the id one byte too many */
  assert_int_equal(f->streams[H3_CONTROL].consumed, consumed + 4 + 2 + 1 + WT__PRIORITY_UPDATE_MAX);
  assert_int_equal(urgency(f, 0), 3);
  value[WT__PRIORITY_UPDATE_MAX - 1] = '\0';
  memcpy(value, "u=1, a=\"", 8);
  memset(value + 8, 'x', WT__PRIORITY_UPDATE_MAX - 10);
  value[WT__PRIORITY_UPDATE_MAX - 2] = '"';
  update(f, 0, value);
  assert_int_equal(urgency(f, 0), 1);
  update(f, 0, "u=2");
  assert_int_equal(urgency(f, 0), 2);
  assert_false(f->closed);
  h3_free(f);
}

/* Neither a plain request, nor a stream of a session, nor one that is gone has a session to change. */
static void test_priority_update_for_other_streams_changes_nothing(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  connect_session(f, 0);
  h3_get(f, 4, "/later");
  h3_recv(f, 8, "\x40\x41\x00x", 4, false);
  update(f, 4, "u=1");
  update(f, 8, "u=1");
  update(f, 12, "u=1");
  assert_int_equal(urgency(f, 0), 3);
  assert_false(f->closed);
  h3_free(f);
}

/* Whether nghttp3 has a stream of that id, if only for its priority. */
static bool http_has(const struct h3_fixture *f, int64_t id) {
  nghttp3_pri pri;
  return nghttp3_conn_get_stream_priority(f->conn->http, &pri, id) == 0;
}

/* Nobody would close what nghttp3 opened for them. */
static void test_priority_updates_leave_no_streams_behind(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  connect_session(f, 0);
  h3_recv(f, 8, "\x40\x41\x00x", 4, false);
  update(f, 8, "u=1"); /* of a session's stream: before its end and after it */
  assert_false(http_has(f, 8));
  wt__h3_conn_stream_closed(f->conn, 8, false, 0);
  update(f, 8, "u=1");
  assert_false(http_has(f, 8));
  update(f, 4, "u=1"); /* overtaken: it may have ended long ago */
  assert_false(http_has(f, 4));
  /* Those that are yet to come are for nghttp3, and go with the stream, whatever it becomes. */
  static const int64_t ids[] = {12, 16, 20};
  for (size_t i = 0; i < 3; i++) {
    update(f, ids[i], "u=1");
    assert_true(http_has(f, ids[i]));
  }
  h3_recv(f, 12, "\x40\x41\x00x", 4, false);
  wt__h3_conn_recv_reset(f->conn, 16, 7, 0); /* it never said what it is */
  h3_recv(f, 20, "\x40", 1, false);
  update(f, 20, "u=2");
  h3_recv(f, 20, NULL, 0, true);
  for (size_t i = 0; i < 3; i++) {
    wt__h3_conn_stream_closed(f->conn, ids[i], false, 0);
    assert_false(http_has(f, ids[i]));
  }
  assert_int_equal(f->conn->streams.len, 2); /* the session's and the control stream */
  assert_false(f->closed);
  h3_free(f);
}

/* To be judged by nghttp3. */
static void test_priority_update_that_is_malformed_ends_the_connection(void **state) {
  static const char *const values[] = {"u=\x01", "u", "\"", "u=1,"};
  (void)state;
  int closed = 0;
  for (size_t i = 0; i < 4; i++) {
    struct h3_fixture *f = started();
    connect_session(f, 0);
    update(f, 0, values[i]);
    closed += f->closed;
    if (!f->closed) assert_in_range(urgency(f, 0), 0, 7);
    h3_free(f);
  }
  assert_in_range(closed, 1, 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_priority_update_changes_an_open_session),
      cmocka_unit_test(test_priority_update_before_the_request_counts_more_than_its_field),
      cmocka_unit_test(test_priority_update_between_request_and_upgrade),
      cmocka_unit_test(test_priority_updates_split_at_every_byte),
      cmocka_unit_test(test_priority_update_that_is_long_is_passed_over),
      cmocka_unit_test(test_priority_update_for_other_streams_changes_nothing),
      cmocka_unit_test(test_priority_updates_leave_no_streams_behind),
      cmocka_unit_test(test_priority_update_that_is_malformed_ends_the_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
