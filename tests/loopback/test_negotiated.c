/* SPDX-License-Identifier: MIT */
/*
 * What the other end announced counts, not only what this end is set to: idle timeouts, and the size of header sections.
 */
#include "exchange.h"
#include "pair.h"

/* --- The idle timeout (RFC 9000, section 10.1) --- */

static uint64_t packets(const struct net *net) { return net->counts[0].sent + net->counts[1].sent; }

/* A session in which nobody says anything lives for as long as both ends want, whatever each has announced. */
static void silent_peer_case(uint64_t own_ms, uint64_t peer_ms, uint64_t delay_ms) {
  struct world w;
  world_init(&w, 1);
  w.server.config.idle_timeout_ms = own_ms;
  w.options.idle_timeout_ms = peer_ms;
  w.net.link[0].delay = w.net.link[1].delay = delay_ms * NET_MS;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  net_run_for(&w.net, 120000);
  assert_false(w.peer->ended);
  assert_int_equal(w.session->closes, 0);
  world_free(&w);
}

static void test_negotiated_silent_session_outlives_the_lower_idle_timeout(void **state) {
  (void)state;
  silent_peer_case(30000, 4000, 10);
  silent_peer_case(4000, 30000, 10); /* a program that lowers its own alone */
  silent_peer_case(4000, 0, 10);     /* 0: none is announced */
  silent_peer_case(0, 4000, 10);
  silent_peer_case(500, 60000, 100);
  silent_peer_case(60000, 500, 400); /* three PTO are more than that */
}

static void silent_client_case(uint64_t client_ms, uint64_t server_ms) {
  struct pair p;
  pair_init(&p);
  p.client.config.idle_timeout_ms = client_ms;
  p.server.config.idle_timeout_ms = server_ms;
  p.server.config.keep_alive_ms = 0; /* it is the client that has to */
  pair_connect(&p);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  struct server_session *session = client_session(&p.client, p.link, "/echo");
  net_run_for(&p.net, 120000);
  assert_int_equal(session->closes, 0);
  assert_int_equal(p.link->ends, 0);
  pair_free(&p);
}

static void test_negotiated_silent_client_session_outlives_the_lower_idle_timeout(void **state) {
  (void)state;
  silent_client_case(30000, 4000);
  silent_client_case(4000, 30000);
  silent_client_case(0, 4000);
  silent_client_case(1000, 0);
}

/* A slow path that becomes a fast one: what three PTO were then must not count any more. */
static void test_negotiated_keep_alive_follows_the_round_trip_time(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.idle_timeout_ms = 1000;
  w.net.link[0].delay = w.net.link[1].delay = 1000 * NET_MS;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  net_run_for(&w.net, 20000);
  w.net.link[0].delay = w.net.link[1].delay = 5 * NET_MS;
  net_run_for(&w.net, 60000);
  assert_false(w.peer->ended);
  assert_int_equal(w.session->closes, 0);
  world_free(&w);
}

/* A millisecond is no reason to send a thousand PINGs a second. */
static void test_negotiated_tiny_idle_timeout_makes_no_flood(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.idle_timeout_ms = 1;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  net_run_for(&w.net, 2000);
  assert_int_equal(w.session->closes, 0);
  uint64_t before = packets(&w.net);
  net_run_for(&w.net, 10000);
  assert_true(packets(&w.net) - before < 1000);
  world_free(&w);
}

/* `keep_alive_ms` = 0 means never: a silent session ends with the lower of the two timeouts. */
static void test_negotiated_no_keep_alive_ends_with_the_lower_timeout(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.server.config.keep_alive_ms = 0;
  w.options.idle_timeout_ms = 4000;
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
  net_run_for(&w.net, 3500);
  assert_int_equal(w.session->closes, 0);
  NET_UNTIL(&w.net, 1500, w.session->closes == 1);
  world_free(&w);
}

/* --- SETTINGS_MAX_FIELD_SECTION_SIZE (RFC 9114, section 4.2.2) --- */

static int answer_error;
static size_t answer_len;

/* Answers with a field of `answer_len` bytes; where that is refused, with less. */
static void handle_wide(wt_request *request, void *user_data) {
  char text[2048];
  const struct wt_header field = {"x-wide", text};
  (void)user_data;
  memset(text, 'x', answer_len);
  text[answer_len] = '\0';
  answer_error = wt_request_respond(request, 200, &field, 1, "wide", 4);
  if (answer_error) assert_int_equal(wt_request_respond(request, 500, NULL, 0, NULL, 0), 0);
}

