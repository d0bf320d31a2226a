/* SPDX-License-Identifier: MIT */
/*
 * Streams of a session may come after its end, and before its beginning.
 *
 * A stream that comes after the end must not wait for a session that never comes. So the ids of sessions that ended are
 * remembered for a while.
 *
 * A stream that comes before the beginning may be refused, because too many others wait already. The peer counts it as
 * a stream of the session all the same (draft section 5). If the session begins, this end has to count it too, or the
 * two ends disagree about the credit that is left. credit.c does that with the numbers that are kept here.
 *
 * Most connections need neither table, so memory is taken when there is something to remember.
 */

#include "core/past.h"

#include "base/mem.h"

struct wt__past_tables {
  int64_t ids[WT__PAST_IDS]; /* -1: none */
  size_t ids_next;
  struct wt__refused_credit refused[WT__PAST_REFUSED_CREDITS];
  size_t refused_next;
};

void wt__past_init(struct wt__past *past, struct wt__gauge *gauge) { *past = (struct wt__past){.gauge = gauge}; }

void wt__past_free(struct wt__past *past) {
  if (past->tables) wt__gauge_remove(past->gauge, sizeof(*past->tables));
  wt__free(past->tables);
  past->tables = NULL;
}

static struct wt__past_tables *past_tables(struct wt__past *past) {
  if (past->tables) return past->tables;
  past->tables = wt__calloc(1, sizeof(*past->tables));
  if (!past->tables) return NULL;
  wt__gauge_add(past->gauge, sizeof(*past->tables));
  for (size_t i = 0; i < WT__PAST_IDS; i++) past->tables->ids[i] = -1;
  return past->tables;
}

void wt__past_add_id(struct wt__past *past, int64_t id) {
  struct wt__past_tables *tables = past_tables(past);
  if (tables) tables->ids[tables->ids_next++ % WT__PAST_IDS] = id;
}

bool wt__past_has_id(const struct wt__past *past, int64_t id) {
  for (size_t i = 0; past->tables && i < WT__PAST_IDS; i++) {
    if (past->tables->ids[i] == id) return true;
  }
  return false;
}

static struct wt__refused_credit *tables_find(struct wt__past_tables *tables, int64_t session_id) {
  for (size_t i = 0; i < WT__PAST_REFUSED_CREDITS; i++) {
    struct wt__refused_credit *entry = &tables->refused[i];
    if (entry->used && entry->session_id == session_id) return entry;
  }
  return NULL;
}

void wt__past_add_refused(struct wt__past *past, int64_t session_id, bool uni, uint64_t streams, uint64_t bytes) {
  struct wt__past_tables *tables = past_tables(past);
  struct wt__refused_credit *entry;
  if (!tables) return;
  entry = tables_find(tables, session_id);
  if (!entry) {
    entry = &tables->refused[tables->refused_next++ % WT__PAST_REFUSED_CREDITS];
    *entry = (struct wt__refused_credit){.used = true, .session_id = session_id};
  }
  entry->streams[uni] += streams;
  entry->bytes += bytes;
}

bool wt__past_take_refused(struct wt__past *past, int64_t session_id, struct wt__refused_credit *credit) {
  struct wt__refused_credit *entry = past->tables ? tables_find(past->tables, session_id) : NULL;
  if (!entry) return false;
  *credit = *entry;
  entry->used = false;
  return true;
}
