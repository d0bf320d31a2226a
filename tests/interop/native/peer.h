/* SPDX-License-Identifier: MIT */
#ifndef INTEROP_PEER_H
#define INTEROP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the cases agree on beyond lane.h; tests/interop/README.md has all of it. */
enum {
  RESET_BYTES = 100, /* written before a reset */
};

struct options {
  const char *port, *cert, *key; /* server */
  const char *url, *case_name;   /* client */
  uint8_t hash[32];
  bool tiny; /* server: --limits tiny */
};

/* Serves until SIGTERM or SIGINT. Both return the program's exit status. */
int server_main(const struct options *options);
/* Runs one case. */
int client_main(const struct options *options);

#endif
