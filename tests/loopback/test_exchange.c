/* SPDX-License-Identifier: MIT */
/*
 * Plain requests of our client to our server: methods, bodies both ways, backpressure, many at once and beside
 * sessions, and all the ways in which one can end.
 */
#include "exchange.h"
#include "pair.h"

#define BIG ((size_t)10 * 1024 * 1024)

static const uint8_t hello[] = "hello\n";

/* --- Requests and responses --- */

static char seen_length[32], seen_header[64], seen_authority[64];

static void handle_look(wt_request *request, void *user_data) {
  const struct wt_header fields[] = {{"x-one", "1"}, {"x-two", "2"}, {"x-one", "3"}};
  const char *length = wt_request_header(request, "content-length"), *header = wt_request_header(request, "x-ask");
  (void)user_data;
  snprintf(seen_length, sizeof(seen_length), "%s", length ? length : "none");
  snprintf(seen_header, sizeof(seen_header), "%s", header ? header : "none");
  snprintf(seen_authority, sizeof(seen_authority), "%s", wt_request_authority(request));
  assert_int_equal(wt_request_respond(request, 201, fields, 3, NULL, 0), 0);
}

static void test_exchange_get_gives_status_header_and_body(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct client_exchange *get = exchange_on(p.link, "GET", "/hello", NULL);
  NET_UNTIL(&p.net, 1000, get->closes);
  assert_int_equal(get->error, 0);
  assert_int_equal(get->status, 200);
  assert_string_equal(get->type, "text/plain");
  assert_int_equal(get->body.len, 6);
  assert_memory_equal(get->body.data, hello, 6);
  assert_string_equal(server_request(&p.server, 0)->method, "GET");
  struct client_exchange *none = exchange_on(p.link, "GET", "/nothing", NULL);
  NET_UNTIL(&p.net, 1000, none->closes);
  assert_int_equal(none->error, 0);
  assert_int_equal(none->status, 404);
  pair_free(&p);
}

static void test_exchange_head_has_a_length_and_no_body(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct client_exchange *head = exchange_on(p.link, "HEAD", "/hello", NULL);
  NET_UNTIL(&p.net, 1000, head->closes);
  assert_int_equal(head->error, 0);
  assert_int_equal(head->status, 200);
  assert_int_equal(head->body.len, 0);
  pair_free(&p);
}

static wt_exchange *looked_at;
static size_t fields_seen;

static void on_look(wt_exchange *exchange, int status, void *user_data) {
  struct wt_header header;
  (void)user_data;
  assert_ptr_equal(exchange, looked_at);
  assert_int_equal(status, 201);
  while (wt_exchange_get_header_at(exchange, fields_seen, &header) == 0) {
    assert_true(header.name[0] != ':');
    fields_seen++;
  }
  assert_int_equal(wt_exchange_get_header_at(exchange, fields_seen, &header), WT_ERR_NOT_FOUND);
  assert_int_equal(wt_exchange_get_header_at(exchange, 2, &header), 0);
  assert_string_equal(header.value, "2");
  assert_string_equal(wt_exchange_header(exchange, "x-one"), "1, 3");
  assert_null(wt_exchange_header(exchange, "x-three"));
}

static unsigned looked_closes;
static void on_look_close(wt_exchange *exchange, int error, const char *message, void *user_data) {
  (void)exchange, (void)message, (void)user_data;
  assert_int_equal(error, 0);
  looked_closes++;
}

