/* SPDX-License-Identifier: MIT */
/*
 * SETTINGS, both ways, around a library that knows only its own.
 *
 * nghttp3 sends a fixed list of settings and does not show those that it does not know. So it can neither announce
 * WebTransport's nor read them for us. Therefore:
 *
 *  - Sending: right after the control stream is bound, and before anything else could be written, nghttp3 has exactly the
 *    stream type and its SETTINGS to send. We take those bytes and drop them, and send ours in their place. Ours repeat what
 *    nghttp3 was configured with for QPACK, since nghttp3 acts on that. The two have different lengths, so offsets of the
 *    control stream differ by a constant. Only acknowledgements need it:
 *
 *      QUIC:     | type, our SETTINGS            | GOAWAY ...
 *      nghttp3:  | type, its SETTINGS | GOAWAY ...
 *
 *  - Receiving: control_reader.c gives us the payload of the peer's SETTINGS, before nghttp3 has the last byte of them.
 */

#include "h3/settings.h"

#include <string.h>

#include "base/mem.h"
#include "h3/conn_state.h"
#include "h3/info.h"
#include "h3/section.h"
#include "h3/side.h"
#include "wire/error_code.h"

#define OWN_MAX 256 /* our stream type and SETTINGS */

/* --- Ours --- */

/* A setting of the form 0x1f * N + 0x21, which peers have to ignore (RFC 9114, section 7.2.4.1). */
static struct wt__setting setting_grease(uint64_t seed) {
  uint64_t n = (seed ^ (seed >> 23)) & 0xffffff;
  return (struct wt__setting){0x1f * n + 0x21, n & 0x3f};
}

/* Each draft has its own id, so that both sides' SETTINGS tell which they have in common. */
static const struct {
  enum wt_draft draft;
  uint64_t id;
} draft_settings[] = {
    {WT_DRAFT_02, WT__SETTING_WT_DRAFT02},
    {WT_DRAFT_07, WT__SETTING_WT_DRAFT07},
    {WT_DRAFT_13, WT__SETTING_WT_DRAFT13},
    {WT_DRAFT_15, WT__SETTING_WT_DRAFT15},
};
#define DRAFTS (sizeof(draft_settings) / sizeof(draft_settings[0]))
#define SETTINGS_ALWAYS 9 /* that go out whatever the drafts */

static int control_write_settings(struct wt__h3_conn *conn) {
  struct wt__control *control = &conn->control;
  const struct wt__flow_limits *flow = &conn->config->mux.flow.initial;
  struct wt__setting settings[] = {
      {WT__SETTING_QPACK_MAX_TABLE_CAPACITY, WT__QPACK_TABLE_CAPACITY},
      {WT__SETTING_MAX_FIELD_SECTION_SIZE, conn->config->max_header_bytes},
      {WT__SETTING_QPACK_BLOCKED_STREAMS, WT__QPACK_BLOCKED_STREAMS},
      {WT__SETTING_ENABLE_CONNECT_PROTOCOL, 1},
      {WT__SETTING_H3_DATAGRAM, 1},
      {WT__SETTING_WT_INITIAL_MAX_DATA, flow->data},
      {WT__SETTING_WT_INITIAL_MAX_STREAMS_UNI, flow->streams[WT_UNIDIRECTIONAL]},
      {WT__SETTING_WT_INITIAL_MAX_STREAMS_BIDI, flow->streams[WT_BIDIRECTIONAL]},
      setting_grease(conn->now),
      [SETTINGS_ALWAYS] = {0},
      [SETTINGS_ALWAYS + DRAFTS - 1] = {0},
  };
  uint8_t own[OWN_MAX];
  size_t count = SETTINGS_ALWAYS, len;
  for (size_t i = 0; i < DRAFTS; i++) {
    if (conn->config->drafts & draft_settings[i].draft)
      settings[count++] = (struct wt__setting){draft_settings[i].id, 1};
  }
  own[0] = 0x00; /* the type of a control stream */
  len = wt__settings_write_frame(own + 1, sizeof(own) - 1, settings, count);
  if (len == 0) return WT_ERR_INTERNAL;
  control->settings = wt__malloc(1 + len);
  if (!control->settings) return WT_ERR_NOMEM;
  memcpy(control->settings, own, 1 + len);
  control->settings_len = 1 + len;
  return 0;
}

