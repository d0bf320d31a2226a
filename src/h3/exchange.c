/* SPDX-License-Identifier: MIT */
/*
 * A client's exchange (RFC 9114, section 4.1): a plain request, from the wait for a connection to the last callback.
 *
 *   new --> WAITING ---------------> SENT --> response header --> body --> both sides done --> on_close(0)
 *           for a connection, its      |           |                |
 *           handshake, and a stream    +-----------+----------------+--- failed --> on_close(why)
 *
 * An exchange does not wait for the SETTINGS, since a plain request does not depend on them. It waits for the end of
 * the handshake, so that we send nothing to a server that has not proved who it is.
 *
 * `wt__exchanges_run` makes all callbacks but one, `on_body` (exchange_stream.c), and frees exchanges.
 *
 * An exchange ends with its stream. QUIC closes the stream when both sides have sent everything and the server has
 * acknowledged it.
 */

#include "h3/exchange.h"

#include "base/list.h"
#include "base/mem.h"
#include "core/sendq.h"
#include "h3/body.h"
#include "h3/client.h"
#include "h3/client_conn_state.h"
#include "h3/conn_state.h"
#include "h3/exchange_request.h"
#include "h3/exchange_state.h"
#include "h3/exchange_stream.h"
#include "h3/fields.h"
#include "h3/http.h"
#include "h3/role.h"
#include "h3/streams.h"
#include "wire/error_code.h"

#define EXCHANGE_OF(l, member) WT__CONTAINER_OF(l, struct wt_exchange, member)

/* --- Birth --- */

static void exchange_tell_body(void *message, const uint8_t *data, size_t len, bool fin) {
  wt_exchange *exchange = message;
  if (exchange->callbacks.on_body) exchange->callbacks.on_body(exchange, data, len, fin, exchange->user_data);
}

/* What is dropped was copied, so nothing has to be released. */
void wt__exchange_free(wt_exchange *exchange) {
  struct wt__released none = {0};
  if (exchange->stream) wt__role_leave(exchange->stream);
  if (exchange->conn) exchange->conn->requests_open--;
  wt__list_remove(&exchange->link);
  wt__list_remove(&exchange->due);
  wt__sendq_drop(&exchange->out.queue, &none);
  wt__body_in_drop(&exchange->in);
  wt__fields_free(&exchange->request);
  wt__fields_free(&exchange->response);
  wt__free(exchange);
}

int wt__exchange_new(const struct wt__exchange_options *options, wt_exchange **out) {
  struct wt__released none = {0};
  wt_exchange *exchange;
  int error = wt__exchange_options_check(options);
  if (error) return error;
  exchange = wt__calloc(1, sizeof(*exchange));
  if (!exchange) return WT_ERR_NOMEM;
  exchange->id = -1;
  exchange->has_body = exchange->streaming = options->has_body;
  if (options->callbacks) exchange->callbacks = *options->callbacks;
  exchange->user_data = options->user_data;
  wt__link_init(&exchange->link);
  wt__link_init(&exchange->due);
  wt__fields_init(&exchange->request, options->max_header_bytes);
  wt__fields_init(&exchange->response, options->max_header_bytes);
  wt__body_in_init(&exchange->in, 0, exchange_tell_body, exchange);
  wt__sendq_init(&exchange->out.queue, options->max_send_buffer);
  error = wt__exchange_write_request(exchange, options);
  if (!error && options->body_len > 0) {
    exchange->has_body = true;
    error = wt__body_out_put(&exchange->out, options->body, options->body_len, &none);
  }
  if (error) {
    wt__exchange_free(exchange);
    return error;
  }
  exchange->out.queue.fin = exchange->out.ended = !options->has_body;
  *out = exchange;
  return 0;
}

void wt__exchange_set_owner(wt_exchange *exchange, void (*on_progress)(wt_exchange *exchange, bool closed, void *owner),
                            void *owner) {
  exchange->on_progress = on_progress;
  exchange->owner = owner;
}

void wt__exchange_set_on_cancel(wt_exchange *exchange, void (*on_cancel)(wt_exchange *exchange, void *owner)) {
  exchange->on_cancel = on_cancel;
}

void *wt__exchange_owner(const wt_exchange *exchange) { return exchange->owner; }
struct wt__h3_conn *wt__exchange_conn(const wt_exchange *exchange) {
  return exchange->conn;
}

enum wt_dial_stage wt__exchange_stage(const wt_exchange *exchange) {
  if (exchange->response_state != WT__RESPONSE_AWAITED) return WT_STAGE_ANSWERED;
  return exchange->conn && exchange->conn->client->connected ? WT_STAGE_REQUEST : WT_STAGE_CONNECT;
}

/* --- Its end --- */

