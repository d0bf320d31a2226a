/* SPDX-License-Identifier: MIT */
/*
 * The send queue of a stream. The drawing is in sendq.h.
 *
 * Bytes are copied into chunks that grow with the stream. The first chunk is small, because many streams carry one
 * short message. Later ones have up to 64 KiB, so that one allocation serves fifty packets. Later writes fill the free
 * room of a chunk. Its bytes never move, so QUIC may point to them.
 *
 * A chunk is freed when all its bytes are acknowledged. The bound `max` counts from the first chunk that is not freed.
 * So it holds for bytes in flight and unsent bytes together: a peer that never acknowledges costs at most `max` bytes.
 * It grows with what the connection has in flight (quic/congestion.c): bytes behind a lost packet stay until that has come
 * again, and new ones have to be there meanwhile. When the server's memory is short, queues are shorter: see gauge.h.
 */

#include "core/sendq.h"

#include <string.h>

#include "base/list.h"
#include "base/mem.h"

#define CHUNK_MIN 256
#define CHUNK_MAX (64 * 1024)

/* The most bytes in a queue while the server's memory is short. */
#define MAX_HIGH (64 * 1024)
#define MAX_FULL (16 * 1024)

struct wt__chunk {
  struct wt__chunk *next;
  const uint8_t *data; /* `bytes`, or the caller's */
  size_t len, cap;     /* `cap`: the size of `bytes`; 0 for the caller's memory */
  size_t born;         /* `cap`, or `len` for the caller's memory, before anything was cut off */
  wt_release_callback release;
  void *user_data;
  struct wt__pool *pool; /* of a chunk for the caller's memory, which may outlive the queue; NULL: the allocator */
  uint8_t bytes[];
};

void wt__sendq_init(struct wt__sendq *q, size_t max) {
  memset(q, 0, sizeof(*q));
  q->max = max;
}

void wt__sendq_reset(struct wt__sendq *q) {
  struct wt__sendq old = *q;
  wt__sendq_init(q, old.max);
  q->pool = old.pool;
  q->gauge = old.gauge;
}

/* The memory of a chunk itself. */
static size_t chunk_bytes(const struct wt__chunk *chunk) { return sizeof(*chunk) + (chunk->release ? 0 : chunk->born); }

static struct wt__chunk *chunk_new(struct wt__sendq *q, struct wt__pool *pool, size_t cap) {
  struct wt__chunk *chunk = wt__pool_take(pool, sizeof(*chunk) + cap);
  if (!chunk) return NULL;
  memset(chunk, 0, sizeof(*chunk));
  wt__gauge_add_queued(q->gauge, sizeof(*chunk) + cap);
  return chunk;
}

/* Frees a chunk that has no release function. */
static void chunk_give(struct wt__sendq *q, struct wt__chunk *chunk) {
  wt__gauge_remove_queued(q->gauge, chunk_bytes(chunk));
  wt__pool_give(q->pool, chunk, chunk_bytes(chunk));
}

static void chunk_drop(struct wt__sendq *q, struct wt__chunk *chunk, struct wt__released *released) {
  if (!chunk->release) {
    chunk_give(q, chunk);
    return;
  }
  wt__gauge_remove_queued(q->gauge, chunk_bytes(chunk));
  chunk->next = NULL;
  if (released->tail) {
    released->tail->next = chunk;
  } else {
    released->head = chunk;
  }
  released->tail = chunk;
}

static void chain_drop(struct wt__sendq *q, struct wt__chunk *chunk, struct wt__released *released) {
  while (chunk) {
    struct wt__chunk *next = chunk->next;
    chunk_drop(q, chunk, released);
    chunk = next;
  }
}

void wt__sendq_drop(struct wt__sendq *q, struct wt__released *released) {
  chain_drop(q, q->head, released);
  q->head = q->tail = q->next = NULL;
  q->next_off = 0;
  q->acked = q->end = q->sent;
}

