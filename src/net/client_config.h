/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_CLIENT_CONFIG_H
#define WT_NET_CLIENT_CONFIG_H

/* A client's configuration: defaults, checks, and a copy that the client keeps. */

#include <stddef.h>

#include <webtransport/client.h>

#define WT__CLIENT_CONFIG_WHY_MAX 160

/* The size of a configuration in 0.2.0, the first version whose programs are served. */
#define WT__CLIENT_CONFIG_LEAST (offsetof(struct wt_client_config, max_stream_send_buffer_grown) + sizeof(size_t))

/* WT_ERR_INVALID if a bound makes no sense; `why` then names it. */
int wt__client_config_check(const struct wt_client_config *config, char *why, size_t size);

/* Copies `config` (NULL: the defaults) after checking it, with its strings and hashes. WT_ERR_INVALID, as above;
 * WT_ERR_NOMEM. */
int wt__client_config_copy(struct wt_client_config *copy, const struct wt_client_config *config, char *why,
                           size_t size);

/* Frees what a copy holds. */
void wt__client_config_free(struct wt_client_config *copy);

#endif
