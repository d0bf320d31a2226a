/* SPDX-License-Identifier: MIT */

/*
 * Unix sockets that keep messages apart (SOCK_SEQPACKET), so that nobody has to put bytes together, and the end of the other
 * process is seen at once.
 *
 * Who may connect: whoever gets the sockets gets all clients. So the file has mode 0600 from the moment it exists (the mode
 * of the socket is set before it is bound), and both sides ask the kernel who the other one is: the same user, or root.
 * The second check holds where the folder is one that everybody may write to: a stranger can be there first.
 *
 * A new process listens under a name of its own first, and renames it over the path once it has taken over. So somebody
 * always listens at the path, and a new process that fails leaves nothing. A file that another process has put in its place
 * is not removed: that would be the next process's.
 */

#include "net/takeover_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <webtransport/error.h>

#include "net/udp.h"

#define BACKLOG 8
#define BUFFER (4 * 1024 * 1024) /* more than the system allows, which then gives what it does */

static int io_fail(char *message, size_t size, const char *what, const char *path, int os_error) {
  (void)snprintf(message, size, "%s %s: %s", what, path, wt__os_error_text(os_error));
  return WT_ERR_IO;
}

static void address_set(struct sockaddr_un *address, const char *path) {
  memset(address, 0, sizeof(*address));
  address->sun_family = AF_UNIX;
  (void)snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
}

int wt__takeover_check_path(const char *path, char *message, size_t size) {
  struct stat info;
  size_t len = strlen(path);
  if (len == 0 || len > WT__TAKEOVER_PATH_MAX) {
    (void)snprintf(message, size, "the path of a takeover must have 1 to %d bytes, and has %zu", WT__TAKEOVER_PATH_MAX,
                   len);
    return WT_ERR_INVALID;
  }
  if (lstat(path, &info)) return errno == ENOENT ? 0 : io_fail(message, size, "cannot look at", path, errno);
  if (S_ISSOCK(info.st_mode)) return 0;
  (void)snprintf(message, size, "%s is not a socket: remove it, or choose another path", path);
  return WT_ERR_FILE;
}

static int socket_new(void) {
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), bytes = BUFFER;
  if (fd >= 0) (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
  return fd;
}

/* --- Listening --- */

static int listener_bind(struct wt__takeover_listener *listener) {
  struct sockaddr_un address;
  struct stat info;
  address_set(&address, listener->temporary);
  if (unlink(listener->temporary) && errno != ENOENT) return -1; /* of a process with this number, long ago */
  if (fchmod(listener->fd, S_IRUSR | S_IWUSR)) return -1;
  if (bind(listener->fd, (struct sockaddr *)&address, sizeof(address))) return -1;
  if (listen(listener->fd, BACKLOG) || lstat(listener->temporary, &info)) return -1;
  listener->device = info.st_dev;
  listener->inode = info.st_ino;
  return 0;
}

int wt__takeover_listen(struct wt__takeover_listener *listener, const char *path, char *message, size_t size) {
  static _Atomic unsigned number; /* servers of one process */
  *listener = (struct wt__takeover_listener){.fd = -1};
  int error = wt__takeover_check_path(path, message, size);
  if (error) return error;
  (void)snprintf(listener->path, sizeof(listener->path), "%s", path);
  (void)snprintf(listener->temporary, sizeof(listener->temporary), "%s.%08x%02x", path, (unsigned)getpid(),
                 number++ & 0xffu);
  listener->fd = socket_new();
  if (listener->fd >= 0 && listener_bind(listener) == 0) return 0;
  error = io_fail(message, size, "cannot listen at", path, errno);
  wt__takeover_unlisten(listener);
  return error;
}

int wt__takeover_publish(struct wt__takeover_listener *listener, char *message, size_t size) {
  int error = wt__takeover_check_path(listener->path, message, size);
  if (error) return error;
  if (rename(listener->temporary, listener->path))
    return io_fail(message, size, "cannot listen at", listener->path, errno);
  listener->published = true;
  return 0;
}

