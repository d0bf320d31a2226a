/* SPDX-License-Identifier: MIT */
/*
 * Our client against our server, on a good network: connecting, what the SETTINGS have to say, the answer to a
 * request for a session and its subprotocol, and a session's life seen from the client.
 */
#include "pair.h"

static void test_client_session_echoes_streams_and_datagrams(void **state) {
  (void)state;
  struct pair p;
  int error;
  size_t written;
  pair_ready(&p);
  struct server_session *session = client_session(&p.client, p.link, "/echo");
  struct server_stream *bidi = server_open(session, false, &error);
  struct server_stream *uni = server_open(session, true, &error);
  assert_int_equal(wt_stream_write(bidi->stream, "hello", 5, &written), 0);
  assert_int_equal(wt_stream_end(bidi->stream), 0);
  assert_int_equal(wt_stream_write(uni->stream, "one way", 7, &written), 0);
  assert_int_equal(wt_stream_end(uni->stream), 0);
  assert_int_equal(wt_session_send_datagram(session->session, "datagram", 8), 0);
  NET_UNTIL(&p.net, 2000, bidi->closes && session->datagrams && session->streams == 1);
  assert_int_equal(bidi->rx.len, 5);
  assert_memory_equal(bidi->rx.data, "hello", 5);
  assert_int_equal(session->last_datagram.len, 8);
  struct server_stream *back = server_stream(session, 2);
  NET_UNTIL(&p.net, 2000, back->closes);
  assert_true(back->remote && back->uni && back->fin);
  assert_int_equal(back->rx.len, 7);
  pair_free(&p);
}

/* --- Asking for a session --- */

static struct client_dial *dial_with(struct pair *p, const struct wt__h3_dial_options *options) {
  struct client_dial *dial = client_dial(p->link, options->path, options, NULL);
  assert_non_null(dial);
  NET_UNTIL(&p->net, 10000, dial->replies);
  return dial;
}

/* Accepts a session with header fields of the test's own, and remembers what the request said. */
static struct wt_header extra_header;
static size_t extra_times = 1; /* how often the answer has it */
static char seen_protocol[64], seen_origin[64], seen_header[64];

static void handle_extra(wt_request *request, void *user_data) {
  struct wt_upgrade_options options;
  (void)user_data;
  const char *origin = wt_request_origin(request), *header = wt_request_header(request, "x-ask");
  snprintf(seen_protocol, sizeof(seen_protocol), "%s", wt_request_protocol(request));
  snprintf(seen_origin, sizeof(seen_origin), "%s", origin ? origin : "");
  snprintf(seen_header, sizeof(seen_header), "%s", header ? header : "");
  wt_upgrade_options_default(&options);
  const struct wt_header twice[] = {extra_header, extra_header};
  options.headers = twice;
  options.header_count = extra_times;
  assert_int_equal(wt_upgrade(request, &options, NULL), 0);
}

static void test_client_dial_before_the_handshake_waits_for_the_settings(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  pair_connect(&p);
  struct client_dial *dial = client_dial(p.link, "/wt", NULL, NULL);
  assert_false(p.link->ready);
  NET_UNTIL(&p.net, 5000, dial->replies);
  assert_true(p.link->ready);
  assert_int_equal(dial->error, 0);
  assert_int_equal(dial->status, 200);
  pair_free(&p);
}

