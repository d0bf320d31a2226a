/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_COMPANION_ANSWER_H
#define WEBTRANSPORT_TOOL_COMPANION_ANSWER_H

#include <microhttpd.h>

#include "serve/companion_peers.h"
#include "common/hosts.h"
#include "serve/report.h"

/* The data for the companion's answers. Only the companion's thread uses it. */
struct answers {
  const struct site *site;
  struct hosts *hosts;
  const char *www;
  struct peers peers;
  int64_t no_counts_ms; /* when the server did not give its counts in time; 0: it did */
  char alt_svc[40];
};

/* For MHD_start_daemon, MHD_OPTION_NOTIFY_COMPLETED, _NOTIFY_CONNECTION and _UNESCAPE_CALLBACK. The user data is a
 * struct answers. */
enum MHD_Result answers_handle(void *user_data, struct MHD_Connection *connection, const char *target,
                               const char *method, const char *version, const char *body, size_t *body_len,
                               void **state);
void answers_completed(void *user_data, struct MHD_Connection *connection, void **state,
                       enum MHD_RequestTerminationCode code);
void answers_connection(void *user_data, struct MHD_Connection *connection, void **context,
                        enum MHD_ConnectionNotificationCode code);
size_t answers_unescape(void *user_data, struct MHD_Connection *connection, char *text);

#endif
