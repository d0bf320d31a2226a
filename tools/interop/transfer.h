/* SPDX-License-Identifier: MIT */
#ifndef INTEROP_TRANSFER_H
#define INTEROP_TRANSFER_H

#include <webtransport/webtransport.h>

#include "plan.h"

struct send;
struct push;

/* The files of one session, in either role: answers the requests of the peer, and makes those of the plan. */
struct transfer {
  struct plan *plan;
  struct endpoint *endpoint; /* what is wanted there; NULL: nothing */
  char name[256];            /* of the endpoint: the folder of its files */
  wt_session *session;       /* NULL before and after */
  void *owner;
  void (*on_change)(struct transfer *transfer); /* a file was saved, or the plan has failed */

  size_t answered;                           /* requests of the peer */
  struct send *waiting[2], **waiting_end[2]; /* for a stream of either kind */
  struct push *pushes, **pushes_end;         /* datagrams, for their ticks */
  size_t push_count;
};

void transfer_init(struct transfer *transfer, struct plan *plan, const char *name);
/* There is a session: requests go out. */
void transfer_begin(struct transfer *transfer, wt_session *session);
/* Sends a datagram, if one is due. */
void transfer_tick(struct transfer *transfer, uint64_t ms);
/* In the session's `on_close`. */
void transfer_end(struct transfer *transfer);

/* All but `on_close`; the session's user data must be the transfer. */
struct wt_session_callbacks transfer_callbacks(void (*on_close)(wt_session *session, const struct wt_close_info *info,
                                                                void *user_data));

/* Writes the session's subprotocol down, as the case `handshake` wants it. */
void transfer_note_protocol(struct transfer *transfer);

#endif
