/* SPDX-License-Identifier: MIT */

/* Sessions and plain requests that share a connection; what is put in a body; connections that linger. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/client_state.h"
#include "net/connection.h"
#include "pair.h"
#include "relay.h"

#define BODY_LEN 300000

struct fetched {
  struct pair *pair;
  wt_exchange *exchange;
  int responses, closes, status, error;
  char message[512], test[16];
  size_t len, sent;
  bool fin, exact;
  char text[64];
};

static uint8_t body_at(size_t i) { return (uint8_t)(i * 7 + i / 256); }

static void on_response(wt_exchange *exchange, int status, void *user_data) {
  struct fetched *fetched = user_data;
  const char *value = wt_exchange_header(exchange, "x-test");
  struct wt_connection_info info = {.size = sizeof(info)};
  fetched->responses++;
  fetched->status = status;
  assert_int_equal(wt_exchange_status(exchange), status);
  assert_int_equal(wt_exchange_get_connection_info(exchange, &info), 0);
  assert_string_equal(info.tls_version, "TLS1.3");
  (void)snprintf(fetched->test, sizeof(fetched->test), "%s", value ? value : "");
}

static void on_body(wt_exchange *exchange, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct fetched *fetched = user_data;
  (void)exchange;
  for (size_t i = 0; i < len; i++) {
    if (data[i] != body_at(fetched->len + i)) fetched->exact = false;
  }
  if (fetched->len + len < sizeof(fetched->text)) memcpy(fetched->text + fetched->len, data, len);
  fetched->len += len;
  fetched->fin = fetched->fin || fin;
}

static void send_body(struct fetched *fetched) {
  uint8_t chunk[8192];
  size_t written;
  while (fetched->sent < BODY_LEN) {
    size_t len = BODY_LEN - fetched->sent < sizeof(chunk) ? BODY_LEN - fetched->sent : sizeof(chunk);
    for (size_t i = 0; i < len; i++) chunk[i] = body_at(fetched->sent + i);
    written = 0;
    int error = wt_exchange_write(fetched->exchange, chunk, len, &written);
    fetched->sent += written;
    if (error == WT_ERR_AGAIN || written < len) return;
    assert_int_equal(error, 0);
  }
  assert_int_equal(wt_exchange_end(fetched->exchange), 0);
}

static void on_writable(wt_exchange *exchange, void *user_data) {
  (void)exchange;
  send_body(user_data);
}

static void on_exchange_close(wt_exchange *exchange, int error, const char *message, void *user_data) {
  struct fetched *fetched = user_data;
  (void)exchange;
  fetched->closes++;
  fetched->error = error;
  (void)snprintf(fetched->message, sizeof(fetched->message), "%s", message);
  pair_stop(fetched->pair);
}

static void fetched_options(struct fetched *fetched, struct pair *pair, struct wt_exchange_options *options) {
  memset(fetched, 0, sizeof(*fetched));
  fetched->pair = pair;
  fetched->exact = true;
  wt_exchange_options_default(options);
  static const struct wt_exchange_callbacks exchange_callbacks = {
      .on_response = on_response, .on_body = on_body, .on_writable = on_writable, .on_close = on_exchange_close};
  options->callbacks = &exchange_callbacks;
  options->user_data = fetched;
}

static const char *url_of(const struct pair *pair, const char *path) {
  static char url[256];
  (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u%s", pair->port, path);
  return url;
}

static void fetched_begin(struct fetched *fetched, struct pair *pair, const char *path,
                          const struct wt_exchange_options *options) {
  int error = wt_client_request(pair->client, url_of(pair, path), options, &fetched->exchange);
  if (error) fail_msg("%s", wt_client_error(pair->client));
}

static void fetched_run(struct fetched *fetched, struct pair *pair, const char *path) {
  struct wt_exchange_options options;
  fetched_options(fetched, pair, &options);
  fetched_begin(fetched, pair, path, &options);
  while (!fetched->closes) pair_run(pair);
}

static uint64_t connections_total(const struct pair *pair) {
  struct wt_client_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_client_get_stats(pair->client, &stats), 0);
  return stats.connections_total;
}

static uint64_t connections_open(const struct pair *pair) {
  struct wt_client_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_client_get_stats(pair->client, &stats), 0);
  return stats.connections_open;
}

/* --- Requests --- */

