/* SPDX-License-Identifier: MIT */
/*
 * h3/client.c against a server made of bytes: SETTINGS that lack something, and streams that a server must not
 * open. What needs a real server is in tests/loopback/test_client.c.
 */
#include "h3/client.h"
#include "h3_fixture.h"

struct ended {
  unsigned readies, ends, replies;
  int draft;
  struct wt__h3_end end;
  struct wt__h3_reply reply;
  char message[256];
};

static void on_ready(struct wt__h3_conn *conn, int draft, void *user_data) {
  struct ended *ended = user_data;
  assert_non_null(conn);
  ended->readies++;
  ended->draft = draft;
}

static void on_end(const struct wt__h3_end *end, void *user_data) {
  struct ended *ended = user_data;
  ended->ends++;
  ended->end = *end;
}

static void on_reply(const struct wt__h3_reply *reply, void *reply_data) {
  struct ended *ended = reply_data;
  assert_int_equal(ended->ends, 0);
  ended->replies++;
  ended->reply = *reply;
  snprintf(ended->message, sizeof(ended->message), "%s", reply->message);
}

static struct wt_transport transport;
static char close_reason[256];

static void close_connection(void *ctx, uint64_t code, const char *reason) {
  snprintf(close_reason, sizeof(close_reason), "%s", reason);
  fake_transport.close_connection(ctx, code, reason);
}

/* Ids of ours are even now, the server's are odd. */
#define SERVER_CONTROL 3

static struct h3_fixture *client_new(struct ended *ended, uint64_t max_datagram_frame_size) {
  static const struct wt__h3_client_callbacks callbacks = {.on_ready = on_ready, .on_end = on_end};
  struct h3_fixture *f = h3_new();
  memset(ended, 0, sizeof(*ended));
  f->config.require_reset_at = true; /* the default */
  f->next_uni = 2;
  f->next_bidi = 0;
  f->config.no_request_timeout_ms = 0;
  transport = fake_transport;
  transport.close_connection = close_connection;
  f->reset_at = true;
  close_reason[0] = '\0';
  assert_int_equal(
      wt__h3_conn_new_client(&f->conn, &f->config, &callbacks, ended, &transport, f, "192.0.2.1:443", f->now), 0);
  wt__h3_conn_start(f->conn, max_datagram_frame_size);
  h3_run(f);
  return f;
}

static struct wt__h3_dial *dial(struct h3_fixture *f, struct ended *ended) {
  struct wt__h3_dial_options options = {
      .authority = "example.com", .path = "/", .on_reply = on_reply, .reply_data = ended};
  struct wt__h3_dial *made = NULL;
  assert_int_equal(wt__h3_dial(f->conn, &options, &made), 0);
  return made;
}

static void settings(struct h3_fixture *f, const struct wt__setting *list, size_t count) {
  uint8_t bytes[512];
  size_t len = h3_write_settings(bytes, sizeof(bytes), list, count);
  h3_recv(f, SERVER_CONTROL, bytes, len, false);
  if (!f->closed) h3_run(f);
}

static void client_free(struct h3_fixture *f, struct ended *ended) {
  h3_free(f);
  assert_int_equal(ended->ends, 1);
}

static const struct wt__setting all[] = {{0x08, 1}, {0x33, 1}, {0x2c7cf000, 1}};

/* The connection is closed with WT_REQUIREMENTS_NOT_MET, the reason names `missing`, and a dial hears of it. */
static void lacks(const struct wt__setting *list, size_t count, uint64_t max_datagram, bool resets,
                  const char *missing) {
  struct ended ended;
  struct h3_fixture *f = client_new(&ended, max_datagram);
  f->reset_at = resets;
  dial(f, &ended);
  settings(f, list, count);
  assert_true(f->closed);
  assert_int_equal(f->close_code, 0x212c0d48);
  if (!strstr(close_reason, missing)) fail_msg("\"%s\" does not name \"%s\"", close_reason, missing);
  assert_int_equal(ended.readies, 0);
  assert_int_equal(f->streams[0].sent_len, 0); /* nothing was asked for */
  client_free(f, &ended);
  assert_int_equal(ended.replies, 1);
  assert_null(ended.reply.session);
}

