/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_STALLS_H
#define WT_H3_STALLS_H

/* Requests that their client does not move. */

#include <stdbool.h>
#include <stdint.h>

#include <webtransport/request.h>

#include "base/list.h"
#include "core/progress.h"
#include "h3/conn_state.h"
#include "h3/role.h"
#include "h3/streams.h"

void wt__stalls_init(struct wt__h3_conn *conn);
/* It is known what the stream is, and if it is a request, its header section is there. */
static inline bool wt__stalls_header_is_whole(const struct wt__h3_stream *record) {
  return record->kind != WT__H3_UNDECIDED && !(record->kind == WT__H3_HTTP && record->role->awaits_headers(record));
}
/* Bytes of `record` came, and its header is not whole: it has a deadline from its first byte on. */
void wt__stalls_watch_header(struct wt__h3_conn *conn, struct wt__h3_stream *record);
/* There is something of an answer to send. */
void wt__stalls_watch_answer(wt_request *request);
/* The application may have begun to wait for the body. */
void wt__stalls_watch_body(wt_request *request);
/* Gives up what is due. */
void wt__stalls_run(struct wt__h3_conn *conn);
static inline uint64_t wt__stalls_expiry(const struct wt__h3_conn *conn) {
  const struct wt__link *first = wt__list_first(&conn->incomplete);
  uint64_t expiry = first ? WT__CONTAINER_OF(first, struct wt__h3_stream, incomplete)->deadline : UINT64_MAX;
  uint64_t answers = wt__progress_expiry(&conn->answers), bodies = wt__progress_expiry(&conn->bodies);
  if (answers < expiry) expiry = answers;
  return bodies < expiry ? bodies : expiry;
}

#endif
