/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_DIAL_SESSION_H
#define WT_H3_DIAL_SESSION_H

/* The session that a dial makes. See dial_session.c. */

struct wt__h3_dial;

/* Makes the session, and the connect on its stream. What arrives on the stream behind the answer's header waits in the
 * connect. WT_ERR_NOMEM. */
int wt__dial_make_session(struct wt__h3_dial *dial, const char *protocol);
/* Makes the session of an optimistic dial, whose request was just sent, and calls `on_asked`. */
void wt__dial_make_unanswered(struct wt__h3_dial *dial);
/* The server refused the session that an optimistic dial had made. */
void wt__dial_refuse_session(struct wt__h3_dial *dial);

#endif
