/* SPDX-License-Identifier: MIT */

/*
 * A server at work: sockets and time on one side, the QUIC endpoint on the other.
 *
 *     on_readable  datagrams -> endpoint             (net/driver.c)
 *     on_pass      endpoint runs, sends; when next?  (once a turn, before the loop blocks)
 *     on_writable  a socket that was full is not     (net/driver.c)
 *     on_wake      posted calls; shutdown and close, which other threads and signal handlers ask for
 *
 * The end, orderly or not, always comes from the loop's own level (on_wake, on_pass) or from
 * `wt_server_free`, never from inside a callback of the application: the endpoint can be freed at once.
 */

#include "net/server.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/bounds.h"

/* --- Packets --- */

static void serve_on_readable(void *ctx, struct wt__socket *socket) {
  struct wt_server *server = ctx;
  wt__driver_receive(&server->driver, socket);
}

static void serve_on_writable(void *ctx, struct wt__socket *socket) {
  struct wt_server *server = ctx;
  (void)socket;
  wt__driver_writable(&server->driver);
}

/* --- Turns --- */

static void serve_drain(struct wt_server *server) {
  uint64_t now = wt__loop_now(&server->driver.loop);
  server->deadline = wt__driver_deadline(now, atomic_load(&server->asked_deadline_ms));
  if (server->state == SERVER_DRAINING) return; /* only another deadline */
  server->state = SERVER_DRAINING;
  WT__INFO(&server->log, "shutting down");
  wt__endpoint_shutdown(server->driver.endpoint, now);
}

static void serve_on_wake(void *ctx) {
  struct wt_server *server = ctx;
  wt__posts_run(&server->posts);
  /* What is asked before the start is done right after it. */
  if (server->state != SERVER_RUNNING && server->state != SERVER_DRAINING) return;
  unsigned asked = atomic_exchange(&server->asked, 0);
  if (asked & ASK_CLOSE) {
    wt__serve_end(server);
  } else if (asked & ASK_SHUTDOWN) {
    serve_drain(server);
  }
}

static uint64_t serve_on_pass(void *ctx) {
  struct wt_server *server = ctx;
  uint64_t now = wt__loop_now(&server->driver.loop);
  wt__endpoint_run(server->driver.endpoint, now);
  uint64_t next = wt__endpoint_expiry(server->driver.endpoint);
  if (server->state != SERVER_DRAINING) return next;
  /* After the pass, so that GOAWAY has left even when there is nothing to wait for. */
  if (now >= server->deadline || wt__endpoint_is_idle(server->driver.endpoint)) {
    wt__serve_end(server);
    return UINT64_MAX;
  }
  return next < server->deadline ? next : server->deadline;
}

const struct wt__loop_callbacks wt__serve_callbacks = {
    .on_wake = serve_on_wake,
    .on_readable = serve_on_readable,
    .on_writable = serve_on_writable,
    .on_pass = serve_on_pass,
};

/* --- Start --- */

static int endpoint_open(struct wt_server *server) {
  const struct wt_server_config *config = &server->config;
  struct wt__endpoint_config endpoint = {
      .tls = server->tls,
      .h3 =
          {
              .mux = {.log = &server->log},
              .routes = &server->routes,
              .counters = &server->counters,
              .server = server,
              .check_origin = config->check_origin,
              .check_origin_user_data = config->check_origin_user_data,
              .no_request_timeout_ms = config->no_request_timeout_ms,
              .max_session_rate = config->max_session_rate,
              .log = &server->log,
          },
      .log = &server->log,
      .handshake_timeout_ms = config->handshake_timeout_ms,
      .retry = config->retry,
      .retry_threshold = config->retry_threshold,
      .max_connections_per_address = config->max_connections_per_address,
  };
  struct wt__bounds bounds;
  int error = 0;
  WT__BOUNDS_OF(&bounds, struct wt_server_config, config);
  wt__bounds_apply(&bounds, &endpoint);
  if (config->reset_key) {
    memcpy(endpoint.reset_key, config->reset_key, sizeof(endpoint.reset_key));
  } else {
    error = wt__tls_random(endpoint.reset_key, sizeof(endpoint.reset_key));
  }
  if (error == 0) error = wt__driver_open(&server->driver, &endpoint);
  wt__wipe(endpoint.reset_key, sizeof(endpoint.reset_key));
  return error;
}

