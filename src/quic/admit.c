/* SPDX-License-Identifier: MIT */

/*
 * Whether a first packet may begin a connection, and which half-open connection gives way for it.
 *
 * A handshake costs 40 KiB and a signature before anything is known of the client, and a client that stops in the
 * middle keeps both for ten seconds. So the bounds hold from the first packet on, and a half-open connection is worth
 * less than a new one: the new client may finish its handshake.
 *
 *   no token      the address may be forged: it counts for nobody, and Retry is asked for when handshakes are many, when
 *                 those of this address are many, or when somebody would have to give way
 *   token         the address is validated, and counts: the established connections of the address and its handshakes
 *                 together have one bound, its handshakes another
 *
 * When an address has reached one of them, its own oldest handshake gives way. When all connections of the server are
 * taken, its memory is full, or handshakes hold a quarter of it, a handshake of the same address gives way if there is one,
 * else the oldest that is not validated, else the oldest. An established connection never gives way: if there is no
 * handshake, the new connection is refused.
 *
 * A flood from one address would keep the server busy with handshakes, each of which ends the one before. So a handshake
 * that has just begun does not give way to others of its address, and only a quarter of them may give way in a second.
 * Meanwhile new first packets of the address are dropped, which looks like loss: an honest client sends again. Clients behind
 * the same NAT share these limits; other addresses do not notice.
 *
 * A connection that gives way gets CONNECTION_REFUSED if its address is validated, and nothing of it is kept. Others end in
 * silence, since the packet might go to somebody who never sent anything.
 */

#include "quic/admit.h"

#include "base/clock.h"
#include "base/gauge.h"
#include "base/list.h"
#include "base/log_limit.h"
#include "base/rate.h"
#include "quic/budget.h"
#include "quic/closing.h"
#include "quic/conn.h"
#include "quic/connection_close.h"
#include "quic/endpoint_state.h"
#include "quic/half_open.h"
#include "quic/path.h"
#include "quic/peers.h"
#include "quic/shared.h"

#define TURNOVER_PART 4             /* of an address's handshakes may give way at once, and in a second */
#define YOUNG (100 * WT__NS_PER_MS) /* so long a handshake is likely to be on its way still */
#define VALIDATE_FOR \
  (3000 * WT__NS_PER_MS) /* after the last Retry for an address; its Initials may be sent again meanwhile */

static struct wt__conn *conn_of(struct wt__half_open_entry *entry) {
  return WT__CONTAINER_OF(entry, struct wt__conn, half_open);
}

/* How many handshakes an address may have open. */
static size_t address_bound(const struct wt__endpoint_config *config) {
  size_t handshakes = config->max_handshakes_per_address, all = config->max_connections_per_address;
  return handshakes && handshakes < all ? handshakes : all;
}

size_t wt__endpoint_turnover(const struct wt__endpoint *endpoint) {
  size_t part = address_bound(&endpoint->config) / TURNOVER_PART;
  return part ? part : 1;
}

/* --- The log --- */

static void log_refusal(struct wt__endpoint *endpoint, const struct wt__path *path, size_t open, const char *of) {
  char peer[WT__PEER_TEXT_MAX];
  WT__WARN_LIMITED(endpoint->config.log, &endpoint->admit_lines, endpoint->now,
                   WT__EVENT_OF("connection_refused",
                                WT__TEXT("peer", wt__conn_address_text(&path->remote, peer, sizeof(peer))),
                                WT__INTEGER("open", open), WT__TEXT("reason", of)),
                   "a connection from %s is refused, because %zu %s are open", peer, open, of);
}

static void log_address(struct wt__endpoint *endpoint, const struct wt__path *path, const char *then) {
  char peer[WT__PEER_TEXT_MAX];
  WT__WARN_LIMITED(endpoint->config.log, &endpoint->admit_lines, endpoint->now,
                   WT__EVENT_OF("handshakes_crowded",
                                WT__TEXT("peer", wt__conn_address_text(&path->remote, peer, sizeof(peer))),
                                WT__TEXT("reason", "address")),
                   "the address of %s has too many unfinished handshakes: %s", peer, then);
}

static void log_memory(struct wt__endpoint *endpoint, const struct wt__path *path) {
  char peer[WT__PEER_TEXT_MAX];
  WT__WARN_LIMITED(endpoint->config.log, &endpoint->gauge.lines, endpoint->now,
                   WT__EVENT_OF("connection_refused",
                                WT__TEXT("peer", wt__conn_address_text(&path->remote, peer, sizeof(peer))),
                                WT__TEXT("reason", "the server's memory is full")),
                   "a connection from %s is refused, because the server's memory is full", peer);
}

