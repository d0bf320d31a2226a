/* SPDX-License-Identifier: MIT */
/*
 * Information about the connection of a session: addresses, versions, the peer's parameters and SETTINGS, round-trip
 * times.
 *
 * Each layer knows a part of it. quic fills in what TLS and packets tell; h3 adds what SETTINGS say. This file asks
 * them, and copies as much as the caller's struct has room for: a program that was built with an older header has a
 * shorter struct.
 */

#include "core/info.h"

#include <string.h>

#include "base/sized.h"
#include "core/session.h"

int wt__info_copy(struct wt_connection_info *info, const struct wt_connection_info *all) {
  return wt__sized_give(info, all, sizeof(*all), sizeof(*all));
}

int wt_session_get_connection_info(const wt_session *session, struct wt_connection_info *info) {
  if (!session) return WT_ERR_INVALID;
  const struct wt_transport *transport = session->mux->transport;
  struct wt_connection_info all = {.size = sizeof(all)};
  if (session->close_told) return WT_ERR_CLOSED;
  if (transport->get_info) transport->get_info(session->mux->ctx, &all);
  return wt__info_copy(info, &all);
}

static int session_certificate(const wt_session *session, size_t index, struct wt__vec *found) {
  if (!session) return WT_ERR_INVALID;
  if (session->close_told) return WT_ERR_CLOSED;
  const struct wt_transport *transport = session->mux->transport;
  if (!transport->peer_certificate) return WT_ERR_NOT_FOUND;
  return transport->peer_certificate(session->mux->ctx, index, found);
}

int wt__info_give_certificate(int error, const struct wt__vec *found, const void **der, size_t *len) {
  bool given = der && len && error == 0;
  if (der) *der = given ? found->data : NULL;
  if (len) *len = given ? found->len : 0;
  return der && len ? error : WT_ERR_INVALID;
}

int wt_session_get_peer_certificate(const wt_session *session, size_t index, const void **der, size_t *len) {
  struct wt__vec found = {NULL, 0};
  int error = session_certificate(session, index, &found);
  return wt__info_give_certificate(error, &found, der, len);
}
