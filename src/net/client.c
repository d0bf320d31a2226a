/* SPDX-License-Identifier: MIT */

/*
 * The calls of webtransport/client.h on the client itself, and its turns.
 *
 *     on_wake    posted calls, lookups that are done, a close that was asked for
 *     on_pass    timers, connectors, the endpoint, then failures of dials and requests are reported
 *     on_error   what the network says about packets: a closed port
 *
 * The loop is kept running while there is anything to wait for: a dial, a request, a connector or a connection. With a loop of
 * its own `wt_client_run` ends when there is none; a caller's loop then ends by itself, or goes on with what else it
 * has.
 *
 * Who may call what: everything belongs to the loop's thread, except `wt_client_post` and `wt_client_close`. The
 * latter is for signal handlers as well, so it only stores to an atomic and calls `uv_async_send`.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sized.h"
#include "core/mux.h"
#include "net/address.h"
#include "net/bounds.h"
#include "net/client_config.h"
#include "net/client_state.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/driver.h"
#include "net/failure.h"
#include "net/loop.h"
#include "net/pending.h"
#include "net/post.h"
#include "net/resolve.h"
#include "net/timer.h"
#include "net/udp.h"
#include "quic/endpoint.h"
#include "quic/tls.h"

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "wt_client_close must work in a signal handler");

#define ASK_CLOSE 1

const char *wt_client_error(const wt_client *client) { return client ? client->error : ""; }

/* --- Turns --- */

/* All that there is ends; what begins in their callbacks does not. */
static void client_close_all(wt_client *client, const char *message) {
  uint64_t now = wt__client_now(client);
  WT__LIST_FOREACH(it, next, &client->pending) { wt__pending_cancel(WT__PENDING_OF(it, link), message); }
  WT__LIST_FOREACH(it, next, &client->connections) { WT__CONNECTION_OF(it)->closing = true; }
  wt__endpoint_close_sessions(client->driver.endpoint, message, now);
  wt__endpoint_flush(client->driver.endpoint, now); /* the closes leave before the connections' */
  WT__LIST_FOREACH(it, next, &client->connections) {
    if (WT__CONNECTION_OF(it)->closing) wt__connection_close(WT__CONNECTION_OF(it));
  }
}

static void client_on_wake(void *ctx) {
  wt_client *client = ctx;
  wt__resolver_run(&client->resolver);
  bool more = wt__posts_run(&client->posts);
  more |= wt__posts_run(&client->session_posts);
  if (more) wt__loop_wake(&client->driver.loop);
  if (atomic_exchange(&client->asked, 0) & ASK_CLOSE) client_close_all(client, "the client was closed");
  wt__client_hold(client);
}

static void client_on_readable(void *ctx, struct wt__socket *socket) {
  wt_client *client = ctx;
  wt__driver_receive(&client->driver, socket);
}

static void client_on_pause(void *ctx, struct wt__socket *socket) {
  wt_client *client = ctx;
  wt__driver_receive_all(&client->driver, socket);
}

static void client_on_writable(void *ctx, struct wt__socket *socket) {
  wt_client *client = ctx;
  (void)socket;
  wt__driver_writable(&client->driver);
}

static void client_on_error(void *ctx, struct wt__socket *socket) { wt__connections_errors(ctx, socket); }

/* All ends with the sentence. What is begun later may be of the other family. */
static void client_on_failing(void *ctx, struct wt__socket *socket, int os_error, bool lasting) {
  wt_client *client = ctx;
  struct wt__failure failure;
  char text[192];
  wt__driver_failing(&client->driver, socket, os_error, lasting, text, sizeof(text));
  if (!lasting) return;
  wt__failure_set(&failure, WT_ERR_IO, WT_TRANSPORT, "%s", text);
  WT__LIST_FOREACH(it, next, &client->pending) { wt__pending_fail(WT__PENDING_OF(it, link), &failure); }
  WT__LIST_FOREACH(it, next, &client->connections) { wt__connection_close(WT__CONNECTION_OF(it)); }
}

