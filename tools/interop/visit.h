/* SPDX-License-Identifier: MIT */
#ifndef INTEROP_VISIT_H
#define INTEROP_VISIT_H

#include <webtransport/webtransport.h>

#include "plan.h"

struct send;
struct push;

/* One session, of either role: it answers the peer's requests, and makes those of the plan. */
struct visit {
  struct plan *plan;
  struct endpoint *endpoint; /* what is wanted there; NULL: nothing */
  char name[256];            /* of the endpoint: the folder of its files */
  wt_session *session;       /* NULL before and after */
  void *owner;
  void (*on_change)(struct visit *visit); /* a file was saved, or the plan has failed */

  size_t answered;                           /* requests of the peer */
  struct send *waiting[2], **waiting_end[2]; /* for a stream of either kind */
  struct push *pushes, **pushes_end;         /* datagrams, for their ticks */
  size_t push_count;
};

void visit_init(struct visit *visit, struct plan *plan, const char *name);
/* There is a session: requests go out. */
void visit_begin(struct visit *visit, wt_session *session);
/* Sends a datagram, if one is due. */
void visit_tick(struct visit *visit, uint64_t ms);
/* In the session's `on_close`. */
void visit_end(struct visit *visit);

/* All but `on_close`; the session's user data has to be the visit. */
struct wt_session_callbacks visit_callbacks(void (*on_close)(wt_session *session, const struct wt_close_info *info,
                                                             void *user_data));

/* Writes the session's subprotocol down, as the case `handshake` wants it. */
void visit_note_protocol(struct visit *visit);

#endif
