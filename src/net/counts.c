/* SPDX-License-Identifier: MIT */

/*
 * The counts of all workers together.
 *
 * Packets are counted in plain integers of the worker's thread: an atomic addition for each packet would cost more than the
 * rest of the counting. At the end of each turn of its loop a worker copies its counts to atomics. `wt_server_get_stats`
 * adds up these copies. They are not all of the same moment, but nobody can notice that from outside.
 *
 * With one worker the call is made on that worker's thread, so it reads the counts themselves.
 *
 * A worker that hangs publishes nothing more. So when its turn began is looked up in its loop.
 */

#include "net/counts.h"

#include "base/clock.h"
#include "base/sized.h"
#include "net/driver.h"
#include "net/inbox.h"
#include "net/server_state.h"
#include "quic/endpoint.h"

static uint64_t max_u64(uint64_t a, uint64_t b) { return a > b ? a : b; }

static void worker_count(const struct wt__worker *worker, struct wt_server_stats *stats) {
  struct wt__endpoint_stats quic;
  wt__driver_get_stats(&worker->driver, &quic);
  stats->connections_open = quic.connections_open;
  stats->connections_total = quic.connections_total;
  stats->connections_refused = quic.connections_refused;
  stats->sessions_open = worker->counters.sessions_open;
  stats->sessions_total = worker->counters.sessions_total;
  stats->requests_total = worker->counters.requests_total;
  stats->handshakes_open = quic.handshakes_open;
  stats->handshakes_evicted = quic.handshakes_evicted;
  stats->handshakes_dropped = quic.handshakes_dropped;
  stats->packets_received = quic.packets_received;
  stats->packets_sent = quic.packets_sent;
  stats->bytes_received = quic.bytes_received;
  stats->bytes_sent = quic.bytes_sent;
  stats->memory_used = quic.memory_used;
  stats->memory_refused_connections = quic.memory_refused_connections;
  stats->memory_refused_packets = quic.memory_refused_packets;
  stats->memory_closed_connections = quic.memory_closed_connections;
  stats->memory_refused_requests = worker->counters.requests_refused;
  stats->streams_given_up = worker->counters.progress.given_up;
  stats->datagrams_sent = worker->counters.datagrams.sent;
  stats->datagrams_dropped = worker->counters.datagrams.dropped;
  stats->datagrams_expired = worker->counters.datagrams.expired;
  stats->longest_datagram_delay_us = worker->counters.datagrams.longest_delay / WT__NS_PER_US;
  stats->longest_turn_us = worker->driver.turns.longest / WT__NS_PER_US;
  stats->long_turns = worker->driver.turns.long_ones;
  stats->longest_visit_us = quic.longest_visit / WT__NS_PER_US;
  stats->packets_put_off = quic.packets_put_off;
  stats->packets_cut_off = quic.packets_cut_off;
  stats->turns = worker->driver.turns.count;
  stats->turns_idle = worker->driver.turns.idle;
  stats->timers_set = worker->driver.loop.timers_set;
  stats->timers_fired = worker->driver.loop.timers_fired;
  stats->takeover_packets_out = worker->takeover_out;
  stats->takeover_packets_in = worker->takeover_in;
  stats->takeover_packets_dropped = worker->takeover_dropped;
  stats->packets_sent_ack = quic.acks_sent;
  stats->packets_sent_probe = quic.probes_sent;
}

void wt__counts_publish(struct wt__worker *worker) {
  struct wt_server_stats stats;
  if (worker->server->worker_count == 1) return;
  worker_count(worker, &stats);
#define PUBLISH(name) atomic_store_explicit(&worker->counts.name, stats.name, memory_order_relaxed);
  WT__COUNTS(PUBLISH)
  WT__MAXIMA(PUBLISH)
#undef PUBLISH
}

/* At this moment, also of a worker that does not come to the end of its turn. */
static uint64_t longest_current_turn(const wt_server *server) {
  uint64_t now = uv_hrtime(), longest = 0;
  for (unsigned i = 0; i < server->worker_count; i++) {
    uint64_t began = wt__loop_began(&server->workers[i].driver.loop);
    if (began && began < now) longest = max_u64(longest, now - began);
  }
  return longest;
}

static void workers_sum(const wt_server *server, struct wt_server_stats *stats) {
  for (unsigned i = 0; i < server->worker_count; i++) {
    struct wt__worker *worker = &server->workers[i];
    uint64_t taken, dropped;
#define ADD(name) stats->name += atomic_load_explicit(&worker->counts.name, memory_order_relaxed);
    WT__COUNTS(ADD)
#undef ADD
#define HIGHEST(name) \
  stats->name = max_u64(stats->name, atomic_load_explicit(&worker->counts.name, memory_order_relaxed));
    WT__MAXIMA(HIGHEST)
#undef HIGHEST
    wt__inbox_get_stats(&worker->inbox, &taken, &dropped);
    stats->packets_handed_over += taken;
    stats->packets_dropped += dropped;
  }
}

int wt_server_get_stats(const wt_server *server, struct wt_server_stats *stats) {
  struct wt_server_stats all = {0};
  if (!server || wt__sized_check(stats, sizeof(*stats))) return WT_ERR_INVALID;
  if (server->worker_count == 1) {
    worker_count(&server->workers[0], &all);
  } else {
    workers_sum(server, &all);
  }
  all.current_turn_us = longest_current_turn(server) / WT__NS_PER_US;
  all.congestion_control = server->config.congestion_control;
  return wt__sized_give(stats, &all, sizeof(all), sizeof(all));
}
