/* SPDX-License-Identifier: MIT */
/*
 * From a request to a session (draft-ietf-webtrans-http3-16, section 3): what `wt_upgrade` checks, what is said
 * when it fails, that the request can still be answered, and the wait for SETTINGS.
 */
#include "world.h"

static void upgrade_start(struct world *w) {
  world_start(w);
  NET_UNTIL(&w->net, 1000, w->peer->control >= 0 || !w->options.send_settings);
  net_run_for(&w->net, 50);
}

static int upgrade_wait(struct world *w, int64_t id) {
  NET_UNTIL(&w->net, 10000, http_status(w->peer, id) != 0);
  return http_status(w->peer, id);
}

static void test_upgrade_takes_both_tokens(void **state) {
  (void)state;
  static const char *const tokens[] = {"webtransport", "webtransport-h3"};
  for (size_t i = 0; i < 2; i++) {
    struct world w;
    world_init(&w, 1);
    upgrade_start(&w);
    int64_t id = http_connect(w.peer, tokens[i], "/wt?a=b", NULL, NULL);
    assert_int_equal(upgrade_wait(&w, id), 200);
    struct server_session *session = server_session(&w.server, 0);
    assert_string_equal(session->path, "/wt?a=b");
    assert_int_equal(session->id, id);
    assert_string_equal(wt_session_peer_address(session->session), "192.0.2.1:4001");
    struct response response;
    char value[64];
    http_response(w.peer, id, &response);
    assert_false(response_field(&response, "content-length", value, sizeof(value)));
    assert_false(response_field(&response, "wt-protocol", value, sizeof(value)));
    response_free(&response);
    assert_false(peer_stream(w.peer, id)->fin);
    world_free(&w);
  }
}

static void test_upgrade_chooses_the_highest_draft_of_both(void **state) {
  (void)state;
  static const struct {
    uint64_t settings[10];
    size_t count;
    int draft;
  } cases[] = {
      {{0x33, 1, 0x2b603742, 1}, 2, 2},
      {{0x33, 1, 0xc671706a, 1}, 2, 7},
      {{0x33, 1, 0x14e9cd29, 1}, 2, 13},
      {{0x33, 1, 0x2c7cf000, 1}, 2, 15},
      {{0x33, 1, 0x2b603742, 1, 0xc671706a, 1, 0x14e9cd29, 1, 0x2c7cf000, 1}, 5, 15},
      {{0x33, 1, 0x2b603742, 1, 0xc671706a, 4}, 3, 7},
      {{0xffd277, 1, 0x2b603742, 1}, 2, 2}, /* H3_DATAGRAM of draft 04 is enough for old ones */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct world w;
    world_init(&w, 1);
    w.options.settings = cases[i].settings;
    w.options.settings_count = cases[i].count;
    w.options.reset_at = cases[i].draft >= 15 ? PEER_RESET_AT : 0;
    upgrade_start(&w);
    assert_int_equal(upgrade_wait(&w, http_connect(w.peer, "webtransport-h3", "/wt", NULL, NULL)), 200);
    assert_int_equal(server_session(&w.server, 0)->draft, cases[i].draft);
    world_free(&w);
  }
}

/* The request that is none: the handler learns it, and answers. */
static void test_upgrade_of_other_requests_fails(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  upgrade_start(&w);
  int64_t get = http_request(w.peer, "GET", "/wt", NULL, true);
  assert_int_equal(upgrade_wait(&w, get), 400);
  int64_t post = http_request(w.peer, "POST", "/wt", NULL, true);
  assert_int_equal(upgrade_wait(&w, post), 400);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(server_request(&w.server, i)->upgrade_error, WT_ERR_NOT_WEBTRANSPORT);
    assert_true(strlen(server_request(&w.server, i)->upgrade_message) > 0);
  }
  int64_t id = http_connect(w.peer, "connect-udp", "/wt", NULL, NULL);
  int status = upgrade_wait(&w, id);
  assert_true(status >= 400);
  assert_null(server_session(&w.server, 0));
  assert_false(w.peer->ended);
  assert_int_equal(upgrade_wait(&w, http_connect(w.peer, "webtransport", "/wt", NULL, NULL)), 200);
  world_free(&w);
}

