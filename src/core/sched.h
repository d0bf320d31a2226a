/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_SCHED_H
#define WT_CORE_SCHED_H

/*
 * Which stream of which session is next (draft section 3.4; W3C WebTransport, send groups and send order).
 *
 *   by urgency of the session, 0 first (RFC 9218)
 *     sessions of one urgency take turns
 *       groups of a session take turns
 *         the highest send order of a group first
 *           streams of one send order take turns
 *
 *   sched --> ring of sessions --> list of groups --> heap of entries, each part of a stream
 *
 * A turn is one frame of a stream. Only streams with something to send are in the scheduler, so a session that has
 * nothing to send costs nothing. Entries are parts of streams, and groups are linked: adding and removing allocate
 * nothing.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

#define WT__URGENCIES 8 /* RFC 9218, section 4.1: 0 to 7 */
#define WT__URGENCY_DEFAULT 3

/* Objects that take turns, those of the lowest urgency first. */
struct wt__ring {
  struct wt__list levels[WT__URGENCIES];
};

void wt__ring_init(struct wt__ring *ring);
/* Adds an object behind the others of its urgency. `urgency` is below WT__URGENCIES. */
void wt__ring_add(struct wt__ring *ring, struct wt__link *link, unsigned urgency);
/* The object whose turn it is, or NULL. `wt__list_remove` takes an object out. */
struct wt__link *wt__ring_first(const struct wt__ring *ring);

struct wt__sched_session;
struct wt__sched_group;

/* A stream in the scheduler. */
struct wt__sched_entry {
  struct wt__sched_entry *child, *prev, *next; /* of the heap: first child; elder sibling or parent; younger sibling */
  struct wt__sched_group *group;               /* NULL until `wt__sched_join` */
  int64_t order;
  uint64_t turn; /* counts up with each entry put in; among equals the smallest is next */
  bool queued;
};

/* Streams of a session with an order among them. */
struct wt__sched_group {
  struct wt__sched_session *session;
  struct wt__link ready; /* in the session's `ready_groups`, while an entry is queued */
  struct wt__link link;  /* in the session's `groups` */
  struct wt__sched_entry *root;
  uint64_t id;
  size_t members; /* streams in the group, queued or not */
};

struct wt__sched_session {
  struct wt__link ready; /* in the scheduler, while a group is ready */
  struct wt__list ready_groups;
  struct wt__list groups;       /* all except `first` */
  struct wt__sched_group first; /* group 0, where streams begin */
  unsigned urgency;
};

struct wt__sched {
  struct wt__ring sessions;
  uint64_t turn;
};

void wt__sched_init(struct wt__sched *sched);
/* A higher `urgency` than 7 counts as 7. All entries must leave before the session is freed. */
void wt__sched_session_init(struct wt__sched_session *session, unsigned urgency);

/* Gives the session another urgency. It comes behind sessions that have this urgency already. */
void wt__sched_session_move(struct wt__sched *sched, struct wt__sched_session *session, unsigned urgency);

/* An entry is zero at first. It joins group 0 of a session with order 0, and must leave before it is freed. It may
 * leave twice, or without having joined. */
void wt__sched_join(struct wt__sched_entry *entry, struct wt__sched_session *session);
void wt__sched_leave(struct wt__sched_entry *entry);
/* Moves an entry to the group `id`, and gives it `order`. WT_ERR_NOMEM: nothing has changed. */
int wt__sched_move(struct wt__sched *sched, struct wt__sched_entry *entry, uint64_t id, int64_t order);

/* The stream has something to send; it has nothing to send. Both may be called again. */
void wt__sched_add(struct wt__sched *sched, struct wt__sched_entry *entry);
void wt__sched_remove(struct wt__sched_entry *entry);

/* The entry whose turn it is, or NULL. */
struct wt__sched_entry *wt__sched_next(const struct wt__sched *sched);
/* Whether only one entry is queued. */
bool wt__sched_is_alone(const struct wt__sched *sched);
/* The entry had its turn: the entry, its group and its session go behind their equals. */
void wt__sched_served(struct wt__sched *sched, struct wt__sched_entry *entry);

#endif
