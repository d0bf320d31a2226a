/* SPDX-License-Identifier: MIT */

/*
 * A worker at work: sockets and time on one side, the QUIC endpoint on the other.
 *
 *     on_readable  datagrams -> endpoint             (net/driver.c)
 *     on_pass      endpoint runs, sends; when next?  (once a turn, before the loop blocks)
 *     on_writable  a socket that was full is not     (net/driver.c)
 *     on_wake      posted calls, packets that others received; shutdown and close, which other threads and signal
 *                  handlers ask for
 *
 * The end, orderly or not, always comes from the loop's own level (on_wake, on_pass) or from
 * `wt_server_free`, never from inside a callback of the application: the endpoint can be freed at once.
 *
 * Workers end together. One that has nothing left to do while the server drains waits for the others: were its
 * socket closed, the kernel would share out the packets to come among the rest. The last one to have nothing left
 * wakes them all.
 */

#include "net/serve.h"

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "core/mux.h"
#include "net/counts.h"
#include "net/driver.h"
#include "net/inbox.h"
#include "net/loop.h"
#include "net/neighbours.h"
#include "net/post.h"
#include "net/server_state.h"
#include "net/start.h"
#include "net/takeover.h"
#include "net/workers.h"
#include "quic/endpoint.h"

#define SETTLE_MS 250 /* between the last close of a session and that of its connection */
#define CLOSE_MS 1000 /* sessions are closed so long before the deadline, or after half of the time */
#define CLOSE_REASON "the server is shutting down"

/* The worker on whose loop this thread is before its next pass, so that it need not be woken for that; NULL: none. */
static _Thread_local const struct wt__worker *before_pass;

/* --- Packets --- */

static void serve_on_readable(void *ctx, struct wt__socket *socket) {
  struct wt__worker *worker = ctx;
  before_pass = worker;
  wt__driver_receive(&worker->driver, socket);
}

static void serve_on_pause(void *ctx, struct wt__socket *socket) {
  struct wt__worker *worker = ctx;
  before_pass = worker;
  wt__driver_receive_all(&worker->driver, socket);
}

static void serve_on_writable(void *ctx, struct wt__socket *socket) {
  struct wt__worker *worker = ctx;
  (void)socket;
  wt__driver_writable(&worker->driver);
}

/* A server that cannot hear its clients says so, and ends, for whoever watches over it. `wt_server_run` tells it. */
static void serve_on_failing(void *ctx, struct wt__socket *socket, int os_error, bool lasting) {
  struct wt__worker *worker = ctx;
  char text[sizeof(worker->failure)];
  wt__driver_failing(&worker->driver, socket, os_error, lasting, text, sizeof(text));
  if (!lasting) return;
  memcpy(worker->failure, text, sizeof(text));
  wt__server_ask(worker->server, ASK_CLOSE);
}

/* Workers have the same sockets in the same order. */
static void serve_on_forwarded(void *ctx, size_t socket, const struct wt__origin *origin, struct wt__path *path,
                               unsigned ecn, const uint8_t *data, size_t len) {
  wt__worker_recv(ctx, socket, origin, path, ecn, data, len);
}

/* --- What other threads ask for --- */

void wt__worker_begin_end(struct wt__worker *worker, uint64_t ms) {
  uint64_t now = wt__loop_now(&worker->driver.loop);
  worker->deadline = wt__driver_deadline(now, ms);
  worker->closes_at = wt__driver_deadline(now, ms < 2 * CLOSE_MS ? ms / 2 : ms - CLOSE_MS);
  worker->state = SERVER_DRAINING;
  atomic_store_explicit(&worker->server->draining, true, memory_order_relaxed);
}

static void worker_drain(struct wt__worker *worker) {
  struct wt_server *server = worker->server;
  bool draining = worker->state == SERVER_DRAINING && !worker->taken;
  wt__worker_begin_end(worker, atomic_load(&server->asked_deadline_ms));
  if (draining) return; /* only another deadline */
  worker->taken = false;
  if (worker->index == 0) WT__INFO(&server->log, WT__EVENT("shutting_down"), "shutting down");
  if (worker->index == 0) wt__takeover_leave(server->takeover);
  wt__endpoint_shutdown(worker->driver.endpoint, wt__loop_now(&worker->driver.loop));
}

