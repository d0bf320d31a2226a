/* SPDX-License-Identifier: MIT */

/* What a client's session is for: streams, datagrams, a close with its code; streams before the answer; servers that
 * speak another dialect, or none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"

#define BYTES 200000

struct echo {
  struct pair *pair;
  size_t sent, received;
  bool fin, exact;
  int closes, datagrams;
  char datagram[32];
};

static uint8_t byte_at(size_t i) { return (uint8_t)(i * 13 + i / 251); }

static void echo_send(wt_stream *stream, struct echo *echo) {
  uint8_t chunk[4096];
  while (echo->sent < BYTES) {
    size_t len = BYTES - echo->sent < sizeof(chunk) ? BYTES - echo->sent : sizeof(chunk), written = 0;
    for (size_t i = 0; i < len; i++) chunk[i] = byte_at(echo->sent + i);
    int error = wt_stream_write(stream, chunk, len, &written);
    echo->sent += written;
    if (error || written < len) return;
  }
  assert_int_equal(wt_stream_end(stream), 0);
}

static void echo_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct echo *echo = user_data;
  (void)stream;
  for (size_t i = 0; i < len; i++) {
    if (data[i] != byte_at(echo->received + i)) echo->exact = false;
  }
  echo->received += len;
  echo->fin = echo->fin || fin;
}

static void echo_on_writable(wt_stream *stream, void *user_data) { echo_send(stream, user_data); }

static void echo_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct echo *echo = user_data;
  (void)stream;
  (void)error;
  echo->closes++;
  pair_stop(echo->pair);
}

static const struct wt_stream_callbacks echo_callbacks = {
    .on_data = echo_on_data,
    .on_writable = echo_on_writable,
    .on_close = echo_on_close,
};

static void echo_open(struct echo *echo, struct pair *pair, wt_session *session) {
  wt_stream *stream;
  *echo = (struct echo){.pair = pair, .exact = true};
  assert_int_equal(wt_session_open_bidi(session, &stream), 0);
  wt_stream_set_callbacks(stream, &echo_callbacks, echo);
  echo_send(stream, echo);
}

static void echo_check(const struct echo *echo) {
  assert_int_equal(echo->received, BYTES);
  assert_true(echo->exact);
  assert_true(echo->fin);
  assert_int_equal(echo->closes, 1);
}

static void test_client_streams(void **state) {
  struct pair pair;
  struct dialed dialed;
  struct echo echoes[5];
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_run(&dialed, &pair, pair.url, NULL);
  assert_int_equal(dialed.error, 0);
  for (int i = 0; i < 5; i++) echo_open(&echoes[i], &pair, dialed.session);
  for (int i = 0; i < 5; i++) {
    while (!echoes[i].closes) pair_run(&pair);
    echo_check(&echoes[i]);
  }
  struct wt_connection_info info = {.size = sizeof(info)};
  assert_int_equal(wt_session_get_connection_info(dialed.session, &info), 0);
  assert_true(info.smoothed_rtt_us > 0);
  pair_close(&pair);
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct dialed *dialed = user_data;
  (void)session;
  (void)snprintf(dialed->why, sizeof(dialed->why), "%.*s", (int)len, (const char *)data);
  pair_stop(dialed->pair);
}

static void test_client_datagrams(void **state) {
  struct pair pair;
  struct dialed dialed;
  struct wt_dial_options options;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_options(&dialed, &pair, &options);
  struct wt_session_callbacks session_callbacks = *options.session_callbacks;
  session_callbacks.on_datagram = on_datagram;
  options.session_callbacks = &session_callbacks;
  dialed_run(&dialed, &pair, pair.url, &options);
  assert_int_equal(dialed.error, 0);
  assert_true(wt_session_max_datagram_size(dialed.session) > 1000);
  assert_int_equal(wt_session_send_datagram(dialed.session, "ping", 4), 0);
  pair_run(&pair);
  assert_string_equal(dialed.why, "ping");
  pair_close(&pair);
}

/* The bytes of a session that is closed at once arrive all the same, and so do its code and reason. */
static void test_client_closes_with_code_and_reason(void **state) {
  struct pair pair;
  struct dialed dialed;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  for (unsigned i = 0; i < 20; i++) {
    dialed_run(&dialed, &pair, pair.url, NULL);
    assert_int_equal(dialed.error, 0);
    assert_int_equal(wt_session_close(dialed.session, 1000 + i, "enough", 6), 0);
    while (!dialed.closes) pair_run(&pair);
    while (pair.sessions) uv_run(&pair.loop, UV_RUN_ONCE);
    assert_int_equal(pair.last_close.by, WT_PEER);
    assert_true(pair.last_close.clean);
    assert_int_equal(pair.last_close.code, 1000 + i);
    assert_string_equal(pair.last_reason, "enough");
  }
  pair_close(&pair);
}

