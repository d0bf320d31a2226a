/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_HTTP_URL_H
#define WEBTRANSPORT_TOOL_GATEWAY_HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/host_port.h"

enum {
  HTTP_URL_SIZE = 512,
};

/* A URL of the configuration: "http://127.0.0.1:9091/verify". */
struct http_url {
  bool is_https;
  struct host_port address;
  char text[HTTP_URL_SIZE]; /* the whole; "": there is none */
};

/*
 * Reads "http://" or "https://", a host with or without a port, and, if `with_path`, a path and a query. User and
 * fragment are refused. False: `message` says what is wrong.
 */
bool http_url_parse(const char *text, bool with_path, struct http_url *url, char *message, size_t size);

#endif
