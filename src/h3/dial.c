/* SPDX-License-Identifier: MIT */
/*
 * A client's dial: its request for a session, from the wait for the SETTINGS to the callback with the answer.
 *
 *   dial --> WAITING ----------------> SENT -----------------------------> REPLIED --> on_reply, freed
 *            for the SETTINGS, then    Extended CONNECT sent;              2xx: with a session
 *            for a stream              1xx answers are skipped             else: why there is none
 *
 * A dial waits for the SETTINGS because they tell which draft the server speaks, and so the protocol's name in the
 * request, and because a client must not send a request for a session to a server that lacks something.
 *
 * Arrivals only set marks. `wt__dials_run` calls the application, before any callback of the session.
 *
 * The request is written in dial_request.c, the answer is read in dial_answer.c, and the session is made in
 * dial_session.c.
 */

#include "h3/dial.h"

#include "base/list.h"
#include "base/mem.h"
#include "h3/client.h"
#include "h3/client_conn_state.h"
#include "h3/conn_state.h"
#include "h3/connect.h"
#include "h3/dial_answer.h"
#include "h3/dial_request.h"
#include "h3/dial_session.h"
#include "h3/dial_state.h"
#include "h3/fields.h"
#include "h3/http.h"
#include "h3/role.h"
#include "h3/settings.h"
#include "h3/streams.h"
#include "wire/error_code.h"

#define DIAL_OF(l, member) WT__CONTAINER_OF(l, struct wt__h3_dial, member)

static void dial_free(struct wt__h3_dial *dial) {
  if (dial->stream) (void)wt__dial_leave_stream(dial);
  if (wt__link_linked(&dial->link)) dial->conn->requests_open--;
  wt__list_remove(&dial->link);
  wt__list_remove(&dial->due);
  wt__fields_free(&dial->request);
  wt__fields_free(&dial->answer);
  wt__free(dial->protocols);
  wt__free(dial);
}

int wt__h3_dial(struct wt__h3_conn *conn, const struct wt__h3_dial_options *options, struct wt__h3_dial **out) {
  struct wt__h3_dial *dial;
  if (conn->closing || conn->client->goaway) return WT_ERR_CLOSED;
  if (!options->authority || !options->path || options->path[0] != '/' || !options->on_reply) return WT_ERR_INVALID;
  dial = wt__calloc(1, sizeof(*dial));
  if (!dial) return WT_ERR_NOMEM;
  dial->conn = conn;
  dial->id = -1;
  dial->require_protocol = options->require_protocol;
  dial->optimistic = options->optimistic;
  dial->callbacks = options->callbacks;
  dial->user_data = options->user_data;
  dial->on_asked = options->on_asked;
  dial->on_reply = options->on_reply;
  dial->reply_data = options->reply_data;
  dial->message = "";
  wt__link_init(&dial->link);
  wt__link_init(&dial->due);
  wt__fields_init(&dial->request, conn->config->max_header_bytes);
  wt__fields_init(&dial->answer, conn->config->max_header_bytes);
  int error = wt__dial_write_request(dial, options);
  if (error) {
    dial_free(dial);
    return error;
  }
  wt__list_push_back(&conn->client->dials, &dial->link);
  wt__list_push_back(&conn->client->waiting_dials, &dial->due);
  conn->requests_open++;
  conn->client->try_waiting = conn->client->used = true;
  wt__h3_wake(conn);
  if (out) *out = dial;
  return 0;
}

void wt__h3_dial_cancel(struct wt__h3_dial *dial) {
  dial->cancelled = dial->state != WT__DIAL_REPLIED;
  wt__dial_replied(dial, WT_ERR_CLOSED, WT__H3_REQUEST_CANCELLED, "the request was cancelled");
}

const char *wt__h3_dial_header(const struct wt__h3_dial *dial, const char *name) {
  return wt__fields_header_value(&dial->answer, name);
}

int wt__h3_dial_header_at(const struct wt__h3_dial *dial, size_t index, struct wt_header *header) {
  return wt__fields_at(&dial->answer, index, false, header);
}

/* --- Sending the request --- */

/* The most sessions that the server lets a connection have at a time. From draft 15 on that is one without session
 * flow control (section 5.1); before, a setting says it. */
static size_t client_max_sessions(const struct wt__h3_conn *conn, int draft) {
  uint64_t max = conn->config->max_sessions_per_connection, theirs = max;
  struct wt__flow_limits limits;
  if (draft >= 15) {
    theirs = wt__control_flow(conn, &limits) ? max : 1;
  } else if (draft >= 7) {
    theirs = draft >= 13 ? conn->peer.wt_draft13 : conn->peer.wt_draft07;
  }
  return (size_t)(theirs < max ? theirs : max);
}

