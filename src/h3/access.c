/* SPDX-License-Identifier: MIT */
/*
 * The end of a request or of a session, for an access log.
 *
 * Operators look for what the library has refused by itself, and no handler sees that. So the record is made here, where all
 * requests end, whoever has answered them. A session ends long after its request: what only the request knew (status and route)
 * is kept beside the header fields that the session has taken along.
 */

#include "h3/access.h"

#include "base/clock.h"
#include "core/session.h"
#include "h3/conn.h"
#include "h3/conn_state.h"
#include "h3/request.h"
#include "h3/session_fields.h"

static uint64_t microseconds(uint64_t from, uint64_t to) { return to > from && from > 0 ? (to - from) / 1000 : 0; }

static void access_tell(const struct wt__h3_conn *conn, struct wt_access_record *record) {
  const struct wt__access *access = &conn->config->access;
  const char *name = wt__h3_name(conn);
  record->size = sizeof(*record);
  record->connection = name ? name : "";
  record->worker = conn->config->mux.worker;
  access->function(record, access->user_data);
}

/* Whether there was anything that could be called a request. */
static bool request_was_one(const wt_request *request) {
  return request->stage != WT__REQUEST_READING || request->answered || request->reset_code;
}

void wt__access_request(const wt_request *request, int error) {
  const struct wt__h3_conn *conn = request->conn;
  if (!conn->config->access.function || !request_was_one(request)) return;
  struct wt_access_record record = {
      .request = request,
      .is_webtransport = request->is_webtransport,
      .handled = request->route != NULL,
      .peer_address = conn->peer_address,
      .method = request->method,
      .path = request->path,
      .query = request->query,
      .authority = request->authority,
      .origin = request->origin,
      .user_agent = wt_request_header(request, "user-agent"),
      .route = request->route,
      .status = request->status,
      .error = error,
      .wire_code = request->reset_code,
      .duration_us = microseconds(request->came_at, conn->now),
      .bytes_received = request->body_received,
      .bytes_sent = request->body_sent,
  };
  access_tell(conn, &record);
}

void wt__access_session(wt_session *session, const struct wt_close_info *info) {
  const struct wt__h3_conn *conn = session->mux->ctx;
  if (!conn->config->access.function) return;
  struct wt_access_record record = {
      .session = session,
      .close = info,
      .is_webtransport = true,
      .handled = true,
      .peer_address = session->peer_address,
      .method = "CONNECT",
      .duration_us = microseconds(session->began_at, session->mux->now),
      .bytes_received = session->stats.bytes_received,
      .bytes_sent = session->stats.bytes_sent,
  };
  wt__session_fields_record(session, &record);
  access_tell(conn, &record);
  wt__session_fields_whole(&record);
}
