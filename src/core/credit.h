/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_CREDIT_H
#define WT_CORE_CREDIT_H

/*
 * Session flow control at work (draft section 5): what streams do is counted, limits are told and obeyed.
 * Everything here does nothing in a session for which flow control was not negotiated.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/mux.h"
#include "core/stream.h"
#include "wire/capsule.h"

/* The session is new: `peer` is what its SETTINGS allow us; NULL: no flow control. */
void wt__credit_init(wt_session *session, const struct wt__flow_limits *peer);
/* It is about to get its early streams: what was refused before counts, and is given back. */
void wt__credit_begin(wt_session *session);

/* --- Receiving. False: the peer overran a limit, and the session has been ended for it. --- */
bool wt__credit_stream_opened(wt_session *session, bool uni);
bool wt__credit_received(wt_session *session, uint64_t len);
/* The application has read `len` bytes, or never will; a stream of the peer is closed. */
void wt__credit_consumed(wt_session *session, uint64_t len);
void wt__credit_stream_closed(wt_session *session, bool uni);

/* What the peer used in vain, for a session that may come to be: streams that were refused, bytes on them. */
void wt__credit_refused(struct wt__mux *mux, int64_t session_id, bool uni, uint64_t streams, uint64_t bytes);

/* --- Sending --- */
/* Whether another stream may be opened; it then counts. False: the peer is told, and `on_stream_credit` follows. */
bool wt__credit_open(wt_session *session, bool uni);
/* It was not opened after all. */
void wt__credit_open_undo(wt_session *session, bool uni);
/* Shortens what is to be sent on `stream`, which begins at `stream->sending.queue.sent`, to the credit that is left; the
 * stream's header is free. False: nothing is left to send. */
bool wt__credit_limit(const wt_stream *stream, struct wt__send *send);
/* Whether the first byte behind the header was sent, or may be: what a reset wants to keep. */
bool wt__credit_has_byte(const wt_stream *stream);
void wt__credit_sent(wt_session *session, uint64_t len);
/* `stream` waits for credit. */
void wt__credit_park(wt_stream *stream);

/* --- Capsules --- */
/* A flow-control capsule came. False: it broke a rule, and the session has been ended for it. */
bool wt__credit_recv(wt_session *session, const struct wt__capsule *capsule);
/* Sends the capsules that are due. */
void wt__credit_run(wt_session *session);

#endif
