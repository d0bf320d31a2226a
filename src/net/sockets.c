/* SPDX-License-Identifier: MIT */

/*
 * The sockets of a loop: when they are polled, and for what.
 *
 * epoll tells of a readable socket until it has been read. If it cannot be read, each turn of the loop would follow the
 * other at once, and take a core. The same is true of an error that nobody takes from the socket, and of a socket that
 * says that it takes packets and takes none. So each of these is counted, and when it does not pass the socket is
 * polled again only after a pause, which doubles each time:
 *
 *     cannot be read     the first pause follows the first failure. After TRIES_MAX in a row the owner is told that it
 *                        lasts, and the socket is left alone.
 *     empty, full, or    the first pause follows the 64th event in a row. This never ends the socket: the network can
 *     an old error       cause some of it.
 *
 * One packet that comes, or goes, and all is forgotten.
 */

#include <errno.h>

#include <webtransport/error.h>

#include "net/loop.h"

#define TRIES_MAX 10     /* with the pauses, some 3 s */
#define PAUSE_MIN_MS 5   /* the first pause */
#define PAUSE_MAX_MS 500 /* the longest */
#define EVENTS_MAX 64    /* in vain, before there is a pause */

static void socket_on_poll(uv_poll_t *handle, int status, int events);

static void socket_on_close(uv_handle_t *handle) {
  struct wt__socket *socket = handle->data;
  socket->loop->handles_open--;
}

static int socket_poll(struct wt__socket *socket) {
  int events =
      (socket->deaf || socket->held ? 0 : UV_READABLE) | (socket->want_write && !socket->mute ? UV_WRITABLE : 0);
  return events ? uv_poll_start(&socket->poll, events, socket_on_poll) : uv_poll_stop(&socket->poll);
}

/* --- Pauses --- */

static void retry_on_time(uv_timer_t *handle) {
  struct wt__socket *socket = handle->data;
  socket->deaf = socket->mute = false;
  if (socket->polled) (void)socket_poll(socket); /* what is polled already can always be polled anew */
}

static void socket_pause(struct wt__socket *socket, unsigned times) {
  uint64_t pause = times < 8 ? (uint64_t)PAUSE_MIN_MS << times : PAUSE_MAX_MS;
  if (uv_is_active((uv_handle_t *)&socket->retry)) pause = uv_timer_get_due_in(&socket->retry);
  if (pause > PAUSE_MAX_MS) pause = PAUSE_MAX_MS;
  uv_timer_start(&socket->retry, retry_on_time, pause, 0);
  (void)socket_poll(socket);
}

static void socket_fail(struct wt__socket *socket, int os_error) {
  struct wt__loop *loop = socket->loop;
  bool lasting = ++socket->failures >= TRIES_MAX;
  socket->deaf = true;
  if (lasting) {
    (void)socket_poll(socket);
  } else {
    socket_pause(socket, socket->failures - 1);
  }
  if (!loop->callbacks->on_failing || (socket->failures > 1 && !lasting)) return;
  loop->callbacks->on_failing(loop->ctx, socket, os_error, lasting);
}

static void socket_in_vain(struct wt__socket *socket) {
  if (++socket->empties < EVENTS_MAX) return;
  socket->deaf = true;
  socket_pause(socket, socket->empties - EVENTS_MAX);
}

void wt__loop_read(struct wt__socket *socket, int os_error) {
  if (os_error == 0) {
    socket->failures = socket->empties = 0;
  } else if (!socket->polled || socket->deaf) {
    return;
  } else if (os_error == EAGAIN) {
    socket_in_vain(socket);
  } else {
    socket_fail(socket, os_error);
  }
}

/* --- Events --- */

/* libuv stops a handle whose socket has an error to tell. It is one of an earlier packet (a peer that is
 * gone, a route that broke), which says nothing about the socket: it is fetched, and told to who wants it. */
static void socket_revive(struct wt__socket *socket) {
  struct wt__loop *loop = socket->loop;
  struct wt__address remote;
  int os_error;
  socklen_t len = sizeof(os_error);
  getsockopt(socket->udp.fd, SOL_SOCKET, SO_ERROR, &os_error, &len);
  if (loop->callbacks->on_error) loop->callbacks->on_error(loop->ctx, socket);
  if (!socket->polled) return;
  while (wt__udp_error(&socket->udp, &remote, &os_error)) continue; /* else it would be told at once again */
  (void)socket_poll(socket);
  wt__loop_read(socket, socket->udp.recv_error);
}

static void socket_writable(struct wt__socket *socket) {
  struct wt__loop *loop = socket->loop;
  socket->want_write = false;
  (void)socket_poll(socket);
  loop->callbacks->on_writable(loop->ctx, socket);
  if (!socket->want_write) socket->fulls = 0;
}

static void socket_on_poll(uv_poll_t *handle, int status, int events) {
  struct wt__socket *socket = handle->data;
  struct wt__loop *loop = socket->loop;
  if (status < 0) {
    socket_revive(socket);
    return;
  }
  if (events & UV_WRITABLE) socket_writable(socket);
  if (events & UV_READABLE && socket->polled && !socket->held) loop->callbacks->on_readable(loop->ctx, socket);
}

/* --- Beginning and end --- */

static void sockets_remove(struct wt__socket *socket) {
  struct wt__socket **at = &socket->loop->sockets;
  while (*at && *at != socket) at = &(*at)->next;
  if (*at) *at = socket->next;
}

int wt__loop_add(struct wt__loop *loop, struct wt__socket *socket) {
  socket->loop = loop;
  socket->want_write = socket->deaf = socket->mute = socket->held = false;
  socket->failures = socket->empties = socket->fulls = 0;
  int status = uv_poll_init(loop->uv, &socket->poll, socket->udp.fd);
  if (status == 0) {
    uv_timer_init(loop->uv, &socket->retry); /* cannot fail */
    socket->poll.data = socket->retry.data = socket;
    socket->polled = true;
    socket->next = loop->sockets;
    loop->sockets = socket;
    wt__loop_opened(loop, (uv_handle_t *)&socket->poll);
    wt__loop_opened(loop, (uv_handle_t *)&socket->retry);
    status = socket_poll(socket);
  }
  if (status) loop->why = uv_strerror(status);
  return status ? WT_ERR_IO : 0;
}

void wt__loop_hold_reading(struct wt__socket *socket, bool on) {
  if (socket->held == on) return;
  socket->held = on;
  socket->failures = socket->empties = 0;
  if (socket->polled) (void)socket_poll(socket);
}

void wt__loop_want_write(struct wt__socket *socket) {
  if (socket->want_write || !socket->polled) return;
  socket->want_write = true;
  if (++socket->fulls > EVENTS_MAX) {
    socket->mute = true;
    socket_pause(socket, socket->fulls - EVENTS_MAX);
  } else {
    (void)socket_poll(socket);
  }
}

void wt__loop_remove(struct wt__socket *socket) {
  if (socket->polled) {
    sockets_remove(socket);
    uv_close((uv_handle_t *)&socket->poll, socket_on_close);
    uv_close((uv_handle_t *)&socket->retry, socket_on_close);
  }
  socket->polled = false;
  wt__udp_close(&socket->udp);
}