/* Nothing more is wanted of the stream. */
static void exchange_abort(wt_exchange *exchange) {
  struct wt__h3_conn *conn = exchange->conn;
  if (!conn || !exchange->stream) return;
  wt__role_leave(exchange->stream);
  exchange->stream = NULL;
  if (conn->closing) return;
  if (conn->lone_fin_id == exchange->id) conn->lone_fin_id = -1;
  wt__h3_reset_stream(conn, exchange->id, exchange->abort_code);
  wt__h3_stop_sending(conn, exchange->id, exchange->abort_code);
  nghttp3_conn_shutdown_stream_write(wt__h3_http(conn), exchange->id);
  wt__http_stop_reading(conn, exchange->id);
}

/* The last calls. `failed` keeps what the application does inside them from doing anything. */
static void exchange_close(wt_exchange *exchange) {
  int error = exchange->failed ? exchange->error : 0;
  exchange->failed = true;
  exchange_abort(exchange);
  if (exchange->on_progress) exchange->on_progress(exchange, true, exchange->owner);
  exchange->owner = NULL;
  if (exchange->callbacks.on_close) {
    exchange->callbacks.on_close(exchange, error, exchange->message, exchange->user_data);
  }
  wt__exchange_free(exchange);
}

void wt__exchange_fail(wt_exchange *exchange, int error, const char *message) {
  wt__exchange_set_failed(exchange, error, WT__H3_REQUEST_CANCELLED, message);
  if (!exchange->conn) exchange_close(exchange);
}

/* --- The request --- */

void wt__exchange_attach(wt_exchange *exchange, struct wt__h3_conn *conn) {
  struct wt__h3_client *client = conn->client;
  exchange->conn = exchange->in.conn = conn;
  exchange->in.kept.max = (size_t)conn->config->max_stream_data;
  conn->requests_open++;
  client->has_exchanges = client->used = client->try_waiting = true;
  wt__list_push_back(&client->exchanges, &exchange->link);
  wt__list_push_back(exchange->failed ? &client->due_exchanges : &client->waiting_exchanges, &exchange->due);
  wt__h3_wake(conn);
}

/* The stream exists; from here on a failure ends it, too. */
static void exchange_send(wt_exchange *exchange) {
  struct wt__h3_conn *conn = exchange->conn;
  wt__list_remove(&exchange->due);
  exchange->in.id = exchange->id;
  exchange->stream = wt__streams_add(conn, exchange->id, WT__H3_HTTP);
  if (!exchange->stream) {
    wt__h3_reset_stream(conn, exchange->id, WT__H3_REQUEST_CANCELLED);
    wt__h3_stop_sending(conn, exchange->id, WT__H3_REQUEST_CANCELLED);
    wt__exchange_set_failed(exchange, WT_ERR_NOMEM, WT__H3_REQUEST_CANCELLED, wt_error_string(WT_ERR_NOMEM));
    return;
  }
  wt__role_set(exchange->stream, &wt__role_exchange, exchange);
  int error = wt__exchange_submit(exchange);
  if (error) {
    wt__exchange_set_failed(exchange, error, WT__H3_REQUEST_CANCELLED,
                            error == WT_ERR_CLOSED      ? "the server takes no new requests"
                            : error == WT_ERR_TOO_LARGE ? WT__REQUEST_TOO_LARGE_REASON
                                                        : wt_error_string(error));
  }
  wt__fields_free(&exchange->request);
  wt__h3_wake(conn);
}

void wt__exchanges_send(struct wt__h3_conn *conn) {
  struct wt__h3_client *client = conn->client;
  struct wt__link *first;
  while (!conn->closing && (first = wt__list_first(&client->waiting_exchanges))) {
    wt_exchange *exchange = EXCHANGE_OF(first, due);
    if (client->goaway) {
      wt__exchange_set_failed(exchange, WT_ERR_CLOSED, 0, "the server takes no new requests");
      continue;
    }
    if (!conn->started || !client->connected) return;
    int error = conn->transport->open_stream(conn->ctx, false, &exchange->id);
    if (error == WT_ERR_STREAM_LIMIT) return;
    if (!error) {
      exchange_send(exchange);
    } else {
      exchange->id = -1;
      wt__exchange_set_failed(exchange, error, 0, wt_error_string(error));
    }
  }
}

void wt__exchanges_goaway(struct wt__h3_conn *conn, int64_t id) {
  WT__LIST_FOREACH(it, next, &conn->client->exchanges) {
    wt_exchange *exchange = EXCHANGE_OF(it, link);
    if (!exchange->stream || exchange->id < id || exchange->in.fin) continue;
    wt__exchange_set_failed(exchange, WT_ERR_CLOSED, WT__H3_REQUEST_CANCELLED,
                            "the server is going away and left the request aside");
  }
}

/* --- A pass --- */