static void test_client_gets(void **state) {
  struct pair pair;
  struct fetched fetched;
  int64_t live = wt__mem_live();
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  fetched_run(&fetched, &pair, "/hello");
  assert_int_equal(fetched.error, 0);
  assert_int_equal(fetched.responses, 1);
  assert_int_equal(fetched.status, 200);
  assert_string_equal(fetched.test, "yes");
  assert_true(fetched.fin);
  assert_string_equal(fetched.text, "hello");
  fetched_run(&fetched, &pair, "/nowhere");
  assert_int_equal(fetched.error, 0);
  assert_int_equal(fetched.status, 404);
  while (connections_open(&pair)) uv_run(&pair.loop, UV_RUN_ONCE);
  pair_close(&pair);
  assert_int_equal(wt__mem_live(), live);
}

static void test_client_sends_bodies(void **state) {
  struct pair pair;
  struct fetched fetched;
  struct wt_exchange_options options;
  static uint8_t body[BODY_LEN];
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  for (size_t i = 0; i < BODY_LEN; i++) body[i] = body_at(i);
  fetched_options(&fetched, &pair, &options);
  options.method = "POST";
  options.body = body;
  options.body_len = BODY_LEN;
  fetched_begin(&fetched, &pair, "/echo", &options);
  while (!fetched.closes) pair_run(&pair);
  assert_int_equal(fetched.error, 0);
  assert_int_equal(fetched.len, BODY_LEN);
  assert_true(fetched.exact);
  assert_true(fetched.fin);

  fetched_options(&fetched, &pair, &options);
  options.method = "POST";
  options.has_body = true;
  fetched_begin(&fetched, &pair, "/echo", &options);
  send_body(&fetched); /* there is no connection yet */
  while (!fetched.closes) pair_run(&pair);
  assert_int_equal(fetched.error, 0);
  assert_int_equal(fetched.len, BODY_LEN);
  assert_true(fetched.exact);
  pair_close(&pair);
}

static void test_client_requests_fail_with_a_sentence(void **state) {
  struct pair pair;
  struct fetched fetched;
  struct wt_exchange_options options;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  fetched_options(&fetched, &pair, &options);
  options.timeout_ms = 300;
  fetched_begin(&fetched, &pair, "/mute", &options);
  while (!fetched.closes) pair_run(&pair);
  assert_int_equal(fetched.error, WT_ERR_TIMEOUT);
  assert_non_null(strstr(fetched.message, ": no answer to the request within 300 ms"));
  assert_int_equal(fetched.closes, 1);

  fetched_options(&fetched, &pair, &options);
  fetched_begin(&fetched, &pair, "/hello", &options);
  wt_exchange_cancel(fetched.exchange);
  assert_int_equal(fetched.closes, 0);
  while (!fetched.closes) pair_run(&pair);
  assert_int_equal(fetched.error, WT_ERR_CLOSED);
  assert_string_equal(fetched.message, "the request was cancelled");

  assert_int_equal(wt_client_request(pair.client, "https://", &options, NULL), WT_ERR_ADDRESS);
  options.method = "GET IT";
  assert_int_equal(wt_client_request(pair.client, url_of(&pair, "/"), &options, NULL), WT_ERR_INVALID);
  options.method = "CONNECT";
  assert_int_equal(wt_client_request(pair.client, url_of(&pair, "/"), &options, NULL), WT_ERR_INVALID);
  assert_int_equal(wt_client_request(NULL, url_of(&pair, "/"), NULL, NULL), WT_ERR_INVALID);

  wt_server_free(pair.server);
  pair.server = NULL;
  fetched_run(&fetched, &pair, "/hello");
  assert_int_equal(fetched.error, WT_ERR_IO);
  assert_non_null(strstr(fetched.message, ": connection refused"));
  assert_int_equal(fetched.responses, 0);
  pair_close(&pair);
}