static void test_exchange_headers_go_both_ways(void **state) {
  (void)state;
  struct pair p;
  struct wt__exchange_options options;
  const struct wt_header ask = {"x-ask", "please"};
  pair_init(&p);
  server_handle(&p.server, "/look", handle_look);
  pair_connect(&p);
  exchange_options(&options, "PUT", "/look");
  options.headers = &ask;
  options.header_count = 1;
  options.body = "";
  static const struct wt_exchange_callbacks callbacks = {.on_response = on_look, .on_close = on_look_close};
  options.callbacks = &callbacks;
  assert_int_equal(wt__exchange_new(&options, &looked_at), 0);
  assert_int_equal(wt__exchange_stage(looked_at), WT_STAGE_CONNECT);
  fields_seen = looked_closes = 0;
  wt__exchange_attach(looked_at, p.link->h3);
  NET_UNTIL(&p.net, 1000, looked_closes);
  assert_int_equal(fields_seen, 4); /* and content-length */
  assert_string_equal(seen_length, "0");
  assert_string_equal(seen_header, "please");
  assert_string_equal(seen_authority, "localhost:4000");
  pair_free(&p);
}

static void test_exchange_options_are_checked(void **state) {
  (void)state;
  struct pair p;
  struct wt__exchange_options options;
  const struct wt_header bad[] = {
      {"Upper", "x"}, {"x-ask", "a\nb"}, {"connection", "close"}, {"host", "elsewhere"}, {"content-length", "7"}};
  const char *const methods[] = {"CONNECT", "", "GE T", "G\xc3\xa9T"};
  int error = 0;
  pair_ready(&p);
  for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
    assert_null(exchange_new(&p.client, methods[i], "/", NULL, &error));
    assert_int_equal(error, WT_ERR_INVALID);
  }
  assert_null(exchange_new(&p.client, "GET", "no-slash", NULL, &error));
  assert_int_equal(error, WT_ERR_INVALID);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    exchange_options(&options, "POST", "/");
    options.body = "x";
    options.body_len = 1;
    options.headers = &bad[i];
    options.header_count = 1;
    assert_null(exchange_new(&p.client, "", "", &options, &error));
    assert_int_equal(error, WT_ERR_INVALID);
  }
  exchange_options(&options, "POST", "/");
  options.body = "x";
  options.body_len = 1;
  options.has_body = true;
  assert_null(exchange_new(&p.client, "", "", &options, &error));
  assert_int_equal(error, WT_ERR_INVALID);
  exchange_options(&options, "GET", "/");
  options.max_header_bytes = 64;
  assert_null(exchange_new(&p.client, "", "", &options, &error));
  assert_int_equal(error, WT_ERR_TOO_LARGE);
  pair_free(&p);
}

static void test_exchange_waits_for_its_connection_and_the_handshake(void **state) {
  (void)state;
  struct pair p;
  struct wt__exchange_options options;
  pair_init(&p);
  pair_connect(&p);
  exchange_options(&options, "POST", "/post");
  options.has_body = true;
  struct client_exchange *post = exchange_new(&p.client, "", "", &options, NULL);
  exchange_upload(post, 5000, 3); /* before there is anything to send it on */
  assert_null(wt__exchange_conn(post->exchange));
  wt__exchange_attach(post->exchange, p.link->h3);
  assert_ptr_equal(wt__exchange_conn(post->exchange), p.link->h3);
  assert_false(p.link->connects);
  NET_UNTIL(&p.net, 1000, post->closes);
  assert_int_equal(p.link->connects, 1);
  assert_int_equal(post->error, 0);
  assert_int_equal(post->body.len, 5000);
  assert_true(pattern_matches(post->body.data, 5000, 0, 3));
  pair_free(&p);
}

/* --- Large bodies --- */

static void test_exchange_streams_10_mb_up_and_down_at_once(void **state) {
  (void)state;
  struct pair p;
  struct wt__exchange_options options;
  pair_ready(&p);
  exchange_options(&options, "POST", "/post");
  options.has_body = true;
  struct client_exchange *post = exchange_on(p.link, "", "", &options);
  exchange_upload(post, BIG, 5);
  assert_true(post->upload_at < BIG);
  NET_UNTIL(&p.net, 60000, post->closes);
  assert_int_equal(post->error, 0);
  assert_true(post->writables > 1);
  assert_int_equal(post->body.len, BIG);
  assert_true(pattern_matches(post->body.data, BIG, 0, 5));
  pair_free(&p);
}

