/* SPDX-License-Identifier: MIT */

/*
 * The calls of webtransport/server.h: they check their arguments, say what went wrong in words, and leave
 * the work to others (net/serve.c for packets and time, h3/ for routes, quic/ for TLS).
 *
 * Who may call what: everything belongs to the thread of the loop, except `wt_server_post`,
 * `wt_server_shutdown` and `wt_server_close`. The last two are for signal handlers as well, so they only
 * store to atomics and call `uv_async_send`, which is safe there; `errno` is put back for the code that
 * the signal interrupted.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "h3/files.h"
#include "net/server.h"

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "wt_server_shutdown must work in a signal handler");

int wt__server_fail(struct wt_server *server, int error, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(server->error, sizeof(server->error), format, args);
  va_end(args);
  return error;
}

const char *wt_server_error(const wt_server *server) { return server ? server->error : ""; }

/* --- New and free --- */

static struct wt__log log_of(const struct wt_server_config *config) {
  struct wt__log log = {.level = WT_LOG_WARN};
  if (config && config->size >= sizeof(*config)) {
    log = (struct wt__log){.level = config->log_level, .function = config->log, .user_data = config->log_user_data};
  }
  return log;
}

static void server_delete(wt_server *server) {
  wt__routes_free(&server->routes);
  if (server->tls) wt__tls_context_free(server->tls);
  for (size_t i = 0; i < server->certificate_count; i++) wt_certificate_free(server->certificates[i]);
  wt__free(server->certificates);
  wt__free(server->sockets);
  wt__config_free(&server->config);
  wt__free(server);
}

static void post_call(wt__posts_function function, void *subject, void *argument) {
  ((void (*)(wt_server *, void *))function)(subject, argument);
}

int wt_server_new(wt_server **server, const struct wt_server_config *config) {
  struct wt__log log = log_of(config);
  char why[WT__CONFIG_WHY_MAX] = "";
  if (!server) return WT_ERR_INVALID;
  struct wt_server *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  made->log = log;
  made->deadline = UINT64_MAX;
  wt__routes_init(&made->routes);
  wt__posts_init(&made->posts, post_call, made);
  int error = wt__config_copy(&made->config, config, why, sizeof(why));
  if (error == 0) error = wt__tls_context_new(&made->tls, made->config.session_tickets);
  if (error == 0) error = wt__loop_init(&made->driver.loop, made->config.loop, &wt__serve_callbacks, made);
  if (error) {
    /* There is no server yet that could be asked for the reason. */
    WT__ERROR(&log, "cannot make a server: %s", why[0] ? why : wt_error_string(error));
    server_delete(made);
    return error;
  }
  *server = made;
  return 0;
}

void wt_server_free(wt_server *server) {
  if (!server) return;
  if (server->in_run) { /* inside a callback: the frames below it still use the server */
    server->free_after_run = true;
    wt_server_close(server);
    return;
  }
  wt__posts_run(&server->posts);
  if (server->state == SERVER_RUNNING || server->state == SERVER_DRAINING) wt__serve_end(server);
  wt__posts_close(&server->posts);
  wt__loop_free(&server->driver.loop);
  server_delete(server);
}

/* --- Routes and certificates --- */

int wt_server_handle(wt_server *server, const char *pattern, wt_handler handler, void *user_data) {
  if (!server) return WT_ERR_INVALID;
  if (!pattern || pattern[0] != '/') {
    return wt__server_fail(server, WT_ERR_INVALID, "pattern \"%s\" does not begin with '/'", pattern ? pattern : "");
  }
  if (!handler) return wt__server_fail(server, WT_ERR_INVALID, "no handler for pattern \"%s\"", pattern);
  int error = wt__routes_set(&server->routes, pattern, handler, user_data, NULL);
  return error ? wt__server_fail(server, error, "pattern \"%s\": %s", pattern, wt_error_string(error)) : 0;
}

int wt_server_handle_files(wt_server *server, const char *pattern, const char *directory) {
  if (!server) return WT_ERR_INVALID;
  size_t len = pattern ? strlen(pattern) : 0;
  if (len == 0 || pattern[0] != '/' || pattern[len - 1] != '/') {
    return wt__server_fail(server, WT_ERR_INVALID, "pattern \"%s\" does not begin and end with '/'",
                           pattern ? pattern : "");
  }
  if (!directory || !*directory) return wt__server_fail(server, WT_ERR_INVALID, "no directory for \"%s\"", pattern);
  int error = wt__files_route(&server->routes, pattern, directory);
  return error ? wt__server_fail(server, error, "directory \"%s\": %s", directory, wt_error_string(error)) : 0;
}

/* Hands `list`, whose references become the server's, to TLS; on an error everything stays as it was. */
static int certificates_set(wt_server *server, wt_certificate **list, size_t count) {
  int error = wt__tls_context_set_certificates(server->tls, list, count);
  wt_certificate **old = error ? list : server->certificates;
  size_t old_count = error ? count : server->certificate_count;
  if (error == 0) {
    server->certificates = list;
    server->certificate_count = count;
  }
  for (size_t i = 0; i < old_count; i++) wt_certificate_free(old[i]);
  wt__free(old);
  return error ? wt__server_fail(server, error, "cannot use the certificates: %s", wt_error_string(error)) : 0;
}