static void test_client_request_may_be_freed_with_the_client(void **state) {
  (void)state;
  int turns = 0;
  for (bool over = false; !over; turns = turns < 40 ? turns + 1 : turns + turns / 2) {
    struct pair pair;
    struct fetched fetched;
    struct wt_exchange_options options;
    int64_t live = wt__mem_live();
    assert_true(turns < TURNS_MAX);
    pair_open(&pair, NULL);
    pair_client(&pair, NULL);
    fetched_options(&fetched, &pair, &options);
    fetched_begin(&fetched, &pair, "/hello", &options);
    for (int i = 0; i < turns; i++) uv_run(&pair.loop, UV_RUN_NOWAIT);
    over = fetched.closes > 0;
    wt_client_free(pair.client);
    pair.client = NULL;
    assert_int_equal(fetched.closes, 1);
    if (!over) assert_true(fetched.error == WT_ERR_CLOSED || fetched.error == 0);
    pair_close(&pair);
    assert_int_equal(wt__mem_live(), live);
  }
}

/* A request by name in which the allocation after `count` others fails. Whether it was answered all the same. */
static bool request_without_memory(size_t count) {
  struct pair pair;
  struct fetched fetched;
  struct wt_exchange_options options;
  char url[128];
  int64_t live = wt__mem_live();
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  fetched_options(&fetched, &pair, &options);
  struct wt_exchange_callbacks exchange_callbacks = *options.callbacks;
  exchange_callbacks.on_response = NULL; /* it asserts what only whole requests have */
  options.callbacks = &exchange_callbacks;
  (void)snprintf(url, sizeof(url), "https://localhost:%u/hello", pair.port);
  wt__mem_fail_after(count);
  int error = wt_client_request(pair.client, url, &options, &fetched.exchange);
  for (int i = 0; error == 0 && i < 2000 && !fetched.closes; i++) uv_run(&pair.loop, UV_RUN_NOWAIT);
  bool whole = fetched.closes && fetched.error == 0;
  wt_client_free(pair.client);
  pair.client = NULL;
  wt__mem_fail_after(SIZE_MAX);
  if (error) assert_int_equal(error, WT_ERR_NOMEM);
  assert_int_equal(fetched.closes, error ? 0 : 1);
  pair_close(&pair);
  assert_int_equal(wt__mem_live(), live);
  return whole;
}

static void test_client_request_survives_each_allocation_that_fails(void **state) {
  size_t count = 0, wholes = 0;
  (void)state;
  if (pair_workers() > 1) skip(); /* allocations fail on this thread alone, which must not wait for another */
  for (; wholes < 20; count++) {  /* some failures do no harm, so a few whole ones in a row mean the end */
    assert_true(count < 5000);
    wholes = request_without_memory(count) ? wholes + 1 : 0;
  }
  printf("each of %zu allocations of a request's life failed in turn\n", count);
  assert_true(count > 100);
}

static void test_client_requests_may_go_unseen(void **state) {
  struct pair pair;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  assert_int_equal(wt_client_request(pair.client, url_of(&pair, "/hello"), NULL, NULL), 0);
  struct wt_server_stats stats = {.size = sizeof(stats)};
  do {
    uv_run(&pair.loop, UV_RUN_ONCE);
    assert_int_equal(wt_server_get_stats(pair.server, &stats), 0);
  } while (!stats.requests_total || connections_open(&pair));
  pair_close(&pair);
}

/* --- Sharing --- */

static void test_client_pools_sessions_and_requests(void **state) {
  struct pair pair;
  struct dialed dialed[3];
  struct fetched fetched;
  struct wt_dial_options options;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  for (int i = 0; i < 3; i++) { /* all at once: two join the first one's race */
    dialed_options(&dialed[i], &pair, &options);
    options.allow_pooling = true;
    assert_int_equal(wt_client_dial(pair.client, pair.url, &options, NULL), 0);
  }
  struct wt_exchange_options plain;
  fetched_options(&fetched, &pair, &plain);
  fetched_begin(&fetched, &pair, "/hello", &plain);
  while (!dialed[0].calls || !dialed[1].calls || !dialed[2].calls || !fetched.closes) pair_run(&pair);
  for (int i = 0; i < 3; i++) assert_string_equal(dialed[i].message, "");
  assert_int_equal(fetched.error, 0);
  assert_string_equal(fetched.text, "hello");
  assert_int_equal(connections_total(&pair), 1);
  assert_int_equal(pair.sessions, 3);

  struct dialed alone, late;
  dialed_run(&alone, &pair, pair.url, NULL); /* does not allow it */
  assert_int_equal(alone.error, 0);
  assert_int_equal(connections_total(&pair), 2);
  dialed_options(&late, &pair, &options);
  options.allow_pooling = true;
  dialed_run(&late, &pair, pair.url, &options); /* joins what is there */
  assert_int_equal(late.error, 0);
  assert_int_equal(late.attempts, 0);
  assert_int_equal(late.info_error, 0);
  assert_string_equal(late.peer, dialed[0].peer);
  assert_int_equal(connections_total(&pair), 2);
  fetched_run(&fetched, &pair, "/hello");
  assert_int_equal(connections_total(&pair), 2);
  assert_int_equal(connections_open(&pair), 2);
  for (int i = 0; i < 3; i++) assert_int_equal(wt_session_close(dialed[i].session, 0, NULL, 0), 0);
  assert_int_equal(wt_session_close(late.session, 0, NULL, 0), 0);
  while (connections_open(&pair) > 1) uv_run(&pair.loop, UV_RUN_ONCE);
  assert_int_equal(alone.closes, 0);
  pair_close(&pair);
}

