/* SPDX-License-Identifier: MIT */
/*
 * Which stream is next, and what became of its bytes.
 *
 * Three sources share the packets of a connection:
 *
 *   1. the beginning of our control stream: stream type and SETTINGS, once
 *   2. nghttp3: the rest of the control stream, QPACK, answers, capsules of sessions
 *   3. core: the streams of sessions
 *
 * The first goes before all else. The other two take turns of a packet each, so that neither a large answer nor busy
 * sessions keep the other waiting. Among its own streams, nghttp3 goes by priority and core round robin.
 *
 * If nghttp3 had nothing to send, it is not asked again (`http_quiet`) before a call that may change that: on a connection
 * with few messages, asking would read some fifteen cache lines that nothing else needs. Such calls take nghttp3's
 * connection from `wt__h3_http`, which clears the mark. A stream of a session that is the only one with bytes has the rest of the pass as its
 * turn, and so has nghttp3's choice while no session has bytes (`alone`). For incremental requests of one urgency nghttp3
 * counts bytes, so that a longer turn means a longer wait.
 *
 * Two habits of nghttp3 need care. It returns "nothing" when the stream that it looked at had no body ready, although others
 * may have one: so we ask again as long as that was the reason. And it gives out a FIN without bytes only once if an
 * acknowledgement arrives before QUIC has taken the FIN: so we remember that FIN here (`lone_fin_id`).
 */

#include "h3/conn.h"
#include "h3/conn_state.h"
#include "h3/role.h"
#include "h3/settings.h"
#include "h3/streams.h"
#include "wire/error_code.h"

/* --- What is next --- */

static bool next_settings(struct wt__h3_conn *conn, struct wt__send *send) {
  struct wt__control *control = &conn->control;
  if (control->settings_sent >= control->settings_len || control->blocked) return false;
  send->id = control->id;
  send->fin = send->alone = false;
  send->count = 1;
  send->vecs[0] =
      (struct wt__vec){control->settings + control->settings_sent, control->settings_len - control->settings_sent};
  return true;
}

static bool next_http(struct wt__h3_conn *conn, struct wt__send *send) {
  nghttp3_vec vecs[WT__SEND_VECS];
  nghttp3_ssize count;
  int64_t id = -1;
  int fin = 0;
  if (conn->http_quiet) return false;
  if (conn->lone_fin_id >= 0) {
    send->id = conn->lone_fin_id;
    send->fin = true;
    send->alone = false;
    send->count = 0;
    return true;
  }
  do {
    conn->read_blocked = false;
    count = nghttp3_conn_writev_stream(conn->http, &id, &fin, vecs, WT__SEND_VECS);
  } while (count == 0 && id < 0 && conn->read_blocked && !conn->closing);
  if (count < 0) {
    wt__h3_fail_http(conn, (int)count);
    return false;
  }
  conn->http_quiet = id < 0;
  if (id < 0) return false;
  if (count == 0) conn->lone_fin_id = id;
  send->id = id;
  send->fin = fin != 0;
  send->alone = !wt__sched_next(&conn->mux.sched);
  send->count = (size_t)count;
  for (size_t i = 0; i < send->count; i++) send->vecs[i] = (struct wt__vec){vecs[i].base, vecs[i].len};
  return true;
}

/* Shortens it to `room` bytes. */
static void send_cut(struct wt__send *send, uint64_t room) {
  for (size_t i = 0; i < send->count; i++) {
    if (send->vecs[i].len > room) {
      send->vecs[i].len = (size_t)room;
      send->count = i + 1;
      send->fin = false;
      return;
    }
    room -= send->vecs[i].len;
  }
}

static bool next_webtransport(struct wt__h3_conn *conn, struct wt__send *send, uint64_t room) {
  struct wt__h3_stream *record;
  wt_stream *stream;
  if (room == 0 || !wt__mux_next(&conn->mux, send, &stream)) return false;
  send_cut(send, room);
  send->alone = conn->http_quiet && wt__sched_is_alone(&conn->mux.sched);
  record = wt__streams_find(conn, send->id);
  if (record) record->stream = stream;
  return record != NULL;
}

bool wt__h3_conn_next(struct wt__h3_conn *conn, struct wt__send *send, uint64_t room) {
  if (conn->closing || !conn->started) return false;
  if (next_settings(conn, send)) return true;
  if (conn->webtransport_turn) return next_webtransport(conn, send, room) || next_http(conn, send);
  return next_http(conn, send) || (!conn->closing && next_webtransport(conn, send, room));
}

