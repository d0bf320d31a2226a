/* SPDX-License-Identifier: MIT */
/*
 * Slow peers, and those that do not move at all.
 *
 * Memory that waits for a peer is bounded, but bounds in bytes have no end in time: a peer that answers every PING and
 * grants no window keeps what is queued for it for as long as it likes. A byte now and then is no better, so a least
 * number of bytes is asked for in each period. Who had less than that to do has to do all of it.
 *
 * What waits for its turn behind others of the connection, as the second of two downloads does, is not to blame. It is
 * let wait as long as all together move as much as if each had moved enough, so nothing is gained by taking turns.
 *
 * No packet and no acknowledgement costs anything here, and a pass one comparison. What begins to wait joins a list; a
 * quarter of a period later it is looked at, and leaves, or joins the list again at its end. All have the same period,
 * so the list is in the order of time without being sorted. What never moved is given up after exactly one period, what
 * stops moving a quarter later at the latest.
 *
 *    watch --> fresh --run--> waiting --quarter--> look: done --> out of the list
 *                                ^                  |  moved, or not long enough still
 *                                +------------------+
 *                                                   |  no move for a period
 *                                                   v
 *                                                give up
 *
 * The time begins in the pass and not in the call, because calls of the application do not know the time.
 */

#include "core/progress.h"

#include <stddef.h>

#include "base/clock.h"

#define LOOKS 4     /* in a period */
#define LOG_BURST 5 /* lines; then one a second */
#define LEAST 64    /* bytes, of what does not know how many are left */
#define PROGRESS_OF(l) WT__CONTAINER_OF(l, struct wt__progress, link)

void wt__progress_init(struct wt__progress *progress) { wt__link_init(&progress->link); }

void wt__progress_list_init(struct wt__progress_list *list, uint64_t timeout_ms, uint64_t min) {
  wt__list_init(&list->fresh);
  wt__list_init(&list->waiting);
  list->count = 0;
  list->next = UINT64_MAX;
  list->timeout = timeout_ms * WT__NS_PER_MS;
  list->min = min > 0 ? min : 1;
}

void wt__progress_forget(struct wt__progress_list *list, struct wt__progress *progress) {
  if (!wt__link_linked(&progress->link)) return;
  wt__list_remove(&progress->link);
  if (progress->due > 0) list->count--;
}

static void progress_mark(const struct wt__progress_list *list, struct wt__progress *progress,
                          const struct wt__progress_state *state, uint64_t now) {
  uint64_t left = state->left > 0 ? state->left : LEAST;
  progress->since = now;
  progress->total = state->total;
  progress->goal = state->done + (left < list->min ? left : list->min);
}

static void progress_wait(struct wt__progress_list *list, struct wt__progress *progress, uint64_t now) {
  progress->due = now + (list->timeout + LOOKS - 1) / LOOKS;
  wt__list_push_back(&list->waiting, &progress->link);
  list->count++;
}

/* It waits behind others, and they move enough for all. */
static bool progress_excused(const struct wt__progress_list *list, const struct wt__progress *progress,
                             const struct wt__progress_state *state) {
  return state->turn && (state->total - progress->total) / list->min > list->count;
}

static void progress_begin(struct wt__progress_list *list, const struct wt__progress_kind *kind,
                           struct wt__progress *progress, uint64_t now) {
  struct wt__progress_state state = kind->state(progress);
  if (!state.waits) return;
  progress_mark(list, progress, &state, now);
  progress_wait(list, progress, now);
}

static void progress_check(struct wt__progress_list *list, const struct wt__progress_kind *kind,
                           struct wt__progress *progress, uint64_t now) {
  struct wt__progress_state state = kind->state(progress);
  if (!state.waits) return;
  if (state.done >= progress->goal) {
    progress_mark(list, progress, &state, now);
  } else if (now - progress->since >= list->timeout) {
    if (!progress_excused(list, progress, &state)) {
      kind->give_up(progress);
      return;
    }
    progress_mark(list, progress, &state, now);
  }
  progress_wait(list, progress, now);
}

void wt__progress_run_due(struct wt__progress_list *list, const struct wt__progress_kind *kind, uint64_t now) {
  struct wt__link *first;
  while ((first = wt__list_first(&list->fresh))) {
    wt__list_remove(first);
    progress_begin(list, kind, PROGRESS_OF(first), now);
  }
  while ((first = wt__list_first(&list->waiting)) && PROGRESS_OF(first)->due <= now) {
    wt__list_remove(first);
    list->count--;
    progress_check(list, kind, PROGRESS_OF(first), now);
  }
  first = wt__list_first(&list->waiting);
  list->next = !wt__list_empty(&list->fresh) ? 0 : first ? PROGRESS_OF(first)->due : UINT64_MAX;
}

void wt__progress_counts_init(struct wt__progress_counts *counts) {
  counts->given_up = 0;
  wt__log_limit_init(&counts->lines, 1, LOG_BURST);
}

struct wt__log_limit *wt__progress_count(struct wt__progress_counts *counts) {
  if (counts == NULL) return NULL;
  counts->given_up++;
  return &counts->lines;
}
