/* SPDX-License-Identifier: MIT */

/*
 * The path's MTU, doubted.
 *
 * ngtcp2 finds out once how large packets may be, and believes it for as long as the path's addresses stay. But a route
 * changes, or a tunnel opens below, and large packets then vanish while small ones pass: a black hole (RFC 8899,
 * section 4.3). ngtcp2 repeats what was lost in packets that are as large, and they vanish too.
 *
 *            no packet as large as some that were       probe passed, and there is nothing
 *            sent was acknowledged for 2.5 PTO,         larger to be tried, that ngtcp2 has found
 *            or the kernel says EMSGSIZE
 *   no limit ----------------------------> limit: base --------------------------> no limit
 *                                          |   ^   ^
 *                     probes, upwards      |   |   |  ten minutes later, or when the search found less
 *                                          v   |   |  than was known once
 *                                          limit: the largest that passed
 *
 * The limit bounds the room for a packet. ngtcp2 puts lost bytes into new packets of whatever room there is, so that
 * streams go on by themselves. That also keeps ngtcp2's own probes from being sent, which wait for larger room.
 *
 * Evidence is by size: an acknowledged packet says that packets up to its size pass, and no more. Packets that are larger
 * than what is known to pass are probes, ngtcp2's or ours, and no evidence when they are lost. Two lost packets in a
 * row are enough, since a false alarm costs little: the former size is the first that is tried again. An outage of the
 * whole path looks the same at first, so no probe counts as lost while nothing else is acknowledged either.
 *
 * Not each packet is watched: some that were sent first, and the latest ones, at least a fraction of a round trip apart,
 * so that the acknowledgement of one of them is among those that come.
 */

#include "quic/path_mtu.h"

#include <string.h>

#include "base/clock.h"

#define LOST_MIN 2                       /* packets without an acknowledgement: a black hole */
#define DEAD_MIN 10                      /* likewise: a path that QUIC cannot use */
#define RAISE_AFTER (600 * WT__NS_PER_S) /* RFC 8899, section 5.1.1: PMTU_RAISE_TIMER */

/* Payloads that are tried, upwards: what tunnels, PPPoE and Ethernet leave, in IPv6 and IPv4. */
static const uint16_t SIZES[] = {1232, 1280, 1342, 1372, 1406, 1444, 1452, 1472};

void wt__path_mtu_init(struct wt__path_mtu *mtu) {
  memset(mtu, 0, sizeof(*mtu));
  mtu->known = WT__PATH_MTU_BASE;
  mtu->probe_due_at = UINT64_MAX;
}

void wt__path_mtu_learn(struct wt__path_mtu *mtu, size_t known) {
  if (known < mtu->known) wt__path_mtu_init(mtu);
  mtu->known = known;
}

size_t wt__path_mtu_size(const struct wt__path_mtu *mtu) {
  return mtu->limit && mtu->limit < mtu->known ? mtu->limit : mtu->known;
}

/* --- Evidence --- */

static void watched_clear(struct wt__path_mtu *mtu) { mtu->watched_len = mtu->watched_next = 0; }

/* Packets of up to `size` bytes pass. */
static void watched_remove(struct wt__path_mtu *mtu, size_t size) {
  unsigned kept = 0;
  for (unsigned i = 0; i < mtu->watched_len; i++) {
    if (mtu->watched[i].size > size) mtu->watched[kept++] = mtu->watched[i];
  }
  mtu->watched_len = kept;
  mtu->watched_next = 0;
}

void wt__path_mtu_watch(struct wt__path_mtu *mtu, uint64_t number, size_t size, uint64_t now) {
  unsigned at = mtu->watched_len;
  if (size > wt__path_mtu_size(mtu)) return;
  if (at == WT__PATH_MTU_WATCHED)
    at = WT__PATH_MTU_FIRST + mtu->watched_next++ % (WT__PATH_MTU_WATCHED - WT__PATH_MTU_FIRST);
  mtu->watched[at] = (struct wt__path_mtu_packet){number, now, (uint16_t)size};
  if (at == mtu->watched_len) mtu->watched_len++;
  mtu->watched_at = now;
}

void wt__path_mtu_acked(struct wt__path_mtu *mtu, uint64_t first, uint64_t last) {
  size_t size = 0;
  mtu->heard = true;
  for (unsigned i = 0; i < mtu->watched_len; i++) {
    const struct wt__path_mtu_packet *packet = &mtu->watched[i];
    if (packet->number >= first && packet->number <= last && packet->size > size) size = packet->size;
  }
  if (size) watched_remove(mtu, size);
}

/* --- The search --- */

/* Tries the next size above the limit, at `at`; or, where there is none, the search rests. */
static void search_next(struct wt__path_mtu *mtu, uint64_t at, uint64_t now) {
  mtu->probe = mtu->probes = 0;
  mtu->probe_in_flight = false;
  mtu->probe_due_at = at;
  for (size_t i = 0; i < sizeof(SIZES) / sizeof(*SIZES) && !mtu->probe; i++) {
    if (SIZES[i] > mtu->limit && SIZES[i] < mtu->known) mtu->probe = SIZES[i];
  }
  if (!mtu->probe) mtu->probe = mtu->known;
  if (mtu->doubt_all) mtu->probe = mtu->known;
  if (!mtu->failed || mtu->probe < mtu->failed) return;
  mtu->probe = mtu->failed = 0;
  mtu->probe_due_at = now + RAISE_AFTER;
}

