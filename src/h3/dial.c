/* SPDX-License-Identifier: MIT */
/*
 * A client's request for a session (draft sections 3.2 and 3.3), from its wait for the SETTINGS to the answer.
 *
 *   dial --> WAITING ----------------> SENT -----------------------------> REPLIED --> on_reply, freed
 *            for the SETTINGS, then    Extended CONNECT sent;              2xx: with a session
 *            for a stream              1xx answers are skipped             else: why there is none
 *
 * A dial waits for the SETTINGS because they tell which draft the server speaks, and so the protocol's name in the request,
 * and because a client must not send a request for a session to a server that lacks something.
 *
 * Arrivals only set marks. `wt__dials_run` calls the application, before any callback of the session. The session is made
 * at once when the answer accepts it, so that its capsules and streams find it; core holds them back until then.
 *
 * An optimistic dial makes its session when it sends the request. Streams and datagrams may then go out before the answer,
 * and the server keeps them (section 4.6). Until the answer, the stream has both a dial and a session: the dial gets the
 * header section of the answer, the session gets what follows. If the server refuses, the session ends before the dial.
 *
 * The fields of the request are kept in the form in which a server keeps received ones (fields.c), because a dial may wait
 * longer than its caller's strings live.
 */

#include "h3/dial.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/sched.h"
#include "h3/client.h"
#include "h3/client_conn_state.h"
#include "h3/conn_state.h"
#include "h3/connect.h"
#include "h3/fields.h"
#include "h3/header_check.h"
#include "h3/http.h"
#include "h3/role.h"
#include "h3/session_fields.h"
#include "h3/settings.h"
#include "h3/stalls.h"
#include "h3/streams.h"
#include "wire/error_code.h"
#include "wire/sfv.h"

#define NV_MAX 64 /* fields of a request for a session */

enum dial_state {
  DIAL_WAITING,
  DIAL_SENT,
  DIAL_REPLIED
};

struct wt__h3_dial {
  struct wt__h3_conn *conn;
  struct wt__h3_stream *stream; /* NULL before it is sent, after QUIC has closed it, and once there is a session */
  int64_t id;
  struct wt__link link; /* in `dials` */
  struct wt__link due;  /* in `waiting_dials` or `due_dials` */
  enum dial_state state;
  struct wt__fields request, answer;
  char *protocols; /* the list that was offered, or NULL */
  bool require_protocol, optimistic;
  bool cancelled;         /* by the application */
  bool refused_by_goaway; /* by the server, which is going away */
  struct wt_session_callbacks callbacks;
  void *user_data;
  void (*on_asked)(wt_session *session, void *reply_data);
  void (*on_reply)(const struct wt__h3_reply *reply, void *reply_data);
  void *reply_data;
  wt_session *session;            /* of an optimistic one: since it was asked for */
  struct wt__h3_connect *connect; /* its, while the stream is the dial's */
  int error, status;
  uint64_t wire_code, abort_code;
  uint64_t sent; /* bytes of the stream, before there was a session */
  const char *message;
  const struct wt__h3_end *end; /* of the connection, if that is why */
};

#define DIAL_OF(l, member) WT__CONTAINER_OF(l, struct wt__h3_dial, member)

static const struct wt__role role_dial;

/* --- One dial --- */

/* The dial gives up its stream. If there is a session, the stream is its now; returns the session's connect, or NULL. */
static struct wt__h3_connect *dial_leave_stream(struct wt__h3_dial *dial) {
  struct wt__h3_connect *connect = dial->connect;
  if (connect) {
    wt__role_set(dial->stream, &wt__role_connect, connect);
    connect->holder = NULL;
  } else {
    wt__role_leave(dial->stream);
  }
  dial->stream = NULL;
  dial->connect = NULL;
  return connect;
}

static void dial_replied(struct wt__h3_dial *dial, int error, uint64_t abort_code, const char *message) {
  if (dial->state == DIAL_REPLIED) return;
  if (dial->state == DIAL_SENT && !dial->session) dial->conn->client->dials_sent--;
  dial->state = DIAL_REPLIED;
  dial->error = error;
  dial->abort_code = abort_code;
  dial->message = message;
  wt__list_remove(&dial->due);
  wt__list_push_back(&dial->conn->client->due_dials, &dial->due);
  wt__h3_wake(dial->conn);
}

/* --- The request --- */

static int dial_add(struct wt__h3_dial *dial, const char *name, const char *value) {
  return wt__fields_add_text(&dial->request, name, value);
}