static void test_upgrade_of_another_scheme_fails(void **state) {
  (void)state;
  static const struct field plain[] = {{":method", "CONNECT"}, {":protocol", "webtransport"},
                                       {":scheme", "http"},    {":authority", "localhost"},
                                       {":path", "/wt"},       {NULL, NULL}};
  struct world w;
  world_init(&w, 1);
  upgrade_start(&w);
  struct bytes bytes = {0};
  int64_t id = peer_open_bidi(w.peer);
  http_headers(&bytes, plain);
  peer_send(w.peer, id, bytes.data, bytes.len, false);
  bytes_free(&bytes);
  assert_int_equal(upgrade_wait(&w, id), 400);
  assert_int_equal(server_request(&w.server, 0)->upgrade_error, WT_ERR_NOT_WEBTRANSPORT);
  assert_non_null(strstr(server_request(&w.server, 0)->upgrade_message, "scheme"));
  world_free(&w);
}

static void test_upgrade_without_a_route_is_404(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  upgrade_start(&w);
  int64_t id = http_connect(w.peer, "webtransport", "/nowhere", NULL, NULL);
  assert_int_equal(upgrade_wait(&w, id), 404);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
  world_free(&w);
}

static void test_upgrade_to_an_ordinary_resource_makes_no_session(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  upgrade_start(&w);
  int64_t id = http_connect(w.peer, "webtransport", "/hello", NULL, NULL);
  assert_int_equal(upgrade_wait(&w, id), 405); /* its 200 was not sent */
  assert_int_equal(w.server.counters.sessions_total, 0);
  world_free(&w);
}

/* --- SETTINGS --- */

static void test_upgrade_waits_for_late_settings(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.send_settings = false;
  world_start(&w);
  int64_t id = http_connect(w.peer, "webtransport", "/wt", NULL, NULL);
  int64_t get = http_request(w.peer, "GET", "/hello", NULL, true);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, get)->fin); /* others do not wait */
  net_run_for(&w.net, 4000);
  assert_int_equal(http_status(w.peer, id), 0);
  assert_int_equal(server_request(&w.server, 1) != NULL, 0); /* the handler was not called yet */
  peer_send_settings(w.peer);
  NET_UNTIL(&w.net, 500, http_status(w.peer, id) == 200);
  world_free(&w);
}

static void test_upgrade_without_settings_fails_after_five_seconds(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.send_settings = false;
  world_start(&w);
  uint64_t sent = w.net.now;
  int64_t id = http_connect(w.peer, "webtransport", "/wt", NULL, NULL);
  struct peer_stream *stream = peer_stream(w.peer, id);
  NET_UNTIL(&w.net, 9000, http_status(w.peer, id) != 0 || stream->reset);
  assert_in_range((w.net.now - sent) / NET_MS, 4990, 5300);
  if (!stream->reset) assert_true(http_status(w.peer, id) >= 400);
  assert_int_equal(w.server.counters.sessions_total, 0);
  assert_null(server_session(&w.server, 0));
  world_free(&w);
}