static void test_client_asks_in_the_words_of_the_draft_that_the_server_speaks(void **state) {
  (void)state;
  static const struct {
    unsigned drafts;
    int draft;
    const char *protocol;
  } cases[] = {{WT_DRAFT_ALL, 15, "webtransport-h3"},
               {WT_DRAFT_02 | WT_DRAFT_07 | WT_DRAFT_13, 13, "webtransport"},
               {WT_DRAFT_02 | WT_DRAFT_07, 7, "webtransport"},
               {WT_DRAFT_02, 2, "webtransport"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct pair p;
    struct wt__h3_dial_options options;
    pair_init(&p);
    p.server.config.h3.drafts = cases[i].drafts;
    extra_header = (struct wt_header){"x-test", "yes"};
    server_handle(&p.server, "/extra", handle_extra);
    pair_connect(&p);
    client_dial_options(&options, "/extra");
    struct client_dial *dial = dial_with(&p, &options);
    assert_int_equal(dial->error, 0);
    assert_int_equal(p.link->draft, cases[i].draft);
    assert_int_equal(dial->session->draft, cases[i].draft);
    assert_string_equal(seen_protocol, cases[i].protocol);
    pair_free(&p);
  }
}

static void test_client_origin_and_headers_reach_the_server_and_its_headers_come_back(void **state) {
  (void)state;
  struct pair p;
  struct wt__h3_dial_options options;
  const struct wt_header ask = {"x-ask", "please"};
  pair_init(&p);
  extra_header = (struct wt_header){"x-test", "granted"};
  server_handle(&p.server, "/extra", handle_extra);
  pair_connect(&p);
  client_dial_options(&options, "/extra");
  options.origin = "https://localhost:4000";
  options.header_count = 1;
  const struct wt_header bad[] = {{"origin", "https://localhost:4000"}, {"host", "localhost:4000"}, {"x-ask", "\n"}};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    options.headers = &bad[i];
    assert_int_equal(wt__h3_dial(p.link->h3, &options, NULL), WT_ERR_INVALID);
  }
  options.headers = &ask;
  struct client_dial *dial = dial_with(&p, &options);
  assert_int_equal(dial->error, 0);
  assert_string_equal(seen_origin, "https://localhost:4000");
  assert_string_equal(seen_header, "please");
  assert_string_equal(dial->header, "granted");
  pair_free(&p);
}

static void check_session_fields(wt_session *session, const char *name, const char *value, const char *first) {
  struct wt_header header;
  size_t count = 0;
  assert_string_equal(wt_session_header(session, name), value);
  assert_null(wt_session_header(session, "x-none"));
  assert_null(wt_session_header(session, ":status"));
  assert_int_equal(wt_session_get_header_at(session, 0, &header), 0);
  assert_string_equal(header.name, first);
  while (wt_session_get_header_at(session, count, &header) == 0) count++;
  assert_in_range(count, 1, 20);
  assert_int_equal(wt_session_get_header_at(session, count, &header), WT_ERR_NOT_FOUND);
}

static void check_at_close(struct server *server, enum server_event event, struct server_session *session,
                           struct server_stream *stream) {
  (void)server, (void)stream;
  if (event == SERVER_SESSION_CLOSE) check_session_fields(session->session, "x-ask", "please", ":method");
}

/* A session has the fields of the message that made it, for as long as it lives: a server's those of the request, a client's
 * those of the answer, once there is one. */
static void test_client_sessions_keep_the_fields_of_the_peers_message(void **state) {
  (void)state;
  for (int optimistic = 0; optimistic < 2; optimistic++) {
    struct pair p;
    struct wt__h3_dial_options options;
    const struct wt_header ask = {"x-ask", "please"}, grant = {"x-test", "granted"};
    pair_init(&p);
    p.server.headers = &grant;
    p.server.header_count = 1;
    p.server.hook = check_at_close;
    pair_connect(&p);
    NET_UNTIL(&p.net, 5000, p.link->ready);
    client_dial_options(&options, "/wt");
    options.headers = &ask;
    options.header_count = 1;
    options.optimistic = optimistic;
    struct client_dial *dial = client_dial(p.link, "/wt", &options, NULL);
    if (optimistic) {
      struct wt_header header;
      NET_UNTIL(&p.net, 5000, dial->asked);
      assert_null(wt_session_header(dial->asked->session, "x-test"));
      assert_int_equal(wt_session_get_header_at(dial->asked->session, 0, &header), WT_ERR_NOT_FOUND);
    }
    NET_UNTIL(&p.net, 5000, dial->replies);
    assert_string_equal(dial->header, "granted"); /* the dial still had it */
    net_run_for(&p.net, 1000);
    check_session_fields(dial->session->session, "x-test", "granted", "x-test");
    check_session_fields(server_session(&p.server, 0)->session, "x-ask", "please", ":method");
    assert_int_equal(wt_session_close(dial->session->session, 0, NULL, 0), 0);
    NET_UNTIL(&p.net, 5000, server_session(&p.server, 0)->closes);
    pair_free(&p);
  }
}

