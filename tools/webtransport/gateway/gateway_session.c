/* SPDX-License-Identifier: MIT */
/*
 * A session of a client: from the request, which the bounds of the route may refuse, to its line in the access log.
 * What happens with streams and datagrams is the business of the route's back end (backend.h); what they use is counted
 * here.
 */
#include "gateway/gateway_session.h"

#include <stdlib.h>
#include <string.h>

#include "common/tool_log.h"
#include "gateway/backend.h"

static const struct backend_kind *kind_of(const struct gateway_session *session) {
  return session->route->settings.target.kind;
}

/* --- Life. --- */

static struct gateway_session *session_new(struct gateway *gateway, struct route *route, const char *address) {
  struct gateway_session *session = calloc(1, sizeof *session);
  if (!session) return NULL;
  session->peer = peers_get(&gateway->peers, route->counts, address);
  if (!session->peer) {
    free(session);
    return NULL;
  }
  session->gateway = gateway;
  session->route = route;
  session->began_ms = session->active_ms = gateway_now(gateway);
  route_use(route);
  return session;
}

static void session_free(struct gateway_session *session) {
  peers_put(session->peer);
  route_release(session->route);
  identity_free(&session->identity);
  free(session);
}

static void session_link(struct gateway_session *session) {
  struct gateway *gateway = session->gateway;
  session->next = gateway->sessions;
  session->link = &gateway->sessions;
  if (session->next) session->next->link = &session->next;
  gateway->sessions = session;
  session->route->counts->sessions_open++;
  session->peer->sessions++;
}

static void session_unlink(struct gateway_session *session) {
  *session->link = session->next;
  if (session->next) session->next->link = session->link;
  session->route->counts->sessions_open--;
  session->peer->sessions--;
}

void gateway_session_close(struct gateway_session *session, enum gateway_code code) {
  const char *reason = gateway_code_reason(code);
  if (session->code || !session->wt) return;
  session->code = code;
  wt_session_close(session->wt, (uint32_t)code, reason, strlen(reason));
}

/* --- What the client does. --- */

static void session_on_stream(wt_session *wt, wt_stream *stream, void *user_data) {
  struct gateway_session *session = user_data;
  const struct backend_kind *kind = kind_of(session);
  (void)wt;
  if (kind->on_stream && (kind->takes_unidirectional || wt_stream_kind(stream) == WT_BIDIRECTIONAL)) {
    kind->on_stream(session, stream);
    return;
  }
  session->streams_refused++;
  session->route->counts->streams_refused++;
  wt_stream_abort(stream, CODE_UNSUPPORTED);
}

static void session_on_datagram(wt_session *wt, const uint8_t *data, size_t len, void *user_data) {
  struct gateway_session *session = user_data;
  (void)wt;
  if (kind_of(session)->on_datagram) {
    kind_of(session)->on_datagram(session, data, len);
    return;
  }
  session->datagrams_dropped++;
  session->route->counts->datagrams_dropped++;
}

static void session_on_stream_credit(wt_session *wt, enum wt_stream_kind kind, void *user_data) {
  struct gateway_session *session = user_data;
  (void)wt;
  if (kind_of(session)->on_stream_credit) kind_of(session)->on_stream_credit(session, kind);
}

static void session_on_drain(wt_session *wt, void *user_data) {
  struct gateway_session *session = user_data;
  (void)wt;
  if (kind_of(session)->on_drain) kind_of(session)->on_drain(session);
}

/* Ends what has begun. NULL: the client never had an answer, or a refusal. */
static void session_end(struct gateway_session *session, const struct wt_close_info *info) {
  if (kind_of(session)->end) kind_of(session)->end(session, info);
  if (info) access_log_session(&session->gateway->access_log, session, info);
  session_unlink(session);
  session_free(session);
}

static void session_on_close(wt_session *wt, const struct wt_close_info *info, void *user_data) {
  (void)wt;
  session_end(user_data, info);
}