static void sections_start(struct world *w, const uint64_t *settings, size_t count) {
  world_init(w, 1);
  w->options.settings = settings;
  w->options.settings_count = count;
  server_handle(&w->server, "/wide", handle_wide);
  world_start(w);
  net_run_for(&w->net, 100); /* the SETTINGS are there */
}

static int wide_status(struct world *w, size_t len) {
  answer_len = len;
  int64_t id = http_request(w->peer, "GET", "/wide", NULL, true);
  NET_UNTIL(&w->net, 2000, http_status(w->peer, id));
  return http_status(w->peer, id);
}

static void test_negotiated_answers_fit_into_the_clients_field_section_size(void **state) {
  (void)state;
  static const uint64_t settings[] = {0x06, 500};
  struct world w;
  sections_start(&w, settings, 1);
  /* ":status: 200", "content-length: 4" and "x-wide": 10 + 15 + 6 bytes, and 32 for each */
  assert_int_equal(wide_status(&w, 500 - 31 - 96), 200);
  assert_int_equal(answer_error, 0);
  assert_int_equal(wide_status(&w, 500 - 31 - 95), 500);
  assert_int_equal(answer_error, WT_ERR_TOO_LARGE);
  world_free(&w);
}

static void test_negotiated_client_without_that_setting_gets_all(void **state) {
  (void)state;
  static const uint64_t settings[] = {0x33, 1};
  struct world w;
  sections_start(&w, settings, 1);
  assert_int_equal(wide_status(&w, 2000), 200);
  world_free(&w);
}

/* Nor are the library's own answers sent to one that takes none; its requests end all the same. */
static void test_negotiated_client_that_takes_no_fields_gets_a_reset(void **state) {
  (void)state;
  static const uint64_t settings[] = {0x06, 0};
  struct world w;
  sections_start(&w, settings, 1);
  int64_t id = http_request(w.peer, "GET", "/none", NULL, true);
  NET_UNTIL(&w.net, 2000, peer_stream(w.peer, id)->reset);
  assert_int_equal(http_status(w.peer, id), 0);
  assert_false(w.peer->ended);
  world_free(&w);
}

static void test_negotiated_requests_fit_into_the_servers_field_section_size(void **state) {
  (void)state;
  char text[600];
  struct pair p;
  struct wt__h3_dial_options dial;
  struct wt__exchange_options exchange;
  struct wt_header field = {"x-wide", text};
  memset(text, 'x', sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  pair_init(&p);
  p.server.config.h3.max_header_bytes = 512;
  pair_connect(&p);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  client_dial_options(&dial, "/wt");
  dial.headers = &field;
  dial.header_count = 1;
  struct client_dial *refused = client_dial(p.link, "/wt", &dial, NULL);
  exchange_options(&exchange, "GET", "/hello");
  exchange.headers = &field;
  exchange.header_count = 1;
  struct client_exchange *get = exchange_on(p.link, "GET", "/hello", &exchange);
  NET_UNTIL(&p.net, 2000, refused->replies && get->closes);
  assert_int_equal(refused->error, WT_ERR_TOO_LARGE);
  assert_string_equal(refused->message, "the request's header fields are larger than the server's SETTINGS allow");
  assert_int_equal(get->error, WT_ERR_TOO_LARGE);
  assert_null(server_request(&p.server, 0)); /* nothing of them was sent */
  assert_non_null(client_session(&p.client, p.link, "/wt"));
  pair_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_negotiated_silent_session_outlives_the_lower_idle_timeout),
      cmocka_unit_test(test_negotiated_silent_client_session_outlives_the_lower_idle_timeout),
      cmocka_unit_test(test_negotiated_keep_alive_follows_the_round_trip_time),
      cmocka_unit_test(test_negotiated_tiny_idle_timeout_makes_no_flood),
      cmocka_unit_test(test_negotiated_no_keep_alive_ends_with_the_lower_timeout),
      cmocka_unit_test(test_negotiated_answers_fit_into_the_clients_field_section_size),
      cmocka_unit_test(test_negotiated_client_without_that_setting_gets_all),
      cmocka_unit_test(test_negotiated_client_that_takes_no_fields_gets_a_reset),
      cmocka_unit_test(test_negotiated_requests_fit_into_the_servers_field_section_size),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
