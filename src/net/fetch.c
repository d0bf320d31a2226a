/* SPDX-License-Identifier: MIT */

/*
 * Plain requests of a client: the way of an exchange (h3/exchange.c) to its connection.
 *
 * The exchange is there from the beginning, so that its body can be written and it can be paused or cancelled before
 * there is a connection. The record here only brings it to one, watches the time until the response's header is in,
 * and goes when the exchange goes: h3 tells.
 *
 * Sessions and requests share connections where both allow it. A request does not wait for the server's SETTINGS,
 * and does not mind if they know nothing of WebTransport.
 */

#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/sized.h"
#include "h3/exchange.h"
#include "net/bounds.h"
#include "net/client_state.h"
#include "net/connection.h"
#include "net/pending.h"
#include "wire/url.h"

struct fetch {
  struct wt__pending pending;
  wt_exchange *exchange;
};

#define FETCH_OF(a) WT__CONTAINER_OF(a, struct fetch, pending)

void wt_exchange_options_init(struct wt_exchange_options *options, size_t size) {
  const struct wt_exchange_options all = {
      .size = sizeof(all),
      .method = "GET",
      .timeout_ms = 10000,
      .allow_pooling = true,
  };
  wt__sized_init(options, size, &all, sizeof(all));
}

/* --- What pending.c calls --- */

static void fetch_connected(struct wt__pending *pending) {
  pending->stage = WT_STAGE_REQUEST;
  wt__exchange_attach(FETCH_OF(pending)->exchange, pending->connection->h3);
}

static void fetch_ready(struct wt__pending *pending) { (void)pending; }

/* The exchange calls back when it fails, so that has to come from the loop, attached or not. */
static bool fetch_give_up(struct wt__pending *pending) {
  (void)pending;
  return false;
}

static void fetch_report_failure(struct wt__pending *pending) {
  wt__exchange_fail(FETCH_OF(pending)->exchange, pending->failure.error, pending->failure.message);
}

static const struct wt__pending_kind fetch_kind = {
    .connected = fetch_connected,
    .ready = fetch_ready,
    .give_up = fetch_give_up,
    .report_failure = fetch_report_failure,
};

/* --- What h3/exchange.c calls --- */

static void fetch_on_progress(wt_exchange *exchange, bool closed, void *owner) {
  struct fetch *fetch = owner;
  (void)exchange;
  if (!closed) {
    wt__pending_answered(&fetch->pending);
    return;
  }
  wt__pending_free(&fetch->pending);
  wt__free(fetch);
}

static void fetch_on_cancel(wt_exchange *exchange, void *owner) {
  struct fetch *fetch = owner;
  (void)exchange;
  wt__pending_cancel(&fetch->pending, "the request was cancelled");
}

int wt_exchange_get_connection_info(const wt_exchange *exchange, struct wt_connection_info *info) {
  if (!exchange || !info) return WT_ERR_INVALID;
  const struct fetch *fetch = wt__exchange_owner(exchange);
  return fetch ? wt__pending_get_info(&fetch->pending, info) : WT_ERR_STATE;
}

/* --- The application's call --- */

/* What the caller gives, with a table of this version. */
static int fetch_read(wt_client *client, const struct wt_exchange_options *given, struct wt_exchange_options *options,
                      struct wt_exchange_callbacks *callbacks) {
  wt_exchange_options_default(options);
  int error = given ? wt__sized_read(options, sizeof(*options), given, sizeof(*options)) : 0;
  if (error) return wt__client_fail(client, error, "options: call wt_exchange_options_default first");
  error = wt__sized_read_table(callbacks, sizeof(*callbacks), options->callbacks, sizeof(*callbacks));
  if (error) return wt__client_fail(client, error, "options: callbacks has a size that no version has");
  options->callbacks = callbacks;
  return 0;
}

static int fetch_check(wt_client *client, const struct wt_exchange_options *options) {
  if (options->timeout_ms > WT__BOUNDS_MAX_MS) {
    return wt__client_fail(client, WT_ERR_INVALID, "options: timeout_ms is too large");
  }
  if ((options->header_count && !options->headers) || !options->method) {
    return wt__client_fail(client, WT_ERR_INVALID, "options: headers or method is NULL");
  }
  return 0;
}

static int exchange_new(wt_client *client, const struct wt__url *url, const struct wt_exchange_options *options,
                        wt_exchange **exchange) {
  struct wt__exchange_options all = {
      .method = options->method,
      .authority = url->authority,
      .path = url->path,
      .headers = options->headers,
      .header_count = options->header_count,
      .body = options->body,
      .body_len = options->body_len,
      .has_body = options->has_body,
      .callbacks = options->callbacks,
      .user_data = options->user_data,
      .max_header_bytes = client->config.max_header_bytes,
      .max_send_buffer = client->config.max_stream_send_buffer,
  };
  int error = wt__exchange_new(&all, exchange);
  if (error == 0 || error == WT_ERR_NOMEM) return error;
  return wt__client_fail(client, WT_ERR_INVALID, "the method, a header field or the body cannot be sent");
}

/* On success `url` is the exchange's. */
static int fetch_begin(struct fetch *fetch, wt_client *client, struct wt__url *url,
                       const struct wt_exchange_options *options) {
  int error = exchange_new(client, url, options, &fetch->exchange);
  if (error) return error;
  wt__exchange_set_owner(fetch->exchange, fetch_on_progress, fetch);
  wt__exchange_set_on_cancel(fetch->exchange, fetch_on_cancel);
  const struct wt__pending_options wanted = {options->timeout_ms, options->allow_pooling,
                                             client->config.congestion_control};
  error = wt__pending_begin(&fetch->pending, client, &fetch_kind, url, &wanted);
  if (error) wt__exchange_free(fetch->exchange);
  return error;
}

int wt_client_request(wt_client *client, const char *url, const struct wt_exchange_options *given,
                      wt_exchange **exchange) {
  struct wt_exchange_options options;
  struct wt_exchange_callbacks callbacks;
  struct wt__url parsed;
  if (exchange) *exchange = NULL;
  if (!client) return WT_ERR_INVALID;
  int error = fetch_read(client, given, &options, &callbacks);
  if (error == 0) error = fetch_check(client, &options);
  if (error == 0) error = wt__client_url(client, url, &parsed);
  if (error) return error;
  struct fetch *fetch = wt__calloc(1, sizeof(*fetch));
  error = fetch ? fetch_begin(fetch, client, &parsed, &options) : WT_ERR_NOMEM;
  if (error == 0) {
    if (exchange) *exchange = fetch->exchange;
    return 0;
  }
  if (error == WT_ERR_NOMEM) (void)wt__client_fail(client, error, "%s", wt_error_string(error));
  wt__url_free(&parsed);
  wt__free(fetch);
  return error;
}