/* Writes the list of subprotocols as a structured field. */
static int dial_write_protocols(struct wt__h3_dial *dial, const struct wt__h3_dial_options *options) {
  size_t size = 1, at = 0;
  for (size_t i = 0; i < options->protocol_count; i++) size += 2 * strlen(options->protocols[i]) + 4;
  dial->protocols = wt__malloc(size);
  if (!dial->protocols) return WT_ERR_NOMEM;
  for (size_t i = 0; i < options->protocol_count; i++) {
    size_t n;
    if (i > 0) {
      memcpy(dial->protocols + at, ", ", 2);
      at += 2;
    }
    n = wt__sfv_string_write(dial->protocols + at, size - at, options->protocols[i]);
    if (n == 0) return WT_ERR_INVALID;
    at += n;
  }
  return dial_add(dial, "wt-available-protocols", dial->protocols);
}

static int dial_write_request(struct wt__h3_dial *dial, const struct wt__h3_dial_options *options) {
  if (options->header_count > NV_MAX - 8) return WT_ERR_TOO_LARGE;
  int error = dial_add(dial, ":authority", options->authority);
  if (!error) error = dial_add(dial, ":path", options->path);
  if (!error && options->origin) error = dial_add(dial, "origin", options->origin);
  for (size_t i = 0; !error && i < options->header_count; i++) {
    const struct wt_header *header = &options->headers[i];
    bool valid = wt__request_header_valid(header) && !(options->origin && strcmp(header->name, "origin") == 0);
    error = valid ? dial_add(dial, header->name, header->value) : WT_ERR_INVALID;
  }
  if (!error && options->protocol_count > 0) error = dial_write_protocols(dial, options);
  return error;
}

static void dial_free(struct wt__h3_dial *dial) {
  if (dial->stream) (void)dial_leave_stream(dial);
  if (wt__link_linked(&dial->link)) dial->conn->requests_open--;
  wt__list_remove(&dial->link);
  wt__list_remove(&dial->due);
  wt__fields_free(&dial->request);
  wt__fields_free(&dial->answer);
  wt__free(dial->protocols);
  wt__free(dial);
}

int wt__h3_dial_check(const struct wt__h3_dial_options *options, size_t max_header_bytes) {
  struct wt__h3_dial dial = {0};
  wt__fields_init(&dial.request, max_header_bytes);
  int error = dial_write_request(&dial, options);
  wt__fields_free(&dial.request);
  wt__free(dial.protocols);
  return error;
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
  int error = dial_write_request(dial, options);
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
  dial->cancelled = dial->state != DIAL_REPLIED;
  dial_replied(dial, WT_ERR_CLOSED, WT__H3_REQUEST_CANCELLED, "the request was cancelled");
}

const char *wt__h3_dial_header(const struct wt__h3_dial *dial, const char *name) {
  return name[0] == ':' ? NULL : wt__fields_value(&dial->answer, name);
}

int wt__h3_dial_header_at(const struct wt__h3_dial *dial, size_t index, struct wt_header *header) {
  return wt__fields_at(&dial->answer, index, false, header);
}

/* 0, WT_ERR_TOO_LARGE, or an error of nghttp3. */
static int dial_submit(struct wt__h3_dial *dial, int draft) {
  const struct wt__fields *fields = &dial->request;
  nghttp3_nv nv[NV_MAX];
  size_t count = 0;
  nv[count++] = wt__fields_nv(":method", "CONNECT");
  nv[count++] = wt__fields_nv(":protocol", draft >= 15 ? "webtransport-h3" : "webtransport");
  nv[count++] = wt__fields_nv(":scheme", "https");
  count += wt__fields_to_nv(fields, nv + count, NV_MAX - 1 - count);
  if (draft == 2) nv[count++] = wt__fields_nv("sec-webtransport-http3-draft02", "1");
  if (!wt__h3_peer_takes(dial->conn, nv, count)) return WT_ERR_TOO_LARGE;
  return nghttp3_conn_submit_request(dial->conn->http, dial->id, nv, count, &wt__http_body_reader, NULL);
}

/* --- The session --- */

static int dial_session_new(struct wt__h3_dial *dial, struct wt__h3_connect *connect, const char *protocol) {
  struct wt__h3_conn *conn = dial->conn;
  struct wt__flow_limits limits;
  struct wt__session_params params = {
      .path = wt__fields_find(&dial->request, ":path", NULL),
      .protocol = protocol,
      .peer_address = conn->peer_address,
      .draft = wt__settings_draft(&conn->peer),
      .peer_limits = wt__control_flow(conn, &limits) ? &limits : NULL,
      .urgency = WT__URGENCY_DEFAULT,
      .unanswered = dial->state == DIAL_SENT && dial->optimistic,
      .callbacks = &dial->callbacks,
      .user_data = dial->user_data,
  };
  return wt__mux_session_new(&conn->mux, dial->id, &params, &connect->session);
}