/* --- Before the answer --- */

struct early {
  struct dialed dialed; /* first: it is what `dialed_options` gives to callbacks */
  struct echo echo;
  int asked;
};

static void on_asked(wt_dial *dial, wt_session *session, void *user_data) {
  struct early *early = user_data;
  (void)dial;
  assert_int_equal(early->dialed.calls, 0);
  early->asked++;
  echo_open(&early->echo, early->dialed.pair, session);
}

static void test_client_is_optimistic(void **state) {
  struct pair pair;
  struct early early = {0};
  struct wt_dial_options options;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_options(&early.dialed, &pair, &options);
  options.optimistic = true;
  struct wt_dial_callbacks dial_callbacks = *options.callbacks;
  dial_callbacks.on_asked = on_asked;
  options.callbacks = &dial_callbacks;
  dialed_run(&early.dialed, &pair, pair.url, &options);
  assert_int_equal(early.asked, 1);
  assert_int_equal(early.dialed.error, 0);
  while (!early.echo.closes) pair_run(&pair);
  echo_check(&early.echo);
  pair_close(&pair);
}

static void test_client_was_too_optimistic(void **state) {
  struct pair pair;
  struct early early = {0};
  struct wt_dial_options options;
  char url[128];
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_options(&early.dialed, &pair, &options);
  options.optimistic = true;
  struct wt_dial_callbacks dial_callbacks = *options.callbacks;
  dial_callbacks.on_asked = on_asked;
  options.callbacks = &dial_callbacks;
  (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/nowhere", pair.port);
  assert_int_equal(wt_client_dial(pair.client, url, &options, NULL), 0);
  while (!early.dialed.calls) pair_run(&pair);
  assert_int_equal(early.asked, 1);
  assert_int_equal(early.dialed.error, WT_ERR_REJECTED);
  assert_int_equal(early.dialed.status, 404);
  assert_int_equal(early.dialed.closes, 1); /* the session's end came before */
  assert_int_equal(early.echo.closes, 1);
  pair_close(&pair);
}

/* --- Dialects --- */

static unsigned server_drafts;

static void set_drafts(struct wt_server_config *config) { config->drafts = server_drafts; }

static void test_client_speaks_each_draft(void **state) {
  static const struct {
    unsigned drafts;
    int draft;
  } cases[] = {{WT_DRAFT_02, 2}, {WT_DRAFT_07, 7}, {WT_DRAFT_13, 13}, {WT_DRAFT_15, 15}};
  struct pair_options options = {.configure = set_drafts};
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct pair pair;
    struct dialed dialed;
    struct echo echo;
    server_drafts = cases[i].drafts;
    pair_open(&pair, &options);
    pair_client(&pair, NULL);
    dialed_run(&dialed, &pair, pair.url, NULL);
    assert_string_equal(dialed.message, "");
    assert_int_equal(wt_session_draft(dialed.session), cases[i].draft);
    echo_open(&echo, &pair, dialed.session);
    while (!echo.closes) pair_run(&pair);
    echo_check(&echo);
    pair_close(&pair);
  }
}

static void test_client_names_what_a_server_lacks(void **state) {
  struct pair_options pair_options = {.configure = set_drafts};
  struct pair pair;
  struct dialed dialed;
  struct wt_client_config config;
  (void)state;
  server_drafts = WT_DRAFT_15;
  pair_open(&pair, &pair_options);
  pair_client_config(&pair, &config);
  config.drafts = WT_DRAFT_02;
  pair_client(&pair, &config);
  dialed_run(&dialed, &pair, pair.url, NULL);
  assert_int_equal(dialed.error, WT_ERR_SETTINGS);
  assert_int_equal(dialed.stage, WT_STAGE_SETTINGS);
  assert_int_equal(dialed.by, WT_TRANSPORT);
  assert_int_equal(dialed.wire_code, 0x212c0d48);
  assert_true(dialed.wire_is_h3);
  assert_memory_equal(dialed.message, "the server does not speak WebTransport: the server's SETTINGS name no ", 69);
  assert_int_equal(dialed.info_error, 0);
  assert_true(dialed.info.has_settings);
  assert_true(dialed.info.setting_count > 3);
  pair_close(&pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_client_streams),
      cmocka_unit_test(test_client_datagrams),
      cmocka_unit_test(test_client_closes_with_code_and_reason),
      cmocka_unit_test(test_client_is_optimistic),
      cmocka_unit_test(test_client_was_too_optimistic),
      cmocka_unit_test(test_client_speaks_each_draft),
      cmocka_unit_test(test_client_names_what_a_server_lacks),
  };
  return cmocka_run_group_tests_name("client_session", tests, NULL, NULL);
}