static void test_upgrade_names_what_the_client_lacks(void **state) {
  (void)state;
  static const uint64_t no_datagram[] = {0x2b603742, 1};
  static const uint64_t datagram_zero[] = {0x33, 0, 0x2c7cf000, 1};
  static const uint64_t no_webtransport[] = {0x33, 1};
  static const uint64_t all[] = {0x33, 1, 0x2c7cf000, 1};
  static const struct {
    const uint64_t *settings;
    size_t count;
    uint64_t max_datagram_frame_size;
    unsigned reset_at;
    const char *names;
  } cases[] = {
      {no_datagram, 1, 65535, 0, "H3_DATAGRAM"},
      {datagram_zero, 2, 65535, PEER_RESET_AT, "H3_DATAGRAM"},
      {no_webtransport, 1, 65535, PEER_RESET_AT, "WEBTRANSPORT|WT_"},
      {all, 2, 0, PEER_RESET_AT, "max_datagram_frame_size"},
      {all, 2, 65535, 0, "reset_stream_at"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct world w;
    world_init(&w, 1);
    w.server.config.h3.require_reset_at = true;
    w.options.settings = cases[i].settings;
    w.options.settings_count = cases[i].count;
    w.options.max_datagram_frame_size = cases[i].max_datagram_frame_size;
    w.options.reset_at = cases[i].reset_at;
    upgrade_start(&w);
    int64_t id = http_connect(w.peer, "webtransport", "/wt", NULL, NULL);
    int status = upgrade_wait(&w, id);
    assert_in_range(status, 400, 599);
    struct server_request *request = server_request(&w.server, 0);
    assert_non_null(request);
    assert_int_equal(request->upgrade_error, WT_ERR_SETTINGS);
    char names[64];
    snprintf(names, sizeof(names), "%s", cases[i].names);
    bool named = false;
    for (char *name = strtok(names, "|"); name; name = strtok(NULL, "|")) {
      named |= strstr(request->upgrade_message, name) != NULL;
    }
    if (!named) fail_msg("\"%s\" does not name %s", request->upgrade_message, cases[i].names);
    world_free(&w);
  }
}

/* A client of draft 15 that does not announce RESET_STREAM_AT, as pywebtransport is one. Resets go both ways with their
 * codes, ours as RESET_STREAM. */
static void test_upgrade_takes_draft_15_without_reset_stream_at(void **state) {
  (void)state;
  struct world w;
  int error = 0;
  world_init(&w, 1);
  w.options.settings = peer_settings_draft15;
  w.options.settings_count = peer_settings_draft15_count;
  w.options.reset_at = 0;
  upgrade_start(&w);
  int64_t id = http_connect(w.peer, "webtransport-h3", "/wt", NULL, NULL);
  assert_int_equal(upgrade_wait(&w, id), 200);
  struct server_session *session = server_session(&w.server, 0);
  assert_int_equal(wt_session_draft(session->session), 15);
  struct server_stream *stream = server_open(session, true, &error);
  assert_non_null(stream);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, stream->id) != NULL);
  wt_stream_reset(stream->stream, 7);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, stream->id)->reset);
  assert_int_equal(peer_stream(w.peer, stream->id)->reset_code, wt__error_to_wire(7));
  assert_int_equal(w.peer->reset_at_frames, 0);
  int64_t ours = peer_wt_open(w.peer, true, id, "x", 1, false);
  NET_UNTIL(&w.net, 1000, server_stream(session, 1) != NULL);
  peer_reset(w.peer, ours, wt__error_to_wire(9));
  NET_UNTIL(&w.net, 1000, server_stream(session, 1)->resets == 1);
  assert_int_equal(server_stream(session, 1)->reset_error.code, 9);
  assert_int_equal(session->closes, 0);
  world_free(&w);
}

static void test_upgrade_forbidden_settings_close_the_connection(void **state) {
  (void)state;
  static const uint64_t two[] = {0x33, 2};
  static const uint64_t twice[] = {0x33, 1, 0x33, 1};
  static const uint64_t http2[] = {0x33, 1, 0x02, 0};
  static const uint64_t connect_two[] = {0x08, 2};
  static const struct {
    const uint64_t *settings;
    size_t count;
  } cases[] = {{two, 1}, {twice, 2}, {http2, 2}, {connect_two, 1}};
  for (size_t i = 0; i < 4; i++) {
    struct world w;
    world_init(&w, 1);
    w.options.settings = cases[i].settings;
    w.options.settings_count = cases[i].count;
    w.options.send_settings = false;
    world_start(&w);
    peer_send_settings(w.peer);
    NET_UNTIL(&w.net, 1000, w.peer->ended);
    assert_true(w.peer->close_is_app);
    assert_int_equal(w.peer->close_code, WT__H3_SETTINGS_ERROR);
    world_free(&w);
  }
}

/* --- Origins --- */

static bool origin_answer(const wt_request *request, void *user_data) {
  (void)request;
  return *(bool *)user_data;
}