/* What arrives on the stream behind the answer's header waits in the connect. */
static int dial_make_session(struct wt__h3_dial *dial, const char *protocol) {
  struct wt__h3_conn *conn = dial->conn;
  struct wt__h3_connect *connect = wt__connect_new(conn, dial->stream, (size_t)conn->config->max_stream_data);
  if (!connect) return WT_ERR_NOMEM;
  /* First what may fail, since a session that exists gets an `on_close`. Before the answer there is nothing to copy. */
  int error = wt__session_fields_copy(connect->fields, &dial->answer);
  if (!error) error = dial_session_new(dial, connect, protocol);
  if (error) {
    wt__connect_free(connect);
    return error;
  }
  connect->early_pending = true;
  connect->sent = dial->sent;
  wt__list_push_back(&conn->connects, &connect->link);
  connect->holder = &dial->connect;
  dial->connect = connect;
  if (dial->state == DIAL_SENT) conn->client->dials_sent--; /* it counts as a session now */
  dial->session = connect->session;
  return 0;
}

static void dial_make_unanswered(struct wt__h3_dial *dial) {
  if (dial_make_session(dial, "") != 0) {
    dial_replied(dial, WT_ERR_NOMEM, WT__H3_REQUEST_CANCELLED, "out of memory");
  } else if (dial->on_asked) {
    dial->on_asked(dial->session, dial->reply_data);
  }
}

/* The server refused the session that an optimistic dial had made. */
static void dial_refuse_session(struct wt__h3_dial *dial) {
  enum wt_party by = WT_TRANSPORT;
  wt_session *session = dial->session;
  uint64_t wire_code = dial->wire_code ? dial->wire_code : dial->abort_code;
  dial->session = NULL;
  if (dial->end) {
    const struct wt__h3_end *end = dial->end;
    const struct wt__ending ending = {end->cause, end->is_h3, end->wire_code, end->reason};
    wt__session_refused_by_end(session, &ending);
    return;
  }
  if (dial->error == WT_ERR_REJECTED || dial->refused_by_goaway) {
    by = WT_PEER;
  } else if (dial->cancelled || dial->error == WT_ERR_SUBPROTOCOL) {
    by = WT_LOCAL;
  }
  wt__session_refused(session, by, wire_code);
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
  dial->state = DIAL_SENT;
  conn->client->dials_sent++;
  if (!dial->stream) {
    wt__h3_reset_stream(conn, dial->id, WT__H3_REQUEST_CANCELLED);
    wt__h3_stop_sending(conn, dial->id, WT__H3_REQUEST_CANCELLED);
    dial_replied(dial, WT_ERR_NOMEM, WT__H3_REQUEST_CANCELLED, "out of memory");
    return;
  }
  wt__role_set(dial->stream, &role_dial, dial);
  dial->stream->reading = WT__H3_MAY_TUNNEL;
  int error = dial_submit(dial, draft);
  if (error == WT_ERR_TOO_LARGE) {
    dial_replied(dial, error, WT__H3_REQUEST_CANCELLED, WT__REQUEST_TOO_LARGE_REASON);
  } else if (error == NGHTTP3_ERR_CONN_CLOSING) {
    dial_replied(dial, WT_ERR_CLOSED, WT__H3_REQUEST_CANCELLED, "the server takes no new requests");
  } else if (error) { /* nghttp3 has half of it */
    wt__h3_fail_http(conn, error);
  } else if (dial->optimistic) {
    dial_make_unanswered(dial);
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
      dial_replied(dial, WT_ERR_CLOSED, 0, "the server takes no new requests");
      continue;
    }
    if (client->missing) {
      dial_replied(dial, WT_ERR_SETTINGS, 0, client->missing);
      continue;
    }
    if (!client->ready) return;
    if (conn->mux.sessions_open + client->dials_sent >= client_max_sessions(conn, draft)) {
      dial_replied(dial, WT_ERR_SESSION_LIMIT, 0, "the connection has as many sessions as the server allows");
      continue;
    }
    int error = conn->transport->open_stream(conn->ctx, false, &dial->id);
    if (error == WT_ERR_STREAM_LIMIT) return;
    if (error) {
      dial->id = -1;
      dial_replied(dial, error, 0, wt_error_string(error));
      continue;
    }
    dial_send(dial, draft);
  }
}

/* --- The answer --- */

