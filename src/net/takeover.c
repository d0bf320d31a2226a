/* SPDX-License-Identifier: MIT */

/*
 * Takeovers as the rest of a server sees them: the calls of the application, the beginning and the end, and what each
 * worker does when the sockets change hands (takeover_state.h has a map of the files).
 *
 * The phase says whose the sockets are. Worker 0 sets it and wakes the others, and each worker compares it with what it
 * does at present. A worker that was busy for a long time may have missed a phase; that does no harm.
 *
 *     READING              reads its sockets
 *     HELD                 does not read those that are shared with another process
 *     TAKEN                likewise; drains: new connections are refused, and it waits for the end of those it has
 *     LEFT                 reads again, and drains
 */

#include "net/takeover.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sized.h"
#include "net/bounds.h"
#include "net/driver.h"
#include "net/loop.h"
#include "net/serve.h"
#include "net/server_state.h"
#include "net/takeover_new.h"
#include "net/takeover_old.h"
#include "net/takeover_state.h"
#include "net/workers.h"
#include "quic/endpoint.h"

#define RETIRE_INTERVAL (1000 * WT__NS_PER_MS)

/* --- Workers --- */

static void worker_hold(struct wt__worker *worker, bool on) {
  struct wt_server *server = worker->server;
  struct wt__takeover *takeover = server->takeover;
  if (worker->held == on) return;
  for (size_t i = 0; i < worker->socket_count; i++) {
    if (!on || atomic_load(&takeover->shared[i])) wt__loop_hold_reading(&worker->sockets[i], on);
  }
  for (size_t i = 0; i < server->extra_count; i++) {
    struct wt__extra *extra = &server->extras[i];
    if (extra->worker != worker->index) continue;
    if (!on || atomic_load(&takeover->shared[extra->address])) wt__loop_hold_reading(&extra->socket, on);
  }
  worker->held = on;
  if (on) {
    atomic_fetch_add(&takeover->held, 1);
    wt__loop_wake(&server->workers[0].driver.loop);
  } else {
    atomic_fetch_sub(&takeover->held, 1);
  }
}

void wt__takeover_follow(struct wt__worker *worker) {
  struct wt__takeover *takeover = worker->server->takeover;
  if (!takeover) return;
  int phase = atomic_load(&takeover->phase);
  bool taken = phase == WT__PHASE_TAKEN || phase == WT__PHASE_LEFT;
  worker_hold(worker, phase == WT__PHASE_HELD || phase == WT__PHASE_TAKEN);
  if (taken && worker->state == SERVER_RUNNING) {
    uint64_t now = wt__loop_now(&worker->driver.loop);
    wt__worker_begin_end(worker, takeover->options.deadline_ms);
    worker->taken = true;
    worker->retire_at = now + RETIRE_INTERVAL;
    if (takeover->options.drain) wt__endpoint_shutdown(worker->driver.endpoint, now);
  } else if (!taken && worker->taken) {
    worker->taken = false;
    wt__endpoint_refuse(worker->driver.endpoint, false);
    wt__worker_undo_end(worker);
  }
}

uint64_t wt__takeover_pass(struct wt__worker *worker, uint64_t now) {
  struct wt__takeover *takeover = worker->server->takeover;
  uint64_t next = UINT64_MAX;
  if (!takeover) return next;
  if (worker->taken) {
    if (now >= worker->retire_at) {
      /* Not earlier: first packets that were read before may still wait at another worker. */
      wt__endpoint_refuse(worker->driver.endpoint, true);
      wt__endpoint_retire(worker->driver.endpoint, now);
      worker->retire_at = now + RETIRE_INTERVAL;
    }
    next = worker->retire_at;
  }
  uint64_t old = worker->index == 0 ? wt__takeover_old_pass(takeover, now) : UINT64_MAX;
  return old < next ? old : next;
}

/* --- Beginning --- */