static void test_upgrade_same_origin_is_the_default(void **state) {
  (void)state;
  static const struct {
    const char *origin;
    bool ok;
  } cases[] = {
      {NULL, true},
      {"https://localhost:4000", true},
      {"https://LocalHost:4000", true},
      {"https://localhost", false},
      {"https://localhost:4001", false},
      {"https://evil.example:4000", false},
      {"http://localhost:4000", false},
      {"null", false},
      {"", false},
      {"https://localhost:4000/", false},
      {"https://user@localhost:4000", false},
      {"https://localhost:4000 https://localhost:4000", false},
      {"://", false},
  };
  struct world w;
  world_init(&w, 1);
  upgrade_start(&w);
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    int64_t id = http_connect(w.peer, "webtransport", "/wt", cases[i].origin, NULL);
    int status = upgrade_wait(&w, id);
    if (status != (cases[i].ok ? 200 : 403)) fail_msg("origin \"%s\": %d", cases[i].origin, status);
    struct server_request *request = server_request(&w.server, i);
    assert_int_equal(request->upgrade_error, cases[i].ok ? 0 : WT_ERR_ORIGIN);
    if (cases[i].ok) http_data(w.peer, id, NULL, 0, true);
    net_run_for(&w.net, 50);
  }
  world_free(&w);
}

static void test_upgrade_check_origin_decides(void **state) {
  (void)state;
  static const char *const origins[] = {NULL, "https://localhost:4000", "https://other.example", "null", "rubbish"};
  for (int answer = 0; answer < 2; answer++) {
    bool allowed = answer;
    struct world w;
    world_init(&w, 1);
    w.server.config.h3.check_origin = origin_answer;
    w.server.config.h3.check_origin_user_data = &allowed;
    upgrade_start(&w);
    for (size_t i = 0; i < 5; i++) {
      int64_t id = http_connect(w.peer, "webtransport", "/wt", origins[i], NULL);
      assert_int_equal(upgrade_wait(&w, id), answer ? 200 : 403);
      if (answer) http_data(w.peer, id, NULL, 0, true);
      net_run_for(&w.net, 50);
    }
    world_free(&w);
  }
}

/* --- Rejecting --- */

static void test_upgrade_failed_can_be_answered_with_anything(void **state) {
  (void)state;
  static const int statuses[] = {302, 400, 401, 403, 404, 405, 429, 500, 503, 599};
  struct world w;
  world_init(&w, 1);
  upgrade_start(&w);
  for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
    w.server.reject_status = statuses[i];
    int64_t id = http_connect(w.peer, "webtransport", "/wt", "https://evil.example", NULL);
    assert_int_equal(upgrade_wait(&w, id), statuses[i]);
    NET_UNTIL(&w.net, 1000, peer_stream(w.peer, id)->fin);
    struct response response;
    http_response(w.peer, id, &response);
    assert_true(response.body_len > 0);
    response_free(&response);
    peer_send(w.peer, id, NULL, 0, true);
    NET_UNTIL(&w.net, 1000, server_request(&w.server, i)->closes == 1);
    assert_int_equal(server_request(&w.server, i)->close_error, 0);
  }
  assert_int_equal(w.server.counters.sessions_total, 0);
  world_free(&w);
}

/* With the status and the fields that the application asks for; others leave the request as it is. */
static void test_upgrade_answers_with_the_status_that_is_asked_for(void **state) {
  (void)state;
  static const struct wt_header header = {"x-test", "yes"};
  static const int wrong[] = {-1, 100, 199, 300, 404, 599};
  struct world w;
  world_init(&w, 1);
  w.server.headers = &header;
  w.server.header_count = 1;
  upgrade_start(&w);
  for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
    w.server.status = wrong[i];
    int64_t id = http_connect(w.peer, "webtransport", "/wt", NULL, NULL);
    assert_int_equal(upgrade_wait(&w, id), 500);
    assert_int_equal(w.server.last_request->upgrade_error, WT_ERR_INVALID);
  }
  for (int status = 200; status <= 299; status += 33) {
    char value[16] = "";
    struct response response;
    w.server.status = status;
    int64_t id = http_connect(w.peer, "webtransport", "/wt", NULL, NULL);
    assert_int_equal(upgrade_wait(&w, id), status);
    http_response(w.peer, id, &response);
    assert_true(response_field(&response, "x-test", value, sizeof(value)));
    assert_string_equal(value, "yes");
    response_free(&response);
    struct server_session *session = w.server.last_session;
    http_data(w.peer, id, NULL, 0, true);
    NET_UNTIL(&w.net, 1000, session->closes == 1);
    assert_true(session->info.clean);
  }
  world_free(&w);
}

