/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_ACCESS_LINE_H
#define WEBTRANSPORT_TOOL_ACCESS_LINE_H

#include <stdbool.h>

#include <jansson.h>

#include <webtransport/access.h>

#include "common/line_writer.h"

/* Makes the object for a line from a record of the library. `query`: with the query of the path, which may be a secret. NULL: out
 * of memory. The functions below allow that. */
json_t *access_line(const struct wt_access_record *record, bool query);

/* Set a member. A text is cut, and safe to print; NULL and "" become null. */
void access_put_text(json_t *line, const char *name, const char *text);
void access_put_count(json_t *line, const char *name, uint64_t count);

/* Writes the object, and frees it. */
void access_line_write(struct line_writer *writer, json_t *line);

/* Where each session and each request leaves a line as it is. */
struct serve_access_log {
  struct line_writer *writer; /* NULL: nowhere */
  bool query;                 /* as `access_line` */
};

/* `wt_access_callback`, whose user data is a struct serve_access_log with a writer. */
void serve_access_log_write(const struct wt_access_record *record, void *user_data);

#endif
