/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_PATH_MTU_H
#define WT_QUIC_PATH_MTU_H

/* How large packets may be on a path that no longer carries what it once did (RFC 8899). Knows sizes, packet numbers
 * and times; sends nothing itself. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT__PATH_MTU_BASE 1200  /* bytes of UDP payload that every path of QUIC carries (RFC 9000, section 14) */
#define WT__PATH_MTU_WATCHED 16 /* packets whose acknowledgement is waited for: */
#define WT__PATH_MTU_FIRST 8    /* so many that were sent first, and the latest */
#define WT__PATH_MTU_LARGE 1000 /* bytes; smaller packets say nothing about MTU */
#define WT__PATH_MTU_PROBES 3   /* packets of one size that are lost before the size counts as too large */

struct wt__path_mtu_packet {
  uint64_t number, sent_at;
  uint16_t size;
};

struct wt__path_mtu {
  size_t known;   /* what ngtcp2 has found on this path */
  size_t limit;   /* what may be used of it; 0: all */
  size_t failed;  /* a size that did not pass; 0: none */
  bool heard;     /* something was acknowledged since the limit was lowered, or the last probe was sent */
  bool doubt_all; /* the size before the fall is tried first: it may have been an outage */

  /* The search for more. */
  size_t probe;          /* size that is tried; 0: none */
  unsigned probes;       /* of this size that were sent */
  bool probe_in_flight;  /* one is under way */
  uint64_t probe_due_at; /* when the next one may leave, or the one under way counts as lost; UINT64_MAX: never */

  /* Large packets of which none was acknowledged, nor one that is as large, oldest first. */
  unsigned watched_len, watched_next;
  uint64_t watched_at; /* the last one was added */
  struct wt__path_mtu_packet watched[WT__PATH_MTU_WATCHED];
};

/* What a look at the clock has led to. */
enum wt__path_mtu_verdict {
  WT__PATH_MTU_SAME,
  WT__PATH_MTU_FELL, /* the limit is lower than before: packets are to be written anew */
  WT__PATH_MTU_DEAD, /* not even packets of the base size have arrived for as long as `dead_after` */
};

void wt__path_mtu_init(struct wt__path_mtu *mtu);

/* ngtcp2 has found that the path carries `known` bytes. Less than before is another path, of which nothing is known. */
void wt__path_mtu_learn(struct wt__path_mtu *mtu, size_t known);

/* The size that packets may have now. */
size_t wt__path_mtu_size(const struct wt__path_mtu *mtu);

/* Watches the packet, if its size is one that is believed to pass. */
void wt__path_mtu_watch(struct wt__path_mtu *mtu, uint64_t number, size_t size, uint64_t now);

/* Packet `number` of `size` bytes leaves. `interval`: how far apart packets are watched beyond the first ones. */
static inline void wt__path_mtu_sent(struct wt__path_mtu *mtu, uint64_t number, size_t size, uint64_t interval,
                                     uint64_t now) {
  if (size < WT__PATH_MTU_LARGE) return;
  if (mtu->watched_len < WT__PATH_MTU_FIRST || now - mtu->watched_at >= interval)
    wt__path_mtu_watch(mtu, number, size, now);
}

/* Whether it matters which packets are acknowledged. */
static inline bool wt__path_mtu_watches(const struct wt__path_mtu *mtu) { return mtu->watched_len > 0; }

/* Packets `first` to `last` were acknowledged. */
void wt__path_mtu_acked(struct wt__path_mtu *mtu, uint64_t first, uint64_t last);

/* The kernel has refused a packet of `size` bytes as too large. Whether that lowered the limit. */
bool wt__path_mtu_refused(struct wt__path_mtu *mtu, size_t size, uint64_t now);

/* --- Time --- */

/* The next time that `wt__path_mtu_expire` has something to do, or a probe is due later than `now`; UINT64_MAX: none. */
uint64_t wt__path_mtu_expiry(const struct wt__path_mtu *mtu, uint64_t pto, uint64_t dead_after, uint64_t now);
enum wt__path_mtu_verdict wt__path_mtu_expire(struct wt__path_mtu *mtu, uint64_t pto, uint64_t dead_after,
                                              uint64_t now);

/* --- Probes of larger sizes --- */

/* The size of the probe that is to be sent now; 0: none. */
size_t wt__path_mtu_probe(const struct wt__path_mtu *mtu, uint64_t now);
/* A probe left, or `sent` is false: there was no room for it in a packet. */
void wt__path_mtu_probed(struct wt__path_mtu *mtu, bool sent, uint64_t pto, uint64_t now);
/* A probe of `size` bytes has arrived. */
void wt__path_mtu_probe_arrived(struct wt__path_mtu *mtu, size_t size, uint64_t now);
/* Probes cannot be sent to this peer: the limit is lifted as a whole when the search would begin anew. */
void wt__path_mtu_without_probes(struct wt__path_mtu *mtu, uint64_t now);

#endif
