/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_IDLE_H
#define WT_QUIC_IDLE_H

/* The idle timeout, and the PINGs that keep a connection from it. See idle.c. */

#include <stdint.h>

struct wt__conn;

/* Takes down what both ends have announced, as far as it is known. */
void wt__conn_learn_idle(struct wt__conn *conn);
/* The idle timeout that counts for both ends, in nanoseconds; UINT64_MAX: there is none. */
uint64_t wt__conn_idle_timeout(const struct wt__conn *conn);
/* Makes ngtcp2 send PINGs as `keep_alive` has it now. */
void wt__conn_update_keep_alive(struct wt__conn *conn);

#endif
