/* SPDX-License-Identifier: MIT */
/*
 * Ordinary HTTP/3 requests, at both ends: GET /source?bytes=N is N bytes of the pattern, POST /digest answers with the
 * count and the digest of its body. They share paths with the sessions; the method tells.
 *
 * The client's bodies are larger than any window, so that both directions have to wait for credit on the way.
 */
#include "plain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  PLAIN_BYTES = 10 << 20,
  PLAIN_MAX = 16 << 20, /* of a body, at the server */
};

/* --- The client --- */

/* One request, and what its answer has to be: `text`, or else the first `expected` bytes of the pattern. */
struct fetch {
  struct run *run;
  int status;
  uint64_t expected;
  bool is_text;
  char text[DIGEST_TEXT];
  uint8_t *out; /* the body, if it is sent bit by bit */
  size_t out_at, out_len;
  uint64_t in_len;
};

static void fetch_on_response(wt_exchange *exchange, int status, void *user_data) {
  const struct fetch *fetch = user_data;
  (void)exchange;
  if (status != fetch->status) run_fail(fetch->run, "status %d instead of %d", status, fetch->status);
}

static void fetch_on_body(wt_exchange *exchange, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct fetch *fetch = user_data;
  (void)exchange;
  (void)fin;
  for (size_t i = 0; i < len && fetch->status == 200; i++) {
    uint64_t at = fetch->in_len + i;
    uint8_t right = !fetch->is_text ? pattern_at(at) : at < fetch->expected ? (uint8_t)fetch->text[at] : 0;
    if (data[i] == right) continue;
    run_fail(fetch->run, "byte %" PRIu64 " of the answer is wrong", at);
    return;
  }
  fetch->in_len += len;
}

static void fetch_on_writable(wt_exchange *exchange, void *user_data) {
  struct fetch *fetch = user_data;
  size_t written = 0;
  if (!fetch->out) return;
  if (wt_exchange_write(exchange, fetch->out + fetch->out_at, fetch->out_len - fetch->out_at, &written)) return;
  fetch->out_at += written;
  if (fetch->out_at < fetch->out_len) return;
  wt_exchange_end(exchange);
  free(fetch->out);
  fetch->out = NULL;
}

static void fetch_on_close(wt_exchange *exchange, int error, const char *message, void *user_data) {
  struct fetch *fetch = user_data;
  struct run *run = fetch->run;
  (void)exchange;
  if (error)
    run_fail(run, "a request failed: %s", message);
  else if (fetch->status == 200 && fetch->in_len != fetch->expected)
    run_fail(run, "%" PRIu64 " bytes instead of %" PRIu64, fetch->in_len, fetch->expected);
  free(fetch->out);
  free(fetch);
  run_done(run);
}

static uint8_t *pattern_new(size_t len) {
  uint8_t *data = malloc(len + 1);
  for (size_t i = 0; data && i < len; i++) data[i] = pattern_at(i);
  return data;
}

/* Requests the path; `fetch` says what is expected and is consumed. `body` goes out at once, if there is one. */
static void fetch_begin(struct fetch *fetch, const char *method, const char *path, const void *body, size_t body_len) {
  struct run *run = fetch->run;
  struct wt_exchange_options options;
  wt_exchange *exchange;
  char url[512];
  wt_exchange_options_default(&options);
  static const struct wt_exchange_callbacks callbacks = {
      .on_response = fetch_on_response,
      .on_body = fetch_on_body,
      .on_writable = fetch_on_writable,
      .on_close = fetch_on_close,
  };
  options.callbacks = &callbacks;
  options.user_data = fetch;
  options.method = method;
  options.has_body = fetch->out != NULL;
  options.body = body;
  options.body_len = body_len;
  snprintf(url, sizeof url, "%s%s", run->options->url, path);
  int error = wt_client_request(run->client, url, &options, &exchange);
  if (error) {
    run_fail(run, "%s %s: %s, %s", method, url, wt_error_string(error), wt_client_error(run->client));
    free(fetch->out);
    free(fetch);
    return;
  }
  run->left++;
  fetch_on_writable(exchange, fetch);
}

