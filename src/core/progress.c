/* SPDX-License-Identifier: MIT */
/*
 * Gives up transfers whose peer is too slow, or does nothing.
 *
 * The memory that waits for a peer is bounded, but not in time. A peer that answers every PING and grants no window
 * could keep our queue full for ever. A peer that takes a byte now and then is no better. So a minimum of bytes has to
 * move in each period. A transfer with fewer bytes left has to move all of them.
 *
 * A transfer may also wait for its turn behind others of its connection, such as the second of two downloads. It may
 * wait as long as the connection moves as many bytes in all as if each of its transfers had moved the minimum. So a
 * peer gains nothing by serving one transfer after the other.
 *
 * This costs nothing for a packet or an acknowledgement, and one comparison for a run of the connection. A transfer
 * that begins to wait joins a list. A quarter of a period later it is checked: it leaves the list, or joins it again
 * at its end. All transfers have the same period, so the list stays sorted by time. A transfer that never moves is
 * given up after exactly one period, one that stops moving at most a quarter later.
 *
 *    watch --> fresh --run--> waiting --quarter--> check: finished --> out of the list
 *                                ^                  |  progress, or less than a period without
 *                                +------------------+
 *                                                   |  no progress for a period
 *                                                   v
 *                                                give up
 *
 * The time of a transfer begins in the next run, because the application's calls do not know the time.
 */

#include "core/progress.h"

#include <stddef.h>

#include "base/clock.h"

#define LOOKS 4     /* checks in a period */
#define LOG_BURST 5 /* lines at once; then one a second */
#define LEAST 64    /* the minimum of bytes of a transfer that does not know how many are left */
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

/* Whether the transfer waits behind others, and these move enough for all. */
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
  if (!counts) return NULL;
  counts->given_up++;
  return &counts->lines;
}
