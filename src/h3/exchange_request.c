/* SPDX-License-Identifier: MIT */
/*
 * The header section of a client's plain request (RFC 9114, section 4.3.1).
 *
 * The fields are kept in the form in which a server keeps received ones (fields.c), because an exchange may wait
 * longer than its caller's strings live.
 */

#include "h3/exchange_request.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "h3/conn_state.h"
#include "h3/exchange.h"
#include "h3/exchange_state.h"
#include "h3/fields.h"
#include "h3/header_check.h"
#include "h3/http.h"
#include "h3/streams.h"

int wt__exchange_options_check(const struct wt__exchange_options *options) {
  if (!options->method || !options->authority || !options->path || options->path[0] != '/') return WT_ERR_INVALID;
  if (!wt__token_valid(options->method, true) || strcmp(options->method, "CONNECT") == 0) return WT_ERR_INVALID;
  if (options->body ? options->has_body : options->body_len > 0) return WT_ERR_INVALID;
  return options->header_count > 0 && !options->headers ? WT_ERR_INVALID : 0;
}

static int request_add(wt_exchange *exchange, const char *name, const char *value) {
  return wt__fields_add_text(&exchange->request, name, value);
}

static int request_add_length(wt_exchange *exchange, size_t len) {
  char text[24];
  (void)snprintf(text, sizeof(text), "%zu", len);
  return request_add(exchange, "content-length", text);
}

int wt__exchange_write_request(wt_exchange *exchange, const struct wt__exchange_options *options) {
  int error = request_add(exchange, ":method", options->method);
  if (!error) error = request_add(exchange, ":scheme", "https");
  if (!error) error = request_add(exchange, ":authority", options->authority);
  if (!error) error = request_add(exchange, ":path", options->path);
  if (!error && options->body) error = request_add_length(exchange, options->body_len);
  for (size_t i = 0; !error && i < options->header_count; i++) {
    const struct wt_header *header = &options->headers[i];
    if (!wt__request_header_valid(header) || (options->body && strcmp(header->name, "content-length") == 0)) {
      return WT_ERR_INVALID;
    }
    error = request_add(exchange, header->name, header->value);
  }
  return error;
}

int wt__exchange_submit(wt_exchange *exchange) {
  struct wt__h3_conn *conn = exchange->conn;
  size_t count = exchange->request.count;
  nghttp3_nv *nv = wt__calloc(count, sizeof(*nv));
  if (!nv) return WT_ERR_NOMEM;
  count = wt__fields_to_nv(&exchange->request, nv, count);
  if (!wt__h3_peer_takes(conn, nv, count)) {
    wt__free(nv);
    return WT_ERR_TOO_LARGE;
  }
  const char *method = wt__fields_find(&exchange->request, ":method", NULL);
  if (strcmp(method, "HEAD") == 0) exchange->stream->response_to = WT__RESPONSE_TO_HEAD;
  int error = nghttp3_conn_submit_request(wt__h3_http(conn), exchange->id, nv, count,
                                          exchange->has_body ? &wt__http_body_reader : NULL, NULL);
  wt__free(nv);
  if (!error || error == NGHTTP3_ERR_CONN_CLOSING) return error ? WT_ERR_CLOSED : 0;
  wt__h3_fail_http(conn, error); /* nghttp3 has half of it */
  return 0;
}