static enum wt_congestion_control congestion_control_of(const struct dialed *dialed) {
  struct wt_connection_info info = {.size = sizeof(info)};
  assert_int_equal(dialed->error, 0);
  assert_int_equal(wt_session_get_connection_info(dialed->session, &info), 0);
  assert_in_range(info.congestion_window, 2 * 1200, UINT32_MAX);
  return info.congestion_control;
}

static void reno(struct wt_server_config *config) { config->congestion_control = WT_CONGESTION_CONTROL_RENO; }

/* The dial that makes a connection decides on it; a dial that shares one finds what is there. */
static void test_client_prefers_a_congestion_control(void **state) {
  static const struct {
    enum wt_congestion_preference preference;
    bool pooling;
    enum wt_congestion_control expected;
  } cases[] = {
      {WT_CONGESTION_DEFAULT, false, WT_CONGESTION_CONTROL_RENO},
      {WT_CONGESTION_THROUGHPUT, false, WT_CONGESTION_CONTROL_BBR},
      {WT_CONGESTION_LOW_LATENCY, false, WT_CONGESTION_CONTROL_BBR},
      {WT_CONGESTION_DEFAULT, true, WT_CONGESTION_CONTROL_RENO},
      {WT_CONGESTION_THROUGHPUT, true, WT_CONGESTION_CONTROL_RENO}, /* shares it */
  };
  struct pair_options pair_options = {.configure = reno};
  struct pair pair;
  struct dialed dialed[sizeof(cases) / sizeof(*cases)];
  struct wt_dial_options options;
  struct wt_client_config config;
  (void)state;
  pair_open(&pair, &pair_options);
  pair_client_config(&pair, &config);
  config.congestion_control = WT_CONGESTION_CONTROL_RENO;
  pair_client(&pair, &config);
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    dialed_options(&dialed[i], &pair, &options);
    options.congestion_control = cases[i].preference;
    options.allow_pooling = cases[i].pooling;
    dialed_run(&dialed[i], &pair, pair.url, &options);
    assert_int_equal(congestion_control_of(&dialed[i]), cases[i].expected);
  }
  assert_int_equal(connections_total(&pair), 4);
  struct wt_server_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_server_get_stats(pair.server, &stats), 0);
  assert_int_equal(stats.congestion_control, WT_CONGESTION_CONTROL_RENO);
  pair_close(&pair);
}

static void one_session(struct wt_server_config *config) { config->max_sessions_per_connection = 1; }
static void no_flow_control(struct wt_server_config *config) {
  config->wt_initial_max_data = config->wt_max_streams_bidi = config->wt_max_streams_uni = 0;
}

static void check_overflow(void (*configure)(struct wt_server_config *config)) {
  struct pair_options pair_options = {.configure = configure};
  struct pair pair;
  struct dialed dialed[3];
  struct wt_dial_options options;
  pair_open(&pair, &pair_options);
  pair_client(&pair, NULL);
  for (int i = 0; i < 3; i++) {
    dialed_options(&dialed[i], &pair, &options);
    options.allow_pooling = true;
    assert_int_equal(wt_client_dial(pair.client, pair.url, &options, NULL), 0);
  }
  while (!dialed[0].calls || !dialed[1].calls || !dialed[2].calls) pair_run(&pair);
  for (int i = 0; i < 3; i++) {
    assert_string_equal(dialed[i].message, "");
    assert_int_equal(dialed[i].error, 0);
  }
  assert_int_equal(connections_total(&pair), 3);
  pair_close(&pair);
}