static void test_exchange_says_so_to_whoever_fills_it_exactly(void **state) {
  (void)state;
  struct pair p;
  struct wt__exchange_options options;
  pair_ready(&p);
  exchange_options(&options, "POST", "/post");
  options.has_body = true;
  struct client_exchange *post = exchange_on(p.link, "", "", &options);
  post->upload_exact = true;
  exchange_upload(post, BIG, 5);
  assert_true(post->upload_at > 0 && post->upload_at < BIG);
  NET_UNTIL(&p.net, 60000, post->closes);
  assert_int_equal(post->error, 0);
  assert_int_equal(post->body.len, BIG);
  assert_int_equal(wt_exchange_writable(exchange_on(p.link, "GET", "/hello", NULL)->exchange), 0); /* has no body */
  pair_free(&p);
}

static void test_exchange_whole_body_of_10_mb_and_a_download_of_10_mb(void **state) {
  (void)state;
  struct pair p;
  struct wt__exchange_options options;
  uint8_t *body = pattern_new(BIG, 9);
  pair_ready(&p);
  exchange_options(&options, "POST", "/post");
  options.body = body;
  options.body_len = BIG;
  struct client_exchange *post = exchange_on(p.link, "", "", &options);
  free(body);
  struct client_exchange *get = exchange_on(p.link, "GET", "/source?bytes=10485760", NULL);
  NET_UNTIL(&p.net, 60000, post->closes && get->closes);
  assert_int_equal(post->error, 0);
  assert_int_equal(post->body.len, BIG);
  assert_true(pattern_matches(post->body.data, BIG, 0, 9));
  assert_int_equal(get->error, 0);
  assert_int_equal(get->body.len, BIG);
  assert_true(pattern_matches(get->body.data, BIG, 0, 1));
  pair_free(&p);
}

/* --- Backpressure --- */

static void test_exchange_pause_holds_the_server_back_by_flow_control(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct client_exchange *get = exchange_on(p.link, "GET", "/source?bytes=10485760", NULL);
  get->pause = true;
  NET_UNTIL(&p.net, 1000, get->body.len > 0);
  size_t first = get->body.len;
  net_run_for(&p.net, 5000);
  assert_int_equal(get->body.len, first);
  /* What left the server lies in windows and in its own queue. */
  size_t sent = (size_t)server_request(&p.server, 0)->source_at;
  assert_in_range(sent, first, first + p.client.config.max_stream_data + p.server.config.h3.mux.max_stream_send_buffer);
  assert_true(sent < BIG);
  get->pause = false;
  wt_exchange_resume(get->exchange);
  assert_int_equal(get->body.len, first); /* not from inside the call */
  NET_UNTIL(&p.net, 60000, get->closes);
  assert_int_equal(get->error, 0);
  assert_true(pattern_matches(get->body.data, BIG, 0, 1));
  assert_int_equal(get->body.len, BIG);
  pair_free(&p);
}

static void test_exchange_that_is_paused_ends_only_when_all_was_told(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct client_exchange *get = exchange_on(p.link, "GET", "/hello", NULL);
  wt_exchange_pause(get->exchange);
  NET_UNTIL(&p.net, 1000, get->responses);
  net_run_for(&p.net, 1000);
  assert_int_equal(get->body.len, 0);
  assert_int_equal(get->closes, 0); /* QUIC is long done with it */
  wt_exchange_resume(get->exchange);
  NET_UNTIL(&p.net, 100, get->closes);
  assert_int_equal(get->error, 0);
  assert_int_equal(get->body.len, 6);
  pair_free(&p);
}

