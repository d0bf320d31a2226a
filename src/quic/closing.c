/* SPDX-License-Identifier: MIT */

/*
 * A connection that is no longer open (RFC 9000, section 10.2).
 *
 * The end has two parts. The application hears of it at once, and what is large (streams, TLS, ngtcp2's state) is
 * freed at once. What stays for three probe timeouts is the ids and, if the end was ours, the packet with the
 * CONNECTION_CLOSE: a peer that missed it and goes on sending gets it again after 1, 2, 4, 8, ... further packets.
 * The number of such remains is bounded by the number of connections.
 *
 * ngtcp2 must not be freed inside its callbacks. So callbacks only set flags (wake.c), and recv.c and run.c act upon
 * them after ngtcp2 has returned.
 */

#include "quic/closing.h"

#include <ngtcp2/ngtcp2.h>
#include <string.h>

#include "base/clock.h"
#include "base/gauge.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/log_limit.h"
#include "base/mem.h"
#include "base/usdt.h"
#include "core/ending.h"
#include "h3/conn.h"
#include "quic/answers.h"
#include "quic/batch.h"
#include "quic/blocks.h"
#include "quic/budget.h"
#include "quic/cid.h"
#include "quic/client.h"
#include "quic/conn.h"
#include "quic/crypto_in.h"
#include "quic/ending.h"
#include "quic/endpoint_state.h"
#include "quic/packet_keys.h"
#include "quic/path.h"
#include "quic/peers.h"
#include "quic/qlog.h"
#include "quic/rebinding.h"
#include "quic/reset_at.h"
#include "quic/shared.h"
#include "quic/stops.h"
#include "quic/tls.h"
#include "quic/turn.h"
#include "quic/wake.h"

#define END_PTOS 3
#define END_MAX (10000 * WT__NS_PER_MS) /* remains stay no longer, whatever round-trip time the peer makes us believe */
#define END_GRAIN (100 * WT__NS_PER_MS) /* remains end together, at multiples of this, and not with a timer each */

static size_t conn_answer_size(const struct wt__conn_answer *answer) { return sizeof(*answer) + answer->len; }

/* The name that the client asks for, or its certificate, was refused. */
static void conn_warn_refused(struct wt__conn *conn) {
  struct wt__endpoint *endpoint = conn->endpoint;
  const char *why = conn->tls && !conn->client ? wt__tls_error(conn->tls) : NULL;
  char peer[WT__PEER_TEXT_MAX];
  if (!why || !*why) return;
  WT__WARN_LIMITED(endpoint->config.log, &endpoint->gauge.lines, endpoint->now,
                   WT__EVENT_OF("handshake_refused", WT__CONNECTION(conn), WT__TEXT("reason", why)),
                   "the handshake with %s is refused: %s", wt__conn_peer_text(conn, peer, sizeof(peer)), why);
}

static void conn_measure_round_trip(const struct wt__conn *conn) {
  struct wt__measures *measures = conn->endpoint->config.h3.mux.measures;
  ngtcp2_conn_info info;
  if (!measures) return;
  ngtcp2_conn_get_conn_info(conn->quic, &info);
  wt__histogram_record(&measures->round_trip, info.smoothed_rtt);
}

/* The connection is not open any more: the application hears of it, and all but the remains is freed. */
static void conn_release(struct wt__conn *conn, enum wt__conn_state state, enum wt_party party, uint64_t code) {
  struct wt__endpoint *endpoint = conn->endpoint;
  struct wt__ending ending = {wt__party_cause(party), conn->close_wanted, code, ""};
  if (conn->has_ending) ending = conn->ending;
  if (conn->state == WT__CONN_OPEN) {
    endpoint->stats.connections_open--;
    if (!conn->handshake_done) endpoint->stats.handshakes_open--;
    if (!conn->client) wt__shared_end(endpoint->shared, conn->handshake_done);
    if (conn->counted) wt__shared_peer_remove(endpoint->shared, WT__PEERS_ESTABLISHED, conn->peer_key);
    if (!conn->client && conn->handshake_done) conn_measure_round_trip(conn);
    wt__conn_log_ending(conn, &ending);
    WT__USDT(connection_end, (const char *)conn->name, conn->h3, ending.cause, ending.wire_code);
    if (!conn->handshake_done) conn_warn_refused(conn);
  }
  wt__conn_leave_half_open(conn);
  wt__lane_clear(&endpoint->turn, &conn->lane);
  if (conn->client) wt__conn_client_release_resumption(conn);
  conn->state = state; /* from here on the calls of h3 do nothing */
  if (conn->h3) wt__h3_conn_free(conn->h3, &ending);
  wt__conn_qlog_ended(conn, &ending);
  if (conn->quic) ngtcp2_conn_del(conn->quic);
  wt__conn_qlog_free(conn);
  wt__packet_keys_free(&conn->keys);
  wt__blocks_free(&conn->blocks);
  wt__crypto_in_free(&conn->crypto_in);
  wt__reset_at_recv_free(conn);
  wt__reset_at_send_free(conn);
  wt__tls_free(conn->tls);
  wt__conn_set_uncounted(conn, WT__BUDGET_REMAINS);
  if (conn->withheld) endpoint->withheld--;
  conn->withheld = false;
  wt__stops_free(conn);
  conn->h3 = NULL;
  conn->quic = NULL;
  conn->tls = NULL;
  wt__list_remove(&conn->queue);
  wt__list_remove(&conn->link);
}

