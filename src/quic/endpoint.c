/* SPDX-License-Identifier: MIT */

/*
 * Which connection is run when.
 *
 * A packet or a call of the application touches a connection: it goes to the `ready` list. A pass
 * (`wt__endpoint_run`) adds those whose timers are due and runs each one: put-off work, then packets up to what its
 * congestion control sends in one go. So a hundred packets that arrive together cost one run, and no connection keeps
 * the others waiting. A pass, and each run in it, has a budget of time (turn.c): what is left over is the beginning of
 * the next pass.
 *
 *   recv, wake --> ready --+
 *                          +--> round --> run --> timer (heap)        <-- usual
 *   timers that are due ---+                  --> ready               <-- more to send, or woken meanwhile
 *                                             --> waiting             <-- socket full, until `writable`
 *
 * Applications are called from inside `recv` and `run`, and may ask for anything there, also for the end
 * of the endpoint. So during both (`busy`) such calls are only noted, and nothing is freed while a
 * callback might be on the stack.
 */

#include "quic/endpoint.h"

#include <string.h>

#include "base/clock.h"
#include "base/gauge.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/log_limit.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rate.h"
#include "h3/conn.h"
#include "quic/accept.h"
#include "quic/admit.h"
#include "quic/answers.h"
#include "quic/batch.h"
#include "quic/canary.h"
#include "quic/budget.h"
#include "quic/cid.h"
#include "quic/cid_issue.h"
#include "quic/cid_maker.h"
#include "quic/client.h"
#include "quic/closing.h"
#include "quic/conn.h"
#include "quic/connection_close.h"
#include "quic/endpoint_state.h"
#include "quic/evict.h"
#include "quic/half_open.h"
#include "quic/path.h"
#include "quic/path_watch.h"
#include "quic/pressure.h"
#include "quic/recv.h"
#include "quic/run.h"
#include "quic/shared.h"
#include "quic/turn.h"
#include "quic/wake.h"
#include "wire/error_code.h"

#define RESETS_BURST 64         /* stateless resets at once */
#define RESETS_RATE 128         /* and a second */
#define FLEET_RESETS_BURST 1024 /* with the keys of a fleet, whose machines can end with all their connections */
#define FLEET_RESETS_RATE 4096
#define ADMIT_LINES_BURST 10    /* lines in the log about who is not admitted, and who gives way; about ends as many */
#define ADMIT_LINES_RATE 1      /* and a second */
#define SESSION_LINES_BURST 100 /* the same about sessions that begin: an ordinary server's log is complete */
#define SESSION_LINES_RATE 100

#define WITHHELD_INTERVAL (100 * WT__NS_PER_MS) /* how often it is looked whether there is memory again */

static int endpoint_init_ids(struct wt__endpoint *endpoint) {
  const struct wt__endpoint_config *config = &endpoint->config;
  struct wt__cid_scheme random;
  int error = 0;
  if (!config->ids) {
    wt__cid_scheme_random(&random);
    error = wt__cid_shared_init(&endpoint->own_ids, &random);
  }
  if (error) return error;
  struct wt__cid_shared *ids = config->ids ? config->ids : &endpoint->own_ids;
  error = wt__cid_maker_init(&endpoint->ids, ids, config->worker, config->workers);
  endpoint->cid_len = endpoint->ids.scheme.len;
  endpoint->ids_generation = endpoint->ids.generation;
  return error;
}

