/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_PAST_H
#define WT_CORE_PAST_H

/*
 * What a connection remembers about sessions that it does not have: which ones ended or were refused, and how much
 * credit refused streams have used in a session that may still begin. Two tables of a fixed size; the newest entries
 * replace the oldest ones.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/gauge.h"

#define WT__PAST_IDS 64             /* session ids */
#define WT__PAST_REFUSED_CREDITS 16 /* sessions that may still begin, with the credit that refused streams used */

/* What refused streams have used of the credit of a session that has not begun. */
struct wt__refused_credit {
  bool used; /* this entry of the table is taken */
  int64_t session_id;
  uint64_t streams[2], bytes; /* `streams`: by enum wt_stream_kind */
};

struct wt__past_tables;

struct wt__past {
  struct wt__past_tables *tables; /* NULL: there is nothing to remember yet */
  struct wt__gauge *gauge;        /* where the tables count; may be NULL */
};

void wt__past_init(struct wt__past *past, struct wt__gauge *gauge);
void wt__past_free(struct wt__past *past);

/* When memory is out, the two functions that add something do nothing. What comes late for the session is then kept as
 * if it came early, and refused in time. */

/* Session `id` has ended or was refused. */
void wt__past_add_id(struct wt__past *past, int64_t id);
/* Whether session `id` is one of the last WT__PAST_IDS that ended or were refused. */
bool wt__past_has_id(const struct wt__past *past, int64_t id);

/* Refused streams have used more of the credit of a session that may still begin. */
void wt__past_add_refused(struct wt__past *past, int64_t session_id, bool uni, uint64_t streams, uint64_t bytes);
/* The session begins: returns what was added for it, and forgets it. False: nothing was. */
bool wt__past_take_refused(struct wt__past *past, int64_t session_id, struct wt__refused_credit *credit);

#endif
