/* SPDX-License-Identifier: MIT */

/* src/h3/upgrade.c: from a request to a session, each way it can fail, and how a session ends. */

#include "h3_fixture.h"

#include "wire/capsule.h"

static struct app {
  wt_request *request;
  wt_session *session;
  int handled, rv, closed, streams;
  struct wt_close_info info;
  char reason[64];
  struct wt_upgrade_options options;
  bool keep; /* do not upgrade in the handler */
} app;

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  (void)user_data;
  assert_ptr_equal(session, app.session);
  app.closed++;
  app.info = *info;
  snprintf(app.reason, sizeof(app.reason), "%s", info->reason);
}

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  (void)user_data, (void)stream;
  assert_ptr_equal(session, app.session);
  app.streams++;
}

static void handler(wt_request *request, void *user_data) {
  wt_session *session;
  (void)user_data;
  app.handled++;
  app.request = request;
  if (app.keep) return;
  app.rv = wt_upgrade(request, &app.options, &session);
  if (app.rv == 0) { /* the session has all that the request had */
    assert_null(wt_request_origin(request));
    assert_string_equal(wt_request_method(request), "");
    assert_null(wt_session_header(session, ":path"));
  }
  if (session) app.session = session;
}

static const struct wt_session_callbacks callbacks = {.on_close = on_close, .on_stream = on_stream};

static struct h3_fixture *started(void) {
  struct h3_fixture *f = h3_new();
  memset(&app, 0, sizeof(app));
  wt_upgrade_options_default(&app.options);
  app.options.callbacks = &callbacks;
  app.rv = 1;
  assert_int_equal(wt__routes_set(&f->routes, "/wt", handler, NULL, NULL), 0);
  h3_start(f);
  return f;
}

/* A session on stream 0, as a browser asks for it. */
static struct h3_fixture *upgraded(void) {
  struct h3_fixture *f = started();
  H3_SETTINGS(f, settings_chromium);
  h3_send_request(f, 0,
                  H3_FIELDS(H3_CONNECT("webtransport", "/wt?room=1"), "origin", "https://example.com",
                            "sec-webtransport-http3-draft02", "1"),
                  false);
  h3_run(f);
  assert_int_equal(app.rv, 0);
  return f;
}

static void test_upgrade_accepts(void **state) {
  struct h3_fixture *f = upgraded();
  struct h3_answer answer = h3_answer(f, 0);
  (void)state;
  assert_int_equal(answer.status, 200);
  assert_true(h3_has_field(&answer, "sec-webtransport-http3-draft: draft02"));
  assert_null(strstr(answer.fields, "wt-protocol"));
  assert_null(strstr(answer.fields, "content-length"));
  h3_answer_free(&answer);
  assert_false(f->streams[0].fin);
  assert_int_equal(wt_session_id(app.session), 0);
  assert_int_equal(wt_session_draft(app.session), 2);
  assert_string_equal(wt_session_path(app.session), "/wt?room=1");
  assert_string_equal(wt_session_protocol(app.session), "");
  assert_string_equal(wt_session_peer_address(app.session), "192.0.2.1:4433");
  assert_int_equal(f->counters.sessions_open, 1);
  assert_int_equal(f->counters.sessions_total, 1);
  assert_true(f->keep_alive);
  assert_true(wt__list_empty(&f->conn->requests));
  assert_false(wt__h3_conn_is_idle(f->conn));
  h3_free(f);
  assert_int_equal(app.closed, 1);
  assert_int_equal(app.info.by, WT_TRANSPORT);
}

static void test_upgrade_both_protocol_names_and_draft15(void **state) {
  struct h3_fixture *f = started();
  struct h3_answer answer;
  (void)state;
  f->reset_at = true;
  H3_SETTINGS(f, settings_draft15);
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport-h3", "/wt")), false);
  h3_run(f);
  assert_int_equal(app.rv, 0);
  assert_int_equal(wt_session_draft(app.session), 15);
  answer = h3_answer(f, 0);
  assert_null(strstr(answer.fields, "http3-draft"));
  h3_answer_free(&answer);
  /* One session at a time from draft 07 on; the application is not even asked. */
  h3_send_request(f, 4, H3_FIELDS(H3_CONNECT("webtransport-h3", "/wt")), false);
  h3_run(f);
  assert_int_equal(app.handled, 1);
  assert_int_equal(f->streams[4].reset_code, WT__H3_REQUEST_REJECTED);
  assert_int_equal(f->streams[4].sent_len, 0);
  h3_free(f);
}

