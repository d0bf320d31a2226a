/* SPDX-License-Identifier: MIT */
/*
 * src/h3/dial.c and client.c: a request for a session and its answers, GOAWAY, and how long a connection waits for its last closes, against
 * a server made of bytes. What needs a real server is in tests/loopback/.
 */
#include "core/session.h"
#include "h3/client.h"
#include "h3_fixture.h"

#define SERVER_CONTROL 3

/* What one dial was told. */
struct told {
  unsigned replies;
  int error, status;
  uint64_t wire_code;
  wt_session *session;
  char message[128], header[64];
};

static struct wt__path_stats path;
static unsigned unused;

static void fake_path(void *ctx, struct wt__path_stats *stats) {
  (void)ctx;
  *stats = path;
}

static void on_unused(struct wt__h3_conn *conn, void *user_data) {
  (void)conn, (void)user_data;
  unused++;
}

static void on_reply(const struct wt__h3_reply *reply, void *reply_data) {
  struct told *told = reply_data;
  const char *header = wt__h3_dial_header(reply->dial, "x-test");
  told->replies++;
  told->error = reply->error;
  told->status = reply->status;
  told->wire_code = reply->wire_code;
  told->session = reply->session;
  assert_non_null(reply->message);
  snprintf(told->message, sizeof(told->message), "%s", reply->message);
  snprintf(told->header, sizeof(told->header), "%s", header ? header : "");
}

/* A connection whose server has sent its SETTINGS. */
static struct h3_fixture *client_new(void) {
  static const struct wt__h3_client_callbacks callbacks = {.on_unused = on_unused};
  /* Without flow control there is no more than one session (draft section 5). */
  static const struct wt__setting all[] = {{0x08, 1},      {0x33, 1},    {0x2c7cf000, 1},
                                           {0x2b61, 1000}, {0x2b64, 10}, {0x2b65, 10}};
  static struct wt_transport transport;
  struct h3_fixture *f = h3_new();
  uint8_t bytes[64];
  transport = fake_transport;
  transport.path_stats = fake_path;
  path = (struct wt__path_stats){.smoothed_rtt_us = 1000, .probe_timeout_us = 200000};
  unused = 0;
  f->reset_at = true;
  f->next_uni = 2;
  f->next_bidi = 0;
  f->config.no_request_timeout_ms = 0;
  f->config.mux.flow.initial = (struct wt__flow_limits){1000, {10, 10}};
  f->config.mux.flow.max_data = 1000;
  assert_int_equal(
      wt__h3_conn_new_client(&f->conn, &f->config, &callbacks, NULL, &transport, f, "192.0.2.1:443", f->now), 0);
  wt__h3_conn_start(f->conn, 65535);
  h3_recv(f, SERVER_CONTROL, bytes, h3_write_settings(bytes, sizeof(bytes), all, 6), false);
  h3_run(f);
  return f;
}

static struct wt__h3_dial *dial(struct h3_fixture *f, struct told *told, bool optimistic) {
  struct wt__h3_dial_options options = {
      .authority = "example.com", .path = "/", .optimistic = optimistic, .on_reply = on_reply, .reply_data = told};
  struct wt__h3_dial *made = NULL;
  *told = (struct told){0};
  assert_int_equal(wt__h3_dial(f->conn, &options, &made), 0);
  h3_run(f);
  return made;
}

static void answer(struct h3_fixture *f, int64_t id, const char *status, bool fin) {
  h3_send_request(f, id, H3_FIELDS(":status", status, "x-test", status), fin);
  h3_run(f);
}

static void expect_told(const struct told *told, int error, int status) {
  assert_int_equal(told->replies, 1);
  assert_int_equal(told->error, error);
  assert_int_equal(told->status, status);
  if (error) {
    assert_null(told->session);
    assert_true(told->message[0] != '\0');
  } else {
    assert_non_null(told->session);
    assert_string_equal(told->message, "");
  }
}

/* --- Answers --- */

static void test_dial_takes_each_status_for_what_it_is(void **state) {
  static const struct {
    const char *status;
    int error;
  } cases[] = {{"200", 0}, {"201", 0}, {"299", 0}, {"300", WT_ERR_REJECTED}, {"404", WT_ERR_REJECTED}};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct h3_fixture *f = client_new();
    struct told told;
    dial(f, &told, false);
    assert_true(f->streams[0].sent_len > 0);
    answer(f, 0, "103", false); /* more follows */
    answer(f, 0, "199", false);
    assert_int_equal(told.replies, 0);
    answer(f, 0, cases[i].status, false);
    expect_told(&told, cases[i].error, atoi(cases[i].status));
    assert_string_equal(told.header, cases[i].status);
    assert_int_equal(f->streams[0].reset, cases[i].error != 0);
    assert_int_equal(f->streams[0].stopped, cases[i].error != 0);
    if (cases[i].error) assert_int_equal(f->streams[0].reset_code, WT__H3_REQUEST_CANCELLED);
    assert_int_equal(wt__h3_conn_sessions(f->conn), cases[i].error ? 0 : 1);
    assert_false(f->closed);
    h3_free(f);
    assert_int_equal(told.replies, 1);
  }
}

