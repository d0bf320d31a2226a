/* SPDX-License-Identifier: MIT */
/*
 * Back ends that are servers of WebTransport, "https:": a session of the client is a session there, with all that a
 * session has. The gateway is a server to one side and a client to the other (draft section 1.1), so each side has its own
 * flow control, draft and limits; streams (relay.h), datagrams, ends and requests to end soon go through.
 *
 *     request --> dial --> answer --> both sessions --> one of them ends --> the other one is closed alike
 *                   \___________________________________ the client's request ends: the dial is cancelled
 *
 * The client is answered when the back end has answered: with its status, its subprotocol, and the header fields that
 * the route lets through. Sessions of many clients share connections to the back end as far as both ends allow that.
 *
 * `struct upstream` is what the client's session knows of the other one. It lives until both have ended.
 */
#include <stdlib.h>
#include <string.h>

#include "common/tool_log.h"
#include "gateway/backend.h"
#include "gateway/backend_client.h"
#include "gateway/backend_url.h"
#include "gateway/forwarded.h"
#include "gateway/relay.h"

enum {
  IDLE_TIMEOUT_MS = 3600 * 1000,
  OFFERS_MAX = 32, /* subprotocols of a client; further ones are not offered to the back end */
  OFFERS_SIZE = 4096,
};

struct upstream {
  struct relays relays; /* with the client's session, and both of the library */
  wt_dial *dial;        /* NULL: it is over */
};

static wt_session *backend_of(const struct upstream *upstream) { return upstream->relays.wt[SIDE_BACKEND]; }

/* --- What the back end does. --- */

static void backend_on_stream(wt_session *wt, wt_stream *stream, void *user_data) {
  struct upstream *upstream = user_data;
  (void)wt;
  if (upstream->relays.session) relay_open(&upstream->relays, SIDE_BACKEND, stream);
}

static void backend_on_stream_credit(wt_session *wt, enum wt_stream_kind kind, void *user_data) {
  struct upstream *upstream = user_data;
  (void)wt;
  relays_on_credit(&upstream->relays, SIDE_BACKEND, kind);
}

static void count_too_large(struct gateway_session *session, size_t len, const char *where) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  session->datagrams_too_large++;
  session->route->counts->datagrams_too_large++;
  log_limited(&limit, WT_LOG_WARN, "%s: a datagram of %zu bytes is too large for %s", session->route->settings.path,
              len, where);
}

/* Passes a datagram on. False: it was dropped, and counted. */
static bool datagram_pass(struct gateway_session *session, wt_session *to, const uint8_t *data, size_t len,
                          const char *where) {
  int error = gateway_session_room(session, len) < len ? WT_ERR_AGAIN : wt_session_send_datagram(to, data, len);
  if (!error) return true;
  if (error == WT_ERR_TOO_LARGE) {
    count_too_large(session, len, where);
    return false;
  }
  session->datagrams_dropped++;
  session->route->counts->datagrams_dropped++;
  return false;
}

static void backend_on_datagram(wt_session *wt, const uint8_t *data, size_t len, void *user_data) {
  struct gateway_session *session = ((struct upstream *)user_data)->relays.session;
  (void)wt;
  if (!session || !datagram_pass(session, session->wt, data, len, "the client's path")) return;
  session->datagrams_out++;
  session->route->counts->datagrams_out++;
  gateway_session_count_out(session, len);
}

static void backend_on_drain(wt_session *wt, void *user_data) {
  struct upstream *upstream = user_data;
  (void)wt;
  if (upstream->relays.session) wt_session_drain(upstream->relays.session->wt);
}

static void note_stats(struct gateway_session *session, const wt_session *backend) {
  struct wt_session_stats stats = {.size = sizeof stats};
  if (wt_session_get_stats(backend, &stats)) return;
  uint64_t dropped = stats.datagrams_dropped_outgoing + stats.datagrams_dropped_incoming;
  session->backend_rtt_us = session->route->counts->backend_rtt_us = stats.smoothed_rtt_us;
  session->datagrams_dropped += dropped;
  session->route->counts->datagrams_dropped += dropped;
}

static void backend_on_close(wt_session *wt, const struct wt_close_info *info, void *user_data) {
  struct upstream *upstream = user_data;
  struct gateway_session *session = upstream->relays.session;
  static struct log_limit limit = LOG_LIMIT_INIT;
  upstream->relays.wt[SIDE_BACKEND] = NULL;
  if (!session) {
    free(upstream);
    return;
  }
  note_stats(session, wt);
  if (info->clean) {
    session->ended_by_backend = true;
    wt_session_close(session->wt, info->code, info->reason, info->reason_len);
    return;
  }
  log_limited(&limit, WT_LOG_WARN, "%s -> %s: the session was lost: %s%s%s", session->route->settings.path,
              session->route->settings.target.text, wt_cause_name(info->cause), info->message[0] ? ": " : "",
              info->message);
  gateway_session_close(session, CODE_GONE);
}