static void test_upgrade_rejected_client_need_not_end_its_side(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  upgrade_start(&w);
  int64_t id = http_connect(w.peer, "webtransport", "/wt", "https://evil.example", NULL);
  assert_int_equal(upgrade_wait(&w, id), 403);
  NET_UNTIL(&w.net, 2000, peer_stream(w.peer, id)->fin && server_request(&w.server, 0)->closes == 1);
  NET_UNTIL(&w.net, 2000, peer_stream(w.peer, id)->stopped); /* H3_NO_ERROR: RFC 9114, section 4.1 */
  assert_int_equal(peer_stream(w.peer, id)->stop_code, WT__H3_NO_ERROR);
  world_free(&w);
}

static void test_upgrade_second_answer_is_a_state_error(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  upgrade_start(&w);
  int64_t id = http_connect(w.peer, "webtransport", "/later", NULL, NULL);
  NET_UNTIL(&w.net, 1000, server_request(&w.server, 0));
  wt_request *request = server_request(&w.server, 0)->request;
  assert_true(wt_request_is_webtransport(request));
  assert_string_equal(wt_request_protocol(request), "webtransport");
  assert_string_equal(wt_request_authority(request), "localhost:4000");
  assert_int_equal(wt_request_respond(request, 404, NULL, 0, NULL, 0), 0);
  assert_int_equal(wt_request_respond(request, 404, NULL, 0, NULL, 0), WT_ERR_STATE);
  wt_session *session = NULL;
  assert_int_equal(wt_upgrade(request, NULL, &session), WT_ERR_STATE);
  assert_int_equal(upgrade_wait(&w, id), 404);
  world_free(&w);
}

/* --- Answering later --- */

static void test_upgrade_may_come_later(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  upgrade_start(&w);
  int64_t id = http_connect(w.peer, "webtransport", "/later", NULL, NULL);
  int64_t stream = peer_wt_open(w.peer, false, id, "early", 5, true);
  NET_UNTIL(&w.net, 1000, server_request(&w.server, 0));
  net_run_for(&w.net, 3000);
  assert_int_equal(http_status(w.peer, id), 0);
  assert_int_equal(server_upgrade(server_request(&w.server, 0)), 0);
  NET_UNTIL(&w.net, 500, http_status(w.peer, id) == 200);
  NET_UNTIL(&w.net, 500, server_stream(server_session(&w.server, 0), 0));
  NET_UNTIL(&w.net, 500, server_stream(server_session(&w.server, 0), 0)->rx_total == 5);
  assert_int_equal(server_stream(server_session(&w.server, 0), 0)->id, stream);
  world_free(&w);
}

static void test_upgrade_client_gives_up_while_it_waits(void **state) {
  (void)state;
  for (int how = 0; how < 3; how++) {
    struct world w;
    world_init(&w, 1);
    upgrade_start(&w);
    int64_t id = http_connect(w.peer, "webtransport", "/later", NULL, NULL);
    NET_UNTIL(&w.net, 1000, server_request(&w.server, 0));
    struct server_request *request = server_request(&w.server, 0);
    if (how == 0) peer_reset(w.peer, id, WT__H3_REQUEST_CANCELLED);
    if (how == 1) ngtcp2_conn_shutdown_stream(w.peer->conn, 0, id, WT__H3_REQUEST_CANCELLED), peer_flush(w.peer);
    if (how == 2) peer_close(w.peer, WT__H3_NO_ERROR);
    NET_UNTIL(&w.net, 1000, request->closes == 1);
    assert_int_equal(request->close_error, WT_ERR_CLOSED);
    world_free(&w);
  }
}

/* --- Subprotocols (section 3.3) --- */

