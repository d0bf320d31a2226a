/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_TARGET_H
#define WEBTRANSPORT_TOOL_GATEWAY_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/host_port.h"

struct backend_kind;

enum {
  TARGET_PATH_SIZE = 108, /* sun_path */
  TARGET_TEXT_SIZE = 320,
};

/* A back end as the configuration names it: "tcp://127.0.0.1:22", "unix:/run/app.sock". */
struct target {
  const struct backend_kind *kind;
  struct host_port address;    /* of tcp, udp and URLs */
  size_t url_path;             /* of a URL: where its path begins in `text`; 0: it has none */
  char path[TARGET_PATH_SIZE]; /* of unix and unixgram; "" for the others */
  char text[TARGET_TEXT_SIZE]; /* as it was given */
};

/* Reads a back end. False: `message` says what is wrong. Names are not looked up. */
bool target_parse(const char *text, struct target *target, char *message, size_t size);

#endif
