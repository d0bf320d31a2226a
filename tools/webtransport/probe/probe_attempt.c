/* SPDX-License-Identifier: MIT */
/*
 * One look at a server: a dial, a view of what is known when it is over, and, if there is a session, another
 * some time later, when round-trip times are better known and the path's MTU was found.
 *
 * The library has no timers for applications, so a thread of its own waits for the end of the watch and
 * posts a call to the loop. The session may end before that; then the thread is woken, and a call that was
 * posted already finds no session any more.
 */
#include "probe/probe_attempt.h"

#include <stdio.h>
#include <time.h>

#include "common/clock.h"

/* --- The watch --- */

static void watch_over(wt_client *client, void *argument) {
  struct look *look = argument;
  struct wt_connection_info info = {.size = sizeof info};
  (void)client;
  if (!look->session) return;
  struct look_view view = {.session = look->session};
  if (!wt_session_get_connection_info(look->session, &info)) view.info = &info;
  if (look->on_view) look->on_view(&view, look->user_data);
  wt_session_close(look->session, 0, "", 0);
}

static void *watch_main(void *argument) {
  struct look *look = argument;
  const struct timespec deadline = clock_timespec(clock_ns() + look->watch_ms * NS_PER_MS);
  int waited = 0;
  pthread_mutex_lock(&look->lock);
  while (!look->over && !waited) waited = pthread_cond_timedwait(&look->ended, &look->lock, &deadline);
  bool over = look->over;
  pthread_mutex_unlock(&look->lock);
  /* Without memory for a call, the client ends the session less politely. */
  if (!over && wt_client_post(look->client, watch_over, look)) wt_client_close(look->client);
  return NULL;
}

static void watch_begin(struct look *look) {
  look->watched = look->watch_ms > 0 && pthread_create(&look->watcher, NULL, watch_main, look) == 0;
  if (!look->watched) wt_session_close(look->session, 0, "", 0);
}

static void watch_end(struct look *look) {
  pthread_mutex_lock(&look->lock);
  look->over = true;
  pthread_cond_signal(&look->ended);
  pthread_mutex_unlock(&look->lock);
}

/* --- Callbacks --- */

static void on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct look *look = user_data;
  (void)session;
  look->session = NULL;
  watch_end(look);
  if (info->by != WT_LOCAL && look->on_close) look->on_close(info, look->user_data);
}

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct look *look = user_data;
  struct wt_connection_info info = {.size = sizeof info};
  struct look_view view = {
      .session = result->session,
      .dial = dial,
      .result = result,
      .took_us = (clock_ns() - look->begun_ns) / NS_PER_US,
  };
  look->error = result->error;
  snprintf(look->message, sizeof look->message, "%s", result->message);
  if (!wt_dial_get_connection_info(dial, &info)) {
    view.info = &info;
    look->shaken = info.handshake_us > 0;
    look->resumed = info.resumed;
  }
  if (look->on_view) look->on_view(&view, look->user_data);
  look->session = result->session;
  if (look->session) watch_begin(look);
}

/* --- The look --- */

static void lock_init(struct look *look) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&look->ended, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&look->lock, NULL);
}

int look_run(struct look *look, const char *url, struct wt_dial_options *options) {
  wt_dial *dial;
  static const struct wt_dial_callbacks callbacks = {.on_done = on_done};
  options->callbacks = &callbacks;
  options->user_data = look;
  static const struct wt_session_callbacks session_callbacks = {.on_close = on_session_close};
  options->session_callbacks = &session_callbacks;
  options->session_user_data = look;
  lock_init(look);
  look->begun_ns = clock_ns();
  look->error = wt_client_dial(look->client, url, options, &dial);
  if (look->error)
    snprintf(look->message, sizeof look->message, "%s", wt_client_error(look->client));
  else
    wt_client_run(look->client);
  watch_end(look);
  if (look->watched) pthread_join(look->watcher, NULL);
  pthread_cond_destroy(&look->ended);
  pthread_mutex_destroy(&look->lock);
  return look->error;
}

/* --- A plain request --- */

struct request {
  bool answered, resumed;
};

/* The header is all that is wanted; a server may send a body of any length. */
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

void look_request(wt_client *client, const char *url, uint64_t timeout_ms, bool *answered, bool *resumed) {
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
