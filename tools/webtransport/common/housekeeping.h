/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_HOUSEKEEPING_H
#define WEBTRANSPORT_TOOL_HOUSEKEEPING_H

#include <stdbool.h>
#include <stddef.h>

#include <webtransport/server.h>

#include "common/service.h"

struct housekeeping;

struct housekeeping_config {
  wt_server *server;             /* must outlive it, as must `service` */
  const struct service *service; /* whose watchdog hears that the server's loops turn */
  const char *const *files;      /* `file_count` that are watched; NULL ones are left out */
  size_t file_count;
  void (*files_changed)(wt_server *server, void *user_data); /* called on the loop's thread */
  void *user_data;
};

/* Makes the thread. NULL: `message` says why. */
struct housekeeping *housekeeping_start(const struct housekeeping_config *config, char *message, size_t size);

/* Ends it, on the thread of the server's loop, before the server is freed. NULL is allowed. */
void housekeeping_stop(struct housekeeping *housekeeping);

#endif