int wt__takeover_prepare(struct wt__takeover *takeover) {
  if (!takeover) return 0;
  size_t count = takeover->server->workers[0].socket_count;
  wt__free(takeover->shared);
  takeover->shared = wt__calloc(count, sizeof(*takeover->shared));
  takeover->shared_count = takeover->shared ? count : 0;
  if (!takeover->shared) return WT_ERR_NOMEM;
  for (size_t i = 0; i < count; i++) atomic_store(&takeover->shared[i], wt__takeover_group_of(takeover, i) != NULL);
  atomic_store(&takeover->phase, takeover->offered ? WT__PHASE_HELD : WT__PHASE_READING);
  return 0;
}

int wt__takeover_begin(struct wt__takeover *takeover) {
  char message[256];
  if (!takeover) return 0;
  struct wt_server *server = takeover->server;
  int error = wt__takeover_ready(takeover);
  if (error) return error;
  wt__takeover_close_rest(takeover);
  if (takeover->offered) {
    wt__server_steer(server);
    atomic_store(&takeover->phase, WT__PHASE_READING);
    wt__server_ask(server, ASK_TAKEOVER);
  }
  error = wt__takeover_old_begin(takeover, message, sizeof(message));
  if (error == 0) return 0;
  /* With the clients' packets taken over there is no way back: it serves. */
  if (!takeover->offered) return wt__server_fail(server, error, "takeover: %s", message);
  WT__ERROR(&server->log, WT__EVENT_OF("takeover_unavailable", WT__TEXT("reason", message)),
            "takeover: no process can take over from this one: %s", message);
  return 0;
}

/* --- The end --- */

void wt__takeover_leave(struct wt__takeover *takeover) {
  uint8_t message[WT__TAKEOVER_HEADER_LEN];
  if (!takeover || atomic_load(&takeover->phase) == WT__PHASE_TAKEN) return; /* the new process speaks with them */
  size_t len = wt__takeover_write_plain(message, WT__TAKEOVER_LEAVING);
  for (size_t i = 0; i < takeover->older_count; i++) {
    if (atomic_load(&takeover->older[i].alive)) (void)wt__neighbour_send(&takeover->older[i], message, len);
  }
}

void wt__takeover_end(struct wt__takeover *takeover) {
  if (!takeover) return;
  wt__watch_free(takeover->listening);
  takeover->listening = NULL;
  wt__takeover_unlisten(&takeover->listener);
  wt__neighbour_close(&takeover->successor);
  for (size_t i = 0; i < takeover->older_count; i++) wt__neighbour_close(&takeover->older[i]);
  wt__takeover_close_rest(takeover);
}