int wt__endpoint_new(struct wt__endpoint **endpoint, const struct wt__endpoint_config *config) {
  struct wt__endpoint *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  made->config = *config;
  if (config->worker == 0) wt__canary_tell(config->log);
  if (!wt__canary()->carriers) made->config.h3.require_reset_at = false; /* we could not send it anyway */
  wt__pool_init(&made->pool);
  made->config.h3.mux.pool = &made->pool;
  made->config.h3.session_lines = &made->session_lines;
  wt__list_init(&made->conns);
  wt__list_init(&made->ended);
  wt__list_init(&made->ready);
  wt__list_init(&made->round);
  wt__turn_init(&made->turn, config->clock, config->thread_time, config->clock_ctx);
  made->unknown_gauge.sum = &made->gauge;
  wt__lane_init(&made->unknown_lane, &made->unknown_gauge);
  wt__list_init(&made->waiting);
  wt__heap_init(&made->timers);
  wt__half_open_init(&made->half_open);
  wt__rate_init(&made->resets, RESETS_RATE, RESETS_BURST, 0);
  wt__rate_init(&made->fleet_resets, FLEET_RESETS_RATE, FLEET_RESETS_BURST, 0);
  wt__log_limit_init(&made->admit_lines, ADMIT_LINES_RATE, ADMIT_LINES_BURST);
  wt__log_limit_init(&made->ending_lines, ADMIT_LINES_RATE, ADMIT_LINES_BURST);
  wt__log_limit_init(&made->path_lines, ADMIT_LINES_RATE, ADMIT_LINES_BURST);
  wt__log_limit_init(&made->session_lines, SESSION_LINES_RATE, SESSION_LINES_BURST);
  made->gauge.share = SIZE_MAX;
  made->evict_at = UINT64_MAX;
  wt__log_limit_init(&made->gauge.lines, WT__BUDGET_LINES_RATE, WT__BUDGET_LINES_BURST);
  made->batch.send = config->send;
  made->batch.send_runs = config->send_runs;
  made->batch.on_refused = wt__path_watch_refused;
  made->batch.send_ctx = config->send_ctx;
  made->batch.stats = &made->stats;
  if (made->config.workers == 0) made->config.workers = 1;
  int error = wt__cid_map_init(&made->cids);
  if (!error && !config->shared) error = wt__shared_init(&made->own);
  if (!error) made->shared = config->shared ? config->shared : &made->own;
  if (!error) error = endpoint_init_ids(made);
  if (error) {
    wt__endpoint_free(made);
    return error;
  }
  *endpoint = made;
  return 0;
}

static struct wt__conn *conn_of_link(struct wt__link *link) { return WT__CONTAINER_OF(link, struct wt__conn, link); }

static struct wt__conn *conn_of_queue(struct wt__link *link) { return WT__CONTAINER_OF(link, struct wt__conn, queue); }

void wt__endpoint_free(struct wt__endpoint *endpoint) {
  if (!endpoint) return;
  struct wt__link *link;
  while ((link = wt__list_first(&endpoint->conns))) wt__conn_free(conn_of_link(link), WT_LOCAL, 0);
  while ((link = wt__list_first(&endpoint->ended))) wt__conn_free(conn_of_link(link), WT_LOCAL, 0);
  wt__half_open_free(&endpoint->half_open);
  wt__lane_clear(&endpoint->turn, &endpoint->unknown_lane);
  if (endpoint->shared) wt__endpoint_publish_memory(endpoint);
  if (endpoint->shared) wt__endpoint_publish_over(endpoint, 0);
  wt__pool_free(&endpoint->pool);
  wt__cid_map_free(&endpoint->cids);
  wt__cid_maker_free(&endpoint->ids);
  if (endpoint->ids.shared == &endpoint->own_ids) wt__cid_shared_free(&endpoint->own_ids);
  if (endpoint->shared == &endpoint->own) wt__shared_free(&endpoint->own);
  wt__heap_free(&endpoint->timers);
  wt__turn_free(&endpoint->turn);
  wt__free(endpoint);
}

/* --- Packets in --- */

/* Of a packet of version 1 or 2 with a long header: a client's Initial or 0-RTT, whose id may be the client's. */
static bool packet_is_first(const ngtcp2_version_cid *ids, const uint8_t *data) {
  unsigned type = data[0] >> 4 & 3;
  return ids->version == NGTCP2_PROTO_VER_V2 ? type == 1 || type == 2 : type <= 1;
}

