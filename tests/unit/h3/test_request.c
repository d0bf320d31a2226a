/* SPDX-License-Identifier: MIT */

/* src/h3/request.c, request_run.c, answer.c and fields.c: requests and their answers. */

#include "h3_fixture.h"

/* What the application under test does and has seen. */
static struct app {
  wt_request *request;
  int handled, closed, close_error, writable;
  char body[256];
  size_t body_len;
  bool body_fin;
  void (*act)(wt_request *request);
} app;

static void app_on_body(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data) {
  assert_ptr_equal(request, app.request);
  assert_ptr_equal(user_data, &app);
  assert_false(app.body_fin);
  if (app.body_len + len <= sizeof(app.body)) memcpy(app.body + app.body_len, data, len);
  app.body_len += len;
  app.body_fin = fin;
}

static void app_on_writable(wt_request *request, void *user_data) {
  (void)user_data;
  assert_ptr_equal(request, app.request);
  app.writable++;
}

static void app_on_close(wt_request *request, int error, void *user_data) {
  (void)user_data;
  assert_ptr_equal(request, app.request);
  app.closed++;
  app.close_error = error;
}

static const struct wt_request_callbacks app_callbacks = {sizeof(app_callbacks), app_on_body, app_on_writable,
                                                          app_on_close};

static void app_handler(wt_request *request, void *user_data) {
  (void)user_data;
  app.handled++;
  app.request = request;
  wt_request_set_callbacks(request, &app_callbacks, &app);
  if (app.act) app.act(request);
}

static struct h3_fixture *started_with(void (*act)(wt_request *), size_t max_header_bytes) {
  struct h3_fixture *f = h3_new();
  memset(&app, 0, sizeof(app));
  app.act = act;
  f->config.max_header_bytes = max_header_bytes;
  assert_int_equal(wt__routes_set(&f->routes, "/a/", app_handler, NULL, NULL), 0);
  h3_start(f);
  H3_SETTINGS(f, settings_chromium);
  return f;
}

static struct h3_fixture *started(void (*act)(wt_request *)) { return started_with(act, 16 * 1024); }

/* --- Reading --- */

static void act_look(wt_request *request) {
  char value[8];
  assert_string_equal(wt_request_method(request), "GET");
  assert_string_equal(wt_request_path(request), "/a/b%20c");
  assert_string_equal(wt_request_query(request), "x=1&y=%41?");
  assert_string_equal(wt_request_authority(request), "example.com");
  assert_string_equal(wt_request_protocol(request), "");
  assert_string_equal(wt_request_header(request, "x-one"), "1, 2");
  assert_string_equal(wt_request_header(request, "cookie"), "a=b");
  assert_null(wt_request_header(request, "x-none"));
  assert_null(wt_request_header(request, ":path"));
  assert_null(wt_request_origin(request));
  assert_string_equal(wt_request_peer_address(request), "192.0.2.1:4433");
  assert_false(wt_request_is_webtransport(request));
  assert_int_equal(wt_request_get_query_value(request, "y", value, sizeof(value)), 0);
  assert_string_equal(value, "A?");
  assert_int_equal(wt_request_get_query_value(request, "z", value, sizeof(value)), WT_ERR_NOT_FOUND);
  assert_string_equal(wt_request_error(request), "");
  assert_ptr_equal(wt_request_user_data(request), &app);
}

static void test_request_fields(void **state) {
  struct h3_fixture *f = started(act_look);
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("GET", "/a/b%20c?x=1&y=%41?"), "x-one", "1", "cookie", "a=b", "x-one", "2"),
                  true);
  assert_int_equal(app.handled, 0); /* not from inside an arrival */
  h3_run(f);
  assert_int_equal(app.handled, 1);
  assert_int_equal(f->counters.requests_total, 1);
  assert_int_equal(app.body_len, 0);
  assert_true(app.body_fin);
  h3_free(f);
  assert_int_equal(app.closed, 1);
  assert_int_equal(app.close_error, WT_ERR_CLOSED);
}

static void test_request_not_found(void **state) {
  struct h3_fixture *f = started(NULL);
  (void)state;
  h3_get(f, 0, "/b");
  h3_run(f);
  assert_int_equal(h3_status(f, 0), 404);
  assert_true(f->streams[0].fin);
  h3_finish(f, 0);
  assert_int_equal(f->conn->streams.len, 1); /* the control stream */
  h3_free(f);
}

