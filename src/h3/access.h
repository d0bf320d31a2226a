/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_ACCESS_H
#define WT_H3_ACCESS_H

/* Tells the application which sessions and requests have ended: webtransport/access.h. */

#include <webtransport/access.h>

struct wt__access {
  wt_access_callback function; /* NULL: nobody wants to know */
  void *user_data;
};

/* The request has ended as `error` says, and became no session. */
void wt__access_request(const wt_request *request, int error);
/* The session has ended; for `session_ended` of the mux. */
void wt__access_session(wt_session *session, const struct wt_close_info *info);

#endif