/* The stream exists; from here on a failure ends it, too. */
static void dial_send(struct wt__h3_dial *dial, int draft) {
  struct wt__h3_conn *conn = dial->conn;
  dial->stream = wt__streams_add(conn, dial->id, WT__H3_HTTP);
  wt__list_remove(&dial->due);
  dial->state = WT__DIAL_SENT;
  conn->client->dials_sent++;
  if (!dial->stream) {
    wt__h3_reset_stream(conn, dial->id, WT__H3_REQUEST_CANCELLED);
    wt__h3_stop_sending(conn, dial->id, WT__H3_REQUEST_CANCELLED);
    wt__dial_replied(dial, WT_ERR_NOMEM, WT__H3_REQUEST_CANCELLED, "out of memory");
    return;
  }
  wt__role_set(dial->stream, &wt__role_dial, dial);
  dial->stream->reading = WT__H3_MAY_TUNNEL;
  dial->stream->response_to = WT__RESPONSE_TO_CONNECT;
  int error = wt__dial_submit(dial, draft);
  if (error == WT_ERR_TOO_LARGE) {
    wt__dial_replied(dial, error, WT__H3_REQUEST_CANCELLED, WT__REQUEST_TOO_LARGE_REASON);
  } else if (error == NGHTTP3_ERR_CONN_CLOSING) {
    wt__dial_replied(dial, WT_ERR_CLOSED, WT__H3_REQUEST_CANCELLED, "the server takes no new requests");
  } else if (error) { /* nghttp3 has half of it */
    wt__h3_fail_http(conn, error);
  } else if (dial->optimistic) {
    wt__dial_make_unanswered(dial);
  }
  wt__h3_wake(conn);
}

bool wt__h3_conn_may_dial(const struct wt__h3_conn *conn) {
  const struct wt__h3_client *client = conn->client;
  size_t waiting = 0;
  if (conn->closing || client->goaway || client->missing) return false;
  if (!client->ready) return wt__list_empty(&client->dials);
  WT__LIST_FOREACH(it, next, &client->waiting_dials) { waiting++; }
  return conn->mux.sessions_open + client->dials_sent + waiting <
         client_max_sessions(conn, wt__settings_draft(&conn->peer));
}

void wt__dials_send(struct wt__h3_conn *conn) {
  struct wt__h3_client *client = conn->client;
  int draft = wt__settings_draft(&conn->peer);
  struct wt__link *first;
  while (!conn->closing && (first = wt__list_first(&client->waiting_dials))) {
    struct wt__h3_dial *dial = DIAL_OF(first, due);
    if (client->goaway) {
      wt__dial_replied(dial, WT_ERR_CLOSED, 0, "the server takes no new requests");
      continue;
    }
    if (client->missing) {
      wt__dial_replied(dial, WT_ERR_SETTINGS, 0, client->missing);
      continue;
    }
    if (!client->ready) return;
    if (conn->mux.sessions_open + client->dials_sent >= client_max_sessions(conn, draft)) {
      wt__dial_replied(dial, WT_ERR_SESSION_LIMIT, 0, "the connection has as many sessions as the server allows");
      continue;
    }
    int error = conn->transport->open_stream(conn->ctx, false, &dial->id);
    if (error == WT_ERR_STREAM_LIMIT) return;
    if (error) {
      dial->id = -1;
      wt__dial_replied(dial, error, 0, wt_error_string(error));
      continue;
    }
    dial_send(dial, draft);
  }
}

void wt__dials_goaway(struct wt__h3_conn *conn, int64_t id) {
  WT__LIST_FOREACH(it, next, &conn->client->dials) {
    struct wt__h3_dial *dial = DIAL_OF(it, link);
    if (dial->state == WT__DIAL_SENT && dial->id >= id) {
      dial->refused_by_goaway = true;
      wt__dial_replied(dial, WT_ERR_CLOSED, WT__H3_REQUEST_CANCELLED,
                       "the server is going away and left the request aside");
    }
  }
}

/* --- Telling --- */

/* Nothing more is wanted of the request's stream. */
static void dial_abort(struct wt__h3_dial *dial) {
  struct wt__h3_conn *conn = dial->conn;
  struct wt__h3_connect *connect;
  if (!dial->session && dial->id >= 0) wt__mux_session_refused(&conn->mux, dial->id);
  if (!dial->stream) return;
  connect = wt__dial_leave_stream(dial);
  if (connect) {
    wt__connect_reset(connect, dial->abort_code);
    return;
  }
  if (conn->lone_fin_id == dial->id) conn->lone_fin_id = -1;
  wt__h3_reset_stream(conn, dial->id, dial->abort_code);
  wt__h3_stop_sending(conn, dial->id, dial->abort_code);
  nghttp3_conn_shutdown_stream_write(wt__h3_http(conn), dial->id);
  wt__http_stop_reading(conn, dial->id);
}

static void dial_tell(struct wt__h3_dial *dial) {
  struct wt__h3_reply reply = {
      .error = dial->error,
      .status = dial->status,
      .wire_code = dial->wire_code,
      .message = dial->message,
      .end = dial->end,
      .dial = dial,
  };
  wt__list_remove(&dial->due);
  if (dial->session && dial->error != 0) wt__dial_refuse_session(dial);
  reply.session = dial->session;
  dial->on_reply(&reply, dial->reply_data);
  if (dial->session) wt__session_answered(dial->session);
  dial_free(dial);
}

void wt__dials_run(struct wt__h3_conn *conn) {
  struct wt__link *first;
  while (!conn->closing && (first = wt__list_first(&conn->client->due_dials))) {
    struct wt__h3_dial *dial = DIAL_OF(first, due);
    dial_abort(dial);
    dial_tell(dial);
  }
}

void wt__dials_end(struct wt__h3_conn *conn) {
  struct wt__h3_client *client = conn->client;
  struct wt__link *first;
  while ((first = wt__list_first(&client->dials))) {
    struct wt__h3_dial *dial = DIAL_OF(first, link);
    if (dial->state != WT__DIAL_REPLIED) dial->end = &client->end;
    wt__dial_replied(dial, client->end.error, 0, wt__client_end_reason(client));
    dial_tell(dial);
  }
}
