/* SPDX-License-Identifier: MIT */

/* A handle of libuv in memory of its own, which lives until libuv has let go of it. */

#include "net/watch.h"

#include "base/mem.h"

struct wt__watch {
  uv_poll_t poll;
  struct wt__loop *loop;
  void (*on_ready)(void *ctx);
  void *ctx;
};

static void watch_on_close(uv_handle_t *handle) {
  struct wt__watch *watch = handle->data;
  watch->loop->handles_open--;
  wt__free(watch);
}

static void watch_on_poll(uv_poll_t *handle, int status, int events) {
  const struct wt__watch *watch = handle->data;
  (void)status; /* what is wrong is seen when it is read */
  (void)events;
  watch->on_ready(watch->ctx);
}

struct wt__watch *wt__watch_new(struct wt__loop *loop, int fd, void (*on_ready)(void *ctx), void *ctx) {
  struct wt__watch *watch = wt__calloc(1, sizeof(*watch));
  if (!watch) return NULL;
  *watch = (struct wt__watch){.loop = loop, .on_ready = on_ready, .ctx = ctx};
  if (uv_poll_init(loop->uv, &watch->poll, fd)) {
    wt__free(watch);
    return NULL;
  }
  watch->poll.data = watch;
  wt__loop_opened(loop, (uv_handle_t *)&watch->poll);
  if (uv_poll_start(&watch->poll, UV_READABLE | UV_DISCONNECT, watch_on_poll) == 0) return watch;
  wt__watch_free(watch);
  return NULL;
}

void wt__watch_free(struct wt__watch *watch) {
  if (watch) uv_close((uv_handle_t *)&watch->poll, watch_on_close);
}
