/* SPDX-License-Identifier: MIT */

/*
 * How a server begins, with all of its workers, and how it is taken down.
 *
 *     sockets    worker 0 binds each address alone, which fails if anybody else has it; then the others join in
 *     takeover   sockets that an old process has are not bound, but taken from it (net/takeover.c)
 *     steering   the kernel is told which socket gets which packet           (net/steer.c)
 *     endpoints  one a worker; what they have in common is in `shared`
 *     loops      worker 0 has the caller's, if that was given
 *     threads    one for each worker but the first; they begin when all the rest has succeeded
 *
 * Threads of the library block all signals, so that a program's handlers run where it expects them.
 */

#include "net/start.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/bounds.h"
#include "net/driver.h"
#include "net/fleet_keys.h"
#include "net/listen.h"
#include "net/loop.h"
#include "net/neighbours.h"
#include "net/serve.h"
#include "net/server_state.h"
#include "net/steer.h"
#include "net/takeover.h"
#include "net/takeover_new.h"
#include "net/udp.h"
#include "net/workers.h"
#include "quic/endpoint.h"
#include "quic/shared.h"
#include "quic/tls.h"

/* --- Endpoints --- */

static int endpoint_open(struct wt__worker *worker) {
  struct wt_server *server = worker->server;
  const struct wt_server_config *config = &server->config;
  struct wt__endpoint_config endpoint = {
      .tls = server->tls,
      .h3 =
          {
              .mux =
                  {
                      .log = &server->log,
                      .worker = worker->index,
                      .post = wt__worker_post,
                      .post_ctx = worker,
                      .send_timeout_ms = config->send_timeout_ms,
                      .min_progress = config->min_progress,
                      .progress = &worker->counters.progress,
                      .datagrams = &worker->counters.datagrams,
                      .measures = &worker->measures,
                      .session_ended = config->access ? wt__access_session : NULL,
                      .topics = &server->hub.workers[worker->index].topics,
                  },
              .routes = &server->routes,
              .counters = &worker->counters,
              .open_files = &worker->open_files,
              .max_open_files_per_connection = config->max_open_files_per_connection,
              .server = server,
              .check_origin = config->check_origin,
              .check_origin_user_data = config->check_origin_user_data,
              .no_request_timeout_ms = config->no_request_timeout_ms,
              .header_timeout_ms = config->header_timeout_ms,
              .body_timeout_ms = config->body_timeout_ms,
              .max_session_rate = config->max_session_rate,
              .require_reset_at = config->require_reset_stream_at,
              .access = {config->access, config->access_user_data},
              .log = &server->log,
          },
      .log = &server->log,
      .qlog = wt__qlog_sink_of(&server->qlog_files, config->qlog, config->qlog_user_data),
      .handshake_timeout_ms = config->handshake_timeout_ms,
      .retry = config->retry,
      .retry_threshold = config->retry_threshold,
      .max_connections_per_address = config->max_connections_per_address,
      .max_handshakes_per_address = config->max_handshakes_per_address,
      .max_memory = config->max_memory,
      .worker = worker->index,
      .workers = server->worker_count,
      .shared = &server->shared,
      .ids = &server->ids,
      .forward = wt__worker_forward,
      .forward_ctx = worker,
      .hand_over = wt__neighbours_hand_over,
      .steered = server->steered,
  };
  struct wt__bounds bounds;
  WT__BOUNDS_OF(&bounds, struct wt_server_config, config);
  wt__bounds_apply(&bounds, &endpoint);
  return wt__driver_open(&worker->driver, &endpoint);
}

/* What an old process has given out stays good: tokens, and resets for its connections. What follows from the secrets of a
 * fleet, or is configured, is the same in both processes anyway. */
static void keys_take(struct wt_server *server) {
  const struct wt__takeover_offer *offer = &server->takeover->offer;
  struct wt__keys keys;
  _Static_assert(sizeof(offer->token_key) == WT__TOKEN_KEY_LEN && sizeof(offer->reset_key) == WT__RESET_KEY_LEN, "");
  wt__shared_get_keys(&server->shared, &keys);
  bool own_reset = !server->config.reset_key && !memcmp(keys.reset[0], server->reset_key, WT__RESET_KEY_LEN);
  if (!keys.of_fleet) memcpy(keys.token[0].secret, offer->token_key, sizeof(offer->token_key));
  if (own_reset) {
    memcpy(server->reset_key, offer->reset_key, sizeof(offer->reset_key));
    wt__keys_fix_reset(&keys, server->reset_key);
  }
  wt__shared_set_keys(&server->shared, &keys);
  wt__wipe(&keys, sizeof(keys));
}

