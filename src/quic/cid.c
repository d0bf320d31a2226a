/* SPDX-License-Identifier: MIT */

/*
 * From the connection id of a packet to its connection.
 *
 * A connection has several ids at once: the one that the client made up for its first packet, the one in a Retry, and those
 * that we have given to the client since. The last kind comes and goes as the client changes its path.
 *
 * Ids are strings of up to 20 bytes, and the map below has 64-bit keys, so the key is a hash of the id. The client chooses
 * its first id, so the hash is keyed with a secret (SipHash-2-4): nobody can prepare ids that all fall on one slot. Ids with
 * the same hash are in a chain.
 *
 * The ids that we choose are random, but for what a load balancer is to read in them (cid_scheme.c). A server with several workers, each with connections of its own, finds
 * the worker of a packet by the last byte of the id, modulo the number of workers (net/steer.c). The last one, because
 * formats that load balancers read begin with the first byte and leave the last ones to the server. So that byte is any one
 * with the worker's number as its remainder. An observer who knows the number of workers
 * learns the worker from an id, and nothing else about the client. The ids that clients make up for their first packets are
 * random, so the same rule spreads new connections evenly.
 */

#include "quic/cid.h"

#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "quic/tls.h"

static uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static void sip_round(uint64_t v[4]) {
  v[0] += v[1];
  v[2] += v[3];
  v[1] = rotate(v[1], 13) ^ v[0];
  v[3] = rotate(v[3], 16) ^ v[2];
  v[0] = rotate(v[0], 32) + v[3];
  v[2] += v[1];
  v[3] = rotate(v[3], 21) ^ v[0];
  v[1] = rotate(v[1], 17) ^ v[2];
  v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word) {
  v[3] ^= word;
  sip_round(v);
  sip_round(v);
  v[0] ^= word;
}

/* SipHash-2-4, but words are read in the machine's order: no other machine sees the result. */
static uint64_t cid_hash(const uint64_t key[2], const uint8_t *data, size_t len) {
  uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                   key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
  uint64_t word, last = (uint64_t)len << 56;
  for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
    memcpy(&word, data, sizeof(word));
    sip_word(v, word);
  }
  for (size_t i = 0; i < len; i++) last |= (uint64_t)data[i] << (8 * i);
  sip_word(v, last);
  v[2] ^= 0xff;
  for (int i = 0; i < 4; i++) sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int wt__cid_map_init(struct wt__cid_map *map) {
  wt__map_init(&map->map);
  return wt__tls_random(map->key, sizeof(map->key));
}

void wt__cid_map_free(struct wt__cid_map *map) { wt__map_free(&map->map); }

static bool cid_is(const struct wt__cid *cid, const uint8_t *data, size_t len) {
  return cid->len == len && !memcmp(cid->data, data, len);
}

static struct wt__cid *cid_find(const struct wt__cid_map *map, const uint8_t *data, size_t len) {
  if (len == 0 || len > WT__CID_MAX_LEN) return NULL;
  struct wt__cid *cid = wt__map_get(&map->map, cid_hash(map->key, data, len));
  while (cid && !cid_is(cid, data, len)) cid = cid->same_hash;
  return cid;
}

void *wt__cid_map_find(const struct wt__cid_map *map, const uint8_t *data, size_t len) {
  struct wt__cid *cid = cid_find(map, data, len);
  return cid ? cid->owner : NULL;
}

int wt__cid_map_add(struct wt__cid_map *map, const uint8_t *data, size_t len, void *owner, struct wt__list *list) {
  if (len == 0 || len > WT__CID_MAX_LEN || cid_find(map, data, len)) return WT_ERR_INVALID;
  struct wt__cid *cid = wt__calloc(1, sizeof(*cid));
  if (!cid) return WT_ERR_NOMEM;
  cid->hash = cid_hash(map->key, data, len);
  cid->owner = owner;
  cid->len = (uint8_t)len;
  memcpy(cid->data, data, len);
  cid->same_hash = wt__map_get(&map->map, cid->hash);
  int error = wt__map_set(&map->map, cid->hash, cid);
  if (error) {
    wt__free(cid);
    return error;
  }
  wt__list_push_back(list, &cid->link);
  return 0;
}

int wt__cid_map_issue(struct wt__cid_map *map, const uint8_t *data, size_t len, uint64_t sequence, void *owner,
                      struct wt__list *list) {
  int error = wt__cid_map_add(map, data, len, owner, list);
  if (error) return error;
  struct wt__cid *cid = WT__CONTAINER_OF(list->head.prev, struct wt__cid, link);
  cid->issued = true;
  cid->sequence = sequence;
  return 0;
}

static void cid_free(struct wt__cid_map *map, struct wt__cid *cid) {
  struct wt__cid *first = wt__map_get(&map->map, cid->hash);
  if (first != cid) {
    while (first->same_hash != cid) first = first->same_hash;
    first->same_hash = cid->same_hash;
  } else if (cid->same_hash) {
    (void)wt__map_set(&map->map, cid->hash, cid->same_hash); /* replaces: needs no memory */
  } else {
    (void)wt__map_remove(&map->map, cid->hash);
  }
  wt__list_remove(&cid->link);
  wt__free(cid);
}

void wt__cid_map_remove(struct wt__cid_map *map, const uint8_t *data, size_t len, struct wt__list *list) {
  WT__LIST_FOREACH(link, next, list) {
    struct wt__cid *cid = WT__CONTAINER_OF(link, struct wt__cid, link);
    if (!cid_is(cid, data, len)) continue;
    cid_free(map, cid);
    return;
  }
}

void wt__cid_map_remove_all(struct wt__cid_map *map, struct wt__list *list) {
  struct wt__link *link;
  while ((link = wt__list_first(list))) cid_free(map, WT__CONTAINER_OF(link, struct wt__cid, link));
}

unsigned wt__cid_worker(const uint8_t *data, size_t len, unsigned workers) { return data[len - 1] % workers; }

int wt__cid_generate(uint8_t *data, size_t len, unsigned worker, unsigned workers) {
  if (wt__tls_random(data, len)) return WT_ERR_TLS;
  unsigned choices = (WT__WORKERS_MAX - 1 - worker) / workers + 1;
  uint8_t *last = &data[len - 1];
  *last = (uint8_t)(worker + *last % choices * workers);
  return 0;
}
