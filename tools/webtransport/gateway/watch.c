/* SPDX-License-Identifier: MIT */
/*
 * A socket on the gateway's loop. libuv's own streams read before anybody asks and queue what is written, so they need
 * a second queue beside that of the WebTransport stream. Here the caller reads and writes by himself, straight from and
 * to the library's buffers, and only waits by libuv.
 *
 * epoll always reports errors and hang-ups. libuv then stops the handle, or would call again and again while nobody
 * reads. So a socket that is broken and not wanted is reported once, and left alone until `watch_set`.
 */
#include "gateway/watch.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uv.h>

struct watch {
  uv_poll_t poll;
  int fd;
  int events;  /* that libuv waits for; 0: it is stopped */
  bool broken; /* this was reported */
  watch_callback callback;
  void *user_data;
};

static void watch_on_poll(uv_poll_t *poll, int status, int events) {
  struct watch *watch = poll->data;
  bool readable = events & UV_READABLE, writable = events & UV_WRITABLE;
  if (status < 0 || !(readable || writable)) {
    uv_poll_stop(poll);
    watch->events = 0;
    watch->broken = true;
    readable = writable = true;
  }
  watch->callback(readable, writable, watch->user_data);
}

struct watch *watch_new(struct uv_loop_s *loop, int fd, watch_callback callback, void *user_data) {
  struct watch *watch = calloc(1, sizeof *watch);
  if (!watch || uv_poll_init(loop, &watch->poll, fd)) {
    free(watch);
    close(fd);
    return NULL;
  }
  watch->fd = fd;
  watch->callback = callback;
  watch->user_data = user_data;
  watch->poll.data = watch;
  return watch;
}

void watch_set(struct watch *watch, bool readable, bool writable) {
  int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  if (!watch->broken) events |= UV_PRIORITIZED; /* stands for "nothing": libuv still reports errors */
  if (events == watch->events) return;
  if (!events || uv_poll_start(&watch->poll, events, watch_on_poll)) {
    uv_poll_stop(&watch->poll);
    events = 0;
  }
  watch->events = events;
}

int watch_fd(const struct watch *watch) { return watch->fd; }

static void watch_on_closed(uv_handle_t *handle) { free(handle->data); }

void watch_close(struct watch *watch) {
  if (!watch) return;
  int fd = watch->fd;
  uv_close((uv_handle_t *)&watch->poll, watch_on_closed); /* takes the descriptor out of epoll at once */
  close(fd);
}

void watch_close_with_reset(struct watch *watch) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  if (!watch) return;
  (void)setsockopt(watch->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger); /* without effect on a Unix socket */
  watch_close(watch);
}