static void test_client_is_ready_when_the_settings_have_all_that_is_required(void **state) {
  (void)state;
  struct ended ended;
  struct h3_fixture *f = client_new(&ended, 65535);
  dial(f, &ended);
  assert_int_equal(f->streams[0].sent_len, 0); /* not before the SETTINGS */
  settings(f, all, 3);
  assert_false(f->closed);
  assert_int_equal(ended.readies, 1);
  assert_int_equal(ended.draft, 15);
  assert_true(f->streams[0].sent_len > 0);
  client_free(f, &ended);
  assert_int_equal(ended.replies, 1);
}

static void test_client_closes_with_requirements_not_met_without_extended_connect(void **state) {
  (void)state;
  static const struct wt__setting list[] = {{0x33, 1}, {0x2c7cf000, 1}},
                                  zero[] = {{0x08, 0}, {0x33, 1}, {0x2c7cf000, 1}};
  lacks(list, 2, 65535, true, "extended CONNECT");
  lacks(zero, 3, 65535, true, "extended CONNECT");
}

static void test_client_closes_with_requirements_not_met_without_h3_datagrams(void **state) {
  (void)state;
  static const struct wt__setting list[] = {{0x08, 1}, {0x2c7cf000, 1}};
  lacks(list, 2, 65535, true, "SETTINGS_H3_DATAGRAM");
  lacks(all, 3, 0, true, "max_datagram_frame_size");
}

static void test_client_closes_with_requirements_not_met_without_webtransport(void **state) {
  (void)state;
  static const struct wt__setting list[] = {{0x08, 1}, {0x33, 1}};
  lacks(list, 2, 65535, true, "WebTransport draft");
}

static void test_client_closes_with_requirements_not_met_without_reset_stream_at(void **state) {
  (void)state;
  lacks(all, 3, 65535, false, "reset_stream_at");
}

static void test_client_takes_a_server_without_reset_stream_at_by_option(void **state) {
  (void)state;
  struct ended ended;
  struct h3_fixture *f = client_new(&ended, 65535);
  f->config.require_reset_at = false;
  f->reset_at = false;
  settings(f, all, 3);
  assert_false(f->closed);
  assert_int_equal(ended.draft, 15);
  client_free(f, &ended);
}

static void test_client_needs_no_reset_stream_at_below_draft_15(void **state) {
  (void)state;
  static const struct wt__setting list[] = {{0x08, 1}, {0x33, 1}, {0x14e9cd29, 4}};
  struct ended ended;
  struct h3_fixture *f = client_new(&ended, 65535);
  f->reset_at = false;
  settings(f, list, 3);
  assert_false(f->closed);
  assert_int_equal(ended.draft, 13);
  client_free(f, &ended);
}

static void test_client_closes_on_settings_that_a_draft_forbids(void **state) {
  (void)state;
  static const struct wt__setting list[] = {{0x08, 1}, {0x33, 1}, {0x2c7cf000, 2}};
  struct ended ended;
  struct h3_fixture *f = client_new(&ended, 65535);
  settings(f, list, 3);
  assert_true(f->closed);
  assert_int_equal(f->close_code, WT__H3_SETTINGS_ERROR);
  client_free(f, &ended);
}

static void test_client_does_not_wait_for_settings_for_ever(void **state) {
  (void)state;
  struct ended ended;
  struct h3_fixture *f = client_new(&ended, 65535);
  assert_int_equal(wt__h3_conn_expiry(f->conn), f->now + f->config.settings_timeout_ms * H3_MS);
  f->now += f->config.settings_timeout_ms * H3_MS;
  wt__h3_conn_run(f->conn, f->now);
  assert_true(f->closed);
  assert_int_equal(f->close_code, 0x212c0d48);
  client_free(f, &ended);
}

static void test_client_waits_for_settings_without_a_limit_by_option(void **state) {
  (void)state;
  struct ended ended;
  struct h3_fixture *f = client_new(&ended, 65535);
  f->config.settings_timeout_ms = 0;
  f->now += UINT64_C(3600000) * H3_MS;
  h3_run(f);
  assert_false(f->closed);
  h3_run(f);
  assert_false(f->closed);
  client_free(f, &ended);
}