/* nghttp3 1.8 lets a value pass that is one byte, whatever byte it is. */
static void test_request_with_a_nul_in_a_field_is_malformed(void **state) {
  (void)state;
  struct h3_fixture *f = started_with(NULL, 16 * 1024);
  struct field_block block;
  field_block_request(&block, "GET", NULL, "example.com", "/a/");
  field_block_add(&block, "x", 1, "", 1);
  h3_send_block(f, 0, &block, true);
  h3_run(f);
  assert_int_equal(app.handled, 0);
  assert_true(f->streams[0].reset);
  assert_int_equal(f->streams[0].reset_code, WT__H3_MESSAGE_ERROR);
  assert_false(f->closed);
  h3_get(f, 4, "/a/");
  h3_run(f);
  assert_int_equal(app.handled, 1);
  h3_free(f);
}

/* With the NUL taken for a value's end, the walk over the fields would go on in memory that is not theirs. */
static void test_session_request_with_a_nul_and_a_name_is_malformed(void **state) {
  (void)state;
  struct h3_fixture *f = started_with(NULL, 16 * 1024);
  struct field_block block;
  char fill[57];
  memset(fill, 'q', sizeof(fill));
  field_block_request(&block, "CONNECT", "webtransport", "example.com", "/a/");
  field_block_add(&block, "p", 1, fill, sizeof(fill));
  field_block_add(&block, "x", 1, "", 1);
  field_block_text(&block, "y", "origin");
  h3_send_block(f, 0, &block, false);
  h3_run(f);
  assert_int_equal(app.handled, 0);
  assert_int_equal(f->streams[0].reset_code, WT__H3_MESSAGE_ERROR);
  assert_false(f->closed);
  h3_free(f);
}

static void act_walk(wt_request *request) {
  static const char *const expected[] = {":method", ":scheme", ":authority", ":path", "cookie",
                                         "cookie",  "accept",  "cookie",     "accept"};
  struct wt_header header;
  size_t count = 0;
  for (; wt_request_get_header_at(request, count, &header) == 0; count++) {
    assert_true(count < sizeof(expected) / sizeof(expected[0]));
    assert_string_equal(header.name, expected[count]);
  }
  assert_int_equal(count, sizeof(expected) / sizeof(expected[0]));
  assert_string_equal(wt_request_header(request, "cookie"), "sid=abc; theme=dark; lang=de");
  assert_string_equal(wt_request_header(request, "accept"), "a, b");
  char name[8], value[8];
  assert_int_equal(wt_request_get_query_at(request, 1, name, sizeof(name), value, sizeof(value)), 0);
  assert_string_equal(name, "y");
  assert_string_equal(value, "2");
}

static void test_request_fields_that_come_more_than_once(void **state) {
  (void)state;
  struct h3_fixture *f = started_with(act_walk, 16 * 1024);
  h3_send_request(f, 0,
                  H3_FIELDS(H3_PLAIN("GET", "/a/?x=1&y=2"), "cookie", "sid=abc", "cookie", "theme=dark", "accept", "a",
                            "cookie", "lang=de", "accept", "b"),
                  true);
  h3_run(f);
  assert_int_equal(app.handled, 1);
  h3_free(f);
}

static void test_request_split_anywhere(void **state) {
  (void)state;
  for (size_t cut = 0; cut < 40; cut++) {
    struct h3_fixture *f = started(NULL);
    size_t len;
    uint8_t *frame = h3_headers_frame(f, 0, H3_FIELDS(H3_PLAIN("GET", "/a/")), &len, NULL);
    size_t at = cut < len ? cut : len;
    h3_recv(f, 0, frame, at, false);
    h3_run(f);
    h3_recv(f, 0, frame + at, len - at, true);
    h3_run(f);
    assert_int_equal(app.handled, 1);
    assert_int_equal(f->streams[0].consumed, len);
    free(frame);
    h3_free(f);
  }
}

/* The field section refers to entries of the dynamic table that come later. */
static void test_request_waits_for_qpack(void **state) {
  struct h3_fixture *f = started(NULL);
  size_t len;
  uint8_t *frame;
  nghttp3_buf inserts;
  (void)state;
  nghttp3_qpack_encoder_set_max_dtable_capacity(f->encoder, 4096);
  nghttp3_qpack_encoder_set_max_blocked_streams(f->encoder, 100);
  frame = h3_headers_frame(f, 0, H3_FIELDS(H3_PLAIN("GET", "/a/x"), "x-one", "a value"), &len, &inserts);
  assert_true(nghttp3_buf_len(&inserts) > 0);
  h3_recv(f, 0, frame, len, false);
  h3_data(f, 0, "body", 4, true);
  h3_run(f);
  assert_int_equal(app.handled, 0);
  h3_recv(f, H3_ENCODER, "\x02", 1, false);
  h3_recv(f, H3_ENCODER, inserts.pos, nghttp3_buf_len(&inserts), false);
  h3_run(f);
  assert_int_equal(app.handled, 1);
  assert_string_equal(wt_request_header(app.request, "x-one"), "a value");
  assert_int_equal(app.body_len, 4);
  assert_true(app.body_fin);
  assert_int_equal(f->streams[0].consumed, len + 6);
  free(frame);
  nghttp3_buf_free(&inserts, nghttp3_mem_default());
  h3_free(f);
}

