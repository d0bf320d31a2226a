/* SPDX-License-Identifier: MIT */
/*
 * The log as records: which fields the lines have that a peer can cause. Every record is held against rules that are the same for
 * all of them, and each kind of line against its own fields.
 */
#include "pair.h"
#include "wire/error_code.h"

#define RECORDS 256
#define FIELDS 12

struct kept {
  char event[40], message[1100];
  enum wt_log_level level;
  uint64_t left_out;
  size_t count;
  struct wt_log_field fields[FIELDS];
  char texts[FIELDS][300];
};

static struct kept records[RECORDS];
static size_t record_count;

static bool is_name(const char *text) { return *text && strspn(text, "abcdefghijklmnopqrstuvwxyz_") == strlen(text); }

static const struct wt_log_field *field_of(const struct kept *kept, const char *name) {
  for (size_t i = 0; i < kept->count; i++)
    if (!strcmp(kept->fields[i].name, name)) return &kept->fields[i];
  return NULL;
}

/* What holds for each record. */
static void check_rules(const struct kept *kept) {
  assert_true(is_name(kept->event));
  for (size_t i = 0; i < kept->count; i++) {
    assert_true(is_name(kept->fields[i].name));
    assert_ptr_equal(field_of(kept, kept->fields[i].name), &kept->fields[i]); /* no name twice */
    for (const char *c = kept->texts[i]; *c; c++) assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
  }
  bool about_peer = !strncmp(kept->event, "session", 7) || !strncmp(kept->event, "request", 7) ||
                    !strncmp(kept->event, "stream", 6) || !strncmp(kept->event, "connection_", 11);
  if (!about_peer) return;
  assert_non_null(field_of(kept, "peer"));
  if (strcmp(kept->event, "connection_refused")) assert_non_null(field_of(kept, "connection"));
  if (!strncmp(kept->event, "session", 7)) assert_non_null(field_of(kept, "session"));
  if (!strncmp(kept->event, "request", 7)) assert_non_null(field_of(kept, "request"));
  if (!strncmp(kept->event, "stream", 6)) assert_non_null(field_of(kept, "stream"));
}

static void keep(const struct wt_log_record *record, void *user_data) {
  struct kept *kept = &records[record_count++];
  (void)user_data;
  assert_true(record_count < RECORDS);
  assert_true(record->field_count <= FIELDS);
  *kept = (struct kept){.level = record->level, .left_out = record->left_out, .count = record->field_count};
  snprintf(kept->event, sizeof(kept->event), "%s", record->event);
  snprintf(kept->message, sizeof(kept->message), "%s", record->message);
  for (size_t i = 0; i < record->field_count; i++) {
    kept->fields[i] = record->fields[i];
    snprintf(kept->texts[i], sizeof(kept->texts[i]), "%s", record->fields[i].text ? record->fields[i].text : "");
    kept->fields[i].text = kept->texts[i];
  }
  check_rules(kept);
}

static void begin(struct world *w) {
  record_count = 0;
  world_init(w, 1);
  w->server.log = (struct wt__log){.level = WT_LOG_DEBUG, .record = keep};
}

static const struct kept *found(const char *event) {
  for (size_t i = 0; i < record_count; i++)
    if (!strcmp(records[i].event, event)) return &records[i];
  fail_msg("no %s in the log", event);
  return NULL;
}

static void assert_text(const struct kept *kept, const char *name, const char *text) {
  const struct wt_log_field *field = field_of(kept, name);
  if (!field) fail_msg("%s has no %s", kept->event, name);
  assert_int_equal(field->type, WT_LOG_TEXT);
  assert_string_equal(field->text, text);
}

static void assert_integer(const struct kept *kept, const char *name, int64_t integer) {
  const struct wt_log_field *field = field_of(kept, name);
  if (!field) fail_msg("%s has no %s", kept->event, name);
  assert_int_equal(field->type, WT_LOG_INTEGER);
  assert_int_equal(field->integer, integer);
}

static bool any_origin(const wt_request *request, void *user_data) {
  (void)request, (void)user_data;
  return true;
}

/* The connection's name and the peer's address are the same in all lines, and those that an application is told. */
static void test_log_records_of_a_session(void **state) {
  (void)state;
  struct world w;
  struct wt_connection_info info = {.size = sizeof(info)};
  begin(&w);
  w.server.config.h3.check_origin = any_origin;
  world_start(&w);
  w.id = http_connect(w.peer, "webtransport", "/wt?token=secret", "https://server.test", NULL);
  NET_UNTIL(&w.net, 5000, server_session(&w.server, 0));
  assert_int_equal(wt_session_get_connection_info(server_session(&w.server, 0)->session, &info), 0);
  const struct kept *opened = found("session_opened");
  assert_int_equal(opened->level, WT_LOG_INFO);
  assert_text(opened, "connection", info.connection_id);
  assert_text(opened, "peer", info.peer_address);
  assert_integer(opened, "session", w.id);
  assert_text(opened, "path", "/wt");
  assert_text(opened, "origin", "https://server.test");
  assert_true(strstr(opened->message, "session ") == opened->message);
  const struct kept *request = found("request");
  assert_text(request, "method", "CONNECT");
  assert_text(request, "path", "/wt");
  assert_text(request, "connection", info.connection_id);
  assert_integer(request, "request", w.id);
  assert_text(found("connection_begun"), "connection", info.connection_id);
  assert_text(found("connection_ready"), "peer", info.peer_address);
  peer_close_with(w.peer, true, 0x1234, "so\nlong", 7);
  NET_UNTIL(&w.net, 5000, w.server.sessions->closes);
  const struct kept *ended = found("connection_ended");
  assert_text(ended, "cause", "peer");
  assert_integer(ended, "code", 0x1234);
  assert_text(ended, "code_of", "application");
  assert_text(ended, "reason", "so?long");
  assert_int_equal(field_of(ended, "handshake_done")->integer, 1);
  for (size_t i = 0; i < record_count; i++)
    for (size_t k = 0; k < records[i].count; k++) assert_null(strstr(records[i].texts[k], "secret"));
  world_free(&w);
}

