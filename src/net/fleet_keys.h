/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_FLEET_KEYS_H
#define WT_NET_FLEET_KEYS_H

/* The secrets of a fleet as a program gives them, and the keys of a server that follow from them. */

#include <stddef.h>

#include <webtransport/fleet.h>

struct wt_server;

/* The keys that the configuration asks for: those of a fleet, or none yet. WT_ERR_INVALID, WT_ERR_UNSUPPORTED, WT_ERR_TLS,
 * WT_ERR_NOMEM; `why` gets a sentence. */
int wt__fleet_keys_open(struct wt_server *server, char *why, size_t size);

/* `server->shared` is there: it gets the server's keys. */
int wt__fleet_keys_start(struct wt_server *server);

/* Other secrets from now on; errors as above, and nothing has changed then. */
int wt__fleet_keys_set(struct wt_server *server, const struct wt_fleet_keys *keys, char *why, size_t size);

#endif
