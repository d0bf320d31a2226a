/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_ENDING_H
#define WT_QUIC_ENDING_H

/* Why a connection ended, for applications and the log. See ending.c. */

#include <ngtcp2/ngtcp2.h>

#include "core/ending.h"

struct wt__conn;

#define WT__STATELESS_RESET_TEXT "the peer has lost the connection (stateless reset)"
/* Fills in the ending of a connection that `close_wanted` ends. */
void wt__conn_ending_of_close(const struct wt__conn *conn, struct wt__ending *ending);
/* Fills in the ending of a connection that `error` of ngtcp2 ends. `sent`: the CONNECTION_CLOSE; NULL: there is none.
 * `ending` is valid until the connection is freed. */
void wt__conn_ending_of(struct wt__conn *conn, int error, const ngtcp2_ccerr *sent, struct wt__ending *ending);
/* Writes it to the log: at `info`, with a bound on lines, if something was wrong; else at `debug`. */
void wt__conn_log_ending(struct wt__conn *conn, const struct wt__ending *ending);

#endif