/* The stream is closed while it waits; what nghttp3 says of it afterwards concerns nobody. */
static void test_request_closed_while_qpack_waits(void **state) {
  struct h3_fixture *f = started(NULL);
  size_t len;
  uint8_t *frame;
  nghttp3_buf inserts;
  (void)state;
  nghttp3_qpack_encoder_set_max_dtable_capacity(f->encoder, 4096);
  nghttp3_qpack_encoder_set_max_blocked_streams(f->encoder, 100);
  frame = h3_headers_frame(f, 0, H3_FIELDS(H3_PLAIN("GET", "/a/x"), "x-one", "a value"), &len, &inserts);
  h3_recv(f, 0, frame, len, true);
  wt__h3_conn_stream_closed(f->conn, 0, true, WT__H3_REQUEST_CANCELLED);
  h3_run(f);
  h3_recv(f, H3_ENCODER, "\x02", 1, false);
  h3_recv(f, H3_ENCODER, inserts.pos, nghttp3_buf_len(&inserts), false);
  h3_run(f);
  assert_int_equal(app.handled, 0);
  assert_false(f->closed);
  free(frame);
  nghttp3_buf_free(&inserts, nghttp3_mem_default());
  h3_free(f);
}

/* --- Header limits --- */

static void test_request_header_too_large(void **state) {
  struct h3_fixture *f = started_with(NULL, 300);
  char big[400];
  struct h3_answer answer;
  (void)state;
  memset(big, 'x', sizeof(big));
  big[sizeof(big) - 1] = '\0';
  h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("POST", "/a/"), "x-big", big), false);
  h3_run(f);
  answer = h3_answer(f, 0);
  assert_int_equal(answer.status, 431);
  h3_answer_free(&answer);
  assert_int_equal(app.handled, 0);
  assert_true(f->streams[0].fin);
  assert_int_equal(f->streams[0].stop_code, WT__H3_NO_ERROR);
  h3_data(f, 0, "the rest", 8, true);
  assert_true(f->streams[0].consumed > 10);
  h3_finish(f, 0);
  h3_get(f, 4, "/a/"); /* the connection goes on */
  h3_run(f);
  assert_int_equal(app.handled, 1);
  h3_free(f);
}

/* A field section that never ends: answered, and nothing of it is kept. */
static void test_request_endless_header(void **state) {
  struct h3_fixture *f = started_with(NULL, 1000);
  const char *fields[401];
  size_t len, count = 0;
  uint8_t *frame;
  (void)state;
  while (count < 400) {
    fields[count] = count ? "x-filler" : ":method";
    fields[count + 1] = count ? "0123456789012345678901234567890123456789" : "GET";
    count += 2;
  }
  fields[count] = NULL;
  frame = h3_headers_frame(f, 0, fields, &len, NULL);
  h3_recv(f, 0, frame, len - 1, false);
  h3_run(f);
  assert_int_equal(h3_status(f, 0), 431);
  assert_int_equal(f->streams[0].stop_code, WT__H3_NO_ERROR);
  assert_true(f->conn->requests.head.next == f->conn->requests.head.prev);
  const wt_request *request = wt__streams_find(f->conn, 0)->owner;
  assert_null(request->fields.text);
  h3_recv(f, 0, frame, 100, false);
  assert_false(f->closed);
  free(frame);
  h3_free(f);
}

static void test_request_malformed(void **state) {
  struct h3_fixture *f = started(NULL);
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(":method", "GET", ":scheme", "https", ":path", "/a/"), true); /* no authority */
  h3_run(f);
  assert_int_equal(f->streams[0].reset_code, WT__H3_MESSAGE_ERROR);
  h3_send_request(f, 4, H3_FIELDS(H3_PLAIN("GET", "/a/"), "Upper", "x"), true);
  h3_run(f);
  assert_int_equal(f->streams[4].reset_code, WT__H3_MESSAGE_ERROR);
  assert_int_equal(app.handled, 0);
  assert_false(f->closed);
  h3_free(f);
}

/* --- Answers --- */

static void act_respond(wt_request *request) {
  const struct wt_header headers[] = {{"x-a", "b"}};
  assert_int_equal(wt_request_respond(request, 201, headers, 1, "hello", 5), 0);
  assert_int_equal(wt_request_respond(request, 200, NULL, 0, NULL, 0), WT_ERR_STATE);
  assert_true(strlen(wt_request_error(request)) > 0);
}