/* --- The server as a whole --- */

/* Why somebody has to give way for a new connection. */
enum crowd {
  CROWD_NONE,
  CROWD_CONNECTIONS,
  CROWD_MEMORY,
  CROWD_HANDSHAKES
};

static const char *const crowd_texts[] = {
    [CROWD_CONNECTIONS] = "all connections are taken",
    [CROWD_MEMORY] = "the server's memory is full",
    [CROWD_HANDSHAKES] = "unfinished handshakes hold a quarter of the server's memory",
};

static bool is_full(const struct wt__endpoint *endpoint) {
  return atomic_load_explicit(&endpoint->shared->connections, memory_order_relaxed) >= endpoint->config.max_connections;
}

static bool is_out_of_memory(const struct wt__endpoint *endpoint) {
  return endpoint->gauge.pressure == WT__PRESSURE_FULL;
}

/* Handshakes alone must not bring the server to refuse sessions. */
static bool has_many_handshakes(const struct wt__endpoint *endpoint) {
  size_t handshakes = atomic_load_explicit(&endpoint->shared->handshakes, memory_order_relaxed);
  size_t max = endpoint->config.max_memory;
  return max && handshakes >= max / WT__BUDGET_HANDSHAKES_PART / WT__BUDGET_HANDSHAKE;
}

static enum crowd crowd_of(struct wt__endpoint *endpoint) {
  if (is_full(endpoint)) return CROWD_CONNECTIONS;
  if (is_out_of_memory(endpoint) && !wt__endpoint_drop_ended(endpoint, WT__BUDGET_HANDSHAKE)) return CROWD_MEMORY;
  return has_many_handshakes(endpoint) ? CROWD_HANDSHAKES : CROWD_NONE;
}

/* Finds who gives way for a new connection; false: nobody can. */
static bool find_room(struct wt__endpoint *endpoint, struct wt__admission *admission,
                      const struct wt__half_open_address *own, bool validated) {
  struct wt__half_open_entry *entry = validated ? wt__half_open_oldest_of(own, true) : NULL;
  if (!entry) entry = wt__half_open_oldest(&endpoint->half_open);
  admission->gives_way = entry ? conn_of(entry) : NULL;
  admission->owes = !entry && wt__shared_may_owe(endpoint->shared, endpoint->half_open.count);
  return entry || admission->owes;
}

/* --- One address --- */

/* Whether those of the address are many, or were a moment ago: a client that was sent a Retry may have sent its Initial
 * twice, and the second must not begin a connection that nobody goes on with. */
static bool address_must_validate(const struct wt__endpoint *endpoint, struct wt__half_open_address *own) {
  if (!own) return false;
  bool many = own->counts[false] >= address_bound(&endpoint->config);
  if (many) own->validate_until = endpoint->now + VALIDATE_FOR;
  return endpoint->now < own->validate_until;
}

static bool must_validate(const struct wt__endpoint *endpoint, struct wt__half_open_address *own, bool crowded) {
  const struct wt__endpoint_config *config = &endpoint->config;
  if (config->retry != WT_RETRY_UNDER_LOAD) return config->retry == WT_RETRY_ALWAYS;
  size_t handshakes = atomic_load_explicit(&endpoint->shared->handshakes, memory_order_relaxed);
  return crowded || handshakes >= config->retry_threshold || address_must_validate(endpoint, own);
}

static bool is_at_bound(const struct wt__endpoint_config *config, const struct wt__peer_counts *counts) {
  return counts->handshakes >= address_bound(config) ||
         counts->established + counts->handshakes >= config->max_connections_per_address;
}

/* The oldest handshake of a validated address; NULL: it has none here, or it is not its turn to give way. */
static struct wt__conn *find_oldest_of(const struct wt__endpoint *endpoint, struct wt__half_open_address *own) {
  struct wt__half_open_entry *oldest = wt__half_open_oldest_of(own, true);
  bool young = oldest && endpoint->now - conn_of(oldest)->born_at < YOUNG;
  return oldest && !young && wt__rate_has(&own->given_way, endpoint->now) ? conn_of(oldest) : NULL;
}

