/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_MESSAGE_H
#define WT_CORE_MESSAGE_H

/*
 * A message that is published to a topic. Its bytes are there once, whoever gets it.
 *
 *     message -- part of worker 0 --> references: subscriptions, queues of datagrams, send queues
 *        |   \-- part of worker 1 --> ...
 *        v
 *      bytes   [length, 4 bytes] [payload]
 *
 * Each worker that delivers it has a part, and only this worker's thread counts the references of the part. So references
 * come and go without atomics. The last part that is released frees the message.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/gauge.h"

struct wt_session;
struct wt__message;

#define WT__MESSAGE_PREFIX 4 /* bytes of the length in front of the payload */

struct wt__part {
  _Alignas(64) struct wt__part *before; /* in the worker's queue */
  struct wt__message *message;
  size_t refs;
  struct wt__gauge_sum *sum; /* the worker's memory, in which the message counts while it has this part; or NULL */
  unsigned worker;
};

struct wt__message {
  atomic_uint parts_left; /* that are not released */
  unsigned part_count;
  void *topic; /* of the layer above: which topic it is for */
  /* Called on any thread, just before it is freed. May be NULL. */
  void (*on_free)(struct wt__message *message);
  const struct wt_session
      *except; /* gets no copy, if its number is the same; else it is another session at that place */
  uint64_t except_number;
  size_t len;     /* of the payload */
  uint8_t *bytes; /* the prefix, and then the payload */
  struct wt__part parts[];
};

/* A message for `part_count` workers, at least 1; `worker` of each part is to be set. Each part has one reference. NULL: out of
 * memory. */
struct wt__message *wt__message_new(unsigned part_count, const void *data, size_t len);

/* Writes the WT__MESSAGE_PREFIX bytes that say `len`. */
void wt__message_write_prefix(uint8_t *dst, size_t len);

/* What a message of `len` bytes takes in memory. */
size_t wt__message_size(unsigned part_count, size_t len);

/* The worker begins to deliver its part: the message counts in `sum`, until the part is released. */
void wt__part_begin(struct wt__part *part, struct wt__gauge_sum *sum);

static inline struct wt__part *wt__part_ref(struct wt__part *part) {
  part->refs++;
  return part;
}
/* May free the message. */
void wt__part_unref(struct wt__part *part);

static inline const uint8_t *wt__part_payload(const struct wt__part *part) {
  return part->message->bytes + WT__MESSAGE_PREFIX;
}
static inline size_t wt__part_len(const struct wt__part *part) { return part->message->len; }

#endif