/* Any 2xx accepts a session. The close capsule comes through behind each, also right behind the answer. */
static void test_client_takes_any_2xx_for_an_answer(void **state) {
  (void)state;
  static const int statuses[] = {200, 201, 204, 205, 206, 299};
  for (size_t i = 0; i < 3 * sizeof(statuses) / sizeof(*statuses); i++) {
    struct pair p;
    struct wt__h3_dial_options options;
    pair_init(&p);
    p.server.status = statuses[i / 3];
    pair_connect(&p);
    NET_UNTIL(&p.net, 5000, p.link->ready);
    client_dial_options(&options, "/echo");
    options.optimistic = i % 3 == 1;
    struct client_dial *dial = client_dial(p.link, "/echo", &options, NULL);
    NET_UNTIL(&p.net, 5000, server_session(&p.server, 0));
    struct server_session *session = server_session(&p.server, 0);
    if (i % 3 == 2) assert_int_equal(wt_session_close(session->session, 7, "at once", 7), 0); /* in the same packet */
    NET_UNTIL(&p.net, 5000, dial->replies);
    assert_int_equal(dial->error, 0);
    assert_int_equal(dial->status, statuses[i / 3]);
    if (i % 3 < 2) {
      assert_int_equal(wt_session_send_datagram(dial->session->session, "datagram", 8), 0);
      NET_UNTIL(&p.net, 5000, dial->session->datagrams);
      wt_session_drain(session->session);
      NET_UNTIL(&p.net, 5000, dial->session->drains);
      assert_int_equal(wt_session_close(session->session, 7, "enough", 6), 0);
    }
    NET_UNTIL(&p.net, 5000, dial->session->closes && session->closes);
    assert_int_equal(dial->session->info.code, 7);
    assert_int_equal(dial->session->info.cause, WT_CAUSE_PEER);
    assert_true(dial->session->info.clean && !dial->session->info.connection);
    assert_string_equal(dial->session->reason, i % 3 == 2 ? "at once" : "enough");
    pair_free(&p);
  }
}

static void test_client_closes_a_session_behind_a_204(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  p.server.status = 204;
  pair_connect(&p);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  assert_int_equal(wt_session_close(session->session, 9, "bye", 3), 0);
  NET_UNTIL(&p.net, 5000, session->closes && server_session(&p.server, 0)->closes);
  assert_int_equal(server_session(&p.server, 0)->info.code, 9);
  net_run_for(&p.net, 100);
  assert_non_null(p.link->h3); /* the connection goes on */
  pair_free(&p);
}

static void test_client_refusal_is_reported_with_its_status(void **state) {
  (void)state;
  struct pair p;
  struct wt__h3_dial_options options;
  pair_ready(&p);
  client_dial_options(&options, "/hello");
  struct client_dial *dial = dial_with(&p, &options);
  assert_int_equal(dial->error, WT_ERR_REJECTED);
  assert_int_equal(dial->status, 405);
  client_dial_options(&options, "/nothing");
  assert_int_equal(dial_with(&p, &options)->status, 404);
  client_dial_options(&options, "/wt");
  options.origin = "https://elsewhere.example";
  dial = dial_with(&p, &options);
  assert_int_equal(dial->error, WT_ERR_REJECTED);
  assert_int_equal(dial->status, 403);
  assert_null(dial->session);
  client_session(&p.client, p.link, "/wt"); /* the connection is as good as before */
  pair_free(&p);
}

