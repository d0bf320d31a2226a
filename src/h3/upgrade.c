/* SPDX-License-Identifier: MIT */
/*
 * From a request to a session: `wt_upgrade`.
 *
 * The checks come in an order in which the first failure is the most useful one to report: is it a request for a session,
 * can it be answered, can client and server speak WebTransport (draft section 3.1), is the origin allowed (section 3.2), is
 * there room for another session, and last the subprotocol (section 3.3). Until all have passed nothing is sent or changed,
 * so that the handler can answer in another way. The same holds if memory runs out: the session is made before the answer.
 *
 * After the upgrade the stream belongs to a `wt__h3_connect`, through which core reads and writes capsules. Capsules that
 * came before go to the session in the next pass: they may call the application, and `wt_upgrade` is itself a call by the
 * application.
 *
 * How fast sessions may follow each other is limited (section 5.2), so that opening and closing them cannot keep the
 * application busy. The burst is large enough to open all that a client may have at once.
 */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/sized.h"
#include "h3/answer.h"
#include "h3/browser.h"
#include "h3/conn.h"
#include "h3/conn_state.h"
#include "h3/connect.h"
#include "h3/fields.h"
#include "h3/priority.h"
#include "h3/request.h"
#include "h3/role.h"
#include "h3/session_fields.h"
#include "h3/settings.h"
#include "h3/streams.h"
#include "wire/error_code.h"
#include "wire/origin.h"
#include "wire/sfv.h"

/* --- Options --- */

void wt_upgrade_options_init(struct wt_upgrade_options *options, size_t size) {
  const struct wt_upgrade_options all = {.size = sizeof(all), .status = 200};
  wt__sized_init(options, size, &all, sizeof(all));
}

static bool protocols_are_set(const struct wt_upgrade_options *options) {
  if (options->protocol_count > 0 && !options->protocols) return false;
  for (size_t i = 0; i < options->protocol_count; i++) {
    if (!options->protocols[i]) return false;
  }
  return true;
}

/* Puts what `given` says into `options` and `callbacks`. */
static int options_read(wt_request *request, const struct wt_upgrade_options *given, struct wt_upgrade_options *options,
                        struct wt_session_callbacks *callbacks) {
  wt_upgrade_options_default(options);
  int error = given ? wt__sized_read(options, sizeof(*options), given, sizeof(*options)) : 0;
  if (error)
    return wt__request_error(request, error, "call wt_upgrade_options_default first: no version has this size");
  error = wt__sized_read_table(callbacks, sizeof(*callbacks), options->callbacks, sizeof(*callbacks));
  if (error) return wt__request_error(request, error, "the table of callbacks has a size that no version has");
  options->callbacks = callbacks;
  if (!protocols_are_set(options)) return wt__request_error(request, WT_ERR_INVALID, "a subprotocol is NULL");
  if (options->status >= 200 && options->status <= 299) return 0;
  return wt__request_error(request, WT_ERR_INVALID, "a session is accepted with a status from 200 to 299");
}

int wt_upgrade_status(int error) {
  switch (error) {
    case WT_ERR_ORIGIN: return 403;
    case WT_ERR_SESSION_LIMIT: return 429;
    case WT_ERR_NOT_WEBTRANSPORT:
    case WT_ERR_SETTINGS:
    case WT_ERR_SUBPROTOCOL: return 400;
    default: return 500;
  }
}

/* --- Checks --- */

static int check_settings(wt_request *request) {
  struct wt__h3_conn *conn = request->conn;
  const char *missing;
  if (!conn->has_settings) {
    snprintf(request->error_text, sizeof(request->error_text), "the client's SETTINGS did not arrive within %llu ms",
             (unsigned long long)conn->config->settings_timeout_ms);
    return wt__request_error(request, WT_ERR_SETTINGS, request->error_text);
  }
  missing = wt__settings_missing_from_client(&conn->peer, conn->peer_max_datagram, wt__h3_reset_at_suffices(conn));
  return missing ? wt__request_error(request, WT_ERR_SETTINGS, missing) : 0;
}

static int check_origin(wt_request *request) {
  const struct wt__h3_config *config = request->conn->config;
  bool allowed = config->check_origin ? config->check_origin(request, config->check_origin_user_data)
                                      : !request->origin || wt__origin_same(request->origin, request->authority);
  return allowed ? 0 : wt__request_error(request, WT_ERR_ORIGIN, "the origin of the request is not allowed");
}

static int check_limit(wt_request *request) {
  const struct wt__h3_conn *conn = request->conn;
  if (conn->mux.sessions_open < wt__settings_max_sessions(conn)) return 0;
  return wt__request_error(request, WT_ERR_SESSION_LIMIT, "the connection has as many sessions as are allowed");
}

/* Asked last: from here on only memory can stand in the way of the session. */
static int check_rate(wt_request *request) {
  struct wt__h3_conn *conn = request->conn;
  if (conn->config->max_session_rate == 0 || wt__rate_take(&conn->session_rate, conn->now)) return 0;
  return wt__request_error(request, WT_ERR_SESSION_LIMIT, "new sessions come too fast on the connection");
}