static void test_client_opens_more_connections_where_one_is_full(void **state) {
  (void)state;
  check_overflow(no_flow_control);
}

/* Draft 15 has no setting for the number of sessions: the server says so when asked. */
static void test_client_opens_more_connections_where_it_is_rejected(void **state) {
  struct pair_options pair_options = {.configure = one_session};
  struct pair pair;
  struct dialed first, second;
  struct wt_dial_options options;
  (void)state;
  check_overflow(one_session);
  pair_open(&pair, &pair_options);
  pair_client(&pair, NULL);
  dialed_options(&first, &pair, &options);
  options.allow_pooling = true;
  dialed_run(&first, &pair, pair.url, &options);
  assert_int_equal(first.error, 0);
  dialed_options(&second, &pair, &options);
  options.allow_pooling = true;
  dialed_run(&second, &pair, pair.url, &options);
  assert_int_equal(second.error, 0);
  assert_int_equal(second.attempts, 1); /* of the second connection */
  assert_int_equal(second.info_error, 0);
  assert_int_equal(connections_total(&pair), 2);
  assert_int_equal(pair.sessions, 2);
  assert_int_equal(first.closes, 0);
  pair_close(&pair);
}

/* Where a second connection must not be, or cannot be, the application hears of the rejection. */
static void test_client_is_told_that_it_is_rejected(void **state) {
  struct pair_options pair_options = {.configure = one_session};
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct pair pair;
    struct dialed first, second;
    struct wt_dial_options options;
    struct wt_client_config config;
    pair_open(&pair, &pair_options);
    pair_client_config(&pair, &config);
    if (i == 0) config.max_connections = 1;
    pair_client(&pair, &config);
    dialed_options(&first, &pair, &options);
    options.allow_pooling = true;
    dialed_run(&first, &pair, pair.url, &options);
    assert_int_equal(first.error, 0);
    dialed_options(&second, &pair, &options);
    options.allow_pooling = true;
    options.optimistic = i == 1; /* its session may have sent something already */
    dialed_run(&second, &pair, pair.url, &options);
    assert_int_equal(second.error, WT_ERR_REJECTED);
    assert_string_equal(second.message, "the server reset the request with H3_REQUEST_REJECTED (0x10b)");
    assert_int_equal(second.stage, WT_STAGE_REQUEST);
    assert_int_equal(second.wire_code, 0x10b);
    assert_true(second.wire_is_h3);
    assert_int_equal(second.info_error, 0);
    assert_int_equal(connections_total(&pair), 1);
    assert_int_equal(first.closes, 0);
    pair_close(&pair);
  }
}

static void only_draft_15(struct wt_server_config *config) { config->drafts = WT_DRAFT_15; }

/* A connection that serves requests, to a server whose WebTransport is not ours: sessions get their reason. */
static void test_client_shares_no_connection_without_webtransport(void **state) {
  struct pair_options pair_options = {.configure = only_draft_15};
  struct pair pair;
  struct fetched fetched;
  struct dialed dialed[2];
  struct wt_exchange_options plain;
  struct wt_dial_options options;
  struct wt_client_config config;
  (void)state;
  pair_open(&pair, &pair_options);
  pair_client_config(&pair, &config);
  config.drafts = WT_DRAFT_02;
  config.linger_ms = 10000;
  pair_client(&pair, &config);
  fetched_options(&fetched, &pair, &plain);
  fetched_begin(&fetched, &pair, "/hello", &plain);
  for (int i = 0; i < 2; i++) {
    dialed_options(&dialed[i], &pair, &options);
    options.allow_pooling = true;
    assert_int_equal(wt_client_dial(pair.client, pair.url, &options, NULL), 0);
  }
  while (!dialed[0].calls || !dialed[1].calls || !fetched.closes) pair_run(&pair);
  assert_int_equal(fetched.error, 0);
  for (int i = 0; i < 2; i++) assert_int_equal(dialed[i].error, WT_ERR_SETTINGS);
  dialed_options(&dialed[0], &pair, &options);
  options.allow_pooling = true;
  dialed_run(&dialed[0], &pair, pair.url, &options); /* and also later */
  assert_int_equal(dialed[0].error, WT_ERR_SETTINGS);
  fetched_run(&fetched, &pair, "/hello");
  assert_int_equal(fetched.error, 0);
  pair_close(&pair);
}