static void test_client_dial_is_checked_before_anything_is_sent(void **state) {
  (void)state;
  struct pair p;
  struct wt__h3_dial_options options;
  const char *const protocol = "caf\xc3\xa9";
  const struct wt_header upper = {"Upper", "x"}, broken = {"x-ask", "a\nb"};
  int error = 0;
  pair_ready(&p);
  client_dial_options(&options, "no-slash");
  assert_null(client_dial(p.link, "", &options, &error));
  assert_int_equal(error, WT_ERR_INVALID);
  client_dial_options(&options, "/wt");
  options.protocols = &protocol;
  options.protocol_count = 1;
  assert_null(client_dial(p.link, "", &options, &error));
  assert_int_equal(error, WT_ERR_INVALID);
  client_dial_options(&options, "/wt");
  options.header_count = 1;
  options.headers = &upper;
  assert_null(client_dial(p.link, "", &options, &error));
  assert_int_equal(error, WT_ERR_INVALID);
  options.headers = &broken;
  assert_null(client_dial(p.link, "", &options, &error));
  assert_int_equal(error, WT_ERR_INVALID);
  pair_free(&p);
}

static void test_client_cancelled_dial_is_replied_to_once_and_leaves_nothing(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct client_dial *early = client_dial(p.link, "/later", NULL, NULL);
  wt__h3_dial_cancel(early->dial); /* never asked */
  struct client_dial *late = client_dial(p.link, "/later", NULL, NULL);
  NET_UNTIL(&p.net, 2000, server_request(&p.server, 0));
  assert_int_equal(early->error, WT_ERR_CLOSED);
  wt__h3_dial_cancel(late->dial);
  NET_UNTIL(&p.net, 2000, late->replies && server_request(&p.server, 0)->closes);
  assert_int_equal(late->error, WT_ERR_CLOSED);
  assert_null(server_request(&p.server, 1));
  pair_free(&p);
}

/* --- Subprotocols --- */

static void protocols_case(const char *const *server, size_t server_count, const char *const *client,
                           size_t client_count, const char *expected) {
  struct pair p;
  struct wt__h3_dial_options options;
  pair_init(&p);
  p.server.protocols = server;
  p.server.protocol_count = server_count;
  pair_connect(&p);
  client_dial_options(&options, "/wt");
  options.protocols = client;
  options.protocol_count = client_count;
  struct client_dial *dial = dial_with(&p, &options);
  assert_int_equal(dial->error, 0);
  assert_string_equal(dial->session->protocol, expected);
  NET_UNTIL(&p.net, 1000, server_session(&p.server, 0));
  assert_string_equal(server_session(&p.server, 0)->protocol, expected);
  pair_free(&p);
}

static void test_client_and_server_agree_on_the_first_subprotocol_of_the_client(void **state) {
  (void)state;
  static const char *const server[] = {"baz", "bar", "foo"}, *const client[] = {"foo", "bar"}, *const other[] = {"x"};
  protocols_case(server, 3, client, 2, "foo");
  protocols_case(server, 3, other, 1, "");
  protocols_case(server, 3, NULL, 0, "");
  protocols_case(NULL, 0, client, 2, "");
}

static void alpn_case(const char *answer, bool offer, bool require, bool good) {
  static const char *const client[] = {"foo", "b\"ar"};
  struct pair p;
  struct wt__h3_dial_options options;
  pair_init(&p);
  extra_header = (struct wt_header){answer ? "wt-protocol" : "x-test", answer ? answer : "none"};
  server_handle(&p.server, "/extra", handle_extra);
  pair_connect(&p);
  client_dial_options(&options, "/extra");
  options.protocols = client;
  options.protocol_count = offer ? 2 : 0;
  options.require_protocol = require;
  struct client_dial *dial = dial_with(&p, &options);
  assert_int_equal(dial->error, good ? 0 : WT_ERR_SUBPROTOCOL);
  assert_int_equal(dial->status, 200);
  assert_int_equal(dial->session != NULL, good);
  NET_UNTIL(&p.net, 1000, p.server.counters.sessions_total == 1);
  if (!good) NET_UNTIL(&p.net, 1000, p.server.counters.sessions_open == 0);
  pair_free(&p);
}

