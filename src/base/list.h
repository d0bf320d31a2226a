/* SPDX-License-Identifier: MIT */
#ifndef WT_BASE_LIST_H
#define WT_BASE_LIST_H

/*
 * A doubly linked list whose links sit inside its elements: no allocation, removal without a search.
 * A link that is in no list points to itself, so that `wt__list_remove` may be called on it again.
 */

#include <stdbool.h>
#include <stddef.h>

struct wt__link {
  struct wt__link *prev, *next;
};

struct wt__list {
  struct wt__link head;
};

#define WT__CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void wt__link_init(struct wt__link *l) { l->prev = l->next = l; }
static inline bool wt__link_linked(const struct wt__link *l) { return l->next != l; }

static inline void wt__list_init(struct wt__list *list) { wt__link_init(&list->head); }
static inline bool wt__list_empty(const struct wt__list *list) { return list->head.next == &list->head; }

static inline void wt__list_push_back(struct wt__list *list, struct wt__link *l) {
  l->prev = list->head.prev;
  l->next = &list->head;
  l->prev->next = l;
  list->head.prev = l;
}

static inline void wt__list_push_front(struct wt__list *list, struct wt__link *l) {
  l->next = list->head.next;
  l->prev = &list->head;
  l->next->prev = l;
  list->head.next = l;
}

static inline void wt__list_remove(struct wt__link *l) {
  l->prev->next = l->next;
  l->next->prev = l->prev;
  wt__link_init(l);
}

/* The first link, or NULL. */
static inline struct wt__link *wt__list_first(const struct wt__list *list) {
  return wt__list_empty(list) ? NULL : list->head.next;
}

/* Walks the list; `next` is read ahead, so that `it` may be removed (but not `next`). */
#define WT__LIST_FOREACH(it, next_, list) \
  for (struct wt__link *it = (list)->head.next, *next_ = it->next; it != &(list)->head; it = next_, next_ = it->next)

#endif