static void test_client_takes_a_bidirectional_stream_of_the_server_only_for_webtransport(void **state) {
  (void)state;
  static const uint8_t wt[] = {0x40, 0x41, 0x00, 'x'}, http[] = {0x01, 0x00};
  struct ended ended;
  struct h3_fixture *f = client_new(&ended, 65535);
  settings(f, all, 3);
  h3_recv(f, 1, wt, sizeof(wt), false); /* waits for session 0, which is not there yet */
  assert_false(f->closed);
  h3_recv(f, 5, http, sizeof(http), false);
  assert_true(f->closed);
  assert_int_equal(f->close_code, WT__H3_STREAM_CREATION_ERROR);
  client_free(f, &ended);
}

static void test_client_connection_may_end_before_it_began(void **state) {
  (void)state;
  struct ended ended;
  struct h3_fixture *f = client_new(&ended, 65535);
  const struct wt__h3_end end = {.error = WT_ERR_TIMEOUT, .reason = "too long"};
  dial(f, &ended);
  wt__h3_conn_set_end(f->conn, &end);
  client_free(f, &ended);
  assert_int_equal(ended.end.error, WT_ERR_TIMEOUT);
  assert_int_equal(ended.replies, 1);
  assert_int_equal(ended.reply.error, WT_ERR_TIMEOUT);
  assert_string_equal(ended.message, "too long");
}

/* --- Behind an answer with 204 --- */

static struct wt_close_info tunnel_end;
static unsigned tunnel_ends;

static void tunnel_on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  (void)session, (void)user_data;
  tunnel_ends++;
  tunnel_end = *info;
}

/* A client whose session was accepted with 204, and a byte at a time of what follows, with a FIN. */
static struct h3_fixture *tunnel(struct ended *ended, const uint8_t *bytes, size_t len, bool fin) {
  static const uint8_t answer[] = {0x01, 0x04, 0x00, 0x00, 0xff, 0x01}; /* HEADERS, QPACK's static ":status: 204" */
  struct h3_fixture *f = client_new(ended, 65535);
  struct wt__h3_dial_options options = {.authority = "example.com",
                                        .path = "/",
                                        .on_reply = on_reply,
                                        .reply_data = ended,
                                        .callbacks = {.on_close = tunnel_on_close}};
  tunnel_ends = 0;
  assert_int_equal(wt__h3_dial(f->conn, &options, NULL), 0);
  settings(f, all, 3);
  for (size_t i = 0; i < sizeof(answer); i++) h3_recv(f, 0, answer + i, 1, false);
  h3_run(f);
  assert_int_equal(ended->reply.status, 204);
  assert_non_null(ended->reply.session);
  for (size_t i = 0; i < len && !f->closed; i++) h3_recv(f, 0, bytes + i, 1, false);
  if (fin && !f->closed) h3_recv(f, 0, NULL, 0, true);
  if (!f->closed) h3_run(f);
  return f;
}

static void test_client_reads_capsules_behind_a_204(void **state) {
  (void)state;
  /* A frame of an unknown type, an empty DATA frame, and WT_CLOSE_SESSION with code 5 in two DATA frames. */
  static const uint8_t bytes[] = {0x21, 0x02, 'x',  'y',  0x00, 0x00, 0x00, 0x03, 0x68,
                                  0x43, 0x05, 0x00, 0x05, 0x00, 0x00, 0x00, 0x05, 'a'};
  struct ended ended;
  struct h3_fixture *f = tunnel(&ended, bytes, sizeof(bytes), true);
  assert_false(f->closed);
  assert_int_equal(tunnel_ends, 1);
  assert_int_equal(tunnel_end.code, 5);
  assert_true(tunnel_end.has_code);
  client_free(f, &ended);
  f = tunnel(&ended, NULL, 0, true);
  assert_int_equal(tunnel_ends, 1);
  assert_true(tunnel_end.clean && !tunnel_end.has_code);
  client_free(f, &ended);
}

