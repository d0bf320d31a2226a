/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_FILE_BODY_H
#define WT_H3_FILE_BODY_H

/* A part of a file that is the body of an answer, and how many descriptors such answers keep. */

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <webtransport/request.h>

#include "base/list.h"
#include "base/log_limit.h"

struct wt__h3_conn;
struct wt__file_body;

/* The descriptors that the answers of one worker keep open, the least recently read one first. */
struct wt__open_files {
  struct wt__list list;
  size_t count, max;
  struct wt__log_limit lines; /* in the log, about files */
};

/* Keeps at most `max`; 0: each is opened anew for each piece. */
void wt__open_files_init(struct wt__open_files *files, size_t max);
/* A default for all workers together, from what the process may open. */
size_t wt__open_files_default(void);

/* Logs, not too often, that the file of `request` cannot be opened or read, and what follows. */
void wt__open_files_log(const wt_request *request, int os_error, const char *then);

/* Opens a file as `wt__file_open_below` does. Where there are no more descriptors, those that answers keep are closed
 * until it works; they are opened again when they are needed. -1 with errno. */
int wt__open_files_open(struct wt__h3_conn *conn, const char *directory, const char *path, struct stat *info);

/* The `left` bytes from `off` on of the file that `fd` is, as `info` describes it; the names are copied. NULL: out of
 * memory; else `fd` is its own from now on. */
struct wt__file_body *wt__file_body_new(struct wt__h3_conn *conn, int fd, const struct stat *info,
                                        const char *directory, const char *path, uint64_t off, uint64_t left);
void wt__file_body_free(struct wt__file_body *file);
uint64_t wt__file_body_left(const struct wt__file_body *file);
/* Reads the next bytes, up to `len` and to the end. -1 with errno: ESTALE if the file is not what it was any more. */
ssize_t wt__file_body_read(struct wt__file_body *file, void *data, size_t len);

#endif
