/* SPDX-License-Identifier: MIT */

/*
 * The record of a connection, as both sides begin it: empty, but with all its parts ready, so that it can be freed at
 * any time. server.c and client.c fill it in.
 */

#include "quic/conn.h"

#include "base/gauge.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/usdt.h"
#include "quic/blocks.h"
#include "quic/budget.h"
#include "quic/crypto_in.h"
#include "quic/endpoint_state.h"
#include "quic/half_open.h"
#include "quic/packet_keys.h"
#include "quic/path.h"
#include "quic/path_watch.h"
#include "quic/qlog.h"
#include "quic/rebinding.h"
#include "quic/reset_at.h"
#include "quic/transport_params.h"
#include "quic/turn.h"
#include "quic/window.h"

void wt__conn_set_name(struct wt__conn *conn, const ngtcp2_cid *cid) {
  static const char digits[] = "0123456789abcdef";
  char *at = conn->name;
  for (size_t i = 0; i < cid->datalen && i < WT__CID_MAX_LEN; i++) {
    *at++ = digits[cid->data[i] >> 4];
    *at++ = digits[cid->data[i] & 15];
  }
  *at = '\0';
}

void wt__conn_set_uncounted(struct wt__conn *conn, size_t uncounted) {
  wt__gauge_remove(&conn->gauge, conn->uncounted);
  wt__gauge_add(&conn->gauge, uncounted);
  conn->uncounted = uncounted;
}

struct wt__conn *wt__conn_alloc(struct wt__endpoint *endpoint) {
  struct wt__conn *made = wt__calloc(1, sizeof(*made));
  if (!made) return NULL;
  made->endpoint = endpoint;
  made->born_at = endpoint->now;
  made->gauge.sum = &endpoint->gauge;
  wt__lane_init(&made->lane, &made->gauge);
  wt__gauge_add(&made->gauge, sizeof(*made));
  wt__conn_set_uncounted(made, WT__BUDGET_HANDSHAKE);
  wt__window_init(&made->window, endpoint->config.initial_max_data, endpoint->config.max_data);
  made->state = WT__CONN_DRAINING; /* not counted yet: nothing but memory to give back */
  wt__link_init(&made->link);
  wt__link_init(&made->queue);
  wt__heap_node_init(&made->timer);
  wt__list_init(&made->cids);
  wt__packet_keys_init(&made->keys);
  wt__blocks_init(&made->blocks, &made->gauge);
  wt__half_open_entry_init(&made->half_open);
  made->acked_id = -1;
  wt__path_watch_init(made);
  made->ack_wait.urgent = true;
  made->release_at = made->keep_alive_interval = made->idle_announced = UINT64_MAX;
  wt__crypto_in_init(&made->crypto_in, &made->gauge);
  wt__reset_at_recv_init(made, endpoint->config.max_streams_bidi,
                         endpoint->config.max_streams_uni + WT__RESERVED_UNI_STREAMS);
  wt__reset_at_send_init(made);
  return made;
}

void wt__conn_add(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  conn->state = WT__CONN_OPEN;
  wt__list_push_back(&endpoint->conns, &conn->link);
  endpoint->stats.connections_open++;
  endpoint->stats.connections_total++;
  endpoint->stats.handshakes_open++;
  wt__conn_qlog_started(conn);
  WT__USDT(connection_start, (const char *)conn->name, conn->client);
  WT__DEBUG(endpoint->config.log, WT__EVENT_OF("connection_begun", WT__CONNECTION(conn)), "connection %s: begins",
            conn->name);
}