static struct fetch *fetch_new(struct run *run, int status) {
  struct fetch *fetch = calloc(1, sizeof *fetch);
  if (!fetch) {
    run_fail(run, "no memory");
    return NULL;
  }
  fetch->run = run;
  fetch->status = status;
  return fetch;
}

static void get_source(struct run *run, size_t bytes) {
  struct fetch *fetch = fetch_new(run, 200);
  char path[64];
  if (!fetch) return;
  fetch->expected = bytes;
  snprintf(path, sizeof path, "/source?bytes=%zu", bytes);
  fetch_begin(fetch, "GET", path, NULL, 0);
}

void plain_get(struct run *run) {
  struct fetch *fetch = fetch_new(run, 404);
  get_source(run, PLAIN_BYTES);
  get_source(run, 0);
  get_source(run, 1000);
  if (fetch) fetch_begin(fetch, "GET", "/nowhere", NULL, 0);
}

static void post_digest(struct run *run, size_t bytes, bool at_once) {
  struct fetch *fetch = fetch_new(run, 200);
  uint8_t *body = pattern_new(bytes);
  if (!fetch || !body || !digest_text_of_pattern(bytes, fetch->text)) {
    run_fail(run, "no memory");
    free(fetch);
    free(body);
    return;
  }
  fetch->is_text = true;
  fetch->expected = strlen(fetch->text);
  if (!at_once) {
    fetch->out = body;
    fetch->out_len = bytes;
    body = NULL;
  }
  fetch_begin(fetch, "POST", "/digest", body, at_once ? bytes : 0);
  free(body);
}

void plain_post(struct run *run) {
  post_digest(run, PLAIN_BYTES, false);
  post_digest(run, 1000, true);
  post_digest(run, 0, false);
}

/* --- The server --- */

struct answer {
  uint8_t *data; /* the pattern that goes out, or the body that came in */
  size_t at, len;
};

static void answer_on_close(wt_request *request, int error, void *user_data) {
  struct answer *answer = user_data;
  (void)request;
  (void)error;
  free(answer->data);
  free(answer);
}

static void source_on_writable(wt_request *request, void *user_data) {
  struct answer *answer = user_data;
  size_t written = 0;
  if (!answer->data) return;
  if (wt_request_write(request, answer->data + answer->at, answer->len - answer->at, &written)) return;
  answer->at += written;
  if (answer->at < answer->len) return;
  free(answer->data);
  answer->data = NULL;
  wt_request_end(request);
}

static void digest_on_body(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct answer *answer = user_data;
  char text[DIGEST_TEXT];
  if (len > PLAIN_MAX - answer->len) {
    wt_request_respond(request, 413, NULL, 0, NULL, 0);
    return;
  }
  if (len) memcpy(answer->data + answer->len, data, len);
  answer->len += len;
  if (fin && digest_text(answer->data, answer->len, text))
    wt_request_respond(request, 200, NULL, 0, text, strlen(text));
}

void plain_serve(wt_request *request, const char *path, uint64_t bytes) {
  static const struct wt_request_callbacks callbacks = {
      .on_body = digest_on_body,
      .on_writable = source_on_writable,
      .on_close = answer_on_close,
  };
  bool source = strcmp(path, "/source") == 0 && strcmp(wt_request_method(request), "GET") == 0;
  bool digest = strcmp(path, "/digest") == 0 && strcmp(wt_request_method(request), "POST") == 0;
  if ((!source && !digest) || bytes > PLAIN_MAX) {
    wt_request_respond(request, source ? 400 : 405, NULL, 0, NULL, 0);
    return;
  }
  struct answer *answer = calloc(1, sizeof *answer);
  if (answer) answer->data = source ? pattern_new((size_t)bytes) : malloc(PLAIN_MAX);
  if (!answer || !answer->data) {
    free(answer);
    wt_request_respond(request, 500, NULL, 0, NULL, 0);
    return;
  }
  wt_request_set_callbacks(request, &callbacks, answer);
  if (!source) return;
  answer->len = (size_t)bytes;
  if (!wt_request_begin(request, 200, NULL, 0)) source_on_writable(request, answer);
}
