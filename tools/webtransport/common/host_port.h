/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_HOST_PORT_H
#define WEBTRANSPORT_TOOL_HOST_PORT_H

#include <stdbool.h>
#include <stdint.h>

enum {
  HOST_PORT_HOST_SIZE = 256
};

/* The parts of "ADDR:PORT". `host` has no brackets. */
struct host_port {
  char host[HOST_PORT_HOST_SIZE];
  uint16_t port;
};

/*
 * Reads "127.0.0.1:80", "[::1]:80" or "localhost:80". Returns NULL, or what is wrong with it. Names are not looked up.
 */
const char *host_port_parse(const char *text, struct host_port *address);

#endif