static const struct wt_session_callbacks backend_callbacks = {
    .on_stream = backend_on_stream,
    .on_datagram = backend_on_datagram,
    .on_stream_credit = backend_on_stream_credit,
    .on_drain = backend_on_drain,
    .on_close = backend_on_close,
};

/* --- The answer. --- */

/* The status for a client whose session the back end did not take. */
static int status_of_failure(const struct wt_dial_result *result) {
  switch (result->error) {
    case WT_ERR_REJECTED: return result->status >= 300 ? result->status : 502;
    case WT_ERR_TIMEOUT: return 504;
    case WT_ERR_SESSION_LIMIT:
    case WT_ERR_AGAIN:
    case WT_ERR_NOMEM: return 503;
    default: return 502;
  }
}

static const char *sentence_of_failure(int status, const struct wt_dial_result *result) {
  if (result->error == WT_ERR_REJECTED && result->status) return "The back end refused the session.";
  if (status == 504) return "The back end did not answer in time (connect-timeout).";
  return status == 503 ? "The gateway cannot open another session to the back end."
                       : "The back end cannot be reached, or is no server of WebTransport.";
}

static void log_failure(const struct gateway_session *session, const struct wt_dial_result *result) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  log_limited(&limit, WT_LOG_WARN, "%s -> %s: %s", session->route->settings.path, session->route->settings.target.text,
              result->message);
}

static void answer_headers(const struct gateway_session *session, const wt_dial *dial, struct header_list *fields) {
  struct wt_header field;
  for (size_t i = 0; !wt_dial_get_header_at(dial, i, &field); i++)
    if (route_answer_header_passes(&session->route->settings, field.name) &&
        !header_list_add(fields, field.name, field.value))
      break;
}

static void upstream_on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct upstream *upstream = user_data;
  struct gateway_session *session = upstream->relays.session;
  struct header_list fields = {0};
  struct gateway_answer answer = {.status = result->status, .protocol = "", .why = ""};
  upstream->dial = NULL;
  upstream->relays.wt[SIDE_BACKEND] = result->session;
  if (!session) { /* the client has gone */
    const char *reason = gateway_code_reason(CODE_GONE);
    if (result->session)
      wt_session_close(result->session, CODE_GONE, reason, strlen(reason));
    else
      free(upstream);
    return;
  }
  if (result->session) {
    answer.protocol = wt_session_protocol(result->session);
  } else {
    log_failure(session, result);
    answer.status = status_of_failure(result);
    answer.why = sentence_of_failure(answer.status, result);
  }
  answer_headers(session, dial, &fields);
  answer.headers = fields.list;
  answer.header_count = fields.count;
  if (gateway_session_begun(session, &answer)) upstream->relays.wt[SIDE_CLIENT] = session->wt;
  header_list_free(&fields);
}

/* --- The request. --- */

/* The subprotocols that the client offers and the route allows; with a list of its own, only those that are on it. */
struct offers {
  const char *list[OFFERS_MAX];
  size_t count, used;
  char text[OFFERS_SIZE];
};

static bool protocol_allowed(const struct route_settings *settings, const char *protocol) {
  bool found = !settings->protocol_count;
  for (size_t i = 0; !found && i < settings->protocol_count; i++) found = !strcmp(settings->protocols[i], protocol);
  return found;
}

static void offers_read(const struct route_settings *settings, const wt_request *request, struct offers *offers) {
  offers->count = offers->used = 0;
  for (size_t i = 0; offers->count < OFFERS_MAX; i++) {
    char *at = offers->text + offers->used;
    if (wt_request_get_protocol_at(request, i, at, sizeof offers->text - offers->used)) return;
    if (!at[0] || !protocol_allowed(settings, at)) continue;
    offers->list[offers->count++] = at;
    offers->used += strlen(at) + 1;
  }
}

static int refuse(int status, const char **why) {
  *why = status == 431   ? "The request has too many header fields for the gateway."
         : status == 400 ? "The path or a header field of the request cannot be passed on."
                         : "The gateway has no memory, or too many connections to the back end.";
  return status;
}