/* Gives a packet whose id is unknown here to the worker that the id names. A first packet is taken where it is, unless
 * the sockets see to it that all copies of it come to one worker. */
static bool endpoint_pass(struct wt__endpoint *endpoint, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                          size_t len, const ngtcp2_version_cid *ids) {
  const struct wt__endpoint_config *config = &endpoint->config;
  if (config->workers == 1 || !config->forward || ids->dcidlen == 0) return false;
  if (!config->steered && data[0] & 0x80 && packet_is_first(ids, data)) return false;
  unsigned worker = wt__cid_worker(ids->dcid, ids->dcidlen, config->workers);
  if (worker == config->worker) return false;
  config->forward(config->forward_ctx, worker, path, ecn, data, len);
  return true;
}

/* Gives a packet that no worker knows to another process. */
static bool endpoint_hand_over(struct wt__endpoint *endpoint, const struct wt__path *path, unsigned ecn,
                               const uint8_t *data, size_t len, const ngtcp2_version_cid *ids) {
  const struct wt__endpoint_config *config = &endpoint->config;
  bool first = data[0] & 0x80 && packet_is_first(ids, data);
  return config->hand_over && config->hand_over(config->forward_ctx, first, path, ecn, data, len);
}

/* `conn`: NULL if it belongs to none. */
static void endpoint_handle(struct wt__endpoint *endpoint, struct wt__conn *conn, const struct wt__path *path,
                            unsigned ecn, const uint8_t *data, size_t len) {
  if (conn) {
    wt__conn_recv(conn, path, ecn, data, len);
  } else if (!endpoint->config.tls) {
    wt__endpoint_recv_client_unknown(endpoint, path, data, len);
  } else {
    wt__endpoint_recv_unknown(endpoint, path, ecn, data, len);
  }
}

/* When memory is full, no more than a share of it may wait. */
void wt__endpoint_put_off(struct wt__endpoint *endpoint, struct wt__conn *conn, const struct wt__path *path,
                          unsigned ecn, const uint8_t *data, size_t len) {
  struct wt__lane *lane = conn ? &conn->lane : &endpoint->unknown_lane;
  size_t share = endpoint->gauge.share, held = lane->gauge->bytes;
  char peer[WT__PEER_TEXT_MAX];
  if (wt__turn_put_off(&endpoint->turn, lane, share > held ? share - held : 0, path, ecn, data, len)) return;
  /* To a client it says that this machine is slow, which is no news for an operator. */
  WT__LOG_LIMITED(endpoint->config.log, &endpoint->turn.lines, endpoint->now,
                  endpoint->config.tls ? WT_LOG_WARN : WT_LOG_INFO,
                  WT__EVENT_OF("packets_dropped", WT__TEXT("connection", conn ? conn->name : NULL),
                               WT__TEXT("peer", wt__conn_address_text(&path->remote, peer, sizeof(peer)))),
                  "%s%s: packets dropped, because handling them takes too long",
                  conn ? "connection " : "new connections", conn ? conn->name : "");
}

void wt__endpoint_recv(struct wt__endpoint *endpoint, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                       size_t len, uint64_t now) {
  ngtcp2_version_cid ids;
  if (len == 0) return; /* ngtcp2 has an assertion for it, and below the first byte is looked at */
  int error = ngtcp2_pkt_decode_version_cid(&ids, data, len, endpoint->cid_len);
  struct wt__conn *conn = error ? NULL : wt__cid_map_find(&endpoint->cids, ids.dcid, ids.dcidlen);
  if (!error && !conn && endpoint_pass(endpoint, path, ecn, data, len, &ids)) return;
  if (!error && !conn && endpoint_hand_over(endpoint, path, ecn, data, len, &ids)) return;
  endpoint->now = now;
  wt__endpoint_update_budget(endpoint);
  endpoint->stats.packets_received++;
  endpoint->stats.bytes_received += len;
  if (error == NGTCP2_ERR_VERSION_NEGOTIATION) {
    if (endpoint->config.tls) wt__endpoint_send_version_negotiation(endpoint, path, &ids);
    return;
  }
  if (error) return;
  if (!wt__turn_admits(&endpoint->turn, conn ? &conn->lane : &endpoint->unknown_lane)) {
    wt__endpoint_put_off(endpoint, conn, path, ecn, data, len);
    return;
  }
  endpoint->busy = true;
  endpoint_handle(endpoint, conn, path, ecn, data, len);
  endpoint->busy = false;
}

