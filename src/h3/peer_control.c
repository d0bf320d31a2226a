/* SPDX-License-Identifier: MIT */
/*
 * The peer's control stream (RFC 9114, section 6.2.1), on its way to nghttp3.
 *
 *                   +-- SETTINGS ---------> settings.c, then nghttp3
 *   control_reader -+-- PRIORITY_UPDATE --> priority.c, then nghttp3 if it is for a stream of HTTP/3
 *                   +-- everything else --> nghttp3, which checks the order of frames; it reports GOAWAY to http.c
 *
 * Each byte is reported as read once: by nghttp3 if it got the byte, here if the byte was dropped.
 */

#include "h3/peer_control.h"

#include "h3/conn_state.h"
#include "h3/control_reader.h"
#include "h3/http.h"
#include "h3/priority.h"
#include "h3/settings.h"
#include "h3/side.h"
#include "wire/error_code.h"

void wt__peer_control_begin(struct wt__h3_conn *conn, int64_t id, size_t type_len) {
  conn->peer_control_id = id;
  wt__control_reader_init(&conn->control_reader, type_len, conn->side->takes_priority_updates);
}

static void control_pass(struct wt__h3_conn *conn, const struct wt__control_piece *piece) {
  wt__http_recv(conn, conn->peer_control_id, piece->bytes, piece->len, false);
}

static void control_drop(const struct wt__h3_conn *conn, const struct wt__control_piece *piece) {
  conn->transport->consume(conn->ctx, conn->peer_control_id, piece->len);
}

static void control_act(struct wt__h3_conn *conn, enum wt__control_event event, const struct wt__control_piece *piece) {
  switch (event) {
    case WT__CONTROL_KEPT: break;
    case WT__CONTROL_PASS: control_pass(conn, piece); break;
    case WT__CONTROL_DROP: control_drop(conn, piece); break;
    case WT__CONTROL_SETTINGS:
      wt__settings_recv(conn, piece->payload, piece->payload_len);
      if (!conn->closing) control_pass(conn, piece);
      break;
    case WT__CONTROL_PRIORITY_UPDATE:
      if (wt__priority_recv_update(conn, piece->payload, piece->payload_len)) {
        control_pass(conn, piece);
      } else {
        control_drop(conn, piece);
      }
      break;
    case WT__CONTROL_SETTINGS_TOO_LONG:
      wt__h3_fail(conn, WT__H3_EXCESSIVE_LOAD, "the peer's SETTINGS are not acceptable");
      break;
    case WT__CONTROL_SIGNAL:
      wt__h3_fail(conn, WT__H3_FRAME_ERROR, "a WT_STREAM signal in the middle of an HTTP/3 stream");
      break;
    case WT__CONTROL_NO_MEMORY: wt__h3_fail(conn, WT__H3_INTERNAL_ERROR, "out of memory"); break;
  }
}

void wt__peer_control_recv(struct wt__h3_conn *conn, const uint8_t *data, size_t len, bool fin) {
  for (size_t used; len > 0 && !conn->closing; data += used, len -= used) {
    struct wt__control_piece piece;
    enum wt__control_event event = wt__control_read(&conn->control_reader, data, len, &used, &piece);
    control_act(conn, event, &piece);
  }
  if (fin && !conn->closing) wt__http_recv(conn, conn->peer_control_id, data, 0, true);
}
