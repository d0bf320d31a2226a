/* SPDX-License-Identifier: MIT */
/*
 * h3/exchange.c and h3/body.c against a server made of bytes: what a server of ours would not say. What needs a real
 * server is in tests/loopback/test_exchange.c.
 */
#include "h3/client.h"
#include "h3/exchange.h"
#include "h3_fixture.h"

/* Ids of ours are even now, the server's are odd. */
#define SERVER_CONTROL 3

struct told {
  unsigned responses, closes, progress, ended;
  int status, error;
  char message[256], body[256];
  size_t body_len;
  bool fin;
};

static void on_response(wt_exchange *exchange, int status, void *user_data) {
  struct told *told = user_data;
  assert_int_equal(wt_exchange_status(exchange), status);
  told->responses++;
  told->status = status;
}

static void on_body(wt_exchange *exchange, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct told *told = user_data;
  (void)exchange;
  assert_int_equal(told->responses, 1);
  assert_true(len < sizeof(told->body) - told->body_len);
  memcpy(told->body + told->body_len, data, len);
  told->body_len += len;
  told->fin = fin;
}

static void on_close(wt_exchange *exchange, int error, const char *message, void *user_data) {
  struct told *told = user_data;
  assert_int_equal(told->ended, 1);
  assert_null(wt__exchange_owner(exchange));
  told->closes++;
  told->error = error;
  snprintf(told->message, sizeof(told->message), "%s", message);
}

static void on_progress(wt_exchange *exchange, bool closed, void *owner) {
  struct told *told = owner;
  assert_ptr_equal(wt__exchange_owner(exchange), told);
  if (closed) {
    told->ended++;
  } else {
    told->progress++;
  }
}

static struct h3_fixture *client_new(bool connected) {
  static const struct wt__h3_client_callbacks callbacks = {0};
  struct h3_fixture *f = h3_new();
  f->next_uni = 2;
  f->next_bidi = 0;
  f->config.no_request_timeout_ms = 0;
  f->reset_at = true;
  assert_int_equal(
      wt__h3_conn_new_client(&f->conn, &f->config, &callbacks, NULL, &fake_transport, f, "192.0.2.1:443", f->now), 0);
  wt__h3_conn_start(f->conn, 65535);
  if (connected) wt__h3_conn_connected(f->conn);
  h3_run(f);
  return f;
}

static void options_of(struct wt__exchange_options *options, struct told *told) {
  static const struct wt_exchange_callbacks callbacks = {
      .on_response = on_response, .on_body = on_body, .on_close = on_close};
  memset(told, 0, sizeof(*told));
  *options = (struct wt__exchange_options){
      .method = "GET",
      .authority = "example.com",
      .path = "/",
      .max_header_bytes = 1024,
      .max_send_buffer = 1000,
      .callbacks = &callbacks,
      .user_data = told,
  };
}

static wt_exchange *ask(struct h3_fixture *f, const struct wt__exchange_options *options) {
  wt_exchange *exchange = NULL;
  assert_int_equal(wt__exchange_new(options, &exchange), 0);
  wt__exchange_set_owner(exchange, on_progress, options->user_data);
  wt__exchange_attach(exchange, f->conn);
  h3_run(f);
  return exchange;
}

static wt_exchange *get(struct h3_fixture *f, struct told *told) {
  struct wt__exchange_options options;
  options_of(&options, told);
  return ask(f, &options);
}

/* What the server answers on `id`, and its end. */
static void answer(struct h3_fixture *f, int64_t id, const char *const *fields, bool fin) {
  h3_send_request(f, id, fields, fin);
  if (!f->closed) h3_run(f);
}

/* --- Sending --- */

static void test_exchange_waits_for_the_handshake_but_not_for_the_settings(void **state) {
  (void)state;
  struct told told;
  struct h3_fixture *f = client_new(false);
  wt_exchange *exchange = get(f, &told);
  assert_int_equal(f->streams[0].sent_len, 0);
  assert_int_equal(wt__exchange_stage(exchange), WT_STAGE_CONNECT);
  wt__h3_conn_connected(f->conn);
  h3_run(f);
  assert_true(f->streams[0].sent_len > 0);
  assert_true(f->streams[0].fin);
  assert_int_equal(wt__exchange_stage(exchange), WT_STAGE_REQUEST);
  struct h3_answer request = h3_answer(f, 0);
  assert_string_equal(request.fields, ":method: GET\n:scheme: https\n:authority: example.com\n:path: /\n");
  h3_answer_free(&request);
  h3_free(f);
  assert_int_equal(told.closes, 1);
  assert_int_equal(told.error, WT_ERR_CLOSED);
}