void wt__sendq_drop_unsent(struct wt__sendq *q, uint64_t keep, struct wt__released *released) {
  uint64_t from = q->sent > keep ? q->sent : keep;
  uint64_t at = q->acked;
  struct wt__chunk *chunk = q->head, *last = NULL;
  if (from >= q->end) return;
  while (chunk && at < from) {
    if (at + chunk->len > from) chunk->len = (size_t)(from - at);
    at += chunk->len;
    last = chunk;
    chunk = chunk->next;
  }
  chain_drop(q, chunk, released);
  if (last) {
    last->next = NULL;
    last->cap = 0; /* nothing may be added where bytes were cut off */
  } else {
    q->head = NULL;
  }
  q->tail = last;
  q->end = from;
  if (q->sent >= q->end) {
    q->next = NULL;
    q->next_off = 0;
  }
}

/* An empty queue always has room for something: it would get no acknowledgement, and so could never say that there is
 * room again. */
static size_t sendq_max(const struct wt__sendq *q) {
  static const size_t most[] = {
      [WT__PRESSURE_NONE] = SIZE_MAX, [WT__PRESSURE_HIGH] = MAX_HIGH, [WT__PRESSURE_FULL] = MAX_FULL};
  size_t max = most[wt__gauge_pressure(wt__gauge_sum_of(q->gauge))];
  size_t own = q->gauge && q->gauge->queue_wanted > q->max ? q->gauge->queue_wanted : q->max;
  return own < max ? own : max;
}

size_t wt__sendq_room(const struct wt__sendq *q) {
  uint64_t held = q->end - q->acked;
  size_t max = sendq_max(q);
  return held >= max ? 0 : max - (size_t)held;
}

size_t wt__sendq_ask_room(struct wt__sendq *q) {
  size_t room = wt__sendq_room(q);
  if (room == 0) q->wants_room = true;
  return room;
}

static void chunk_link(struct wt__sendq *q, struct wt__chunk *chunk) {
  chunk->next = NULL;
  if (q->tail) {
    q->tail->next = chunk;
  } else {
    q->head = chunk;
  }
  q->tail = chunk;
  if (!q->next && chunk->len > 0) {
    q->next = chunk;
    q->next_off = 0;
  }
}

/* The size of a new chunk, into which `len` bytes are copied at once. */
static size_t chunk_size(const struct wt__sendq *q, size_t len) {
  size_t size = q->tail && q->tail->cap >= CHUNK_MIN ? q->tail->cap * 4 : CHUNK_MIN;
  if (size < len) size = len;
  return size > CHUNK_MAX ? CHUNK_MAX : size;
}

static size_t tail_fill(struct wt__sendq *q, const uint8_t *data, size_t len) {
  struct wt__chunk *tail = q->tail;
  if (!tail || tail->cap == tail->len || tail->cap == 0) return 0;
  size_t n = tail->cap - tail->len;
  if (n > len) n = len;
  memcpy(tail->bytes + tail->len, data, n);
  if (!q->next) {
    q->next = tail;
    q->next_off = tail->len;
  }
  tail->len += n;
  return n;
}

int wt__sendq_append(struct wt__sendq *q, const void *data, size_t len, bool force, size_t *taken) {
  const uint8_t *from = data;
  size_t room = wt__sendq_room(q), left;
  if (!force && len >= room) {
    len = room;
    q->wants_room = true;
  }
  for (left = len; left > 0;) {
    size_t n = tail_fill(q, from, left);
    if (n == 0) {
      size_t size = chunk_size(q, left);
      struct wt__chunk *chunk = chunk_new(q, q->pool, size);
      if (!chunk) break;
      n = left < size ? left : size;
      chunk->data = chunk->bytes;
      chunk->cap = chunk->born = size;
      chunk->len = n;
      memcpy(chunk->bytes, from, n);
      chunk_link(q, chunk);
    }
    from += n;
    left -= n;
    q->end += n;
  }
  *taken = len - left;
  return left > 0 && *taken == 0 ? WT_ERR_NOMEM : 0;
}

