/* SPDX-License-Identifier: MIT */
/*
 * Clients by their addresses. A peer outlives its last session by some seconds, because a client that connects again
 * must not find a full bucket of its rate. So the map holds the peers of open sessions and of the last seconds: its
 * size follows the bounds on sessions and on how fast they come.
 */
#include "gateway/peers.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/host_port.h"

enum {
  BUCKETS_FIRST = 64,
  FORGET_MS = 2000, /* then every bucket is full again */
};

/* The address without its port; of IPv6 the first half. A text that is no address has a key of its own: all zero. */
static void key_make(const char *address, uint8_t key[16]) {
  struct host_port parsed;
  memset(key, 0, 16);
  if (host_port_parse(address, &parsed)) return;
  char *zone = strchr(parsed.host, '%');
  if (zone) *zone = 0;
  if (inet_pton(AF_INET, parsed.host, key + 12) == 1) {
    key[10] = key[11] = 0xff;
    return;
  }
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  if (inet_pton(AF_INET6, parsed.host, key) == 1 && memcmp(key, mapped, sizeof mapped)) memset(key + 8, 0, 8);
}

/* FNV-1a. A client chooses its address among few, so it cannot fill one bucket by choice. */
static size_t key_hash(const void *route, const uint8_t key[16]) {
  uint64_t hash = UINT64_C(14695981039346656037) ^ (uint64_t)(uintptr_t)route;
  for (size_t i = 0; i < 16; i++) hash = (hash ^ key[i]) * UINT64_C(1099511628211);
  return (size_t)(hash ^ hash >> 32);
}

static bool grow(struct peers *peers) {
  if (peers->count < peers->bucket_count) return true;
  size_t count = peers->bucket_count ? peers->bucket_count * 2 : BUCKETS_FIRST;
  struct peer **buckets = calloc(count, sizeof(struct peer *));
  if (!buckets) return peers->bucket_count > 0;
  for (size_t i = 0; i < peers->bucket_count; i++) {
    for (struct peer *peer = peers->buckets[i], *next; peer; peer = next) {
      struct peer **bucket = &buckets[key_hash(peer->route, peer->key) % count];
      next = peer->next;
      peer->next = *bucket;
      *bucket = peer;
    }
  }
  free(peers->buckets);
  peers->buckets = buckets;
  peers->bucket_count = count;
  return true;
}

struct peer *peers_get(struct peers *peers, const void *route, const char *address) {
  uint8_t key[16];
  key_make(address, key);
  if (!grow(peers)) return NULL;
  struct peer **bucket = &peers->buckets[key_hash(route, key) % peers->bucket_count];
  struct peer *peer = *bucket;
  while (peer && (peer->route != route || memcmp(peer->key, key, sizeof key))) peer = peer->next;
  if (!peer) {
    peer = calloc(1, sizeof *peer);
    if (!peer) return NULL;
    peer->route = route;
    memcpy(peer->key, key, sizeof key);
    peer->next = *bucket;
    *bucket = peer;
    peers->count++;
  }
  peer->users++;
  return peer;
}

void peers_put(struct peer *peer) {
  if (peer) peer->users--;
}

void peers_sweep(struct peers *peers, uint64_t now_ms) {
  for (size_t i = 0; i < peers->bucket_count; i++) {
    for (struct peer **at = &peers->buckets[i]; *at;) {
      struct peer *peer = *at;
      bool rate_idle = !peer->rate.missing || now_ms >= peer->rate.filled_ms + FORGET_MS;
      if (peer->users || !rate_idle) {
        at = &peer->next;
        continue;
      }
      *at = peer->next;
      peers->count--;
      free(peer);
    }
  }
}

void peers_free(struct peers *peers) {
  for (size_t i = 0; i < peers->bucket_count; i++) {
    for (struct peer *peer = peers->buckets[i], *next; peer; peer = next) {
      next = peer->next;
      free(peer);
    }
  }
  free(peers->buckets);
  memset(peers, 0, sizeof *peers);
}