static void test_exchange_skips_interim_responses_and_trailers(void **state) {
  (void)state;
  struct told told;
  struct h3_fixture *f = client_new(true);
  wt_exchange *exchange = get(f, &told);
  answer(f, 0, H3_FIELDS(":status", "103", "link", "</a.css>"), false);
  answer(f, 0, H3_FIELDS(":status", "100"), false);
  assert_int_equal(told.responses, 0);
  assert_int_equal(wt_exchange_status(exchange), 0);
  answer(f, 0, H3_FIELDS(":status", "200", "x-real", "1"), false);
  assert_int_equal(told.responses, 1);
  assert_int_equal(told.progress, 1);
  assert_null(wt_exchange_header(exchange, "link"));
  assert_string_equal(wt_exchange_header(exchange, "x-real"), "1");
  assert_int_equal(wt__exchange_stage(exchange), WT_STAGE_ANSWERED);
  h3_data(f, 0, "body", 4, false);
  answer(f, 0, H3_FIELDS("x-trailer", "2"), true);
  assert_null(wt_exchange_header(exchange, "x-trailer"));
  assert_true(told.fin);
  assert_int_equal(told.closes, 0);
  h3_finish(f, 0);
  assert_int_equal(told.closes, 1);
  assert_int_equal(told.error, 0);
  assert_string_equal(told.body, "body");
  h3_free(f);
}

static void test_exchange_paused_bytes_are_not_counted_as_read(void **state) {
  (void)state;
  struct told told;
  struct h3_fixture *f = client_new(true);
  wt_exchange *exchange = get(f, &told);
  answer(f, 0, H3_FIELDS(":status", "200"), false);
  wt_exchange_pause(exchange);
  uint64_t before = f->streams[0].consumed;
  h3_data(f, 0, "0123456789", 10, false);
  h3_run(f);
  assert_int_equal(f->streams[0].consumed, before + 2); /* the frame's head */
  assert_int_equal(told.body_len, 0);
  wt_exchange_resume(exchange);
  assert_int_equal(told.body_len, 0);
  h3_run(f);
  assert_int_equal(f->streams[0].consumed, before + 12);
  assert_string_equal(told.body, "0123456789");
  h3_free(f);
}

/* --- False responses --- */

static void false_header(const char *const *fields) {
  struct told told, other;
  struct h3_fixture *f = client_new(true);
  (void)get(f, &told);
  wt_exchange *second = get(f, &other);
  answer(f, 0, fields, true);
  assert_false(f->closed); /* the fault of one message is not the connection's */
  assert_int_equal(told.closes, 1);
  assert_int_equal(told.error, WT_ERR_PROTOCOL);
  assert_non_null(strstr(told.message, "malformed"));
  assert_true(f->streams[0].reset && f->streams[0].stopped);
  assert_int_equal(f->streams[0].reset_code, WT__H3_MESSAGE_ERROR);
  assert_int_equal(other.closes, 0);
  wt_exchange_cancel(second);
  h3_run(f);
  assert_int_equal(f->streams[4].reset_code, WT__H3_REQUEST_CANCELLED);
  h3_free(f);
}

/* What a server sends on one stream. */
struct reply {
  uint8_t data[512];
  size_t len;
};

static void reply_put(struct reply *reply, const void *data, size_t len) {
  assert_true(reply->len + len <= sizeof(reply->data));
  memcpy(reply->data + reply->len, data, len);
  reply->len += len;
}

static void reply_headers(struct reply *reply, struct h3_fixture *f, const char *const *fields) {
  size_t len;
  uint8_t *frame = h3_headers_frame(f, 0, fields, &len, NULL);
  reply_put(reply, frame, len);
  free(frame);
}