/* Takes nghttp3's first bytes off the control stream, so that they are never sent. */
static int control_swallow(struct wt__h3_conn *conn) {
  nghttp3_vec vecs[8];
  int64_t id = -1;
  int fin = 0;
  nghttp3_ssize count = nghttp3_conn_writev_stream(conn->http, &id, &fin, vecs, 8);
  if (count <= 0 || id != conn->control.id) return WT_ERR_INTERNAL;
  conn->control.nghttp3_len = (size_t)nghttp3_vec_len(vecs, (size_t)count);
  return nghttp3_conn_add_write_offset(conn->http, id, conn->control.nghttp3_len) == 0 ? 0 : WT_ERR_NOMEM;
}

int wt__control_start(struct wt__h3_conn *conn) {
  struct wt__control *control = &conn->control;
  int error = conn->transport->open_stream(conn->ctx, true, &control->id);
  if (!error) error = conn->transport->open_stream(conn->ctx, true, &control->encoder_id);
  if (!error) error = conn->transport->open_stream(conn->ctx, true, &control->decoder_id);
  if (error) return error;
  if (nghttp3_conn_bind_control_stream(conn->http, control->id) != 0) return WT_ERR_NOMEM;
  error = control_swallow(conn);
  if (error) return error;
  if (nghttp3_conn_bind_qpack_streams(conn->http, control->encoder_id, control->decoder_id) != 0) return WT_ERR_NOMEM;
  return control_write_settings(conn);
}

bool wt__control_owns(const struct wt__h3_conn *conn, int64_t id) {
  return id >= 0 && (id == conn->control.id || id == conn->control.encoder_id || id == conn->control.decoder_id);
}

void wt__control_acked(struct wt__h3_conn *conn, uint64_t offset) {
  struct wt__control *control = &conn->control;
  if (offset < control->settings_len) return;
  if (nghttp3_conn_update_ack_offset(conn->http, control->id,
                                     control->nghttp3_len + (offset - control->settings_len)) ==
      NGHTTP3_ERR_CALLBACK_FAILURE) {
    wt__h3_fail_http(conn, NGHTTP3_ERR_CALLBACK_FAILURE);
  }
}

/* --- The peer's --- */

void wt__settings_keep_drafts(struct wt__settings *peer, unsigned drafts) {
  if (!(drafts & WT_DRAFT_02)) peer->wt_draft02 = 0;
  if (!(drafts & WT_DRAFT_07)) peer->wt_draft07 = 0;
  if (!(drafts & WT_DRAFT_13)) peer->wt_draft13 = 0;
  if (!(drafts & WT_DRAFT_15)) peer->wt_draft15 = 0;
}

bool wt__control_flow(const struct wt__h3_conn *conn, struct wt__flow_limits *limits) {
  const struct wt__settings *peer = &conn->peer;
  const struct wt__flow_limits theirs = {
      .data = peer->wt_initial_max_data,
      .streams[WT_BIDIRECTIONAL] = peer->wt_initial_max_streams_bidi,
      .streams[WT_UNIDIRECTIONAL] = peer->wt_initial_max_streams_uni,
  };
  if (!wt__flow_wanted(&conn->config->mux.flow.initial) || !wt__flow_wanted(&theirs)) return false;
  *limits = theirs;
  return true;
}

/* The number is configured. From draft 15 on it is 1 where there is no session flow control, since the draft forbids more
 * (section 5.1). Drafts 07 to 14 have a setting for the number, in which we announce 1 (a larger one promises session flow
 * control, which Safari does not take). But they only ask to reset what the server is not willing to serve, and a proxy
 * that speaks such a draft puts the sessions of all its clients on one connection, whatever was announced. So more are
 * served. */
size_t wt__settings_max_sessions(const struct wt__h3_conn *conn) {
  size_t max = conn->config->max_sessions_per_connection;
  struct wt__flow_limits limits;
  if (wt__settings_draft(&conn->peer) < 15 || wt__control_flow(conn, &limits)) return max;
  return max > 1 ? 1 : max;
}

void wt__settings_recv(struct wt__h3_conn *conn, const uint8_t *payload, size_t len) {
  uint64_t wire_code = wt__settings_read(payload, len, &conn->peer);
  if (wire_code != 0) {
    wt__h3_fail(conn, wire_code, "the peer's SETTINGS are not acceptable");
  } else if (wt__info_keep_settings(conn, payload, len) != 0) {
    wt__h3_fail(conn, WT__H3_INTERNAL_ERROR, "out of memory");
  } else {
    conn->has_settings = true;
    wt__settings_keep_drafts(&conn->peer, conn->config->drafts);
    conn->side->settings_in(conn);
  }
}