static void test_request_respond(void **state) {
  struct h3_fixture *f = started(act_respond);
  struct h3_answer answer;
  (void)state;
  h3_get(f, 0, "/a/");
  h3_run(f);
  answer = h3_answer(f, 0);
  assert_int_equal(answer.status, 201);
  assert_true(h3_has_field(&answer, "x-a: b"));
  assert_true(h3_has_field(&answer, "content-length: 5"));
  assert_string_equal((char *)answer.body, "hello");
  h3_answer_free(&answer);
  assert_true(f->streams[0].fin);
  assert_false(f->streams[0].stopped); /* the request was complete */
  assert_int_equal(app.closed, 0);
  h3_finish(f, 0);
  assert_int_equal(app.closed, 1);
  assert_int_equal(app.close_error, 0);
  h3_free(f);
  assert_int_equal(app.closed, 1);
}

static void test_request_head_and_204(void **state) {
  struct h3_fixture *f = started(act_respond);
  struct h3_answer answer;
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("HEAD", "/a/")), true);
  h3_run(f);
  answer = h3_answer(f, 0);
  assert_true(h3_has_field(&answer, "content-length: 5"));
  assert_int_equal(answer.body_len, 0);
  assert_true(f->streams[0].fin);
  h3_answer_free(&answer);
  h3_finish(f, 0);
  memset(&app, 0, sizeof(app));
  h3_get(f, 4, "/a/");
  h3_run(f);
  assert_int_equal(wt_request_respond(app.request, 204, NULL, 0, "x", 1), 0);
  h3_run(f);
  answer = h3_answer(f, 4);
  assert_int_equal(answer.status, 204);
  assert_int_equal(answer.body_len, 0);
  assert_null(strstr(answer.fields, "content-length"));
  assert_true(f->streams[4].fin);
  h3_answer_free(&answer);
  h3_free(f);
}

static void act_invalid(wt_request *request) {
  static const struct wt_header bad[] = {{"Upper", "x"},  {"a b", "x"},        {":status", "200"},
                                         {"", "x"},       {"connection", "x"}, {"transfer-encoding", "chunked"},
                                         {"x", "a\r\nb"}, {"x", "a\nb"},       {NULL, "x"},
                                         {"x", NULL}};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    if (wt_request_respond(request, 200, &bad[i], 1, "x", 1) != WT_ERR_INVALID) fail_msg("header %zu", i);
  }
  assert_int_equal(wt_request_respond(request, 200, &(struct wt_header){"content-length", "7"}, 1, NULL, 0),
                   WT_ERR_INVALID);
  assert_int_equal(wt_request_respond(request, 103, NULL, 0, NULL, 0), WT_ERR_INVALID);
  assert_int_equal(wt_request_respond(request, 199, NULL, 0, NULL, 0), WT_ERR_INVALID);
  assert_int_equal(wt_request_respond(request, 600, NULL, 0, NULL, 0), WT_ERR_INVALID);
  assert_int_equal(wt_request_begin(request, 100, NULL, 0), WT_ERR_INVALID);
  assert_int_equal(wt_request_write(request, "x", 1, NULL), WT_ERR_STATE);
  assert_int_equal(wt_request_end(request), WT_ERR_STATE);
  assert_int_equal(wt_request_respond(request, 200, NULL, 0, "fine", 4), 0);
}

static void test_request_invalid_answers(void **state) {
  struct h3_fixture *f = started(act_invalid);
  struct h3_answer answer;
  (void)state;
  h3_get(f, 0, "/a/");
  h3_run(f);
  answer = h3_answer(f, 0);
  assert_int_equal(answer.status, 200);
  assert_string_equal((char *)answer.body, "fine");
  h3_answer_free(&answer);
  h3_free(f);
}

static void test_request_streams_answer(void **state) {
  struct h3_fixture *f = h3_new();
  static uint8_t data[100000];
  static const struct wt_header length = {.name = "content-length", .value = "100000"}; /* who knows it may say it */
  size_t written = 0, total = 0;
  struct h3_answer answer;
  (void)state;
  memset(&app, 0, sizeof(app));
  for (size_t i = 0; i < sizeof(data); i++) data[i] = (uint8_t)(i * 7);
  f->config.mux.max_stream_send_buffer = 10000;
  assert_int_equal(wt__routes_set(&f->routes, "/a/", app_handler, NULL, NULL), 0);
  h3_start(f);
  h3_get(f, 0, "/a/");
  h3_run(f);
  assert_int_equal(wt_request_begin(app.request, 200, &length, 1), 0);
  h3_run(f);
  assert_false(f->streams[0].fin);
  while (total < sizeof(data)) {
    int before = app.writable;
    assert_int_equal(wt_request_write(app.request, data + total, sizeof(data) - total, &written), 0);
    assert_true(written > 0 && written <= 10000);
    total += written;
    h3_run(f);
    h3_ack(f, 0);
    h3_run(f);
    if (total < sizeof(data)) assert_true(app.writable > before);
  }
  assert_int_equal(wt_request_end(app.request), 0);
  assert_int_equal(wt_request_end(app.request), WT_ERR_STATE);
  written = 99;
  assert_int_equal(wt_request_write(app.request, "x", 1, &written), WT_ERR_STATE);
  assert_int_equal(written, 0);
  h3_run(f);
  assert_true(f->streams[0].fin);
  answer = h3_answer(f, 0);
  assert_int_equal(answer.body_len, sizeof(data));
  assert_memory_equal(answer.body, data, sizeof(data));
  h3_answer_free(&answer);
  h3_finish(f, 0);
  assert_int_equal(app.close_error, 0);
  assert_int_equal(app.closed, 1);
  h3_free(f);
}

