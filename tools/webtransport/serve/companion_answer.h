/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_COMPANION_ANSWER_H
#define WEBTRANSPORT_TOOL_COMPANION_ANSWER_H

#include <microhttpd.h>

#include "serve/hosts.h"
#include "serve/companion_peers.h"
#include "serve/report.h"

/* What the companion's requests are answered from. On the companion's thread alone. */
struct answers {
  const struct site *site;
  struct hosts *hosts;
  const char *www;
  struct peers peers;
  int64_t no_counts_ms; /* when the server's counts could not be had; 0: they could */
  char alt_svc[40];
};

/* With the answers as user data; for MHD_start_daemon, MHD_OPTION_NOTIFY_COMPLETED, _NOTIFY_CONNECTION and
 * _UNESCAPE_CALLBACK. */
enum MHD_Result answers_handle(void *user_data, struct MHD_Connection *connection, const char *target,
                               const char *method, const char *version, const char *body, size_t *body_len,
                               void **state);
void answers_completed(void *user_data, struct MHD_Connection *connection, void **state,
                       enum MHD_RequestTerminationCode code);
void answers_connection(void *user_data, struct MHD_Connection *connection, void **context,
                        enum MHD_ConnectionNotificationCode code);
size_t answers_unescape(void *user_data, struct MHD_Connection *connection, char *text);

#endif