static void test_dial_without_an_answer(void **state) {
  struct told told;
  (void)state;
  struct h3_fixture *f = client_new(); /* a reset */
  dial(f, &told, false);
  wt__h3_conn_recv_reset(f->conn, 0, 0x10b, 0);
  h3_run(f);
  expect_told(&told, WT_ERR_REJECTED, 0);
  assert_int_equal(told.wire_code, 0x10b);
  h3_free(f);

  f = client_new(); /* a stream that QUIC closed */
  dial(f, &told, false);
  wt__h3_conn_stream_closed(f->conn, 0, false, 0);
  h3_run(f);
  expect_told(&told, WT_ERR_CLOSED, 0);
  assert_false(f->streams[0].reset);
  h3_free(f);
}

static void test_dial_whose_answer_is_too_large(void **state) {
  static char value[8000];
  struct told told;
  (void)state;
  struct h3_fixture *f = client_new();
  f->config.max_header_bytes = 4096;
  memset(value, 'v', sizeof(value) - 1);
  dial(f, &told, false);
  h3_send_request(f, 0, H3_FIELDS(":status", "200", "x-test", value), false);
  h3_run(f);
  expect_told(&told, WT_ERR_TOO_LARGE, 0);
  assert_non_null(strstr(told.message, "too large"));
  assert_true(f->streams[0].reset);
  h3_free(f);
}

static void test_dial_that_is_given_up(void **state) {
  struct told told;
  (void)state;
  struct h3_fixture *f = client_new();
  struct wt__h3_dial *made = dial(f, &told, false);
  unsigned wakes = f->wakes;
  wt__h3_dial_cancel(made);
  assert_true(f->wakes > wakes);
  assert_int_equal(told.replies, 0); /* not inside the call */
  wt__h3_dial_cancel(made);
  h3_run(f);
  expect_told(&told, WT_ERR_CLOSED, 0);
  assert_int_equal(f->streams[0].reset_code, WT__H3_REQUEST_CANCELLED);
  answer(f, 0, "200", false); /* too late */
  assert_int_equal(told.replies, 1);
  assert_int_equal(wt__h3_conn_sessions(f->conn), 0);
  assert_false(f->closed);
  h3_free(f);
}

/* --- A session before its answer --- */

static void on_asked(wt_session *session, void *reply_data) { ((struct told *)reply_data)->session = session; }

static void test_dial_frees_capsules_that_are_acknowledged_before_the_answer(void **state) {
  struct told told = {0};
  struct wt__h3_dial_options options = {.authority = "example.com",
                                        .path = "/",
                                        .optimistic = true,
                                        .on_asked = on_asked,
                                        .on_reply = on_reply,
                                        .reply_data = &told};
  struct wt__h3_dial *made;
  (void)state;
  struct h3_fixture *f = client_new();
  assert_int_equal(wt__h3_dial(f->conn, &options, &made), 0);
  h3_run(f);
  assert_non_null(told.session);
  wt_session_drain(told.session);
  h3_run(f);
  assert_int_equal(told.session->capsules.sent, told.session->capsules.end);
  assert_int_equal(told.session->capsules.acked, 0);
  h3_ack(f, 0);
  assert_int_equal(told.session->capsules.acked, told.session->capsules.end);
  h3_free(f);
}

/* --- Counts --- */

static void test_dial_counts_what_is_asked_for(void **state) {
  struct told told[3];
  (void)state;
  struct h3_fixture *f = client_new();
  assert_int_equal(wt__h3_conn_sessions(f->conn), 0);
  dial(f, &told[0], false);
  assert_int_equal(wt__h3_conn_sessions(f->conn), 1);
  dial(f, &told[1], false);
  dial(f, &told[2], true); /* an optimistic one is a session, and counts once */
  assert_int_equal(wt__h3_conn_sessions(f->conn), 3);
  answer(f, 0, "200", false);
  assert_int_equal(wt__h3_conn_sessions(f->conn), 3);
  answer(f, 4, "404", true);
  assert_int_equal(wt__h3_conn_sessions(f->conn), 2);
  answer(f, 8, "404", true);
  assert_int_equal(wt__h3_conn_sessions(f->conn), 1);
  h3_free(f);
}

/* --- GOAWAY --- */

static void goaway(struct h3_fixture *f, uint8_t id) {
  const uint8_t frame[] = {0x07, 0x01, id};
  h3_recv(f, SERVER_CONTROL, frame, sizeof(frame), false);
  h3_run(f);
}