static const struct wt_session_callbacks session_callbacks = {
    .on_stream = session_on_stream,
    .on_datagram = session_on_datagram,
    .on_stream_credit = session_on_stream_credit,
    .on_drain = session_on_drain,
    .on_close = session_on_close,
};

/* --- The request. --- */

static int bounds_check(const struct route *route, const struct peer *peer, const char **why) {
  const struct route_settings *settings = &route->settings;
  if (settings->max_sessions && route->counts->sessions_open >= settings->max_sessions) {
    *why = "Too many sessions use this route (max-sessions).";
    return 503;
  }
  if (settings->max_sessions_per_address && peer->sessions >= settings->max_sessions_per_address) {
    *why = "Too many sessions of this address use this route (max-sessions-per-address).";
    return 429;
  }
  return 0;
}

/* Accepts the session. Returns 0, or the status with which to refuse it. */
static int session_upgrade(struct gateway_session *session, wt_request *request, struct wt_upgrade_options *options,
                           const char **why) {
  options->callbacks = &session_callbacks;
  options->user_data = session;
  session->gateway->asked = session->route;
  int error = wt_upgrade(request, options, &session->wt);
  session->gateway->asked = NULL;
  if (!error) {
    session->route->counts->sessions_total++;
    gateway_hurry(session->gateway);
    return 0;
  }
  *why = wt_request_error(request);
  return wt_upgrade_status(error);
}

static int session_upgrade_now(struct gateway_session *session, wt_request *request, const char **why) {
  const struct route_settings *settings = &session->route->settings;
  const char *protocols[ROUTE_PROTOCOLS_MAX];
  struct wt_upgrade_options options;
  wt_upgrade_options_default(&options);
  for (size_t i = 0; i < settings->protocol_count; i++) protocols[i] = settings->protocols[i];
  options.protocols = protocols;
  options.protocol_count = settings->protocol_count;
  return session_upgrade(session, request, &options, why);
}

bool gateway_session_begun(struct gateway_session *session, const struct gateway_answer *answer) {
  wt_request *request = session->request;
  struct wt_upgrade_options options;
  const char *why = answer->why;
  int status = answer->status;
  session->request = NULL;
  wt_request_set_callbacks(request, NULL, NULL);
  if (status < 300) {
    wt_upgrade_options_default(&options);
    options.status = status;
    options.protocols = &answer->protocol;
    options.protocol_count = answer->protocol[0] ? 1 : 0;
    options.headers = answer->headers;
    options.header_count = answer->header_count;
    status = session_upgrade(session, request, &options, &why);
    if (!status) return true;
    gateway_refuse(session->gateway, session->route, request, status, why, NULL, 0);
  } else {
    gateway_refuse(session->gateway, session->route, request, status, why, answer->headers, answer->header_count);
  }
  session_end(session, NULL);
  return false;
}

/* The client has gone before it had an answer. */
static void request_on_close(wt_request *request, int error, void *user_data) {
  struct gateway_session *session = user_data;
  const struct access_request known = {.route = session->route, .user = session->identity.user};
  (void)error;
  access_log_request(&session->gateway->access_log, request, &known);
  session->request = NULL;
  session_end(session, NULL);
}

static void request_keep(struct gateway_session *session, wt_request *request) {
  static const struct wt_request_callbacks callbacks = {.on_close = request_on_close};
  session->request = request;
  wt_request_set_callbacks(request, &callbacks, session);
}

/* The back end must not be asked for a page that may not ask. `wt_upgrade` looks again. */
static int origin_check(const struct route *route, const wt_request *request, const char **why) {
  *why = "The origin of the request is not allowed.";
  return origins_check(request, (void *)(uintptr_t)&route->settings.origins) ? 0 : 403;
}