static void test_request_says_when_it_is_writable(void **state) {
  struct h3_fixture *f = h3_new();
  static const uint8_t data[10000];
  size_t written = 0;
  (void)state;
  memset(&app, 0, sizeof(app));
  f->config.mux.max_stream_send_buffer = 4000;
  assert_int_equal(wt__routes_set(&f->routes, "/a/", app_handler, NULL, NULL), 0);
  h3_start(f);
  h3_get(f, 0, "/a/");
  h3_run(f);
  assert_int_equal(wt_request_writable(app.request), 0);
  assert_int_equal(wt_request_begin(app.request, 200, NULL, 0), 0);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(wt_request_writable(app.request), 4000);
    assert_int_equal(wt_request_write(app.request, data, 4000, &written), 0);
    assert_int_equal(written, 4000);
    assert_int_equal(wt_request_writable(app.request), 0);
    h3_run(f);
    h3_ack(f, 0);
    h3_run(f);
    assert_int_equal(app.writable, i + 1);
  }
  assert_int_equal(wt_request_write(app.request, data, 3999, &written), 0); /* not filled */
  h3_run(f);
  h3_ack(f, 0);
  h3_run(f);
  assert_int_equal(app.writable, 3);
  assert_int_equal(wt_request_end(app.request), 0);
  assert_int_equal(wt_request_writable(app.request), 0);
  h3_run(f);
  h3_finish(f, 0);
  assert_int_equal(app.closed, 1);
  h3_free(f);
}

static void owned_release(const uint8_t *data, size_t len, void *user_data) {
  int *released = user_data;
  assert_int_equal(data[0], 'a');
  assert_int_equal(len, 10000);
  (*released)++;
}

static void test_request_sends_bytes_that_are_not_its_own(void **state) {
  struct h3_fixture *f = h3_new();
  static uint8_t data[10000];
  int released = 0;
  struct h3_answer answer;
  (void)state;
  memset(&app, 0, sizeof(app));
  memset(data, 'a', sizeof(data));
  f->config.mux.max_stream_send_buffer = 15000;
  assert_int_equal(wt__routes_set(&f->routes, "/a/", app_handler, NULL, NULL), 0);
  h3_start(f);
  h3_get(f, 0, "/a/");
  h3_run(f);
#define OWNED(request) wt_request_write_owned(request, data, sizeof(data), owned_release, &released)
  assert_int_equal(OWNED(app.request), WT_ERR_STATE);
  assert_int_equal(wt_request_begin(app.request, 200, NULL, 0), 0);
  assert_int_equal(wt_request_write_owned(app.request, NULL, 1, owned_release, &released), WT_ERR_INVALID);
  assert_int_equal(wt_request_write_owned(app.request, data, 0, owned_release, &released), WT_ERR_INVALID);
  assert_int_equal(wt_request_write_owned(app.request, data, 1, NULL, NULL), WT_ERR_INVALID);
  assert_int_equal(OWNED(app.request), 0);
  assert_int_equal(OWNED(app.request), 0); /* there was room for some of it */
  assert_int_equal(OWNED(app.request), WT_ERR_AGAIN);
  assert_int_equal(released, 0);
  h3_run(f);
  assert_int_equal(released, 0); /* sent, not acknowledged */
  h3_ack(f, 0);
  assert_int_equal(app.writable, 0);
  h3_run(f);
  assert_int_equal(released, 2);
  assert_int_equal(app.writable, 1);
  assert_int_equal(OWNED(app.request), 0);
  assert_int_equal(wt_request_end(app.request), 0);
  assert_int_equal(OWNED(app.request), WT_ERR_STATE);
  h3_run(f);
  answer = h3_answer(f, 0);
  assert_int_equal(answer.body_len, 3 * sizeof(data));
  for (size_t i = 0; i < answer.body_len; i++) assert_int_equal(answer.body[i], 'a');
  h3_answer_free(&answer);
  h3_finish(f, 0);
  assert_int_equal(released, 3);
  h3_free(f);
}

