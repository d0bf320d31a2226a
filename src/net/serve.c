/* SPDX-License-Identifier: MIT */

/*
 * A server at work: sockets and time on one side, the QUIC endpoint on the other.
 *
 *     on_readable  datagrams -> endpoint             (a bounded number, so that sockets take turns)
 *     on_pass      endpoint runs, sends; when next?  (once a turn, before the loop blocks)
 *     on_writable  a socket that was full is not     (the endpoint kept its packets)
 *     on_wake      posted calls; shutdown and close, which other threads and signal handlers ask for
 *
 * The end, orderly or not, always comes from the loop's own level (on_wake, on_pass) or from
 * `wt_server_free`, never from inside a callback of the application: the endpoint can be freed at once.
 *
 * Its counts are kept beyond it, so that a program can print them when all is over.
 */

#include "net/server.h"

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"

#define BATCHES_PER_EVENT 4 /* then other sockets and the pass have their turn */
#define NS_PER_MS UINT64_C(1000000)

/* --- Packets --- */

static void serve_receive(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len) {
  struct wt_server *server = ctx;
  wt__endpoint_recv(server->endpoint, path, ecn, data, len, wt__loop_now(&server->loop));
}

static void serve_on_readable(void *ctx, struct wt__socket *socket) {
  struct wt_server *server = ctx;
  for (int i = 0; i < BATCHES_PER_EVENT; i++) {
    if (!wt__udp_recv(&socket->udp, server->batch, serve_receive, server)) return;
  }
}

static int serve_send(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                      size_t segment) {
  struct wt__udp *udp = path->socket;
  (void)ctx;
  int error = wt__udp_send(udp, path, ecn, data, len, segment);
  if (error == WT_ERR_AGAIN) wt__loop_want_write(WT__CONTAINER_OF(udp, struct wt__socket, udp));
  return error;
}

static void serve_on_writable(void *ctx, struct wt__socket *socket) {
  struct wt_server *server = ctx;
  (void)socket;
  wt__endpoint_writable(server->endpoint, wt__loop_now(&server->loop));
}

/* --- Turns --- */

static void serve_drain(struct wt_server *server) {
  uint64_t now = wt__loop_now(&server->loop);
  uint64_t ms = atomic_load(&server->asked_deadline_ms);
  server->deadline = ms > (UINT64_MAX - now) / NS_PER_MS ? UINT64_MAX : now + ms * NS_PER_MS;
  if (server->state == SERVER_DRAINING) return; /* only another deadline */
  server->state = SERVER_DRAINING;
  WT__INFO(&server->log, "shutting down");
  wt__endpoint_shutdown(server->endpoint, now);
}

static void serve_on_wake(void *ctx) {
  struct wt_server *server = ctx;
  wt__posts_run(&server->posts, server);
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
  uint64_t now = wt__loop_now(&server->loop);
  wt__endpoint_run(server->endpoint, now);
  uint64_t next = wt__endpoint_expiry(server->endpoint);
  if (server->state != SERVER_DRAINING) return next;
  /* After the pass, so that GOAWAY has left even when there is nothing to wait for. */
  if (now >= server->deadline || wt__endpoint_is_idle(server->endpoint)) {
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

static struct wt__h3_config h3_config_of(struct wt_server *server) {
  const struct wt_server_config *config = &server->config;
  return (struct wt__h3_config){
      .mux =
          {
              .max_stream_send_buffer = config->max_stream_send_buffer,
              .max_datagrams_queued = config->max_datagrams_queued,
              .max_early_streams = config->max_early_streams,
              .max_early_datagrams = config->max_early_datagrams,
              .early_timeout_ms = config->early_timeout_ms,
              .flow =
                  {
                      .initial = {config->wt_initial_max_data,
                                  {[WT_BIDIRECTIONAL] = config->wt_max_streams_bidi,
                                   [WT_UNIDIRECTIONAL] = config->wt_max_streams_uni}},
                      .max_data = config->wt_max_data,
                  },
              .log = &server->log,
          },
      .routes = &server->routes,
      .counters = &server->counters,
      .server = server,
      .check_origin = config->check_origin,
      .check_origin_user_data = config->check_origin_user_data,
      .settings_timeout_ms = config->settings_timeout_ms,
      .no_request_timeout_ms = config->no_request_timeout_ms,
      .max_sessions_per_connection = config->max_sessions_per_connection,
      .max_header_bytes = config->max_header_bytes,
      .drafts = config->drafts,
      .max_streams_bidi = config->max_streams_bidi,
      .max_stream_data = config->max_stream_data,
      .log = &server->log,
  };
}

static int endpoint_open(struct wt_server *server) {
  const struct wt_server_config *config = &server->config;
  struct wt__endpoint_config endpoint = {
      .tls = server->tls,
      .h3 = h3_config_of(server),
      .send = serve_send,
      .send_ctx = server,
      .log = &server->log,
      .idle_timeout_ms = config->idle_timeout_ms,
      .keep_alive_ms = config->keep_alive_ms,
      .handshake_timeout_ms = config->handshake_timeout_ms,
      .retry = config->retry,
      .retry_threshold = config->retry_threshold,
      .max_connections = config->max_connections,
      .max_connections_per_address = config->max_connections_per_address,
      .initial_max_data = config->initial_max_data,
      .max_data = config->max_data,
      .initial_max_stream_data = config->initial_max_stream_data,
      .max_stream_data = config->max_stream_data,
      .max_streams_bidi = config->max_streams_bidi,
      .max_streams_uni = config->max_streams_uni,
  };
  int error = 0;
  if (config->reset_key) {
    memcpy(endpoint.reset_key, config->reset_key, sizeof(endpoint.reset_key));
  } else {
    error = wt__tls_random(endpoint.reset_key, sizeof(endpoint.reset_key));
  }
  if (error == 0) error = wt__endpoint_new(&server->endpoint, &endpoint);
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
  if (server->endpoint) wt__endpoint_free(server->endpoint);
  server->endpoint = NULL;
  wt__udp_batch_free(server->batch);
  server->batch = NULL;
  sockets_close(server);
}

static int parts_open(struct wt_server *server) {
  for (size_t i = 0; i < server->config.listen_count; i++) {
    int error = sockets_open(server, server->config.listen[i]);
    if (error) return error;
  }
  server->batch = wt__udp_batch_new();
  int error = server->batch ? endpoint_open(server) : WT_ERR_NOMEM;
  return error ? wt__server_fail(server, error, "cannot start: %s", wt_error_string(error)) : 0;
}

static int loop_open(struct wt_server *server) {
  int error = wt__loop_start(&server->loop);
  for (size_t i = 0; error == 0 && i < server->socket_count; i++) {
    error = wt__loop_add(&server->loop, &server->sockets[i]);
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
    wt__loop_stop(&server->loop);
    server->state = SERVER_ENDED;
    return error;
  }
  server->state = SERVER_RUNNING;
  addresses_log(server);
  if (atomic_load(&server->asked)) wt__loop_wake(&server->loop);
  return 0;
}

/* --- End --- */

void wt__serve_end(struct wt_server *server) {
  uint64_t now = wt__loop_now(&server->loop);
  server->state = SERVER_ENDED;
  wt__endpoint_close(server->endpoint, now);
  wt__endpoint_run(server->endpoint, now);
  wt__endpoint_get_stats(server->endpoint, &server->last_stats);
  server->last_stats.connections_open = server->last_stats.handshakes_open = 0;
  parts_close(server);
  wt__loop_stop(&server->loop);
  WT__INFO(&server->log, "ended");
}