static const char *request_scheme(const wt_request *request) {
  const char *scheme = wt__fields_find(&request->fields, ":scheme", NULL);
  return scheme ? scheme : "";
}

static int check_all(wt_request *request) {
  if (!request->is_webtransport) {
    return wt__request_error(request, WT_ERR_NOT_WEBTRANSPORT, "the request does not ask for a WebTransport session");
  }
  if (strcasecmp(request_scheme(request), "https") != 0) { /* RFC 3986, section 3.1 */
    return wt__request_error(request, WT_ERR_NOT_WEBTRANSPORT, "the scheme of a WebTransport request has to be https");
  }
  int error = wt__answer_check(request);
  if (!error) error = check_settings(request);
  if (!error) error = check_origin(request);
  if (!error) error = check_limit(request);
  return error;
}

/* --- The subprotocol --- */

static const char *protocol_match(const char *list, const struct wt_upgrade_options *options, char *member,
                                  size_t size) {
  struct wt__sfv_list at = {list, list + strlen(list), true};
  size_t len;
  while (wt__sfv_list_next(&at, member, size, &len) == 1) {
    for (size_t i = 0; i < options->protocol_count; i++) {
      if (strlen(options->protocols[i]) == len && memcmp(options->protocols[i], member, len) == 0) {
        return options->protocols[i];
      }
    }
  }
  return NULL;
}

/* The first of the client's list that is among ours, or "". A malformed list counts as none (section 3.3). */
static int protocol_choose(wt_request *request, const struct wt_upgrade_options *options, const char **chosen) {
  const char *list = options->protocol_count > 0 ? wt__fields_value(&request->fields, "wt-available-protocols") : NULL;
  char *member;
  int error = 0;
  *chosen = "";
  if (list && wt__sfv_list_valid(list, strlen(list), strlen(list) + 1)) {
    member = wt__malloc(strlen(list) + 1);
    if (member) {
      const char *match = protocol_match(list, options, member, strlen(list) + 1);
      if (match) *chosen = match;
      wt__free(member);
    } else {
      error = wt__request_error(request, WT_ERR_NOMEM, "out of memory");
    }
  }
  if (!error && **chosen == '\0' && options->require_protocol) {
    error = wt__request_error(request, WT_ERR_SUBPROTOCOL, "client and server have no subprotocol in common");
  }
  return error;
}

int wt_request_get_protocol_at(const wt_request *request, size_t index, char *protocol, size_t size) {
  if (protocol && size > 0) *protocol = '\0';
  if (!request || !protocol || size == 0) return WT_ERR_INVALID;
  const char *list = wt__fields_value(&request->fields, "wt-available-protocols");
  if (!list || !wt__sfv_list_valid(list, strlen(list), strlen(list) + 1)) return WT_ERR_NOT_FOUND;
  char *member = wt__malloc(strlen(list) + 1);
  if (!member) return WT_ERR_NOMEM;
  struct wt__sfv_list at = {list, list + strlen(list), true};
  size_t len = 0, found = 0;
  int more = wt__sfv_list_next(&at, member, strlen(list) + 1, &len);
  while (more == 1 && found++ < index) more = wt__sfv_list_next(&at, member, strlen(list) + 1, &len);
  int error = more != 1 ? WT_ERR_NOT_FOUND : len >= size ? WT_ERR_TOO_LARGE : 0;
  if (!error) memcpy(protocol, member, len + 1);
  wt__free(member);
  return error;
}

/* --- The answer --- */

static int answer_accept(wt_request *request, const struct wt_upgrade_options *options, const char *protocol,
                         int draft) {
  size_t count = options->header_count, size = 2 * strlen(protocol) + 3;
  struct wt_header *headers;
  char *text = NULL;
  int error;
  if (count > 0 && !options->headers) {
    return wt__request_error(request, WT_ERR_INVALID, "the header fields are missing");
  }
  for (size_t i = 0; i < count; i++) {
    if (options->headers[i].name && strcmp(options->headers[i].name, "content-length") == 0) {
      return wt__request_error(request, WT_ERR_INVALID, "an accepted session has no content-length");
    }
  }
  headers = wt__calloc(count + 2, sizeof(*headers));
  if (*protocol) text = wt__malloc(size);
  if (!headers || (*protocol && !text)) {
    error = wt__request_error(request, WT_ERR_NOMEM, "out of memory");
  } else if (*protocol && wt__sfv_string_write(text, size, protocol) == 0) {
    error = wt__request_error(request, WT_ERR_INVALID, "the subprotocol has a character that cannot be sent");
  } else {
    if (count > 0) memcpy(headers, options->headers, count * sizeof(*headers));
    if (*protocol) headers[count++] = (struct wt_header){"wt-protocol", text};
    if (draft == 2) headers[count++] = (struct wt_header){"sec-webtransport-http3-draft", "draft02"};
    error = wt__answer_submit(request, options->status, headers, count, NULL, true);
  }
  wt__free(headers);
  wt__free(text);
  return error;
}