static void test_upgrade_session_limit_of_draft02(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  f->config.max_sessions_per_connection = 2;
  H3_SETTINGS(f, settings_chromium);
  for (int64_t id = 0; id < 12; id += 4) {
    h3_send_request(f, id, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), false);
    h3_run(f);
    assert_int_equal(app.rv, id < 8 ? 0 : WT_ERR_SESSION_LIMIT);
  }
  assert_int_equal(wt_session_set_callbacks(wt__map_get(&f->conn->mux.sessions, 0), NULL, NULL), 0);
  h3_free(f);
}

/* Both CONNECTs were with the application before either was accepted. */
static void test_upgrade_second_of_two_pending(void **state) {
  struct h3_fixture *f = started();
  wt_request *first;
  (void)state;
  app.keep = true;
  f->reset_at = true;
  H3_SETTINGS(f, settings_draft15);
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport-h3", "/wt")), false);
  h3_run(f);
  first = app.request;
  h3_send_request(f, 4, H3_FIELDS(H3_CONNECT("webtransport-h3", "/wt")), false);
  h3_run(f);
  assert_int_equal(app.handled, 2);
  assert_int_equal(wt_upgrade(first, &app.options, &app.session), 0);
  assert_int_equal(wt_upgrade(app.request, &app.options, NULL), WT_ERR_SESSION_LIMIT);
  assert_int_equal(wt_request_respond(app.request, wt_upgrade_status(WT_ERR_SESSION_LIMIT), NULL, 0, NULL, 0), 0);
  h3_run(f);
  assert_int_equal(h3_status(f, 0), 200);
  assert_int_equal(h3_status(f, 4), 429);
  h3_free(f);
}

static void test_upgrade_waits_for_settings(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), false);
  h3_run(f);
  assert_int_equal(app.handled, 0);
  assert_int_equal(wt__h3_conn_expiry(f->conn), f->now + 5000 * H3_MS);
  f->now += 4999 * H3_MS;
  h3_run(f);
  assert_int_equal(app.handled, 0);
  H3_SETTINGS(f, settings_chromium);
  h3_run(f);
  assert_int_equal(app.handled, 1);
  assert_int_equal(app.rv, 0);
  h3_free(f);
}

static void test_upgrade_settings_too_late(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), false);
  h3_run(f);
  f->now += 5000 * H3_MS;
  h3_run(f);
  assert_int_equal(app.handled, 1);
  assert_int_equal(app.rv, WT_ERR_SETTINGS);
  assert_string_equal(wt_request_error(app.request), "the client's SETTINGS did not arrive within 5000 ms");
  assert_int_equal(wt_request_respond(app.request, wt_upgrade_status(app.rv), NULL, 0, NULL, 0), 0);
  h3_run(f);
  assert_int_equal(h3_status(f, 0), 400);
  h3_free(f);
}

static void test_upgrade_gone_while_waiting(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), false);
  h3_recv(f, 2 + 4 * 3, "\x40\x54\x00x", 4, false); /* an early stream */
  h3_run(f);
  wt__h3_conn_recv_reset(f->conn, 0, WT__H3_REQUEST_CANCELLED, 0);
  h3_run(f);
  H3_SETTINGS(f, settings_chromium);
  h3_run(f);
  assert_int_equal(app.handled, 0);
  assert_true(f->streams[14].stopped);
  assert_int_equal(f->conn->mux.early_streams_len, 0);
  h3_free(f);
}

/* --- Failures; each leaves the request answerable --- */

static void check_refused(struct h3_fixture *f, const char *const *fields, int error, int status) {
  h3_send_request(f, 0, fields, false);
  h3_recv(f, 14, "\x40\x54\x00x", 4, false);
  h3_run(f);
  assert_int_equal(app.handled, 1);
  assert_int_equal(app.rv, error);
  assert_true(strlen(wt_request_error(app.request)) > 10);
  assert_int_equal(wt_upgrade_status(error), status);
  assert_int_equal(f->streams[0].sent_len, 0);
  if (error != WT_ERR_NOT_WEBTRANSPORT) {
    assert_int_equal(wt_request_respond(app.request, 200, NULL, 0, NULL, 0), WT_ERR_INVALID);
  }
  assert_int_equal(wt_request_respond(app.request, status, NULL, 0, "no", 2), 0);
  h3_run(f);
  assert_int_equal(h3_status(f, 0), status);
  assert_true(f->streams[0].fin);
  assert_int_equal(f->streams[0].stop_code, WT__H3_NO_ERROR);
  assert_int_equal(f->streams[14].stop_code, WT__WT_BUFFERED_STREAM_REJECTED);
  assert_int_equal(f->counters.sessions_total, 0);
  h3_free(f);
  assert_int_equal(app.closed, 0);
}

