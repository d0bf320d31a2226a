/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_PROXY_HEADER_H
#define WEBTRANSPORT_TOOL_GATEWAY_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  PROXY_HEADER_MAX = 512
};

/* What a header of the PROXY protocol says about a client. */
struct proxy_client {
  const char *peer, *local; /* addresses as "192.0.2.1:4433" or "[2001:db8::1]:4433" */
  const char *authority;    /* of the request, with or without a port; "" leaves it out */
  const char *tls_version;  /* "TLSv1.3"; "" leaves it out, as the next one */
  const char *cipher;
  bool certificate, certificate_verified; /* whether the client showed one */
};

/* Writes a header of version 2. Returns its length, or 0 if an address cannot be read. */
size_t proxy_header_write(const struct proxy_client *client, uint8_t out[PROXY_HEADER_MAX]);

#endif