static struct wt__fields *dial_fields(struct wt__h3_stream *stream) {
  struct wt__h3_dial *dial = stream->owner;
  return dial->state == DIAL_REPLIED ? NULL : &dial->answer;
}

static void dial_unreadable(struct wt__h3_stream *stream, int error) {
  dial_replied(stream->owner, error, WT__H3_REQUEST_CANCELLED,
               error == WT_ERR_TOO_LARGE ? "the header section of the answer is too large" : "out of memory");
}

/* The subprotocol that the server chose is one of those offered (draft section 3.3). */
static bool protocol_offered(const struct wt__h3_dial *dial, const char *protocol, char *member, size_t size) {
  struct wt__sfv_list at = {dial->protocols, dial->protocols + strlen(dial->protocols), true};
  size_t len;
  while (wt__sfv_list_next(&at, member, size, &len) == 1) {
    if (strcmp(member, protocol) == 0) return true;
  }
  return false;
}

/* Reads the answer's choice into `protocol`, of `size` bytes. NULL, or what is wrong with it. Where nothing was
 * offered, the field means nothing. */
static const char *protocol_read(struct wt__h3_dial *dial, char *protocol, char *member, size_t size) {
  const char *value = wt__fields_find(&dial->answer, "wt-protocol", NULL);
  protocol[0] = '\0';
  if (!dial->protocols || (!value && !dial->require_protocol)) return NULL;
  if (!value) return "the server chose none of the subprotocols";
  if (wt__fields_find(&dial->answer, "wt-protocol", value)) return "the server's WT-Protocol came twice";
  if (wt__sfv_string_read(value, strlen(value), protocol, size) != 0) return "the server's WT-Protocol is malformed";
  if (!protocol_offered(dial, protocol, member, size)) return "the server chose a subprotocol that was not offered";
  return NULL;
}

/* The session of an optimistic dial learns what the server said. */
static int dial_answer_session(struct wt__h3_dial *dial, const char *protocol) {
  int error = wt__session_fields_copy(dial->connect->fields, &dial->answer);
  return error ? error : wt__session_set_protocol(dial->session, protocol);
}

/* The stream is the session's from here on. */
static int dial_accept(struct wt__h3_dial *dial, const char *protocol) {
  struct wt__h3_conn *conn = dial->conn;
  struct wt__h3_connect *connect;
  int error = dial->session ? dial_answer_session(dial, protocol) : dial_make_session(dial, protocol);
  if (error) return error;
  if (dial->status == 204) dial->stream->reading = WT__H3_TUNNEL; /* see headers.c */
  connect = dial_leave_stream(dial);
  wt__connect_give_fields(connect);
  /* `on_reply` comes first, and in the same pass. */
  wt__list_push_back(&conn->due_connects, &connect->due);
  dial_replied(dial, 0, 0, "");
  if (conn->config->counters) conn->config->counters->sessions_total++;
  WT__INFO_LIMITED(conn->config->log, conn->config->session_lines, conn->now, "session %lld with %s: draft %d",
                   (long long)dial->id, conn->peer_address, wt__settings_draft(&conn->peer));
  return 0;
}

static void dial_success(struct wt__h3_dial *dial) {
  size_t size = dial->protocols ? strlen(dial->protocols) + 1 : 1;
  char *protocol = wt__malloc(size), *member = wt__malloc(size);
  int error = protocol && member ? 0 : WT_ERR_NOMEM;
  if (!error) {
    const char *wrong = protocol_read(dial, protocol, member, size);
    if (wrong) {
      dial_replied(dial, WT_ERR_SUBPROTOCOL, WT__WT_ALPN_ERROR, wrong);
    } else {
      error = dial_accept(dial, protocol);
    }
  }
  if (error) dial_replied(dial, error, WT__H3_INTERNAL_ERROR, "out of memory");
  wt__free(protocol);
  wt__free(member);
}

static void dial_headers_done(struct wt__h3_stream *stream) {
  struct wt__h3_dial *dial = stream->owner;
  const char *text = wt__fields_find(&dial->answer, ":status", NULL);
  int status = text ? atoi(text) : 0;
  if (dial->state == DIAL_REPLIED) return;
  if (wt__fields_join(&dial->answer) != 0) {
    dial_unreadable(stream, WT_ERR_NOMEM);
    return;
  }
  if (status < 200) { /* more follows */
    wt__fields_free(&dial->answer);
    wt__fields_init(&dial->answer, dial->conn->config->max_header_bytes);
    return;
  }
  dial->status = status;
  if (status < 300) {
    dial_success(dial);
  } else {
    dial_replied(dial, WT_ERR_REJECTED, WT__H3_REQUEST_CANCELLED, "the server refused the session");
  }
}

