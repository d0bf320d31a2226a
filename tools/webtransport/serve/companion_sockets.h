/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_COMPANION_SOCKETS_H
#define WEBTRANSPORT_TOOL_COMPANION_SOCKETS_H

#include <stdbool.h>
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

/*
 * The same, but with listening sockets that another process has had: `fds`, which belong to the set afterwards, or are
 * closed. False: they are not those of `host` and `port`, or of one of the next `more_ports` ports.
 */
bool sockets_adopt(struct companion_sockets *sockets, const char *host, uint16_t port, unsigned int more_ports,
                   const int *fds, size_t count);

void sockets_close(struct companion_sockets *sockets);

#endif
