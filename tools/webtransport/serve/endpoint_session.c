/* SPDX-License-Identifier: MIT */
/*
 * What the sessions of all endpoints have in common: how they are accepted or refused, and what is recorded when they
 * end, so that the page and tests can see them from the server's side.
 *
 * The memory of a session does not grow with what a client sends: texts are cut to their members, resets and
 * stop-sendings are counted, and only the first few are kept. What the library knows about the session is read when it
 * ends, so the state is small until then: there may be very many sessions.
 */
#include "serve/endpoint_session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/tool_log.h"
#include "serve/endpoints.h"
#include "serve/respond.h"

static void text_copy(char *out, size_t size, const char *text) { snprintf(out, size, "%s", text); }

static void refusal_log(const wt_request *request, int status, const char *why) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  const char *origin = wt_request_origin(request);
  log_limited(&limit, WT_LOG_WARN, "%s: session at %s, origin %s, refused with %d: %s",
              wt_request_peer_address(request), wt_request_path(request), origin ? origin : "none", status, why);
}

/* Logs whose certificate the client has shown. */
static void client_certificate_log(const wt_request *request) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  struct wt_certificate_info info = {.size = sizeof info};
  const void *der;
  size_t len;
  if (wt_request_get_peer_certificate(request, 0, &der, &len) || wt_certificate_describe(der, len, 0, &info)) return;
  log_limited(&limit, WT_LOG_INFO, "%s: session at %s of %s", wt_request_peer_address(request),
              wt_request_path(request), info.subject[0] ? info.subject : info.names);
}

wt_session *endpoint_session_accept(struct endpoint_session *state, const struct endpoints *endpoints,
                                    wt_request *request, const struct wt_session_callbacks *callbacks) {
  struct wt_upgrade_options options;
  wt_session *session;
  char why[512];
  wt_upgrade_options_default(&options);
  options.callbacks = callbacks;
  options.user_data = state;
  options.protocols = endpoints->protocols;
  options.protocol_count = endpoints->protocol_count;
  state->recorder = endpoints->recorder;
  client_certificate_log(request);
  int error = wt_upgrade(request, &options, &session);
  if (error) {
    /* Copied, because the next call on the request overwrites the sentence. */
    snprintf(why, sizeof why, "%s", wt_request_error(request)[0] ? wt_request_error(request) : wt_error_string(error));
    refusal_log(request, wt_upgrade_status(error), why);
    respond_text(request, wt_upgrade_status(error), why);
    return NULL;
  }
  recorder_session_opened(state->recorder);
  return session;
}

/* Queries are in no line of the log: they often have tokens. Logs the code of a session that was closed; else the code on the wire. */
static void end_log(const wt_session *session, const struct wt_close_info *info) {
  static struct log_limit limit = LOG_LIMIT_SESSIONS;
  const char *text = info->clean ? info->reason : info->message;
  char code[64];
  if (info->clean)
    snprintf(code, sizeof code, "code %" PRIu32, info->code);
  else
    snprintf(code, sizeof code, "%s with the %s code 0x%" PRIx64, info->connection ? "connection" : "stream",
             info->wire_is_h3 ? "application's" : "QUIC", info->wire_code);
  const char *path = wt_session_path(session);
  log_limited(&limit, WT_LOG_INFO, "%s: session at %.*s ended by %s, %s%s%s", wt_session_peer_address(session),
              (int)strcspn(path, "?"), path, wt_cause_name(info->cause), code, *text ? ": " : "", text);
}

void endpoint_session_closed(struct endpoint_session *state, wt_session *session, const struct wt_close_info *info) {
  struct session_record record = {.draft = wt_session_draft(session),
                                  .by = info->by,
                                  .cause = info->cause,
                                  .wire_code = info->wire_code,
                                  .wire_is_h3 = info->wire_is_h3,
                                  .code = info->code,
                                  .clean = info->clean,
                                  .reset_count = state->reset_count,
                                  .stop_count = state->stop_count};
  struct wt_session_stats stats = {.size = sizeof stats};
  if (!wt_session_get_stats(session, &stats)) {
    record.bytes_in = stats.bytes_received;
    record.bytes_out = stats.bytes_sent;
    record.streams_in = stats.streams_accepted;
    record.streams_out = stats.streams_opened;
    record.datagrams_in = stats.datagrams_received;
    record.datagrams_out = stats.datagrams_sent;
    record.datagrams_dropped = stats.datagrams_dropped_outgoing;
    record.datagrams_expired = stats.datagrams_expired_outgoing;
    record.datagram_queue_delay_us = stats.datagram_queue_delay_us;
    record.max_datagram_queue_delay_us = stats.max_datagram_queue_delay_us;
  }
  text_copy(record.path, sizeof record.path, wt_session_path(session));
  text_copy(record.protocol, sizeof record.protocol, wt_session_protocol(session));
  text_copy(record.peer, sizeof record.peer, wt_session_peer_address(session));
  text_copy(record.reason, sizeof record.reason, info->reason);
  text_copy(record.message, sizeof record.message, info->message);
  memcpy(record.resets, state->resets, sizeof record.resets);
  memcpy(record.stops, state->stops, sizeof record.stops);
  end_log(session, info);
  recorder_session_ended(state->recorder, &record);
}

static void end_keep(struct recorded_end *ends, uint64_t *count, const struct wt_stream_error *error) {
  if (*count < RECORDER_ENDS) ends[*count] = (struct recorded_end){error->has_code, error->code};
  ++*count;
}

void endpoint_session_record_reset(struct endpoint_session *state, const struct wt_stream_error *error) {
  end_keep(state->resets, &state->reset_count, error);
}

void endpoint_session_record_stop(struct endpoint_session *state, const struct wt_stream_error *error) {
  end_keep(state->stops, &state->stop_count, error);
}

uint32_t stream_error_code(const struct wt_stream_error *error) { return error && error->has_code ? error->code : 0; }