static void test_upgrade_subprotocols(void **state) {
  (void)state;
  static const char *const three[] = {"baz", "bar", "foo"};
  static const struct {
    const char *offered;
    size_t known;
    const char *chosen; /* "" for none */
  } cases[] = {
      {"\"foo\", \"bar\"", 3, "foo"}, /* the client's order wins */
      {"\"foo\",\"bar\"", 2, "bar"},
      {"\"foo\";a=1, \"bar\";b", 3, "foo"}, /* parameters mean nothing */
      {"\"qux\"", 3, ""},
      {NULL, 3, ""},
      {"\"foo\"", 0, ""},
      {"foo, bar", 3, ""},     /* tokens, not strings: the field is ignored */
      {"\"foo\", bar", 3, ""}, /* one wrong member spoils it */
      {"\"foo", 3, ""},
      {"\"foo\",", 3, ""},
      {"", 3, ""},
  };
  struct world w;
  world_init(&w, 1);
  upgrade_start(&w);
  w.server.protocols = three;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    w.server.protocol_count = cases[i].known;
    struct field fields[] = {{"wt-available-protocols", cases[i].offered}, {NULL, NULL}};
    int64_t id = http_connect(w.peer, "webtransport", "/wt", NULL, cases[i].offered ? fields : NULL);
    assert_int_equal(upgrade_wait(&w, id), 200);
    struct server_session *session = w.server.last_session;
    assert_string_equal(session->protocol, cases[i].chosen);
    struct response response;
    char value[64] = "", expected[64] = "";
    http_response(w.peer, id, &response);
    bool present = response_field(&response, "wt-protocol", value, sizeof(value));
    assert_int_equal(present, cases[i].chosen[0] != '\0');
    if (present) snprintf(expected, sizeof(expected), "\"%s\"", cases[i].chosen);
    assert_string_equal(value, expected);
    response_free(&response);
    http_data(w.peer, id, NULL, 0, true);
    NET_UNTIL(&w.net, 1000, session->closes == 1);
  }
  w.server.protocol_count = 3;
  w.server.require_protocol = true;
  struct field fields[] = {{"wt-available-protocols", "\"qux\""}, {NULL, NULL}};
  int64_t id = http_connect(w.peer, "webtransport", "/wt", NULL, fields);
  assert_int_equal(upgrade_wait(&w, id), 400);
  assert_int_equal(w.server.last_request->upgrade_error, WT_ERR_SUBPROTOCOL);
  world_free(&w);
}

/* --- Session limits --- */

static void test_upgrade_limit_of_sessions(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.h3.max_sessions_per_connection = 2;
  upgrade_start(&w);
  int64_t first = http_connect(w.peer, "webtransport", "/wt", NULL, NULL);
  assert_int_equal(upgrade_wait(&w, first), 200);
  assert_int_equal(upgrade_wait(&w, http_connect(w.peer, "webtransport", "/wt", NULL, NULL)), 200);
  assert_int_equal(upgrade_wait(&w, http_connect(w.peer, "webtransport", "/wt", NULL, NULL)), 429);
  assert_int_equal(w.server.last_request->upgrade_error, WT_ERR_SESSION_LIMIT);
  http_data(w.peer, first, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, server_session(&w.server, 0)->closes == 1);
  assert_int_equal(upgrade_wait(&w, http_connect(w.peer, "webtransport", "/wt", NULL, NULL)), 200);
  world_free(&w);
}

/* Section 5.1: without session flow control there is one session a connection; more are reset. */
static void test_upgrade_second_session_of_draft_15_is_rejected(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.settings = peer_settings_draft15;
  w.options.settings_count = peer_settings_draft15_count;
  w.options.reset_at = PEER_RESET_AT;
  upgrade_start(&w);
  int64_t first = http_connect(w.peer, "webtransport-h3", "/wt", NULL, NULL);
  assert_int_equal(upgrade_wait(&w, first), 200);
  int64_t second = http_connect(w.peer, "webtransport-h3", "/wt", NULL, NULL);
  NET_UNTIL(&w.net, 1000, peer_stream(w.peer, second)->reset || http_status(w.peer, second) != 0);
  assert_true(peer_stream(w.peer, second)->reset);
  assert_int_equal(peer_stream(w.peer, second)->reset_code, WT__H3_REQUEST_REJECTED);
  assert_int_equal(server_session(&w.server, 0)->closes, 0);
  http_data(w.peer, first, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, server_session(&w.server, 0)->closes == 1);
  assert_int_equal(upgrade_wait(&w, http_connect(w.peer, "webtransport-h3", "/wt", NULL, NULL)), 200);
  world_free(&w);
}