void wt__worker_wake(void *ctx, unsigned index) {
  struct wt_server *server = ctx;
  struct wt__worker *worker = &server->workers[index];
  if (before_pass != worker) wt__loop_wake(&worker->driver.loop);
}

static void serve_on_wake(void *ctx) {
  struct wt__worker *worker = ctx;
  before_pass = worker;
  bool more = worker->index == 0 && wt__posts_run(&worker->server->posts);
  more |= wt__posts_run(&worker->posts);
  if (more) wt__loop_wake(&worker->driver.loop);
  wt__inbox_run(&worker->inbox, serve_on_forwarded, worker);
  /* What is asked before the start is done right after it. */
  if (worker->state != SERVER_RUNNING && worker->state != SERVER_DRAINING) return;
  unsigned asked = atomic_exchange(&worker->asked, 0);
  if (asked & ASK_TAKEOVER) wt__takeover_follow(worker);
  if (asked & ASK_CLOSE) {
    wt__worker_close(worker);
  } else if (asked & ASK_SHUTDOWN) {
    worker_drain(worker);
  }
}

/* --- Turns --- */

/* Sessions that are still there get a close, so that the other end sees more than a connection that is gone. Their time
 * before the deadline is for its acknowledgement, and for what a browser makes of it (worker_settles_at). */
static void worker_close_sessions(struct wt__worker *worker, uint64_t now) {
  worker->closes_at = UINT64_MAX;
  wt__endpoint_close_sessions(worker->driver.endpoint, CLOSE_REASON, now);
}

/* Brings `busy` up to date. Whoever is the last to have nothing left to do tells the others. */
static void worker_note_idle(struct wt__worker *worker, bool idle) {
  struct wt_server *server = worker->server;
  if (worker->idle == idle) return;
  worker->idle = idle;
  if (!idle) {
    atomic_fetch_add(&server->busy, 1);
  } else if (atomic_fetch_sub(&server->busy, 1) == 1) {
    for (unsigned i = 0; i < server->worker_count; i++) {
      if (i != worker->index) wt__loop_wake(&server->workers[i].driver.loop);
    }
  }
}

void wt__worker_undo_end(struct wt__worker *worker) {
  worker->state = SERVER_RUNNING;
  worker->deadline = worker->closes_at = worker->settles_at = UINT64_MAX;
  worker_note_idle(worker, false);
}

static void worker_end(struct wt__worker *worker) {
  struct wt_server *server = worker->server;
  worker->state = SERVER_ENDED;
  if (worker->index == 0) wt__takeover_end(server->takeover);
  wt__worker_close_parts(worker);
  wt__counts_publish(worker);
  wt__loop_stop(&worker->driver.loop);
  if (worker->index == 0) {
    WT__INFO(&server->log, WT__EVENT_OF("ended", WT__BOOLEAN("taken_over", worker->taken)), "%s",
             worker->taken ? "takeover: no connection is left here; this process ends" : "ended");
  } else if (atomic_fetch_sub(&server->running, 1) == 1) {
    wt__loop_wake(&server->workers[0].driver.loop);
  }
}

static bool worker_may_end(const struct wt__worker *worker) {
  const struct wt_server *server = worker->server;
  return worker->index > 0 || (atomic_load(&server->running) == 0 && wt__carrier_is_idle(server));
}

void wt__worker_close(struct wt__worker *worker) {
  uint64_t now = wt__loop_now(&worker->driver.loop);
  worker->state = SERVER_CLOSED;
  if (worker->index == 0) wt__takeover_leave(worker->server->takeover);
  worker_close_sessions(worker, now);
  wt__endpoint_flush(worker->driver.endpoint, now); /* the closes leave before the connections' */
  wt__endpoint_close(worker->driver.endpoint, now);
  wt__endpoint_run(worker->driver.endpoint, now);
  worker_note_idle(worker, true);
  if (worker->index == 0) wt__carrier_stop(worker->server);
  if (worker_may_end(worker)) worker_end(worker);
}

