/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_TAKEOVER_SOCKET_H
#define WT_NET_TAKEOVER_SOCKET_H

/* The Unix sockets of a takeover: where a process listens for the next one, and messages with descriptors. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "net/takeover_message.h"

#define WT__TAKEOVER_PATH_MAX \
  95 /* bytes: what a Unix socket's address has, less a suffix for the time before it is ours */

/* A place in the file system where a process listens. */
struct wt__takeover_listener {
  int fd;         /* -1: closed */
  bool published; /* the path leads to it; not only the path with a suffix */
  dev_t device;
  ino_t inode;
  char path[WT__TAKEOVER_PATH_MAX + 1], temporary[WT__TAKEOVER_PATH_MAX + 13];
};

/* Whether something could listen at `path`: there is nothing, or a socket. 0, WT_ERR_INVALID (it is too long or empty),
 * WT_ERR_FILE (there is another kind of file). `message` gets a sentence. */
int wt__takeover_check_path(const char *path, char *message, size_t size);

/* Listens beside `path`, for processes of this user. Whoever listens at `path` goes on. WT_ERR_IO, and the above. */
int wt__takeover_listen(struct wt__takeover_listener *listener, const char *path, char *message, size_t size);
/* From now on `path` leads here. WT_ERR_IO. */
int wt__takeover_publish(struct wt__takeover_listener *listener, char *message, size_t size);
/* Removes `path` if it still leads here. Nothing happens the second time. */
void wt__takeover_unlisten(struct wt__takeover_listener *listener);
/* The next process that connects, without waiting; -1: none. One of another user is turned away; `*stranger` is set then. */
int wt__takeover_accept(struct wt__takeover_listener *listener, bool *stranger);

/* Connects to whoever listens at `path`. WT_ERR_NOT_FOUND: nobody does; WT_ERR_FILE, WT_ERR_IO. `message` gets a sentence. */
int wt__takeover_connect(const char *path, int *fd, char *message, size_t size);

/* Sends a message with `count` descriptors, at most WT__TAKEOVER_FDS_MAX, without waiting. 0 or an errno. */
int wt__takeover_send(int fd, const void *data, size_t len, const int *fds, size_t count);

/* Receives a message with its descriptors (`fds` has WT__TAKEOVER_FDS_MAX), without waiting. Its length; 0: the other side has
 * ended; -1 with errno, EMSGSIZE if it was too large. Descriptors are the caller's; there are none with 0 and -1. */
ssize_t wt__takeover_recv(int fd, void *data, size_t size, int *fds, size_t *count);

void wt__takeover_close_fds(int *fds, size_t count);

#endif
