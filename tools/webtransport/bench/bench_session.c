/* SPDX-License-Identifier: MIT */
/*
 * A session of the load generator, from the dial to its end. The workload decides what happens in between.
 *
 *     session_dial --> refused                                the workload may dial again
 *              \-----> opened --> settled --> closed          planned (session_close), or a fault
 *
 * If a session ends without our asking, that is a fault, and its operations are given up. The other sessions go on, so
 * that the report tells how many were lost.
 */
#include "bench/bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <webtransport/connection.h>

static void slots_kill(struct bench_session *session) {
  struct bench_worker *worker = session->worker;
  for (size_t i = 0; i < session->slot_count; i++) slot_kill(worker->slots[session->first_slot + i]);
}

void session_settle(struct bench_session *session) {
  struct bench_worker *worker = session->worker;
  if (session->settled) return;
  session->settled = true;
  worker->settled++;
  worker->check(worker);
}

void session_close(struct bench_session *session) {
  if (session->closing) return;
  session->closing = true;
  if (session->dial) wt_dial_cancel(session->dial);
  if (session->session) wt_session_close(session->session, 0, "", 0);
}

void session_fail(struct bench_session *session, enum bench_fault fault, const char *format, ...) {
  char text[BENCH_MESSAGE_SIZE];
  va_list args;
  if (session->closing) return; /* a fault was counted before, or the run is over */
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  result_fault(&session->worker->result, fault, "%s", text);
  slots_kill(session);
  session_close(session);
  session_settle(session);
  session->worker->check(session->worker);
}

void session_stream_failed(struct bench_session *session, const struct wt_stream_error *error) {
  if (error->session_gone || error->by == WT_TRANSPORT) return;
  if (error->has_code)
    session_fail(session, FAULT_STREAM, "the server ended a stream with code %u", (unsigned)error->code);
  else
    session_fail(session, FAULT_STREAM, "the server ended a stream with the wire's code 0x%llx",
                 (unsigned long long)error->wire_code);
}

static void session_on_close(wt_session *handle, const struct wt_close_info *info, void *user_data) {
  struct bench_session *session = user_data;
  struct bench_worker *worker = session->worker;
  (void)handle;
  session->session = NULL;
  worker->open--;
  if (!session->closing) {
    const char *text = info->clean ? info->reason : info->message;
    char code[24];
    snprintf(code, sizeof code, info->clean ? "%llu" : "0x%llx",
             info->clean ? (unsigned long long)info->code : (unsigned long long)info->wire_code);
    result_fault(&worker->result, FAULT_LOST, "a session ended, by %s, with code %s%s%s", wt_cause_name(info->cause),
                 code, text[0] ? ": " : "", text);
    slots_kill(session);
  }
  session->closing = false;
  session_settle(session);
  if (worker->settings->workload->closed) worker->settings->workload->closed(session);
  worker->check(worker);
}

static void session_opened(struct bench_session *session, const struct wt_dial_result *result) {
  struct bench_worker *worker = session->worker;
  struct wt_connection_info info = {.size = sizeof info};
  session->session = result->session;
  worker->open++;
  worker->result.sessions_opened++;
  atomic_store_explicit(&worker->live_sessions, worker->result.sessions_opened, memory_order_relaxed);
  histogram_add(&worker->result.setup, clock_ns() - session->dialed_at);
  if (worker->settings->resume && !wt_session_get_connection_info(session->session, &info) && info.resumed)
    worker->result.sessions_resumed++;
  if (worker->phase >= PHASE_CLOSING) {
    session_close(session);
  } else if (worker->settings->workload->opened) {
    worker->settings->workload->opened(session);
  } else {
    session_settle(session);
  }
}

static void session_refused(struct bench_session *session, const struct wt_dial_result *result) {
  struct bench_worker *worker = session->worker;
  bool wanted = session->closing;
  session->closing = false;
  if (!wanted) {
    if (!worker->result.dial_error) worker->result.dial_error = result->error;
    result_fault(&worker->result, FAULT_DIAL, "%s", result->message);
  }
  if (worker->settings->workload->refused)
    worker->settings->workload->refused(session);
  else
    slots_kill(session);
  session_settle(session);
}

static void session_on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct bench_session *session = user_data;
  struct bench_worker *worker = session->worker;
  (void)dial;
  session->dial = NULL;
  worker->dialing--;
  if (result->session)
    session_opened(session, result);
  else
    session_refused(session, result);
  sessions_dial(worker);
  worker->check(worker);
}

bool session_dial(struct bench_session *session, const char *url) {
  struct bench_worker *worker = session->worker;
  struct wt_dial_options options;
  wt_dial_options_default(&options);
  client_settings_dial_options(&worker->settings->client, &options);
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = session_on_done};
  options.callbacks = &dial_callbacks;
  options.user_data = session;
  struct wt_session_callbacks session_callbacks = worker->settings->workload->callbacks;
  session_callbacks.on_close = session_on_close;
  options.session_callbacks = &session_callbacks;
  options.session_user_data = session;
  options.allow_pooling = worker->settings->pooled;
  session->closing = false;
  session->dialed_at = clock_ns();
  int error = wt_client_dial(worker->client, url, &options, &session->dial);
  if (!error) {
    worker->dialing++;
    return true;
  }
  session->dial = NULL;
  if (!worker->result.dial_error) worker->result.dial_error = error;
  const char *why = wt_client_error(worker->client);
  result_fault(&worker->result, FAULT_DIAL, "%s", why[0] ? why : wt_error_string(error));
  slots_kill(session);
  return false;
}

void sessions_dial(struct bench_worker *worker) {
  const struct bench_settings *settings = worker->settings;
  size_t dials = settings->dials / settings->workers ? (size_t)(settings->dials / settings->workers) : 1;
  if (worker->phase != PHASE_CONNECTING) return;
  while (worker->next_dial < worker->session_count && worker->dialing < dials) {
    struct bench_session *session = &worker->sessions[worker->next_dial++];
    if (!settings->workload->connects_first || !session_dial(session, settings->url)) session_settle(session);
  }
}

bool sessions_make(struct bench_worker *worker) {
  const struct bench_settings *settings = worker->settings;
  size_t size = settings->workload->state_size(settings);
  worker->sessions = calloc(worker->session_count ? worker->session_count : 1, sizeof *worker->sessions);
  if (!worker->sessions) return false;
  for (size_t i = 0; i < worker->session_count; i++) {
    struct bench_session *session = &worker->sessions[i];
    *session = (struct bench_session){.worker = worker, .index = i, .first_slot = worker->slot_count};
    session->state = calloc(1, size);
    if (!session->state || !settings->workload->prepare(session)) return false;
    session->slot_count = worker->slot_count - session->first_slot;
  }
  return true;
}

void sessions_free(struct bench_worker *worker) {
  for (size_t i = 0; worker->sessions && i < worker->session_count; i++) {
    struct bench_session *session = &worker->sessions[i];
    if (session->state && worker->settings->workload->release) worker->settings->workload->release(session);
    free(session->state);
  }
  free(worker->sessions);
  free(worker->slots);
  worker->sessions = NULL;
  worker->slots = NULL;
}