static bool origin_never(const wt_request *request, void *user_data) {
  assert_string_equal(wt_request_origin(request), "https://example.com");
  (*(int *)user_data)++;
  return false;
}

static void test_upgrade_refusals(void **state) {
  static const struct wt__setting no_datagrams[] = {{0x2b603742, 1}};
  static const struct wt__setting no_webtransport[] = {{0x33, 1}};
  struct h3_fixture *f;
  int asked = 0;
  (void)state;

  f = started();
  H3_SETTINGS(f, settings_chromium);
  check_refused(f, H3_FIELDS(H3_PLAIN("POST", "/wt")), WT_ERR_NOT_WEBTRANSPORT, 400);

  f = started();
  H3_SETTINGS(f, settings_chromium);
  check_refused(f, H3_FIELDS(H3_CONNECT("websocket", "/wt")), WT_ERR_NOT_WEBTRANSPORT, 400);

  f = started();
  H3_SETTINGS(f, no_datagrams);
  check_refused(f, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), WT_ERR_SETTINGS, 400);

  f = started();
  H3_SETTINGS(f, no_webtransport);
  check_refused(f, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), WT_ERR_SETTINGS, 400);

  f = started();
  f->conn->peer_max_datagram = 0;
  H3_SETTINGS(f, settings_chromium);
  check_refused(f, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), WT_ERR_SETTINGS, 400);

  f = started();
  H3_SETTINGS(f, settings_chromium);
  check_refused(f, H3_FIELDS(H3_CONNECT("webtransport", "/wt"), "origin", "https://evil.example"), WT_ERR_ORIGIN, 403);

  f = started();
  f->config.check_origin = origin_never;
  f->config.check_origin_user_data = &asked;
  H3_SETTINGS(f, settings_chromium);
  check_refused(f, H3_FIELDS(H3_CONNECT("webtransport", "/wt"), "origin", "https://example.com"), WT_ERR_ORIGIN, 403);
  assert_int_equal(asked, 1);

  f = started();
  app.options.protocols = (const char *const[]){"chat"};
  app.options.protocol_count = 1;
  app.options.require_protocol = true;
  H3_SETTINGS(f, settings_chromium);
  check_refused(f, H3_FIELDS(H3_CONNECT("webtransport", "/wt"), "wt-available-protocols", "\"other\""),
                WT_ERR_SUBPROTOCOL, 400);

  f = started();
  app.options.headers = &(struct wt_header){"Bad Name", "x"};
  app.options.header_count = 1;
  H3_SETTINGS(f, settings_chromium);
  check_refused(f, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), WT_ERR_INVALID, 500);

  f = started();
  f->config.max_sessions_per_connection = 0;
  H3_SETTINGS(f, settings_chromium);
  check_refused(f, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), WT_ERR_SESSION_LIMIT, 429);
}

static void test_upgrade_after_answer_and_gone(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  app.keep = true;
  H3_SETTINGS(f, settings_chromium);
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), false);
  h3_run(f);
  assert_int_equal(wt_request_respond(app.request, 404, NULL, 0, NULL, 0), 0);
  assert_int_equal(wt_upgrade(app.request, NULL, NULL), WT_ERR_STATE);
  h3_send_request(f, 4, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), false);
  h3_run(f);
  wt__h3_conn_recv_reset(f->conn, 4, 0, 0);
  assert_int_equal(wt_upgrade(app.request, NULL, NULL), WT_ERR_CLOSED);
  h3_run(f);
  h3_free(f);
}

/* --- Subprotocols --- */

static void check_protocol(const char *const *fields, const char *chosen, const char *line) {
  struct h3_fixture *f = started();
  struct h3_answer answer;
  app.options.protocols = (const char *const[]){"a", "b \"x\"", "c"};
  app.options.protocol_count = 3;
  H3_SETTINGS(f, settings_chromium);
  h3_send_request(f, 0, fields, false);
  h3_run(f);
  assert_int_equal(app.rv, 0);
  assert_string_equal(wt_session_protocol(app.session), chosen);
  answer = h3_answer(f, 0);
  if (line) {
    assert_true(h3_has_field(&answer, line));
  } else {
    assert_null(strstr(answer.fields, "wt-protocol"));
  }
  h3_answer_free(&answer);
  h3_free(f);
}

