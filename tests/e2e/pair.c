/* SPDX-License-Identifier: MIT */

/* See pair.h. */

#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEADLINE_MS 120000 /* nothing comes near to it but where a processor has fifty to serve */
#define PULSE_MS 5

/* --- The server --- */

static void echo_on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  size_t written = 0;
  (void)user_data;
  if (len) (void)wt_stream_write(stream, data, len, &written);
  if (fin) (void)wt_stream_end(stream);
}

static void session_on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {.on_data = echo_on_data};
  (void)session;
  wt_stream_set_callbacks(stream, &callbacks, user_data);
}

static void session_on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)user_data;
  (void)wt_session_send_datagram(session, data, len);
}

static void session_on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct pair *pair = user_data;
  (void)session;
  pthread_mutex_lock(&pair->lock);
  pair->last_close = *info;
  (void)snprintf(pair->last_reason, sizeof(pair->last_reason), "%s", info->reason);
  pthread_mutex_unlock(&pair->lock);
  atomic_fetch_sub(&pair->sessions, 1); /* last: a test looks at the rest once it sees this */
}

static void on_session(wt_request *request, void *user_data) {
  static const char *const protocols[] = {"chat", "news"};
  struct pair *pair = user_data;
  struct wt_upgrade_options options;
  wt_session *session;
  wt_upgrade_options_default(&options);
  static const struct wt_session_callbacks callbacks = {
      .on_stream = session_on_stream, .on_datagram = session_on_datagram, .on_close = session_on_close};
  options.callbacks = &callbacks;
  options.user_data = pair;
  options.protocols = protocols;
  options.protocol_count = 2;
  int error = wt_upgrade(request, &options, &session);
  if (error) {
    wt_request_respond(request, wt_upgrade_status(error), NULL, 0, NULL, 0);
    return;
  }
  atomic_fetch_add(&pair->sessions, 1);
}

static void on_mute(wt_request *request, void *user_data) {
  (void)request;
  (void)user_data;
}

static void on_gone(wt_request *request, void *user_data) {
  static const struct wt_header headers[] = {{"location", "/session"}};
  (void)user_data;
  assert_int_equal(wt_request_respond(request, 301, headers, 1, NULL, 0), 0);
}

static void on_hello(wt_request *request, void *user_data) {
  static const struct wt_header headers[] = {{"x-test", "yes"}};
  (void)user_data;
  int error = wt_request_respond(request, 200, headers, 1, "hello", 5);
  assert_true(error == 0 || error == WT_ERR_NOMEM); /* tests let memory run out */
}

static void body_on_data(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data) {
  size_t written = 0;
  (void)user_data;
  if (len) (void)wt_request_write(request, data, len, &written);
  if (fin) (void)wt_request_end(request);
}

static void on_echo(wt_request *request, void *user_data) {
  static const struct wt_request_callbacks callbacks = {.on_body = body_on_data};
  assert_int_equal(wt_request_begin(request, 200, NULL, 0), 0);
  wt_request_set_callbacks(request, &callbacks, user_data);
}

static void on_other(wt_request *request, void *user_data) {
  static const struct wt_header headers[] = {{"x-why", "nothing here"}};
  (void)user_data;
  assert_int_equal(wt_request_respond(request, 404, headers, 1, NULL, 0), 0);
}

static void quiet(enum wt_log_level level, const char *line, void *user_data) {
  (void)user_data;
  if (getenv("WT_TEST_LOG")) printf("  log %d: %s\n", (int)level, line);
}

unsigned pair_workers(void) {
  const char *text = getenv("WT_TEST_WORKERS");
  return text ? (unsigned)strtoul(text, NULL, 10) : 1;
}

static void on_pulse(uv_timer_t *timer) { (void)timer; }

static void pulse_start(struct pair *pair) {
  assert_int_equal(uv_timer_init(&pair->loop, &pair->pulse), 0);
  if (pair_workers() > 1) assert_int_equal(uv_timer_start(&pair->pulse, on_pulse, PULSE_MS, PULSE_MS), 0);
}

void pair_open(struct pair *pair, const struct pair_options *options) {
  static const struct pair_options none;
  struct wt_server_config config;
  char address[64];
  if (!options) options = &none;
  memset(pair, 0, sizeof(*pair));
  pthread_mutex_init(&pair->lock, NULL);
  assert_int_equal(uv_loop_init(&pair->loop), 0);
  pulse_start(pair);
  pair->certificate = options->certificate;
  if (!pair->certificate) {
    assert_int_equal(wt_certificate_generate(options->names, options->name_count, 13, &pair->certificate), 0);
  }
  wt_certificate_get_sha256(pair->certificate, pair->hash);
  wt_server_config_default(&config);
  const char *listen = options->listen ? options->listen : "127.0.0.1:0";
  config.listen = &listen;
  config.loop = &pair->loop;
  config.workers = pair_workers();
  config.log = quiet;
  config.log_level = getenv("WT_TEST_LOG") ? WT_LOG_DEBUG : WT_LOG_WARN;
  if (options->configure) options->configure(&config);
  assert_int_equal(wt_server_new(&config, &pair->server, NULL, 0), 0);
  assert_int_equal(wt_server_add_certificate(pair->server, pair->certificate), 0);
  assert_int_equal(wt_server_handle(pair->server, "/session", on_session, pair), 0);
  assert_int_equal(wt_server_handle(pair->server, "/mute", on_mute, pair), 0);
  assert_int_equal(wt_server_handle(pair->server, "/gone", on_gone, pair), 0);
  assert_int_equal(wt_server_handle(pair->server, "/hello", on_hello, pair), 0);
  assert_int_equal(wt_server_handle(pair->server, "/echo", on_echo, pair), 0);
  assert_int_equal(wt_server_handle(pair->server, "/", on_other, pair), 0);
  assert_int_equal(wt_server_start(pair->server), 0);
  assert_int_equal(wt_server_get_address(pair->server, 0, address, sizeof(address)), 0);
  pair->port = (unsigned)strtoul(strrchr(address, ':') + 1, NULL, 10);
  (void)snprintf(pair->url, sizeof(pair->url), "https://%s/session", address);
}

