/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CONGESTION_H
#define WT_QUIC_CONGESTION_H

/* Which of ngtcp2's algorithms decides how fast a connection sends. */

#include <ngtcp2/ngtcp2.h>

#include <webtransport/client.h>
#include <webtransport/connection.h>

/* ngtcp2's name of it. */
ngtcp2_cc_algo wt__congestion_algorithm(enum wt_congestion_control algorithm);

struct wt__conn;

/* Behind a pass: tells those who queue how much keeps the path busy, and how much to send at once. */
void wt__congestion_note(struct wt__conn *conn);
/* How many bytes a pass may send. */
size_t wt__congestion_quantum(const struct wt__conn *conn);

#endif
