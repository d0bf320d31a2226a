/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_HTTP_TRANSFER_H
#define WEBTRANSPORT_TOOL_GATEWAY_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "gateway/http_client.h"

/* What a transfer is told. It is libcurl's private pointer of the handle. */
struct http_transfer {
  CURL *easy;
  struct curl_slist *fields, *addresses;
  struct http_client *client;
  bool running;
  /* The transfer has ended, and may be freed. It is not called from inside a call on the transfer. */
  void (*done)(struct http_transfer *transfer, CURLcode result);
};

struct http_target {
  const struct http_url *url;
  struct lookup *lookup; /* of the URL's host */
  const char *ca_file;   /* "": the authorities that the system trusts */
  uint64_t connect_timeout_ms;
};

/* Makes the handle, with all that is the same for each request: its target's address and trust, HTTP/1.1, no redirects,
 * no proxy, no signals. False: out of memory, or the name is not known. */
bool http_transfer_init(struct http_transfer *transfer, struct http_client *client, const struct http_target *target);

/* Adds a field to the request. `value` NULL: libcurl must not send its own field of this name. */
bool http_transfer_add_field(struct http_transfer *transfer, const char *name, const char *value);

/* Starts it. False: out of memory; `done` is not called. */
bool http_transfer_start(struct http_transfer *transfer);

/* Ends the transfer, if it runs, and frees what is its own; not the struct. Not inside a callback of libcurl. */
void http_transfer_end(struct http_transfer *transfer);

#endif