static void test_upgrade_subprotocols(void **state) {
  (void)state;
#define OFFER(...) H3_FIELDS(H3_CONNECT("webtransport", "/wt"), __VA_ARGS__)
  check_protocol(OFFER("x", "y"), "", NULL);
  check_protocol(OFFER("wt-available-protocols", "\"z\", \"c\", \"a\""), "c", "wt-protocol: \"c\"");
  check_protocol(OFFER("wt-available-protocols", "\"b \\\"x\\\"\";q=1"), "b \"x\"", "wt-protocol: \"b \\\"x\\\"\"");
  check_protocol(OFFER("wt-available-protocols", "\"z\"", "wt-available-protocols", "\"a\""), "a",
                 "wt-protocol: \"a\"");
  check_protocol(OFFER("wt-available-protocols", "\"a\", b"), "", NULL); /* malformed: as if absent */
  check_protocol(OFFER("wt-available-protocols", "\"z\""), "", NULL);
#undef OFFER
}

/* A proxy reads them, to offer them to the next server. */
static void check_offers(const char *const *fields, const char *const *expected) {
  struct h3_fixture *f = started();
  char protocol[8];
  size_t i = 0;
  app.keep = true;
  H3_SETTINGS(f, settings_chromium);
  h3_send_request(f, 0, fields, false);
  h3_run(f);
  for (; expected[i]; i++) {
    assert_int_equal(wt_request_get_protocol_at(app.request, i, protocol, sizeof(protocol)), 0);
    assert_string_equal(protocol, expected[i]);
  }
  assert_int_equal(wt_request_get_protocol_at(app.request, i, protocol, sizeof(protocol)), WT_ERR_NOT_FOUND);
  assert_string_equal(protocol, "");
  if (i > 0) {
    assert_int_equal(wt_request_get_protocol_at(app.request, 0, protocol, strlen(expected[0])), WT_ERR_TOO_LARGE);
    assert_string_equal(protocol, "");
    wt__mem_fail_after(0);
    assert_int_equal(wt_request_get_protocol_at(app.request, 0, protocol, sizeof(protocol)), WT_ERR_NOMEM);
    wt__mem_fail_after(SIZE_MAX);
  }
  h3_free(f);
}

static void test_upgrade_offered_subprotocols(void **state) {
  (void)state;
#define OFFER(...) H3_FIELDS(H3_CONNECT("webtransport", "/wt"), __VA_ARGS__)
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
  check_offers(OFFER("x", "y"), (const char *const[]){NULL});
  check_offers(OFFER("wt-available-protocols", "\"z\", \"b \\\"x\\\"\";q=1"), LIST("z", "b \"x\""));
  check_offers(OFFER("wt-available-protocols", "\"z\"", "wt-available-protocols", "\"a\""), LIST("z", "a"));
  check_offers(OFFER("wt-available-protocols", "\"a\", b"), (const char *const[]){NULL});
  check_offers(OFFER("wt-available-protocols", ""), (const char *const[]){NULL});
#undef LIST
#undef OFFER
}

/* --- The CONNECT stream --- */

static void test_upgrade_late_and_capsules_wait(void **state) {
  struct h3_fixture *f = started();
  uint8_t capsule[WT__CAPSULE_WRITE_MAX];
  size_t len = wt__capsule_write_close(capsule, 7, "bye", 3);
  uint64_t before;
  (void)state;
  app.keep = true;
  H3_SETTINGS(f, settings_chromium);
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), false);
  h3_recv(f, 4, "\x40\x41\x00hello", 8, true); /* an optimistic stream */
  before = f->streams[0].consumed;
  h3_data(f, 0, capsule, len, true);
  h3_run(f);
  assert_int_equal(f->streams[0].consumed, before + 2); /* the frame's header: capsules wait unread */
  assert_int_equal(wt_upgrade(app.request, &app.options, &app.session), 0);
  assert_int_equal(app.closed, 0); /* not from inside the call */
  assert_int_equal(f->streams[0].consumed, before + 2);
  h3_run(f);
  assert_int_equal(f->streams[0].consumed, before + 2 + len);
  assert_int_equal(app.closed, 1);
  assert_int_equal(app.info.by, WT_PEER);
  assert_int_equal(app.info.code, 7);
  assert_string_equal(app.reason, "bye");
  assert_true(app.info.clean);
  h3_flush(f);
  assert_true(f->streams[0].fin);
  assert_int_equal(f->counters.sessions_open, 0);
  h3_free(f);
  assert_int_equal(app.closed, 1);
}