static int shared_open(struct wt_server *server) {
  if (server->has_shared) return 0;
  int error = wt__shared_init(&server->shared);
  if (error) return error;
  error = wt__fleet_keys_start(server);
  if (error) wt__shared_free(&server->shared);
  server->has_shared = error == 0;
  if (error == 0 && server->takeover && server->takeover->offered) keys_take(server);
  return error;
}

/* --- Sockets --- */

static int sockets_room(struct wt__worker *worker, size_t count) {
  struct wt__socket *sockets = wt__realloc(worker->sockets, (worker->socket_count + count) * sizeof(*sockets));
  if (!sockets) return WT_ERR_NOMEM;
  worker->sockets = sockets;
  return 0;
}

static int take_fail(struct wt_server *server, struct wt__udp *opened, size_t *count, const char *text, int os_error) {
  while (*count > 0) wt__udp_close(&opened[--*count]);
  return wt__server_fail(server, WT_ERR_IO, "cannot listen on %s: %s", text, wt__os_error_text(os_error));
}

static int group_adopt(struct wt__takeover_group *group, struct wt__udp *udp, int *os_error) {
  int fd = wt__takeover_group_take(group);
  if (fd < 0 || wt__udp_adopt(udp, fd, os_error) == 0) return fd < 0 ? WT_ERR_IO : 0;
  close(fd);
  return WT_ERR_IO;
}

/* The sockets of one entry of `listen` that an old process has, and then those of its other addresses, too: on one port.
 * None: the old process has none of them. */
static int sockets_take(struct wt_server *server, const char *text, struct wt__udp *opened, size_t *count) {
  struct wt__address addresses[WT__ADDRESSES_MAX];
  struct wt__takeover_group *groups[WT__ADDRESSES_MAX];
  size_t address_count, first = server->workers[0].socket_count;
  uint16_t port = 0;
  int os_error = EBADF;
  const char *why;
  *count = 0;
  if (!server->takeover || wt__address_parse(text, addresses, &address_count, &why))
    return 0; /* told by who comes next */
  for (size_t i = 0; i < address_count; i++) {
    if (port) wt__address_set_port(&addresses[i], port);
    groups[i] = wt__takeover_use_group(server->takeover, &addresses[i]);
    if (groups[i]) port = wt__address_port((struct sockaddr *)&groups[i]->bound.storage);
  }
  if (!port) return 0;
  for (size_t i = 0; i < address_count; i++) {
    struct wt__udp *udp = &opened[*count];
    if (!groups[i]) wt__address_set_port(&addresses[i], port);
    int error = groups[i] ? group_adopt(groups[i], udp, &os_error) : wt__udp_open(udp, &addresses[i], &os_error);
    bool missing = !groups[i] && (os_error == EAFNOSUPPORT || os_error == EADDRNOTAVAIL);
    if (error && !missing) return take_fail(server, opened, count, text, os_error);
    if (groups[i]) groups[i]->address = first + *count;
    if (!error) ++*count;
  }
  return 0;
}

/* Opens the sockets of one entry of `listen` behind those of the earlier ones. */
static int sockets_open(struct wt_server *server, const char *text) {
  struct wt__worker *worker = &server->workers[0];
  struct wt__udp opened[WT__ADDRESSES_MAX];
  size_t count;
  int error = sockets_take(server, text, opened, &count);
  if (error == 0 && count == 0) {
    error = wt__listen_open(text, opened, &count, server->error, sizeof(server->error));
    if (error == 0 && server->error[0])
      WT__INFO(&server->log, WT__EVENT_OF("address_left_out", WT__TEXT("reason", server->error)), "%s", server->error);
    if (error == 0) server->error[0] = 0;
  }
  if (error) return error;
  if (sockets_room(worker, count)) {
    for (size_t i = 0; i < count; i++) wt__udp_close(&opened[i]);
    return wt__server_fail(server, WT_ERR_NOMEM, "cannot listen on %s: %s", text, wt_error_string(WT_ERR_NOMEM));
  }
  for (size_t i = 0; i < count; i++) {
    worker->sockets[worker->socket_count++] = (struct wt__socket){.udp = opened[i]};
  }
  return 0;
}

