/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_ACCESS_LOG_H
#define WEBTRANSPORT_TOOL_GATEWAY_ACCESS_LOG_H

#include <stdbool.h>

#include <jansson.h>

#include <webtransport/access.h>
#include <webtransport/request.h>

#include "common/line_writer.h"

struct gateway;
struct gateway_session;
struct route;

/* Where each session and each request leaves a line of JSON at its end. */
struct access_log {
  struct line_writer *writer; /* NULL: nowhere */
  char *path;
  json_t *members; /* of the session or request whose `on_close` was called last; NULL: none */
  const void *of;  /* which it is */
};

/* Opens the file for appending: "-" is standard output, NULL nowhere. The same file as before is opened again. Another one is
 * closed, but stays if the new one cannot be opened: then this returns false, and `message` says why. */
bool access_log_open(struct access_log *log, const char *path, char *message, size_t size);
/* The file was renamed: opens it again. */
void access_log_reopen(struct access_log *log);
void access_log_close(struct access_log *log);

/* What the gateway alone knows of a request that became no session. */
struct access_request {
  const struct route *route; /* NULL: none was found */
  const char *user;          /* NULL or "": not known */
  const char *refusal;       /* why the gateway has refused it; NULL: it has not */
  bool answered;             /* `error` says more than the library can */
  const char *error;         /* NULL: none */
};

/* To be called in `on_close`: the line of the session or request gets what the gateway knows. */
void access_log_session(struct access_log *log, const struct gateway_session *session,
                        const struct wt_close_info *info);
void access_log_request(struct access_log *log, const wt_request *request, const struct access_request *known);

/* `wt_access_callback`, whose user data is a struct access_log. */
void access_log_on_end(const struct wt_access_record *record, void *user_data);

#endif
