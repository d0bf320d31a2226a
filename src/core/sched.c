/* SPDX-License-Identifier: MIT */
/*
 * Decides which stream sends next.
 *
 * Sessions take turns, and so do groups: each kind is in a list, whose first member goes to the end after its turn.
 * Streams of a group are sorted by their order, and streams of the same order take turns. They are in a heap, where the
 * stream that was put in first is the first of its equals. So the next stream is found in logarithmic time, also if an
 * application gives each of ten thousand streams an order of its own, or gives them none.
 *
 * The heap is a pairing heap, because its nodes can be parts of the streams. A node points to its first child and to
 * its siblings. Nothing is allocated, and any node can be taken out.
 *
 *        a            the highest order, earliest turn
 *        |
 *        b -- c -- d  children, in no order; each has children of its own
 *
 * To merge two heaps, one root becomes the first child of the other. When the root is taken out, its children are
 * merged in pairs, and then the pairs. This is a loop and no recursion, so it needs little stack.
 *
 * Turns do not mean equal numbers of bytes. A turn is one frame, and a stream with few bytes sends a short one.
 */

#include "core/sched.h"

#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"

#define ENTRY_SESSION(entry) ((entry)->group->session)

/* --- Rings --- */

void wt__ring_init(struct wt__ring *ring) {
  for (size_t i = 0; i < WT__URGENCIES; i++) wt__list_init(&ring->levels[i]);
}

void wt__ring_add(struct wt__ring *ring, struct wt__link *link, unsigned urgency) {
  wt__list_push_back(&ring->levels[urgency], link);
}

struct wt__link *wt__ring_first(const struct wt__ring *ring) {
  for (size_t i = 0; i < WT__URGENCIES; i++) {
    if (!wt__list_empty(&ring->levels[i])) return wt__list_first(&ring->levels[i]);
  }
  return NULL;
}

/* --- The heap of a group --- */

static bool entry_before(const struct wt__sched_entry *a, const struct wt__sched_entry *b) {
  return a->order != b->order ? a->order > b->order : a->turn < b->turn;
}

/* Both are roots, without siblings; either may be NULL. */
static struct wt__sched_entry *heap_merge(struct wt__sched_entry *a, struct wt__sched_entry *b) {
  struct wt__sched_entry *parent = a, *child = b;
  if (!a) return b;
  if (!b) return a;
  if (entry_before(b, a)) {
    parent = b;
    child = a;
  }
  child->prev = parent;
  child->next = parent->child;
  if (parent->child) parent->child->prev = child;
  parent->child = child;
  return parent;
}

static struct wt__sched_entry *heap_cut(struct wt__sched_entry *entry) {
  struct wt__sched_entry *next = entry->next;
  entry->prev = entry->next = NULL;
  return next;
}

/* Makes one heap of siblings, of which `first` is the eldest. */
static struct wt__sched_entry *heap_merge_all(struct wt__sched_entry *first) {
  struct wt__sched_entry *pairs = NULL, *root = NULL;
  while (first) {
    struct wt__sched_entry *a = first, *b = heap_cut(a);
    first = b ? heap_cut(b) : NULL;
    a = heap_merge(a, b);
    a->next = pairs;
    pairs = a;
  }
  while (pairs) {
    struct wt__sched_entry *pair = pairs;
    pairs = heap_cut(pair);
    root = heap_merge(root, pair);
  }
  return root;
}

static void heap_remove(struct wt__sched_group *group, struct wt__sched_entry *entry) {
  struct wt__sched_entry *children = heap_merge_all(entry->child);
  if (group->root == entry) {
    group->root = children;
  } else {
    if (entry->prev->child == entry) {
      entry->prev->child = entry->next;
    } else {
      entry->prev->next = entry->next;
    }
    if (entry->next) entry->next->prev = entry->prev;
    group->root = heap_merge(group->root, children);
  }
  entry->child = entry->prev = entry->next = NULL;
}

/* --- Sessions and groups --- */

void wt__sched_init(struct wt__sched *sched) {
  wt__ring_init(&sched->sessions);
  sched->turn = 0;
}

static void group_init(struct wt__sched_group *group, struct wt__sched_session *session, uint64_t id) {
  memset(group, 0, sizeof(*group));
  wt__link_init(&group->ready);
  wt__link_init(&group->link);
  group->session = session;
  group->id = id;
}

void wt__sched_session_init(struct wt__sched_session *session, unsigned urgency) {
  wt__link_init(&session->ready);
  wt__list_init(&session->ready_groups);
  wt__list_init(&session->groups);
  group_init(&session->first, session, 0);
  session->urgency = urgency < WT__URGENCIES ? urgency : WT__URGENCIES - 1;
}

