/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_SENDQ_H
#define WT_CORE_SENDQ_H

/*
 * The bytes of one stream on their way out. QUIC may have to send a byte again until it is
 * acknowledged, and reads it from here each time; so bytes never move, and are freed in order of
 * acknowledgement.
 *
 *     acked            sent             end
 *       |  in flight    |   waiting      |  <- append
 *   ----+---------------+----------------+
 *
 * Bytes are copied into chunks, or stay in the caller's memory with a release function. Releases never
 * happen inside an application's call: dropped owned chunks go to a list that `wt__released_run` empties.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/stream.h>

#include "base/gauge.h"
#include "base/pool.h"
#include "base/vec.h"

struct wt__chunk;

/* Owned chunks whose release function is still to be called. */
struct wt__released {
  struct wt__chunk *head, *tail;
};

struct wt__sendq {
  struct wt__chunk *head, *tail;
  struct wt__chunk *next;    /* holds the first unsent byte; NULL: none */
  size_t next_off;           /* where in it */
  uint64_t acked, sent, end; /* offsets in the stream; acked: up to the last whole chunk given back */
  size_t max;                /* the most bytes from `acked` to `end` */
  bool fin, fin_sent;
  bool wants_room;         /* it was filled, or somebody was told that it is: tell when there is room again */
  struct wt__pool *pool;   /* of chunks; NULL, as it is born: they come from the allocator */
  struct wt__gauge *gauge; /* where chunks count, and whose pressure lowers `max`; NULL, as it is born: neither */
};

void wt__sendq_init(struct wt__sendq *q, size_t max);

/* As it was born, with the same `max`, `pool` and `gauge`; it is empty. */
void wt__sendq_reset(struct wt__sendq *q);

/* Drops everything; owned chunks move to `released`. Safe only once the transport reads none of it. */
void wt__sendq_drop(struct wt__sendq *q, struct wt__released *released);

/* Drops what was not sent yet beyond offset `keep`; what is in flight stays. */
void wt__sendq_drop_unsent(struct wt__sendq *q, uint64_t keep, struct wt__released *released);

/* Room below `max`, or below what the pressure on memory leaves of it. */
size_t wt__sendq_room(const struct wt__sendq *q);
/* The same, for somebody who wants to hear of room when there is none. */
size_t wt__sendq_ask_room(struct wt__sendq *q);

/* Copies as much as there is room for; `force` ignores `max` (headers, capsules: bounded elsewhere).
 * `*taken` is 0 on WT_ERR_NOMEM. */
int wt__sendq_append(struct wt__sendq *q, const void *data, size_t len, bool force, size_t *taken);

/* Adds bytes without a copy. WT_ERR_AGAIN without any room, WT_ERR_NOMEM. */
int wt__sendq_append_owned(struct wt__sendq *q, const void *data, size_t len, wt_release release, void *user_data);

/* A place for up to `len` bytes, which the caller writes there; `wt__sendq_commit` follows at once. NULL: out of
 * memory. */
uint8_t *wt__sendq_prepare(struct wt__sendq *q, size_t len);
/* Adds the first `len` of them; 0: none, and the place is given back. */
void wt__sendq_commit(struct wt__sendq *q, uint8_t *bytes, size_t len);

/* Whether there is anything to hand to the transport: bytes, or the FIN. */
bool wt__sendq_pending(const struct wt__sendq *q);

/* Fills `vecs` with unsent bytes, until there are `enough`; returns how many were filled. `*fin`: they reach up to the
 * end. */
size_t wt__sendq_peek(const struct wt__sendq *q, struct wt__vec *vecs, size_t max_vecs, size_t enough, bool *fin);

/* The transport took `len` bytes, and the FIN. */
void wt__sendq_sent(struct wt__sendq *q, size_t len, bool fin);

/* Everything below `offset` was acknowledged. Returns true when whoever filled the queue, or asked for
 * room in vain, may go on: at most half of `max`, or of what is left of it, is held now. */
bool wt__sendq_acked(struct wt__sendq *q, uint64_t offset, struct wt__released *released);

/* Calls the release functions that wait. Not inside an application's call. */
void wt__released_run(struct wt__released *released);

#endif
