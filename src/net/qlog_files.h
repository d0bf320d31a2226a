/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_QLOG_FILES_H
#define WT_NET_QLOG_FILES_H

/* Writes the qlog of each connection to a file of its own in a folder. See qlog_files.c. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "core/qlog.h"

#define WT__QLOG_FILE_MAX (64 * UINT64_C(1024) * 1024) /* the default of `qlog_max_file_bytes` */
#define WT__QLOG_FILE_LEAST 65536
#define WT__QLOG_FILES_OPEN 1024 /* at a time, of a server or client */

/* Of a server or client; its workers share it. */
struct wt__qlog_files {
  const char *dir;  /* outlives this */
  const char *role; /* "server" or "client", part of each name */
  uint64_t max_bytes;
  const struct wt__log *log;
  atomic_size_t open;
  atomic_int last_error; /* the last one that was logged: an errno */
  atomic_bool full;      /* that there are too many files was logged */
};

void wt__qlog_files_init(struct wt__qlog_files *files, const char *dir, const char *role, uint64_t max_bytes,
                         const struct wt__log *log);

/* What a configuration asks for: its callback, or `files` on its folder, or nothing. */
struct wt__qlog_sink wt__qlog_sink_of(struct wt__qlog_files *files, wt_qlog_callback function, void *user_data);

/* A copy of the folder that a configuration names, or of that of the environment if it names neither a folder nor a
 * function. `*copy` NULL: none. WT_ERR_NOMEM. */
int wt__qlog_dir_copy(const char **copy, const char *dir, wt_qlog_callback function);

#endif
