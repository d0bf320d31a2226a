/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_PRESSURE_H
#define WT_QUIC_PRESSURE_H

/* What a worker and its connections do about the memory that all connections hold. See pressure.c. */

#include <stdbool.h>
#include <stddef.h>

#include "base/gauge.h"

struct wt__conn;
struct wt__endpoint;

/* Publishes what this worker holds, if that has changed much, and updates what follows from what all workers hold. */
void wt__endpoint_update_budget(struct wt__endpoint *endpoint);
/* What its connections hold, including the free blocks of their pool. */
size_t wt__endpoint_memory(const struct wt__endpoint *endpoint);
/* Only publishes what this worker holds, however little has changed. */
void wt__endpoint_publish_memory(struct wt__endpoint *endpoint);
/* Whether a packet of `len` bytes is to be treated as lost, because memory is full and the connection holds more than
 * its share. */
bool wt__conn_refuses_packet(struct wt__conn *conn, size_t len);
/* Extends the peer's MAX_DATA by what was read, if that is worth a frame and there is memory. */
void wt__conn_extend_max_data(struct wt__conn *conn);

/* Updates the pressure in the gauge, and returns it. */
enum wt__pressure wt__endpoint_update_pressure(struct wt__endpoint *endpoint);

/* How much a connection may hold without being closed when memory stays full. */
size_t wt__endpoint_evict_share(const struct wt__endpoint *endpoint);

#endif
