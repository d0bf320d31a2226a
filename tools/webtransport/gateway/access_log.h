/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_ACCESS_LOG_H
#define WEBTRANSPORT_TOOL_GATEWAY_ACCESS_LOG_H

#include <stdbool.h>

#include <webtransport/request.h>

#include "common/line_writer.h"

struct gateway;
struct gateway_session;
struct route;

/* Where each session leaves a line of JSON at its end. */
struct access_log {
  struct line_writer *writer; /* NULL: nowhere */
  char *path;
};

/* Opens the file for appending: "-" is standard output, NULL nowhere. The same file as before is opened again. Another one is
 * closed, but stays if the new one cannot be opened: then this returns false, and `message` says why. */
bool access_log_open(struct access_log *log, const char *path, char *message, size_t size);
/* The file was renamed: opens it again. */
void access_log_reopen(struct access_log *log);
void access_log_close(struct access_log *log);

/* A request that was no session. */
struct request_line {
  const struct gateway *gateway;
  const struct route *route;
  const wt_request *request;
  const char *method, *user;
  const char *error; /* NULL: none */
  int status;        /* 0: the client went away before */
  uint64_t began_ms, bytes_in, bytes_out;
};

void access_log_write_request(struct access_log *log, const struct request_line *request);

void access_log_write(struct access_log *log, const struct gateway_session *session, const wt_session *wt,
                      const struct wt_close_info *info);

#endif
