/* SPDX-License-Identifier: MIT */

/* src/h3/headers.c: HEADERS frames on their way to nghttp3, whole, split, blocked and refused. */

#include "h3_fixture.h"

static struct app {
  int handled, fin, gone;
  char origin[64], body[64];
  size_t body_len;
} app;

static void on_body(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data) {
  (void)user_data;
  assert_true(app.body_len + len <= sizeof(app.body));
  memcpy(app.body + app.body_len, data, len);
  app.body_len += len;
  app.fin += fin;
  if (fin) assert_int_equal(wt_request_respond(request, 200, NULL, 0, "ok", 2), 0);
}

static void on_close(wt_request *request, int error, void *user_data) {
  (void)request, (void)user_data;
  app.gone += error != 0;
}

static void handler(wt_request *request, void *user_data) {
  static const struct wt_request_callbacks callbacks = {.on_body = on_body, .on_close = on_close};
  const char *origin = wt_request_origin(request);
  (void)user_data;
  app.handled++;
  snprintf(app.origin, sizeof(app.origin), "%s", origin ? origin : "(none)");
  wt_request_set_callbacks(request, &callbacks, NULL);
}

static struct h3_fixture *started(void) {
  struct h3_fixture *f = h3_new();
  memset(&app, 0, sizeof(app));
  assert_int_equal(wt__routes_set(&f->routes, "/", handler, NULL, NULL), 0);
  h3_start(f);
  H3_SETTINGS(f, settings_chromium);
  return f;
}

static struct field_block block;

static void begin_get(void) { field_block_request(&block, "GET", NULL, "example.com", "/"); }

/* The type of the encoder stream, a table of 4,096 bytes, and "x: vvv..." in it. */
static void insert(struct h3_fixture *f, bool first, size_t len) {
  static struct field_block instructions;
  static char value[4096];
  memset(value, 'v', len);
  instructions.len = 0;
  if (first) {
    field_block_byte(&instructions, 0x02);
    field_block_int(&instructions, 0x20, 5, 4096);
  }
  field_block_int(&instructions, 0x40, 5, 1);
  field_block_bytes(&instructions, "x", 1);
  field_block_int(&instructions, 0x00, 7, len);
  field_block_bytes(&instructions, value, len);
  h3_recv(f, H3_ENCODER, instructions.data, instructions.len, false);
}

/* A GET with `count` references to the entry that was inserted first. */
static void begin_references(size_t count) {
  begin_get();
  block.data[0] = 2; /* Required Insert Count 1 */
  for (size_t i = 0; i < count; i++) field_block_byte(&block, 0x80);
}

/* --- Whole sections --- */

static void test_headers_with_a_dirty_origin_are_malformed(void **state) {
  static const struct {
    const char *value;
    size_t len;
  } cases[] = {
      {"https://evil.example\x01", 21},
      {"https://evil.example\n", 21},
      {"https://evil.example ", 21},
      {" https://evil.example", 21},
      {"\t", 1},
      {" ", 1},
      {"\0", 1},
      {"https://evil.example\0", 21},
      {"https://evil.example\r\nx: y", 26},
      {"\x7f", 1},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (unsigned session = 0; session < 2; session++) {
      struct h3_fixture *f = started();
      field_block_request(&block, session ? "CONNECT" : "GET", session ? "webtransport" : NULL, "example.com", "/");
      field_block_add(&block, "origin", 6, cases[i].value, cases[i].len);
      h3_send_block(f, 0, &block, !session);
      h3_run(f);
      assert_int_equal(app.handled, 0);
      assert_true(f->streams[0].reset);
      assert_int_equal(f->streams[0].reset_code, WT__H3_MESSAGE_ERROR);
      assert_false(f->closed);
      h3_get(f, 4, "/");
      h3_run(f);
      assert_int_equal(app.handled, 1);
      h3_free(f);
    }
  }
}

