/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_COMPANION_H
#define WEBTRANSPORT_TOOL_COMPANION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/hosts.h"
#include "serve/report.h"

struct companion;

struct companion_config {
  const char *host;        /* a name or address; each of its addresses is bound */
  uint16_t port;           /* 0: any that is free */
  unsigned int more_ports; /* how many of the next ports are tried if `port` is taken */
  const struct site *site; /* must outlive the companion, as must `hosts` */
  struct hosts *hosts;     /* the hosts whose requests are answered */
  const char *www;         /* folder of the pages, or NULL for the page built in */
};

/* Binds the sockets; nothing is answered yet. NULL: `message` says why. */
struct companion *companion_open(const struct companion_config *config, char *message, size_t size);

/* Begins to answer requests, on a thread of its own. */
bool companion_start(struct companion *companion, char *message, size_t size);

/* The port that was bound, and the address of the page: "http://localhost:8080/". */
uint16_t companion_port(const struct companion *companion);
const char *companion_url(const struct companion *companion);

/* Ends the thread, whatever the peers do, and frees the companion. NULL is allowed. */
void companion_close(struct companion *companion);

#endif
