/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_FAILURE_H
#define WT_NET_FAILURE_H

/* Why there is no session or response: an error, who caused it, and a sentence for people. */

#include <stdbool.h>
#include <stdint.h>

#include <webtransport/session.h>

#include "h3/client.h"

#define WT__FAILURE_MAX 512

struct wt__failure {
  int error; /* 0: there is none */
  enum wt_party by;
  uint64_t wire_code;
  bool wire_is_h3;
  char message[WT__FAILURE_MAX];
};

void wt__failure_set(struct wt__failure *failure, int error, enum wt_party by, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What the end of a connection means to the dials and requests that used it. */
void wt__failure_of_end(struct wt__failure *failure, const struct wt__h3_end *end);

#endif