static void test_exchange_write_takes_no_more_than_its_buffer_until_the_server_reads(void **state) {
  (void)state;
  struct pair p;
  struct wt__exchange_options options;
  pair_ready(&p);
  exchange_options(&options, "POST", "/later");
  options.has_body = true;
  options.max_send_buffer = 100000;
  struct client_exchange *post = exchange_on(p.link, "", "", &options);
  NET_UNTIL(&p.net, 1000, server_request(&p.server, 0));
  struct server_request *request = server_request(&p.server, 0);
  wt_request_pause(request->request);
  exchange_upload(post, BIG, 2);
  assert_int_equal(post->upload_at, 100000);
  net_run_for(&p.net, 5000);
  assert_true(post->upload_at < BIG);
  assert_in_range(post->upload_at, 100000, p.server.config.max_stream_data + 100000);
  wt_request_resume(request->request);
  NET_UNTIL(&p.net, 60000, request->body_fin);
  assert_int_equal(request->body.len, BIG);
  assert_true(pattern_matches(request->body.data, BIG, 0, 2));
  assert_int_equal(wt_request_respond(request->request, 204, NULL, 0, NULL, 0), 0);
  NET_UNTIL(&p.net, 1000, post->closes);
  assert_int_equal(post->error, 0);
  assert_int_equal(post->status, 204);
  pair_free(&p);
}

static void test_exchange_write_follows_the_rules(void **state) {
  (void)state;
  struct pair p;
  struct wt__exchange_options options;
  size_t written = 7;
  pair_ready(&p);
  struct client_exchange *get = exchange_on(p.link, "GET", "/later", NULL);
  assert_int_equal(wt_exchange_write(get->exchange, "x", 1, &written), WT_ERR_STATE);
  assert_int_equal(wt_exchange_end(get->exchange), WT_ERR_STATE);
  exchange_options(&options, "POST", "/post");
  options.has_body = true;
  struct client_exchange *post = exchange_on(p.link, "", "", &options);
  assert_int_equal(wt_exchange_write(post->exchange, NULL, 1, &written), WT_ERR_INVALID);
  assert_int_equal(wt_exchange_write(post->exchange, "x", 1, &written), 0);
  assert_int_equal(written, 1);
  assert_int_equal(wt_exchange_end(post->exchange), 0);
  assert_int_equal(wt_exchange_write(post->exchange, "x", 1, &written), WT_ERR_STATE);
  NET_UNTIL(&p.net, 1000, post->closes);
  assert_int_equal(post->body.len, 1);
  pair_free(&p);
}

/* --- Many --- */

static void test_exchange_many_at_once_beside_sessions_on_one_connection(void **state) {
  (void)state;
  enum {
    EXCHANGES = 500,
    SESSIONS = 8
  };
  struct pair p;
  struct client_exchange *all[EXCHANGES];
  struct server_session *sessions[SESSIONS];
  struct server_stream *streams[SESSIONS];
  struct wt__exchange_options options;
  int error;
  size_t written;
  pair_ready(&p);
  for (size_t i = 0; i < SESSIONS; i++) {
    sessions[i] = client_session(&p.client, p.link, "/echo");
    streams[i] = server_open(sessions[i], false, &error);
    assert_int_equal(wt_stream_write(streams[i]->stream, "beside", 6, &written), 0);
  }
  for (size_t i = 0; i < EXCHANGES; i++) { /* more than there are streams: they wait */
    exchange_options(&options, "POST", "/post");
    options.has_body = true;
    all[i] = i % 2 ? exchange_on(p.link, "GET", "/hello", NULL) : exchange_on(p.link, "", "", &options);
    if (i % 2 == 0) exchange_upload(all[i], 100 * i + 1, i);
  }
  for (size_t i = 0; i < EXCHANGES; i++) {
    NET_UNTIL(&p.net, 60000, all[i]->closes);
    assert_int_equal(all[i]->error, 0);
    if (i % 2 == 0) {
      assert_int_equal(all[i]->body.len, 100 * i + 1);
      assert_true(pattern_matches(all[i]->body.data, 100 * i + 1, 0, i));
    } else {
      assert_int_equal(all[i]->body.len, 6);
    }
  }
  assert_int_equal(p.link->unused, 0); /* the sessions are there */
  for (size_t i = 0; i < SESSIONS; i++) {
    NET_UNTIL(&p.net, 1000, streams[i]->rx.len == 6);
    assert_int_equal(wt_session_close(sessions[i]->session, 0, NULL, 0), 0);
  }
  NET_UNTIL(&p.net, 1000, p.link->unused == 1);
  assert_int_equal(p.link->ends, 0);
  print_message("count: %d exchanges beside %d sessions on one connection\n", EXCHANGES, SESSIONS);
  pair_free(&p);
}

