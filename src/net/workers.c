/* SPDX-License-Identifier: MIT */

/*
 * What the workers of a server, each on its thread, get from each other and from outside: packets that belong to a
 * connection of another one, calls, and requests to end. None of it waits: it is put where the worker looks when it wakes
 * (net/serve.c).
 */

#include "net/workers.h"

#include "net/inbox.h"
#include "net/loop.h"
#include "net/post.h"
#include "net/server_state.h"
#include "net/steer.h"
#include "quic/endpoint.h"

/* --- Packets --- */

void wt__server_steer(struct wt_server *server) {
  for (size_t i = 0; i < server->workers[0].socket_count; i++) {
    (void)wt__steer(&server->workers[0].sockets[i].udp, server->ids.scheme.len, server->worker_count);
  }
}

void wt__worker_forward(void *ctx, unsigned to, const struct wt__path *path, unsigned ecn, const uint8_t *data,
                        size_t len) {
  const struct wt__worker *from = ctx;
  struct wt__worker *worker = &from->server->workers[to];
  const struct wt__socket *socket = WT__CONTAINER_OF(path->socket, struct wt__socket, udp);
  struct wt__origin origin = wt__endpoint_origin(from->driver.endpoint);
  if (wt__inbox_put(&worker->inbox, (size_t)(socket - from->sockets), &origin, path, ecn, data, len)) {
    wt__loop_wake(&worker->driver.loop);
  }
}

void wt__worker_recv(struct wt__worker *worker, size_t socket, const struct wt__origin *origin, struct wt__path *path,
                     unsigned ecn, const uint8_t *data, size_t len) {
  if (!worker->driver.endpoint) return;
  path->socket = &worker->sockets[socket].udp;
  wt__endpoint_recv_from(worker->driver.endpoint, origin, path, ecn, data, len, wt__loop_now(&worker->driver.loop));
}

/* --- Requests and calls. Any thread. --- */

void wt__worker_ask(struct wt__worker *worker, unsigned what) {
  atomic_fetch_or(&worker->asked, what);
  wt__loop_wake(&worker->driver.loop);
}

void wt__server_ask(struct wt_server *server, unsigned what) {
  for (unsigned i = 0; i < server->worker_count; i++) wt__worker_ask(&server->workers[i], what);
}

int wt__worker_post(void *ctx, wt_session *session, wt__session_function function, void *argument) {
  struct wt__worker *worker = ctx;
  int error = wt__posts_add_about(&worker->posts, session, (wt__posts_function)function, argument);
  if (error == 0) wt__loop_wake(&worker->driver.loop);
  return error;
}