/* What is not sent at all is given back too: to a HEAD request, and when the client goes. */
static void test_request_gives_back_what_nobody_gets(void **state) {
  struct h3_fixture *f = started(NULL);
  static uint8_t data[10000];
  int released = 0;
  (void)state;
  memset(data, 'a', sizeof(data));
  h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("HEAD", "/a/")), true);
  h3_run(f);
  assert_int_equal(wt_request_begin(app.request, 200, NULL, 0), 0);
  assert_int_equal(OWNED(app.request), 0);
  assert_int_equal(released, 0); /* never from inside the call */
  h3_run(f);
  assert_int_equal(released, 1);
  assert_int_equal(wt_request_end(app.request), 0);
  h3_finish(f, 0);
  app.body_fin = false; /* of the next */
  h3_get(f, 4, "/a/");
  h3_run(f);
  assert_int_equal(wt_request_begin(app.request, 200, NULL, 0), 0);
  assert_int_equal(OWNED(app.request), 0);
  h3_flush_some(f, 2);
  f->streams[4].reset = true;
  wt__h3_conn_recv_stop_sending(f->conn, 4, WT__H3_REQUEST_CANCELLED);
  assert_int_equal(OWNED(app.request), WT_ERR_CLOSED);
  h3_run(f);
  assert_int_equal(released, 2);
  wt__h3_conn_stream_closed(f->conn, 4, true, WT__H3_REQUEST_CANCELLED);
  h3_free(f);
#undef OWNED
}

/* QUIC is full when the FIN alone is to be sent, and the bytes before it are acknowledged meanwhile. */
static void test_request_lone_fin_survives_ack(void **state) {
  struct h3_fixture *f = started(NULL);
  struct wt__send send;
  size_t written;
  (void)state;
  h3_get(f, 0, "/a/");
  h3_run(f);
  assert_int_equal(wt_request_begin(app.request, 200, NULL, 0), 0);
  assert_int_equal(wt_request_write(app.request, "abc", 3, &written), 0);
  h3_run(f);
  assert_int_equal(wt_request_end(app.request), 0);
  for (int i = 0; i < 3; i++) { /* asked for, and not taken */
    assert_true(wt__h3_conn_next(f->conn, &send, UINT64_MAX));
    assert_int_equal(send.id, 0);
    assert_true(send.fin);
    assert_int_equal(send.count, 0);
    h3_ack(f, 0);
  }
  h3_flush(f);
  assert_true(f->streams[0].fin);
  h3_finish(f, 0);
  assert_int_equal(app.close_error, 0);
  h3_free(f);
}

/* nghttp3 reports nothing for the first stream, which has no body yet; the second one is not kept waiting. */
static void test_request_one_without_body_delays_none(void **state) {
  struct h3_fixture *f = started(NULL);
  wt_request *first;
  (void)state;
  h3_get(f, 0, "/a/");
  h3_run(f);
  first = app.request;
  app.body_fin = false; /* of the first */
  h3_get(f, 4, "/a/");
  h3_run(f);
  assert_int_equal(wt_request_begin(first, 200, NULL, 0), 0);
  h3_flush(f);
  assert_int_equal(wt_request_respond(app.request, 200, NULL, 0, "second", 6), 0);
  wt__http_resume(f->conn, 0);
  h3_flush(f);
  assert_true(f->streams[4].fin);
  assert_false(f->streams[0].fin);
  assert_int_equal(wt_request_end(first), 0);
  h3_flush(f);
  assert_true(f->streams[0].fin);
  h3_finish(f, 4);
  app.request = first;
  h3_finish(f, 0);
  assert_int_equal(app.closed, 2);
  h3_free(f);
}

/* --- Bodies --- */

static void test_request_body(void **state) {
  struct h3_fixture *f = started(NULL);
  size_t header;
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("POST", "/a/")), false);
  header = f->streams[0].consumed;
  h3_data(f, 0, "early ", 6, false); /* before the handler was called */
  assert_int_equal(f->streams[0].consumed, header + 2);
  h3_run(f);
  assert_int_equal(f->streams[0].consumed, header + 8);
  h3_data(f, 0, "direct ", 7, false);
  assert_int_equal(app.body_len, 13);
  wt_request_pause(app.request);
  h3_data(f, 0, "kept ", 5, false);
  h3_run(f);
  assert_int_equal(app.body_len, 13);
  assert_int_equal(f->streams[0].consumed, header + 2 + 6 + 2 + 7 + 2);
  wt_request_resume(app.request);
  assert_int_equal(app.body_len, 13); /* not from inside the call */
  h3_run(f);
  assert_int_equal(app.body_len, 18);
  h3_data(f, 0, "end", 3, true);
  h3_run(f);
  assert_true(app.body_fin);
  assert_memory_equal(app.body, "early direct kept end", 21);
  assert_int_equal(f->streams[0].consumed, header + 21 + 8);
  h3_free(f);
}