static void test_upgrade_early_stream_is_delivered(void **state) {
  struct h3_fixture *f = started();
  (void)state;
  H3_SETTINGS(f, settings_chromium);
  h3_recv(f, 4, "\x40\x41\x00hello", 8, false);
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/wt")), false);
  h3_run(f);
  assert_int_equal(app.streams, 1);
  h3_free(f);
}

static void test_upgrade_local_close(void **state) {
  struct h3_fixture *f = upgraded();
  struct h3_answer answer;
  uint8_t capsule[WT__CAPSULE_WRITE_MAX];
  size_t len = wt__capsule_write_close(capsule, 1337, "foobar", 6);
  wt_stream *stream;
  (void)state;
  assert_int_equal(wt_session_open_uni(app.session, &stream), 0);
  h3_run(f);
  assert_int_equal(wt_session_close(app.session, 1337, "foobar", 6), 0);
  wt__h3_conn_run(f->conn, f->now);
  assert_int_equal(app.closed, 1);
  assert_false(f->streams[15].reset); /* not before the capsule is on its way */
  assert_false(wt__h3_conn_is_idle(f->conn));
  h3_flush(f);
  h3_run(f);
  answer = h3_answer(f, 0);
  assert_int_equal(answer.body_len, len);
  assert_memory_equal(answer.body, capsule, len);
  h3_answer_free(&answer);
  assert_true(f->streams[0].fin);
  h3_ack(f, 15); /* core resets it once its header is there */
  h3_run(f);
  assert_int_equal(f->streams[15].reset_code, WT__WT_SESSION_GONE);
  assert_false(f->streams[0].reset || f->streams[0].stopped);
  h3_ack(f, 0);
  assert_true(wt__h3_conn_is_idle(f->conn));
  h3_recv(f, 0, NULL, 0, true);
  wt__h3_conn_stream_closed(f->conn, 15, true, WT__WT_SESSION_GONE);
  wt__h3_conn_stream_closed(f->conn, 0, false, 0);
  h3_run(f);
  assert_int_equal(f->conn->mux.sessions.len, 0);
  assert_int_equal(f->conn->streams.len, 1); /* the control stream */
  assert_true(wt__list_empty(&f->conn->connects));
  assert_int_equal(wt__h3_conn_expiry(f->conn), f->now + 10000 * H3_MS);
  h3_free(f);
  assert_int_equal(app.closed, 1);
}

static void test_upgrade_peer_fin(void **state) {
  struct h3_fixture *f = upgraded();
  (void)state;
  h3_recv(f, 0, NULL, 0, true);
  h3_run(f);
  assert_int_equal(app.closed, 1);
  assert_true(app.info.clean);
  assert_int_equal(app.info.by, WT_PEER);
  assert_int_equal(app.info.code, 0);
  assert_true(f->streams[0].fin);
  h3_finish(f, 0);
  assert_int_equal(f->conn->mux.sessions.len, 0);
  h3_free(f);
}

static void test_upgrade_peer_reset(void **state) {
  (void)state;
  for (int how = 0; how < 3; how++) {
    struct h3_fixture *f = upgraded();
    if (how != 1) wt__h3_conn_recv_reset(f->conn, 0, WT__H3_REQUEST_CANCELLED, 0);
    if (how != 0) wt__h3_conn_recv_stop_sending(f->conn, 0, WT__H3_REQUEST_CANCELLED);
    h3_run(f);
    assert_int_equal(app.closed, how == 1 ? 0 : 1); /* a close capsule may still come behind a STOP_SENDING */
    f->now += 1000 * H3_MS;
    h3_run(f);
    assert_int_equal(app.closed, 1);
    assert_false(app.info.clean);
    assert_int_equal(app.info.by, WT_PEER);
    assert_int_equal(app.info.wire_code, WT__H3_REQUEST_CANCELLED);
    assert_true(f->streams[0].reset);
    assert_true(f->streams[0].stopped);
    wt__h3_conn_stream_closed(f->conn, 0, true, WT__H3_REQUEST_CANCELLED);
    h3_run(f);
    assert_int_equal(f->conn->mux.sessions.len, 0);
    assert_int_equal(f->conn->streams.len, 1);
    h3_free(f);
    assert_int_equal(app.closed, 1);
  }
}

