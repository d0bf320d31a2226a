/* SPDX-License-Identifier: MIT */

/*
 * One turn of the loop:
 *
 *     +--> prepare: the pass (run connections, send)
 *     |        |
 *     |        v
 *     |    block until a socket is ready, the timer fires, or another thread calls
 *     |        |
 *     |        v
 *     +--- sockets: datagrams go to their connections     wake: posts, shutdown
 *
 * So however many packets arrive at once, each connection is run once for all of them, and whatever the
 * application does in any callback, also in those of its own handles on the same loop, is sent before the
 * loop blocks.
 *
 * QUIC paces packets in steps far below a millisecond, the grain of libuv's timers. A timerfd in the poll
 * set has nanoseconds. It is set again only when the next pass is earlier than what it is set to: a
 * deadline that moves back with every packet costs one needless wake-up at the old one, instead of a
 * system call a packet. A pass that is due at once needs neither: an active idle handle keeps the loop
 * from blocking.
 *
 * The wake handle lives as long as the server, so that other threads and signal handlers never meet a
 * closed one; it does not keep the loop running. A client's other handles do not either, except for the
 * prepare handle, and that one only while the client has something to do: a caller's loop then ends by itself.
 */

#include "net/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <webtransport/error.h>

static void handle_on_close(uv_handle_t *handle) {
  struct wt__loop *loop = handle->data;
  loop->handles_open--;
}

static void socket_on_close(uv_handle_t *handle) {
  struct wt__socket *socket = handle->data;
  socket->loop->handles_open--;
}

static int loop_opened(struct wt__loop *loop, int status) {
  if (status == 0) loop->handles_open++;
  return status ? WT_ERR_IO : 0;
}

static void handle_opened(struct wt__loop *loop, uv_handle_t *handle) {
  if (loop->lazy) uv_unref(handle);
}

/* A turn begins with its first event. */
static void loop_begin(struct wt__loop *loop) {
  if (loop->began == 0) loop->began = uv_hrtime();
}

uint64_t wt__loop_now(struct wt__loop *loop) {
  if (loop->now == 0) loop->now = uv_hrtime();
  if (loop->began == 0) loop->began = loop->now;
  return loop->now;
}

uint64_t wt__loop_began(const struct wt__loop *loop) { return loop->began; }

/* --- Time --- */

static void timer_set(struct wt__loop *loop, uint64_t at) {
  struct itimerspec spec = {
      .it_value = {.tv_sec = (time_t)(at / 1000000000), .tv_nsec = (long)(at % 1000000000)},
  };
  if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0) loop->timer_at = at;
}

static void timer_on_poll(uv_poll_t *handle, int status, int events) {
  struct wt__loop *loop = handle->data;
  uint64_t expirations;
  (void)status;
  (void)events;
  while (read(loop->timer_fd, &expirations, sizeof(expirations)) < 0 && errno == EINTR) continue;
  loop->timer_at = UINT64_MAX;
}

static void idle_on_turn(uv_idle_t *handle) { (void)handle; }

static void prepare_on_turn(uv_prepare_t *handle) {
  struct wt__loop *loop = handle->data;
  loop->now = 0;
  uint64_t next = loop->callbacks->on_pass(loop->ctx);
  if (!loop->running) return; /* the pass was the last one */
  if (next <= wt__loop_now(loop)) {
    uv_idle_start(&loop->idle, idle_on_turn);
  } else {
    uv_idle_stop(&loop->idle);
    if (next < loop->timer_at) timer_set(loop, next);
  }
  loop->now = loop->began = 0; /* it blocks now */
}

/* --- Handles of the loop --- */

static void wake_on_async(uv_async_t *handle) {
  struct wt__loop *loop = handle->data;
  loop_begin(loop);
  loop->callbacks->on_wake(loop->ctx);
}

int wt__loop_init(struct wt__loop *loop, uv_loop_t *uv, const struct wt__loop_callbacks *callbacks, void *ctx) {
  memset(loop, 0, sizeof(*loop));
  loop->callbacks = callbacks;
  loop->ctx = ctx;
  loop->timer_fd = -1;
  loop->is_own = !uv;
  loop->uv = uv ? uv : &loop->own;
  if (loop->is_own && uv_loop_init(&loop->own)) return WT_ERR_IO;
  if (loop_opened(loop, uv_async_init(loop->uv, &loop->wake, wake_on_async))) {
    if (loop->is_own) uv_loop_close(&loop->own);
    return WT_ERR_IO;
  }
  loop->wake.data = loop;
  uv_unref((uv_handle_t *)&loop->wake);
  return 0;
}

