/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_INFO_H
#define WT_H3_INFO_H

/* The peer's SETTINGS, kept for diagnosis. */

#include <stddef.h>
#include <stdint.h>

struct wt__h3_conn;

/* Keeps the peer's SETTINGS for `wt__h3_conn_get_info`. WT_ERR_NOMEM. */
int wt__info_keep_settings(struct wt__h3_conn *conn, const uint8_t *payload, size_t len);

#endif