void wt__endpoint_recv_from(struct wt__endpoint *endpoint, const struct wt__origin *origin, const struct wt__path *path,
                            unsigned ecn, const uint8_t *data, size_t len, uint64_t now) {
  endpoint->origin = *origin;
  wt__endpoint_recv(endpoint, path, ecn, data, len, now);
  endpoint->origin = (struct wt__origin){.from = WT__FROM_SOCKET};
}

struct wt__origin wt__endpoint_origin(const struct wt__endpoint *endpoint) {
  return endpoint->origin;
}

bool wt__endpoint_may_receive(struct wt__endpoint *endpoint) {
  return wt__turn_within(&endpoint->turn, endpoint->turn.began, WT__TURN_LANE_MAX);
}

/* --- A pass --- */

static void endpoint_run_timers(struct wt__endpoint *endpoint) {
  struct wt__turn *turn = &endpoint->turn;
  struct wt__heap_node *node;
  uint64_t since = turn->at;
  while ((node = wt__heap_min(&endpoint->timers)) && node->key <= endpoint->now) {
    struct wt__conn *conn = WT__CONTAINER_OF(node, struct wt__conn, timer);
    wt__turn_charge_lightly(turn, &conn->lane);
    if (turn->at - since >= WT__TURN_TIMERS_MAX) return;
    wt__heap_remove(&endpoint->timers, node);
    /* An end takes long: there are callbacks to make. */
    if (!wt__conn_expire(conn) && !wt__turn_within(turn, since, WT__TURN_TIMERS_MAX)) return;
  }
}

/* Adds all that are ready to the round. Those that are woken from now on wait for the next one. */
static void endpoint_fill_round(struct wt__endpoint *endpoint) {
  struct wt__link *link;
  while ((link = wt__list_first(&endpoint->ready))) {
    wt__list_remove(link);
    wt__list_push_back(&endpoint->round, link);
  }
}

/* Packets that connections of this pass have left for a call that sends those of several. */
static void endpoint_send(struct wt__endpoint *endpoint) {
  if (!endpoint->batch.blocked) (void)wt__batch_flush(&endpoint->batch);
}

/* Runs as many of the round as there is time for. What was written does not wait for another run after a slow one. */
static void endpoint_run_ready(struct wt__endpoint *endpoint) {
  struct wt__turn *turn = &endpoint->turn;
  struct wt__link *link;
  uint64_t since = turn->at, sent_at = turn->at;
  if (wt__list_empty(&endpoint->round)) endpoint_fill_round(endpoint);
  while ((link = wt__list_first(&endpoint->round))) {
    struct wt__conn *conn = conn_of_queue(link);
    wt__turn_charge_lightly(turn, &conn->lane);
    if (turn->at - since >= WT__TURN_PASS_MAX) return;
    if (turn->at - sent_at >= WT__TURN_COSTLY_RUN) endpoint_send(endpoint);
    if (endpoint->batch.count == 0) sent_at = turn->at;
    wt__turn_allow(turn, WT__TURN_LANE_MAX);
    wt__list_remove(link);
    wt__conn_run(conn);
  }
}

/* Whose packet it is that had to wait: NULL for nobody's. One that was nobody's may belong to a connection by now, if another
 * first packet of the same client was before it. */