static int timer_start(struct wt__loop *loop) {
  loop->timer_at = UINT64_MAX;
  loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (loop->timer_fd < 0) return WT_ERR_IO;
  if (loop_opened(loop, uv_poll_init(loop->uv, &loop->timer, loop->timer_fd))) {
    close(loop->timer_fd);
    loop->timer_fd = -1;
    return WT_ERR_IO;
  }
  loop->timer.data = loop;
  handle_opened(loop, (uv_handle_t *)&loop->timer);
  return uv_poll_start(&loop->timer, UV_READABLE, timer_on_poll) ? WT_ERR_IO : 0;
}

void wt__loop_set_lazy(struct wt__loop *loop) { loop->lazy = true; }

void wt__loop_hold(struct wt__loop *loop, bool on) {
  if (loop->held == on || !loop->running) return;
  loop->held = on;
  if (on) {
    uv_ref((uv_handle_t *)&loop->prepare);
  } else {
    uv_unref((uv_handle_t *)&loop->prepare);
  }
}

int wt__loop_start(struct wt__loop *loop) {
  /* These two cannot fail in any version of libuv. */
  uv_prepare_init(loop->uv, &loop->prepare);
  uv_idle_init(loop->uv, &loop->idle);
  loop->prepare.data = loop->idle.data = loop;
  loop->handles_open += 2;
  loop->running = true;
  handle_opened(loop, (uv_handle_t *)&loop->prepare);
  handle_opened(loop, (uv_handle_t *)&loop->idle);
  uv_prepare_start(&loop->prepare, prepare_on_turn);
  return timer_start(loop);
}

void wt__loop_stop(struct wt__loop *loop) {
  if (!loop->running) return;
  loop->running = false;
  uv_close((uv_handle_t *)&loop->prepare, handle_on_close);
  uv_close((uv_handle_t *)&loop->idle, handle_on_close);
  if (loop->timer_fd < 0) return;
  uv_close((uv_handle_t *)&loop->timer, handle_on_close);
  close(loop->timer_fd); /* uv_close has taken it out of the poll set */
  loop->timer_fd = -1;
}

void wt__loop_free(struct wt__loop *loop) {
  uv_close((uv_handle_t *)&loop->wake, handle_on_close);
  while (loop->handles_open > 0) uv_run(loop->uv, UV_RUN_NOWAIT);
  if (loop->is_own) uv_loop_close(&loop->own);
}

void wt__loop_wake(struct wt__loop *loop) { uv_async_send(&loop->wake); }

bool wt__loop_turn(struct wt__loop *loop) { return uv_run(loop->uv, UV_RUN_ONCE) != 0; }

/* --- Sockets --- */

static void socket_on_poll(uv_poll_t *handle, int status, int events);

static int socket_poll(struct wt__socket *socket) {
  int events = UV_READABLE | (socket->want_write ? UV_WRITABLE : 0);
  return uv_poll_start(&socket->poll, events, socket_on_poll) ? WT_ERR_IO : 0;
}

/* libuv stops a handle whose socket has an error to tell. It is one of an earlier packet (a peer that is
 * gone, a route that broke), which says nothing about the socket: it is fetched, and told to who wants it. */
static void socket_revive(struct wt__socket *socket) {
  struct wt__loop *loop = socket->loop;
  int os_error;
  socklen_t len = sizeof(os_error);
  getsockopt(socket->udp.fd, SOL_SOCKET, SO_ERROR, &os_error, &len);
  if (loop->callbacks->on_error) loop->callbacks->on_error(loop->ctx, socket);
  if (socket->polled) socket_poll(socket);
}

static void socket_on_poll(uv_poll_t *handle, int status, int events) {
  struct wt__socket *socket = handle->data;
  struct wt__loop *loop = socket->loop;
  if (status < 0) {
    socket_revive(socket);
    return;
  }
  if (events & UV_WRITABLE) {
    socket->want_write = false;
    socket_poll(socket);
    loop->callbacks->on_writable(loop->ctx, socket);
  }
  if (events & UV_READABLE && socket->polled) loop->callbacks->on_readable(loop->ctx, socket);
}

int wt__loop_add(struct wt__loop *loop, struct wt__socket *socket) {
  socket->loop = loop;
  socket->want_write = false;
  int error = loop_opened(loop, uv_poll_init(loop->uv, &socket->poll, socket->udp.fd));
  if (error) return error;
  socket->poll.data = socket;
  socket->polled = true;
  handle_opened(loop, (uv_handle_t *)&socket->poll);
  return socket_poll(socket);
}

void wt__loop_want_write(struct wt__socket *socket) {
  if (socket->want_write || !socket->polled) return;
  socket->want_write = true;
  socket_poll(socket);
}

void wt__loop_remove(struct wt__socket *socket) {
  if (socket->polled) uv_close((uv_handle_t *)&socket->poll, socket_on_close);
  socket->polled = false;
  wt__udp_close(&socket->udp);
}
