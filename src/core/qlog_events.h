/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_QLOG_EVENTS_H
#define WT_CORE_QLOG_EVENTS_H

/* The events of WebTransport in the qlog of a connection: docs/guide/diagnosis.md lists them. Each function returns at once
 * if the connection is not logged. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/session.h"
#include "core/stream.h"
#include "wire/capsule.h"

void wt__qlog_session_opened(const wt_session *session);
void wt__qlog_session_closed(const wt_session *session);

void wt__qlog_stream_opened(const wt_stream *stream);
void wt__qlog_stream_closed(const wt_stream *stream);
/* It was reset, stopped or refused, by this end or (`by_peer`) the other one; `what` is the name of the event. */
void wt__qlog_stream_code(const wt_stream *stream, const char *what, bool by_peer, uint64_t wire_code);

void wt__qlog_capsule_received(const wt_session *session, const struct wt__capsule *capsule);
/* `data`: the whole capsule. */
void wt__qlog_capsule_sent(const wt_session *session, const uint8_t *data, size_t len);

/* What `session` may send is used up: `what` is "data", "streams_bidi" or "streams_uni". */
void wt__qlog_blocked(const wt_session *session, const char *what, uint64_t limit);

/* `why`: "queue_full", "too_old", "not_sendable", "no_session". */
void wt__qlog_datagram_dropped(const struct wt__mux *mux, int64_t session_id, bool received, const char *why);

#endif
