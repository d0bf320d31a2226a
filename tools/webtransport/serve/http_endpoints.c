/* SPDX-License-Identifier: MIT */
/*
 * The endpoints for ordinary HTTP/3 requests: POST /echo sends the body back, POST /sink counts it, GET /source?bytes=N
 * sends N bytes of the pattern of common/pattern.h. Bodies may have any length, and memory is bounded: bytes that the
 * answer does not take are kept, and the request is paused until the answer has taken them.
 */
#include "serve/http_endpoints.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/pattern.h"
#include "serve/endpoints.h"
#include "serve/respond.h"

struct http_body {
  uint64_t at, bytes; /* source: bytes queued, and bytes to send; sink: `at` counts */
  uint8_t *kept;      /* echo: bytes that the answer has not taken */
  size_t kept_at, kept_len;
  bool fin;
};

static void body_on_close(wt_request *request, int error, void *user_data) {
  struct http_body *body = user_data;
  (void)request;
  (void)error;
  free(body->kept);
  free(body);
}

static struct http_body *body_new(wt_request *request) {
  struct http_body *body = calloc(1, sizeof *body);
  if (!body) wt_request_respond(request, 500, NULL, 0, NULL, 0);
  return body;
}

static void echo_on_writable(wt_request *request, void *user_data) {
  struct http_body *body = user_data;
  size_t written;
  if (body->kept_len) {
    if (wt_request_write(request, body->kept + body->kept_at, body->kept_len, &written)) return;
    body->kept_at += written;
    body->kept_len -= written;
    if (body->kept_len) return;
  }
  free(body->kept);
  body->kept = NULL;
  if (body->fin)
    wt_request_end(request);
  else
    wt_request_resume(request);
}

/* Bytes that arrive in spite of the pause are kept behind the others. */
static bool echo_keep(struct http_body *body, const uint8_t *data, size_t len) {
  uint8_t *grown = malloc(body->kept_len + len);
  if (!grown) return false;
  if (body->kept_len) memcpy(grown, body->kept + body->kept_at, body->kept_len);
  memcpy(grown + body->kept_len, data, len);
  free(body->kept);
  body->kept = grown;
  body->kept_at = 0;
  body->kept_len += len;
  return true;
}

static void echo_on_body(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct http_body *body = user_data;
  size_t written = 0;
  body->fin = fin;
  if (len && !body->kept_len && wt_request_write(request, data, len, &written)) return;
  if (written < len) {
    wt_request_pause(request);
    /* Out of memory: the answer ends before the body does. It is too late for an error status. */
    if (!echo_keep(body, data + written, len - written)) wt_request_end(request);
  } else if (fin && !body->kept_len) {
    wt_request_end(request);
  }
}

void http_echo(wt_request *request) {
  static const struct wt_request_callbacks callbacks = {
      .on_body = echo_on_body,
      .on_writable = echo_on_writable,
      .on_close = body_on_close,
  };
  static const struct wt_header headers[] = {{"content-type", "application/octet-stream"}};
  struct http_body *body = body_new(request);
  if (!body) return;
  wt_request_set_callbacks(request, &callbacks, body);
  wt_request_begin(request, 200, headers, 1);
}

static void sink_on_body(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data) {
  static const struct wt_header headers[] = {{"content-type", "application/json"}};
  struct http_body *body = user_data;
  char answer[48];
  (void)data;
  body->at += len;
  if (!fin) return;
  int answer_len = snprintf(answer, sizeof answer, "{\"bytes\":%" PRIu64 "}\n", body->at);
  wt_request_respond(request, 200, headers, 1, answer, (size_t)answer_len);
}

void http_sink(wt_request *request) {
  static const struct wt_request_callbacks callbacks = {
      .on_body = sink_on_body,
      .on_close = body_on_close,
  };
  struct http_body *body = body_new(request);
  if (body) wt_request_set_callbacks(request, &callbacks, body);
}

static void source_on_writable(wt_request *request, void *user_data) {
  struct http_body *body = user_data;
  if (body->fin) return;
  while (body->at < body->bytes) {
    size_t len;
    const uint8_t *data = pattern_bytes(body->at, body->bytes - body->at, &len);
    if (wt_request_write_owned(request, data, len, pattern_release, NULL)) return; /* on_writable or on_close follows */
    body->at += len;
  }
  body->fin = true;
  wt_request_end(request);
}

void http_source(wt_request *request) {
  static const struct wt_request_callbacks callbacks = {
      .on_writable = source_on_writable,
      .on_close = body_on_close,
  };
  uint64_t bytes;
  char length[24];
  if (!query_number(request, "bytes", SOURCE_BYTES_DEFAULT, SOURCE_BYTES_MAX, &bytes)) return;
  struct http_body *body = body_new(request);
  if (!body) return;
  snprintf(length, sizeof length, "%" PRIu64, bytes);
  const struct wt_header headers[] = {{"content-type", "application/octet-stream"}, {"content-length", length}};
  body->bytes = method_is(request, "HEAD") ? 0 : bytes;
  wt_request_set_callbacks(request, &callbacks, body);
  if (!wt_request_begin(request, 200, headers, 2)) source_on_writable(request, body);
}