static void test_client_reads_capsules_beside_a_204(void **state) {
  /* The answer and WT_CLOSE_SESSION with code 5 in one packet. */
  static const uint8_t bytes[] = {0x01, 0x04, 0x00, 0x00, 0xff, 0x01, 0x00, 0x07,
                                  0x68, 0x43, 0x04, 0x00, 0x00, 0x00, 0x05};
  struct wt__h3_dial_options options = {
      .authority = "example.com", .path = "/", .on_reply = on_reply, .callbacks = {.on_close = tunnel_on_close}};
  struct ended ended;
  struct h3_fixture *f = client_new(&ended, 65535);
  (void)state;
  options.reply_data = &ended;
  tunnel_ends = 0;
  assert_int_equal(wt__h3_dial(f->conn, &options, NULL), 0);
  settings(f, all, 3);
  h3_recv(f, 0, bytes, sizeof(bytes), true);
  h3_run(f);
  assert_false(f->closed);
  assert_int_equal(ended.reply.status, 204);
  assert_int_equal(tunnel_ends, 1);
  assert_int_equal(tunnel_end.code, 5);
  client_free(f, &ended);
}

static void test_client_takes_data_frames_alone_behind_a_204(void **state) {
  (void)state;
  static const struct {
    uint8_t bytes[8];
    size_t len;
    bool fin;
    uint64_t code;
  } cases[] = {
      {{0x01, 0x02, 0x00, 0x00}, 4, false, 0x105}, /* HEADERS */
      {{0x04, 0x00}, 2, false, 0x105},             /* SETTINGS */
      {{0x00, 0x05, 'a'}, 3, true, 0x106},         /* the end, inside DATA */
      {{0x40, 0x41, 0x00}, 3, false, 0x106},       /* the signal of a WebTransport stream */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct ended ended;
    struct h3_fixture *f = tunnel(&ended, cases[i].bytes, cases[i].len, cases[i].fin);
    assert_true(f->closed);
    assert_int_equal(f->close_code, cases[i].code);
    client_free(f, &ended);
  }
}

/* A capsule that is malformed ends the session inside a DATA frame. What the server still sends is of no interest. */
static void test_client_drops_what_comes_behind_the_end_of_a_tunnel(void **state) {
  static const uint8_t bytes[] = {0x00, 0x20, 0x68, 0x43, 0x02,
                                  0x00, 0x00, 'a',  'b'}; /* WT_CLOSE_SESSION of two bytes */
  struct ended ended;
  struct h3_fixture *f = tunnel(&ended, bytes, sizeof(bytes), true);
  (void)state;
  assert_false(f->closed);
  assert_true(f->streams[0].reset);
  assert_int_equal(tunnel_ends, 1);
  client_free(f, &ended);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_client_is_ready_when_the_settings_have_all_that_is_required),
      cmocka_unit_test(test_client_closes_with_requirements_not_met_without_extended_connect),
      cmocka_unit_test(test_client_closes_with_requirements_not_met_without_h3_datagrams),
      cmocka_unit_test(test_client_closes_with_requirements_not_met_without_webtransport),
      cmocka_unit_test(test_client_closes_with_requirements_not_met_without_reset_stream_at),
      cmocka_unit_test(test_client_takes_a_server_without_reset_stream_at_by_option),
      cmocka_unit_test(test_client_needs_no_reset_stream_at_below_draft_15),
      cmocka_unit_test(test_client_closes_on_settings_that_a_draft_forbids),
      cmocka_unit_test(test_client_does_not_wait_for_settings_for_ever),
      cmocka_unit_test(test_client_waits_for_settings_without_a_limit_by_option),
      cmocka_unit_test(test_client_takes_a_bidirectional_stream_of_the_server_only_for_webtransport),
      cmocka_unit_test(test_client_connection_may_end_before_it_began),
      cmocka_unit_test(test_client_reads_capsules_behind_a_204),
      cmocka_unit_test(test_client_reads_capsules_beside_a_204),
      cmocka_unit_test(test_client_takes_data_frames_alone_behind_a_204),
      cmocka_unit_test(test_client_drops_what_comes_behind_the_end_of_a_tunnel),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