void wt__takeover_unlisten(struct wt__takeover_listener *listener) {
  struct stat info;
  if (listener->fd < 0) return;
  const char *name = listener->published ? listener->path : listener->temporary;
  bool ours = lstat(name, &info) == 0 && info.st_dev == listener->device && info.st_ino == listener->inode;
  if (ours) (void)unlink(name);
  close(listener->fd);
  listener->fd = -1;
  listener->published = false;
}

/* --- Who is at the other end --- */

static bool is_of_this_user(int fd) {
  struct ucred peer = {0};
  socklen_t len = sizeof(peer);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) || len != sizeof(peer)) return false;
  return peer.uid == geteuid() || peer.uid == 0;
}

int wt__takeover_accept(struct wt__takeover_listener *listener, bool *stranger) {
  int bytes = BUFFER;
  *stranger = false;
  int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return -1;
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
  if (is_of_this_user(fd)) return fd;
  *stranger = true;
  close(fd);
  return -1;
}

int wt__takeover_connect(const char *path, int *fd, char *message, size_t size) {
  struct sockaddr_un address;
  *fd = -1;
  int error = wt__takeover_check_path(path, message, size);
  if (error) return error;
  int made = socket_new();
  if (made < 0) return io_fail(message, size, "cannot connect to", path, errno);
  address_set(&address, path);
  if (connect(made, (struct sockaddr *)&address, sizeof(address))) {
    int os_error = errno;
    close(made);
    if (os_error == ENOENT || os_error == ECONNREFUSED) return WT_ERR_NOT_FOUND;
    return io_fail(message, size, "cannot connect to", path, os_error);
  }
  if (!is_of_this_user(made)) {
    close(made);
    (void)snprintf(message, size, "the process that listens at %s belongs to another user", path);
    return WT_ERR_FILE;
  }
  *fd = made;
  return 0;
}

/* --- Messages --- */

union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(WT__TAKEOVER_FDS_MAX * sizeof(int))];
};

int wt__takeover_send(int fd, const void *data, size_t len, const int *fds, size_t count) {
  union control control;
  struct iovec iovec = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
  struct msghdr message = {.msg_iov = &iovec, .msg_iovlen = 1};
  if (count > WT__TAKEOVER_FDS_MAX) return EINVAL;
  if (count > 0) {
    memset(&control, 0, sizeof(control));
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
  }
  ssize_t sent;
  do {
    sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

void wt__takeover_close_fds(int *fds, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (fds[i] >= 0) close(fds[i]);
    fds[i] = -1;
  }
}

static void fds_take(struct msghdr *message, int *fds, size_t *count) {
  *count = 0;
  for (struct cmsghdr *it = CMSG_FIRSTHDR(message); it; it = CMSG_NXTHDR(message, it)) {
    if (it->cmsg_level != SOL_SOCKET || it->cmsg_type != SCM_RIGHTS) continue;
    size_t more = (it->cmsg_len - CMSG_LEN(0)) / sizeof(int); /* what the kernel gives fits into the union */
    memcpy(fds + *count, CMSG_DATA(it), more * sizeof(int));
    *count += more;
  }
}

ssize_t wt__takeover_recv(int fd, void *data, size_t size, int *fds, size_t *count) {
  union control control;
  struct iovec iovec = {.iov_base = data, .iov_len = size};
  struct msghdr message = {
      .msg_iov = &iovec, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
  ssize_t len;
  *count = 0;
  do {
    len = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (len < 0 && errno == EINTR);
  if (len < 0) return -1;
  fds_take(&message, fds, count);
  if (len > 0 && !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) return len;
  wt__takeover_close_fds(fds, *count);
  *count = 0;
  errno = len == 0 ? 0 : EMSGSIZE;
  return len == 0 ? 0 : -1;
}
