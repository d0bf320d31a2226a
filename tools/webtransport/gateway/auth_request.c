/* SPDX-License-Identifier: MIT */
/*
 * Asks a server whether a client may, as nginx's auth_request does: a GET with what is known of the request, and the
 * status of the answer decides. Only a 2xx lets in. A server that cannot be reached, is slow, answers 5xx or too much is
 * no answer at all, and the gateway refuses with 503.
 *
 * The question has the names that the usual programs look for: x-original-* as for nginx, x-forwarded-* as for Traefik.
 */
#include "gateway/auth_request.h"

#ifdef WT_HAVE_CURL

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/tool_log.h"
#include "gateway/http_transfer.h"

enum {
  ANSWER_HEADER_MAX = 65536, /* bytes of its header section */
  ANSWER_BODY_MAX = 65536,   /* which is dropped */
  TARGET_SIZE = 16384,       /* path and query */
};

struct auth_request {
  struct http_transfer transfer;
  const struct auth_settings *settings;
  struct auth_answer answer;
  size_t header_bytes, body_bytes;
  void (*done)(struct auth_answer *answer, void *user_data);
  void *user_data;
};

/* --- The answer. --- */

/* Fields of a refusal that the client gets, and those that the configuration names. */
static bool is_used(const struct auth_settings *settings, const char *line, size_t len) {
  static const char *const passed[] = {"www-authenticate", "retry-after", "location", "set-cookie"};
  char name[TOKEN_NAME_SIZE];
  if (len >= sizeof name) return false;
  memcpy(name, line, len);
  name[len] = 0;
  for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
    if (!strcasecmp(name, passed[i])) return true;
  return !strcasecmp(name, settings->user_header) || text_list_has(&settings->response_headers, name);
}

static size_t answer_on_header(char *line, size_t one, size_t len, void *user_data) {
  struct auth_request *asked = user_data;
  const char *colon = memchr(line, ':', len);
  (void)one;
  asked->header_bytes += len;
  if (asked->header_bytes > ANSWER_HEADER_MAX) return 0;
  if (len >= 5 && !memcmp(line, "HTTP/", 5)) field_list_free(&asked->answer.fields); /* those of a 1xx do not count */
  if (!colon || !is_used(asked->settings, line, (size_t)(colon - line))) return len;
  /* A field that is left out could be the one that restricts the client. */
  return field_list_add_line(&asked->answer.fields, line, len) ? len : 0;
}

static size_t answer_on_body(char *data, size_t one, size_t len, void *user_data) {
  struct auth_request *asked = user_data;
  (void)data, (void)one;
  asked->body_bytes += len;
  return asked->body_bytes > ANSWER_BODY_MAX ? 0 : len;
}

static const char *why_of(const struct auth_request *asked, CURLcode result) {
  if (asked->header_bytes > ANSWER_HEADER_MAX || asked->body_bytes > ANSWER_BODY_MAX) return "its answer is too large";
  return curl_easy_strerror(result);
}

static void auth_request_free(struct auth_request *asked) {
  http_transfer_end(&asked->transfer);
  field_list_free(&asked->answer.fields);
  free(asked);
}

static void auth_on_done(struct http_transfer *transfer, CURLcode result) {
  struct auth_request *asked = (struct auth_request *)(void *)transfer; /* its first member */
  long status = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  asked->answer.why = result ? why_of(asked, result) : "it answered with an error of its own";
  if (!result && status >= 200 && status <= 499) asked->answer.status = (int)status;
  asked->done(&asked->answer, asked->user_data);
  auth_request_free(asked);
}

/* --- The question. --- */

static bool target_add(struct auth_request *asked, const wt_request *request) {
  char target[TARGET_SIZE];
  const char *query = wt_request_query(request);
  int len = snprintf(target, sizeof target, "%s%s%s", wt_request_path(request), query[0] ? "?" : "", query);
  if (len < 0 || (size_t)len >= sizeof target) return false;
  bool good = http_transfer_add_field(&asked->transfer, "x-original-uri", target) &&
              http_transfer_add_field(&asked->transfer, "x-forwarded-uri", target);
  explicit_bzero(target, sizeof target);
  return good;
}

/* "192.0.2.1" of "192.0.2.1:4433", "2001:db8::1" of "[2001:db8::1]:4433". */
static void address_only(const char *peer, char *address, size_t size) {
  const char *begin = peer[0] == '[' ? peer + 1 : peer;
  const char *end = peer[0] == '[' ? strchr(begin, ']') : strrchr(begin, ':');
  snprintf(address, size, "%.*s", (int)(end ? (size_t)(end - begin) : strlen(begin)), begin);
}

static bool fields_add(struct auth_request *asked, const wt_request *request) {
  struct http_transfer *transfer = &asked->transfer;
  const struct text_list *chosen = &asked->settings->request_headers;
  char address[128];
  address_only(wt_request_peer_address(request), address, sizeof address);
  const char *origin = wt_request_origin(request), *method = wt_request_method(request);
  bool good = http_transfer_add_field(transfer, "x-original-method", method) &&
              http_transfer_add_field(transfer, "x-forwarded-method", method) &&
              http_transfer_add_field(transfer, "x-forwarded-proto", "https") &&
              http_transfer_add_field(transfer, "x-forwarded-host", wt_request_authority(request)) &&
              http_transfer_add_field(transfer, "x-forwarded-for", address) && target_add(asked, request);
  if (good && origin) good = http_transfer_add_field(transfer, "origin", origin);
  for (size_t i = 0; good && i < chosen->count; i++) {
    const char *name = chosen->texts[i], *value = wt_request_header(request, name);
    if (value && strcasecmp(name, "origin") != 0) good = http_transfer_add_field(transfer, name, value);
  }
  return good;
}

static void options_set(struct auth_request *asked) {
  CURL *easy = asked->transfer.easy;
  curl_easy_setopt(easy, CURLOPT_URL, asked->settings->url.text);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)asked->settings->timeout_ms);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, answer_on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, asked);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, answer_on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, asked);
}

struct auth_request *auth_request_start(struct http_client *client, struct lookup *lookup,
                                        const struct auth_settings *settings, const wt_request *request,
                                        void (*done)(struct auth_answer *answer, void *user_data), void *user_data) {
  const struct http_target target = {&settings->url, lookup, settings->ca_file, settings->timeout_ms};
  struct auth_request *asked = calloc(1, sizeof *asked);
  if (!asked) return NULL;
  asked->settings = settings;
  asked->done = done;
  asked->user_data = user_data;
  asked->transfer.done = auth_on_done;
  if (http_transfer_init(&asked->transfer, client, &target) && fields_add(asked, request)) {
    options_set(asked);
    if (http_transfer_start(&asked->transfer)) return asked;
  }
  auth_request_free(asked);
  return NULL;
}

void auth_request_cancel(struct auth_request *asked) { auth_request_free(asked); }

#else

#include <stddef.h>

struct auth_request *auth_request_start(struct http_client *client, struct lookup *lookup,
                                        const struct auth_settings *settings, const wt_request *request,
                                        void (*done)(struct auth_answer *answer, void *user_data), void *user_data) {
  (void)client, (void)lookup, (void)settings, (void)request, (void)done, (void)user_data;
  return NULL;
}

void auth_request_cancel(struct auth_request *asked) { (void)asked; }

#endif
