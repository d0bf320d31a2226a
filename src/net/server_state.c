/* SPDX-License-Identifier: MIT */

/* The last error of a server, which several of its files set. */

#include "net/server_state.h"

#include <stdarg.h>
#include <stdio.h>

int wt__server_fail(struct wt_server *server, int error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(server->error, sizeof(server->error), format, args);
  va_end(args);
  return error;
}
