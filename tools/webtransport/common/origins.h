/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_ORIGINS_H
#define WEBTRANSPORT_TOOL_ORIGINS_H

#include <webtransport/request.h>

enum {
  ORIGINS_MAX = 64,
  ORIGIN_SIZE = 320
};

/* The origins whose pages may open sessions. All zero: same-origin pages. */
struct origins {
  bool any;
  bool chosen; /* the user named origins, so same-origin pages are no longer allowed by default */
  size_t count;
  char list[ORIGINS_MAX][ORIGIN_SIZE]; /* in one form: "https://example.com:443" */
};

/* Adds an origin. Returns NULL, or what is wrong with it. */
const char *origins_add(struct origins *origins, const char *text);

/* `wt_check_origin_callback` for a server whose `user_data` is a struct origins. */
bool origins_check(const wt_request *request, void *origins);

#endif
