/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_REPORT_H
#define WEBTRANSPORT_TOOL_REPORT_H

#include "serve/recorder.h"

/* What the reports are about. */
struct site {
  struct recorder *recorder;
  wt_server *server;
  _Atomic uint16_t port; /* UDP port of the first address; set while workers may serve already */
};

/*
 * Texts for the companion's paths, to be freed by the caller. NULL: out of memory, or, of the last
 * two, the server's counts cannot be had (`recorder_stats`). The first two may be called on any
 * thread, the last two not on the loop's.
 */
char *report_info(const struct site *site);
char *report_sessions(const struct site *site, uint64_t after);
char *report_stats(const struct site *site);
char *report_metrics(const struct site *site);

#endif
