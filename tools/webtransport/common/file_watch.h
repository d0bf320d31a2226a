/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_FILE_WATCH_H
#define WEBTRANSPORT_TOOL_FILE_WATCH_H

#include <stddef.h>

struct uv_loop_s;
struct file_watch;

enum {
  FILE_WATCH_MAX = 8
};

/*
 * Watches `count` files, each of which may be NULL. `changed` is called on the loop's thread when one of them is another
 * file or has another content than at the last call or at the beginning, and all were left alone for a moment. A file
 * that is gone is no change until it is back. The names are not copied. NULL: out of memory.
 */
struct file_watch *file_watch_new(struct uv_loop_s *loop, const char *const *files, size_t count,
                                  void (*changed)(void *user_data), void *user_data);

/* `changed` is not called any more. The loop needs turns to let go. NULL is allowed. */
void file_watch_close(struct file_watch *watch);

#endif
