/* SPDX-License-Identifier: MIT */
/*
 * What happens on the stream of a client's plain request (RFC 9114, section 4.1): the role of an exchange.
 *
 * Arrivals only set marks. Only the response's body goes to the application at once, if nothing is in its way.
 * Interim responses (1xx) are skipped, and so are trailers, which nghttp3 does not pass on.
 *
 * A server may answer before it has read the request, and then refuse the rest with STOP_SENDING: that is no failure.
 * If it neither reads nor refuses, we still send the application's body to its end.
 */

#include "h3/exchange_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "h3/body.h"
#include "h3/client.h"
#include "h3/conn_state.h"
#include "h3/exchange_state.h"
#include "h3/fields.h"
#include "h3/role.h"
#include "h3/streams.h"
#include "wire/error_code.h"

static nghttp3_ssize exchange_read(struct wt__h3_stream *stream, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags) {
  wt_exchange *exchange = stream->owner;
  if (exchange->failed || exchange->stopped) return NGHTTP3_ERR_WOULDBLOCK;
  return wt__body_read(&exchange->out.queue, vecs, max_vecs, flags);
}

static void exchange_acked(struct wt__h3_stream *stream, uint64_t len) {
  wt_exchange *exchange = stream->owner;
  if (exchange->failed || exchange->stopped) return;
  if (wt__body_out_acked(&exchange->out, len, &exchange->conn->released)) wt__exchange_set_due(exchange);
}

static void exchange_recv_stop_sending(struct wt__h3_stream *stream, uint64_t wire_code) {
  wt_exchange *exchange = stream->owner;
  struct wt__h3_conn *conn = exchange->conn;
  (void)wire_code;
  if (exchange->stopped) return;
  exchange->stopped = true;
  if (conn->lone_fin_id == exchange->id) conn->lone_fin_id = -1;
  wt__sendq_drop(&exchange->out.queue, &conn->released); /* QUIC has reset the stream by itself */
}

static struct wt__fields *exchange_fields(struct wt__h3_stream *stream) {
  wt_exchange *exchange = stream->owner;
  return exchange->failed || exchange->response_state != WT__RESPONSE_AWAITED ? NULL : &exchange->response;
}

static void exchange_unreadable(struct wt__h3_stream *stream, int error) {
  wt__exchange_set_failed(stream->owner, error, WT__H3_REQUEST_CANCELLED,
                          error == WT_ERR_TOO_LARGE ? "the header section of the response is too large"
                                                    : "out of memory");
}

static void exchange_headers_done(struct wt__h3_stream *stream) {
  wt_exchange *exchange = stream->owner;
  const char *text = wt__fields_find(&exchange->response, ":status", NULL);
  int status = text ? atoi(text) : 0;
  if (exchange->failed || exchange->response_state != WT__RESPONSE_AWAITED) return;
  if (wt__fields_join(&exchange->response) != 0) {
    exchange_unreadable(stream, WT_ERR_NOMEM);
    return;
  }
  if (status < 200) { /* more follows */
    size_t max = exchange->response.max;
    wt__fields_free(&exchange->response);
    wt__fields_init(&exchange->response, max);
    return;
  }
  exchange->status = status;
  exchange->response_state = WT__RESPONSE_ARRIVED;
  wt__exchange_set_due(exchange);
}

static void exchange_recv(struct wt__h3_stream *stream, const uint8_t *data, size_t len) {
  wt_exchange *exchange = stream->owner;
  if (wt__body_in_recv(&exchange->in, data, len, !exchange->failed, wt__exchange_takes_body(exchange)) != 0) {
    wt__exchange_set_failed(exchange, WT_ERR_NOMEM, WT__H3_REQUEST_CANCELLED, wt_error_string(WT_ERR_NOMEM));
  } else if (exchange->in.kept.len > 0 && wt__exchange_takes_body(exchange)) {
    wt__exchange_set_due(exchange);
  }
}

static void exchange_recv_fin(struct wt__h3_stream *stream) {
  wt_exchange *exchange = stream->owner;
  exchange->in.fin = true;
  if (exchange->response_state == WT__RESPONSE_AWAITED) {
    wt__exchange_set_failed(exchange, WT_ERR_PROTOCOL, WT__H3_MESSAGE_ERROR,
                            "the server ended the stream without an answer");
  }
  wt__exchange_set_due(exchange);
}

static void exchange_recv_reset(struct wt__h3_stream *stream, uint64_t wire_code) {
  wt_exchange *exchange = stream->owner;
  const char *name = wt__wire_error_name(wire_code);
  char text[WT__H3_END_REASON_MAX];
  if (exchange->in.fin) return;
  if (wire_code == WT__H3_REQUEST_REJECTED) {
    (void)snprintf(text, sizeof(text), "the server rejected the request without acting on it (H3_REQUEST_REJECTED)");
  } else if (name) {
    (void)snprintf(text, sizeof(text), "the server reset the request (%s)", name);
  } else {
    (void)snprintf(text, sizeof(text), "the server reset the request (0x%llx)", (unsigned long long)wire_code);
  }
  wt__exchange_set_failed(exchange, WT_ERR_REJECTED, WT__H3_REQUEST_CANCELLED, text);
}

static void exchange_malformed(struct wt__h3_stream *stream, uint64_t wire_code) {
  wt__exchange_set_failed(stream->owner, WT_ERR_PROTOCOL, wire_code, "the server's response is malformed");
}

static void exchange_closed(struct wt__h3_stream *stream) {
  wt_exchange *exchange = stream->owner;
  exchange->over = true;
  wt__role_leave(stream);
  exchange->stream = NULL;
  if (!exchange->in.fin) {
    wt__exchange_set_failed(exchange, WT_ERR_CLOSED, 0, "the stream of the request was closed");
  }
  wt__exchange_set_due(exchange);
}

const struct wt__role wt__role_exchange = {
    .awaits_headers = wt__role_no,
    .fields = exchange_fields,
    .headers_done = exchange_headers_done,
    .unreadable = exchange_unreadable,
    .malformed = exchange_malformed,
    .recv = exchange_recv,
    .recv_fin = exchange_recv_fin,
    .recv_reset = exchange_recv_reset,
    .recv_stop_sending = exchange_recv_stop_sending,
    .read = exchange_read,
    .sent = wt__role_ignore_sent,
    .acked = exchange_acked,
    .unblocked = wt__role_ignore,
    .is_reset = wt__role_no,
    .closed = exchange_closed,
    .connect = wt__role_no_connect,
};
