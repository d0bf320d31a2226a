/* SPDX-License-Identifier: MIT */
/*
 * How urgent a session is (draft section 3.4; RFC 9218).
 *
 * A client says it with the `priority` field of its request, and changes it with PRIORITY_UPDATE frames on its
 * control stream. nghttp3 reads both and keeps the result for the stream, whichever comes first. But once a
 * session is accepted, its CONNECT stream has a priority of its own there: capsules go before everything else;
 * and from then on nghttp3 ignores what the client says. So updates are looked at here too, on their way
 * to nghttp3:
 *
 *     before the request, or before the upgrade     nghttp3 keeps it, `wt__priority_of_request` asks
 *     after the upgrade                             the session's streams and datagrams move
 *
 * An update is held back until it is whole. nghttp3 (1.8) has an assertion that fails if the bytes it is given end
 * right behind the stream id of one, and it takes what is left of one that was too long for the beginning of the
 * next. Heads of frames are held back as well, since only a whole one tells what it is. All else passes as it
 * comes.
 *
 * nghttp3 is the one to judge updates: a malformed one, or one for a stream that cannot be, ends the connection
 * there. Here it is passed over.
 */

#include <string.h>

#include "h3/internal.h"
#include "wire/varint.h"

#define FRAME_PRIORITY_UPDATE 0xf0700 /* of a request stream (RFC 9218, section 7.2) */

/* The stream's id, and a dictionary as in the `priority` field; an empty one stands for the defaults. */
static void session_update(struct wt__h3_conn *conn, const uint8_t *payload, size_t len) {
  nghttp3_pri pri = {.urgency = WT__URGENCY_DEFAULT};
  const struct wt__h3_connect *connect;
  uint64_t id;
  size_t id_len = wt__varint_read(payload, len, &id);
  if (id_len == 0) return;
  connect = wt__connect_find(conn, (int64_t)id);
  if (connect == NULL) return;
  if (len > id_len && nghttp3_pri_parse_priority(&pri, payload + id_len, len - id_len) != 0) return;
  wt__session_set_urgency(connect->session, pri.urgency);
}

/* nghttp3 would open a stream for each id that it does not know, and nobody would close those of streams that were
 * diverted to core, or are gone. An update that was overtaken by a later stream than its own is lost with them: it is
 * but a hint. */
static bool update_is_for_http(struct wt__h3_conn *conn, const uint8_t *payload, size_t len) {
  uint64_t id;
  if (wt__varint_read(payload, len, &id) == 0 || (id & 3) != 0) return true; /* wrong: nghttp3 says how */
  const struct wt__h3_stream *record = wt__streams_find(conn, (int64_t)id);
  if (record && record->kind == WT__H3_HTTP) return true;
  if (record ? record->kind != WT__H3_UNDECIDED : (int64_t)id <= conn->highest_id) return false;
  conn->http_has_hints = true;
  return true;
}

static void control_pass(struct wt__h3_conn *conn, const uint8_t *data, size_t len, bool fin) {
  if ((len > 0 || fin) && !conn->closing) wt__http_recv(conn, conn->peer_control_id, data, len, fin);
}

static void control_drop(const struct wt__h3_conn *conn, size_t len) {
  conn->below->consume(conn->ctx, conn->peer_control_id, len);
}

/* The head of a frame is whole. */
static void frame_begun(struct wt__h3_conn *conn, uint64_t type) {
  const struct wt__frames *frames = &conn->control_frames;
  struct wt__priority_update *update = &conn->priority_update;
  update->on = type == FRAME_PRIORITY_UPDATE && frames->left > 0;
  update->dropped = frames->left > WT__PRIORITY_UPDATE_MAX;
  if (!update->on) {
    control_pass(conn, frames->head, frames->head_len, false);
  } else if (update->dropped) {
    control_drop(conn, frames->head_len);
  } else {
    memcpy(update->frame, frames->head, frames->head_len);
    update->len = update->payload_at = frames->head_len;
  }
}

/* Bytes of a PRIORITY_UPDATE. */
static void update_recv(struct wt__h3_conn *conn, const uint8_t *data, size_t len) {
  struct wt__priority_update *update = &conn->priority_update;
  update->on = conn->control_frames.left > 0;
  if (update->dropped) {
    control_drop(conn, len);
    return;
  }
  memcpy(update->frame + update->len, data, len);
  update->len += len;
  if (update->on) return;
  const uint8_t *payload = update->frame + update->payload_at;
  size_t payload_len = update->len - update->payload_at;
  session_update(conn, payload, payload_len);
  if (update_is_for_http(conn, payload, payload_len)) {
    control_pass(conn, update->frame, update->len, false);
  } else {
    control_drop(conn, update->len);
  }
}

void wt__priority_recv(struct wt__h3_conn *conn, const uint8_t *data, size_t len, bool fin) {
  size_t passed = 0, at = 0, n;
  while (at < len && !conn->closing) {
    uint64_t type = 0;
    enum wt__frames_step step = wt__frames_step(&conn->control_frames, data + at, len - at, &n, &type);
    if (step != WT__FRAMES_PAYLOAD || conn->priority_update.on) {
      control_pass(conn, data + passed, at - passed, false);
      passed = at + n;
    }
    if (step == WT__FRAMES_BEGUN) frame_begun(conn, type);
    if (step == WT__FRAMES_PAYLOAD && conn->priority_update.on) update_recv(conn, data + at, n);
    at += n;
  }
  control_pass(conn, data + passed, len - passed, fin);
}

unsigned wt__priority_of_request(const struct wt__h3_conn *conn, int64_t id) {
  nghttp3_pri pri;
  return nghttp3_conn_get_stream_priority(conn->http, &pri, id) == 0 ? pri.urgency : WT__URGENCY_DEFAULT;
}