/* Those that the configuration hands over. */
static int sockets_given(struct wt_server *server) {
  struct wt__worker *worker = &server->workers[0];
  const struct wt_server_config *config = &server->config;
  if (config->socket_count && sockets_room(worker, config->socket_count)) return WT_ERR_NOMEM;
  for (size_t i = 0; i < config->socket_count; i++) {
    struct wt__udp udp;
    int os_error;
    if (wt__udp_duplicate(&udp, config->sockets[i], &os_error)) {
      return wt__server_fail(server, WT_ERR_IO, "cannot serve on the given socket %d: %s: %s", config->sockets[i],
                             udp.refused, wt__os_error_text(os_error));
    }
    worker->sockets[worker->socket_count++] = (struct wt__socket){.udp = udp};
  }
  return 0;
}

/* One more socket of an address: the old process's next one, or a new one. */
static int socket_beside(struct wt_server *server, size_t address, struct wt__udp *udp, int *os_error) {
  struct wt__udp *first = &server->workers[0].sockets[address].udp;
  struct wt__takeover_group *group = wt__takeover_group_of(server->takeover, address);
  int fd = group ? wt__takeover_group_take(group) : -1;
  if (fd < 0) {
    int error = wt__udp_open_beside(udp, first, os_error);
    /* While the old process still reads the only one, the kernel must not divide packets between the two. */
    if (error == 0 && group && group->count == 1) (void)wt__steer(first, server->ids.scheme.len, 1);
    return error;
  }
  udp->refused = "takeover";
  if (wt__udp_adopt(udp, fd, os_error) == 0) return 0;
  close(fd);
  return WT_ERR_IO;
}

/* What the old process has beyond the number of workers. */
static int extras_take(struct wt_server *server) {
  struct wt__takeover *takeover = server->takeover;
  size_t workers = server->worker_count, count = 0;
  for (size_t i = 0; takeover && i < takeover->group_count; i++) {
    const struct wt__takeover_group *group = &takeover->groups[i];
    if (group->used && group->count > workers) count += group->count - workers;
  }
  if (count == 0) return 0;
  server->extras = wt__calloc(count, sizeof(*server->extras));
  if (!server->extras) return WT_ERR_NOMEM;
  for (size_t i = 0; i < takeover->group_count; i++) {
    struct wt__takeover_group *group = &takeover->groups[i];
    for (int fd; group->used && (fd = wt__takeover_group_take(group)) >= 0;) {
      struct wt__extra *extra = &server->extras[server->extra_count];
      int os_error;
      *extra = (struct wt__extra){.address = group->address, .worker = (unsigned)(server->extra_count % workers)};
      server->extra_count++;
      if (wt__udp_adopt(&extra->socket.udp, fd, &os_error)) {
        close(fd);
        return wt__server_fail(server, WT_ERR_IO, "cannot read a socket of the old process: %s",
                               wt__os_error_text(os_error));
      }
      extra->socket.udp.stands_for = &server->workers[extra->worker].sockets[extra->address].udp;
    }
  }
  return 0;
}

/* The sockets of another worker, beside those of worker 0. */
static int sockets_join(struct wt__worker *worker) {
  struct wt_server *server = worker->server;
  struct wt__worker *first = &server->workers[0];
  if (sockets_room(worker, first->socket_count)) {
    return wt__server_fail(server, WT_ERR_NOMEM, "cannot start: %s", wt_error_string(WT_ERR_NOMEM));
  }
  for (size_t i = 0; i < first->socket_count; i++) {
    struct wt__socket socket = {.udp = {.fd = -1}};
    int os_error = 0;
    if (socket_beside(server, i, &socket.udp, &os_error)) {
      return wt__server_fail(server, WT_ERR_IO, "cannot listen with worker %u: %s: %s", worker->index,
                             socket.udp.refused, wt__os_error_text(os_error));
    }
    worker->sockets[worker->socket_count++] = socket;
  }
  return 0;
}

