/* SPDX-License-Identifier: MIT */
/*
 * The server's answer to a request for a session (draft sections 3.2 and 3.3): the role of a dial's stream.
 *
 * A 2xx accepts the session. Its WT-Protocol has to be one of the subprotocols that were offered. The stream is the
 * session's from there on. 1xx answers are skipped; any other status refuses the session.
 *
 * Until the answer, the stream of an optimistic dial has both a dial and a session: the dial gets the header section
 * of the answer, the session gets what follows.
 */

#include "h3/dial_answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log_limit.h"
#include "base/mem.h"
#include "h3/client.h"
#include "h3/conn_state.h"
#include "h3/connect.h"
#include "h3/dial_session.h"
#include "h3/dial_state.h"
#include "h3/fields.h"
#include "h3/role.h"
#include "h3/session_fields.h"
#include "h3/streams.h"
#include "wire/error_code.h"
#include "wire/settings.h"
#include "wire/sfv.h"

static struct wt__fields *dial_fields(struct wt__h3_stream *stream) {
  struct wt__h3_dial *dial = stream->owner;
  return dial->state == WT__DIAL_REPLIED ? NULL : &dial->answer;
}

static void dial_unreadable(struct wt__h3_stream *stream, int error) {
  wt__dial_replied(stream->owner, error, WT__H3_REQUEST_CANCELLED,
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
  int error = dial->session ? dial_answer_session(dial, protocol) : wt__dial_make_session(dial, protocol);
  if (error) return error;
  if (dial->status == 204) dial->stream->reading = WT__H3_TUNNEL; /* see headers.c */
  connect = wt__dial_leave_stream(dial);
  wt__connect_give_fields(connect);
  /* `on_reply` comes first, and in the same pass. */
  wt__list_push_back(&conn->due_connects, &connect->due);
  wt__dial_replied(dial, 0, 0, "");
  if (conn->config->counters) conn->config->counters->sessions_total++;
  WT__INFO_LIMITED(conn->config->log, conn->config->session_lines, conn->now,
                   WT__EVENT_OF("session_opened", WT__H3_CONNECTION(conn), WT__INTEGER("session", dial->id),
                                WT__INTEGER("draft", wt__settings_draft(&conn->peer))),
                   "session %lld with %s: draft %d", (long long)dial->id, conn->peer_address,
                   wt__settings_draft(&conn->peer));
  return 0;
}

static void dial_success(struct wt__h3_dial *dial) {
  size_t size = dial->protocols ? strlen(dial->protocols) + 1 : 1;
  char *protocol = wt__malloc(size), *member = wt__malloc(size);
  int error = protocol && member ? 0 : WT_ERR_NOMEM;
  if (!error) {
    const char *wrong = protocol_read(dial, protocol, member, size);
    if (wrong) {
      wt__dial_replied(dial, WT_ERR_SUBPROTOCOL, WT__WT_ALPN_ERROR, wrong);
    } else {
      error = dial_accept(dial, protocol);
    }
  }
  if (error) wt__dial_replied(dial, error, WT__H3_INTERNAL_ERROR, "out of memory");
  wt__free(protocol);
  wt__free(member);
}

static void dial_headers_done(struct wt__h3_stream *stream) {
  struct wt__h3_dial *dial = stream->owner;
  const char *text = wt__fields_find(&dial->answer, ":status", NULL);
  int status = text ? atoi(text) : 0;
  if (dial->state == WT__DIAL_REPLIED) return;
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
    wt__dial_replied(dial, WT_ERR_REJECTED, WT__H3_REQUEST_CANCELLED, "the server refused the session");
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
  wt__dial_replied(stream->owner, WT_ERR_PROTOCOL, WT__H3_MESSAGE_ERROR,
                   "the server ended the stream without an answer");
}

static void dial_recv_reset(struct wt__h3_stream *stream, uint64_t wire_code) {
  struct wt__h3_dial *dial = stream->owner;
  if (dial->state == WT__DIAL_REPLIED) return;
  dial->wire_code = wire_code;
  wt__dial_replied(dial, WT_ERR_REJECTED, WT__H3_REQUEST_CANCELLED, "the server reset the request");
}

static void dial_malformed(struct wt__h3_stream *stream, uint64_t wire_code) {
  wt__dial_replied(stream->owner, WT_ERR_PROTOCOL, wire_code, "the server's answer is malformed");
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
  struct wt__h3_connect *connect = wt__dial_leave_stream(dial);
  wt__dial_replied(dial, WT_ERR_CLOSED, 0, "the stream of the request was closed");
  if (connect) wt__connect_closed(connect);
}

static struct wt__h3_connect *dial_connect(const struct wt__h3_stream *stream) {
  const struct wt__h3_dial *dial = stream->owner;
  return dial->connect;
}

const struct wt__role wt__role_dial = {
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
