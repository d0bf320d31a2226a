/* SPDX-License-Identifier: MIT */
/*
 * The connections of the companion, and how long each may take. A connection that sends nothing, or a byte now and
 * then, takes a place like any other. So every wait has a deadline that received bytes do not move:
 *
 *      accepted --> WAITING --header whole--> ANSWERING --answer sent--> WAITING ...
 *                  10 s, then 15 s           body 10 s; answer 30 s and
 *                  between requests          1 s for each 8 KiB
 *
 * If there is no room, a new connection displaces another: one of its own address if that has too many, else one of the
 * address that has most. Of these, the connection that has waited longest for a request goes first, then the one whose
 * answer has taken longest; connections that began less than a second ago go last. So silent connections and slow
 * readers do not lock others out, and an address with few connections keeps them.
 *
 * Nothing here reads a clock or uses a socket, except `peer_shutdown`.
 */
#include "serve/companion_peers.h"

#include <netinet/in.h>
#include <string.h>

static void network_of(const struct sockaddr *address, uint8_t out[16]) {
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  memset(out, 0, 16);
  if (address->sa_family == AF_INET) {
    memcpy(out, mapped, sizeof mapped);
    memcpy(out + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
  } else if (address->sa_family == AF_INET6) {
    const uint8_t *v6 = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr;
    memcpy(out, v6, !memcmp(v6, mapped, sizeof mapped) ? 16 : 8);
  }
}

void peers_init(struct peers *peers, uint64_t descriptors) {
  uint64_t share = descriptors / 8;
  memset(peers, 0, sizeof *peers);
  peers->max = PEERS_MAX;
  if (descriptors && share < PEERS_MAX) peers->max = share < PEERS_MIN ? PEERS_MIN : (size_t)share;
  peers->max_per_address = PEERS_PER_ADDRESS < peers->max ? PEERS_PER_ADDRESS : peers->max;
}

static bool is_timed(const struct peer *peer) { return peer->state == PEER_WAITING || peer->state == PEER_ANSWERING; }

static size_t network_count(const struct peers *peers, const uint8_t network[16]) {
  size_t count = 0;
  for (size_t i = 0; i < PEERS_MAX; i++)
    count += peers->list[i].state != PEER_NONE && !memcmp(peers->list[i].network, network, 16);
  return count;
}

/* The connection with the lowest rank gives way first. What began just now is likely to end soon. */
static int victim_rank(const struct peer *peer, int64_t now_ms) {
  if (now_ms - peer->since_ms < PEER_YOUNG_MS) return 2;
  return peer->state == PEER_WAITING ? 0 : 1;
}

/* Fills `counts`: how many connections the network of each connection has. */
static void counts_fill(const struct peers *peers, size_t counts[PEERS_MAX]) {
  for (size_t i = 0; i < PEERS_MAX; i++)
    counts[i] = is_timed(&peers->list[i]) ? network_count(peers, peers->list[i].network) : 0;
}

/* Whether connection `i` gives way before connection `j`. */
static bool victim_before(const struct peers *peers, const size_t counts[PEERS_MAX], size_t i, size_t j,
                          int64_t now_ms) {
  const struct peer *peer = &peers->list[i], *other = &peers->list[j];
  int rank = victim_rank(peer, now_ms), other_rank = victim_rank(other, now_ms);
  if (counts[i] != counts[j]) return counts[i] > counts[j];
  return rank != other_rank ? rank < other_rank : peer->since_ms < other->since_ms;
}

/* Finds the connection of `network` that gives way, or, if `network` is NULL, of all. */
static struct peer *victim_find(struct peers *peers, const uint8_t *network, int64_t now_ms) {
  size_t counts[PEERS_MAX] = {0}, victim = PEERS_MAX;
  if (!network) counts_fill(peers, counts);
  for (size_t i = 0; i < PEERS_MAX; i++) {
    const struct peer *peer = &peers->list[i];
    if (!is_timed(peer) || (network && memcmp(peer->network, network, sizeof peer->network))) continue;
    if (victim == PEERS_MAX || victim_before(peers, counts, i, victim, now_ms)) victim = i;
  }
  return victim < PEERS_MAX ? &peers->list[victim] : NULL;
}

bool peers_room(struct peers *peers, const struct sockaddr *address, int64_t now_ms, struct peer **victim) {
  uint8_t network[16];
  size_t count = 0;
  network_of(address, network);
  for (size_t i = 0; i < PEERS_MAX; i++) count += peers->list[i].state != PEER_NONE;
  bool crowded = network_count(peers, network) >= peers->max_per_address;
  *victim = NULL;
  if (!crowded && count < peers->max) return true;
  *victim = victim_find(peers, crowded ? network : NULL, now_ms);
  return false;
}

struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address, int64_t now_ms) {
  struct peer *peer = peers->list;
  while (peer->state != PEER_NONE) peer++;
  *peer = (struct peer){.state = PEER_WAITING, .fd = fd, .since_ms = now_ms, .deadline_ms = now_ms + PEER_HEAD_MS};
  network_of(address, peer->network);
  return peer;
}

struct peer *peers_find(struct peers *peers, int fd) {
  for (size_t i = 0; i < PEERS_MAX; i++)
    if (peers->list[i].state != PEER_NONE && peers->list[i].fd == fd) return &peers->list[i];
  return NULL;
}

void peer_request(struct peer *peer, int64_t now_ms) {
  if (peer->state == PEER_CLOSING) return;
  peer->state = PEER_ANSWERING;
  peer->since_ms = now_ms;
  peer->deadline_ms = now_ms + PEER_BODY_MS;
  peer->requests++;
  peer->body = 0;
}

void peer_answer(struct peer *peer, uint64_t len, int64_t now_ms) {
  uint64_t seconds = len / PEER_ANSWER_RATE;
  if (seconds > INT32_MAX) seconds = INT32_MAX;
  peer->deadline_ms = now_ms + PEER_ANSWER_MS + (int64_t)seconds * 1000;
}

void peer_wait(struct peer *peer, int64_t now_ms) {
  if (peer->state == PEER_CLOSING) return;
  peer->state = PEER_WAITING;
  peer->since_ms = now_ms;
  peer->deadline_ms = now_ms + PEER_KEEP_ALIVE_MS;
}

void peer_shutdown(struct peer *peer) {
  (void)shutdown(peer->fd, SHUT_RDWR); /* fails if the peer has closed already, which is no harm */
  peer->state = PEER_CLOSING;
}

void peer_closed(struct peer *peer) { peer->state = PEER_NONE; }

struct peer *peers_overdue(struct peers *peers, int64_t now_ms) {
  for (size_t i = 0; i < PEERS_MAX; i++)
    if (is_timed(&peers->list[i]) && peers->list[i].deadline_ms <= now_ms) return &peers->list[i];
  return NULL;
}

int64_t peers_next_ms(const struct peers *peers, int64_t now_ms, int64_t most_ms) {
  for (size_t i = 0; i < PEERS_MAX; i++) {
    int64_t left = peers->list[i].deadline_ms - now_ms;
    if (is_timed(&peers->list[i]) && left < most_ms) most_ms = left < 0 ? 0 : left;
  }
  return most_ms;
}
