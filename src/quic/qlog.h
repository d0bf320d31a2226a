/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_QLOG_H
#define WT_QUIC_QLOG_H

/* The qlog of a connection: its beginning, and what QUIC adds to what ngtcp2 writes. See qlog.c. */

#include <ngtcp2/ngtcp2.h>

struct wt__conn;
struct wt__ending;

/* If the endpoint has a sink for it: makes `conn->qlog`, and `settings` so that ngtcp2 writes there. Its name is set.
 * Without memory the connection is not logged. */
void wt__conn_qlog_init(struct wt__conn *conn, ngtcp2_settings *settings);
void wt__conn_qlog_free(struct wt__conn *conn);

/* Events. Each does nothing for a connection that is not logged. */
void wt__conn_qlog_started(const struct wt__conn *conn);
void wt__conn_qlog_handshake_done(const struct wt__conn *conn);
void wt__conn_qlog_path_validated(const struct wt__conn *conn, ngtcp2_path_validation_result result);
void wt__conn_qlog_ended(const struct wt__conn *conn, const struct wt__ending *ending);

#endif