static void test_exchange_on_a_network_that_loses_and_reorders(void **state) {
  (void)state;
  enum {
    SEEDS = 20,
    EXCHANGES = 10
  };
  for (unsigned seed = 1; seed <= SEEDS; seed++) {
    struct pair p;
    struct wt__exchange_options options;
    struct client_exchange *all[EXCHANGES];
    pair_init(&p);
    p.net.random = seed;
    for (int i = 0; i < 2; i++) {
      p.net.link[i].loss = p.net.link[i].duplicate = 50;
      p.net.link[i].reorder = 200;
      p.net.link[i].reorder_by = 30 * NET_MS;
    }
    pair_connect(&p);
    exchange_options(&options, "POST", "/post");
    options.has_body = true;
    for (unsigned i = 0; i < EXCHANGES; i++) {
      all[i] = exchange_on(p.link, "", "", &options);
      exchange_upload(all[i], 5000 * i + 1, i);
    }
    for (unsigned i = 0; i < EXCHANGES; i++) {
      NET_UNTIL(&p.net, 120000, all[i]->closes);
      assert_int_equal(all[i]->error, 0);
      assert_int_equal(all[i]->body.len, 5000 * i + 1);
      assert_true(pattern_matches(all[i]->body.data, 5000 * i + 1, 0, i));
    }
    NET_UNTIL(&p.net, 1000, p.link->unused == 1);
    pair_free(&p);
  }
  print_message("count: %d runs of %d exchanges on a bad network\n", SEEDS, EXCHANGES);
}

static void test_exchange_connection_says_when_nothing_uses_it(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  net_run_for(&p.net, 100);
  assert_int_equal(p.link->unused, 0); /* nothing ever did */
  struct client_exchange *get = exchange_on(p.link, "GET", "/hello", NULL);
  NET_UNTIL(&p.net, 1000, p.link->unused == 1);
  assert_int_equal(get->closes, 1);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  assert_int_equal(p.link->unused, 1);
  assert_int_equal(wt_session_close(session->session, 5, "bye", 3), 0);
  NET_UNTIL(&p.net, 1000, p.link->unused == 2);
  wt__h3_conn_close(p.link->h3); /* the last words had been heard already */
  NET_UNTIL(&p.net, 1000, p.link->ends && server_session(&p.server, 0)->closes);
  assert_int_equal(server_session(&p.server, 0)->info.code, 5);
  assert_string_equal(server_session(&p.server, 0)->reason, "bye");
  pair_free(&p);
}

/* The last words are sent again for two seconds on this path; then nothing uses the connection, though it is still there. */
static void test_exchange_connection_does_not_wait_for_long(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  net_run_for(&p.net, 100);
  p.net.link[NET_TO_SERVER].loss = 1000;
  assert_int_equal(wt_session_close(session->session, 5, "bye", 3), 0);
  net_run_for(&p.net, 1990);
  assert_int_equal(p.link->unused, 0);
  NET_UNTIL(&p.net, 20, p.link->unused == 1);
  uint64_t steps = p.net.steps;
  net_run_for(&p.net, 1000);
  assert_true(p.net.steps - steps < 20); /* no deadline is left over */
  p.net.link[NET_TO_SERVER].loss = 0;
  NET_UNTIL(&p.net, 10000, server_session(&p.server, 0)->closes);
  assert_int_equal(server_session(&p.server, 0)->info.code, 5);
  session = client_session(&p.client, p.link, "/wt"); /* whoever kept it can go on */
  assert_int_equal(wt_session_close(session->session, 0, NULL, 0), 0);
  NET_UNTIL(&p.net, 1000, p.link->unused == 2);
  pair_free(&p);
}