void pair_close(struct pair *pair) {
  wt_client_free(pair->client);
  wt_server_free(pair->server);
  wt_certificate_free(pair->certificate);
  pthread_mutex_destroy(&pair->lock);
  uv_close((uv_handle_t *)&pair->pulse, NULL);
  while (uv_run(&pair->loop, UV_RUN_NOWAIT)) continue;
  assert_int_equal(uv_loop_close(&pair->loop), 0);
}

void pair_client_config(struct pair *pair, struct wt_client_config *config) {
  wt_client_config_default(config);
  config->loop = &pair->loop;
  config->log = quiet;
  config->log_level = getenv("WT_TEST_LOG") ? WT_LOG_DEBUG : WT_LOG_WARN;
  config->certificate_hashes = (const uint8_t(*)[32]) & pair->hash;
  config->certificate_hash_count = 1;
}

void pair_client(struct pair *pair, const struct wt_client_config *config) {
  struct wt_client_config own;
  char message[256];
  pair_client_config(pair, &own);
  if (wt_client_new(config ? config : &own, &pair->client, message, sizeof(message))) fail_msg("%s", message);
}

void pair_stop(struct pair *pair) {
  pair->stop = true;
  uv_stop(&pair->loop); /* it may be about to block */
}

static void on_deadline(uv_timer_t *timer) {
  bool *late = timer->data;
  *late = true;
}

static void on_deadline_closed(uv_handle_t *timer) { timer->data = NULL; }

void pair_run(struct pair *pair) {
  uv_timer_t timer;
  bool late = false;
  uv_timer_init(&pair->loop, &timer);
  timer.data = &late;
  uv_timer_start(&timer, on_deadline, DEADLINE_MS, 0);
  while (!pair->stop && !late) uv_run(&pair->loop, UV_RUN_ONCE);
  pair->stop = false;
  uv_close((uv_handle_t *)&timer, on_deadline_closed);
  while (timer.data) uv_run(&pair->loop, UV_RUN_NOWAIT);
  if (late) fail_msg("nothing came within %d ms", DEADLINE_MS);
}

/* --- Dials --- */

static void copy_text(char *to, size_t size, const char *from) { (void)snprintf(to, size, "%s", from ? from : ""); }

static void dialed_note_attempts(struct dialed *dialed, wt_dial *dial) {
  struct wt_attempt attempt = {.size = sizeof(attempt)};
  while (dialed->attempts < 4 && wt_dial_get_attempt(dial, dialed->attempts, &attempt) == 0) {
    size_t i = dialed->attempts++;
    assert_true(attempt.ended_us >= attempt.begun_us);
    copy_text(dialed->attempt[i], sizeof(dialed->attempt[i]), attempt.address);
    copy_text(dialed->attempt_message[i], sizeof(dialed->attempt_message[i]), attempt.message);
    dialed->attempt_error[i] = attempt.error;
  }
}

static void dialed_on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct dialed *dialed = user_data;
  dialed->calls++;
  dialed->session = result->session;
  dialed->error = result->error;
  dialed->status = result->status;
  dialed->stage = result->stage;
  dialed->by = result->by;
  dialed->wire_code = result->wire_code;
  dialed->wire_is_h3 = result->wire_is_h3;
  copy_text(dialed->message, sizeof(dialed->message), result->message);
  copy_text(dialed->why, sizeof(dialed->why), wt_dial_header(dial, "x-why"));
  copy_text(dialed->location, sizeof(dialed->location), wt_dial_header(dial, "location"));
  dialed->info.size = sizeof(dialed->info);
  dialed->info_error = wt_dial_get_connection_info(dial, &dialed->info);
  if (dialed->info_error == 0) copy_text(dialed->peer, sizeof(dialed->peer), dialed->info.peer_address);
  if (result->session) copy_text(dialed->protocol, sizeof(dialed->protocol), wt_session_protocol(result->session));
  dialed_note_attempts(dialed, dial);
  assert_true(!!result->session == !result->error);
  assert_true(!result->message[0] == !result->error);
  dialed->dial = NULL;
  pair_stop(dialed->pair);
}

static void dialed_on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct dialed *dialed = user_data;
  (void)session;
  dialed->closes++;
  dialed->close = *info;
  dialed->session = NULL;
  pair_stop(dialed->pair);
}

void dialed_options(struct dialed *dialed, struct pair *pair, struct wt_dial_options *options) {
  memset(dialed, 0, sizeof(*dialed));
  dialed->pair = pair;
  wt_dial_options_default(options);
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = dialed_on_done};
  options->callbacks = &dial_callbacks;
  options->user_data = dialed;
  static const struct wt_session_callbacks session_callbacks = {.on_close = dialed_on_close};
  options->session_callbacks = &session_callbacks;
  options->session_user_data = dialed;
}

void dialed_run(struct dialed *dialed, struct pair *pair, const char *url, const struct wt_dial_options *options) {
  struct wt_dial_options own;
  if (!options) {
    dialed_options(dialed, pair, &own);
    options = &own;
  }
  pair->stop = false;
  int error = wt_client_dial(pair->client, url, options, &dialed->dial);
  if (error) fail_msg("%s: %s", url, wt_client_error(pair->client));
  assert_int_equal(dialed->calls, 0);
  pair_run(pair);
  assert_int_equal(dialed->calls, 1);
}