static struct wt__conn *late_owner(struct wt__endpoint *endpoint, struct wt__lane *lane,
                                   const struct wt__put_off *packet) {
  ngtcp2_version_cid ids;
  if (lane != &endpoint->unknown_lane) return WT__CONTAINER_OF(lane, struct wt__conn, lane);
  if (ngtcp2_pkt_decode_version_cid(&ids, packet->data, packet->len, endpoint->cid_len)) return NULL;
  return wt__cid_map_find(&endpoint->cids, ids.dcid, ids.dcidlen);
}

/* Packets that had to wait, after all other work of the turn. */
static void endpoint_run_late(struct wt__endpoint *endpoint) {
  struct wt__turn *turn = &endpoint->turn;
  struct wt__lane *lane;
  struct wt__put_off *packet;
  bool alone = endpoint->conns.head.next == endpoint->conns.head.prev;
  uint64_t since = turn->at, max = alone ? WT__TURN_ALONE_MAX : WT__TURN_LATE_MAX;
  do {
    packet = wt__turn_take_late(turn, &lane);
    if (!packet) return;
    endpoint_handle(endpoint, late_owner(endpoint, lane, packet), &packet->path, packet->ecn, packet->data,
                    packet->len);
    wt__put_off_free(packet);
  } while (wt__turn_served(turn, lane, since, max));
}

static void endpoint_do_shutdown(struct wt__endpoint *endpoint) {
  endpoint->shutdown_wanted = false;
  endpoint->shutting_down = true;
  WT__LIST_FOREACH(link, next, &endpoint->conns) {
    struct wt__conn *conn = conn_of_link(link);
    if (conn->h3) wt__h3_conn_shutdown(conn->h3);
    wt__conn_wake(conn);
  }
}

/* The ends that were sent linger until the endpoint is freed: while the sockets are open a client that missed its end gets it
 * again, and no stateless reset, which would say that this server has lost its state. */
static void endpoint_do_close(struct wt__endpoint *endpoint) {
  endpoint->close_wanted = false;
  endpoint->shutting_down = true;
  struct wt__link *link;
  while ((link = wt__list_first(&endpoint->conns))) {
    struct wt__conn *conn = conn_of_link(link);
    wt__conn_want_close(conn, WT_LOCAL, WT__H3_NO_ERROR, "");
    wt__conn_close_now(conn);
  }
}

static void endpoint_do_wanted(struct wt__endpoint *endpoint) {
  if (endpoint->shutdown_wanted) endpoint_do_shutdown(endpoint);
  if (endpoint->close_wanted) endpoint_do_close(endpoint);
}

void wt__endpoint_close_sessions(struct wt__endpoint *endpoint, const char *reason, uint64_t now) {
  endpoint->now = now;
  WT__LIST_FOREACH(link, next, &endpoint->conns) {
    struct wt__conn *conn = conn_of_link(link);
    if (conn->h3) wt__h3_conn_close_sessions(conn->h3, reason);
  }
}

/* When memory is full, what is left of closed connections goes before anybody is refused a session for it. */
static void endpoint_free_remains(struct wt__endpoint *endpoint) {
  if (endpoint->gauge.pressure != WT__PRESSURE_FULL || wt__list_empty(&endpoint->ended)) return;
  (void)wt__endpoint_drop_ended(endpoint, SIZE_MAX);
  wt__endpoint_update_budget(endpoint);
}

void wt__endpoint_run(struct wt__endpoint *endpoint, uint64_t now) {
  if (endpoint->busy) return;
  endpoint->now = now;
  endpoint->busy = true;
  wt__turn_pass(&endpoint->turn, now);
  wt__endpoint_move_cids(endpoint);
  endpoint_do_wanted(endpoint);
  endpoint_run_timers(endpoint);
  wt__endpoint_update_budget(endpoint);
  endpoint_free_remains(endpoint);
  wt__endpoint_pay_debt(endpoint);
  endpoint_run_ready(endpoint);
  endpoint_send(endpoint);
  endpoint_run_late(endpoint);
  wt__endpoint_update_budget(endpoint);
  wt__endpoint_evict(endpoint);
  wt__turn_end(&endpoint->turn);
  endpoint->busy = false;
}

