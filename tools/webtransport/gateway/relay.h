/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_RELAY_H
#define WEBTRANSPORT_TOOL_GATEWAY_RELAY_H

#include <webtransport/session.h>

#include "gateway/gateway_session.h"

/* The two sessions between which streams are relayed. */
enum relay_side {
  SIDE_CLIENT,
  SIDE_BACKEND,
  SIDES
};

struct relay;

/* The streams of a session. Begins as all zero, but for `session` and `wt`. */
struct relays {
  struct gateway_session *session; /* NULL: it has ended, and nothing is counted any more */
  wt_session *wt[SIDES];           /* NULL: it has ended */
  struct relay *list;
  struct {
    struct relay *first, *last;
  } waiting[SIDES][2]; /* for credit of this side for streams of this kind */
};

/* `stream` was opened on `side`: opens its counterpart on the other, at once or when the peer there allows it. */
void relay_open(struct relays *relays, enum relay_side side, wt_stream *stream);

/* The peer on `side` allows more streams of this kind. */
void relays_on_credit(struct relays *relays, enum relay_side side, enum wt_stream_kind kind);

/* Lets go on what waited for the rate. */
void relays_tick(struct relays *relays);

/* The client's session has ended: nothing is counted any more, and what waits is given up. */
void relays_end(struct relays *relays);

#endif