static void reply_data(struct reply *reply, const char *text) {
  const uint8_t head[] = {0x00, (uint8_t)strlen(text)};
  reply_put(reply, head, 2);
  reply_put(reply, text, strlen(text));
}

/* In one packet, or byte by byte, and the end of the stream with the last ones or behind them. */
enum {
  WHOLE,
  WHOLE_THEN_FIN,
  BYTES,
  BYTES_THEN_FIN,
  WAYS
};

static void reply_send(const struct reply *reply, struct h3_fixture *f, int way) {
  size_t step = way == WHOLE || way == WHOLE_THEN_FIN ? reply->len : 1;
  bool fin_behind = way == WHOLE_THEN_FIN || way == BYTES_THEN_FIN || reply->len == 0;
  for (size_t at = 0; at < reply->len; at += step)
    h3_recv(f, 0, reply->data + at, step, at + step == reply->len && !fin_behind);
  if (fin_behind) h3_recv(f, 0, NULL, 0, true);
  h3_run(f);
}

static void test_exchange_keeps_responses_and_trailers_apart(void **state) {
  (void)state;
  for (int way = 0; way < WAYS; way++) {
    struct told told;
    struct reply reply = {.len = 0};
    struct h3_fixture *f = client_new(true);
    wt_exchange *exchange = get(f, &told);
    reply_headers(&reply, f, H3_FIELDS(":status", "103", "x-a", "early"));
    reply_headers(&reply, f, H3_FIELDS(":status", "200", "x-a", "real", "content-length", "6"));
    reply_data(&reply, "con");
    reply_data(&reply, "tent");
    reply.len--; /* six bytes of content */
    reply.data[reply.len - 4] = 3;
    reply_headers(&reply, f, H3_FIELDS("x-a", "late", "x-b", "late"));
    reply_send(&reply, f, way);
    assert_int_equal(wt_exchange_status(exchange), 200);
    assert_string_equal(wt_exchange_header(exchange, "x-a"), "real");
    assert_null(wt_exchange_header(exchange, "x-b"));
    assert_string_equal(told.body, "conten");
    assert_true(told.fin);
    assert_int_equal(told.closes, 0);
    h3_free(f);
  }
}

/* A response that is malformed, beside another request that does not suffer for it. */
static void false_reply(const char *method, const char *const *fields, const char *content,
                        const char *const *trailers, const char *message) {
  for (int way = 0; way < WAYS; way++) {
    struct told told, other;
    struct wt__exchange_options options;
    struct reply reply = {.len = 0};
    struct h3_fixture *f = client_new(true);
    options_of(&options, &told);
    options.method = method;
    (void)ask(f, &options);
    wt_exchange *second = get(f, &other);
    if (fields) reply_headers(&reply, f, fields);
    if (content) reply_data(&reply, content);
    if (trailers) reply_headers(&reply, f, trailers);
    reply_send(&reply, f, way);
    assert_false(f->closed); /* the fault of one message is not the connection's */
    assert_int_equal(told.closes, 1);
    assert_int_equal(told.error, WT_ERR_PROTOCOL);
    assert_non_null(strstr(told.message, message));
    assert_int_equal(f->streams[0].reset_code, WT__H3_MESSAGE_ERROR);
    assert_int_equal(f->streams[0].consumed, reply.len);
    answer(f, 4, H3_FIELDS(":status", "200"), true);
    assert_int_equal(wt_exchange_status(second), 200);
    h3_free(f);
  }
}

static void test_exchange_with_a_false_content_length_fails_alone(void **state) {
  (void)state;
  const char *const *five = H3_FIELDS(":status", "200", "content-length", "5");
  false_reply("GET", five, "1234", NULL, "malformed");
  false_reply("GET", five, "123456", NULL, "malformed");
  false_reply("GET", five, NULL, NULL, "malformed");
  false_reply("GET", five, "1234", H3_FIELDS("x", "1"), "malformed");
  false_reply("GET", H3_FIELDS(":status", "204"), "content", NULL, "malformed");
  false_reply("GET", H3_FIELDS(":status", "304", "content-length", "7"), "content", NULL, "malformed");
  false_reply("HEAD", five, "12345", NULL, "malformed");
  false_header(H3_FIELDS(":status", "200", "content-length", "x"));
}

