/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_ACCESS_LOG_H
#define WEBTRANSPORT_TOOL_ACCESS_LOG_H

#include <stdbool.h>

#include <webtransport/access.h>

#include "common/line_writer.h"

/* Where each session and each request of the server leaves a line of JSON at its end. */
struct serve_access_log {
  struct line_writer *writer; /* NULL: nowhere */
  bool query;                 /* lines have the query of the path, which may be a secret */
};

/* `wt_access_callback`, whose user data is a struct serve_access_log with a writer. */
void serve_access_log_write(const struct wt_access_record *record, void *user_data);

#endif