static void test_client_closes_the_session_when_wt_protocol_is_malformed(void **state) {
  (void)state;
  alpn_case("foo", true, false, false); /* a token, no string */
  alpn_case("\"foo", true, false, false);
  alpn_case("\"foo\", \"bar\"", true, false, false);
  alpn_case("", true, false, false);
}

static void test_client_closes_the_session_when_wt_protocol_comes_twice(void **state) {
  (void)state;
  extra_times = 2;
  alpn_case("\"foo\"", true, false, false);
  extra_times = 1;
}

static void test_client_closes_the_session_when_wt_protocol_was_not_offered(void **state) {
  (void)state;
  alpn_case("\"baz\"", true, false, false);
  alpn_case("\"foobar\"", true, false, false);
  alpn_case("\"\"", true, false, false);
}

static void test_client_takes_a_wt_protocol_that_was_offered_and_ignores_its_parameters(void **state) {
  (void)state;
  alpn_case("\"foo\";a=1", true, true, true);
  alpn_case("\"b\\\"ar\"", true, true, true);
}

static void test_client_that_needs_a_subprotocol_closes_a_session_without_one(void **state) {
  (void)state;
  alpn_case(NULL, true, true, false);
  alpn_case(NULL, true, false, true);
}

static void test_client_that_offered_nothing_ignores_wt_protocol(void **state) {
  (void)state;
  alpn_case("\"baz\"", false, false, true);
}

static void test_client_alpn_error_is_0x0817b3dd_on_the_wire(void **state) {
  (void)state;
  static const char *const client[] = {"foo"};
  struct pair p;
  struct wt__h3_dial_options options;
  pair_ready(&p);
  client_dial_options(&options, "/wt"); /* whose server knows no subprotocol */
  options.protocols = client;
  options.protocol_count = 1;
  options.require_protocol = true;
  struct client_dial *dial = dial_with(&p, &options);
  assert_int_equal(dial->error, WT_ERR_SUBPROTOCOL);
  NET_UNTIL(&p.net, 1000, server_session(&p.server, 0) && server_session(&p.server, 0)->closes);
  assert_int_equal(server_session(&p.server, 0)->info.wire_code, 0x0817b3dd);
  assert_false(server_session(&p.server, 0)->info.clean);
  pair_free(&p);
}

/* --- Several sessions --- */

static void test_client_second_session_needs_flow_control(void **state) {
  (void)state;
  for (int flow = 0; flow < 2; flow++) {
    struct pair p;
    pair_init(&p);
    if (!flow) p.client.config.h3.mux.flow = (struct wt__flow_windows){0};
    pair_connect(&p);
    client_session(&p.client, p.link, "/wt");
    struct client_dial *second = client_dial(p.link, "/wt", NULL, NULL);
    NET_UNTIL(&p.net, 2000, second->replies);
    assert_int_equal(second->error, flow ? 0 : WT_ERR_SESSION_LIMIT);
    pair_free(&p);
  }
}

static void test_client_dials_that_find_no_stream_wait_for_one(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  p.server.config.max_streams_bidi = 1;
  pair_connect(&p);
  struct server_session *first = client_session(&p.client, p.link, "/wt");
  struct client_dial *second = client_dial(p.link, "/wt", NULL, NULL);
  net_run_for(&p.net, 500);
  assert_int_equal(second->replies, 0);
  assert_int_equal(wt_session_close(first->session, 0, NULL, 0), 0);
  NET_UNTIL(&p.net, 2000, second->replies);
  assert_int_equal(second->error, 0);
  pair_free(&p);
}

/* --- What the server opens before its answer is there --- */

static enum net_verdict hold_one(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data, size_t len) {
  bool *hold = ctx;
  (void)index, (void)data, (void)len;
  if (!*hold || direction != NET_TO_CLIENT) return NET_PASS;
  *hold = false;
  return NET_DROP; /* comes again by and by, behind what follows it */
}