/* --- What became of it --- */

static void http_sent(struct wt__h3_conn *conn, int64_t id, size_t len, bool fin) {
  struct wt__h3_stream *record;
  int error = nghttp3_conn_add_write_offset(wt__h3_http(conn), id, len);
  if (error) {
    wt__h3_fail_http(conn, error);
    return;
  }
  if (fin && conn->lone_fin_id == id) conn->lone_fin_id = -1;
  record = wt__streams_find(conn, id);
  if (record) record->role->sent(record, len, fin);
}

void wt__h3_conn_sent(struct wt__h3_conn *conn, int64_t id, size_t len, bool fin) {
  struct wt__control *control = &conn->control;
  struct wt__h3_stream *record;
  if (conn->closing) return;
  if (id == control->id && control->settings_sent < control->settings_len) {
    control->settings_sent += len;
    return;
  }
  conn->mux.sent_total += len;
  record = wt__streams_find(conn, id);
  if (record && record->kind == WT__H3_WEBTRANSPORT) {
    conn->webtransport_turn = false;
    if (record->stream) wt__stream_sent(record->stream, len, fin);
  } else {
    conn->webtransport_turn = true;
    http_sent(conn, id, len, fin);
  }
}

void wt__h3_conn_blocked(struct wt__h3_conn *conn, int64_t id) {
  struct wt__h3_stream *record;
  if (conn->closing) return;
  if (id == conn->control.id) conn->control.blocked = true;
  if (conn->lone_fin_id == id) conn->lone_fin_id = -1;
  record = wt__streams_find(conn, id);
  if (record && record->kind == WT__H3_WEBTRANSPORT) {
    if (record->stream) wt__stream_blocked(record->stream);
  } else {
    nghttp3_conn_block_stream(wt__h3_http(conn), id);
  }
}

void wt__h3_conn_write_closed(struct wt__h3_conn *conn, int64_t id) {
  struct wt__h3_stream *record;
  if (conn->closing) return;
  if (conn->lone_fin_id == id) conn->lone_fin_id = -1;
  record = wt__streams_find(conn, id);
  if (record && record->kind == WT__H3_WEBTRANSPORT) {
    if (record->stream) wt__stream_write_closed(record->stream);
  } else {
    nghttp3_conn_shutdown_stream_write(wt__h3_http(conn), id);
  }
}

void wt__h3_conn_unblocked(struct wt__h3_conn *conn, int64_t id) {
  struct wt__h3_stream *record;
  if (conn->closing) return;
  if (id == conn->control.id) conn->control.blocked = false;
  record = wt__streams_find(conn, id);
  if (record && record->kind == WT__H3_WEBTRANSPORT) {
    if (record->stream) wt__stream_unblocked(record->stream);
    return;
  }
  if (record && record->role->is_reset(record)) return;
  int error = nghttp3_conn_unblock_stream(wt__h3_http(conn), id);
  if (error) {
    wt__h3_fail_http(conn, error);
  } else if (record) {
    record->role->unblocked(record);
  }
}

void wt__h3_conn_acked(struct wt__h3_conn *conn, int64_t id, uint64_t offset, uint64_t now) {
  struct wt__h3_stream *record;
  conn->now = now;
  if (conn->closing) return;
  if (id == conn->control.id) {
    wt__control_acked(conn, offset);
    return;
  }
  record = wt__streams_find(conn, id);
  if (record && record->kind == WT__H3_WEBTRANSPORT) {
    if (record->stream) wt__stream_acked(record->stream, offset);
    return;
  }
  if (record) record->acked = offset;
  /* An older offset than before is answered with an error that means nothing. */
  if (nghttp3_conn_update_ack_offset(wt__h3_http(conn), id, offset) == NGHTTP3_ERR_CALLBACK_FAILURE) {
    wt__h3_fail_http(conn, NGHTTP3_ERR_CALLBACK_FAILURE);
  }
}

/* --- Datagrams --- */

bool wt__h3_conn_next_datagram(struct wt__h3_conn *conn, struct wt__vec *datagram) {
  return !conn->closing && conn->started && wt__mux_next_datagram(&conn->mux, datagram);
}

void wt__h3_conn_datagram_done(struct wt__h3_conn *conn, bool sent) {
  if (!conn->closing) wt__mux_datagram_done(&conn->mux, sent);
}

void wt__h3_conn_datagram_len_changed(struct wt__h3_conn *conn) {
  if (!conn->closing) wt__mux_datagram_len_changed(&conn->mux);
}