/* Sockets of an old process go on as that one wants it until it has let go of them: this only asks whether they can. */
static unsigned steer_among(const struct wt_server *server, size_t address) {
  const struct wt__takeover_group *group = wt__takeover_group_of(server->takeover, address);
  return group ? (unsigned)group->count : server->worker_count;
}

static void sockets_steer(struct wt_server *server) {
  server->steered = server->worker_count > 1 && !server->unsteered;
  for (size_t i = 0; server->steered && i < server->workers[0].socket_count; i++) {
    server->steered = wt__steer(&server->workers[0].sockets[i].udp, server->ids.scheme.len, steer_among(server, i));
  }
  if (server->worker_count > 1 && !server->steered) {
    WT__INFO(&server->log, WT__EVENT("steering_unavailable"),
             "the kernel does not go by connection ids: packets of clients that move are handed over");
  }
}

/* --- Parts and loops --- */

static int parts_open(struct wt_server *server) {
  int error = 0;
  for (size_t i = 0; error == 0 && i < server->config.listen_count; i++) {
    error = sockets_open(server, server->config.listen[i]);
  }
  if (error == 0) error = sockets_given(server);
  for (unsigned i = 1; error == 0 && i < server->worker_count; i++) error = sockets_join(&server->workers[i]);
  if (error == 0) error = extras_take(server);
  if (error) return error;
  sockets_steer(server);
  error = wt__takeover_prepare(server->takeover);
  if (error == 0) error = shared_open(server);
  for (unsigned i = 0; error == 0 && i < server->worker_count; i++) error = endpoint_open(&server->workers[i]);
  return error ? wt__server_fail(server, error, "cannot start: %s", wt_error_string(error)) : 0;
}

static void parts_close(struct wt_server *server) {
  for (unsigned i = 0; i < server->worker_count; i++) wt__worker_close_parts(&server->workers[i]);
}

static int loop_open(struct wt__worker *worker) {
  int error = wt__loop_start(&worker->driver.loop);
  for (size_t i = 0; error == 0 && i < worker->socket_count; i++) {
    error = wt__loop_add(&worker->driver.loop, &worker->sockets[i]);
  }
  for (size_t i = 0; error == 0 && i < worker->server->extra_count; i++) {
    struct wt__extra *extra = &worker->server->extras[i];
    if (extra->worker == worker->index) error = wt__loop_add(&worker->driver.loop, &extra->socket);
  }
  if (error == 0) wt__takeover_follow(worker);
  return error;
}

static int loops_open(struct wt_server *server) {
  int error = 0;
  const char *why = NULL;
  for (unsigned i = 0; error == 0 && i < server->worker_count; i++) {
    error = loop_open(&server->workers[i]);
    why = server->workers[i].driver.loop.why;
  }
  if (!why) why = "it takes no more handles";
  return error ? wt__server_fail(server, error, "cannot start: the event loop: %s", why) : 0;
}

static void addresses_log(struct wt_server *server) {
  const struct wt__worker *worker = &server->workers[0];
  for (size_t i = 0; i < worker->socket_count; i++) {
    char text[WT__ADDRESS_TEXT_MAX] = "";
    wt__address_format((const struct sockaddr *)&worker->sockets[i].udp.bound.storage, text, sizeof(text));
    WT__INFO(&server->log, WT__EVENT_OF("listening", WT__TEXT("address", text)), "listening on %s", text);
  }
}

/* --- Threads --- */

static void *thread_run(void *argument) {
  struct wt__worker *worker = argument;
  while (worker->state != SERVER_ENDED && wt__loop_turn(&worker->driver.loop)) continue;
  return NULL;
}