static void path_mtu_fall(struct wt__path_mtu *mtu, uint64_t now) {
  watched_clear(mtu);
  mtu->limit = WT__PATH_MTU_BASE;
  mtu->failed = 0;
  mtu->heard = false;
  mtu->doubt_all = true;
  search_next(mtu, now, now);
}

static void limit_lift(struct wt__path_mtu *mtu) {
  mtu->limit = mtu->probe = 0;
  mtu->probe_in_flight = false;
  mtu->probe_due_at = UINT64_MAX;
}

bool wt__path_mtu_refused(struct wt__path_mtu *mtu, size_t size, uint64_t now) {
  if (mtu->limit && size > mtu->limit) { /* a probe */
    if (size != mtu->probe || !mtu->probe_in_flight) return false;
    mtu->probes = WT__PATH_MTU_PROBES;
    mtu->heard = true;
    mtu->probe_due_at = now;
    return false;
  }
  if (size <= WT__PATH_MTU_BASE || size > wt__path_mtu_size(mtu)) return false;
  path_mtu_fall(mtu, now);
  mtu->heard = true; /* the kernel tells, no outage */
  return true;
}

size_t wt__path_mtu_probe(const struct wt__path_mtu *mtu, uint64_t now) {
  return mtu->limit && !mtu->probe_in_flight && mtu->heard && mtu->probe_due_at <= now ? mtu->probe : 0;
}

void wt__path_mtu_probed(struct wt__path_mtu *mtu, bool sent, uint64_t pto, uint64_t now) {
  mtu->probe_due_at = now + (sent ? 2 * pto : pto / 4);
  if (!sent) return;
  mtu->probe_in_flight = true;
  mtu->heard = false;
  mtu->probes++;
}

void wt__path_mtu_probe_arrived(struct wt__path_mtu *mtu, size_t size, uint64_t now) {
  if (!mtu->limit || size <= mtu->limit) return;
  mtu->limit = size;
  mtu->heard = true;
  mtu->doubt_all = false;
  if (size < mtu->known) {
    search_next(mtu, now, now);
  } else {
    limit_lift(mtu);
  }
}

void wt__path_mtu_without_probes(struct wt__path_mtu *mtu, uint64_t now) {
  if (!mtu->limit || mtu->probe_due_at > now) return;
  if (!mtu->probe) {
    limit_lift(mtu);
    return;
  }
  mtu->probe = 0;
  mtu->probe_due_at = now + RAISE_AFTER;
}

/* --- Time --- */

/* When the probe under way counts as lost, the next is due, or the search begins anew. */
static void search_expire(struct wt__path_mtu *mtu, uint64_t now) {
  if (mtu->probe_due_at > now) return;
  if (!mtu->probe) { /* it has rested */
    search_next(mtu, now, now);
    return;
  }
  if (!mtu->probe_in_flight) return;
  mtu->probe_in_flight = false;
  if (!mtu->heard) mtu->probes--; /* nothing at all arrives: that says nothing about the size */
  if (mtu->probes < WT__PATH_MTU_PROBES) return;
  mtu->doubt_all = false;
  mtu->failed = mtu->probe;
  search_next(mtu, now, now);
}

/* When what is watched is a black hole, if nothing is acknowledged before. */
static uint64_t hole_expiry(const struct wt__path_mtu *mtu, uint64_t pto) {
  if (wt__path_mtu_size(mtu) <= WT__PATH_MTU_BASE) return UINT64_MAX;
  unsigned lost = 0;
  uint64_t since = UINT64_MAX;
  for (unsigned i = 0; i < mtu->watched_len; i++) {
    if (mtu->watched[i].size <= WT__PATH_MTU_BASE) continue;
    lost++;
    if (mtu->watched[i].sent_at < since) since = mtu->watched[i].sent_at;
  }
  return lost >= LOST_MIN ? since + 2 * pto + pto / 2 : UINT64_MAX;
}

static uint64_t dead_expiry(const struct wt__path_mtu *mtu, uint64_t dead_after) {
  if (mtu->watched_len < DEAD_MIN || dead_after == UINT64_MAX) return UINT64_MAX;
  uint64_t since = mtu->watched[0].sent_at;
  return mtu->watched_at - since < dead_after / 2 ? UINT64_MAX : since + dead_after;
}

uint64_t wt__path_mtu_expiry(const struct wt__path_mtu *mtu, uint64_t pto, uint64_t dead_after, uint64_t now) {
  if (!mtu->watched_len && !mtu->limit) return UINT64_MAX;
  uint64_t expiry = hole_expiry(mtu, pto), dead = dead_expiry(mtu, dead_after);
  bool waits = mtu->limit && (mtu->probe_in_flight || !mtu->probe || (mtu->heard && mtu->probe_due_at > now));
  if (waits && mtu->probe_due_at < expiry) expiry = mtu->probe_due_at;
  return dead < expiry ? dead : expiry;
}

enum wt__path_mtu_verdict wt__path_mtu_expire(struct wt__path_mtu *mtu, uint64_t pto, uint64_t dead_after,
                                              uint64_t now) {
  if (dead_expiry(mtu, dead_after) <= now) return WT__PATH_MTU_DEAD;
  if (hole_expiry(mtu, pto) <= now) {
    path_mtu_fall(mtu, now);
    return WT__PATH_MTU_FELL;
  }
  if (mtu->limit) search_expire(mtu, now);
  return WT__PATH_MTU_SAME;
}
