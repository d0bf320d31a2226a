/* SPDX-License-Identifier: MIT */
/*
 * The session that a dial makes.
 *
 * It is made when the answer accepts it, so that its capsules and streams find it; core holds them back until the
 * application knows the session. An optimistic dial makes it when it sends the request. Streams and datagrams may
 * then go out before the answer, and the server keeps them (draft section 4.6). If the server refuses, the session
 * ends before the dial.
 */

#include "h3/dial_session.h"

#include "base/list.h"
#include "core/sched.h"
#include "h3/client_conn_state.h"
#include "h3/conn_state.h"
#include "h3/connect.h"
#include "h3/dial_state.h"
#include "h3/fields.h"
#include "h3/session_fields.h"
#include "h3/settings.h"
#include "wire/error_code.h"

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
      .unanswered = dial->state == WT__DIAL_SENT && dial->optimistic,
      .callbacks = &dial->callbacks,
      .user_data = dial->user_data,
  };
  return wt__mux_session_new(&conn->mux, dial->id, &params, &connect->session);
}

int wt__dial_make_session(struct wt__h3_dial *dial, const char *protocol) {
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
  if (dial->state == WT__DIAL_SENT) conn->client->dials_sent--; /* it counts as a session now */
  dial->session = connect->session;
  return 0;
}

void wt__dial_make_unanswered(struct wt__h3_dial *dial) {
  if (wt__dial_make_session(dial, "") != 0) {
    wt__dial_replied(dial, WT_ERR_NOMEM, WT__H3_REQUEST_CANCELLED, "out of memory");
  } else if (dial->on_asked) {
    dial->on_asked(dial->session, dial->reply_data);
  }
}

void wt__dial_refuse_session(struct wt__h3_dial *dial) {
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