static int threads_begin(struct wt_server *server) {
  sigset_t all, before;
  int os_error = 0;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (unsigned i = 1; os_error == 0 && i < server->worker_count; i++) {
    struct wt__worker *worker = &server->workers[i];
    os_error = pthread_create(&worker->thread, NULL, thread_run, worker);
    worker->has_thread = os_error == 0;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (os_error == 0) return 0;
  return wt__server_fail(server, WT_ERR_IO, "cannot start: no more threads: %s", wt__os_error_text(os_error));
}

void wt__server_join(struct wt_server *server) {
  for (unsigned i = 1; i < server->worker_count; i++) {
    if (server->workers[i].has_thread) pthread_join(server->workers[i].thread, NULL);
    server->workers[i].has_thread = false;
  }
}

/* --- Copies of the process --- */

/* Whether it has threads that a copy does not have. */
static bool is_left_behind(const struct wt_server *server) {
  return server->worker_count > 1 && server->workers[0].state != SERVER_NEW;
}

void wt__server_abandon(struct wt_server *server) {
  if (server->abandoned) return;
  server->abandoned = true;
  for (unsigned i = 0; i < server->worker_count; i++) {
    struct wt__worker *worker = &server->workers[i];
    worker->has_thread = false;
    worker->state = SERVER_ENDED;
    /* Without libuv, whose poll set is still the original's too. */
    for (size_t j = 0; j < worker->socket_count; j++) wt__udp_close(&worker->sockets[j].udp);
  }
  for (size_t i = 0; i < server->extra_count; i++) wt__udp_close(&server->extras[i].socket.udp);
  wt__takeover_abandon(server->takeover);
}

int wt__server_adopt(struct wt_server *server) {
  int error = 0;
  if (server->abandoned || (wt__loop_is_copy(&server->workers[0].driver.loop) && is_left_behind(server))) {
    wt__server_abandon(server);
    error = wt__server_fail(server, WT_ERR_STATE,
                            "the process was forked after the start: the threads of the other workers are not in this "
                            "copy; fork, or call daemon, before wt_server_start");
    WT__ERROR(&server->log, WT__EVENT_OF("start_failed", WT__TEXT("reason", server->error)), "%s", server->error);
    return error;
  }
  for (unsigned i = 0; error == 0 && i < server->worker_count; i++) {
    struct wt__loop *loop = &server->workers[i].driver.loop;
    error = wt__loop_adopt(loop, false);
    if (error) wt__server_fail(server, error, "the event loop cannot go on after a fork: %s", loop->why);
  }
  return error;
}

/* --- Begin and end --- */

static void states_set(struct wt_server *server, enum server_state state) {
  for (unsigned i = 0; i < server->worker_count; i++) server->workers[i].state = state;
  atomic_store(&server->busy, server->worker_count);
  atomic_store(&server->running, server->worker_count - 1);
}

/* It can be tried again, perhaps with fewer sockets. */
static void begin_undo(struct wt_server *server) {
  parts_close(server);
  for (unsigned i = 0; i < server->worker_count; i++) {
    struct wt__worker *worker = &server->workers[i];
    wt__free(worker->sockets);
    worker->sockets = NULL;
    worker->socket_count = 0;
  }
  wt__free(server->extras);
  server->extras = NULL;
  server->extra_count = 0;
  wt__takeover_free(server->takeover); /* the old process goes on; it can be asked again */
  server->takeover = NULL;
}

int wt__server_begin(struct wt_server *server) {
  int error = parts_open(server);
  if (error) {
    begin_undo(server);
    return error;
  }
  error = loops_open(server);
  if (error == 0) error = wt__carrier_start(server);
  if (error) {
    /* libuv still holds some of the handles, so the sockets must stay until the server is freed. */
    parts_close(server);
    wt__takeover_end(server->takeover);
    for (unsigned i = 0; i < server->worker_count; i++) wt__loop_stop(&server->workers[i].driver.loop);
    states_set(server, SERVER_ENDED);
    return error;
  }
  states_set(server, SERVER_RUNNING);
  error = threads_begin(server);
  if (error == 0) error = wt__takeover_begin(server->takeover);
  if (error) {
    wt__server_end(server);
    return error;
  }
  addresses_log(server);
  for (unsigned i = 0; i < server->worker_count; i++) {
    if (atomic_load(&server->workers[i].asked)) wt__loop_wake(&server->workers[i].driver.loop);
  }
  return 0;
}

void wt__server_end(struct wt_server *server) {
  for (unsigned i = 1; i < server->worker_count; i++) {
    struct wt__worker *worker = &server->workers[i];
    if (worker->has_thread) {
      wt__worker_ask(worker, ASK_CLOSE);
    } else if (worker->state == SERVER_RUNNING) { /* its thread could not be made */
      wt__worker_close(worker);
    }
  }
  wt__server_join(server);
  wt__worker_close(&server->workers[0]);
}