/* --- QPACK --- */

static void test_upgrade_waits_for_qpack_inserts(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  upgrade_start(&w);
  const struct field fields[] = {{":method", "CONNECT"},
                                 {":protocol", "webtransport"},
                                 {":scheme", "https"},
                                 {":authority", "localhost:4000"},
                                 {":path", "/wt"},
                                 {"origin", "https://localhost:4000"},
                                 {"user-agent", "a client with a dynamic table"},
                                 {NULL, NULL}};
  struct bytes headers = {0}, inserts = {0};
  int64_t id = peer_open_bidi(w.peer);
  http_headers_dynamic(&headers, &inserts, id, fields);
  assert_true(inserts.len > 10); /* else this tests nothing */
  /* A capsule and a stream right behind it, as Chromium does. */
  bytes_frame(&headers, 0x00, "\x80\x00\xff\xee\x00", 5);
  peer_send(w.peer, id, headers.data, headers.len, false);
  int64_t stream = peer_wt_open(w.peer, false, id, "blocked", 7, true);
  net_run_for(&w.net, 1000);
  assert_int_equal(http_status(w.peer, id), 0);
  assert_null(server_request(&w.server, 0));
  int64_t encoder = peer_open_uni(w.peer);
  for (size_t i = 0; i < inserts.len; i++) {
    peer_send(w.peer, encoder, inserts.data + i, 1, false);
    if (i % 8 == 0) net_run_for(&w.net, 2);
  }
  assert_int_equal(upgrade_wait(&w, id), 200);
  NET_UNTIL(&w.net, 1000, server_stream(server_session(&w.server, 0), 0));
  assert_int_equal(server_stream(server_session(&w.server, 0), 0)->id, stream);
  NET_UNTIL(&w.net, 1000, server_stream(server_session(&w.server, 0), 0)->rx_total == 7);
  assert_false(w.peer->ended);
  bytes_free(&headers);
  bytes_free(&inserts);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_upgrade_takes_both_tokens),
      cmocka_unit_test(test_upgrade_chooses_the_highest_draft_of_both),
      cmocka_unit_test(test_upgrade_of_other_requests_fails),
      cmocka_unit_test(test_upgrade_of_another_scheme_fails),
      cmocka_unit_test(test_upgrade_without_a_route_is_404),
      cmocka_unit_test(test_upgrade_to_an_ordinary_resource_makes_no_session),
      cmocka_unit_test(test_upgrade_waits_for_late_settings),
      cmocka_unit_test(test_upgrade_without_settings_fails_after_five_seconds),
      cmocka_unit_test(test_upgrade_names_what_the_client_lacks),
      cmocka_unit_test(test_upgrade_takes_draft_15_without_reset_stream_at),
      cmocka_unit_test(test_upgrade_forbidden_settings_close_the_connection),
      cmocka_unit_test(test_upgrade_same_origin_is_the_default),
      cmocka_unit_test(test_upgrade_check_origin_decides),
      cmocka_unit_test(test_upgrade_failed_can_be_answered_with_anything),
      cmocka_unit_test(test_upgrade_answers_with_the_status_that_is_asked_for),
      cmocka_unit_test(test_upgrade_rejected_client_need_not_end_its_side),
      cmocka_unit_test(test_upgrade_second_answer_is_a_state_error),
      cmocka_unit_test(test_upgrade_may_come_later),
      cmocka_unit_test(test_upgrade_client_gives_up_while_it_waits),
      cmocka_unit_test(test_upgrade_subprotocols),
      cmocka_unit_test(test_upgrade_limit_of_sessions),
      cmocka_unit_test(test_upgrade_second_session_of_draft_15_is_rejected),
      cmocka_unit_test(test_upgrade_waits_for_qpack_inserts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
