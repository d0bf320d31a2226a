/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_CLIENT_CONN_STATE_H
#define WT_H3_CLIENT_CONN_STATE_H

/* The part of a connection that only clients have (client.c, dial.c, exchange.c). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "h3/client.h"

#define WT__REQUEST_TOO_LARGE_REASON "the request's header fields are larger than the server's SETTINGS allow"

struct wt__h3_client {
  struct wt__h3_client_callbacks callbacks;
  void *user_data;
  struct wt__list dials;         /* all */
  struct wt__list waiting_dials; /* for the SETTINGS or a stream, oldest first */
  struct wt__list due_dials;     /* `on_reply` is due */
  size_t dials_sent;             /* dials without an answer and without a session */
  struct wt__list exchanges;     /* all that are attached */
  struct wt__list waiting_exchanges, due_exchanges;
  uint64_t settings_deadline; /* 0: not set */
  uint64_t close_wait_until;  /* how long the last closes may be on their way; 0: there are none */
  uint64_t close_wait_heard;  /* packets of the server, when that was set */
  struct wt__h3_end end;
  const char *missing; /* why there can be no sessions; NULL: no reason, or not known yet */
  bool connected, connected_pending;
  bool ready, ready_pending;
  bool unfit_pending;
  const char *unfit; /* as `missing`, but not looked at before `on_connected` */
  bool try_waiting;  /* something has changed for the waiting dials and exchanges */
  bool goaway;
  bool has_exchanges; /* it was given exchanges: it goes on without WebTransport */
  bool used;          /* dials, exchanges or sessions used it in the last pass */
};

/* Why the connection ended, for people; never "". */
static inline const char *wt__client_end_reason(const struct wt__h3_client *client) {
  return client->end.reason[0] ? client->end.reason : "the connection was closed";
}

#endif