void wt__endpoint_flush(struct wt__endpoint *endpoint, uint64_t now) {
  struct wt__link *link;
  if (endpoint->busy) return;
  endpoint->now = now;
  endpoint->busy = true;
  wt__turn_pass(&endpoint->turn, now);
  endpoint_fill_round(endpoint);
  while ((link = wt__list_first(&endpoint->round))) {
    wt__turn_allow(&endpoint->turn, WT__TURN_LANE_MAX);
    wt__list_remove(link);
    wt__conn_run(conn_of_queue(link));
  }
  endpoint_send(endpoint);
  wt__turn_end(&endpoint->turn);
  endpoint->busy = false;
}

uint64_t wt__endpoint_expiry(const struct wt__endpoint *endpoint) {
  if (!wt__list_empty(&endpoint->ready) || !wt__list_empty(&endpoint->round) || wt__turn_has_late(&endpoint->turn) ||
      endpoint->shutdown_wanted || endpoint->close_wanted) {
    return 0;
  }
  const struct wt__heap_node *node = wt__heap_min(&endpoint->timers);
  uint64_t expiry = node ? node->key : UINT64_MAX;
  uint64_t evict = wt__endpoint_evict_expiry(endpoint);
  if (evict < expiry) expiry = evict;
  /* Another worker may be the one whose connections give memory back. */
  if (endpoint->withheld && expiry > endpoint->now + WITHHELD_INTERVAL) expiry = endpoint->now + WITHHELD_INTERVAL;
  return expiry;
}

void wt__endpoint_writable(struct wt__endpoint *endpoint, uint64_t now) {
  endpoint->now = now;
  if (wt__batch_flush(&endpoint->batch)) return;
  struct wt__link *link;
  while ((link = wt__list_first(&endpoint->waiting))) wt__conn_wake(conn_of_queue(link));
}

/* --- The end --- */

void wt__endpoint_shutdown(struct wt__endpoint *endpoint, uint64_t now) {
  endpoint->shutdown_wanted = true;
  if (endpoint->busy) return;
  endpoint->now = now;
  endpoint->busy = true;
  endpoint_do_shutdown(endpoint);
  endpoint->busy = false;
}

void wt__endpoint_close(struct wt__endpoint *endpoint, uint64_t now) {
  endpoint->close_wanted = true;
  if (endpoint->busy) return;
  endpoint->now = now;
  endpoint->busy = true;
  endpoint_do_close(endpoint);
  endpoint->busy = false;
}

bool wt__endpoint_is_idle(const struct wt__endpoint *endpoint) {
  WT__LIST_FOREACH(link, next, &endpoint->conns) {
    const struct wt__conn *conn = conn_of_link(link);
    if (conn->h3 && !wt__h3_conn_is_idle(conn->h3)) return false;
  }
  return true;
}

uint64_t wt__endpoint_packets(const struct wt__endpoint *endpoint) {
  return endpoint->stats.packets_received + endpoint->stats.packets_sent;
}

void wt__endpoint_get_stats(const struct wt__endpoint *endpoint, struct wt__endpoint_stats *stats) {
  *stats = endpoint->stats;
  stats->memory_used = wt__endpoint_memory(endpoint);
  stats->longest_visit = endpoint->turn.longest_visit;
  stats->packets_put_off = endpoint->turn.put_off;
  stats->packets_cut_off = endpoint->turn.dropped;
}

uint64_t wt__endpoint_ended_at(const struct wt__endpoint *endpoint) { return endpoint->turn.clock_at; }
