/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_PEERS_H
#define WEBTRANSPORT_TOOL_GATEWAY_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rate.h"

/* What one client address uses of one route: an IPv4 address, or an IPv6 /64, because a client has all of that. */
struct peer {
  uint64_t sessions, streams, questions, requests;
  struct rate rate;

  const void *route; /* with `key`, what it is found by */
  uint8_t key[16];
  uint64_t users;
  struct peer *next;
};

/* A map of them. Begins as all zero. */
struct peers {
  struct peer **buckets;
  size_t bucket_count, count;
};

/* Returns the peer at `address` ("192.0.2.1:4433"), and keeps it until `peers_put`. NULL: out of memory. */
struct peer *peers_get(struct peers *peers, const void *route, const char *address);

/* Gives a peer back. It is forgotten by `peers_sweep` when nobody uses it and its rate is full. */
void peers_put(struct peer *peer);

/* Forgets what nobody uses. */
void peers_sweep(struct peers *peers, uint64_t now_ms);

void peers_free(struct peers *peers);

#endif