/* Opens the sockets of one entry of `listen` behind those of the earlier ones. */
static int sockets_open(struct wt_server *server, const char *text) {
  struct wt__udp opened[WT__ADDRESSES_MAX];
  size_t count;
  int error = wt__listen_open(text, opened, &count, server->error, sizeof(server->error));
  if (error) return error;
  struct wt__socket *sockets = wt__realloc(server->sockets, (server->socket_count + count) * sizeof(*server->sockets));
  if (!sockets) {
    for (size_t i = 0; i < count; i++) wt__udp_close(&opened[i]);
    return wt__server_fail(server, WT_ERR_NOMEM, "cannot listen on %s: %s", text, wt_error_string(WT_ERR_NOMEM));
  }
  server->sockets = sockets;
  for (size_t i = 0; i < count; i++) {
    sockets[server->socket_count++] = (struct wt__socket){.udp = opened[i]};
  }
  return 0;
}

static void sockets_close(struct wt_server *server) {
  for (size_t i = 0; i < server->socket_count; i++) wt__loop_remove(&server->sockets[i]);
}

/* Undoes what does not involve the loop. */
static void parts_close(struct wt_server *server) {
  wt__driver_close(&server->driver);
  sockets_close(server);
}

static int parts_open(struct wt_server *server) {
  for (size_t i = 0; i < server->config.listen_count; i++) {
    int error = sockets_open(server, server->config.listen[i]);
    if (error) return error;
  }
  int error = endpoint_open(server);
  return error ? wt__server_fail(server, error, "cannot start: %s", wt_error_string(error)) : 0;
}

static int loop_open(struct wt_server *server) {
  int error = wt__loop_start(&server->driver.loop);
  for (size_t i = 0; error == 0 && i < server->socket_count; i++) {
    error = wt__loop_add(&server->driver.loop, &server->sockets[i]);
  }
  return error ? wt__server_fail(server, error, "cannot start: the event loop takes no more handles") : 0;
}

static void addresses_log(struct wt_server *server) {
  for (size_t i = 0; i < server->socket_count; i++) {
    char text[WT__ADDRESS_TEXT_MAX] = "";
    wt__address_format((const struct sockaddr *)&server->sockets[i].udp.bound.storage, text, sizeof(text));
    WT__INFO(&server->log, "listening on %s", text);
  }
}

int wt__serve_start(struct wt_server *server) {
  int error = parts_open(server);
  if (error) {
    parts_close(server);
    wt__free(server->sockets);
    server->sockets = NULL;
    server->socket_count = 0;
    return error;
  }
  error = loop_open(server);
  if (error) {
    /* libuv still holds some of the handles, so the sockets must stay until the server is freed. */
    parts_close(server);
    wt__loop_stop(&server->driver.loop);
    server->state = SERVER_ENDED;
    return error;
  }
  server->state = SERVER_RUNNING;
  addresses_log(server);
  if (atomic_load(&server->asked)) wt__loop_wake(&server->driver.loop);
  return 0;
}

/* --- End --- */

void wt__serve_end(struct wt_server *server) {
  uint64_t now = wt__loop_now(&server->driver.loop);
  server->state = SERVER_ENDED;
  wt__endpoint_close(server->driver.endpoint, now);
  wt__endpoint_run(server->driver.endpoint, now);
  parts_close(server);
  wt__loop_stop(&server->driver.loop);
  WT__INFO(&server->log, "ended");
}
