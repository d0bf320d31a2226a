/* SPDX-License-Identifier: MIT */
/*
 * What a request says about its connection, and what HTTP/3 adds to `struct wt_connection_info`: the peer's SETTINGS, which
 * draft they chose, and when they came. QUIC fills in the rest first.
 *
 * The SETTINGS are kept as received: in order, with unknown ones. RFC 9114, section 7.2.4 says to ignore unknown ones, but a
 * person who wonders why there is no session wants to see them. wire/settings.h bounds their number. `conn->peer` is another
 * thing: it holds what the connection acts on, without the drafts that this end was told not to speak.
 */

#include "h3/info.h"

#include "base/mem.h"
#include "core/info.h"
#include "h3/conn.h"
#include "h3/conn_state.h"
#include "h3/request.h"

int wt__info_keep_settings(struct wt__h3_conn *conn, const uint8_t *payload, size_t len) {
  struct wt_setting list[WT__SETTINGS_MAX];
  size_t count = wt__settings_list(payload, len, list, WT__SETTINGS_MAX);
  conn->settings_at = conn->now;
  if (count == 0) return 0;
  conn->peer_settings = wt__calloc(count, sizeof(list[0]));
  if (!conn->peer_settings) return WT_ERR_NOMEM;
  for (size_t i = 0; i < count; i++) conn->peer_settings[i] = list[i];
  conn->peer_setting_count = count;
  return 0;
}

void wt__h3_conn_get_info(const struct wt__h3_conn *conn, struct wt_connection_info *info) {
  const size_t size = info->size;
  *info = (struct wt_connection_info){.size = size};
  if (conn->transport->get_info) conn->transport->get_info(conn->ctx, info);
  info->size = size;
  info->has_settings = conn->has_settings;
  if (!conn->has_settings) return;
  info->settings = conn->peer_settings;
  info->setting_count = conn->peer_setting_count;
  info->draft = wt__settings_draft(&conn->peer);
  info->settings_us = (conn->settings_at - conn->born_at) / 1000;
  if (info->settings_us == 0) info->settings_us = 1; /* 0 says that they are not in */
}

int wt__h3_conn_peer_certificate(const struct wt__h3_conn *conn, size_t index, struct wt__vec *der) {
  if (conn->closing || !conn->transport->peer_certificate) return WT_ERR_CLOSED;
  return conn->transport->peer_certificate(conn->ctx, index, der);
}

int wt_request_get_connection_info(const wt_request *request, struct wt_connection_info *info) {
  struct wt_connection_info all = {.size = sizeof(all)};
  if (!request) return WT_ERR_INVALID;
  wt__h3_conn_get_info(request->conn, &all);
  return wt__info_copy(info, &all);
}

int wt_request_get_peer_certificate(const wt_request *request, size_t index, const void **der, size_t *len) {
  struct wt__vec found = {NULL, 0};
  int error = request ? wt__h3_conn_peer_certificate(request->conn, index, &found) : WT_ERR_INVALID;
  return wt__info_give_certificate(error, &found, der, len);
}