static void test_client_streams_and_datagrams_that_overtake_the_answer_wait_for_it(void **state) {
  (void)state;
  struct pair p;
  bool hold = true;
  size_t written;
  int error;
  pair_ready(&p);
  net_run_for(&p.net, 500);
  p.net.filter = hold_one;
  p.net.filter_ctx = &hold;
  struct client_dial *dial = client_dial(p.link, "/wt", NULL, NULL);
  NET_UNTIL(&p.net, 1000, server_session(&p.server, 0));
  NET_UNTIL(&p.net, 1000, !hold);
  struct server_stream *uni = server_open(server_session(&p.server, 0), true, &error);
  struct server_stream *bidi = server_open(server_session(&p.server, 0), false, &error);
  assert_int_equal(wt_stream_write(uni->stream, "early", 5, &written), 0);
  assert_int_equal(wt_stream_write(bidi->stream, "early too", 9, &written), 0);
  assert_int_equal(wt_session_send_datagram(server_session(&p.server, 0)->session, "datagram", 8), 0);
  net_run_for(&p.net, 11);
  assert_int_equal(dial->replies, 0); /* all of that is here, the answer is not */
  NET_UNTIL(&p.net, 2000, dial->replies && dial->session->streams == 2 && dial->session->datagrams == 1);
  for (size_t i = 0; i < 2; i++) {
    struct server_stream *stream = server_stream(dial->session, i);
    assert_memory_equal(stream->rx.data, "early", 5);
  }
  pair_free(&p);
}

/* --- Ends --- */

static void test_client_close_reaches_the_server_with_code_and_reason(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  NET_UNTIL(&p.net, 1000, server_session(&p.server, 0));
  assert_int_equal(wt_session_close(session->session, 1337, "foobar", 6), 0);
  NET_UNTIL(&p.net, 1000, session->closes && server_session(&p.server, 0)->closes);
  assert_int_equal(server_session(&p.server, 0)->info.by, WT_PEER);
  assert_int_equal(server_session(&p.server, 0)->info.code, 1337);
  assert_string_equal(server_session(&p.server, 0)->reason, "foobar");
  assert_int_equal(session->info.by, WT_LOCAL);
  pair_free(&p);
}

static void test_client_hears_code_and_reason_of_the_server(void **state) {
  (void)state;
  struct pair p;
  int error;
  pair_ready(&p);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  struct server_stream *stream = server_open(session, false, &error);
  NET_UNTIL(&p.net, 1000, server_stream(server_session(&p.server, 0), 0));
  assert_int_equal(wt_session_close(server_session(&p.server, 0)->session, 7, "enough", 6), 0);
  NET_UNTIL(&p.net, 1000, session->closes);
  assert_int_equal(session->info.by, WT_PEER);
  assert_int_equal(session->info.code, 7);
  assert_string_equal(session->reason, "enough");
  assert_true(stream->close_error.session_gone);
  assert_int_equal(stream->close_error.code, 7);
  pair_free(&p);
}

static void test_client_learns_of_a_servers_shutdown_and_asks_no_more(void **state) {
  (void)state;
  struct pair p;
  int error = 0;
  pair_ready(&p);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  wt__endpoint_shutdown(p.server.endpoint, p.net.now);
  NET_UNTIL(&p.net, 1000, session->drains == 1);
  assert_null(client_dial(p.link, "/wt", NULL, &error));
  assert_int_equal(error, WT_ERR_CLOSED);
  assert_int_equal(session->closes, 0);
  pair_free(&p);
}