static void test_log_records_of_refused_requests(void **state) {
  static const struct field unclear[] = {{"origin", "https://a"}, {"origin", "https://b"}, {NULL, NULL}};
  static const struct field malformed[] = {{"host", "elsewhere.example"}, {NULL, NULL}};
  (void)state;
  struct world w;
  begin(&w);
  world_start(&w);
  int64_t id = http_request(w.peer, "GET", "/hello", unclear, true);
  NET_UNTIL(&w.net, 5000, peer_stream(w.peer, id)->closed);
  const struct kept *refused = found("request_refused");
  assert_integer(refused, "request", id);
  assert_integer(refused, "status", 400);
  assert_text(refused, "method", "GET");
  assert_text(refused, "path", "/hello");
  assert_non_null(field_of(refused, "reason"));
  assert_null(field_of(refused, "code"));
  record_count = 0;
  id = http_request(w.peer, "GET", "/hello", malformed, true);
  NET_UNTIL(&w.net, 5000, peer_stream(w.peer, id)->closed);
  refused = found("request_refused");
  assert_text(refused, "code", "H3_MESSAGE_ERROR");
  assert_null(field_of(refused, "status"));
  world_free(&w);
}

static void test_log_records_of_a_session_too_many(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  w.server.config.h3.max_sessions_per_connection = 1;
  w.options.settings = peer_settings_draft15;
  w.options.settings_count = peer_settings_draft15_count;
  w.options.reset_at = PEER_RESET_AT;
  world_start(&w);
  server_connect(&w.server, w.peer, "/wt", &w.id);
  int64_t id = http_connect(w.peer, "webtransport-h3", "/wt", NULL, NULL);
  NET_UNTIL(&w.net, 5000, peer_stream(w.peer, id)->closed);
  const struct kept *refused = found("session_refused");
  assert_integer(refused, "session", id);
  assert_text(refused, "path", "/wt");
  assert_text(refused, "code", "H3_REQUEST_REJECTED");
  assert_integer(refused, "sessions_open", 1);
  world_free(&w);
}

static void test_log_records_of_what_is_given_up(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  w.server.config.h3.header_timeout_ms = 100;
  w.server.config.h3.mux.early_timeout_ms = 100;
  world_start(&w);
  int64_t id = peer_open_bidi(w.peer);
  peer_queue(w.peer, id, "\x01\x40", 2, false);
  peer_flush(w.peer);
  int64_t early = peer_wt_open(w.peer, true, 400, "x", 1, false);
  net_run_for(&w.net, 1000);
  assert_integer(found("request_stalled"), "request", id);
  assert_integer(found("request_stalled"), "timeout_ms", 100);
  assert_integer(found("stream_unclaimed"), "stream", early);
  assert_integer(found("stream_unclaimed"), "session", 400);
  world_free(&w);
}

static void test_log_records_of_a_connection_closed_for_an_error(void **state) {
  (void)state;
  struct world w;
  begin(&w);
  world_start(&w);
  peer_send(w.peer, w.peer->control, "\x04\x00", 2, false); /* a second SETTINGS */
  NET_UNTIL(&w.net, 5000, w.peer->ended);
  assert_integer(found("connection_closed"), "code", WT__H3_FRAME_UNEXPECTED);
  assert_text(found("connection_closed"), "code_name", "H3_FRAME_UNEXPECTED");
  assert_text(found("connection_ended"), "code_name", "H3_FRAME_UNEXPECTED");
  assert_text(found("connection_ended"), "cause", "local error");
  world_free(&w);
}

/* A limit counts in the record what the text says at its end. */
static void test_log_records_tell_what_was_left_out(void **state) {
  static const struct field unclear[] = {{"origin", "https://a"}, {"origin", "https://b"}, {NULL, NULL}};
  (void)state;
  struct world w;
  begin(&w);
  w.server.log.level = WT_LOG_INFO;
  w.net.link[0].delay = w.net.link[1].delay = NET_MS / 10;
  world_start(&w);
  for (size_t i = 0; i < 60; i++) {
    int64_t id = http_request(w.peer, "GET", "/hello", unclear, true);
    NET_UNTIL(&w.net, 5000, peer_stream(w.peer, id)->closed);
  }
  net_run_for(&w.net, 3000);
  int64_t id = http_request(w.peer, "GET", "/hello", unclear, true);
  NET_UNTIL(&w.net, 5000, peer_stream(w.peer, id)->closed);
  uint64_t told = 0, written = 0;
  for (size_t i = 0; i < record_count; i++) {
    if (strcmp(records[i].event, "request_refused")) continue;
    written++;
    told += records[i].left_out;
  }
  assert_int_equal(written + told, 61);
  assert_true(written < 20);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_log_records_of_a_session),
      cmocka_unit_test(test_log_records_of_refused_requests),
      cmocka_unit_test(test_log_records_of_a_session_too_many),
      cmocka_unit_test(test_log_records_of_what_is_given_up),
      cmocka_unit_test(test_log_records_of_a_connection_closed_for_an_error),
      cmocka_unit_test(test_log_records_tell_what_was_left_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
