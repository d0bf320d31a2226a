/* SPDX-License-Identifier: MIT */

/*
 * A folder of qlogs: DIR/<connection>_server.sqlog, or _client.sqlog, for each connection.
 *
 * The log is for diagnosis, so it must not harm the connection. What cannot be written is logged once for each errno, and
 * the connection goes on without. A file that exists is not touched: a client chooses the name, and could choose an old one.
 * Only the owner may read the files, because they tell paths and addresses.
 *
 * Each file has a buffer, so that a record does not cost a system call, and a bound: its last record then says that it was
 * cut. The number of open files has a bound, too: a server has other uses for descriptors.
 */

#include "net/qlog_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <webtransport/error.h>

#include "base/errno_name.h"
#include "base/mem.h"
#include "net/udp.h"

#define BUFFER 16384
#define TIME_DIGITS 20

struct qlog_file {
  struct wt__qlog_files *files;
  int fd;
  bool cut; /* nothing more is written */
  uint64_t bytes;
  size_t len;
  char buffer[BUFFER];
};

/* In the place of a file that could not be opened. */
static char no_file;

static void files_failed(struct wt__qlog_files *files, const char *doing, const char *path, int os_error) {
  if (atomic_exchange(&files->last_error, os_error) == os_error) return;
  WT__WARN(files->log, WT__EVENT_OF("qlog_failed", WT__TEXT("file", path), WT__TEXT("errno", wt__errno_name(os_error))),
           "qlog: cannot %s %s: %s; the connection goes on without it", doing, path, wt__os_error_text(os_error));
}

/* Takes one of the places for open files. */
static bool files_take(struct wt__qlog_files *files) {
  if (atomic_fetch_add(&files->open, 1) < WT__QLOG_FILES_OPEN) return true;
  atomic_fetch_sub(&files->open, 1);
  if (!atomic_exchange(&files->full, true))
    WT__WARN(files->log, WT__EVENT_OF("qlog_files_full", WT__INTEGER("files", WT__QLOG_FILES_OPEN)),
             "qlog: %d files are open, further connections are not logged", WT__QLOG_FILES_OPEN);
  return false;
}

static struct qlog_file *file_open(struct wt__qlog_files *files, const char *connection) {
  char path[PATH_MAX];
  int len = snprintf(path, sizeof(path), "%s/%s_%s.sqlog", files->dir, connection, files->role);
  if (!files_take(files)) return NULL;
  struct qlog_file *file = wt__malloc(sizeof(*file));
  int fd = -1;
  if (!file) {
    errno = ENOMEM;
  } else if ((size_t)len >= sizeof(path)) {
    errno = ENAMETOOLONG;
  } else {
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  }
  if (fd < 0) {
    files_failed(files, "make", path, errno);
    wt__free(file);
    atomic_fetch_sub(&files->open, 1);
    return NULL;
  }
  file->files = files;
  file->fd = fd;
  file->cut = false;
  file->bytes = file->len = 0;
  return file;
}

static void file_flush(struct qlog_file *file) {
  for (size_t at = 0; at < file->len;) {
    ssize_t done = write(file->fd, file->buffer + at, file->len - at);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      files_failed(file->files, "write to a file of", file->files->dir, done < 0 ? errno : EIO);
      file->cut = true;
      break;
    }
    at += (size_t)done;
  }
  file->len = 0;
}

static void file_close(struct qlog_file *file) {
  struct wt__qlog_files *files = file->files;
  file_flush(file);
  if (close(file->fd)) files_failed(files, "close a file of", files->dir, errno);
  atomic_fetch_sub(&files->open, 1);
  wt__free(file);
}

static void file_add(struct qlog_file *file, const char *data, size_t len) {
  file->bytes += len;
  while (len > 0 && !file->cut) {
    size_t room = sizeof(file->buffer) - file->len, part = len < room ? len : room;
    memcpy(file->buffer + file->len, data, part);
    file->len += part;
    data += part;
    len -= part;
    if (file->len == sizeof(file->buffer)) file_flush(file);
  }
}

/* The last record has the time of the first one that does not fit. */
static void file_cut(struct qlog_file *file, const char *data, size_t len) {
  static const char start[] = "\x1e{\"time\":";
  struct wt__qlog_record record;
  char time[TIME_DIGITS + 1] = "";
  if (len > sizeof(start) + TIME_DIGITS && memcmp(data, start, sizeof(start) - 1) == 0)
    memcpy(time, data + sizeof(start) - 1, TIME_DIGITS);
  wt__qlog_record_begin(&record, strtoull(time, NULL, 10), "webtransport:log_cut");
  wt__qlog_record_number(&record, "bytes", file->bytes);
  wt__qlog_record_end(&record);
  file_add(file, record.text, record.len);
  file_flush(file);
  file->cut = true;
}

static void files_write(const char *connection, void **log, const void *data, size_t len, bool last, void *user_data) {
  struct wt__qlog_files *files = user_data;
  if (!*log) {
    struct qlog_file *made = file_open(files, connection);
    *log = made ? (void *)made : &no_file;
  }
  if (*log == &no_file) return;
  struct qlog_file *file = *log;
  if (file->cut) {
    len = 0;
  } else if (len > files->max_bytes - file->bytes) {
    file_cut(file, data, len);
  } else {
    file_add(file, data, len);
  }
  if (last) {
    file_close(file);
    *log = NULL;
  }
}

void wt__qlog_files_init(struct wt__qlog_files *files, const char *dir, const char *role, uint64_t max_bytes,
                         const struct wt__log *log) {
  files->dir = dir;
  files->role = role;
  files->max_bytes = max_bytes;
  files->log = log;
  atomic_init(&files->open, 0);
  atomic_init(&files->last_error, 0);
  atomic_init(&files->full, false);
}

struct wt__qlog_sink wt__qlog_sink_of(struct wt__qlog_files *files, wt_qlog_callback function, void *user_data) {
  if (function) return (struct wt__qlog_sink){function, user_data};
  if (files->dir) return (struct wt__qlog_sink){files_write, files};
  return (struct wt__qlog_sink){NULL, NULL};
}

int wt__qlog_dir_copy(const char **copy, const char *dir, wt_qlog_callback function) {
  *copy = NULL;
  if (!dir && !function) dir = secure_getenv("QLOGDIR");
  if (!dir || !*dir) return 0;
  *copy = wt__strdup(dir);
  return *copy ? 0 : WT_ERR_NOMEM;
}