/* --- The upgrade --- */

static int session_make(wt_request *request, const struct wt_upgrade_options *options, const char *protocol, int draft,
                        wt_session **session) {
  struct wt__h3_conn *conn = request->conn;
  struct wt__flow_limits limits;
  struct wt__session_params params = {
      .path = request->target,
      .protocol = protocol,
      .peer_address = conn->peer_address,
      .draft = draft,
      .peer_limits = wt__control_flow(conn, &limits) ? &limits : NULL,
      .urgency = wt__priority_of_request(conn, request->id),
      .callbacks = options->callbacks,
      .user_data = options->user_data,
  };
  return wt__mux_session_new(&conn->mux, request->id, &params, session);
}

/* While the request has its fields. */
static void session_measure(const wt_request *request, int draft) {
  struct wt__measures *measures = request->conn->config->mux.measures;
  const struct wt__browser_signs signs = {
      .origin = request->origin,
      .user_agent = wt__fields_value(&request->fields, "user-agent"),
      .settings = request->conn->peer_settings,
      .setting_count = request->conn->peer_setting_count,
  };
  if (measures) wt__measures_accepted(measures, draft, wt__browser_guess(&signs));
}

/* The stream is the session's from here on; the request ends without another word. */
static void request_hand_over(wt_request *request, struct wt__h3_connect *connect) {
  struct wt__h3_conn *conn = request->conn;
  struct wt__h3_stream *stream = request->stream;
  wt__session_fields_move(connect->fields, &request->fields);
  wt__session_fields_note(connect->fields, request->route, request->status);
  request->method = request->target = request->authority = request->protocol = "";
  request->origin = NULL;
  wt__connect_give_fields(connect);
  connect->early = wt__buf_move(&request->in.kept);
  connect->early_pending = true;
  connect->fin_pending = request->in.fin;
  request->ended = WT__REQUEST_UPGRADED;
  request->stream = NULL;
  wt__role_set(stream, &wt__role_connect, connect);
  wt__request_set_due(request);
  wt__list_push_back(&conn->connects, &connect->link);
  wt__list_push_back(&conn->due_connects, &connect->due);
}

/* Capsules are few and small, and must not wait behind a large answer. */
static void connect_set_priority(struct wt__h3_conn *conn, int64_t id) {
  const nghttp3_pri pri = {.urgency = NGHTTP3_URGENCY_HIGH, .inc = 1};
  (void)nghttp3_conn_set_server_stream_priority(wt__h3_http(conn), id, &pri);
}

int wt_upgrade(wt_request *request, const struct wt_upgrade_options *given, wt_session **session) {
  struct wt_upgrade_options options;
  struct wt_session_callbacks callbacks;
  struct wt__h3_connect *connect;
  const char *protocol = "";
  if (session) *session = NULL;
  if (!request) return WT_ERR_INVALID;
  struct wt__h3_conn *conn = request->conn;
  int draft, error = options_read(request, given, &options, &callbacks);
  if (!error) error = check_all(request);
  if (!error) error = protocol_choose(request, &options, &protocol);
  if (!error) error = check_rate(request);
  if (error) return error;
  connect = wt__connect_new(conn, request->stream, request->in.kept.max);
  if (!connect) return wt__request_error(request, WT_ERR_NOMEM, "out of memory");
  draft = wt__settings_draft(&conn->peer);
  error = session_make(request, &options, protocol, draft, &connect->session);
  if (error) {
    wt__connect_free(connect);
    return wt__request_error(request, error, "out of memory");
  }
  /* The answer is last, since it cannot be taken back. */
  error = answer_accept(request, &options, protocol, draft);
  if (error) {
    wt__mux_session_undo(connect->session);
    wt__connect_free(connect);
    return error;
  }
  connect_set_priority(conn, request->id);
  WT__INFO_LIMITED(conn->config->log, conn->config->session_lines, conn->now,
                   WT__EVENT_OF("session_opened", WT__H3_CONNECTION(conn), WT__INTEGER("session", request->id),
                                WT__TEXT("path", request->path), WT__TEXT("origin", request->origin),
                                WT__TEXT("protocol", *protocol ? protocol : NULL), WT__INTEGER("draft", draft)),
                   "session %lld from %s: %s, draft %d", (long long)request->id, conn->peer_address, request->path,
                   draft);
  session_measure(request, draft);
  if (request->route_counts) atomic_fetch_add_explicit(&request->route_counts->sessions, 1, memory_order_relaxed);
  request_hand_over(request, connect);
  if (conn->config->counters) conn->config->counters->sessions_total++;
  wt__h3_count_sessions(conn);
  wt__h3_wake(conn);
  if (session) *session = connect->session;
  return 0;
}
