/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_HALF_OPEN_H
#define WT_QUIC_HALF_OPEN_H

/*
 * The connections of one endpoint whose handshake is not done, oldest first: all of them, and those of each address.
 * Who has to give way is found without a search, however many there are.
 *
 *   all[validated]        o - o - o - o - o        the oldest is in front
 *   addresses   A ------> o ------- o              likewise, of one address
 *               B ----------> o ------- o - o
 *
 * Validated ones have shown by a token that their address is theirs (RFC 9000, section 8.1). The address of the others
 * is a claim, so the two kinds are kept apart: nobody can spend an address's share by forging it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "base/rate.h"

/* An address, for as long as there are entries of it. */
struct wt__half_open_address {
  uint64_t key;
  struct wt__list entries[2]; /* by `validated` */
  size_t counts[2];
  uint64_t validate_until;   /* a first packet without a token is answered with Retry until then */
  struct wt__rate given_way; /* how often its oldest entry may give way to a new one */
};

/* Part of a connection. */
struct wt__half_open_entry {
  struct wt__link all, same;             /* in the lists of all, and of its address */
  struct wt__half_open_address *address; /* NULL: it is in none of them */
  bool validated;
};

struct wt__half_open {
  struct wt__list all[2]; /* by `validated` */
  struct wt__map addresses;
  size_t count;
};

void wt__half_open_init(struct wt__half_open *half_open);
/* Nothing is in it any more. */
void wt__half_open_free(struct wt__half_open *half_open);

void wt__half_open_entry_init(struct wt__half_open_entry *entry);
/* Adds the youngest entry. `turnover`: how often the oldest entries of the address may give way, at once and in a
 * second, where the address has no entries yet. WT_ERR_NOMEM: nothing has changed. */
int wt__half_open_add(struct wt__half_open *half_open, struct wt__half_open_entry *entry, uint64_t key, bool validated,
                      uint64_t turnover, uint64_t now);
/* It need not be there. */
void wt__half_open_remove(struct wt__half_open *half_open, struct wt__half_open_entry *entry);

/* What is known of an address; NULL: it has no entries. */
struct wt__half_open_address *wt__half_open_find(const struct wt__half_open *half_open, uint64_t key);
/* The oldest entry of an address (NULL is allowed); NULL: none. */
struct wt__half_open_entry *wt__half_open_oldest_of(const struct wt__half_open_address *address, bool validated);
/* The oldest entry that is not validated, or else the oldest of all; NULL: none. */
struct wt__half_open_entry *wt__half_open_oldest(const struct wt__half_open *half_open);

#endif