/* `kept` of the server's certificates followed by `count` of `added`, each with a reference of its own. */
static int certificates_join(wt_server *server, size_t kept, wt_certificate *const *added, size_t count) {
  wt_certificate **list = wt__calloc(kept + count, sizeof(void *));
  if (!list) return wt__server_fail(server, WT_ERR_NOMEM, "%s", wt_error_string(WT_ERR_NOMEM));
  for (size_t i = 0; i < kept; i++) list[i] = wt__certificate_ref(server->certificates[i]);
  for (size_t i = 0; i < count; i++) list[kept + i] = wt__certificate_ref(added[i]);
  return certificates_set(server, list, kept + count);
}

int wt_server_add_certificate(wt_server *server, wt_certificate *certificate) {
  if (!server) return WT_ERR_INVALID;
  if (!certificate) return wt__server_fail(server, WT_ERR_INVALID, "the certificate is NULL");
  return certificates_join(server, server->certificate_count, &certificate, 1);
}

int wt_server_set_certificates(wt_server *server, wt_certificate *const *certificates, size_t count) {
  if (!server) return WT_ERR_INVALID;
  if (!certificates || count == 0) return wt__server_fail(server, WT_ERR_INVALID, "no certificates are given");
  for (size_t i = 0; i < count; i++) {
    if (!certificates[i]) return wt__server_fail(server, WT_ERR_INVALID, "certificate %zu is NULL", i);
  }
  return certificates_join(server, 0, certificates, count);
}

/* --- Start, run, end --- */

int wt_server_start(wt_server *server) {
  if (!server) return WT_ERR_INVALID;
  if (server->state != SERVER_NEW) return wt__server_fail(server, WT_ERR_STATE, "the server was started before");
  if (server->certificate_count == 0) return wt__server_fail(server, WT_ERR_STATE, "the server has no certificate");
  return wt__serve_start(server);
}

int wt_server_run(wt_server *server) {
  if (!server) return WT_ERR_INVALID;
  if (server->state == SERVER_NEW) return wt__server_fail(server, WT_ERR_STATE, "the server was not started");
  if (server->in_run) return wt__server_fail(server, WT_ERR_STATE, "the server runs already");
  server->in_run = true;
  while (server->state != SERVER_ENDED && wt__loop_turn(&server->driver.loop)) continue;
  server->in_run = false;
  if (server->free_after_run) wt_server_free(server);
  return 0;
}

int wt_server_listen_and_serve_tls(wt_server *server, const char *cert_file, const char *key_file) {
  if (!server) return WT_ERR_INVALID;
  if (!cert_file || !key_file) return wt__server_fail(server, WT_ERR_INVALID, "a file name is NULL");
  wt_certificate *certificate;
  int error = wt_certificate_load(cert_file, key_file, &certificate, server->error, sizeof(server->error));
  if (error) return error;
  error = wt_server_add_certificate(server, certificate);
  wt_certificate_free(certificate);
  if (error == 0) error = wt_server_start(server);
  return error ? error : wt_server_run(server);
}

static void server_ask(wt_server *server, unsigned what) {
  int saved = errno;
  atomic_fetch_or(&server->asked, what);
  wt__loop_wake(&server->driver.loop);
  errno = saved;
}

void wt_server_shutdown(wt_server *server, uint64_t deadline_ms) {
  if (!server) return;
  atomic_store(&server->asked_deadline_ms, deadline_ms);
  server_ask(server, ASK_SHUTDOWN);
}

void wt_server_close(wt_server *server) {
  if (server) server_ask(server, ASK_CLOSE);
}

int wt_server_post(wt_server *server, void (*function)(wt_server *server, void *argument), void *argument) {
  if (!server || !function) return WT_ERR_INVALID;
  int error = wt__posts_add(&server->posts, (wt__posts_function)function, argument);
  if (error == 0) wt__loop_wake(&server->driver.loop);
  return error;
}

/* --- Questions --- */

int wt_server_address(const wt_server *server, size_t index, char *address, size_t size) {
  if (!server || !address) return WT_ERR_INVALID;
  if (index >= server->socket_count) return WT_ERR_NOT_FOUND;
  return wt__address_format((const struct sockaddr *)&server->sockets[index].udp.bound.storage, address, size);
}

int wt_server_get_stats(const wt_server *server, struct wt_server_stats *stats) {
  /* There is no older header yet; once there is, its size is the smallest allowed here. */
  if (!server || !stats || stats->size < sizeof(*stats)) return WT_ERR_INVALID;
  struct wt__endpoint_stats quic;
  wt__driver_get_stats(&server->driver, &quic);
  *stats = (struct wt_server_stats){
      .size = stats->size,
      .connections_open = quic.connections_open,
      .connections_total = quic.connections_total,
      .sessions_open = server->counters.sessions_open,
      .sessions_total = server->counters.sessions_total,
      .requests_total = server->counters.requests_total,
      .handshakes_open = quic.handshakes_open,
      .packets_received = quic.packets_received,
      .packets_sent = quic.packets_sent,
      .bytes_received = quic.bytes_received,
      .bytes_sent = quic.bytes_sent,
  };
  return 0;
}