static void test_exchange_without_an_answer_fails_alone(void **state) {
  (void)state;
  false_reply("GET", H3_FIELDS(":status", "100"), NULL, NULL, "without an answer");
  false_reply("GET", NULL, NULL, NULL, "without an answer");
}

static void test_exchange_with_malformed_trailers_fails_alone(void **state) {
  (void)state;
  const char *const *fields = H3_FIELDS(":status", "200");
  false_reply("GET", fields, "content", H3_FIELDS(":status", "200"), "malformed");
  false_reply("GET", fields, NULL, H3_FIELDS("connection", "close"), "malformed");
}

static void test_exchange_with_a_malformed_header_fails_alone(void **state) {
  (void)state;
  false_header(H3_FIELDS("x-no", "status"));
  false_header(H3_FIELDS(":status", "200", "connection", "close"));
  false_header(H3_FIELDS(":status", "200", ":path", "/"));
}

static void test_exchange_with_a_nul_in_a_field_fails_alone(void **state) {
  (void)state;
  struct told told;
  struct h3_fixture *f = client_new(true);
  struct field_block block;
  (void)get(f, &told);
  field_block_begin(&block);
  field_block_text(&block, ":status", "200");
  field_block_add(&block, "x", 1, "", 1);
  h3_send_block(f, 0, &block, true);
  h3_run(f);
  assert_false(f->closed);
  assert_int_equal(told.responses, 0);
  assert_int_equal(told.error, WT_ERR_PROTOCOL);
  assert_string_equal(told.message, "the server's response is malformed");
  assert_int_equal(f->streams[0].reset_code, WT__H3_MESSAGE_ERROR);
  h3_free(f);
}

static void test_exchange_with_too_large_a_header_fails_alone(void **state) {
  (void)state;
  struct told told;
  char large[1024];
  struct h3_fixture *f = client_new(true);
  (void)get(f, &told);
  memset(large, 'x', sizeof(large) - 1);
  large[sizeof(large) - 1] = '\0';
  answer(f, 0, H3_FIELDS(":status", "200", "x-large", large), true);
  assert_false(f->closed);
  assert_int_equal(told.closes, 1);
  assert_int_equal(told.error, WT_ERR_TOO_LARGE);
  assert_int_equal(told.responses, 0);
  assert_true(f->streams[0].stopped);
  h3_free(f);
}

/* --- Resets --- */

static void reset_case(uint64_t wire_code, const char *message) {
  struct told told;
  struct h3_fixture *f = client_new(true);
  (void)get(f, &told);
  wt__h3_conn_recv_reset(f->conn, 0, wire_code, 0);
  assert_int_equal(told.closes, 0);
  h3_run(f);
  assert_int_equal(told.closes, 1);
  assert_int_equal(told.error, WT_ERR_REJECTED);
  assert_non_null(strstr(told.message, message));
  h3_free(f);
}

static void test_exchange_tells_how_the_server_reset_it(void **state) {
  (void)state;
  reset_case(WT__H3_REQUEST_REJECTED, "without acting on it (H3_REQUEST_REJECTED)");
  reset_case(WT__H3_INTERNAL_ERROR, "H3_INTERNAL_ERROR");
  reset_case(0x1234, "0x1234");
}

static void test_exchange_reset_in_the_middle_of_the_body_is_a_failure(void **state) {
  (void)state;
  struct told told;
  struct h3_fixture *f = client_new(true);
  (void)get(f, &told);
  answer(f, 0, H3_FIELDS(":status", "200"), false);
  h3_data(f, 0, "half", 4, false);
  wt__h3_conn_recv_reset(f->conn, 0, WT__H3_NO_ERROR, 20);
  h3_run(f);
  assert_int_equal(told.body_len, 4);
  assert_false(told.fin);
  assert_int_equal(told.error, WT_ERR_REJECTED);
  h3_free(f);
}

