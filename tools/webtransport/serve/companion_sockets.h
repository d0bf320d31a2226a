/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_COMPANION_SOCKETS_H
#define WEBTRANSPORT_TOOL_COMPANION_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

enum {
  SOCKETS_MAX = 8
};

/* The listening sockets of one host and port. "localhost" has two. */
struct companion_sockets {
  int fds[SOCKETS_MAX];
  size_t count;
  uint16_t port; /* the one that was bound */
};

/*
 * Listens on each address of `host`. If `port` is 0, any free port is bound. Else, if `port` is taken, up to
 * `more_ports` of the next ports are tried. Returns 0, or -1 with a sentence in `message`.
 */
int sockets_open(struct companion_sockets *sockets, const char *host, uint16_t port, unsigned int more_ports,
                 char *message, size_t size);

void sockets_close(struct companion_sockets *sockets);

#endif
