/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_PRIORITY_H
#define WT_H3_PRIORITY_H

/* How urgent a session is. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

struct wt__h3_conn;

/* The payload of a client's PRIORITY_UPDATE. True: nghttp3 has to get it, too. */
bool wt__priority_recv_update(struct wt__h3_conn *conn, const uint8_t *payload, size_t len);
/* The urgency of the request on stream `id`: from its `priority` field, or from a PRIORITY_UPDATE. */
unsigned wt__priority_of_request(const struct wt__h3_conn *conn, int64_t id);

#endif