static void test_exchange_stop_sending_leaves_the_response_to_be_read(void **state) {
  (void)state;
  struct told told;
  struct wt__exchange_options options;
  size_t written = 0;
  struct h3_fixture *f = client_new(true);
  options_of(&options, &told);
  options.method = "POST";
  options.has_body = true;
  wt_exchange *exchange = ask(f, &options);
  assert_int_equal(wt_exchange_write(exchange, "some", 4, &written), 0);
  h3_run(f);
  wt__h3_conn_recv_stop_sending(f->conn, 0, WT__H3_NO_ERROR);
  written = 99;
  assert_int_equal(wt_exchange_write(exchange, "more", 4, &written), WT_ERR_CLOSED);
  assert_int_equal(written, 0);
  assert_int_equal(wt_exchange_end(exchange), WT_ERR_CLOSED);
  answer(f, 0, H3_FIELDS(":status", "413", "content-length", "2"), false);
  h3_data(f, 0, "no", 2, true);
  h3_run(f);
  wt__h3_conn_stream_closed(f->conn, 0, true, WT__H3_NO_ERROR);
  h3_run(f);
  assert_int_equal(told.closes, 1);
  assert_int_equal(told.error, 0);
  assert_int_equal(told.status, 413);
  assert_string_equal(told.body, "no");
  h3_free(f);
}

static void test_exchange_write_is_cut_at_the_buffer_and_goes_on_when_it_is_acknowledged(void **state) {
  (void)state;
  struct told told;
  struct wt__exchange_options options;
  uint8_t bytes[1500] = {0};
  size_t written = 0;
  struct h3_fixture *f = client_new(true);
  options_of(&options, &told);
  options.method = "POST";
  options.has_body = true;
  wt_exchange *exchange = ask(f, &options);
  assert_int_equal(wt_exchange_write(exchange, bytes, sizeof(bytes), &written), 0);
  assert_int_equal(written, 1000);
  h3_run(f);
  assert_int_equal(wt_exchange_write(exchange, bytes, 1, &written), 0);
  assert_int_equal(written, 0);
  h3_ack(f, 0);
  h3_run(f);
  assert_int_equal(wt_exchange_write(exchange, bytes, 500, &written), 0);
  assert_int_equal(written, 500);
  assert_int_equal(wt_exchange_end(exchange), 0);
  h3_run(f);
  struct h3_answer request = h3_answer(f, 0);
  assert_int_equal(request.body_len, 1500);
  assert_true(f->streams[0].fin);
  h3_answer_free(&request);
  h3_free(f);
}

/* --- Without WebTransport --- */

static unsigned unfits;

static void on_unfit(struct wt__h3_conn *conn, void *user_data) {
  assert_non_null(conn);
  assert_null(user_data);
  unfits++;
}

/* A connection with plain requests goes on without what sessions need; its owner and its dials are told. */
static void test_exchange_keeps_a_connection_that_is_unfit_for_sessions(void **state) {
  static const struct wt__setting none[] = {{0x01, 0}};
  struct told told;
  (void)state;
  struct h3_fixture *f = client_new(true);
  unfits = 0;
  f->conn->client->callbacks.on_unfit = on_unfit;
  get(f, &told);
  unsigned wakes = f->wakes;
  uint8_t bytes[64];
  h3_recv(f, 3, bytes, h3_write_settings(bytes, sizeof(bytes), none, 1), false);
  assert_true(f->wakes > wakes);
  assert_int_equal(unfits, 0); /* not inside an arrival */
  assert_int_equal(wt__h3_conn_expiry(f->conn), 0);
  h3_run(f);
  assert_int_equal(unfits, 1);
  h3_run(f);
  assert_int_equal(unfits, 1);
  assert_false(f->closed);
  assert_false(wt__h3_conn_may_dial(f->conn));
  assert_true(wt__h3_conn_may_exchange(f->conn));
  h3_free(f);
}

/* --- GOAWAY --- */

