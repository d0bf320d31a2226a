/* SPDX-License-Identifier: MIT */
/*
 * Opening a file below a folder, and nowhere else, whatever symbolic links say.
 *
 * Checking a path before opening it is a race: the folder may change in between. So the kernel does both in
 * one step: openat2 with RESOLVE_BENEATH fails when any component, a link's target included, leads out.
 *
 * Kernels before 5.6, and some sandboxes, do not have it. Then the file is opened first and asked afterwards
 * where it is (/proc/self/fd): a descriptor that turns out to lie outside is closed unread. Without /proc
 * nothing is served.
 *
 * O_NONBLOCK: opening a FIFO must not wait for a writer; it is turned away as no regular file.
 */

#include "h3/file_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* Returns -1 with errno as `error`. */
static int file_refuse(int fd, int error) {
  close(fd);
  errno = error;
  return -1;
}

/* Keeps `fd` if it is something that can be served. */
static int file_accept(int fd, struct stat *info) {
  if (fd < 0) return -1;
  if (fstat(fd, info) != 0) return file_refuse(fd, errno);
  return S_ISREG(info->st_mode) || S_ISDIR(info->st_mode) ? fd : file_refuse(fd, ENOENT);
}

static bool fd_path(int fd, char *dst, size_t size) {
  char link[64];
  ssize_t len;
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  len = readlink(link, dst, size - 1);
  if (len < 0) {
    if (errno == ENOENT) errno = ENOSYS; /* there is no /proc */
    return false;
  }
  if (len == 0 || (size_t)len >= size - 1) {
    errno = ENAMETOOLONG;
    return false;
  }
  dst[len] = '\0';
  return true;
}

/* False with errno, which is EXDEV if it lies outside. */
static bool fd_is_below(int fd, int directory_fd) {
  char path[PATH_MAX], directory[PATH_MAX];
  size_t len;
  if (!fd_path(fd, path, sizeof(path)) || !fd_path(directory_fd, directory, sizeof(directory))) return false;
  len = strlen(directory);
  if (len > 0 && directory[len - 1] == '/') len--; /* the root */
  errno = EXDEV;
  return strncmp(path, directory, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int open_compared(int directory_fd, const char *path) {
  int fd = openat(directory_fd, path, OPEN_FLAGS);
  return fd >= 0 && !fd_is_below(fd, directory_fd) ? file_refuse(fd, errno) : fd;
}

static int open_beneath(int directory_fd, const char *path) {
  struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  int fd = -1;
  for (int tries = 0; tries < 8 && fd < 0; tries++) {
    fd = (int)syscall(SYS_openat2, directory_fd, path, &how, sizeof(how));
    if (fd < 0 && errno != EAGAIN) break; /* EAGAIN: a rename raced with it */
  }
  /* A sandbox may refuse the call with any errno. Where the file is what is refused, the other way refuses it too. */
  bool refused = errno == ENOSYS || errno == EPERM || errno == EACCES || errno == EINVAL || errno == EOPNOTSUPP;
  return fd < 0 && refused ? open_compared(directory_fd, path) : fd;
}

static int open_below(const char *directory, const char *path, struct stat *info,
                      int (*open_in)(int directory_fd, const char *path)) {
  int directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int fd, error;
  if (directory_fd < 0) return -1;
  fd = open_in(directory_fd, path);
  error = errno;
  close(directory_fd);
  errno = error;
  return file_accept(fd, info);
}

int wt__file_open_below(const char *directory, const char *path, struct stat *info) {
  return open_below(directory, path, info, open_beneath);
}

int wt__file_open_below_compared(const char *directory, const char *path, struct stat *info) {
  return open_below(directory, path, info, open_compared);
}