static void test_headers_with_two_origins_are_refused(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  field_block_request(&block, "CONNECT", "webtransport", "example.com", "/");
  field_block_text(&block, "origin", "https://example.com");
  field_block_text(&block, "origin", "https://evil.example");
  h3_send_block(f, 0, &block, false);
  h3_run(f);
  assert_int_equal(app.handled, 0);
  assert_int_equal(h3_status(f, 0), 400);
  h3_run(f);
  assert_false(f->closed);
  h3_free(f);
}

static void test_headers_with_another_host_are_malformed(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  begin_get();
  field_block_text(&block, "host", "other");
  h3_send_block(f, 0, &block, true);
  begin_get();
  field_block_text(&block, "host", "example.com");
  h3_send_block(f, 4, &block, true);
  h3_run(f);
  assert_int_equal(f->streams[0].reset_code, WT__H3_MESSAGE_ERROR);
  assert_int_equal(app.handled, 1);
  assert_false(f->closed);
  h3_free(f);
}

/* --- Split, and in one piece with what is around --- */

/* Every split of a request with frames before, between and behind. */
static void test_headers_may_be_split_anywhere(void **state) {
  static uint8_t bytes[512];
  size_t len = 0, head;
  (void)state;
  bytes[len++] = 0x21; /* a frame that is ignored */
  bytes[len++] = 1;
  bytes[len++] = 'x';
  field_block_request(&block, "POST", NULL, "example.com", "/");
  field_block_text(&block, "origin", "https://example.com");
  bytes[len++] = 0x01;
  len += wt__varint_write(bytes + len, block.len);
  memcpy(bytes + len, block.data, block.len);
  len += block.len;
  head = len;
  memcpy(bytes + len,
         "\x00\x02"
         "ab"
         "\x00\x01"
         "c",
         7);
  len += 7;
  field_block_begin(&block);
  field_block_text(&block, "origin", "https://a.trailer"); /* which is no field of the request */
  bytes[len++] = 0x01;
  len += wt__varint_write(bytes + len, block.len);
  memcpy(bytes + len, block.data, block.len);
  len += block.len;
  for (size_t first = 0; first <= len; first++) {
    for (size_t second = first; second <= len; second += second < head ? 7 : 1) {
      struct h3_fixture *f = started();
      if (first > 0) h3_recv(f, 0, bytes, first, false);
      if (second > first) h3_recv(f, 0, bytes + first, second - first, false);
      h3_recv(f, 0, bytes + second, len - second, true);
      h3_run(f);
      h3_run(f);
      assert_int_equal(app.handled, 1);
      assert_string_equal(app.origin, "https://example.com");
      assert_int_equal(app.fin, 1);
      assert_int_equal(app.body_len, 3);
      assert_memory_equal(app.body, "abc", 3);
      assert_int_equal(f->streams[0].consumed, len);
      assert_int_equal(h3_status(f, 0), 200);
      h3_free(f);
    }
  }
}

static void test_headers_malformed_trailers_end_the_request(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  field_block_request(&block, "POST", NULL, "example.com", "/");
  h3_send_block(f, 0, &block, false);
  h3_run(f);
  field_block_begin(&block);
  field_block_add(&block, "x", 1, "", 1);
  h3_send_block(f, 0, &block, true);
  h3_run(f);
  assert_int_equal(app.fin, 0);
  assert_int_equal(app.gone, 1);
  assert_int_equal(f->streams[0].reset_code, WT__H3_MESSAGE_ERROR);
  assert_false(f->closed);
  h3_free(f);
}

static void test_headers_without_a_byte_are_malformed(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  h3_recv(f, 0, "\x01\x00", 2, true);
  h3_run(f);
  assert_int_equal(app.handled, 0);
  assert_int_equal(f->streams[0].reset_code, WT__H3_MESSAGE_ERROR);
  assert_false(f->closed);
  h3_free(f);
}

/* --- Too large --- */

