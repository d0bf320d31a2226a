/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_URL_H
#define WT_WIRE_URL_H

/* The URL of a server: "https://host:port/path?query", taken apart. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT__URL_MAX 8192     /* bytes of a URL */
#define WT__URL_HOST_MAX 256 /* with its NUL; a DNS name has at most 253 characters */

struct wt__url {
  char host[WT__URL_HOST_MAX]; /* in lower case; an IPv6 address without its brackets */
  uint16_t port;
  bool is_v6;      /* the host stood in brackets */
  char *authority; /* what the request names: "host", or "host:port" if the port is not 443 */
  char *path;      /* path and query, what needs it percent-encoded; begins with '/' */
};

/*
 * Reads `text`. A fragment is left out. WT_ERR_ADDRESS: it is no such URL; `*why` then says what is wrong with it, in
 * a static string. WT_ERR_NOMEM. Nothing is to be freed after an error.
 */
int wt__url_parse(struct wt__url *url, const char *text, const char **why);
void wt__url_free(struct wt__url *url);

#endif