/* The first is told with the connection, the second waits for its SETTINGS and is told afterwards. */
static void test_client_knows_the_connection_that_it_waited_for(void **state) {
  struct pair_options pair_options = {.configure = only_draft_15};
  struct pair pair;
  struct dialed dialed[2];
  struct wt_dial_options options;
  struct wt_client_config config;
  int64_t live = wt__mem_live();
  (void)state;
  pair_open(&pair, &pair_options);
  pair_client_config(&pair, &config);
  config.drafts = WT_DRAFT_02;
  pair_client(&pair, &config);
  for (int i = 0; i < 2; i++) {
    dialed_options(&dialed[i], &pair, &options);
    options.allow_pooling = true;
    assert_int_equal(wt_client_dial(pair.client, pair.url, &options, NULL), 0);
  }
  while (!dialed[0].calls || !dialed[1].calls) pair_run(&pair);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(dialed[i].error, WT_ERR_SETTINGS);
    assert_int_equal(dialed[i].info_error, 0);
    assert_true(dialed[i].info.setting_count > 0);
    assert_string_equal(dialed[i].peer, dialed[i].attempt[0]);
  }
  pair_close(&pair);
  assert_int_equal(wt__mem_live(), live);
}

static void test_client_connection_lingers(void **state) {
  struct pair pair;
  struct fetched fetched;
  struct wt_client_config config;
  (void)state;
  pair_open(&pair, NULL);
  pair_client_config(&pair, &config);
  config.linger_ms = 500;
  pair_client(&pair, &config);
  for (int i = 0; i < 3; i++) {
    fetched_run(&fetched, &pair, "/hello");
    assert_int_equal(fetched.error, 0);
  }
  assert_int_equal(connections_total(&pair), 1);
  while (connections_open(&pair)) uv_run(&pair.loop, UV_RUN_ONCE);
  fetched_run(&fetched, &pair, "/hello");
  assert_int_equal(fetched.error, 0);
  assert_int_equal(connections_total(&pair), 2);
  pair_close(&pair);
}

/* --- The server goes --- */

static void test_client_goes_elsewhere_after_goaway(void **state) {
  struct pair pair;
  struct dialed first, second;
  struct wt_dial_options options;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_options(&first, &pair, &options);
  options.allow_pooling = true;
  dialed_run(&first, &pair, pair.url, &options);
  assert_int_equal(first.error, 0);
  wt_server_shutdown(pair.server, 10000);
  const struct wt__connection *connection = WT__CONNECTION_OF(wt__list_first(&pair.client->connections));
  while (wt__h3_conn_may_dial(connection->h3)) uv_run(&pair.loop, UV_RUN_ONCE); /* until the GOAWAY is in */
  dialed_options(&second, &pair, &options);
  options.allow_pooling = true;
  options.timeout_ms = 2000;
  dialed_run(&second, &pair, pair.url, &options);
  assert_int_not_equal(second.error, 0); /* the server takes no connections any more */
  assert_int_equal(second.attempts, 1);  /* and this was not the old one */
  assert_int_equal(first.closes, 0);
  assert_int_equal(wt_session_close(first.session, 0, NULL, 0), 0);
  while (!first.closes) pair_run(&pair);
  pair_close(&pair);
}

/* A server that shuts down leaves clients a moment between the end of the last session and that of the connection. */
static void test_client_has_time_between_the_ends(void **state) {
  struct pair pair;
  struct dialed dialed;
  struct wt_client_config config;
  (void)state;
  pair_open(&pair, NULL);
  pair_client_config(&pair, &config);
  config.linger_ms = 60000; /* it is not the client that ends the connection */
  pair_client(&pair, &config);
  dialed_run(&dialed, &pair, pair.url, NULL);
  assert_int_equal(dialed.error, 0);
  wt_server_shutdown(pair.server, 60000);
  uint64_t begun = uv_hrtime();
  assert_int_equal(wt_session_close(dialed.session, 0, NULL, 0), 0);
  while (connections_open(&pair)) uv_run(&pair.loop, UV_RUN_ONCE);
  uint64_t took_ms = (uv_hrtime() - begun) / 1000000;
  assert_true(took_ms >= 250 && took_ms < 30000);
  pair_close(&pair);
}

