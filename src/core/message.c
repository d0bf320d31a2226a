/* SPDX-License-Identifier: MIT */

/*
 * The memory of a message: one block for the record, the parts of the workers and the bytes. The parts lie in different
 * cache lines, because different threads count their references.
 */

#include "core/message.h"

#include <string.h>

#include "base/mem.h"

#define ALIGNMENT 64 /* of a part */

_Static_assert(sizeof(struct wt__part) == ALIGNMENT, "workers would share cache lines");

size_t wt__message_size(unsigned part_count, size_t len) {
  size_t size = sizeof(struct wt__message) + part_count * sizeof(struct wt__part) + WT__MESSAGE_PREFIX + len;
  return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

void wt__message_write_prefix(uint8_t *dst, size_t len) {
  for (int i = 0; i < WT__MESSAGE_PREFIX; i++) dst[i] = (uint8_t)(len >> (8 * (WT__MESSAGE_PREFIX - 1 - i)));
}

struct wt__message *wt__message_new(unsigned part_count, const void *data, size_t len) {
  struct wt__message *message = wt__malloc_aligned(ALIGNMENT, wt__message_size(part_count, len));
  if (!message) return NULL;
  memset(message, 0, sizeof(*message));
  atomic_init(&message->parts_left, part_count);
  message->part_count = part_count;
  message->len = len;
  message->bytes = (uint8_t *)&message->parts[part_count];
  for (unsigned i = 0; i < part_count; i++) message->parts[i] = (struct wt__part){.message = message, .refs = 1};
  wt__message_write_prefix(message->bytes, len);
  if (len > 0) memcpy(message->bytes + WT__MESSAGE_PREFIX, data, len);
  return message;
}

void wt__part_begin(struct wt__part *part, struct wt__gauge_sum *sum) {
  part->sum = sum;
  if (sum) sum->bytes += wt__message_size(part->message->part_count, part->message->len);
}

void wt__part_unref(struct wt__part *part) {
  struct wt__message *message = part->message;
  if (--part->refs > 0) return;
  if (part->sum) part->sum->bytes -= wt__message_size(message->part_count, message->len);
  if (atomic_fetch_sub(&message->parts_left, 1) > 1) return;
  if (message->on_free) message->on_free(message);
  wt__free(message);
}