/* --- Servers that have no WebTransport --- */

static void test_exchange_needs_no_webtransport_of_the_server(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  p.server.config.h3.drafts = 0;
  pair_connect(&p);
  struct client_exchange *first = exchange_on(p.link, "GET", "/hello", NULL);
  NET_UNTIL(&p.net, 1000, first->closes);
  assert_int_equal(first->error, 0);
  assert_false(wt__h3_conn_may_dial(p.link->h3));
  assert_true(wt__h3_conn_may_exchange(p.link->h3));
  struct client_dial *dial = client_dial(p.link, "/wt", NULL, NULL);
  NET_UNTIL(&p.net, 1000, dial->replies);
  assert_int_equal(dial->error, WT_ERR_SETTINGS);
  assert_non_null(strstr(dial->message, "draft"));
  struct client_exchange *second = exchange_on(p.link, "GET", "/hello", NULL);
  NET_UNTIL(&p.net, 1000, second->closes);
  assert_int_equal(second->error, 0);
  assert_int_equal(p.link->ends, 0);
  assert_false(p.link->ready);
  pair_free(&p);
}

/* --- Ends --- */

static void test_exchange_cancel_ends_it_once_wherever_it_is(void **state) {
  (void)state;
  struct pair p;
  struct wt__exchange_options options;
  pair_init(&p);
  pair_connect(&p);
  struct client_exchange *lone = exchange_new(&p.client, "GET", "/later", NULL, NULL);
  wt_exchange_cancel(lone->exchange);
  wt_exchange_cancel(lone->exchange);
  assert_int_equal(lone->cancels, 1);
  assert_int_equal(lone->closes, 0); /* not from inside the call */
  wt__exchange_fail(lone->exchange, WT_ERR_INTERNAL, "what the owner says comes second");
  assert_int_equal(lone->error, WT_ERR_CLOSED);
  struct client_exchange *waiting = exchange_on(p.link, "GET", "/later", NULL);
  wt_exchange_cancel(waiting->exchange);
  struct client_exchange *late = exchange_new(&p.client, "GET", "/later", NULL, NULL);
  wt_exchange_cancel(late->exchange);
  wt__exchange_attach(late->exchange, p.link->h3); /* the owner had not noticed */
  NET_UNTIL(&p.net, 1000, p.link->ready && waiting->closes && late->closes);
  assert_int_equal(waiting->error, WT_ERR_CLOSED);
  assert_null(server_request(&p.server, 0)); /* none of them was sent */
  struct client_exchange *asked = exchange_on(p.link, "GET", "/later", NULL);
  NET_UNTIL(&p.net, 1000, server_request(&p.server, 0));
  wt_exchange_cancel(asked->exchange);
  assert_int_equal(asked->closes, 0);
  NET_UNTIL(&p.net, 1000, asked->closes && server_request(&p.server, 0)->closes);
  assert_int_equal(asked->error, WT_ERR_CLOSED);
  assert_int_equal(server_request(&p.server, 0)->close_error, WT_ERR_CLOSED);
  struct client_exchange *down = exchange_on(p.link, "GET", "/source?bytes=10485760", NULL);
  exchange_options(&options, "POST", "/post");
  options.has_body = true;
  struct client_exchange *up = exchange_on(p.link, "", "", &options);
  exchange_upload(up, BIG, 1);
  NET_UNTIL(&p.net, 1000, down->body.len > 100000 && up->body.len > 100000);
  wt_exchange_cancel(down->exchange);
  wt_exchange_cancel(up->exchange);
  NET_UNTIL(&p.net, 1000, down->closes && up->closes && server_request(&p.server, 2)->closes);
  assert_int_equal(down->error, WT_ERR_CLOSED);
  struct client_exchange *next = exchange_on(p.link, "GET", "/hello", NULL);
  NET_UNTIL(&p.net, 1000, next->closes);
  assert_int_equal(next->error, 0);
  pair_free(&p);
}