void wt__conn_free(struct wt__conn *conn, enum wt_party party, uint64_t code) {
  bool lingered = conn->state != WT__CONN_OPEN && wt__link_linked(&conn->link);
  conn_release(conn, WT__CONN_DRAINING, party, code);
  if (lingered) conn->endpoint->ended_len--;
  wt__heap_remove(&conn->endpoint->timers, &conn->timer);
  wt__batch_forget(&conn->endpoint->batch, conn);
  wt__cid_map_remove_all(&conn->endpoint->cids, &conn->cids);
  wt__conn_set_uncounted(conn, 0);
  wt__gauge_remove(&conn->gauge, sizeof(*conn) + (conn->answer ? conn_answer_size(conn->answer) : 0));
  wt__free(conn->answer);
  wt__free(conn->texts);
  wt__free(conn->close_reason);
  wt__free(conn->resumption_key);
  wt__free(conn);
}

/* Leaves the remains for three PTO. It may be gone afterwards. */
static void conn_linger(struct wt__conn *conn, enum wt__conn_state state, enum wt_party party, uint64_t code) {
  struct wt__endpoint *endpoint = conn->endpoint;
  uint64_t wait = END_PTOS * ngtcp2_conn_get_pto(conn->quic), end = endpoint->now + (wait < END_MAX ? wait : END_MAX);
  end += END_GRAIN - end % END_GRAIN;
  conn_release(conn, state, party, code);
  wt__list_push_back(&endpoint->ended, &conn->link);
  endpoint->ended_len++;
  if (wt__heap_set(&endpoint->timers, &conn->timer, end)) {
    wt__conn_free(conn, party, code);
    return;
  }
  if (endpoint->ended_len > endpoint->config.max_connections)
    wt__conn_free(WT__CONTAINER_OF(wt__list_first(&endpoint->ended), struct wt__conn, link), party, code);
}

void wt__conn_enter_closing(struct wt__conn *conn, const struct wt__path *path, const uint8_t *packet, size_t len,
                            enum wt_party party, uint64_t code) {
  struct wt__endpoint *endpoint = conn->endpoint;
  struct wt__conn_answer *answer = wt__calloc(1, sizeof(*answer) + len);
  wt__endpoint_send_packet(endpoint, path, packet, len);
  if (!answer) {
    wt__conn_free(conn, party, code);
    return;
  }
  conn->answer = answer;
  answer->due = 1;
  answer->len = len;
  memcpy(answer->packet, packet, len);
  answer->path = *path;
  wt__gauge_add(&conn->gauge, conn_answer_size(answer));
  conn_linger(conn, WT__CONN_CLOSING, party, code);
}

void wt__conn_enter_draining(struct wt__conn *conn) { conn_linger(conn, WT__CONN_DRAINING, WT_PEER, NGTCP2_NO_ERROR); }

bool wt__endpoint_drop_ended(struct wt__endpoint *endpoint, size_t bytes) {
  size_t before = endpoint->gauge.bytes;
  struct wt__link *link;
  while (before - endpoint->gauge.bytes < bytes) {
    link = wt__list_first(&endpoint->ended);
    if (!link) return false;
    wt__conn_free(WT__CONTAINER_OF(link, struct wt__conn, link), WT_LOCAL, 0);
  }
  return true;
}

void wt__conn_answer_closing(struct wt__conn *conn) {
  struct wt__conn_answer *answer = conn->answer;
  if (++answer->seen < answer->due) return;
  answer->seen = 0;
  answer->due *= 2;
  wt__endpoint_send_packet(conn->endpoint, &answer->path, answer->packet, answer->len);
}