void wt__sched_session_move(struct wt__sched *sched, struct wt__sched_session *session, unsigned urgency) {
  session->urgency = urgency < WT__URGENCIES ? urgency : WT__URGENCIES - 1;
  if (!wt__link_linked(&session->ready)) return;
  wt__list_remove(&session->ready);
  wt__ring_add(&sched->sessions, &session->ready, session->urgency);
}

/* The group of that id; made if there is none. NULL: out of memory. */
static struct wt__sched_group *group_get(struct wt__sched_session *session, uint64_t id) {
  struct wt__sched_group *group;
  if (id == 0) return &session->first;
  WT__LIST_FOREACH(it, next, &session->groups) {
    group = WT__CONTAINER_OF(it, struct wt__sched_group, link);
    if (group->id == id) return group;
  }
  group = wt__malloc(sizeof(*group));
  if (!group) return NULL;
  group_init(group, session, id);
  wt__list_push_back(&session->groups, &group->link);
  return group;
}

static void group_leave(struct wt__sched_group *group) {
  if (--group->members > 0 || group == &group->session->first) return;
  wt__list_remove(&group->link);
  wt__free(group);
}

void wt__sched_join(struct wt__sched_entry *entry, struct wt__sched_session *session) {
  entry->group = &session->first;
  entry->group->members++;
  entry->order = 0;
}

void wt__sched_leave(struct wt__sched_entry *entry) {
  if (!entry->group) return;
  wt__sched_remove(entry);
  group_leave(entry->group);
  entry->group = NULL;
}

int wt__sched_move(struct wt__sched *sched, struct wt__sched_entry *entry, uint64_t id, int64_t order) {
  struct wt__sched_group *group = group_get(ENTRY_SESSION(entry), id);
  bool queued = entry->queued;
  if (!group) return WT_ERR_NOMEM;
  wt__sched_remove(entry);
  group->members++;
  group_leave(entry->group);
  entry->group = group;
  entry->order = order;
  if (queued) wt__sched_add(sched, entry);
  return 0;
}

/* --- What has something to send --- */

void wt__sched_add(struct wt__sched *sched, struct wt__sched_entry *entry) {
  struct wt__sched_group *group = entry->group;
  struct wt__sched_session *session;
  if (entry->queued || !group) return;
  session = group->session;
  entry->queued = true;
  entry->turn = sched->turn++;
  group->root = heap_merge(group->root, entry);
  if (!wt__link_linked(&group->ready)) wt__list_push_back(&session->ready_groups, &group->ready);
  if (!wt__link_linked(&session->ready)) wt__ring_add(&sched->sessions, &session->ready, session->urgency);
}

void wt__sched_remove(struct wt__sched_entry *entry) {
  struct wt__sched_group *group = entry->group;
  if (!entry->queued) return;
  entry->queued = false;
  heap_remove(group, entry);
  if (!group->root) wt__list_remove(&group->ready);
  if (wt__list_empty(&group->session->ready_groups)) wt__list_remove(&group->session->ready);
}

struct wt__sched_entry *wt__sched_next(const struct wt__sched *sched) {
  const struct wt__link *first = wt__ring_first(&sched->sessions);
  const struct wt__sched_session *session;
  if (!first) return NULL;
  session = WT__CONTAINER_OF(first, struct wt__sched_session, ready);
  return WT__CONTAINER_OF(wt__list_first(&session->ready_groups), struct wt__sched_group, ready)->root;
}

static bool list_has_one(const struct wt__list *list) {
  return !wt__list_empty(list) && list->head.next == list->head.prev;
}

bool wt__sched_is_alone(const struct wt__sched *sched) {
  const struct wt__sched_entry *entry = wt__sched_next(sched);
  size_t levels = 0;
  if (!entry || entry->child || !list_has_one(&ENTRY_SESSION(entry)->ready_groups)) return false;
  for (size_t i = 0; i < WT__URGENCIES; i++) {
    const struct wt__list *level = &sched->sessions.levels[i];
    if (wt__list_empty(level)) continue;
    if (!list_has_one(level)) return false;
    levels++;
  }
  return levels == 1;
}

void wt__sched_served(struct wt__sched *sched, struct wt__sched_entry *entry) {
  struct wt__sched_group *group = entry->group;
  struct wt__sched_session *session;
  if (!entry->queued) return;
  session = group->session;
  if (group->root == entry && !entry->child) {
    entry->turn = sched->turn++; /* alone */
  } else {
    heap_remove(group, entry);
    entry->turn = sched->turn++;
    group->root = heap_merge(group->root, entry);
  }
  wt__list_remove(&group->ready);
  wt__list_push_back(&session->ready_groups, &group->ready);
  wt__list_remove(&session->ready);
  wt__ring_add(&sched->sessions, &session->ready, session->urgency);
}
