/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_REPORT_H
#define WEBTRANSPORT_TOOL_REPORT_H

#include <stdatomic.h>
#include "serve/recorder.h"

struct line_writer;
struct topics;
struct wt_backplane;

/* The server that the reports are about. */
struct site {
  struct recorder *recorder;
  wt_server *server;
  struct topics *topics;          /* NULL: there are none */
  struct wt_backplane *backplane; /* NULL: there is none */
  struct line_writer *access_log; /* NULL: there is none */
  atomic_bool draining;           /* the server ends, or another process has taken over: no new clients, please */
  _Atomic uint16_t port; /* UDP port of the first address; atomic, because it is set while workers may serve already */
};

/*
 * Return texts for the companion's paths, which the caller frees. NULL: out of memory. The last two also return NULL if
 * the server does not give its counts (`recorder_stats`), and must not be called on the loop's thread.
 */
char *report_info(const struct site *site);
char *report_sessions(const struct site *site, uint64_t after);
char *report_stats(const struct site *site);
char *report_metrics(const struct site *site, enum wt_metrics_format format);

#endif
