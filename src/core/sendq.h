/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_SENDQ_H
#define WT_CORE_SENDQ_H

/*
 * The bytes of one stream that are to be sent. QUIC may have to send a byte again until it is acknowledged, and reads
 * it from here each time. So bytes never move, and are freed when they are acknowledged.
 *
 *     acked            sent             end
 *       |  in flight    |   waiting      |  <- append
 *   ----+---------------+----------------+
 *
 * Bytes are copied into chunks, or stay in the caller's memory ("owned chunks"), which has a release function. This
 * function is never called while the application calls us: dropped owned chunks go to a list, and `wt__released_run`
 * calls it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/stream.h>

#include "base/gauge.h"
#include "base/pool.h"
#include "base/vec.h"

struct wt__chunk;

/* Dropped owned chunks, whose release functions were not called yet. */
struct wt__released {
  struct wt__chunk *head, *tail;
};

struct wt__sendq {
  struct wt__chunk *head, *tail;
  struct wt__chunk *next;    /* holds the first unsent byte; NULL: none */
  size_t next_off;           /* where in it */
  uint64_t acked, sent, end; /* offsets in the stream; `acked`: the end of the last chunk that was freed */
  size_t max;                /* the most bytes from `acked` to `end`; more where much is in flight */
  bool fin, fin_sent;
  bool wants_room;         /* it was full when somebody wrote or asked: `wt__sendq_acked` says when there is room */
  struct wt__pool *pool;   /* memory for chunks; NULL, as at first: from the allocator */
  struct wt__gauge *gauge; /* counts the chunks, and its pressure lowers `max`; NULL, as at first: neither */
};

void wt__sendq_init(struct wt__sendq *q, size_t max);

/* Makes an empty queue as new, with the same `max`, `pool` and `gauge`. */
void wt__sendq_reset(struct wt__sendq *q);

/* Drops everything; owned chunks go to `released`. The transport must not read the bytes any more. */
void wt__sendq_drop(struct wt__sendq *q, struct wt__released *released);

/* Drops unsent bytes behind offset `keep`. Bytes that were sent stay. */
void wt__sendq_drop_unsent(struct wt__sendq *q, uint64_t keep, struct wt__released *released);

/* How many bytes fit below `max`, or below the lower bound that holds under memory pressure. */
size_t wt__sendq_room(const struct wt__sendq *q);
/* The same. If there is no room, `wt__sendq_acked` will say when there is. */
size_t wt__sendq_ask_room(struct wt__sendq *q);

/* Copies as many bytes as there is room for. `force`: ignores `max`, for headers and capsules, whose number is bounded
 * elsewhere. `*taken` is 0 on WT_ERR_NOMEM. */
int wt__sendq_append(struct wt__sendq *q, const void *data, size_t len, bool force, size_t *taken);

/* Adds bytes without a copy. WT_ERR_AGAIN if there is no room at all, WT_ERR_NOMEM. */
int wt__sendq_append_owned(struct wt__sendq *q, const void *data, size_t len, wt_release_callback release,
                           void *user_data);
/* The same, whether there is room or not. WT_ERR_NOMEM. */
int wt__sendq_force_owned(struct wt__sendq *q, const void *data, size_t len, wt_release_callback release,
                          void *user_data);

/* Returns a place where the caller writes up to `len` bytes. The caller then calls `wt__sendq_commit` at once. NULL:
 * out of memory. */
uint8_t *wt__sendq_prepare(struct wt__sendq *q, size_t len);
/* Adds the first `len` of these bytes. 0: adds none, and frees the place. */
void wt__sendq_commit(struct wt__sendq *q, uint8_t *bytes, size_t len);

/* Whether there is something to send: bytes, or the FIN. */
bool wt__sendq_pending(const struct wt__sendq *q);

/* Fills `vecs` with unsent bytes, until there are `enough`. Returns how many `vecs` it filled. `*fin`: the stream ends
 * after these bytes. */
size_t wt__sendq_peek(const struct wt__sendq *q, struct wt__vec *vecs, size_t max_vecs, size_t enough, bool *fin);

/* The transport took `len` bytes, and the FIN. */
void wt__sendq_sent(struct wt__sendq *q, size_t len, bool fin);

/* The peer has acknowledged all bytes before `offset`. Returns true if somebody waits for room (`wants_room`), and the
 * queue now holds at most half of its bound. */
bool wt__sendq_acked(struct wt__sendq *q, uint64_t offset, struct wt__released *released);

/* Calls the release functions of dropped chunks. Must not be called while the application calls us. */
void wt__released_run(struct wt__released *released);

#endif