static void test_client_hears_that_the_server_closed(void **state) {
  struct pair pair;
  struct dialed first, mute;
  struct wt_dial_options options;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_run(&first, &pair, pair.url, NULL);
  dialed_options(&mute, &pair, &options);
  assert_int_equal(wt_client_dial(pair.client, url_of(&pair, "/mute"), &options, NULL), 0);
  struct wt_server_stats stats = {.size = sizeof(stats)};
  do {
    uv_run(&pair.loop, UV_RUN_ONCE);
    assert_int_equal(wt_server_get_stats(pair.server, &stats), 0);
  } while (stats.requests_total < 2);
  wt_server_close(pair.server);
  while (!mute.calls || !first.closes) pair_run(&pair);
  assert_string_equal(mute.message, "the server closed the connection with H3_NO_ERROR"); /* first: it tells most */
  assert_int_equal(mute.error, WT_ERR_CLOSED);
  assert_int_equal(mute.by, WT_PEER);
  assert_int_equal(mute.wire_code, 0x100);
  assert_true(mute.wire_is_h3);
  assert_int_equal(mute.stage, WT_STAGE_REQUEST);
  assert_int_equal(first.close.by, WT_PEER);
  pair_close(&pair);
}

/* A server that acknowledges nothing any more is not waited for until the idle timeout. */
static void test_client_does_not_wait_for_a_server_that_is_gone(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct pair pair;
    struct relay relay;
    struct dialed dialed;
    struct fetched fetched;
    struct wt_exchange_options options;
    char url[64];
    pair_open(&pair, NULL);
    pair_client(&pair, NULL);
    relay_open(&relay, &pair.loop, pair.port);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/%s", relay.port, i ? "mute" : "session");
    if (i == 0) {
      dialed_run(&dialed, &pair, url, NULL);
      assert_int_equal(dialed.error, 0);
      relay_cut(&relay);
      assert_int_equal(wt_session_close(dialed.session, 0, NULL, 0), 0);
    } else {
      fetched_options(&fetched, &pair, &options);
      assert_int_equal(wt_client_request(pair.client, url, &options, &fetched.exchange), 0);
      struct wt_server_stats stats = {.size = sizeof(stats)};
      do {
        uv_run(&pair.loop, UV_RUN_ONCE);
        assert_int_equal(wt_server_get_stats(pair.server, &stats), 0);
      } while (!stats.requests_total);
      relay_cut(&relay);
      wt_exchange_cancel(fetched.exchange);
    }
    uint64_t begun = uv_hrtime();
    while (connections_open(&pair)) uv_run(&pair.loop, UV_RUN_ONCE);
    assert_true(uv_hrtime() - begun < UINT64_C(10000000000)); /* the idle timeout is 30 s */
    relay_close(&relay);
    pair_close(&pair);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_client_gets),
      cmocka_unit_test(test_client_sends_bodies),
      cmocka_unit_test(test_client_requests_fail_with_a_sentence),
      cmocka_unit_test(test_client_request_may_be_freed_with_the_client),
      cmocka_unit_test(test_client_request_survives_each_allocation_that_fails),
      cmocka_unit_test(test_client_requests_may_go_unseen),
      cmocka_unit_test(test_client_pools_sessions_and_requests),
      cmocka_unit_test(test_client_opens_more_connections_where_one_is_full),
      cmocka_unit_test(test_client_opens_more_connections_where_it_is_rejected),
      cmocka_unit_test(test_client_is_told_that_it_is_rejected),
      cmocka_unit_test(test_client_shares_no_connection_without_webtransport),
      cmocka_unit_test(test_client_knows_the_connection_that_it_waited_for),
      cmocka_unit_test(test_client_prefers_a_congestion_control),
      cmocka_unit_test(test_client_connection_lingers),
      cmocka_unit_test(test_client_goes_elsewhere_after_goaway),
      cmocka_unit_test(test_client_has_time_between_the_ends),
      cmocka_unit_test(test_client_hears_that_the_server_closed),
      cmocka_unit_test(test_client_does_not_wait_for_a_server_that_is_gone),
  };
  return cmocka_run_group_tests_name("client_pooling", tests, NULL, NULL);
}
