/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_COMPANION_H
#define WEBTRANSPORT_TOOL_COMPANION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/hosts.h"
#include "serve/report.h"

struct companion;

struct companion_config {
  const char *host;        /* a name or address; each of its addresses is bound */
  uint16_t port;           /* 0: any that is free */
  unsigned int more_ports; /* how many of the next ports are tried if `port` is taken */
  const struct site *site; /* must outlive the companion, as must `hosts` */
  struct hosts *hosts;     /* the hosts whose requests are answered */
  const char *www;         /* folder of the pages, or NULL for the page built in */
  const int
      *taken; /* listening sockets of another process, `taken_count`; they are used if they are these, or closed */
  size_t taken_count;
  bool taken_only; /* no others are opened */
};

/* Binds the sockets; nothing is answered yet. NULL: `message` says why. */
struct companion *companion_open(const struct companion_config *config, char *message, size_t size);

/* Makes a thread that answers requests, but no connection is accepted yet. */
bool companion_start(struct companion *companion, char *message, size_t size);

/* Whether connections are accepted. If not, those that wait for a request are closed, and others wait for another process
 * that has the same sockets. `site->port` is read when it begins. */
void companion_accept(struct companion *companion, bool on);

/* The listening sockets. */
const int *companion_listeners(const struct companion *companion, size_t *count);

/* The port that was bound, and the address of the page: "http://localhost:8080/". */
uint16_t companion_port(const struct companion *companion);
const char *companion_url(const struct companion *companion);

/* Ends the thread, whatever the peers do, and frees the companion. NULL is allowed. */
void companion_close(struct companion *companion);

#endif
