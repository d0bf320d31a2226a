/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_PRESSURE_H
#define WT_QUIC_PRESSURE_H

/* What a worker and its connections do about the memory that all connections hold. See pressure.c. */

#include <stdbool.h>
#include <stddef.h>

#include "base/gauge.h"

struct wt__conn;
struct wt__endpoint;

/* Tells other workers what this one holds, if that has changed much, and takes over what follows from what all hold. */
void wt__endpoint_update_budget(struct wt__endpoint *endpoint);
/* What its connections hold, with what is lost between their blocks. */
size_t wt__endpoint_holds(const struct wt__endpoint *endpoint);
/* Only tells, however little it is. */
void wt__endpoint_tell_memory(struct wt__endpoint *endpoint);
/* Whether a packet of `len` bytes is to be treated as lost, because memory is full and the connection holds more than
 * its share. */
bool wt__conn_is_over(struct wt__conn *conn, size_t len);
/* Extends the peer's limit by what was read, if it is enough to be worth a frame and there is memory. */
void wt__conn_extend(struct wt__conn *conn);

/* Renews the verdict in the gauge, and returns it. */
enum wt__pressure wt__endpoint_update_pressure(struct wt__endpoint *endpoint);

/* How much a connection may hold without being closed when memory stays full. */
size_t wt__endpoint_evict_share(const struct wt__endpoint *endpoint);

#endif
