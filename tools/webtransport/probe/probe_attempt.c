/* SPDX-License-Identifier: MIT */
/*
 * One attempt to open a session. When the dial is over, the first observation tells what is known. If there is a
 * session, a second observation follows some time later, when round-trip times are better known and the path's MTU was
 * found.
 *
 * The library has no timers for applications, so a thread waits for that time and posts a call to the loop. If the
 * session ends before, the thread is woken; a call that was posted already finds no session.
 */
#include "probe/probe_attempt.h"

#include <stdio.h>
#include <time.h>

#include "common/clock.h"

/* --- The watch --- */

static void watch_over(wt_client *client, void *argument) {
  struct probe_attempt *attempt = argument;
  struct wt_connection_info info = {.size = sizeof info};
  (void)client;
  if (!attempt->session) return;
  struct probe_observation observation = {.session = attempt->session};
  if (!wt_session_get_connection_info(attempt->session, &info)) observation.info = &info;
  if (attempt->on_observation) attempt->on_observation(&observation, attempt->user_data);
  wt_session_close(attempt->session, 0, "", 0);
}

static void *watch_main(void *argument) {
  struct probe_attempt *attempt = argument;
  const struct timespec deadline = clock_timespec(clock_ns() + attempt->watch_ms * NS_PER_MS);
  int waited = 0;
  pthread_mutex_lock(&attempt->lock);
  while (!attempt->over && !waited) waited = pthread_cond_timedwait(&attempt->ended, &attempt->lock, &deadline);
  bool over = attempt->over;
  pthread_mutex_unlock(&attempt->lock);
  /* If there is no memory to post the call, the connection is closed without closing the session first. */
  if (!over && wt_client_post(attempt->client, watch_over, attempt)) wt_client_close(attempt->client);
  return NULL;
}

static void watch_begin(struct probe_attempt *attempt) {
  attempt->watched = attempt->watch_ms > 0 && !pthread_create(&attempt->watcher, NULL, watch_main, attempt);
  if (!attempt->watched) wt_session_close(attempt->session, 0, "", 0);
}

static void watch_end(struct probe_attempt *attempt) {
  pthread_mutex_lock(&attempt->lock);
  attempt->over = true;
  pthread_cond_signal(&attempt->ended);
  pthread_mutex_unlock(&attempt->lock);
}

/* --- Callbacks --- */

static void on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct probe_attempt *attempt = user_data;
  (void)session;
  attempt->session = NULL;
  watch_end(attempt);
  if (info->by != WT_LOCAL && attempt->on_close) attempt->on_close(info, attempt->user_data);
}

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct probe_attempt *attempt = user_data;
  struct wt_connection_info info = {.size = sizeof info};
  struct probe_observation observation = {
      .session = result->session,
      .dial = dial,
      .result = result,
      .took_us = (clock_ns() - attempt->begun_ns) / NS_PER_US,
  };
  attempt->error = result->error;
  snprintf(attempt->message, sizeof attempt->message, "%s", result->message);
  if (!wt_dial_get_connection_info(dial, &info)) {
    observation.info = &info;
    attempt->handshake_done = info.handshake_us > 0;
    attempt->resumed = info.resumed;
  }
  if (attempt->on_observation) attempt->on_observation(&observation, attempt->user_data);
  attempt->session = result->session;
  if (attempt->session) watch_begin(attempt);
}

/* --- The attempt --- */

static void lock_init(struct probe_attempt *attempt) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&attempt->ended, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&attempt->lock, NULL);
}

int probe_attempt_run(struct probe_attempt *attempt, const char *url, struct wt_dial_options *options) {
  wt_dial *dial;
  static const struct wt_dial_callbacks callbacks = {.on_done = on_done};
  options->callbacks = &callbacks;
  options->user_data = attempt;
  static const struct wt_session_callbacks session_callbacks = {.on_close = on_session_close};
  options->session_callbacks = &session_callbacks;
  options->session_user_data = attempt;
  lock_init(attempt);
  attempt->begun_ns = clock_ns();
  attempt->error = wt_client_dial(attempt->client, url, options, &dial);
  if (attempt->error)
    snprintf(attempt->message, sizeof attempt->message, "%s", wt_client_error(attempt->client));
  else
    wt_client_run(attempt->client);
  watch_end(attempt);
  if (attempt->watched) pthread_join(attempt->watcher, NULL);
  pthread_cond_destroy(&attempt->ended);
  pthread_mutex_destroy(&attempt->lock);
  return attempt->error;
}

/* --- A request without a session --- */

struct request {
  bool answered, resumed;
};

/* Only the header matters: the request is cancelled, because the body may have any length. */
static void on_response(wt_exchange *exchange, int status, void *user_data) {
  struct request *request = user_data;
  struct wt_connection_info info = {.size = sizeof info};
  (void)status;
  if (!wt_exchange_get_connection_info(exchange, &info)) {
    request->answered = true;
    request->resumed = info.resumed;
  }
  wt_exchange_cancel(exchange);
}

void probe_request(wt_client *client, const char *url, uint64_t timeout_ms, bool *answered, bool *resumed) {
  struct wt_exchange_options options;
  struct request request = {0};
  wt_exchange *exchange;
  wt_exchange_options_default(&options);
  static const struct wt_exchange_callbacks callbacks = {.on_response = on_response};
  options.callbacks = &callbacks;
  options.user_data = &request;
  options.timeout_ms = timeout_ms;
  options.allow_pooling = false;
  if (!wt_client_request(client, url, &options, &exchange)) wt_client_run(client);
  *answered = request.answered;
  *resumed = request.resumed;
}
