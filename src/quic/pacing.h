/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_PACING_H
#define WT_QUIC_PACING_H

/* When ngtcp2's pacing allows the next packet (RFC 9002, section 7.7), without a timer if there is none to send. */

#include <stdbool.h>
#include <stdint.h>

struct wt__conn;

struct wt__pacing {
  uint64_t sent_at;    /* the last packet */
  uint64_t allowed_at; /* the next one; 0: a timer sees to it, or nothing has to */
  uint64_t expiry;     /* ngtcp2's without pacing; up to date while nothing is read or written */
};

/* Packets were written just now; `settled`: there is nothing more to send. */
void wt__pacing_sent(struct wt__conn *conn, bool settled);

/* Before packets are read or written. Returns 0 or an error of ngtcp2. */
int wt__pacing_catch_up(struct wt__conn *conn);

/* When ngtcp2 wants its next turn, pacing left out if nothing waits for it. */
uint64_t wt__pacing_expiry(const struct wt__conn *conn);

#endif
