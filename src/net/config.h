/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_CONFIG_H
#define WT_NET_CONFIG_H

/* A server's configuration: defaults, checks, and a copy that the server keeps. */

#include <stddef.h>

#include <webtransport/server.h>

#define WT__LISTEN_MAX 64 /* addresses in `listen` */
#define WT__CONFIG_WHY_MAX 160

/* The size of the struct in 0.2.0, the first version whose programs are served. */
#define WT__SERVER_CONFIG_LEAST (offsetof(struct wt_server_config, max_stream_send_buffer_grown) + sizeof(size_t))

/* WT_ERR_INVALID if a bound makes no sense; `why` then names it and the bound it breaks. */
int wt__config_check(const struct wt_server_config *config, char *why, size_t size);

/* Copies `config` (NULL: the defaults), with its strings and its key, after checking it. A configuration of
 * an older version of the header, which is shorter, gets the defaults for what it lacks. `copy->fleet_keys` is still the
 * program's. WT_ERR_INVALID as above, WT_ERR_NOMEM. */
int wt__config_copy(struct wt_server_config *copy, const struct wt_server_config *config, char *why, size_t size);

/* Frees what a copy holds, and wipes the key. */
void wt__config_free(struct wt_server_config *copy);

#endif
