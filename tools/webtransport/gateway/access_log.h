/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_ACCESS_LOG_H
#define WEBTRANSPORT_TOOL_GATEWAY_ACCESS_LOG_H

#include <stdio.h>

#include <webtransport/session.h>

struct gateway_session;

/* Where each session leaves a line of JSON at its end. */
struct access_log {
  FILE *file; /* NULL: nowhere */
};

/* Opens the file for appending: "-" is standard output, NULL nowhere. A file that was open before is closed, but stays
 * if the new one cannot be opened: then this returns false with an `errno`. */
bool access_log_open(struct access_log *log, const char *path);
void access_log_close(struct access_log *log);

void access_log_write(struct access_log *log, const struct gateway_session *session, const wt_session *wt,
                      const struct wt_close_info *info);

#endif