static void test_client_close_of_the_connection_ends_everything_once(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  struct client_dial *dial = client_dial(p.link, "/later", NULL, NULL);
  NET_UNTIL(&p.net, 1000, server_session(&p.server, 0));
  wt__h3_conn_close(p.link->h3);
  NET_UNTIL(&p.net, 1000, p.link->ends && server_session(&p.server, 0)->closes);
  assert_int_equal(p.link->end.by, WT_LOCAL);
  assert_int_equal(p.link->end.error, WT_ERR_CLOSED);
  assert_int_equal(session->closes, 1);
  assert_int_not_equal(dial->error, 0);
  assert_int_equal(server_session(&p.server, 0)->info.by, WT_PEER);
  pair_free(&p);
}

static void test_client_hears_that_the_server_closed_the_connection(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  wt__endpoint_close(p.server.endpoint, p.net.now);
  NET_UNTIL(&p.net, 1000, p.link->ends);
  assert_int_equal(p.link->end.by, WT_PEER);
  assert_true(p.link->end.is_h3);
  assert_int_equal(p.link->end.wire_code, WT__H3_NO_ERROR);
  assert_int_equal(session->info.by, WT_PEER);
  pair_free(&p);
}

/* --- QUIC --- */

static void test_client_follows_a_retry(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  p.server.config.retry = WT_RETRY_ALWAYS;
  pair_connect(&p);
  client_session(&p.client, p.link, "/echo");
  pair_free(&p);
}

static void test_client_with_quic_version_2_is_understood(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  p.client.connect.version = NGTCP2_PROTO_VER_V2;
  pair_connect(&p);
  client_session(&p.client, p.link, "/echo");
  pair_free(&p);
}

/* A server of another time: its answer to any Initial is a Version Negotiation packet with one unknown version. */
static void stranger_recv(void *ctx, const struct sockaddr_in *local, const struct sockaddr_in *remote, unsigned ecn,
                          const uint8_t *data, size_t len, uint64_t now) {
  struct pair *p = ctx;
  uint8_t answer[64];
  uint32_t version = 0x1a2a3a4b;
  ngtcp2_version_cid ids;
  (void)ecn, (void)now;
  assert_int_equal(ngtcp2_pkt_decode_version_cid(&ids, data, len, 18), 0);
  ngtcp2_ssize n = ngtcp2_pkt_write_version_negotiation(answer, sizeof(answer), 0, ids.scid, ids.scidlen, ids.dcid,
                                                        ids.dcidlen, &version, 1);
  assert_true(n > 0);
  net_send(&p->net, &p->server.node, local, remote, 0, answer, (size_t)n);
}
static void stranger_run(void *ctx, uint64_t now) { (void)ctx, (void)now; }
static uint64_t stranger_expiry(void *ctx) {
  (void)ctx;
  return UINT64_MAX;
}

static void test_client_says_that_the_server_speaks_no_common_version(void **state) {
  (void)state;
  struct pair p;
  struct sockaddr_in address = server_address();
  pair_init(&p);
  p.server.node = (struct net_node){.address = address,
                                    .is_server = true,
                                    .recv = stranger_recv,
                                    .run = stranger_run,
                                    .expiry = stranger_expiry,
                                    .ctx = &p};
  net_attach(&p.net, &p.server.node);
  client_start(&p.client);
  p.link = client_connect(&p.client, &address, NULL);
  NET_UNTIL(&p.net, 1000, p.link->ends);
  assert_int_equal(p.link->end.error, WT_ERR_UNSUPPORTED);
  net_detach(&p.net, &p.server.node);
  pair_free(&p);
}

static void test_client_gives_up_on_a_server_that_does_not_answer(void **state) {
  (void)state;
  struct pair p;
  struct sockaddr_in address = server_address();
  pair_init(&p);
  client_start(&p.client);
  p.link = client_connect(&p.client, &address, NULL);
  struct client_dial *dial = client_dial(p.link, "/wt", NULL, NULL);
  NET_UNTIL(&p.net, 11000, p.link->ends);
  assert_int_equal(p.link->end.error, WT_ERR_TIMEOUT);
  assert_int_equal(dial->error, WT_ERR_TIMEOUT);
  assert_true(dial->message[0] != '\0');
  pair_free(&p);
}

