/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_DIAL_STATE_H
#define WT_H3_DIAL_STATE_H

/* The record of a dial, for the files that make up a dial: dial.c, dial_request.c, dial_session.c, dial_answer.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "h3/client.h"
#include "h3/fields.h"

struct wt__h3_connect;
struct wt__h3_stream;

enum wt__dial_state {
  WT__DIAL_WAITING,
  WT__DIAL_SENT,
  WT__DIAL_REPLIED
};

struct wt__h3_dial {
  struct wt__h3_conn *conn;
  struct wt__h3_stream *stream; /* NULL before it is sent, after QUIC has closed it, and once there is a session */
  int64_t id;
  struct wt__link link; /* in `dials` */
  struct wt__link due;  /* in `waiting_dials` or `due_dials` */
  enum wt__dial_state state;
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

/* Gives up its stream. If there is a session, the stream is its now; returns the session's connect, or NULL. */
struct wt__h3_connect *wt__dial_leave_stream(struct wt__h3_dial *dial);
/* It is over, if it was not: the next pass calls `on_reply`. `abort_code`: what its stream is reset with. `message` is
 * not copied. */
void wt__dial_replied(struct wt__h3_dial *dial, int error, uint64_t abort_code, const char *message);

#endif
