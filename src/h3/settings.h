/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_SETTINGS_H
#define WT_H3_SETTINGS_H

/* SETTINGS, ours and the peer's, and our control stream, which begins with ours. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

#include "core/flow.h"
#include "wire/settings.h"

struct wt__h3_conn;

struct wt__control {
  int64_t id, encoder_id, decoder_id; /* -1 before the start */
  uint8_t *settings;                  /* stream type and SETTINGS */
  size_t settings_len, settings_sent;
  size_t nghttp3_len; /* how much nghttp3 believes to have sent instead */
  bool blocked;
};

/* The payload of the peer's SETTINGS, at most WT__SETTINGS_PAYLOAD_MAX bytes. */
void wt__settings_recv(struct wt__h3_conn *conn, const uint8_t *payload, size_t len);
/* Forgets what the peer said of drafts that are not among `drafts`. */
void wt__settings_keep_drafts(struct wt__settings *peer, unsigned drafts);
int wt__control_start(struct wt__h3_conn *conn);
bool wt__control_owns(const struct wt__h3_conn *conn, int64_t id);
void wt__control_acked(struct wt__h3_conn *conn, uint64_t offset);
/* What the peer's SETTINGS allow each session. False, with `*limits` unset: there is no session flow control,
 * because one of the sides announced none (draft section 5.1). */
bool wt__control_flow(const struct wt__h3_conn *conn, struct wt__flow_limits *limits);
/* How many sessions at once a client may have. */
size_t wt__settings_max_sessions(const struct wt__h3_conn *conn);

#endif
