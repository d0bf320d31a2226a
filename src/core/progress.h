/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_PROGRESS_H
#define WT_CORE_PROGRESS_H

/*
 * Finds what makes no progress because its peer does not send or does not read. A list holds all transfers of one kind
 * on a connection: streams with bytes to send, answers, or bodies that arrive. A transfer makes progress if, in the
 * time allowed, it moves at least a minimum of bytes, or all the bytes that it had left when it was checked.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/log_limit.h"

/* A member of each transfer's struct. Zero at first, then `wt__progress_init`. */
struct wt__progress {
  struct wt__link link;
  uint64_t due;   /* when it is checked next */
  uint64_t since; /* when a check last found progress */
  uint64_t goal;  /* how many bytes it must have moved at the next check */
  uint64_t total; /* how many bytes the connection had moved at `since` */
};

/* How many transfers a worker gave up. */
struct wt__progress_counts {
  uint64_t given_up;
  struct wt__log_limit lines; /* for the lines in the log about them */
};

struct wt__progress_list {
  struct wt__list fresh, waiting; /* not checked yet; in the order of `due` */
  uint64_t count;                 /* how many are in `waiting` */
  uint64_t next;                  /* nothing is due before this time; 0: `fresh` is not empty */
  uint64_t timeout;               /* the time allowed, in nanoseconds; 0: nothing is watched */
  uint64_t min;                   /* the minimum of bytes */
};

/* How far a transfer is. */
struct wt__progress_state {
  bool waits;     /* it is not finished */
  bool turn;      /* it may wait for its turn behind others of the connection, and not for the peer */
  uint64_t done;  /* bytes moved */
  uint64_t left;  /* bytes that are still to move; 0: unknown */
  uint64_t total; /* bytes that all transfers of the connection have moved */
};

struct wt__progress_kind {
  struct wt__progress_state (*state)(const struct wt__progress *progress);
  void (*give_up)(struct wt__progress *progress); /* may free it */
};

void wt__progress_init(struct wt__progress *progress);
void wt__progress_list_init(struct wt__progress_list *list, uint64_t timeout_ms, uint64_t min);
/* Watches a transfer from the next `wt__progress_run` on, until a check finds it finished. True: it was not watched
 * before. */
static inline bool wt__progress_watch(struct wt__progress_list *list, struct wt__progress *progress) {
  if (wt__link_linked(&progress->link) || list->timeout == 0) return false;
  progress->due = list->next = 0;
  wt__list_push_back(&list->fresh, &progress->link);
  return true;
}
/* The transfer is about to be freed. */
void wt__progress_forget(struct wt__progress_list *list, struct wt__progress *progress);
/* Checks all transfers that are due. At least one is. */
void wt__progress_run_due(struct wt__progress_list *list, const struct wt__progress_kind *kind, uint64_t now);
/* The same, if one is due. Cheap enough for every run of a connection. */
static inline void wt__progress_run(struct wt__progress_list *list, const struct wt__progress_kind *kind,
                                    uint64_t now) {
  if (list->next <= now) wt__progress_run_due(list, kind, now);
}
/* When the next check may be due; UINT64_MAX: never. */
static inline uint64_t wt__progress_expiry(const struct wt__progress_list *list) { return list->next; }
void wt__progress_counts_init(struct wt__progress_counts *counts);
/* Counts a transfer that is given up. Returns the limit for lines in the log about them; NULL if `counts` is NULL. */
struct wt__log_limit *wt__progress_count(struct wt__progress_counts *counts);

#endif