static void test_exchange_above_the_goaway_fails_and_one_below_goes_on(void **state) {
  (void)state;
  static const uint8_t control[] = {0x00, 0x04, 0x00, 0x07, 0x01, 0x04}; /* GOAWAY 4 */
  struct told below, above, later;
  struct h3_fixture *f = client_new(true);
  f->config.settings_timeout_ms = 0;
  (void)get(f, &below);
  (void)get(f, &above);
  h3_recv(f, SERVER_CONTROL, control, sizeof(control), false);
  assert_false(f->closed);
  (void)get(f, &later);
  assert_int_equal(below.closes, 0);
  assert_int_equal(above.closes, 1);
  assert_int_equal(above.error, WT_ERR_CLOSED);
  assert_non_null(strstr(above.message, "left the request aside"));
  assert_true(f->streams[4].reset);
  assert_int_equal(later.closes, 1);
  assert_int_equal(later.error, WT_ERR_CLOSED);
  assert_int_equal(f->streams[8].sent_len, 0);
  answer(f, 0, H3_FIELDS(":status", "204"), true);
  h3_finish(f, 0);
  assert_int_equal(below.error, 0);
  assert_int_equal(below.closes, 1);
  h3_free(f);
}

/* --- The end of the connection --- */

static void test_exchange_complete_at_the_end_of_the_connection_is_no_failure(void **state) {
  (void)state;
  struct told complete, half;
  struct h3_fixture *f = client_new(true);
  (void)get(f, &complete);
  (void)get(f, &half);
  h3_send_request(f, 0, H3_FIELDS(":status", "200"), false);
  h3_data(f, 0, "all", 3, true); /* here, and not told yet; nothing was acknowledged */
  h3_send_request(f, 4, H3_FIELDS(":status", "200"), false);
  h3_data(f, 4, "half", 4, false);
  h3_free(f);
  assert_int_equal(complete.closes, 1);
  assert_int_equal(complete.error, 0);
  assert_string_equal(complete.body, "all");
  assert_int_equal(half.closes, 1);
  assert_int_equal(half.error, WT_ERR_CLOSED);
  assert_string_equal(half.message, "the connection was closed");
}

static void test_exchange_that_was_never_attached_can_be_failed_or_freed(void **state) {
  (void)state;
  struct told told;
  struct wt__exchange_options options;
  wt_exchange *exchange;
  options_of(&options, &told);
  options.body = "whole";
  options.body_len = 5;
  assert_int_equal(wt__exchange_new(&options, &exchange), 0);
  wt__exchange_free(exchange);
  assert_int_equal(told.closes, 0);
  assert_int_equal(wt__exchange_new(&options, &exchange), 0);
  wt__exchange_set_owner(exchange, on_progress, &told);
  wt__exchange_fail(exchange, WT_ERR_NOT_FOUND, "the name has no address");
  assert_int_equal(told.closes, 1);
  assert_int_equal(told.error, WT_ERR_NOT_FOUND);
  assert_string_equal(told.message, "the name has no address");
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exchange_waits_for_the_handshake_but_not_for_the_settings),
      cmocka_unit_test(test_exchange_skips_interim_responses_and_trailers),
      cmocka_unit_test(test_exchange_paused_bytes_are_not_counted_as_read),
      cmocka_unit_test(test_exchange_keeps_responses_and_trailers_apart),
      cmocka_unit_test(test_exchange_with_a_false_content_length_fails_alone),
      cmocka_unit_test(test_exchange_without_an_answer_fails_alone),
      cmocka_unit_test(test_exchange_with_malformed_trailers_fails_alone),
      cmocka_unit_test(test_exchange_with_a_malformed_header_fails_alone),
      cmocka_unit_test(test_exchange_with_a_nul_in_a_field_fails_alone),
      cmocka_unit_test(test_exchange_with_too_large_a_header_fails_alone),
      cmocka_unit_test(test_exchange_tells_how_the_server_reset_it),
      cmocka_unit_test(test_exchange_reset_in_the_middle_of_the_body_is_a_failure),
      cmocka_unit_test(test_exchange_stop_sending_leaves_the_response_to_be_read),
      cmocka_unit_test(test_exchange_write_is_cut_at_the_buffer_and_goes_on_when_it_is_acknowledged),
      cmocka_unit_test(test_exchange_keeps_a_connection_that_is_unfit_for_sessions),
      cmocka_unit_test(test_exchange_above_the_goaway_fails_and_one_below_goes_on),
      cmocka_unit_test(test_exchange_complete_at_the_end_of_the_connection_is_no_failure),
      cmocka_unit_test(test_exchange_that_was_never_attached_can_be_failed_or_freed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
