/* SPDX-License-Identifier: MIT */
/*
 * The access callback (webtransport/access.h): each session and each request is told once, at its end, whoever has answered it,
 * and with what the scripted peer did.
 */
#include "h3/access.h"
#include "pair.h"
#include "wire/error_code.h"

struct told {
  struct wt_access_record record; /* pointers to texts are not valid any more */
  bool session;
  char connection[64], peer[64], method[32], path[300], query[300], authority[64], origin[64], agent[64], route[64];
  struct wt_close_info close;
  char reason[64];
  int draft;
  uint64_t datagrams;
};

static struct told told[64];
static size_t told_count;

static void copy(char *out, size_t size, const char *text) { snprintf(out, size, "%s", text ? text : "-"); }

static void on_access(const struct wt_access_record *record, void *user_data) {
  struct told *at = &told[told_count++];
  struct wt_session_stats stats = {.size = sizeof(stats)};
  (void)user_data;
  assert_true(told_count < 64);
  assert_int_equal(record->size, sizeof(*record));
  assert_true((record->session == NULL) != (record->request == NULL));
  assert_int_equal(record->session != NULL, record->close != NULL);
  *at = (struct told){.record = *record, .session = record->session != NULL};
  copy(at->connection, sizeof(at->connection), record->connection);
  copy(at->peer, sizeof(at->peer), record->peer_address);
  copy(at->method, sizeof(at->method), record->method);
  copy(at->path, sizeof(at->path), record->path);
  copy(at->query, sizeof(at->query), record->query);
  copy(at->authority, sizeof(at->authority), record->authority);
  copy(at->origin, sizeof(at->origin), record->origin);
  copy(at->agent, sizeof(at->agent), record->user_agent);
  copy(at->route, sizeof(at->route), record->route);
  if (!record->session) return;
  at->close = *record->close;
  copy(at->reason, sizeof(at->reason), record->close->reason);
  at->draft = wt_session_draft(record->session);
  assert_int_equal(wt_session_get_stats(record->session, &stats), 0);
  at->datagrams = stats.datagrams_received;
}

static void begin(struct world *w) {
  told_count = 0;
  world_init(w, 1);
  w->server.config.h3.access = (struct wt__access){.function = on_access};
  w->server.config.h3.mux.session_ended = wt__access_session;
}

static const struct told *last(struct world *w, size_t count) {
  NET_UNTIL(&w->net, 5000, told_count >= count);
  assert_int_equal(told_count, count);
  return &told[count - 1];
}

static void test_access_tells_a_session_once_at_its_end(void **state) {
  static const struct field fields[] = {{"user-agent", "a\"b"}, {NULL, NULL}};
  (void)state;
  struct world w;
  struct bytes bytes = {0};
  begin(&w);
  world_start(&w);
  w.id = http_connect(w.peer, "webtransport", "/wt?", NULL, fields);
  NET_UNTIL(&w.net, 5000, server_session(&w.server, 0));
  peer_wt_open(w.peer, true, w.id, "12345", 5, true);
  peer_wt_datagram(w.peer, w.id, "x", 1);
  net_run_for(&w.net, 300);
  assert_int_equal(told_count, 0);
  capsule_close(&bytes, 7, "bye");
  http_data(w.peer, w.id, bytes.data, bytes.len, true);
  bytes_free(&bytes);
  const struct told *at = last(&w, 1);
  assert_true(at->session && at->record.is_webtransport && at->record.handled);
  assert_string_equal(at->method, "CONNECT");
  assert_string_equal(at->path, "/wt");
  assert_string_equal(at->query, "");
  assert_string_equal(at->agent, "a\"b");
  assert_string_equal(at->origin, "-");
  assert_string_equal(at->route, "/wt");
  assert_int_equal(at->record.status, 200);
  assert_int_equal(at->record.bytes_received, 5);
  assert_int_equal(at->datagrams, 1);
  assert_in_range(at->record.duration_us, 300000, 2000000);
  assert_int_equal(at->close.code, 7);
  assert_int_equal(at->close.by, WT_PEER);
  assert_string_equal(at->reason, "bye");
  assert_int_equal(at->draft, server_session(&w.server, 0)->draft);
  assert_int_not_equal(strlen(at->connection), 0);
  world_free(&w);
  assert_int_equal(told_count, 1);
}

/* A connection that ends takes its sessions along; their query is kept apart. */
static void test_access_tells_sessions_of_a_connection_that_ends(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  world_start(&w);
  w.id = http_connect(w.peer, "webtransport", "/wt?token=1?2", NULL, NULL);
  NET_UNTIL(&w.net, 5000, server_session(&w.server, 0));
  peer_close_with(w.peer, true, 0x1234, "so long", 7);
  const struct told *at = last(&w, 1);
  assert_string_equal(at->path, "/wt");
  assert_string_equal(at->query, "token=1?2");
  assert_true(at->close.connection);
  assert_int_equal(at->close.wire_code, 0x1234);
  assert_int_not_equal(strlen(at->connection), 0);
  world_free(&w);
}