/* Content behind the answer's header is the session's. */
static void dial_recv(struct wt__h3_stream *stream, const uint8_t *data, size_t len) {
  const struct wt__h3_dial *dial = stream->owner;
  if (dial->connect) {
    wt__connect_recv(dial->connect, data, len);
  } else {
    wt__role_drop(stream, data, len);
  }
}

static void dial_recv_fin(struct wt__h3_stream *stream) {
  dial_replied(stream->owner, WT_ERR_PROTOCOL, WT__H3_MESSAGE_ERROR, "the server ended the stream without an answer");
}

static void dial_recv_reset(struct wt__h3_stream *stream, uint64_t wire_code) {
  struct wt__h3_dial *dial = stream->owner;
  if (dial->state == DIAL_REPLIED) return;
  dial->wire_code = wire_code;
  dial_replied(dial, WT_ERR_REJECTED, WT__H3_REQUEST_CANCELLED, "the server reset the request");
}

static void dial_malformed(struct wt__h3_stream *stream, uint64_t wire_code) {
  dial_replied(stream->owner, WT_ERR_PROTOCOL, wire_code, "the server's answer is malformed");
}

static nghttp3_ssize dial_read(struct wt__h3_stream *stream, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags) {
  const struct wt__h3_dial *dial = stream->owner;
  return dial->connect ? wt__connect_read(dial->connect, vecs, max_vecs, flags) : NGHTTP3_ERR_WOULDBLOCK;
}

static void dial_sent(struct wt__h3_stream *stream, size_t len, bool fin) {
  struct wt__h3_dial *dial = stream->owner;
  dial->sent += len;
  if (dial->connect) wt__connect_sent(dial->connect, len, fin);
}

static void dial_acked(struct wt__h3_stream *stream, uint64_t len) {
  const struct wt__h3_dial *dial = stream->owner;
  if (dial->connect) wt__session_acked(dial->connect->session, len);
}

static bool dial_is_reset(const struct wt__h3_stream *stream) {
  const struct wt__h3_dial *dial = stream->owner;
  return dial->connect && dial->connect->ended;
}

static void dial_closed(struct wt__h3_stream *stream) {
  struct wt__h3_dial *dial = stream->owner;
  struct wt__h3_connect *connect = dial_leave_stream(dial);
  dial_replied(dial, WT_ERR_CLOSED, 0, "the stream of the request was closed");
  if (connect) wt__connect_closed(connect);
}

static struct wt__h3_connect *dial_connect(const struct wt__h3_stream *stream) {
  const struct wt__h3_dial *dial = stream->owner;
  return dial->connect;
}

static const struct wt__role role_dial = {
    .awaits_headers = wt__role_no,
    .fields = dial_fields,
    .headers_done = dial_headers_done,
    .unreadable = dial_unreadable,
    .malformed = dial_malformed,
    .recv = dial_recv,
    .recv_fin = dial_recv_fin,
    .recv_reset = dial_recv_reset,
    .recv_stop_sending = wt__role_ignore_number, /* the answer will say it */
    .read = dial_read,
    .sent = dial_sent,
    .acked = dial_acked,
    .unblocked = wt__role_ignore,
    .is_reset = dial_is_reset,
    .closed = dial_closed,
    .connect = dial_connect,
};

void wt__dials_goaway(struct wt__h3_conn *conn, int64_t id) {
  WT__LIST_FOREACH(it, next, &conn->client->dials) {
    struct wt__h3_dial *dial = DIAL_OF(it, link);
    if (dial->state == DIAL_SENT && dial->id >= id) {
      dial->refused_by_goaway = true;
      dial_replied(dial, WT_ERR_CLOSED, WT__H3_REQUEST_CANCELLED,
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
  connect = dial_leave_stream(dial);
  if (connect) {
    wt__connect_reset(connect, dial->abort_code);
    return;
  }
  if (conn->lone_fin_id == dial->id) conn->lone_fin_id = -1;
  wt__h3_reset_stream(conn, dial->id, dial->abort_code);
  wt__h3_stop_sending(conn, dial->id, dial->abort_code);
  nghttp3_conn_shutdown_stream_write(conn->http, dial->id);
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
  if (dial->session && dial->error != 0) dial_refuse_session(dial);
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
    if (dial->state != DIAL_REPLIED) dial->end = &client->end;
    dial_replied(dial, client->end.error, 0, wt__client_end_reason(client));
    dial_tell(dial);
  }
}
