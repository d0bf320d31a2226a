/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_SESSION_FIELDS_H
#define WT_H3_SESSION_FIELDS_H

/* The fields of the peer's message that a session takes along. */

#include <stdbool.h>

#include "core/mux.h"
#include "h3/fields.h"

/* A place for them, made before it is too late to fail. `all`: pseudo-header fields are walked, too. NULL: out of memory. */
void *wt__session_fields_new(struct wt__gauge *gauge, bool all);
/* One that no session has. NULL is allowed. */
void wt__session_fields_free(void *kept);
/* Takes the fields out of `*fields`, which is empty afterwards; both count in the same gauge. */
void wt__session_fields_move(void *kept, struct wt__fields *fields);
/* WT_ERR_NOMEM. */
int wt__session_fields_copy(void *kept, const struct wt__fields *fields);
/* The session frees it from now on. */
void wt__session_fields_give(wt_session *session, void *kept);

#endif