/* When there is nothing left to wait for but the clients' own work; UINT64_MAX: there is something. A client has
 * acknowledged the close of its session before it has told its page of it, and Chromium forgets the code and the
 * reason if the CONNECTION_CLOSE overtakes that. */
static uint64_t worker_settles_at(struct wt__worker *worker, uint64_t now) {
  struct wt__endpoint_stats stats;
  if (!wt__endpoint_is_idle(worker->driver.endpoint)) return UINT64_MAX;
  wt__endpoint_get_stats(worker->driver.endpoint, &stats);
  if (stats.connections_open == 0) return now;
  if (worker->taken) return UINT64_MAX; /* they end by themselves */
  return worker->settles_at != UINT64_MAX ? worker->settles_at : wt__driver_deadline(now, SETTLE_MS);
}

/* The process was forked in a callback, and the copy has returned to the loop. Whether it must not go on. */
static bool serve_in_copy(struct wt__worker *worker) {
  struct wt_server *server = worker->server;
  if (server->worker_count == 1) return wt__loop_adopt(&worker->driver.loop, true) != 0;
  (void)wt__server_adopt(server);
  wt__loop_stop(&worker->driver.loop);
  return true;
}

static uint64_t serve_on_pass(void *ctx) {
  struct wt__worker *worker = ctx;
  before_pass = NULL;
  if (wt__loop_is_copy(&worker->driver.loop) && serve_in_copy(worker)) return UINT64_MAX;
  uint64_t now = wt__loop_now(&worker->driver.loop);
  if (worker->state == SERVER_CLOSED) {
    if (!worker_may_end(worker)) return wt__driver_pass(&worker->driver, now);
    worker_end(worker);
    return UINT64_MAX;
  }
  if (worker->state == SERVER_DRAINING && now >= worker->closes_at) worker_close_sessions(worker, now);
  uint64_t due = wt__takeover_pass(worker, now);
  wt__neighbours_flush(worker);
  if (wt__hub_run(&worker->server->hub.workers[worker->index])) wt__loop_wake(&worker->driver.loop);
  uint64_t next = wt__driver_pass(&worker->driver, now);
  wt__counts_publish(worker);
  if (due < next) next = due;
  if (worker->state != SERVER_DRAINING) return next;
  /* After the pass, so that GOAWAY has left even when there is nothing to wait for. */
  worker->settles_at = worker_settles_at(worker, now);
  worker_note_idle(worker, now >= worker->settles_at);
  if (now >= worker->deadline || atomic_load(&worker->server->busy) == 0) {
    wt__worker_close(worker);
    return UINT64_MAX;
  }
  if (!worker->idle && worker->settles_at < next) next = worker->settles_at;
  if (worker->closes_at < next) next = worker->closes_at;
  return next < worker->deadline ? next : worker->deadline;
}

static uint64_t serve_due(void *ctx) {
  const struct wt__worker *worker = ctx;
  return worker->driver.endpoint ? wt__endpoint_expiry(worker->driver.endpoint) : UINT64_MAX;
}

const struct wt__loop_callbacks wt__serve_callbacks = {
    .on_wake = serve_on_wake,
    .on_readable = serve_on_readable,
    .on_writable = serve_on_writable,
    .on_pause = serve_on_pause,
    .on_failing = serve_on_failing,
    .on_pass = serve_on_pass,
    .due = serve_due,
};

/* --- End --- */

void wt__worker_close_parts(struct wt__worker *worker) {
  if (before_pass == worker) before_pass = NULL;
  wt__driver_close(&worker->driver);
  for (size_t i = 0; i < worker->socket_count; i++) wt__loop_remove(&worker->sockets[i]);
  for (size_t i = 0; i < worker->server->extra_count; i++) {
    struct wt__extra *extra = &worker->server->extras[i];
    if (extra->worker == worker->index) wt__loop_remove(&extra->socket);
  }
}
