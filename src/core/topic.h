/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_TOPIC_H
#define WT_CORE_TOPIC_H

/*
 * Topics as one worker sees them: who of its sessions is subscribed to what. The layer above has the names, publishes, and
 * hands each message to the workers that have subscribers (net/hub.h).
 *
 *   core asks above:  `join` and `leave`, when sessions come and go
 *   above tells core: `wt__topic_deliver`, a message for a topic of this worker
 *
 * All of it is of the worker's thread, except the counts, which any thread may read.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/gauge.h"
#include "base/list.h"
#include "core/message.h"

#define WT__TOPIC_NAME_MAX 255

struct wt__topics;

/* Written by the worker's thread alone. */
struct wt__topic_counts {
  _Atomic uint64_t subscribers, delivered, dropped, too_large, closed;
};

/* A topic, while it has a subscriber on this worker. */
struct wt__topic {
  struct wt__topics *topics;
  struct wt__list subscriptions; /* linked by `in_topic` */
  struct wt__topic_counts counts;
  const uint8_t *name; /* of the layer above, and lives as long */
  size_t name_len;
  bool delivering;       /* it must not be left */
  struct wt__link *next; /* while delivering: the subscription after the present one */
};

/* The topics of a worker. */
struct wt__topics {
  /* Finds the topic of this worker, or makes it (`wt__topic_init`). WT_ERR_AGAIN: there are too many, WT_ERR_NOMEM. */
  int (*join)(void *ctx, const uint8_t *name, size_t len, struct wt__topic **topic);
  /* It has no subscriber any more: frees it. */
  void (*leave)(void *ctx, struct wt__topic *topic);
  void *ctx;
  size_t max_subscriptions;       /* of a session */
  struct wt__gauge_sum *sum;      /* where messages count; NULL until a session that counts its memory has subscribed */
  uint64_t last_session;          /* the number of the newest session */
  uint64_t last_id;               /* of the newest subscription */
  struct wt__topic_counts counts; /* of all topics there have been */
  uint8_t scratch[2048];          /* a datagram on its way to QUIC: longer ones do not fit into a packet */
};

void wt__topic_init(struct wt__topic *topic, struct wt__topics *topics, const uint8_t *name, size_t len);

/* Gives the message to all subscribers but its `except`. The topic may be gone after this. */
void wt__topic_deliver(struct wt__topic *topic, struct wt__part *part);

/* A subscription leaves the list. */
static inline void wt__topic_skip(struct wt__topic *topic, const struct wt__link *subscription) {
  if (topic->delivering && topic->next == subscription) topic->next = subscription->next;
}

/* Of one writer: no other thread's addition can get lost. */
static inline void wt__topic_count(_Atomic uint64_t *count, uint64_t n) {
  atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + n, memory_order_relaxed);
}

#endif