static void test_upgrade_bad_capsule(void **state) {
  struct h3_fixture *f = upgraded();
  (void)state;
  h3_data(f, 0, "\x68\x43\x01x", 4, false); /* a close capsule without its code */
  h3_run(f);
  assert_int_equal(app.closed, 1);
  assert_true(f->streams[0].reset);
  assert_false(f->closed);
  h3_free(f);
}

/* A stream of ours whose session ended before it sent anything ends like any other. */
static void test_upgrade_own_stream_never_sent(void **state) {
  struct h3_fixture *f = upgraded();
  wt_stream *stream;
  (void)state;
  assert_int_equal(wt_session_open_bidi(app.session, &stream), 0);
  assert_int_equal(wt_stream_id(stream), 1);
  wt__h3_conn_recv_reset(f->conn, 0, WT__H3_REQUEST_CANCELLED, 0);
  h3_run(f);
  h3_run(f);
  h3_ack(f, 1);
  h3_run(f);
  assert_true(f->streams[1].reset);
  wt__h3_conn_stream_closed(f->conn, 1, true, WT__WT_SESSION_GONE);
  wt__h3_conn_stream_closed(f->conn, 0, true, WT__H3_REQUEST_CANCELLED);
  h3_run(f);
  assert_int_equal(f->conn->mux.sessions.len, 0);
  h3_free(f);
}

/* --- Sending --- */

/* Neither a large answer nor a busy session keeps the other waiting. */
static void test_upgrade_sources_take_turns(void **state) {
  struct h3_fixture *f = upgraded();
  static uint8_t data[200000];
  wt_stream *stream;
  size_t written;
  (void)state;
  app.keep = true;
  assert_int_equal(wt_session_open_uni(app.session, &stream), 0);
  assert_int_equal(wt_stream_write(stream, data, sizeof(data), &written), 0);
  assert_int_equal(written, sizeof(data));
  h3_get(f, 4, "/wt");
  wt__h3_conn_run(f->conn, f->now);
  assert_int_equal(wt_request_respond(app.request, 200, NULL, 0, data, sizeof(data)), 0);
  for (int i = 0; i < 10; i++) {
    size_t before[2] = {f->streams[15].sent_len, f->streams[4].sent_len};
    h3_flush_some(f, 4);
    assert_true(f->streams[15].sent_len > before[0]);
    assert_true(f->streams[4].sent_len > before[1]);
  }
  /* A capsule overtakes the rest of the answer. */
  wt_session_drain(app.session);
  size_t connect = f->streams[0].sent_len;
  h3_flush_some(f, 4);
  assert_true(f->streams[0].sent_len > connect);
  assert_false(f->streams[4].fin);
  h3_flush(f);
  assert_true(f->streams[4].fin);
  h3_free(f);
}

static void test_upgrade_shutdown_drains(void **state) {
  struct h3_fixture *f = upgraded();
  struct h3_answer answer;
  uint8_t capsule[WT__CAPSULE_WRITE_MAX];
  size_t len = wt__capsule_write_drain(capsule);
  (void)state;
  wt__h3_conn_shutdown(f->conn);
  h3_run(f);
  answer = h3_answer(f, 0);
  assert_int_equal(answer.body_len, len);
  assert_memory_equal(answer.body, capsule, len);
  h3_answer_free(&answer);
  assert_memory_equal(f->streams[3].sent + f->streams[3].sent_len - 3, "\x07\x01\x04", 3);
  assert_false(wt__h3_conn_is_idle(f->conn));
  h3_free(f);
}

/* Each allocation fails in turn: an error and an answer, or a lost stream or connection; nothing leaks. */
static void test_upgrade_without_memory(void **state) {
  bool whole = false;
  (void)state;
  for (size_t after = 0; !whole && after < 200; after++) {
    struct h3_fixture *f = started();
    app.options.protocols = (const char *const[]){"a"};
    app.options.protocol_count = 1;
    H3_SETTINGS(f, settings_chromium);
    wt__mem_fail_after(after);
    h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/wt"), "wt-available-protocols", "\"a\""), false);
    h3_run(f);
    wt__mem_fail_after(SIZE_MAX);
    if (app.rv < 0) assert_int_equal(app.rv, WT_ERR_NOMEM);
    whole = app.rv == 0 && !f->closed;
    h3_run(f);
    h3_free(f);
    assert_int_equal(app.closed, app.rv == 0);
  }
  assert_true(whole);
}

