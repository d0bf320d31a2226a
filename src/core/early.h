/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_EARLY_H
#define WT_CORE_EARLY_H

/*
 * Streams and datagrams of the peer that came before their session (draft section 4.6), for the files of core.
 */

#include "core/mux.h"

/* Whether one more stream without a session may wait. */
bool wt__early_has_room(const struct wt__mux *mux);
/* Lets `stream`, whose `session_id` is set, wait for its session. */
void wt__early_add(struct wt__mux *mux, wt_stream *stream, uint64_t now);

/* `session` begins: gives it what came early for it. */
void wt__early_deliver(struct wt__mux *mux, wt_session *session);
/* Stream `session_id` will never be a session: refuses what came early for it. */
void wt__early_refuse_session(struct wt__mux *mux, int64_t session_id);

/* Refuses what has waited too long. */
void wt__early_expire(struct wt__mux *mux, uint64_t now);
/* The next time that something has waited too long, in nanoseconds; UINT64_MAX: nothing waits. */
uint64_t wt__early_expiry(const struct wt__mux *mux);

#endif