static void test_dial_below_the_goaway_goes_on_and_others_do_not(void **state) {
  struct told told[3];
  struct wt__h3_dial *late;
  struct wt__h3_dial_options options = {.authority = "example.com", .path = "/", .on_reply = on_reply};
  (void)state;
  struct h3_fixture *f = client_new();
  for (int i = 0; i < 3; i++) dial(f, &told[i], false);
  assert_true(wt__h3_conn_may_exchange(f->conn));
  goaway(f, 4);
  assert_int_equal(told[0].replies, 0); /* the request on stream 0 is below 4 */
  expect_told(&told[1], WT_ERR_CLOSED, 0);
  expect_told(&told[2], WT_ERR_CLOSED, 0);
  assert_non_null(strstr(told[1].message, "going away"));
  assert_int_equal(f->streams[4].reset_code, WT__H3_REQUEST_CANCELLED);
  assert_false(wt__h3_conn_may_exchange(f->conn));
  assert_false(wt__h3_conn_may_dial(f->conn));
  struct told refused = {0};
  options.reply_data = &refused;
  if (wt__h3_dial(f->conn, &options, &late) == 0) {
    h3_run(f);
    expect_told(&refused, WT_ERR_CLOSED, 0);
  }
  assert_int_equal(f->streams[12].sent_len, 0);
  answer(f, 0, "200", false);
  expect_told(&told[0], 0, 200);
  goaway(f, 0); /* a session that is there stays */
  assert_int_equal(told[0].replies, 1);
  assert_int_equal(wt__h3_conn_sessions(f->conn), 1);
  h3_free(f);
}

/* --- The wait for the last closes --- */

/* A session whose close the server has not acknowledged: when is it waited for no more? */
static uint64_t close_wait(struct wt__path_stats stats) {
  struct told told;
  struct h3_fixture *f = client_new();
  path = stats;
  dial(f, &told, false);
  answer(f, 0, "200", false);
  expect_told(&told, 0, 200);
  assert_int_equal(wt_session_close(told.session, 0, "", 0), 0);
  h3_run(f);
  h3_run(f);
  uint64_t expiry = f->conn->client->close_wait_until, wait = expiry - f->now;
  assert_true(wt__h3_conn_expiry(f->conn) <= expiry);
  f->now = expiry - 1;
  h3_run(f);
  assert_int_equal(unused, 0);
  f->now = expiry;
  h3_run(f);
  assert_int_equal(unused, 1);
  h3_free(f);
  return wait;
}

#define CLOSE_WAIT(rtt, pto) close_wait((struct wt__path_stats){.smoothed_rtt_us = (rtt), .probe_timeout_us = (pto)})

static void test_dial_close_wait_is_fifteen_probe_timeouts_within_bounds(void **state) {
  (void)state;
  assert_int_equal(CLOSE_WAIT(1000, 200000), 3000 * H3_MS);
  assert_int_equal(CLOSE_WAIT(1, 200000), 3000 * H3_MS);
  assert_int_equal(CLOSE_WAIT(0, 200000), 5000 * H3_MS); /* not measured */
  assert_int_equal(CLOSE_WAIT(1000, 1000), 2000 * H3_MS);
  assert_int_equal(CLOSE_WAIT(1000, 133333), 2000 * H3_MS);
  assert_int_equal(CLOSE_WAIT(1000, 140000), 2100 * H3_MS);
  assert_int_equal(CLOSE_WAIT(1000, 333000), 4995 * H3_MS);
  assert_int_equal(CLOSE_WAIT(1000, 333334), 5000 * H3_MS);
  assert_int_equal(CLOSE_WAIT(1000, UINT64_MAX), 5000 * H3_MS);
}

static void test_dial_close_wait_begins_anew_with_each_packet(void **state) {
  struct told told;
  (void)state;
  struct h3_fixture *f = client_new();
  dial(f, &told, false);
  answer(f, 0, "200", false);
  assert_int_equal(wt_session_close(told.session, 0, "", 0), 0);
  h3_run(f);
  h3_run(f);
  uint64_t expiry = f->conn->client->close_wait_until;
  f->now = expiry - 1;
  path.packets_received++;
  h3_run(f);
  assert_int_equal(f->conn->client->close_wait_until, f->now + 3000 * H3_MS);
  f->now = expiry;
  h3_run(f);
  assert_int_equal(unused, 0);
  h3_ack(f, 0); /* the close is acknowledged: nothing to wait for */
  h3_run(f);
  assert_int_equal(unused, 1);
  h3_free(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dial_takes_each_status_for_what_it_is),
      cmocka_unit_test(test_dial_without_an_answer),
      cmocka_unit_test(test_dial_whose_answer_is_too_large),
      cmocka_unit_test(test_dial_that_is_given_up),
      cmocka_unit_test(test_dial_frees_capsules_that_are_acknowledged_before_the_answer),
      cmocka_unit_test(test_dial_counts_what_is_asked_for),
      cmocka_unit_test(test_dial_below_the_goaway_goes_on_and_others_do_not),
      cmocka_unit_test(test_dial_close_wait_is_fifteen_probe_timeouts_within_bounds),
      cmocka_unit_test(test_dial_close_wait_begins_anew_with_each_packet),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