/* What `wt_upgrade` promises after an error: nothing was sent, no session is left, another answer goes out. */
static void check_answers_otherwise(struct h3_fixture *f) {
  assert_int_equal(f->conn->mux.sessions_open, 0);
  assert_null(wt__map_get(&f->conn->mux.sessions, 0));
  assert_int_equal(wt_request_respond(app.request, 503, NULL, 0, NULL, 0), 0);
  h3_run(f);
  assert_int_equal(h3_status(f, 0), 503);
  assert_int_equal(app.closed, 0);
}

static struct h3_fixture *kept(void) {
  static const char *const protocols[] = {"a"};
  struct h3_fixture *f = started();
  app.keep = true;
  app.options.protocols = protocols;
  app.options.protocol_count = 1;
  H3_SETTINGS(f, settings_chromium);
  h3_send_request(f, 0, H3_FIELDS(H3_CONNECT("webtransport", "/wt"), "wt-available-protocols", "\"a\""), false);
  h3_run(f);
  assert_int_equal(app.handled, 1);
  return f;
}

/* Out of memory inside nghttp3 ends the connection; everywhere else the handler can still answer. */
static void test_upgrade_answers_otherwise_without_memory(void **state) {
  int rv = WT_ERR_NOMEM, answered = 0;
  (void)state;
  for (size_t after = 0; rv != 0 && after < 200; after++) {
    struct h3_fixture *f = kept();
    app.session = (wt_session *)(uintptr_t)1;
    wt__mem_fail_after(after);
    rv = wt_upgrade(app.request, &app.options, &app.session);
    wt__mem_fail_after(SIZE_MAX);
    if (rv != 0) {
      assert_int_equal(rv, WT_ERR_NOMEM);
      assert_null(app.session);
      assert_int_equal(f->conn->mux.sessions_open, 0);
      if (!f->conn->closing) {
        check_answers_otherwise(f);
        answered++;
      }
    }
    h3_free(f);
  }
  assert_int_equal(rv, 0);
  assert_true(answered >= 5);
}

static void test_upgrade_answers_otherwise_after_a_wrong_field(void **state) {
  const struct wt_header wrong = {"Upper-Case", "x"};
  struct h3_fixture *f = kept();
  (void)state;
  app.options.headers = &wrong;
  app.options.header_count = 1;
  assert_int_equal(wt_upgrade(app.request, &app.options, &app.session), WT_ERR_INVALID);
  check_answers_otherwise(f);
  h3_free(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_upgrade_accepts),
      cmocka_unit_test(test_upgrade_both_protocol_names_and_draft15),
      cmocka_unit_test(test_upgrade_session_limit_of_draft02),
      cmocka_unit_test(test_upgrade_answers_otherwise_without_memory),
      cmocka_unit_test(test_upgrade_answers_otherwise_after_a_wrong_field),
      cmocka_unit_test(test_upgrade_second_of_two_pending),
      cmocka_unit_test(test_upgrade_waits_for_settings),
      cmocka_unit_test(test_upgrade_settings_too_late),
      cmocka_unit_test(test_upgrade_gone_while_waiting),
      cmocka_unit_test(test_upgrade_refusals),
      cmocka_unit_test(test_upgrade_after_answer_and_gone),
      cmocka_unit_test(test_upgrade_subprotocols),
      cmocka_unit_test(test_upgrade_offered_subprotocols),
      cmocka_unit_test(test_upgrade_late_and_capsules_wait),
      cmocka_unit_test(test_upgrade_early_stream_is_delivered),
      cmocka_unit_test(test_upgrade_local_close),
      cmocka_unit_test(test_upgrade_peer_fin),
      cmocka_unit_test(test_upgrade_peer_reset),
      cmocka_unit_test(test_upgrade_bad_capsule),
      cmocka_unit_test(test_upgrade_own_stream_never_sent),
      cmocka_unit_test(test_upgrade_sources_take_turns),
      cmocka_unit_test(test_upgrade_shutdown_drains),
      cmocka_unit_test(test_upgrade_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