static void fd_abandon(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

void wt__takeover_abandon(struct wt__takeover *takeover) {
  if (!takeover) return;
  fd_abandon(&takeover->listener.fd);
  fd_abandon(&takeover->successor.fd);
  for (size_t i = 0; i < takeover->older_count; i++) fd_abandon(&takeover->older[i].fd);
}

void wt__takeover_free(struct wt__takeover *takeover) {
  if (!takeover) return;
  wt__takeover_end(takeover);
  pthread_mutex_destroy(&takeover->successor.lock);
  for (size_t i = 0; i < WT__TAKEOVER_SLOTS_MAX; i++) pthread_mutex_destroy(&takeover->older[i].lock);
  wt__wipe(&takeover->offer, sizeof(takeover->offer));
  wt__free(takeover->shared);
  wt__free(takeover);
}

/* --- The calls --- */

void wt_takeover_options_init(struct wt_takeover_options *options, size_t size) {
  const struct wt_takeover_options all = {.deadline_ms = 3600000};
  wt__sized_init(options, size, &all, sizeof(all));
}

static struct wt__takeover *takeover_new(struct wt_server *server, const struct wt_takeover_options *options) {
  struct wt__takeover *made = wt__calloc(1, sizeof(*made));
  if (!made) return NULL;
  made->server = server;
  made->options = *options;
  made->listener.fd = -1;
  made->successor_by = made->listen_at = UINT64_MAX;
  wt__neighbour_init(&made->successor, made, 0);
  for (unsigned i = 0; i < WT__TAKEOVER_SLOTS_MAX; i++) wt__neighbour_init(&made->older[i], made, i);
  wt__log_limit_init(&made->lines, 1, 3);
  return made;
}

static int options_read(struct wt_server *server, const struct wt_takeover_options *given,
                        struct wt_takeover_options *options) {
  wt_takeover_options_default(options);
  int error = given ? wt__sized_read(options, sizeof(*options), given, sizeof(*options)) : 0;
  if (error) {
    return wt__server_fail(server, error, "takeover: size is %zu: call wt_takeover_options_default first", given->size);
  }
  if (options->deadline_ms <= WT__BOUNDS_MAX_MS) return 0;
  return wt__server_fail(server, WT_ERR_INVALID, "takeover: deadline_ms is %llu, must be at most %llu",
                         (unsigned long long)options->deadline_ms, (unsigned long long)WT__BOUNDS_MAX_MS);
}

int wt_server_takeover(wt_server *server, const char *path, const struct wt_takeover_options *options) {
  struct wt_takeover_options read;
  char message[256] = "";
  if (!server) return WT_ERR_INVALID;
  if (!path) return wt__server_fail(server, WT_ERR_INVALID, "takeover: the path is NULL");
  if (server->config.socket_count) return wt__server_fail(server, WT_ERR_INVALID, "takeover: the sockets were given");
  if (server->takeover || server->workers[0].state != SERVER_NEW) {
    return wt__server_fail(server, WT_ERR_STATE, "takeover: it was asked for before, or the server was started");
  }
  int error = options_read(server, options, &read);
  if (error) return error;
  struct wt__takeover *made = takeover_new(server, &read);
  if (!made) return wt__server_fail(server, WT_ERR_NOMEM, "takeover: %s", wt_error_string(WT_ERR_NOMEM));
  error = wt__takeover_listen(&made->listener, path, message, sizeof(message));
  if (error) wt__server_fail(server, error, "takeover: %s", message);
  if (error == 0) error = wt__takeover_ask(made, path);
  if (error) {
    wt__takeover_free(made);
    return error;
  }
  server->takeover = made;
  return 0;
}

static bool is_name(const char *name) {
  size_t len = strnlen(name, WT__TAKEOVER_NAME_MAX + 1);
  if (len == 0 || len > WT__TAKEOVER_NAME_MAX) return false;
  for (size_t i = 0; i < len; i++) {
    if (name[i] <= ' ' || name[i] > '~') return false;
  }
  return true;
}

int wt_server_takeover_give(wt_server *server, const char *name, int fd) {
  if (!server) return WT_ERR_INVALID;
  if (!name || !is_name(name) || fd < 0) {
    return wt__server_fail(server, WT_ERR_INVALID,
                           "takeover: a descriptor needs a name of 1 to %d printable characters",
                           WT__TAKEOVER_NAME_MAX);
  }
  struct wt__takeover *takeover = server->takeover;
  if (!takeover) return wt__server_fail(server, WT_ERR_STATE, "takeover: wt_server_takeover was not called");
  if (takeover->given_count == WT__TAKEOVER_NAMED_MAX) {
    return wt__server_fail(server, WT_ERR_TOO_LARGE, "takeover: %d descriptors are given already",
                           WT__TAKEOVER_NAMED_MAX);
  }
  struct wt__takeover_named *named = &takeover->given[takeover->given_count++];
  (void)snprintf(named->name, sizeof(named->name), "%s", name);
  named->fd = fd;
  return 0;
}

int wt_server_takeover_receive(wt_server *server, const char *name) {
  if (!server || !name) return WT_ERR_INVALID;
  struct wt__takeover *takeover = server->takeover;
  for (size_t i = 0; takeover && i < takeover->received_count; i++) {
    struct wt__takeover_named *named = &takeover->received[i];
    if (named->fd < 0 || strcmp(named->name, name) != 0) continue;
    int fd = named->fd;
    named->fd = -1;
    return fd;
  }
  return WT_ERR_NOT_FOUND;
}
