/* SPDX-License-Identifier: MIT */

/*
 * Lists of half-open connections: see half_open.h. An address has a record of its own while it has entries, found by
 * the key of `wt__peers_key`. There are never more records than entries, so they need no bound of their own.
 */

#include "quic/half_open.h"

#include <webtransport/error.h>

#include "base/mem.h"

void wt__half_open_init(struct wt__half_open *half_open) {
  wt__list_init(&half_open->all[0]);
  wt__list_init(&half_open->all[1]);
  wt__map_init(&half_open->addresses);
  half_open->count = 0;
}

void wt__half_open_free(struct wt__half_open *half_open) { wt__map_free(&half_open->addresses); }

void wt__half_open_entry_init(struct wt__half_open_entry *entry) {
  wt__link_init(&entry->all);
  wt__link_init(&entry->same);
  entry->address = NULL;
  entry->validated = false;
}

struct wt__half_open_address *wt__half_open_find(const struct wt__half_open *half_open, uint64_t key) {
  return wt__map_get(&half_open->addresses, key);
}

static struct wt__half_open_address *address_add(struct wt__half_open *half_open, uint64_t key, uint64_t turnover,
                                                 uint64_t now) {
  struct wt__half_open_address *made = wt__calloc(1, sizeof(*made));
  if (!made) return NULL;
  made->key = key;
  wt__list_init(&made->entries[0]);
  wt__list_init(&made->entries[1]);
  wt__rate_init(&made->given_way, turnover, turnover, now);
  if (!wt__map_set(&half_open->addresses, key, made)) return made;
  wt__free(made);
  return NULL;
}

int wt__half_open_add(struct wt__half_open *half_open, struct wt__half_open_entry *entry, uint64_t key, bool validated,
                      uint64_t turnover, uint64_t now) {
  struct wt__half_open_address *address = wt__half_open_find(half_open, key);
  if (!address) address = address_add(half_open, key, turnover, now);
  if (!address) return WT_ERR_NOMEM;
  entry->address = address;
  entry->validated = validated;
  wt__list_push_back(&half_open->all[validated], &entry->all);
  wt__list_push_back(&address->entries[validated], &entry->same);
  address->counts[validated]++;
  half_open->count++;
  return 0;
}

void wt__half_open_remove(struct wt__half_open *half_open, struct wt__half_open_entry *entry) {
  struct wt__half_open_address *address = entry->address;
  if (!address) return;
  wt__list_remove(&entry->all);
  wt__list_remove(&entry->same);
  entry->address = NULL;
  address->counts[entry->validated]--;
  half_open->count--;
  if (address->counts[0] + address->counts[1] > 0) return;
  (void)wt__map_remove(&half_open->addresses, address->key);
  wt__free(address);
}

struct wt__half_open_entry *wt__half_open_oldest_of(const struct wt__half_open_address *address, bool validated) {
  struct wt__link *link = address ? wt__list_first(&address->entries[validated]) : NULL;
  return link ? WT__CONTAINER_OF(link, struct wt__half_open_entry, same) : NULL;
}

struct wt__half_open_entry *wt__half_open_oldest(const struct wt__half_open *half_open) {
  struct wt__link *link = wt__list_first(&half_open->all[false]);
  if (!link) link = wt__list_first(&half_open->all[true]);
  return link ? WT__CONTAINER_OF(link, struct wt__half_open_entry, all) : NULL;
}
