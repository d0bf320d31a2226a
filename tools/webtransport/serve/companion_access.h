/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_COMPANION_ACCESS_H
#define WEBTRANSPORT_TOOL_COMPANION_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include "common/line_writer.h"

/* A request to the companion, until it leaves its line in the access log. */
struct companion_access;

/* The header section is there. `version` is "HTTP/1.1". NULL: there is no log, or no memory. */
struct companion_access *companion_access_begin(struct line_writer *writer, struct MHD_Connection *connection,
                                                const char *method, const char *path, const char *version);

/* How the request has ended. */
struct companion_end {
  unsigned status;       /* 0: no answer has begun */
  uint64_t body, answer; /* bytes of both bodies */
  bool whole;            /* the client has got all of the answer */
};

/* Writes the line, and frees `access`, which may be NULL. */
void companion_access_end(struct companion_access *access, const struct companion_end *end);

#endif