static void test_headers_that_announce_too_much_are_answered_at_once(void **state) {
  (void)state;
  const uint8_t head[] = {0x01, 0x80, 0x10, 0x00, 0x00}; /* 1 MiB */
  struct h3_fixture *f = started();
  h3_recv(f, 0, head, sizeof(head), false);
  h3_run(f);
  assert_int_equal(h3_status(f, 0), 431);
  h3_recv(f, 0, "more", 4, false);
  assert_int_equal(f->streams[0].consumed, sizeof(head) + 4);
  assert_int_equal(app.handled, 0);
  assert_false(f->closed);
  h3_free(f);
}

static void test_headers_of_many_references_are_too_large(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  insert(f, true, 4000);
  begin_references(1000);
  h3_send_block(f, 0, &block, true);
  h3_run(f);
  assert_int_equal(h3_status(f, 0), 431);
  begin_references(3);
  h3_send_block(f, 4, &block, false);
  h3_run(f);
  assert_int_equal(app.handled, 1);
  assert_false(f->closed);
  h3_free(f);
}

static void send_bad(struct h3_fixture *f, int64_t id, bool malformed) {
  begin_references(malformed ? 0 : 1000);
  if (malformed) field_block_add(&block, "x", 1, "\n", 1);
  h3_send_block(f, id, &block, true);
}

/* A client that does nothing else is not decoded for. */
static void test_headers_that_cannot_be_used_again_and_again_end_the_connection(void **state) {
  (void)state;
  for (unsigned malformed = 0; malformed < 2; malformed++) {
    struct h3_fixture *f = started();
    unsigned count = 0;
    insert(f, true, 4000);
    for (int64_t id = 0; id < 4 * H3_IDS && !f->closed; count++) {
      send_bad(f, id, malformed);
      if (!f->closed) h3_run(f);
      id += 4;
      assert_true(id < H3_IDS);
    }
    assert_int_equal(f->close_code, WT__H3_EXCESSIVE_LOAD);
    assert_int_equal(count, 101);
    h3_free(f);
  }
}

static void test_headers_that_cannot_be_used_now_and_then_are_borne(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  f->config.no_request_timeout_ms = 0;
  insert(f, true, 4000);
  for (int64_t id = 0; id < H3_IDS; id += 4) {
    send_bad(f, id, true);
    h3_run(f);
    f->now += 150 * H3_MS;
  }
  assert_false(f->closed);
  h3_free(f);
}

/* --- Waiting for QPACK --- */

static void test_headers_wait_for_inserts_with_all_that_is_behind(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  insert(f, true, 10);
  field_block_request(&block, "POST", NULL, "example.com", "/");
  block.data[0] = 3; /* Required Insert Count 2 */
  field_block_byte(&block, 0x80);
  h3_send_block(f, 0, &block, false);
  h3_data(f, 0, "abc", 3, true);
  h3_run(f);
  assert_int_equal(app.handled, 0);
  uint64_t before = f->streams[0].consumed;
  assert_non_null(wt__streams_find(f->conn, 0)->held);
  insert(f, false, 20);
  assert_null(wt__streams_find(f->conn, 0)->held); /* nothing is kept any more */
  h3_run(f);
  h3_run(f);
  assert_int_equal(app.handled, 1);
  assert_int_equal(app.fin, 1);
  assert_memory_equal(app.body, "abc", 3);
  assert_int_equal(f->streams[0].consumed, before + 5);
  h3_free(f);
}

static void test_headers_that_wait_are_counted(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  insert(f, true, 10);
  for (int64_t id = 0; id <= 400; id += 4) {
    assert_false(f->closed);
    begin_references(1);
    block.data[0] = 3;
    h3_send_block(f, id, &block, true);
  }
  assert_true(f->closed);
  assert_int_equal(f->close_code, WT__QPACK_DECOMPRESSION_FAILED);
  h3_free(f);
}

