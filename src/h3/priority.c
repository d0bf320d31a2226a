/* SPDX-License-Identifier: MIT */
/*
 * How urgent a session is (draft section 3.4; RFC 9218).
 *
 * A client says it with the `priority` field of its request, and changes it with PRIORITY_UPDATE frames on its control
 * stream. nghttp3 reads both and keeps the result for the stream, whichever comes first. But once a session is accepted, we
 * give its CONNECT stream another priority in nghttp3, so that capsules go before everything else; from then on nghttp3
 * ignores what the client says. So we read updates, too, before nghttp3 gets them:
 *
 *     before the request, or before the upgrade     nghttp3 keeps it, `wt__priority_of_request` asks
 *     after the upgrade                             the session's streams and datagrams move
 *
 * nghttp3 judges updates: it ends the connection for a malformed one, or one for a stream that cannot exist. Here such
 * updates are only skipped.
 */

#include "h3/priority.h"

#include "h3/conn_state.h"
#include "h3/connect.h"
#include "h3/streams.h"
#include "wire/varint.h"

/* The stream's id, and a dictionary as in the `priority` field; an empty one stands for the defaults. */
static void session_update(struct wt__h3_conn *conn, const uint8_t *payload, size_t len) {
  nghttp3_pri pri = {.urgency = WT__URGENCY_DEFAULT};
  const struct wt__h3_connect *connect;
  uint64_t id;
  size_t id_len = wt__varint_read(payload, len, &id);
  if (id_len == 0) return;
  connect = wt__connect_find(conn, (int64_t)id);
  if (!connect) return;
  if (len > id_len && nghttp3_pri_parse_priority(&pri, payload + id_len, len - id_len) != 0) return;
  wt__session_set_urgency(connect->session, pri.urgency);
}

/* nghttp3 would open a stream for each id that it does not know, and nobody would close it if the stream went to core or
 * is gone. An update that a later stream has overtaken is lost with those: it is only a hint. */
static bool update_is_for_http(struct wt__h3_conn *conn, const uint8_t *payload, size_t len) {
  uint64_t id;
  if (wt__varint_read(payload, len, &id) == 0 || (id & 3) != 0) return true; /* wrong: nghttp3 says how */
  const struct wt__h3_stream *record = wt__streams_find(conn, (int64_t)id);
  if (record && record->kind == WT__H3_HTTP) return true;
  if (record ? record->kind != WT__H3_UNDECIDED : (int64_t)id <= conn->highest_id) return false;
  conn->http_has_hints = true;
  return true;
}

bool wt__priority_recv_update(struct wt__h3_conn *conn, const uint8_t *payload, size_t len) {
  session_update(conn, payload, len);
  return update_is_for_http(conn, payload, len);
}

unsigned wt__priority_of_request(const struct wt__h3_conn *conn, int64_t id) {
  nghttp3_pri pri;
  return nghttp3_conn_get_stream_priority(conn->http, &pri, id) == 0 ? pri.urgency : WT__URGENCY_DEFAULT;
}
