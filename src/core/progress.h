/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_PROGRESS_H
#define WT_CORE_PROGRESS_H

/*
 * Whether a peer that something waits for moves at all. One list is for all things of a kind on a connection: streams
 * that have bytes to send, answers, bodies that arrive. Each moves if, within the time allowed, it gets on by a least
 * number of bytes, or by all it had to do when it was looked at.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/log_limit.h"

/* A part of what waits. Zero-initialized, then `wt__progress_init`. */
struct wt__progress {
  struct wt__link link;
  uint64_t due;   /* when it is looked at next */
  uint64_t since; /* when it was seen to move last */
  uint64_t goal;  /* what it has to reach to be seen to move */
  uint64_t total; /* of the connection, then */
};

/* What was given up by a worker. */
struct wt__progress_counts {
  uint64_t given_up;
  struct wt__log_limit lines; /* in the log */
};

struct wt__progress_list {
  struct wt__list fresh, waiting; /* not looked at yet; by `due` */
  uint64_t count;                 /* of `waiting` */
  uint64_t next;                  /* nothing is due before; 0: something is fresh */
  uint64_t timeout, min;          /* nanoseconds, 0: nothing is watched; bytes */
};

/* How far one is. */
struct wt__progress_state {
  bool waits;     /* it is not done */
  bool turn;      /* not for the peer, as far as can be told: others of the connection may be before it */
  uint64_t done;  /* bytes */
  uint64_t left;  /* that are known to be still to come; 0: not known */
  uint64_t total; /* bytes that all of the connection have moved */
};

struct wt__progress_kind {
  struct wt__progress_state (*state)(const struct wt__progress *progress);
  void (*give_up)(struct wt__progress *progress); /* may free it */
};

void wt__progress_init(struct wt__progress *progress);
void wt__progress_list_init(struct wt__progress_list *list, uint64_t timeout_ms, uint64_t min);
/* Watches it from the next `wt__progress_run` on, until it is seen not to wait. True: it was not watched before. */
static inline bool wt__progress_watch(struct wt__progress_list *list, struct wt__progress *progress) {
  if (wt__link_linked(&progress->link) || list->timeout == 0) return false;
  progress->due = list->next = 0;
  wt__list_push_back(&list->fresh, &progress->link);
  return true;
}
/* It is about to be freed. */
void wt__progress_forget(struct wt__progress_list *list, struct wt__progress *progress);
/* Looks at those that are due, of which there is at least one. */
void wt__progress_run_due(struct wt__progress_list *list, const struct wt__progress_kind *kind, uint64_t now);
/* The same if there is one: asked in every pass. */
static inline void wt__progress_run(struct wt__progress_list *list, const struct wt__progress_kind *kind,
                                    uint64_t now) {
  if (list->next <= now) wt__progress_run_due(list, kind, now);
}
/* When something may be due; UINT64_MAX: never. */
static inline uint64_t wt__progress_expiry(const struct wt__progress_list *list) { return list->next; }
void wt__progress_counts_init(struct wt__progress_counts *counts);
/* Counts one that is given up. The limit of lines about such; NULL: none, as `counts` is NULL. */
struct wt__log_limit *wt__progress_count(struct wt__progress_counts *counts);

#endif