static void exchange_tell_response(wt_exchange *exchange) {
  if (exchange->response_state != WT__RESPONSE_ARRIVED || exchange->failed) return;
  if (exchange->on_progress) exchange->on_progress(exchange, false, exchange->owner);
  exchange->response_state = WT__RESPONSE_TOLD;
  if (exchange->callbacks.on_response) {
    exchange->callbacks.on_response(exchange, exchange->status, exchange->user_data);
  }
}

static void exchange_run(wt_exchange *exchange) {
  exchange_tell_response(exchange);
  if (wt__exchange_takes_body(exchange)) wt__body_in_deliver(&exchange->in);
  if (exchange->out.writable_pending && !exchange->failed && !exchange->stopped && !exchange->out.ended) {
    exchange->out.writable_pending = false;
    if (exchange->callbacks.on_writable) exchange->callbacks.on_writable(exchange, exchange->user_data);
  }
  if (exchange->failed || (exchange->over && exchange->in.told)) exchange_close(exchange);
}

/* Works off what is listed now: what the work adds is left for the next pass. */
void wt__exchanges_run(struct wt__h3_conn *conn) {
  struct wt__list now;
  struct wt__link *first;
  wt__list_init(&now);
  while ((first = wt__list_first(&conn->client->due_exchanges))) {
    wt__list_remove(first);
    wt__list_push_back(&now, first);
  }
  while ((first = wt__list_first(&now))) {
    wt__list_remove(first);
    exchange_run(EXCHANGE_OF(first, due));
  }
}

/* A response that is all here counts, also where it was not told yet. */
void wt__exchanges_end(struct wt__h3_conn *conn) {
  struct wt__link *first;
  while ((first = wt__list_first(&conn->client->exchanges))) {
    wt_exchange *exchange = EXCHANGE_OF(first, link);
    if (exchange->in.fin) {
      exchange_tell_response(exchange);
      if (wt__exchange_takes_body(exchange)) wt__body_in_deliver(&exchange->in);
    }
    if (!exchange->in.told) {
      wt__exchange_set_failed(exchange, conn->client->end.error, 0, wt__client_end_reason(conn->client));
    }
    exchange_close(exchange);
  }
}

/* --- What the application calls --- */

int wt_exchange_status(const wt_exchange *exchange) {
  return exchange && exchange->response_state == WT__RESPONSE_TOLD ? exchange->status : 0;
}
void *wt_exchange_user_data(const wt_exchange *exchange) { return exchange ? exchange->user_data : NULL; }

const char *wt_exchange_header(const wt_exchange *exchange, const char *name) {
  if (!exchange || exchange->response_state == WT__RESPONSE_AWAITED) return NULL;
  return wt__fields_header_value(&exchange->response, name);
}

int wt_exchange_get_header_at(const wt_exchange *exchange, size_t index, struct wt_header *header) {
  if (!exchange || !header) return WT_ERR_INVALID;
  return exchange->response_state == WT__RESPONSE_AWAITED ? WT_ERR_NOT_FOUND
                                                          : wt__fields_at(&exchange->response, index, false, header);
}

static int exchange_write_state(const wt_exchange *exchange) {
  if (!exchange) return WT_ERR_INVALID;
  if (!exchange->streaming || exchange->out.ended) return WT_ERR_STATE;
  return exchange->failed || exchange->stopped || exchange->over ? WT_ERR_CLOSED : 0;
}

int wt_exchange_write(wt_exchange *exchange, const void *data, size_t len, size_t *written) {
  size_t taken = 0;
  int error = exchange_write_state(exchange);
  if (written) *written = 0;
  if (!error && len > 0 && !data) error = WT_ERR_INVALID;
  if (!error && len > 0) error = wt__sendq_append(&exchange->out.queue, data, len, false, &taken);
  if (error) return error;
  if (exchange->stream) wt__http_resume(exchange->conn, exchange->id);
  if (written) *written = taken;
  return 0;
}

size_t wt_exchange_writable(wt_exchange *exchange) {
  return exchange_write_state(exchange) == 0 ? wt__sendq_ask_room(&exchange->out.queue) : 0;
}

int wt_exchange_end(wt_exchange *exchange) {
  int error = exchange_write_state(exchange);
  if (error) return error;
  exchange->out.ended = exchange->out.queue.fin = true;
  if (exchange->stream) wt__http_resume(exchange->conn, exchange->id);
  return 0;
}

void wt_exchange_pause(wt_exchange *exchange) {
  if (exchange) exchange->in.paused = true;
}

void wt_exchange_resume(wt_exchange *exchange) {
  if (!exchange) return;
  exchange->in.paused = false;
  if (exchange->stream || exchange->over) wt__exchange_set_due(exchange);
}

void wt_exchange_cancel(wt_exchange *exchange) {
  if (!exchange || exchange->failed) return;
  wt__exchange_set_failed(exchange, WT_ERR_CLOSED, WT__H3_REQUEST_CANCELLED, "the request was cancelled");
  if (!exchange->conn && exchange->on_cancel) exchange->on_cancel(exchange, exchange->owner);
}