static const struct told *request(struct world *w, const char *method, const char *path, const struct field *fields) {
  size_t before = told_count;
  http_request(w->peer, method, path, fields, true);
  return last(w, before + 1);
}

static void test_access_tells_requests_that_are_answered(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  world_start(&w);
  const struct told *at = request(&w, "GET", "/hello?a=b", NULL);
  assert_false(at->session || at->record.is_webtransport);
  assert_string_equal(at->path, "/hello");
  assert_string_equal(at->query, "a=b");
  assert_string_equal(at->route, "/hello");
  assert_int_equal(at->record.status, 200);
  assert_int_equal(at->record.bytes_sent, 6);
  assert_int_equal(at->record.error, 0);
  assert_int_equal(at->record.wire_code, 0);
  int64_t id = http_request(w.peer, "POST", "/post", NULL, false);
  http_data(w.peer, id, "1234567", 7, true);
  at = last(&w, 2);
  assert_int_equal(at->record.bytes_received, 7);
  assert_int_equal(at->record.bytes_sent, 7);
  assert_string_equal(at->method, "POST");
  world_free(&w);
}

/* No handler sees these. */
static void test_access_tells_what_the_library_refuses(void **state) {
  static const struct field unclear[] = {{"origin", "https://a"}, {"origin", "https://b"}, {NULL, NULL}};
  static const struct field malformed[] = {{"host", "elsewhere.example"}, {NULL, NULL}};
  (void)state;
  struct world w;
  char *large = calloc(1, 20000);
  memset(large, 'x', 19999);
  const struct field too_large[] = {{"x", large}, {NULL, NULL}};
  begin(&w);
  world_start(&w);
  const struct told *at = request(&w, "GET", "/nothing", NULL);
  assert_int_equal(at->record.status, 404);
  assert_false(at->record.handled);
  assert_string_equal(at->route, "-");
  at = request(&w, "GET", "/hello", unclear);
  assert_int_equal(at->record.status, 400);
  assert_false(at->record.handled);
  at = request(&w, "GET", "/hello", malformed);
  assert_int_equal(at->record.status, 0);
  assert_int_equal(at->record.wire_code, WT__H3_MESSAGE_ERROR);
  assert_int_equal(at->record.error, WT_ERR_CLOSED);
  at = request(&w, "GET", "/hello", too_large);
  assert_int_equal(at->record.status, 431);
  http_connect(w.peer, "webtransport", "/nothing", NULL, NULL);
  at = last(&w, 5);
  assert_int_equal(at->record.status, 404);
  assert_true(at->record.is_webtransport && !at->session);
  http_connect(w.peer, "webtransport", "/wt", "https://elsewhere.example", NULL);
  at = last(&w, 6);
  assert_int_equal(at->record.status, 403);
  assert_string_equal(at->origin, "https://elsewhere.example");
  free(large);
  world_free(&w);
}

static void test_access_tells_a_session_too_many(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  w.server.config.h3.max_sessions_per_connection = 1;
  w.options.settings = peer_settings_draft15;
  w.options.settings_count = peer_settings_draft15_count;
  w.options.reset_at = PEER_RESET_AT;
  world_start(&w);
  server_connect(&w.server, w.peer, "/wt", &w.id);
  http_connect(w.peer, "webtransport-h3", "/wt", NULL, NULL);
  const struct told *at = last(&w, 1);
  assert_int_equal(at->record.wire_code, WT__H3_REQUEST_REJECTED);
  assert_int_equal(at->record.status, 0);
  assert_false(at->record.handled);
  world_free(&w);
  assert_int_equal(told_count, 2); /* the session that lived */
}

static void test_access_tells_requests_that_never_end(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  w.server.config.h3.header_timeout_ms = 100;
  world_start(&w);
  int64_t id = peer_open_bidi(w.peer);
  peer_send(w.peer, id, "\x01\x40", 2, false);
  const struct told *at = last(&w, 1);
  assert_int_equal(at->record.error, WT_ERR_TIMEOUT);
  assert_string_equal(at->path, "");
  assert_string_equal(at->method, "");
  http_request(w.peer, "GET", "/later", NULL, true);
  net_run_for(&w.net, 200);
  world_free(&w); /* the client goes without a word, and the server with it */
  assert_int_equal(told_count, 2);
  assert_int_equal(told[1].record.error, WT_ERR_CLOSED);
  assert_string_equal(told[1].path, "/later");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_access_tells_a_session_once_at_its_end),
      cmocka_unit_test(test_access_tells_sessions_of_a_connection_that_ends),
      cmocka_unit_test(test_access_tells_requests_that_are_answered),
      cmocka_unit_test(test_access_tells_what_the_library_refuses),
      cmocka_unit_test(test_access_tells_a_session_too_many),
      cmocka_unit_test(test_access_tells_requests_that_never_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