static void test_headers_that_wait_may_be_reset_or_refused(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  insert(f, true, 10);
  for (int64_t id = 0; id <= 8; id += 4) {
    begin_references(1);
    block.data[0] = 3;
    if (id == 8) field_block_add(&block, "x", 1, "\n", 1);
    h3_send_block(f, id, &block, false);
  }
  h3_data(f, 0, "abc", 3, false);
  uint64_t before = f->streams[0].consumed;
  wt__h3_conn_recv_reset(f->conn, 0, WT__H3_REQUEST_CANCELLED, 10);
  assert_int_equal(f->streams[0].consumed, before + 5); /* the client gets the credit of what was kept back */
  insert(f, false, 10);
  h3_run(f);
  assert_int_equal(app.handled, 1);
  assert_int_equal(f->streams[8].reset_code, WT__H3_MESSAGE_ERROR);
  assert_false(f->closed);
  h3_free(f);
}

/* Those that have gone wait no more, and others may. */
static void test_headers_that_waited_and_were_reset_do_not_count(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  insert(f, true, 10);
  for (int64_t id = 0; id <= 400; id += 4) {
    begin_references(1);
    block.data[0] = 3;
    h3_send_block(f, id, &block, false);
    wt__h3_conn_recv_reset(f->conn, id, WT__H3_REQUEST_CANCELLED, 10);
    h3_run(f);
    assert_false(f->closed);
  }
  h3_free(f);
}

static void test_headers_that_wait_without_memory_for_what_is_behind(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  insert(f, true, 10);
  field_block_request(&block, "POST", NULL, "example.com", "/");
  block.data[0] = 3; /* Required Insert Count 2 */
  field_block_byte(&block, 0x80);
  h3_send_block(f, 0, &block, false);
  uint64_t before = f->streams[0].consumed;
  wt__mem_fail_after(0);
  h3_data(f, 0, "abc", 3, false);
  wt__mem_fail_after(SIZE_MAX);
  assert_null(wt__streams_find(f->conn, 0)->held);
  assert_int_equal(f->streams[0].consumed, before + 5);
  h3_data(f, 0, "def", 3, false);
  assert_int_equal(f->streams[0].consumed, before + 10);
  insert(f, false, 20);
  h3_run(f);
  assert_int_equal(app.handled, 0);
  assert_false(f->closed);
  h3_free(f);
}

/* What was kept of a section goes when the section is whole, while the stream is open. */
static void test_headers_in_two_parts_are_kept_no_longer_than_needed(void **state) {
  (void)state;
  struct h3_fixture *f = started();
  uint8_t head[8] = {0x01};
  field_block_request(&block, "POST", NULL, "example.com", "/");
  h3_recv(f, 0, head, 1 + wt__varint_write(head + 1, block.len), false);
  h3_recv(f, 0, block.data, 10, false);
  assert_non_null(wt__streams_find(f->conn, 0)->held);
  h3_recv(f, 0, block.data + 10, block.len - 10, false);
  assert_null(wt__streams_find(f->conn, 0)->held);
  h3_free(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_headers_with_a_dirty_origin_are_malformed),
      cmocka_unit_test(test_headers_with_two_origins_are_refused),
      cmocka_unit_test(test_headers_with_another_host_are_malformed),
      cmocka_unit_test(test_headers_may_be_split_anywhere),
      cmocka_unit_test(test_headers_malformed_trailers_end_the_request),
      cmocka_unit_test(test_headers_without_a_byte_are_malformed),
      cmocka_unit_test(test_headers_that_announce_too_much_are_answered_at_once),
      cmocka_unit_test(test_headers_of_many_references_are_too_large),
      cmocka_unit_test(test_headers_that_cannot_be_used_again_and_again_end_the_connection),
      cmocka_unit_test(test_headers_that_cannot_be_used_now_and_then_are_borne),
      cmocka_unit_test(test_headers_wait_for_inserts_with_all_that_is_behind),
      cmocka_unit_test(test_headers_that_wait_are_counted),
      cmocka_unit_test(test_headers_that_wait_may_be_reset_or_refused),
      cmocka_unit_test(test_headers_that_waited_and_were_reset_do_not_count),
      cmocka_unit_test(test_headers_that_wait_without_memory_for_what_is_behind),
      cmocka_unit_test(test_headers_in_two_parts_are_kept_no_longer_than_needed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
