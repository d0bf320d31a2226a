/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_DATAGRAM_H
#define WT_CORE_DATAGRAM_H

/* The datagrams of a connection that wait to be sent, or for their session. For the files of core. */

#include "core/mux.h"

/* The age of datagrams that the application has queued since the last call begins now. */
void wt__datagrams_date(struct wt__mux *mux);

struct wt__subscription;
/* Queues a message for the session of the subscription, without a copy. It is not longer than a datagram may be.
 * WT_ERR_NOMEM. */
int wt__datagram_send_part(struct wt__subscription *sub, struct wt__part *part);
/* Drops the oldest datagram of the subscription, which has one, and counts it. */
void wt__datagram_drop_oldest_of(struct wt__subscription *sub);

/* Drops the datagrams that wait to be sent, because the session has ended. */
void wt__datagrams_drop_session(wt_session *session);

/* Tells the application the new largest size, if it has changed. */
void wt__datagram_size_run(wt_session *session);

/* Delivers the datagrams that came before `session` started; drops those that came for a session that was refused. */
void wt__datagrams_deliver_early(struct wt__mux *mux, wt_session *session);
void wt__datagrams_drop_early(struct wt__mux *mux, int64_t session_id);

/* Drops early datagrams that have waited too long. The time when the next one has; UINT64_MAX: none waits. */
void wt__datagrams_expire(struct wt__mux *mux, uint64_t now);
uint64_t wt__datagrams_expiry(const struct wt__mux *mux);

/* Drops all early datagrams. */
void wt__datagrams_free(struct wt__mux *mux);

#endif