/* In a copy of the process (fork.h) the lookups' threads are gone. */
static int client_adopt(wt_client *client, bool running) {
  if (!wt__loop_is_copy(&client->driver.loop)) return 0;
  int error = wt__loop_adopt(&client->driver.loop, running);
  if (error == 0) wt__resolver_forked(&client->resolver);
  return error;
}

/* When the next pass is. */
static uint64_t client_due(void *ctx) {
  const wt_client *client = ctx;
  if (!wt__list_empty(&client->scheduled) || !wt__list_empty(&client->failed)) return 0;
  uint64_t next = wt__endpoint_expiry(client->driver.endpoint);
  const struct wt__heap_node *node = wt__heap_min(&client->timers);
  return node && node->key < next ? node->key : next;
}

static uint64_t client_on_pass(void *ctx) {
  wt_client *client = ctx;
  (void)client_adopt(client, true);
  uint64_t now = wt__client_now(client);
  wt__timers_run(client, now);
  wt__connectors_run(client);
  (void)wt__driver_pass(&client->driver, now); /* what follows may change when the next is due */
  wt__connectors_run(client);
  wt__pending_report_failures(client);
  wt__client_hold(client);
  return client_due(client);
}

static const struct wt__loop_callbacks client_callbacks = {
    .on_wake = client_on_wake,
    .on_readable = client_on_readable,
    .on_writable = client_on_writable,
    .on_error = client_on_error,
    .on_pause = client_on_pause,
    .on_failing = client_on_failing,
    .on_pass = client_on_pass,
    .due = client_due,
};

/* --- Opening --- */

