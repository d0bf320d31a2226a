/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_DATAGRAM_H
#define WT_CORE_DATAGRAM_H

/* The datagram queues of a connection, for the files of core. */

#include "core/mux.h"

/* An ended session's queued datagrams are not sent. */
void wt__datagrams_drop_session(wt_session *session);

/* Tells the application of another size, if there is one. */
void wt__datagram_size_run(wt_session *session);

/* Those that came before `session` was accepted: delivered, or, for a refused one, dropped. */
void wt__datagrams_deliver_early(struct wt__mux *mux, wt_session *session);
void wt__datagrams_drop_early(struct wt__mux *mux, int64_t session_id);

/* Drops early ones whose time is up; the next such time. */
void wt__datagrams_expire(struct wt__mux *mux, uint64_t now);
uint64_t wt__datagrams_expiry(const struct wt__mux *mux);

void wt__datagrams_free(struct wt__mux *mux);

#endif
