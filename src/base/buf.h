/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_BUF_H
#define WT_BASE_BUF_H

/*
 * A growing array of bytes, born with a maximum: bytes are added at the end and taken from the front.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/gauge.h"

struct wt__buf {
  uint8_t *data;
  size_t off; /* first byte not yet taken */
  size_t len; /* bytes held, from `off` on */
  size_t cap;
  size_t max;              /* the most bytes that may be held */
  struct wt__gauge *gauge; /* where `cap` counts; NULL, as it is born: nowhere */
};

void wt__buf_init(struct wt__buf *buf, size_t max);
void wt__buf_free(struct wt__buf *buf);

/* Takes everything out, for another variable to hold and free; what is added from now on goes to a new array. */
struct wt__buf wt__buf_move(struct wt__buf *buf);

/* Adds all or nothing. WT_ERR_AGAIN when it would hold more than `max`, WT_ERR_NOMEM. */
int wt__buf_append(struct wt__buf *buf, const void *data, size_t len);

/* The bytes held begin here; NULL if there are none. */
static inline const uint8_t *wt__buf_head(const struct wt__buf *buf) { return buf->data ? buf->data + buf->off : NULL; }

/* Takes `len` (at most `buf->len`) bytes from the front. Memory is given back when it becomes empty. */
void wt__buf_take(struct wt__buf *buf, size_t len);

#endif
