/* SPDX-License-Identifier: MIT */

/*
 * What a client keeps for its next connection to a server: tokens of NEW_TOKEN frames, beside the session tickets
 * (resumption.h). What a connection takes of them goes back if no packet of the server ever came: the next address that is
 * tried may need it.
 */

#include <time.h>

#include "quic/client.h"
#include "quic/conn.h"
#include "quic/resumption.h"
#include "quic/tls.h"

struct wt__resumption_item *wt__conn_client_take_token(struct wt__conn *conn, uint32_t version) {
  struct wt__resumption_key key = {conn->resumption_key, version};
  if (!conn->resumption) return NULL;
  return wt__resumption_take(conn->resumption, &key, WT__RESUMPTION_TOKEN, (int64_t)time(NULL));
}

/* Tokens do not say how long they are good; a server that does not know one any more treats it as none. */
void wt__conn_client_keep_token(struct wt__conn *conn, const uint8_t *token, size_t len) {
  struct wt__resumption_key key = {conn->resumption_key, ngtcp2_conn_get_negotiated_version(conn->quic)};
  if (!conn->resumption || conn->tokens == WT__RESUMPTION_MAX_ITEMS) return;
  conn->tokens++;
  wt__resumption_put(conn->resumption, &key, WT__RESUMPTION_TOKEN, token, len, INT64_MAX);
}

void wt__conn_client_release_resumption(struct wt__conn *conn) {
  bool unused = conn->packets_received == 0;
  if (conn->tls) wt__tls_client_release_ticket(conn->tls, unused);
  if (conn->token && unused) {
    struct wt__resumption_key key = {conn->resumption_key, ngtcp2_conn_get_client_chosen_version(conn->quic)};
    wt__resumption_give_back(conn->resumption, &key, WT__RESUMPTION_TOKEN, conn->token);
  } else {
    wt__resumption_item_free(conn->token);
  }
  conn->token = NULL;
}
