/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_CID_H
#define WT_QUIC_CID_H

/* Connection ids (RFC 9000, section 5.1), and which connection each belongs to. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"

#define WT__CID_LEN 18      /* of the ids we choose, unless a server's configuration says another length */
#define WT__CID_MAX_LEN 20  /* of any id in QUIC v1 and v2 */
#define WT__WORKERS_MAX 256 /* the last byte of an id names the worker */

struct wt__cid_map {
  struct wt__map map; /* keyed hash -> the first wt__cid with it */
  uint64_t key[2];
};

struct wt__cid {
  struct wt__link link; /* in the owner's list */
  struct wt__cid *same_hash;
  uint64_t hash;
  void *owner;
  uint8_t len;
  uint8_t data[WT__CID_MAX_LEN];
  bool issued;  /* by us: it has a sequence number */
  bool retired; /* by the peer, which may still use it for a while */
  uint64_t sequence;
};

/* The key is random. WT_ERR_TLS. */
int wt__cid_map_init(struct wt__cid_map *map);
void wt__cid_map_free(struct wt__cid_map *map);

/* The owner of an id, or NULL. Any `len`. */
void *wt__cid_map_find(const struct wt__cid_map *map, const uint8_t *data, size_t len);

/* Makes `owner`, whose ids are in `list`, the owner of an id. WT_ERR_INVALID if it is too long or taken,
 * WT_ERR_NOMEM. */
int wt__cid_map_add(struct wt__cid_map *map, const uint8_t *data, size_t len, void *owner, struct wt__list *list);

/* The same for an id that we give to the peer with this sequence number. */
int wt__cid_map_issue(struct wt__cid_map *map, const uint8_t *data, size_t len, uint64_t sequence, void *owner,
                      struct wt__list *list);

/* Removes one id of `list`, if it is there; all of them. */
void wt__cid_map_remove(struct wt__cid_map *map, const uint8_t *data, size_t len, struct wt__list *list);
void wt__cid_map_remove_all(struct wt__cid_map *map, struct wt__list *list);

/* Fills in `len` random bytes, of which the last one names `worker` of `workers`, which are at most WT__WORKERS_MAX.
 * WT_ERR_TLS. */
int wt__cid_generate(uint8_t *data, size_t len, unsigned worker, unsigned workers);
/* Which of `workers` an id names; one that a client made up names one too. `len` is not 0. */
unsigned wt__cid_worker(const uint8_t *data, size_t len, unsigned workers);

#endif
