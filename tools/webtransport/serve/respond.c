/* SPDX-License-Identifier: MIT */
/*
 * Short answers to requests, and the numbers in their queries. All endpoints use them, for ordinary requests and for
 * requests for sessions that are refused.
 */
#include "serve/respond.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void respond_text(wt_request *request, int status, const char *text) {
  static const struct wt_header headers[] = {{"content-type", "text/plain; charset=utf-8"}};
  char line[600];
  int len = snprintf(line, sizeof line, "%.*s\n", (int)sizeof line - 2, text);
  wt_request_respond(request, status, headers, 1, line, (size_t)len);
}

void respond_not_allowed(wt_request *request, const char *allow, const char *text) {
  const struct wt_header headers[] = {{"allow", allow}, {"content-type", "text/plain; charset=utf-8"}};
  wt_request_respond(request, 405, headers, 2, text, strlen(text));
}

bool method_is(const wt_request *request, const char *method) { return !strcmp(wt_request_method(request), method); }

static bool number_parse(const char *text, uint64_t max, uint64_t *number) {
  uint64_t value = 0;
  if (!*text) return false;
  for (; *text; text++) {
    if (*text < '0' || *text > '9') return false;
    value = value * 10 + (uint64_t)(*text - '0');
    if (value > max) return false; /* max is far from 2^64, so the product before did not wrap */
  }
  *number = value;
  return true;
}

bool query_number(wt_request *request, const char *name, uint64_t fallback, uint64_t max, uint64_t *number) {
  char text[24], message[120];
  int error = wt_request_get_query_value(request, name, text, sizeof text);
  if (error == WT_ERR_NOT_FOUND) {
    *number = fallback;
    return true;
  }
  if (!error && number_parse(text, max, number)) return true;
  snprintf(message, sizeof message, "%s must be a number from 0 to %" PRIu64 ".", name, max);
  respond_text(request, 400, message);
  return false;
}
