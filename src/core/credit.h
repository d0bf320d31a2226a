/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_CREDIT_H
#define WT_CORE_CREDIT_H

/*
 * Session flow control (draft section 5): counts what the streams of a session use, tells the peer our limits, and
 * obeys the peer's limits. In a session without negotiated flow control, these functions do nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/mux.h"
#include "core/stream.h"
#include "wire/capsule.h"

/* The session is new. `peer`: what the peer's SETTINGS allow us; NULL: no flow control. */
void wt__credit_init(wt_session *session, const struct wt__flow_limits *peer);
/* The session is about to get its early streams. Counts what streams used that were refused before, and gives
 * it back. */
void wt__credit_begin(wt_session *session);

/* --- Receiving. False: the peer overran a limit, and the session has been ended for it. --- */
bool wt__credit_stream_opened(wt_session *session, bool uni);
bool wt__credit_received(wt_session *session, uint64_t len);
/* The application has read `len` bytes, or will never read them. */
void wt__credit_consumed(wt_session *session, uint64_t len);
/* A stream of the peer is closed. */
void wt__credit_stream_closed(wt_session *session, bool uni);

/* The peer has opened streams, or sent bytes on them, that were refused. Their session may have begun or not. */
void wt__credit_refused(struct wt__mux *mux, int64_t session_id, bool uni, uint64_t streams, uint64_t bytes);

/* --- Sending --- */
/* Counts one more stream, if the peer allows it. False: it does not; the peer is told, and
 * `on_stream_credit` follows. */
bool wt__credit_open(wt_session *session, bool uni);
/* The stream was not opened after all. */
void wt__credit_open_undo(wt_session *session, bool uni);
/* Shortens `send`, the unsent bytes of `stream`, to the credit that is left. The stream's header needs no credit.
 * False: nothing is left to send. */
bool wt__credit_limit(const wt_stream *stream, struct wt__send *send);
/* Whether the first byte behind the header was sent, or there is credit for it. A reset leaves this byte to
 * the peer. */
bool wt__credit_has_byte(const wt_stream *stream);
void wt__credit_sent(wt_session *session, uint64_t len);
/* Lets `stream` wait for credit. */
void wt__credit_park(wt_stream *stream);

/* --- Capsules --- */
/* A flow-control capsule came. False: it broke a rule, and the session has been ended for it. */
bool wt__credit_recv(wt_session *session, const struct wt__capsule *capsule);
/* Sends the capsules that are due. */
void wt__credit_run(wt_session *session);

#endif