int wt__sendq_force_owned(struct wt__sendq *q, const void *data, size_t len, wt_release_callback release,
                          void *user_data) {
  struct wt__chunk *chunk = chunk_new(q, q->pool, 0);
  if (!chunk) return WT_ERR_NOMEM;
  chunk->pool = q->pool;
  chunk->data = data;
  chunk->len = chunk->born = len;
  chunk->release = release;
  chunk->user_data = user_data;
  chunk_link(q, chunk);
  q->end += len;
  q->wants_room = q->wants_room || wt__sendq_room(q) == 0;
  return 0;
}

int wt__sendq_append_owned(struct wt__sendq *q, const void *data, size_t len, wt_release_callback release,
                           void *user_data) {
  if (wt__sendq_room(q) == 0) {
    q->wants_room = true;
    return WT_ERR_AGAIN;
  }
  return wt__sendq_force_owned(q, data, len, release, user_data);
}

uint8_t *wt__sendq_prepare(struct wt__sendq *q, size_t len) {
  struct wt__chunk *chunk = chunk_new(q, q->pool, len);
  if (!chunk) return NULL;
  chunk->data = chunk->bytes;
  chunk->born = len;
  return chunk->bytes;
}

void wt__sendq_commit(struct wt__sendq *q, uint8_t *bytes, size_t len) {
  struct wt__chunk *chunk = WT__CONTAINER_OF(bytes, struct wt__chunk, bytes);
  if (len == 0) {
    chunk_give(q, chunk);
    return;
  }
  chunk->len = len;
  chunk_link(q, chunk);
  q->end += len;
}

bool wt__sendq_pending(const struct wt__sendq *q) { return q->sent < q->end || (q->fin && !q->fin_sent); }

size_t wt__sendq_peek(const struct wt__sendq *q, struct wt__vec *vecs, size_t max_vecs, size_t enough, bool *fin) {
  const struct wt__chunk *chunk = q->next;
  size_t off = q->next_off, count = 0, len = 0;
  while (chunk && count < max_vecs && len < enough) {
    if (chunk->len > off) vecs[count++] = (struct wt__vec){chunk->data + off, chunk->len - off};
    len += chunk->len - off;
    off = 0;
    chunk = chunk->next;
  }
  *fin = q->fin && !chunk;
  return count;
}

void wt__sendq_sent(struct wt__sendq *q, size_t len, bool fin) {
  if (len > q->end - q->sent) len = (size_t)(q->end - q->sent);
  q->sent += len;
  while (q->next && len >= q->next->len - q->next_off) {
    len -= q->next->len - q->next_off;
    q->next = q->next->next;
    q->next_off = 0;
  }
  if (q->next) q->next_off += len;
  if (fin) q->fin_sent = true;
}

bool wt__sendq_acked(struct wt__sendq *q, uint64_t offset, struct wt__released *released) {
  if (offset > q->sent) offset = q->sent;
  while (q->head && q->head != q->next && q->acked + q->head->len <= offset) {
    struct wt__chunk *chunk = q->head;
    q->acked += chunk->len;
    q->head = chunk->next;
    if (!q->head) q->tail = NULL;
    chunk_drop(q, chunk, released);
  }
  if (q->wants_room && q->end - q->acked <= sendq_max(q) / 2) {
    q->wants_room = false;
    return true;
  }
  return false;
}

void wt__released_run(struct wt__released *released) {
  while (released->head) {
    struct wt__chunk *chunk = released->head;
    released->head = chunk->next;
    if (!released->head) released->tail = NULL;
    chunk->release(chunk->data, chunk->born, chunk->user_data);
    wt__pool_give(chunk->pool, chunk, sizeof(*chunk));
  }
}