static void test_client_notices_by_a_stateless_reset_that_the_server_was_restarted(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  net_run_for(&p.net, 1000);
  server_stop(&p.server);
  server_start(&p.server); /* with the same key */
  assert_int_equal(wt_session_send_datagram(session->session, "are you there?", 14), 0);
  NET_UNTIL(&p.net, 1000, p.link->ends);
  assert_int_equal(session->closes, 1);
  assert_int_equal(p.link->end.by, WT_TRANSPORT);
  pair_free(&p);
}

static void test_client_session_lives_on_when_a_nat_changes_its_address(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct server_session *session = client_session(&p.client, p.link, "/echo");
  net_run_for(&p.net, 500);
  struct sockaddr_in moved = net_address(77);
  net_rebind(&p.client.node, &moved);
  for (int i = 0; i < 5; i++) {
    assert_int_equal(wt_session_send_datagram(session->session, "moved", 5), 0);
    net_run_for(&p.net, 200);
  }
  assert_true(session->datagrams > 0);
  assert_int_equal(p.link->ends, 0);
  pair_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_client_session_echoes_streams_and_datagrams),
      cmocka_unit_test(test_client_dial_before_the_handshake_waits_for_the_settings),
      cmocka_unit_test(test_client_asks_in_the_words_of_the_draft_that_the_server_speaks),
      cmocka_unit_test(test_client_origin_and_headers_reach_the_server_and_its_headers_come_back),
      cmocka_unit_test(test_client_sessions_keep_the_fields_of_the_peers_message),
      cmocka_unit_test(test_client_takes_any_2xx_for_an_answer),
      cmocka_unit_test(test_client_closes_a_session_behind_a_204),
      cmocka_unit_test(test_client_refusal_is_reported_with_its_status),
      cmocka_unit_test(test_client_dial_is_checked_before_anything_is_sent),
      cmocka_unit_test(test_client_cancelled_dial_is_replied_to_once_and_leaves_nothing),
      cmocka_unit_test(test_client_and_server_agree_on_the_first_subprotocol_of_the_client),
      cmocka_unit_test(test_client_closes_the_session_when_wt_protocol_is_malformed),
      cmocka_unit_test(test_client_closes_the_session_when_wt_protocol_comes_twice),
      cmocka_unit_test(test_client_closes_the_session_when_wt_protocol_was_not_offered),
      cmocka_unit_test(test_client_takes_a_wt_protocol_that_was_offered_and_ignores_its_parameters),
      cmocka_unit_test(test_client_that_needs_a_subprotocol_closes_a_session_without_one),
      cmocka_unit_test(test_client_that_offered_nothing_ignores_wt_protocol),
      cmocka_unit_test(test_client_alpn_error_is_0x0817b3dd_on_the_wire),
      cmocka_unit_test(test_client_second_session_needs_flow_control),
      cmocka_unit_test(test_client_dials_that_find_no_stream_wait_for_one),
      cmocka_unit_test(test_client_streams_and_datagrams_that_overtake_the_answer_wait_for_it),
      cmocka_unit_test(test_client_close_reaches_the_server_with_code_and_reason),
      cmocka_unit_test(test_client_hears_code_and_reason_of_the_server),
      cmocka_unit_test(test_client_learns_of_a_servers_shutdown_and_asks_no_more),
      cmocka_unit_test(test_client_close_of_the_connection_ends_everything_once),
      cmocka_unit_test(test_client_hears_that_the_server_closed_the_connection),
      cmocka_unit_test(test_client_follows_a_retry),
      cmocka_unit_test(test_client_with_quic_version_2_is_understood),
      cmocka_unit_test(test_client_says_that_the_server_speaks_no_common_version),
      cmocka_unit_test(test_client_gives_up_on_a_server_that_does_not_answer),
      cmocka_unit_test(test_client_notices_by_a_stateless_reset_that_the_server_was_restarted),
      cmocka_unit_test(test_client_session_lives_on_when_a_nat_changes_its_address),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