static void test_exchange_owner_can_fail_it_with_its_own_words(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct client_exchange *get = exchange_on(p.link, "GET", "/later", NULL);
  NET_UNTIL(&p.net, 1000, server_request(&p.server, 0));
  wt__exchange_fail(get->exchange, WT_ERR_TIMEOUT, "the server did not answer in time");
  NET_UNTIL(&p.net, 1000, get->closes && server_request(&p.server, 0)->closes);
  assert_int_equal(get->error, WT_ERR_TIMEOUT);
  assert_string_equal(get->message, "the server did not answer in time");
  pair_free(&p);
}

static void handle_early(wt_request *request, void *user_data) {
  (void)user_data;
  assert_int_equal(wt_request_respond(request, 413, NULL, 0, "no", 2), 0); /* without reading */
}

static void test_exchange_answer_to_a_request_that_the_server_does_not_read_is_no_failure(void **state) {
  (void)state;
  struct pair p;
  struct wt__exchange_options options;
  size_t written;
  pair_init(&p);
  server_handle(&p.server, "/early", handle_early);
  pair_connect(&p);
  exchange_options(&options, "POST", "/early");
  options.has_body = true;
  struct client_exchange *post = exchange_on(p.link, "", "", &options);
  exchange_upload(post, BIG, 1);
  NET_UNTIL(&p.net, 1000, post->responses);
  NET_UNTIL(&p.net, 1000, post->closes || wt_exchange_write(post->exchange, "x", 1, &written) == WT_ERR_CLOSED);
  NET_UNTIL(&p.net, 1000, post->closes);
  assert_int_equal(post->error, 0);
  assert_int_equal(post->status, 413);
  assert_int_equal(post->body.len, 2);
  pair_free(&p);
}

static void test_exchange_after_a_goaway_fails_and_one_before_it_is_answered(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct client_exchange *before = exchange_on(p.link, "GET", "/later", NULL);
  NET_UNTIL(&p.net, 1000, server_request(&p.server, 0));
  wt__endpoint_shutdown(p.server.endpoint, p.net.now);
  net_run_for(&p.net, 100);
  assert_false(wt__h3_conn_may_exchange(p.link->h3));
  assert_false(wt__h3_conn_may_dial(p.link->h3));
  struct client_exchange *after = exchange_on(p.link, "GET", "/hello", NULL);
  NET_UNTIL(&p.net, 1000, after->closes);
  assert_int_equal(after->error, WT_ERR_CLOSED);
  assert_non_null(strstr(after->message, "no new requests"));
  assert_int_equal(wt_request_respond(server_request(&p.server, 0)->request, 200, NULL, 0, "ok", 2), 0);
  NET_UNTIL(&p.net, 1000, before->closes);
  assert_int_equal(before->error, 0);
  pair_free(&p);
}

static void test_exchange_hears_that_the_connection_ended(void **state) {
  (void)state;
  struct pair p;
  pair_ready(&p);
  struct client_exchange *asked = exchange_on(p.link, "GET", "/later", NULL);
  struct client_exchange *done = exchange_on(p.link, "GET", "/hello", NULL);
  NET_UNTIL(&p.net, 1000, server_request(&p.server, 0) && done->closes);
  wt__h3_conn_close(p.link->h3);
  NET_UNTIL(&p.net, 1000, p.link->ends);
  assert_int_equal(asked->closes, 1);
  assert_int_equal(asked->error, WT_ERR_CLOSED);
  assert_true(asked->message[0] != '\0');
  pair_free(&p);
}