static void act_respond_early(wt_request *request) {
  assert_int_equal(wt_request_respond(request, 413, NULL, 0, NULL, 0), 0);
}

/* Trailers are read and dropped: they are not fields of the request. */
static void test_request_trailers_are_no_fields(void **state) {
  (void)state;
  struct h3_fixture *f = started(NULL);
  h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("POST", "/a/"), "x-one", "1"), false);
  h3_run(f);
  h3_data(f, 0, "body", 4, false);
  size_t count = app.request->fields.count;
  h3_send_request(f, 0, H3_FIELDS("x-trailer", "2"), true);
  assert_int_equal(app.request->fields.count, count);
  assert_null(wt_request_header(app.request, "x-trailer"));
  assert_string_equal(wt_request_header(app.request, "x-one"), "1");
  h3_run(f);
  assert_true(app.body_fin);
  assert_false(f->closed);
  h3_free(f);
}

static void test_request_answer_before_body(void **state) {
  struct h3_fixture *f = started(act_respond_early);
  uint64_t before;
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("POST", "/a/")), false);
  h3_data(f, 0, "some", 4, false);
  h3_run(f);
  assert_int_equal(h3_status(f, 0), 413);
  assert_true(f->streams[0].fin);
  assert_true(f->streams[0].stopped);
  assert_int_equal(f->streams[0].stop_code, WT__H3_NO_ERROR);
  assert_false(f->streams[0].reset);
  before = f->streams[0].consumed;
  h3_data(f, 0, "more", 4, false);
  assert_int_equal(f->streams[0].consumed, before + 6);
  wt__h3_conn_recv_reset(f->conn, 0, WT__H3_NO_ERROR, 0); /* the client obeys */
  h3_run(f);
  assert_int_equal(app.closed, 0);
  h3_ack(f, 0);
  wt__h3_conn_stream_closed(f->conn, 0, true, WT__H3_NO_ERROR);
  h3_run(f);
  assert_int_equal(app.closed, 1);
  assert_int_equal(app.close_error, 0);
  assert_int_equal(app.body_len, 0);
  h3_free(f);
}

static void test_request_body_over_the_window(void **state) {
  struct h3_fixture *f = started(NULL);
  static uint8_t data[1024 * 1024 + 1];
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("POST", "/a/")), false);
  h3_run(f);
  wt_request_pause(app.request);
  h3_data(f, 0, data, sizeof(data), false);
  assert_true(f->streams[0].reset); /* a transport that keeps to its windows never gets here */
  h3_run(f);
  assert_int_equal(app.close_error, WT_ERR_CLOSED);
  h3_free(f);
}

/* --- Ends --- */

static void test_request_client_resets(void **state) {
  struct h3_fixture *f = started(NULL);
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("POST", "/a/")), false);
  h3_run(f);
  wt__h3_conn_recv_reset(f->conn, 0, WT__H3_REQUEST_CANCELLED, 0);
  assert_int_equal(app.closed, 0);
  assert_int_equal(wt_request_respond(app.request, 200, NULL, 0, NULL, 0), WT_ERR_CLOSED);
  h3_run(f);
  assert_int_equal(app.closed, 1);
  assert_int_equal(app.close_error, WT_ERR_CLOSED);
  assert_int_equal(f->streams[0].reset_code, WT__H3_REQUEST_CANCELLED);
  wt__h3_conn_stream_closed(f->conn, 0, true, WT__H3_REQUEST_CANCELLED);
  assert_true(wt__h3_conn_is_idle(f->conn));
  /* A QPACK stream cancellation for stream 0 (RFC 9204, section 4.4.2). */
  h3_flush(f);
  assert_int_equal(f->streams[11].sent_len, 2);
  assert_int_equal(f->streams[11].sent[1], 0x40);
  h3_free(f);
  assert_int_equal(app.closed, 1);
}

static void test_request_client_stops_answer(void **state) {
  struct h3_fixture *f = started(NULL);
  size_t written;
  (void)state;
  h3_get(f, 0, "/a/");
  h3_run(f);
  assert_int_equal(wt_request_begin(app.request, 200, NULL, 0), 0);
  assert_int_equal(wt_request_write(app.request, "abc", 3, &written), 0);
  h3_flush_some(f, 1);
  f->streams[0].reset = true; /* QUIC answers STOP_SENDING itself */
  wt__h3_conn_recv_stop_sending(f->conn, 0, WT__H3_REQUEST_CANCELLED);
  assert_int_equal(wt_request_write(app.request, "abc", 3, &written), WT_ERR_CLOSED);
  assert_int_equal(wt_request_end(app.request), WT_ERR_CLOSED);
  h3_run(f);
  assert_int_equal(app.closed, 1);
  assert_int_equal(app.close_error, WT_ERR_CLOSED);
  wt__h3_conn_stream_closed(f->conn, 0, true, WT__H3_REQUEST_CANCELLED);
  h3_run(f);
  assert_int_equal(app.closed, 1);
  h3_free(f);
}

