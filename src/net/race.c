/* SPDX-License-Identifier: MIT */

/*
 * Happy Eyeballs, the order of it (RFC 8305).
 *
 *   lookup    both families are asked at once. An answer about IPv6 begins the race; one about IPv4 that comes first
 *             waits for the other a little (section 3), because IPv6 is preferred where it works.
 *   order     the families take turns, IPv6 first (section 4). Addresses that become known later join in.
 *   attempts  one after the other, each `attempt_delay` after the one before, or as soon as one has failed
 *             (section 5). Those under way go on; whichever is done first wins.
 *
 * So a broken path of one family costs a quarter of a second instead of a time-out, and a server with one address
 * sees one connection. Who won is the caller's to know: it stops asking.
 *
 * The history of earlier connections that section 4 allows to consider is not kept.
 */

#include "net/race.h"

#include <string.h>

void wt__race_init(struct wt__race *race, uint64_t attempt_delay, uint64_t resolution_delay) {
  memset(race, 0, sizeof(*race));
  race->attempt_delay = attempt_delay;
  race->resolution_delay = resolution_delay;
  race->turn = WT__RACE_V6;
}

void wt__race_answer(struct wt__race *race, enum wt__race_family family, const struct wt__address *addresses,
                     size_t count, uint64_t now) {
  struct wt__race_side *side = &race->sides[family];
  if (side->known) return;
  side->known = true;
  side->count = count < WT__ADDRESSES_MAX ? count : WT__ADDRESSES_MAX;
  if (side->count) memcpy(side->addresses, addresses, side->count * sizeof(*addresses));
  if (family == WT__RACE_V4) race->v4_known_at = now;
}

static size_t side_left(const struct wt__race_side *side) { return side->count - side->tried; }

/* When the first attempt may begin; UINT64_MAX: that depends on an answer. */
static uint64_t race_start(const struct wt__race *race) {
  const struct wt__race_side *v6 = &race->sides[WT__RACE_V6], *v4 = &race->sides[WT__RACE_V4];
  if (v6->known && v6->count > 0) return 0;
  if (!v4->known || v4->count == 0) return UINT64_MAX;
  return v6->known ? 0 : race->v4_known_at + race->resolution_delay;
}

uint64_t wt__race_expiry(const struct wt__race *race) {
  if (side_left(&race->sides[WT__RACE_V6]) + side_left(&race->sides[WT__RACE_V4]) == 0) return UINT64_MAX;
  return race->begun ? race->next_at : race_start(race);
}

bool wt__race_next(struct wt__race *race, uint64_t now, struct wt__address *address) {
  if (wt__race_expiry(race) > now) return false;
  enum wt__race_family other = race->turn == WT__RACE_V6 ? WT__RACE_V4 : WT__RACE_V6;
  enum wt__race_family family = side_left(&race->sides[race->turn]) ? race->turn : other;
  struct wt__race_side *side = &race->sides[family];
  *address = side->addresses[side->tried++];
  race->turn = family == WT__RACE_V6 ? WT__RACE_V4 : WT__RACE_V6;
  race->begun = true;
  race->running++;
  race->next_at = now + race->attempt_delay;
  return true;
}

void wt__race_failed(struct wt__race *race, uint64_t now) {
  if (race->running > 0) race->running--;
  race->next_at = now;
}

bool wt__race_lost(const struct wt__race *race) {
  const struct wt__race_side *v6 = &race->sides[WT__RACE_V6], *v4 = &race->sides[WT__RACE_V4];
  return v6->known && v4->known && race->running == 0 && side_left(v6) + side_left(v4) == 0;
}

size_t wt__race_addresses(const struct wt__race *race) {
  return race->sides[WT__RACE_V6].count + race->sides[WT__RACE_V4].count;
}