static void client_why(char *message, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void client_why(char *message, size_t size, const char *format, ...) {
  va_list args;
  if (!message || size == 0) return;
  va_start(args, format);
  (void)vsnprintf(message, size, format, args);
  va_end(args);
}

static int socket_open(wt_client *client, const struct wt__address *address, int *os_error) {
  struct wt__socket *socket = &client->sockets[client->socket_count];
  int error = wt__udp_open(&socket->udp, address, os_error);
  if (error) return error;
  wt__udp_want_errors(&socket->udp);
  client->socket_count++;
  return 0;
}

/* One socket a family. A family that the machine does not have is left out, as long as there is another. */
static int sockets_open(wt_client *client, char *message, size_t size) {
  const char *text = client->config.bind ? client->config.bind : "[::]:0", *why;
  struct wt__address addresses[WT__ADDRESSES_MAX];
  size_t count;
  int os_error = 0;
  int error = wt__address_parse(text, addresses, &count, &why);
  if (error) {
    client_why(message, size, "cannot bind to %s: %s", text, why);
    return error;
  }
  for (size_t i = 0; i < count; i++) {
    bool taken = false;
    for (size_t j = 0; j < client->socket_count; j++) {
      taken = taken || client->sockets[j].udp.family == addresses[i].storage.ss_family;
    }
    if (!taken) error = socket_open(client, &addresses[i], &os_error);
  }
  if (client->socket_count > 0) return 0;
  client_why(message, size, "cannot bind to %s: %s", text, wt__os_error_text(os_error));
  return client->config.bind ? WT_ERR_ADDRESS : error;
}

static int tls_open(wt_client *client, char *message, size_t size) {
  const struct wt_client_config *config = &client->config;
  struct wt__tls_client_options options = {
      .verify = config->dangerously_accept_any_certificate ? WT__VERIFY_NOTHING
                : config->certificate_hash_count           ? WT__VERIFY_HASHES
                                                           : WT__VERIFY_CA,
      .ca_file = config->ca_file,
      .hashes = config->certificate_hashes,
      .hash_count = config->certificate_hash_count,
      .certificate = config->certificate,
      .choice = {config->cipher_suites, config->cipher_suite_count, config->groups, config->group_count},
      .key_log = {config->key_log, config->key_log_user_data},
  };
  int error = wt__tls_client_new(&client->tls, &options);
  if (error == WT_ERR_FILE && config->ca_file) {
    client_why(message, size, "ca_file %s: no certificate of an authority can be read from it", config->ca_file);
  } else if (error == WT_ERR_FILE) {
    client_why(message, size, "the system has no certificates of authorities; name a ca_file");
  }
  return error;
}

static int session_post(void *ctx, wt_session *session, wt__session_function function, void *argument) {
  wt_client *client = ctx;
  int error = wt__posts_add_about(&client->session_posts, session, (wt__posts_function)function, argument);
  if (error == 0) wt__loop_wake(&client->driver.loop);
  return error;
}

static int endpoint_open(wt_client *client) {
  struct wt__endpoint_config endpoint = {
      .h3 = {.mux = {.log = &client->log, .post = session_post, .post_ctx = client},
             .counters = &client->counters,
             .require_reset_at = client->config.require_reset_stream_at,
             .log = &client->log},
      .log = &client->log,
      .qlog = wt__qlog_sink_of(&client->qlog_files, client->config.qlog, client->config.qlog_user_data),
  };
  struct wt__bounds bounds;
  WT__BOUNDS_OF(&bounds, struct wt_client_config, &client->config);
  wt__bounds_apply(&bounds, &endpoint);
  return wt__driver_open(&client->driver, &endpoint);
}

static int loop_open(wt_client *client) {
  wt__loop_set_lazy(&client->driver.loop);
  int error = wt__loop_start(&client->driver.loop);
  for (size_t i = 0; error == 0 && i < client->socket_count; i++) {
    error = wt__loop_add(&client->driver.loop, &client->sockets[i]);
  }
  return error;
}

static void post_call(wt__posts_function function, void *subject, void *argument) {
  ((void (*)(wt_client *, void *))function)(subject, argument);
}

static void client_init(wt_client *client) {
  wt__list_init(&client->pending);
  wt__list_init(&client->failed);
  wt__list_init(&client->connectors);
  wt__list_init(&client->scheduled);
  wt__list_init(&client->connections);
  wt__heap_init(&client->timers);
  wt__posts_init(&client->posts, post_call, client);
  wt__posts_init(&client->session_posts, wt__posts_call_session, NULL);
  wt__resolver_init(&client->resolver, &client->driver.loop);
}

/* What does not need the loop. */
static void client_delete(wt_client *client) {
  wt__driver_close(&client->driver);
  wt__tls_client_free(client->tls);
  wt__heap_free(&client->timers);
  wt__client_config_free(&client->config);
  wt__free(client);
}

static void loop_close(wt_client *client) {
  for (size_t i = 0; i < client->socket_count; i++) wt__loop_remove(&client->sockets[i]);
  wt__loop_stop(&client->driver.loop);
  wt__loop_free(&client->driver.loop);
}

static int client_open(wt_client *client, char *message, size_t size) {
  int error = tls_open(client, message, size);
  if (error == 0) error = endpoint_open(client);
  if (error == 0) error = wt__loop_init(&client->driver.loop, client->config.loop, &client_callbacks, client);
  if (error) return error;
  error = sockets_open(client, message, size);
  if (error == 0) error = loop_open(client);
  if (error) loop_close(client);
  return error;
}

int wt_client_new(const struct wt_client_config *config, wt_client **client, char *message, size_t message_size) {
  char why[WT__CLIENT_CONFIG_WHY_MAX] = "";
  client_why(message, message_size, "%s", "");
  if (!client) return WT_ERR_INVALID;
  *client = NULL;
  wt_client *made = wt__calloc(1, sizeof(*made));
  int error = made ? 0 : WT_ERR_NOMEM;
  if (error == 0) {
    client_init(made);
    error = wt__client_config_copy(&made->config, config, why, sizeof(why));
    client_why(message, message_size, "%s", why);
  }
  if (error == 0) {
    made->log = (struct wt__log){made->config.log_level, made->config.log, made->config.log_user_data,
                                 made->config.log_record, made->config.log_record_user_data};
    wt__qlog_files_init(&made->qlog_files, made->config.qlog_dir, "client", made->config.qlog_max_file_bytes,
                        &made->log);
    error = client_open(made, message, message_size);
  }
  if (error == 0) {
    *client = made;
    return 0;
  }
  if (message && message_size && !*message) {
    client_why(message, message_size, "cannot make a client: %s", wt_error_string(error));
  }
  if (made) client_delete(made);
  return error;
}

/* --- Running and ending --- */

/* Before the own loop is run, in whatever way. */
static int client_enter(wt_client *client) {
  if (client->config.loop) return wt__client_fail(client, WT_ERR_STATE, "the loop is the caller's: run that one");
  if (client->in_run) return wt__client_fail(client, WT_ERR_STATE, "the client runs already");
  int error = client_adopt(client, false);
  return error ? wt__client_fail(client, error, "the event loop cannot go on after a fork") : 0;
}

int wt_client_run(wt_client *client) {
  if (!client) return WT_ERR_INVALID;
  int error = client_enter(client);
  if (error) return error;
  client->in_run = true;
  client_on_wake(client);
  while (!wt__client_is_idle(client) && wt__loop_turn(&client->driver.loop)) continue;
  client->in_run = false;
  if (client->free_after_run) wt_client_free(client);
  return 0;
}

/* --- Driven from another loop --- */

int wt_client_fd(wt_client *client) {
  if (!client) return WT_ERR_INVALID;
  if (client->config.loop) return wt__client_fail(client, WT_ERR_STATE, "the loop is the caller's: run that one");
  int error = client_adopt(client, false);
  return error ? error : wt__loop_fd(&client->driver.loop);
}

int wt_client_timeout_ms(wt_client *client) {
  if (!client || client->config.loop) return -1;
  return wt__loop_timeout_ms(&client->driver.loop, client_due(client));
}

int wt_client_turn(wt_client *client) {
  if (!client) return WT_ERR_INVALID;
  int error = client_enter(client);
  if (error) return error;
  client->in_run = true;
  wt__loop_step(&client->driver.loop);
  client->in_run = false;
  if (!client->free_after_run) return wt__client_is_idle(client);
  wt_client_free(client);
  return 1;
}

void wt_client_close(wt_client *client) {
  int saved = errno;
  if (!client) return;
  atomic_fetch_or(&client->asked, ASK_CLOSE);
  wt__loop_wake(&client->driver.loop);
  errno = saved;
}

int wt_client_post(wt_client *client, void (*function)(wt_client *client, void *argument), void *argument) {
  if (!client || !function) return WT_ERR_INVALID;
  int error = wt__posts_add(&client->posts, (wt__posts_function)function, argument);
  if (error == 0) wt__loop_wake(&client->driver.loop);
  return error;
}

void wt_client_free(wt_client *client) {
  if (!client) return;
  if (client->in_run) { /* inside a callback: the frames below it still use the client */
    client->free_after_run = client->freeing = true;
    wt_client_close(client);
    return;
  }
  client->driver.silent = wt__loop_is_copy(&client->driver.loop); /* the connections are the original's */
  (void)client_adopt(client, false);
  wt__posts_flush(&client->posts);
  client->freeing = true;
  wt__posts_close(&client->posts);
  client_close_all(client, "the client was freed");
  wt__endpoint_flush(client->driver.endpoint, wt__client_now(client));
  wt__driver_close(&client->driver);
  wt__posts_close(&client->session_posts);
  while (!wt__list_empty(&client->failed)) wt__pending_report_failures(client);
  wt__resolver_free(&client->resolver);
  loop_close(client);
  client_delete(client);
}

int wt_client_get_stats(const wt_client *client, struct wt_client_stats *stats) {
  if (!client || wt__sized_check(stats, sizeof(*stats))) return WT_ERR_INVALID;
  struct wt__endpoint_stats quic;
  wt__driver_get_stats(&client->driver, &quic);
  const struct wt_client_stats all = {
      .connections_open = quic.connections_open,
      .connections_total = quic.connections_total,
      .sessions_open = client->counters.sessions_open,
      .sessions_total = client->counters.sessions_total,
      .packets_received = quic.packets_received,
      .packets_sent = quic.packets_sent,
      .bytes_received = quic.bytes_received,
      .bytes_sent = quic.bytes_sent,
      .turns = client->driver.turns.count,
      .turns_idle = client->driver.turns.idle,
      .timers_set = client->driver.loop.timers_set,
      .timers_fired = client->driver.loop.timers_fired,
      .packets_sent_ack = quic.acks_sent,
      .packets_sent_probe = quic.probes_sent,
  };
  return wt__sized_give(stats, &all, sizeof(all), sizeof(all));
}
