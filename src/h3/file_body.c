/* SPDX-License-Identifier: MIT */
/*
 * The file behind an answer. It is read when there is room to send (answer.c).
 *
 * A client decides how long an answer takes, but it must not decide how many descriptors that costs. So the descriptors of
 * answers are a cache with two bounds: one for a connection and one for the worker. Over a bound, the file that was read
 * least recently is closed, and opened again for its next piece. So a client that takes nothing loses its descriptors to
 * clients that read.
 *
 * The second opening has to find the same file: we compare device, inode, size and time of the last change. If the file was
 * replaced meanwhile, the answer cannot be completed and is reset. An answer that the client takes without long pauses keeps
 * its descriptor, so a file that is replaced during the answer is sent to its end as it was.
 */

#include "h3/file_body.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/errno_name.h"
#include "base/mem.h"
#include "h3/conn_state.h"
#include "h3/file_open.h"
#include "h3/request.h"
#include "h3/stalls.h"

#define DEFAULT_MAX 4096 /* enough for a cache, whatever the process may open */
#define DEFAULT_MIN 16
#define LOG_BURST 5 /* lines; then one a second */

struct wt__file_body {
  struct wt__h3_conn *conn;
  struct wt__link in_worker, in_conn; /* while it has a descriptor */
  int fd;                             /* -1: it was closed to make room */
  uint64_t off, left;
  dev_t device;
  ino_t inode;
  off_t size;
  struct timespec changed;
  const char *path; /* in `names`, behind the folder */
  char names[];
};

/* --- Descriptors --- */

void wt__open_files_init(struct wt__open_files *files, size_t max) {
  wt__list_init(&files->list);
  files->count = 0;
  files->max = max;
  wt__log_limit_init(&files->lines, 1, LOG_BURST);
}

size_t wt__open_files_default(void) {
  struct rlimit limit;
  rlim_t half;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return DEFAULT_MAX;
  half = limit.rlim_cur / 2;
  if (half > DEFAULT_MAX) return DEFAULT_MAX;
  return half < DEFAULT_MIN ? DEFAULT_MIN : (size_t)half;
}

static struct wt__open_files *files_of(const struct wt__h3_conn *conn) { return conn->config->open_files; }

void wt__open_files_log(const wt_request *request, int os_error, const char *then) {
  const struct wt__h3_conn *conn = request->conn;
  struct wt__open_files *files = files_of(conn);
  WT__WARN_LIMITED(conn->config->log, files ? &files->lines : NULL, conn->now,
                   WT__EVENT_OF("file_unreadable", WT__H3_CONNECTION(conn), WT__INTEGER("request", request->id),
                                WT__TEXT("path", request->path), WT__TEXT("errno", wt__errno_name(os_error)),
                                WT__TEXT("reason", then)),
                   "request %lld from %s: the file of %s cannot be read (%s), %s", (long long)request->id,
                   conn->peer_address, request->path, strerror(os_error), then);
}

/* Keeps errno. */
static void file_close(struct wt__file_body *file) {
  int error = errno;
  if (file->fd < 0) return;
  close(file->fd);
  file->fd = -1;
  if (wt__link_linked(&file->in_conn)) {
    wt__list_remove(&file->in_conn);
    wt__list_remove(&file->in_worker);
    file->conn->open_files_len--;
    files_of(file->conn)->count--;
  }
  errno = error;
}

/* The file was read just now. If too many are open, the least recently read are closed. */
static void file_keep(struct wt__file_body *file) {
  struct wt__h3_conn *conn = file->conn;
  struct wt__open_files *files = files_of(conn);
  if (!files) return;
  if (!wt__link_linked(&file->in_conn)) {
    files->count++;
    conn->open_files_len++;
  }
  wt__list_remove(&file->in_worker);
  wt__list_remove(&file->in_conn);
  wt__list_push_back(&files->list, &file->in_worker);
  wt__list_push_back(&conn->open_files, &file->in_conn);
  while (conn->open_files_len > conn->config->max_open_files_per_connection) {
    file_close(WT__CONTAINER_OF(wt__list_first(&conn->open_files), struct wt__file_body, in_conn));
  }
  while (files->count > files->max) {
    file_close(WT__CONTAINER_OF(wt__list_first(&files->list), struct wt__file_body, in_worker));
  }
}

static bool files_close_one(struct wt__open_files *files) {
  struct wt__link *first = files ? wt__list_first(&files->list) : NULL;
  if (!first) return false;
  file_close(WT__CONTAINER_OF(first, struct wt__file_body, in_worker));
  return true;
}

int wt__open_files_open(struct wt__h3_conn *conn, const char *directory, const char *path, struct stat *info) {
  int fd;
  do {
    fd = wt__file_open_below(directory, path, info);
  } while (fd < 0 && (errno == EMFILE || errno == ENFILE) && files_close_one(files_of(conn)));
  return fd;
}

/* --- A file --- */

static size_t file_size(const char *directory, const char *path) {
  return sizeof(struct wt__file_body) + strlen(directory) + strlen(path) + 2;
}

struct wt__file_body *wt__file_body_new(struct wt__h3_conn *conn, int fd, const struct stat *info,
                                        const char *directory, const char *path, uint64_t off, uint64_t left) {
  size_t len = strlen(directory) + 1, size = file_size(directory, path);
  struct wt__file_body *file = wt__malloc(size);
  if (!file) return NULL;
  *file = (struct wt__file_body){
      .conn = conn,
      .fd = fd,
      .off = off,
      .left = left,
      .device = info->st_dev,
      .inode = info->st_ino,
      .size = info->st_size,
      .changed = info->st_mtim,
      .path = file->names + len,
  };
  wt__link_init(&file->in_worker);
  wt__link_init(&file->in_conn);
  memcpy(file->names, directory, len);
  memcpy(file->names + len, path, strlen(path) + 1);
  wt__gauge_add(conn->mux.gauge, size);
  file_keep(file);
  return file;
}

void wt__file_body_free(struct wt__file_body *file) {
  if (!file) return;
  file_close(file);
  wt__gauge_remove(file->conn->mux.gauge, file_size(file->names, file->path));
  wt__free(file);
}

uint64_t wt__file_body_left(const struct wt__file_body *file) { return file->left; }

/* Opens it again, if it was closed. */
static bool file_have(struct wt__file_body *file) {
  struct stat info;
  if (file->fd >= 0) return true;
  file->fd = wt__open_files_open(file->conn, file->names, file->path, &info);
  if (file->fd < 0) return false;
  if (info.st_dev == file->device && info.st_ino == file->inode && info.st_size == file->size &&
      info.st_mtim.tv_sec == file->changed.tv_sec && info.st_mtim.tv_nsec == file->changed.tv_nsec) {
    return true;
  }
  file_close(file);
  errno = ESTALE;
  return false;
}

ssize_t wt__file_body_read(struct wt__file_body *file, void *data, size_t len) {
  ssize_t n;
  if (!file_have(file)) return -1;
  if (len > file->left) len = (size_t)file->left;
  do {
    n = pread(file->fd, data, len, (off_t)file->off);
  } while (n < 0 && errno == EINTR);
  if (n == 0) errno = ESTALE; /* it became shorter */
  if (n <= 0) return -1;
  file->off += (uint64_t)n;
  file->left -= (uint64_t)n;
  if (file->left == 0) {
    file_close(file);
  } else {
    file_keep(file);
  }
  return n;
}
