/* SPDX-License-Identifier: MIT */

/* Sentences about what went wrong with a dial or request. */

#include "net/failure.h"

#include <stdarg.h>
#include <stdio.h>

#include "wire/error_code.h"

void wt__failure_set(struct wt__failure *failure, int error, enum wt_party by, const char *format, ...) {
  va_list args;
  *failure = (struct wt__failure){.error = error, .by = by};
  va_start(args, format);
  (void)vsnprintf(failure->message, sizeof(failure->message), format, args);
  va_end(args);
}

static void failure_of_closing(struct wt__failure *failure, const struct wt__h3_end *end) {
  const char *name = end->is_h3 ? wt__wire_error_name(end->wire_code) : NULL;
  char code[64];
  if (name) {
    (void)snprintf(code, sizeof(code), "%s", name);
  } else {
    (void)snprintf(code, sizeof(code), "the %s code 0x%llx", end->is_h3 ? "HTTP/3" : "QUIC",
                   (unsigned long long)end->wire_code);
  }
  wt__failure_set(failure, end->error, end->by, "the server closed the connection with %s%s%s", code,
                  end->reason[0] ? ": " : "", end->reason);
}

void wt__failure_of_end(struct wt__failure *failure, const struct wt__h3_end *end) {
  if (end->error == WT_ERR_CLOSED && end->by == WT_PEER) {
    failure_of_closing(failure, end);
  } else if (end->error == WT_ERR_SETTINGS) {
    wt__failure_set(failure, end->error, end->by, "the server does not speak WebTransport: %s", end->reason);
  } else {
    wt__failure_set(failure, end->error, end->by, "%s", end->reason[0] ? end->reason : wt_error_string(end->error));
  }
  failure->wire_code = end->wire_code;
  failure->wire_is_h3 = end->is_h3;
}