static void test_request_gone_before_handler(void **state) {
  struct h3_fixture *f = started(NULL);
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("POST", "/a/")), false);
  wt__h3_conn_recv_reset(f->conn, 0, WT__H3_REQUEST_CANCELLED, 0);
  h3_run(f);
  assert_int_equal(app.handled, 0);
  assert_int_equal(app.closed, 0);
  assert_true(wt__list_empty(&f->conn->requests));
  h3_free(f);
}

static void act_respond_later(wt_request *request) { (void)request; }

static void test_request_answer_after_end_of_connection(void **state) {
  struct h3_fixture *f = started(act_respond_later);
  (void)state;
  h3_get(f, 0, "/a/");
  h3_run(f);
  wt__h3_fail(f->conn, WT__H3_INTERNAL_ERROR, "test");
  assert_int_equal(wt_request_respond(app.request, 200, NULL, 0, "x", 1), WT_ERR_CLOSED);
  assert_int_equal(wt_request_begin(app.request, 200, NULL, 0), WT_ERR_CLOSED);
  assert_int_equal(wt_upgrade(app.request, NULL, NULL), WT_ERR_NOT_WEBTRANSPORT);
  h3_free(f);
  assert_int_equal(app.closed, 1);
  assert_int_equal(app.close_error, WT_ERR_CLOSED);
}

static void test_request_shutdown_lets_it_finish(void **state) {
  struct h3_fixture *f = started(NULL);
  (void)state;
  h3_get(f, 0, "/a/");
  h3_run(f);
  wt__h3_conn_shutdown(f->conn);
  h3_run(f);
  assert_false(wt__h3_conn_is_idle(f->conn));
  assert_int_equal(wt_request_respond(app.request, 200, NULL, 0, "x", 1), 0);
  h3_run(f);
  assert_int_equal(h3_status(f, 0), 200);
  assert_false(wt__h3_conn_is_idle(f->conn));
  h3_finish(f, 0);
  assert_true(wt__h3_conn_is_idle(f->conn));
  h3_free(f);
}

/* Each allocation fails in turn: an error, a lost request or connection, and nothing leaks. */
static void test_request_without_memory(void **state) {
  bool whole = false;
  (void)state;
  for (size_t after = 0; !whole && after < 200; after++) {
    struct h3_fixture *f = started(act_respond_early);
    wt__mem_fail_after(after);
    h3_send_request(f, 0, H3_FIELDS(H3_PLAIN("POST", "/b")), false);
    h3_run(f);
    wt__mem_fail_after(SIZE_MAX);
    whole = f->streams[0].fin && h3_status(f, 0) == 404;
    assert_true(whole || f->closed || f->streams[0].reset || !f->streams[0].fin);
    h3_free(f);
  }
  assert_true(whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_request_fields),
      cmocka_unit_test(test_request_not_found),
      cmocka_unit_test(test_request_with_a_nul_in_a_field_is_malformed),
      cmocka_unit_test(test_session_request_with_a_nul_and_a_name_is_malformed),
      cmocka_unit_test(test_request_fields_that_come_more_than_once),
      cmocka_unit_test(test_request_split_anywhere),
      cmocka_unit_test(test_request_waits_for_qpack),
      cmocka_unit_test(test_request_closed_while_qpack_waits),
      cmocka_unit_test(test_request_header_too_large),
      cmocka_unit_test(test_request_endless_header),
      cmocka_unit_test(test_request_malformed),
      cmocka_unit_test(test_request_respond),
      cmocka_unit_test(test_request_head_and_204),
      cmocka_unit_test(test_request_invalid_answers),
      cmocka_unit_test(test_request_streams_answer),
      cmocka_unit_test(test_request_says_when_it_is_writable),
      cmocka_unit_test(test_request_sends_bytes_that_are_not_its_own),
      cmocka_unit_test(test_request_gives_back_what_nobody_gets),
      cmocka_unit_test(test_request_lone_fin_survives_ack),
      cmocka_unit_test(test_request_one_without_body_delays_none),
      cmocka_unit_test(test_request_body),
      cmocka_unit_test(test_request_trailers_are_no_fields),
      cmocka_unit_test(test_request_answer_before_body),
      cmocka_unit_test(test_request_body_over_the_window),
      cmocka_unit_test(test_request_client_resets),
      cmocka_unit_test(test_request_client_stops_answer),
      cmocka_unit_test(test_request_gone_before_handler),
      cmocka_unit_test(test_request_answer_after_end_of_connection),
      cmocka_unit_test(test_request_shutdown_lets_it_finish),
      cmocka_unit_test(test_request_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
