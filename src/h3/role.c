/* SPDX-License-Identifier: MIT */
/*
 * The role of an HTTP/3 stream without an owner: the owner has ended, or there never was one, as for the peer's control
 * stream. What still comes is dropped and counts as read.
 */

#include "h3/role.h"

#include "h3/conn_state.h"
#include "h3/connect.h"
#include "h3/fields.h"
#include "h3/streams.h"
#include "wire/error_code.h"

void wt__role_set(struct wt__h3_stream *stream, const struct wt__role *role, void *owner) {
  stream->role = role;
  stream->owner = owner;
}

void wt__role_leave(struct wt__h3_stream *stream) { wt__role_set(stream, &wt__role_none, NULL); }

bool wt__role_no(const struct wt__h3_stream *stream) {
  (void)stream;
  return false;
}

void wt__role_ignore(struct wt__h3_stream *stream) { (void)stream; }
void wt__role_ignore_number(struct wt__h3_stream *stream, uint64_t len) { (void)stream, (void)len; }
void wt__role_ignore_sent(struct wt__h3_stream *stream, size_t len, bool fin) { (void)stream, (void)len, (void)fin; }

struct wt__fields *wt__role_no_fields(struct wt__h3_stream *stream) {
  (void)stream;
  return NULL;
}

static void none_malformed(struct wt__h3_stream *stream, uint64_t wire_code) {
  wt__h3_stop_sending(stream->conn, stream->id, wire_code);
  wt__h3_reset_stream(stream->conn, stream->id, wire_code);
}

void wt__role_unreadable_is_malformed(struct wt__h3_stream *stream, int error) {
  (void)error;
  stream->role->malformed(stream, WT__H3_MESSAGE_ERROR);
}

void wt__role_drop(struct wt__h3_stream *stream, const uint8_t *data, size_t len) {
  (void)data;
  stream->conn->transport->consume(stream->conn->ctx, stream->id, len);
}

nghttp3_ssize wt__role_no_bytes(struct wt__h3_stream *stream, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags) {
  (void)stream, (void)vecs, (void)max_vecs, (void)flags;
  return NGHTTP3_ERR_WOULDBLOCK;
}

struct wt__h3_connect *wt__role_no_connect(const struct wt__h3_stream *stream) {
  (void)stream;
  return NULL;
}

const struct wt__role wt__role_none = {
    .awaits_headers = wt__role_no,
    .fields = wt__role_no_fields,
    .headers_done = wt__role_ignore,
    .unreadable = wt__role_unreadable_is_malformed,
    .malformed = none_malformed,
    .recv = wt__role_drop,
    .recv_fin = wt__role_ignore,
    .recv_reset = wt__role_ignore_number,
    .recv_stop_sending = wt__role_ignore_number,
    .read = wt__role_no_bytes,
    .sent = wt__role_ignore_sent,
    .acked = wt__role_ignore_number,
    .unblocked = wt__role_ignore,
    .is_reset = wt__role_no,
    .closed = wt__role_ignore,
    .connect = wt__role_no_connect,
};
