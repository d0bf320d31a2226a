/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_WWW_H
#define WEBTRANSPORT_TOOL_WWW_H

/* The files below tools/webtransport/www/, which the build turns into arrays (cmake/EmbedWww.cmake). */

#include <stddef.h>

struct www_file {
  const char *path;          /* as in a URL: "/index.html", "/js/app.js" */
  const char *type;          /* its media type: "text/html; charset=utf-8" */
  const unsigned char *data; /* followed by a NUL that `len` does not count */
  size_t len;
};

extern const struct www_file www_files[];
extern const size_t www_file_count;

#endif