bool wt__endpoint_drops_initial(struct wt__endpoint *endpoint, const struct wt__path *path, bool has_token) {
  struct wt__peer_counts counts;
  uint64_t key = wt__peers_key(&endpoint->shared->peers, (const struct sockaddr *)&path->remote);
  struct wt__half_open_address *own = wt__half_open_find(&endpoint->half_open, key);
  /* Where it has none here, those at the bound are other workers': one more, and then it gives way to the next. */
  if (!own || own->counts[true] == 0 || find_oldest_of(endpoint, own)) return false;
  if (!has_token && !must_validate(endpoint, own, false)) return false;
  wt__shared_peer_get(endpoint->shared, key, &counts);
  if (endpoint->shutting_down || endpoint->refusing ||
      counts.established >= endpoint->config.max_connections_per_address)
    return false;
  if (!is_at_bound(&endpoint->config, &counts)) return false;
  endpoint->stats.handshakes_dropped++;
  log_address(endpoint, path, "new ones are dropped");
  return true;
}

/* --- All of it --- */

static void count_refusal(struct wt__endpoint *endpoint, const struct wt__path *path, enum crowd crowd) {
  if (crowd == CROWD_CONNECTIONS) {
    endpoint->stats.connections_refused++;
    log_refusal(endpoint, path, endpoint->config.max_connections, "connections");
  } else {
    endpoint->stats.memory_refused_connections++;
    log_memory(endpoint, path);
  }
}

enum wt__admit wt__endpoint_admit(struct wt__endpoint *endpoint, const struct wt__path *path, bool validated,
                                  struct wt__admission *admission) {
  const struct wt__endpoint_config *config = &endpoint->config;
  struct wt__peer_counts counts;
  uint64_t key = wt__peers_key(&endpoint->shared->peers, (const struct sockaddr *)&path->remote);
  struct wt__half_open_address *own = wt__half_open_find(&endpoint->half_open, key);
  *admission = (struct wt__admission){NULL, false};
  if (endpoint->shutting_down || endpoint->refusing) return WT__ADMIT_NOT;
  wt__shared_peer_get(endpoint->shared, key, &counts);
  if (counts.established >= config->max_connections_per_address) {
    endpoint->stats.connections_refused++;
    log_refusal(endpoint, path, counts.established, "connections of its address");
    return WT__ADMIT_NOT;
  }
  enum crowd crowd = crowd_of(endpoint);
  if (crowd && !find_room(endpoint, admission, own, validated)) {
    count_refusal(endpoint, path, crowd);
    return WT__ADMIT_NOT;
  }
  if (!validated && must_validate(endpoint, own, crowd != CROWD_NONE)) return WT__ADMIT_RETRY;
  struct wt__conn *oldest = validated && is_at_bound(config, &counts) ? find_oldest_of(endpoint, own) : NULL;
  if (oldest && wt__rate_take(&own->given_way, endpoint->now)) {
    admission->gives_way = oldest;
    log_address(endpoint, path, "the oldest ones give way");
  }
  if (crowd) {
    WT__WARN_LIMITED(config->log, &endpoint->admit_lines, endpoint->now,
                     WT__EVENT_OF("handshakes_crowded", WT__TEXT("reason", crowd_texts[crowd])),
                     "%s: the oldest unfinished handshakes give way to new ones", crowd_texts[crowd]);
  }
  return WT__ADMIT_NOW;
}

void wt__endpoint_make_room(struct wt__endpoint *endpoint, const struct wt__admission *admission) {
  if (admission->gives_way) {
    wt__conn_give_way(admission->gives_way);
  } else if (admission->owes) {
    wt__shared_owe(endpoint->shared);
    endpoint->debt++;
  }
}

/* Those that this worker has let in are not the ones to go, so it does not pay its own debt. */
void wt__endpoint_pay_debt(struct wt__endpoint *endpoint) {
  struct wt__shared *shared = endpoint->shared;
  size_t owed = atomic_load_explicit(&shared->owed, memory_order_relaxed);
  size_t connections = atomic_load_explicit(&shared->connections, memory_order_relaxed);
  if (owed > 0 && connections <= endpoint->config.max_connections && !is_out_of_memory(endpoint) &&
      !has_many_handshakes(endpoint)) {
    atomic_store_explicit(&shared->owed, 0, memory_order_relaxed); /* others have gone */
    owed = 0;
  }
  if (owed == 0) endpoint->debt = 0;
  for (; owed > endpoint->debt && endpoint->half_open.count && wt__shared_pay(shared); owed--)
    wt__conn_give_way(conn_of(wt__half_open_oldest(&endpoint->half_open)));
}