int gateway_session_accept(struct gateway *gateway, struct route *route, wt_request *request, struct identity *identity,
                           const char **why) {
  *why = "The gateway has no memory.";
  struct gateway_session *session = session_new(gateway, route, wt_request_peer_address(request));
  if (!session) return 503;
  identity_move(&session->identity, identity);
  int status = bounds_check(route, session->peer, why);
  if (!status) status = origin_check(route, request, why);
  if (status) {
    session_free(session);
    return status;
  }
  session_link(session);
  bool begun = kind_of(session)->begin;
  if (begun) status = kind_of(session)->begin(session, request, why);
  if (status == BEGIN_LATER) {
    request_keep(session, request);
    return 0;
  }
  if (status) begun = false;
  if (!status) status = session_upgrade_now(session, request, why);
  if (!status) return 0;
  if (begun) kind_of(session)->end(session, NULL);
  session_unlink(session);
  session_free(session);
  return status;
}

/* --- Time and counts. --- */

bool gateway_session_is_idle(const struct gateway_session *session, uint64_t active_ms, uint64_t now_ms) {
  uint64_t limit = session->route->settings.idle_timeout_ms;
  return limit && now_ms >= active_ms && now_ms - active_ms >= limit;
}

void gateway_session_tick(struct gateway_session *session, uint64_t now_ms) {
  const struct backend_kind *kind = kind_of(session);
  uint64_t life = session->route->settings.max_life_ms;
  if (session->code || !session->wt) return;
  if (life && now_ms - session->began_ms >= life) {
    gateway_session_close(session, CODE_LIFE);
  } else if (session->identity.expires_ms && now_ms >= session->identity.expires_ms) {
    gateway_session_close(session, CODE_EXPIRED);
  } else if ((!kind->has_streams || !session->streams_open) &&
             gateway_session_is_idle(session, session->active_ms, now_ms)) {
    gateway_session_close(session, CODE_IDLE);
  } else if (kind->tick) {
    kind->tick(session, now_ms);
  }
}

bool gateway_session_begin_stream(struct gateway_session *session) {
  const struct route_settings *settings = &session->route->settings;
  struct route_counts *counts = session->route->counts;
  bool full = (settings->max_streams && counts->streams_open >= settings->max_streams) ||
              (settings->max_streams_per_address && session->peer->streams >= settings->max_streams_per_address);
  if (full) {
    session->streams_refused++;
    counts->streams_refused++;
    return false;
  }
  session->streams++;
  session->streams_open++;
  session->peer->streams++;
  counts->streams_open++;
  counts->streams_total++;
  return true;
}

void gateway_session_end_stream(struct gateway_session *session, enum gateway_code code) {
  session->streams_open--;
  session->peer->streams--;
  session->route->counts->streams_open--;
  session->active_ms = gateway_now(session->gateway);
  if (!code) return;
  session->streams_failed++;
  session->route->counts->ends[code]++;
}

size_t gateway_session_room(struct gateway_session *session, size_t wanted) {
  const struct route_settings *settings = &session->route->settings;
  if (!settings->rate && !settings->rate_per_address) return wanted;
  uint64_t now = gateway_now(session->gateway);
  size_t room = rate_room(&session->route->counts->rate, settings->rate, now, wanted);
  room = rate_room(&session->peer->rate, settings->rate_per_address, now, room);
  if (room < wanted) gateway_hurry(session->gateway);
  return room;
}

static void bytes_count(struct gateway_session *session, size_t bytes) {
  const struct route_settings *settings = &session->route->settings;
  session->active_ms = gateway_now(session->gateway);
  rate_take(&session->route->counts->rate, settings->rate, bytes);
  rate_take(&session->peer->rate, settings->rate_per_address, bytes);
}

void gateway_session_count_in(struct gateway_session *session, size_t bytes) {
  session->bytes_in += bytes;
  session->route->counts->bytes_in += bytes;
  bytes_count(session, bytes);
}

void gateway_session_count_out(struct gateway_session *session, size_t bytes) {
  session->bytes_out += bytes;
  session->route->counts->bytes_out += bytes;
  bytes_count(session, bytes);
}
