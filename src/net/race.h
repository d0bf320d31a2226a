/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_RACE_H
#define WT_NET_RACE_H

/* In which order, and when, the addresses of a name are tried (RFC 8305). Told what happened and the time, it says
 * what to do; it opens and looks up nothing itself. Times are nanoseconds of one clock. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

enum wt__race_family {
  WT__RACE_V6,
  WT__RACE_V4
};

/* The addresses of one family. */
struct wt__race_side {
  struct wt__address addresses[WT__ADDRESSES_MAX];
  size_t count, tried;
  bool known; /* the answer about this family is in */
};

struct wt__race {
  struct wt__race_side sides[2]; /* by enum wt__race_family */
  uint64_t attempt_delay, resolution_delay;
  uint64_t next_at; /* the next address is not tried before */
  uint64_t v4_known_at;
  size_t running; /* attempts under way */
  bool begun;     /* an address was tried */
  enum wt__race_family turn;
};

void wt__race_init(struct wt__race *race, uint64_t attempt_delay, uint64_t resolution_delay);

/* A family's addresses are known: `count` of them, perhaps none, in the order of preference (RFC 6724). More than
 * WT__ADDRESSES_MAX are left out. Once for each family; one that is not to be used gets none. */
void wt__race_answer(struct wt__race *race, enum wt__race_family family, const struct wt__address *addresses,
                     size_t count, uint64_t now);

/* Whether an address is to be tried now; it then counts as under way. Call until it is false. */
bool wt__race_next(struct wt__race *race, uint64_t now, struct wt__address *address);

/* An attempt has failed; the next address need not wait. */
void wt__race_failed(struct wt__race *race, uint64_t now);

/* When to ask again; UINT64_MAX: when something has happened. */
uint64_t wt__race_expiry(const struct wt__race *race);

/* Nothing is under way, and nothing is left to try. */
bool wt__race_lost(const struct wt__race *race);

/* How many addresses there are. */
size_t wt__race_addresses(const struct wt__race *race);

#endif