static void test_exchange_of_a_connection_that_never_came_says_why(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  pair_connect(&p);
  server_stop(&p.server);
  struct client_exchange *get = exchange_on(p.link, "GET", "/hello", NULL);
  NET_UNTIL(&p.net, 60000, get->closes);
  assert_int_equal(get->error, WT_ERR_TIMEOUT);
  assert_int_equal(p.link->connects, 0);
  pair_free(&p);
}

/* --- What is known of the connection --- */

static void test_connection_info_has_the_settings_of_the_other_end(void **state) {
  (void)state;
  struct pair p;
  struct wt_connection_info info = {.size = sizeof(info)}, small = {.size = 8};
  bool found = false;
  pair_init(&p);
  pair_connect(&p);
  wt__h3_conn_get_info(p.link->h3, &info);
  assert_false(info.has_settings);
  assert_int_equal(info.settings_us, 0);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  wt__h3_conn_get_info(p.link->h3, &info);
  assert_int_equal(info.size, sizeof(info));
  assert_true(info.has_settings);
  assert_true(info.settings_us > 0);
  assert_int_equal(info.draft, 15);
  assert_in_range(info.setting_count, 10, 20);
  for (size_t i = 0; i < info.setting_count; i++) {
    const char *name = wt_setting_name(info.settings[i].id);
    if (name && strcmp(name, "SETTINGS_WT_ENABLED") == 0) found = info.settings[i].value == 1;
  }
  assert_true(found);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  assert_int_equal(wt_session_get_connection_info(session->session, &info), 0);
  assert_int_equal(info.draft, 15);
  assert_int_equal(wt_session_get_connection_info(session->session, &small), WT_ERR_INVALID);
  NET_UNTIL(&p.net, 1000, server_session(&p.server, 0));
  assert_int_equal(wt_session_get_connection_info(server_session(&p.server, 0)->session, &info), 0);
  assert_true(info.has_settings);
  assert_true(info.setting_count > 5);
  pair_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exchange_get_gives_status_header_and_body),
      cmocka_unit_test(test_exchange_head_has_a_length_and_no_body),
      cmocka_unit_test(test_exchange_headers_go_both_ways),
      cmocka_unit_test(test_exchange_options_are_checked),
      cmocka_unit_test(test_exchange_waits_for_its_connection_and_the_handshake),
      cmocka_unit_test(test_exchange_streams_10_mb_up_and_down_at_once),
      cmocka_unit_test(test_exchange_says_so_to_whoever_fills_it_exactly),
      cmocka_unit_test(test_exchange_whole_body_of_10_mb_and_a_download_of_10_mb),
      cmocka_unit_test(test_exchange_pause_holds_the_server_back_by_flow_control),
      cmocka_unit_test(test_exchange_that_is_paused_ends_only_when_all_was_told),
      cmocka_unit_test(test_exchange_write_takes_no_more_than_its_buffer_until_the_server_reads),
      cmocka_unit_test(test_exchange_write_follows_the_rules),
      cmocka_unit_test(test_exchange_many_at_once_beside_sessions_on_one_connection),
      cmocka_unit_test(test_exchange_on_a_network_that_loses_and_reorders),
      cmocka_unit_test(test_exchange_connection_says_when_nothing_uses_it),
      cmocka_unit_test(test_exchange_connection_does_not_wait_for_long),
      cmocka_unit_test(test_exchange_needs_no_webtransport_of_the_server),
      cmocka_unit_test(test_exchange_cancel_ends_it_once_wherever_it_is),
      cmocka_unit_test(test_exchange_owner_can_fail_it_with_its_own_words),
      cmocka_unit_test(test_exchange_answer_to_a_request_that_the_server_does_not_read_is_no_failure),
      cmocka_unit_test(test_exchange_after_a_goaway_fails_and_one_before_it_is_answered),
      cmocka_unit_test(test_exchange_hears_that_the_connection_ended),
      cmocka_unit_test(test_exchange_of_a_connection_that_never_came_says_why),
      cmocka_unit_test(test_connection_info_has_the_settings_of_the_other_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
