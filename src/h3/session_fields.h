/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_SESSION_FIELDS_H
#define WT_H3_SESSION_FIELDS_H

/* The fields of the peer's message that a session takes along. */

#include <stdbool.h>

#include <webtransport/access.h>

#include "core/mux.h"
#include "h3/fields.h"

/* A place for them, made before it is too late to fail. `all`: pseudo-header fields are walked, too. NULL: out of memory. */
void *wt__session_fields_new(struct wt__gauge *gauge, bool all);
/* One that no session has. NULL is allowed. */
void wt__session_fields_free(void *kept);
/* Takes the fields out of `*fields`, which is empty afterwards; both count in the same gauge. */
void wt__session_fields_move(void *kept, struct wt__fields *fields);
/* What else the session keeps of its request, for `wt__session_fields_record`. `route` outlives it. */
void wt__session_fields_note(void *kept, const char *route, int status);
/* WT_ERR_NOMEM. */
int wt__session_fields_copy(void *kept, const struct wt__fields *fields);
/* The session frees it from now on. */
void wt__session_fields_give(wt_session *session, void *kept);
/* Fills in what is known from the request: `target` is cut at its '?' for it, until `wt__session_fields_whole`. */
void wt__session_fields_record(const wt_session *session, struct wt_access_record *record);
void wt__session_fields_whole(const struct wt_access_record *record);

#endif