static int dial_begin(struct upstream *upstream, const wt_request *request, const char *url,
                      const struct header_list *fields) {
  static const struct wt_dial_callbacks callbacks = {.on_done = upstream_on_done};
  const struct gateway_session *session = upstream->relays.session;
  const struct route_settings *settings = &session->route->settings;
  wt_client *client = backend_client_of(session->gateway, settings);
  struct wt_dial_options options;
  struct offers offers;
  offers_read(settings, request, &offers);
  wt_dial_options_default(&options);
  options.callbacks = &callbacks;
  options.session_callbacks = &backend_callbacks;
  options.user_data = options.session_user_data = upstream;
  options.headers = fields->list;
  options.header_count = fields->count;
  options.protocols = offers.list;
  options.protocol_count = offers.count;
  options.timeout_ms = settings->connect_timeout_ms;
  options.allow_pooling = settings->trust.sessions_per_connection > 1;
  if (settings->keep_host) options.authority = wt_request_authority(request);
  return wt_client_dial(client, url, &options, &upstream->dial);
}

static int upstream_begin(struct gateway_session *session, wt_request *request, const char **why) {
  const struct route_settings *settings = &session->route->settings;
  struct header_list fields = {0};
  int status;
  char *url = backend_url(settings, wt_request_path(request), wt_request_query(request), &status);
  if (!url) return refuse(status ? status : 503, why);
  struct upstream *upstream = calloc(1, sizeof *upstream);
  bool fits = forwarded_request(request, settings->trust_forwarded, &fields) &&
              identity_apply(&session->identity, &settings->auth.response_headers, &fields);
  int error = upstream ? 0 : WT_ERR_NOMEM;
  if (upstream) upstream->relays.session = session;
  if (!error && fits) error = dial_begin(upstream, request, url, &fields);
  header_list_free(&fields);
  free(url);
  if (!error && fits) {
    session->backend = upstream;
    return BEGIN_LATER;
  }
  free(upstream);
  if (!error) return refuse(431, why);
  return refuse(error == WT_ERR_INVALID || error == WT_ERR_ADDRESS ? 400 : 503, why);
}

/* --- What the client does. --- */

static void upstream_on_stream(struct gateway_session *session, wt_stream *stream) {
  relay_open(&((struct upstream *)session->backend)->relays, SIDE_CLIENT, stream);
}

static void upstream_on_stream_credit(struct gateway_session *session, enum wt_stream_kind kind) {
  relays_on_credit(&((struct upstream *)session->backend)->relays, SIDE_CLIENT, kind);
}

static void upstream_on_datagram(struct gateway_session *session, const uint8_t *data, size_t len) {
  wt_session *backend = backend_of(session->backend);
  if (!backend || !datagram_pass(session, backend, data, len, "the back end's path")) return;
  session->datagrams_in++;
  session->route->counts->datagrams_in++;
  gateway_session_count_in(session, len);
}

static void upstream_on_drain(struct gateway_session *session) {
  wt_session *backend = backend_of(session->backend);
  if (backend) wt_session_drain(backend);
}

static void upstream_tick(struct gateway_session *session, uint64_t now_ms) {
  (void)now_ms;
  relays_tick(&((struct upstream *)session->backend)->relays);
}

/* Closes the back end's session as the client's has ended. */
static void backend_close(const struct gateway_session *session, wt_session *backend,
                          const struct wt_close_info *info) {
  if (info && info->clean) {
    wt_session_close(backend, info->code, info->reason, info->reason_len);
    return;
  }
  enum gateway_code code = session->code ? session->code : CODE_GONE;
  wt_session_close(backend, (uint32_t)code, gateway_code_reason(code), strlen(gateway_code_reason(code)));
}

static void upstream_end(struct gateway_session *session, const struct wt_close_info *info) {
  struct upstream *upstream = session->backend;
  wt_session *backend = backend_of(upstream);
  session->backend = NULL;
  upstream->relays.wt[SIDE_CLIENT] = NULL;
  relays_end(&upstream->relays);
  if (backend) {
    note_stats(session, backend);
    backend_close(session, backend, info);
  } else if (upstream->dial) {
    wt_dial_cancel(upstream->dial);
  } else {
    free(upstream);
  }
}

const struct backend_kind https_backend = {
    .scheme = "https",
    .url_port = 443,
    .idle_timeout_ms = IDLE_TIMEOUT_MS,
    .takes_unidirectional = true,
    .has_sessions = true,
    .has_requests = true,
    .begin = upstream_begin,
    .on_stream = upstream_on_stream,
    .on_stream_credit = upstream_on_stream_credit,
    .on_datagram = upstream_on_datagram,
    .on_drain = upstream_on_drain,
    .tick = upstream_tick,
    .end = upstream_end,
};
