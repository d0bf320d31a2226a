/* SPDX-License-Identifier: MIT */
/*
 * The header section of a client's request for a session (RFC 9220; draft sections 3.2 and 3.3).
 *
 * The fields are kept in the form in which a server keeps received ones (fields.c), because a dial may wait longer
 * than its caller's strings live. What depends on the server's draft is added when the request is sent.
 */

#include "h3/dial_request.h"

#include <string.h>

#include "base/mem.h"
#include "h3/client.h"
#include "h3/conn_state.h"
#include "h3/dial_state.h"
#include "h3/fields.h"
#include "h3/header_check.h"
#include "h3/http.h"
#include "wire/sfv.h"

#define NV_MAX 64 /* fields of a request for a session */

static int dial_add(struct wt__h3_dial *dial, const char *name, const char *value) {
  return wt__fields_add_text(&dial->request, name, value);
}

/* Writes the list of subprotocols as a structured field. */
static int dial_write_protocols(struct wt__h3_dial *dial, const struct wt__h3_dial_options *options) {
  size_t size = 1, at = 0;
  for (size_t i = 0; i < options->protocol_count; i++) size += 2 * strlen(options->protocols[i]) + 4;
  dial->protocols = wt__malloc(size);
  if (!dial->protocols) return WT_ERR_NOMEM;
  for (size_t i = 0; i < options->protocol_count; i++) {
    size_t n;
    if (i > 0) {
      memcpy(dial->protocols + at, ", ", 2);
      at += 2;
    }
    n = wt__sfv_string_write(dial->protocols + at, size - at, options->protocols[i]);
    if (n == 0) return WT_ERR_INVALID;
    at += n;
  }
  return dial_add(dial, "wt-available-protocols", dial->protocols);
}

int wt__dial_write_request(struct wt__h3_dial *dial, const struct wt__h3_dial_options *options) {
  if (options->header_count > NV_MAX - 8) return WT_ERR_TOO_LARGE;
  int error = dial_add(dial, ":authority", options->authority);
  if (!error) error = dial_add(dial, ":path", options->path);
  if (!error && options->origin) error = dial_add(dial, "origin", options->origin);
  for (size_t i = 0; !error && i < options->header_count; i++) {
    const struct wt_header *header = &options->headers[i];
    bool valid = wt__request_header_valid(header) && !(options->origin && strcmp(header->name, "origin") == 0);
    error = valid ? dial_add(dial, header->name, header->value) : WT_ERR_INVALID;
  }
  if (!error && options->protocol_count > 0) error = dial_write_protocols(dial, options);
  return error;
}

int wt__h3_dial_check(const struct wt__h3_dial_options *options, size_t max_header_bytes) {
  struct wt__h3_dial dial = {0};
  wt__fields_init(&dial.request, max_header_bytes);
  int error = wt__dial_write_request(&dial, options);
  wt__fields_free(&dial.request);
  wt__free(dial.protocols);
  return error;
}

/* 0, WT_ERR_TOO_LARGE, or an error of nghttp3. */
int wt__dial_submit(struct wt__h3_dial *dial, int draft) {
  const struct wt__fields *fields = &dial->request;
  nghttp3_nv nv[NV_MAX];
  size_t count = 0;
  nv[count++] = wt__fields_nv(":method", "CONNECT");
  nv[count++] = wt__fields_nv(":protocol", draft >= 15 ? "webtransport-h3" : "webtransport");
  nv[count++] = wt__fields_nv(":scheme", "https");
  count += wt__fields_to_nv(fields, nv + count, NV_MAX - 1 - count);
  if (draft == 2) nv[count++] = wt__fields_nv("sec-webtransport-http3-draft02", "1");
  if (!wt__h3_peer_takes(dial->conn, nv, count)) return WT_ERR_TOO_LARGE;
  return nghttp3_conn_submit_request(wt__h3_http(dial->conn), dial->id, nv, count, &wt__http_body_reader, NULL);
}
