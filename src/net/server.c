/* SPDX-License-Identifier: MIT */

/*
 * The calls of webtransport/server.h: they check their arguments, say what went wrong in words, and leave
 * the work to others (net/start.c and net/serve.c for sockets, packets and time, h3/ for routes, quic/ for TLS).
 *
 * Who may call what: everything belongs to the thread of worker 0, except `wt_server_post`,
 * `wt_server_set_fleet_keys`, `wt_server_shutdown` and `wt_server_close`. The last two are for signal handlers as well, so
 * they only store to atomics and call `uv_async_send`, which is safe there; `errno` is put back for the code that
 * the signal interrupted.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "core/progress.h"
#include "h3/file_body.h"
#include "h3/files.h"
#include "h3/routes.h"
#include "net/address.h"
#include "net/config.h"
#include "net/fleet_keys.h"
#include "net/inbox.h"
#include "net/loop.h"
#include "net/post.h"
#include "net/serve.h"
#include "net/server_state.h"
#include "net/start.h"
#include "net/takeover.h"
#include "net/workers.h"
#include "quic/cid_maker.h"
#include "quic/endpoint.h"
#include "quic/shared.h"
#include "quic/tls.h"

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "wt_server_shutdown must work in a signal handler");

const char *wt_server_error(const wt_server *server) { return server ? server->error : ""; }

/* --- New and free --- */

static struct wt__log log_of(const struct wt_server_config *config) {
  struct wt__log log = {.level = WT_LOG_WARN};
  if (config && config->size >= WT__SERVER_CONFIG_LEAST) {
    log = (struct wt__log){.level = config->log_level, .function = config->log, .user_data = config->log_user_data};
    if (config->size >= offsetof(struct wt_server_config, log_record_user_data) + sizeof(void *)) {
      log.record = config->log_record;
      log.record_user_data = config->log_record_user_data;
    }
  }
  return log;
}

static void server_delete(wt_server *server) {
  wt__routes_free(&server->routes);
  if (server->tls) wt__tls_context_free(server->tls);
  for (size_t i = 0; i < server->certificate_count; i++) wt_certificate_free(server->certificates[i]);
  wt__free(server->certificates);
  for (unsigned i = 0; i < server->worker_count; i++) {
    wt__inbox_free(&server->workers[i].inbox);
    wt__free(server->workers[i].sockets);
    wt__free(server->workers[i].outbox.data);
  }
  wt__free(server->workers);
  wt__free(server->extras);
  wt__hub_free(&server->hub);
  wt__carrier_free(server);
  if (server->has_shared) wt__shared_free(&server->shared);
  wt__wipe(&server->keys, sizeof(server->keys));
  if (server->has_ids) wt__cid_shared_free(&server->ids);
  wt__wipe(server->reset_key, sizeof(server->reset_key));
  pthread_mutex_destroy(&server->keys_lock);
  wt__config_free(&server->config);
  wt__free(server);
}

static void post_call(wt__posts_function function, void *subject, void *argument) {
  ((void (*)(wt_server *, void *))function)(subject, argument);
}

/* Its part of the bound; 0 only where the bound is. */
static size_t files_of_worker(const wt_server *server) {
  size_t max = server->config.max_open_files, workers = server->config.workers;
  return max > 0 && max < workers ? 1 : max / workers;
}

/* A worker without a loop. */
static void worker_init(wt_server *server, unsigned index) {
  struct wt__worker *worker = &server->workers[index];
  worker->server = server;
  worker->index = index;
  worker->deadline = worker->settles_at = UINT64_MAX;
  wt__open_files_init(&worker->open_files, files_of_worker(server));
  wt__progress_counts_init(&worker->counters.progress);
  wt__measures_init(&worker->measures);
  wt__posts_init(&worker->posts, wt__posts_call_session, NULL);
  wt__inbox_init(&worker->inbox);
}

static int workers_new(wt_server *server, char *why, size_t size) {
  unsigned count = server->config.workers;
  server->workers = wt__calloc(count, sizeof(*server->workers));
  if (!server->workers) return WT_ERR_NOMEM;
  server->worker_count = count;
  for (unsigned i = 0; i < count; i++) worker_init(server, i);
  for (unsigned i = 0; i < count; i++) {
    struct wt__worker *worker = &server->workers[i];
    struct uv_loop_s *loop = i ? NULL : server->config.loop;
    int error = wt__loop_init(&worker->driver.loop, loop, &wt__serve_callbacks, worker);
    if (error == 0) continue;
    (void)snprintf(why, size, "the event loop: %s", worker->driver.loop.why ? worker->driver.loop.why : "");
    while (i > 0) wt__loop_free(&server->workers[--i].driver.loop);
    return error;
  }
  return 0;
}

static int tls_open(wt_server *server, char *why, size_t size) {
  const struct wt_server_config *config = &server->config;
  const struct wt__tls_server_options options = {
      .client_certificates = config->client_certificates,
      .client_ca_file = config->client_ca_file,
      .choice = {config->cipher_suites, config->cipher_suite_count, config->groups, config->group_count},
      .key_log = {config->key_log, config->key_log_user_data},
      .select = config->select_certificate,
      .select_user_data = config->select_certificate_user_data,
      .ticket_lifetime_s = (unsigned)config->ticket_lifetime_s,
  };
  int error = wt__tls_context_new(&server->tls, config->session_tickets);
  if (error == 0) error = wt__tls_context_configure(server->tls, &options);
  if (error == WT_ERR_FILE) {
    (void)snprintf(why, size, "client_ca_file %s: no certificate of an authority can be read from it",
                   config->client_ca_file);
  }
  return error;
}

static int ids_open(struct wt_server *server, char *why, size_t size) {
  struct wt__cid_scheme scheme;
  int error = wt__cid_scheme_read(&scheme, server->config.connection_ids, server->config.workers, why, size);
  if (error == 0) error = wt__cid_shared_init(&server->ids, &scheme);
  server->has_ids = error == 0;
  wt__wipe(&scheme, sizeof(scheme));
  return error;
}

static int server_new(struct wt_server *server, const struct wt_server_config *config, char *why, size_t size) {
  pthread_mutex_init(&server->keys_lock, NULL);
  wt__routes_init(&server->routes);
  wt__posts_init(&server->posts, post_call, server);
  int error = wt__config_copy(&server->config, config, why, size);
  wt__qlog_files_init(&server->qlog_files, server->config.qlog_dir, "server", server->config.qlog_max_file_bytes,
                      &server->log);
  if (error == 0) error = ids_open(server, why, size);
  if (error == 0) error = tls_open(server, why, size);
  if (error == 0) error = wt__fleet_keys_open(server, why, size);
  if (error == 0) error = wt__hub_init(&server->hub, server->config.workers);
  server->hub.wake = wt__worker_wake;
  server->hub.wake_ctx = server;
  server->hub.log = &server->log;
  return error ? error : workers_new(server, why, size);
}

int wt_server_new(const struct wt_server_config *config, wt_server **server, char *message, size_t message_size) {
  struct wt__log log = log_of(config);
  char why[WT__CONFIG_WHY_MAX] = "";
  if (message && message_size) message[0] = '\0';
  if (!server) return WT_ERR_INVALID;
  *server = NULL;
  struct wt_server *made = wt__calloc(1, sizeof(*made));
  if (made) made->log = log;
  int error = made ? server_new(made, config, why, sizeof(why)) : WT_ERR_NOMEM;
  if (error == 0) {
    *server = made;
    return 0;
  }
  if (!why[0]) (void)snprintf(why, sizeof(why), "%s", wt_error_string(error));
  WT__ERROR(&log, WT__EVENT_OF("server_not_made", WT__TEXT("reason", why)), "cannot make a server: %s", why);
  if (message && message_size) (void)snprintf(message, message_size, "cannot make a server: %s", why);
  if (made) server_delete(made);
  return error;
}

/* Whether this is a thread that `wt_server_free` would wait for. */
static bool is_on_worker(const wt_server *server) {
  for (unsigned i = 1; i < server->worker_count; i++) {
    const struct wt__worker *worker = &server->workers[i];
    if (worker->has_thread && pthread_equal(worker->thread, pthread_self())) return true;
  }
  return false;
}

/* In a copy of the process: the connections are the original's, so clients hear nothing of this. Whether nothing can be
 * freed, since threads that are not here may have been at it: the memory goes with the process. */
static bool server_is_foreign(wt_server *server) {
  if (!server->abandoned && !wt__loop_is_copy(&server->workers[0].driver.loop)) return false;
  if (server->abandoned || wt__server_adopt(server)) return true;
  for (unsigned i = 0; i < server->worker_count; i++) server->workers[i].driver.silent = true;
  return false;
}

void wt_server_free(wt_server *server) {
  if (!server) return;
  if (is_on_worker(server)) {
    WT__ERROR(&server->log, WT__EVENT("server_not_freed"),
              "wt_server_free was called in a callback of a worker: the server is closed, and not freed");
    wt_server_close(server);
    return;
  }
  if (server->in_run) { /* inside a callback: the frames below it still use the server */
    server->free_after_run = true;
    wt_server_close(server);
    return;
  }
  if (server_is_foreign(server)) return;
  wt__posts_flush(&server->posts);
  enum server_state state = server->workers[0].state;
  if (state != SERVER_NEW && state != SERVER_ENDED) wt__server_end(server);
  wt__server_join(server);
  struct wt__worker *first = &server->workers[0];
  while (first->state == SERVER_CLOSED && wt__loop_turn(&first->driver.loop))
    continue; /* until the backplane has stopped */
  wt__posts_close(&server->posts);
  wt__takeover_free(server->takeover);
  server->takeover = NULL;
  for (unsigned i = 0; i < server->worker_count; i++) {
    wt__posts_close(&server->workers[i].posts);
    wt__loop_free(&server->workers[i].driver.loop);
  }
  server_delete(server);
}

/* --- Routes and certificates --- */

static bool is_started(const wt_server *server) { return server->workers[0].state != SERVER_NEW; }

/* The threads of several workers read the routes without a lock. */
static int routes_check(wt_server *server) {
  if (server->worker_count == 1 || !is_started(server)) return 0;
  return wt__server_fail(server, WT_ERR_STATE, "a server with several workers takes no routes after its start");
}

int wt_server_handle(wt_server *server, const char *pattern, wt_handler_callback handler, void *user_data) {
  if (!server) return WT_ERR_INVALID;
  if (!pattern || pattern[0] != '/') {
    return wt__server_fail(server, WT_ERR_INVALID, "pattern \"%s\" does not begin with '/'", pattern ? pattern : "");
  }
  if (!handler) return wt__server_fail(server, WT_ERR_INVALID, "no handler for pattern \"%s\"", pattern);
  int error = routes_check(server);
  if (error) return error;
  error = wt__routes_set(&server->routes, pattern, handler, user_data, NULL);
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
  int error = routes_check(server);
  if (error) return error;
  error = wt__files_route(&server->routes, pattern, directory);
  return error ? wt__server_fail(server, error, "directory \"%s\": %s", directory, wt_error_string(error)) : 0;
}

/* For the metrics, which another thread may read. */
static void certificates_note_end(wt_server *server) {
  int64_t first = INT64_MAX;
  for (size_t i = 0; i < server->certificate_count; i++) {
    int64_t end = wt_certificate_expires_at(server->certificates[i]);
    if (end < first) first = end;
  }
  atomic_store_explicit(&server->certificate_expires_at, first, memory_order_relaxed);
}

/* Hands `list`, whose references become the server's, to TLS; on an error everything stays as it was. */
static int certificates_set(wt_server *server, wt_certificate **list, size_t count) {
  int error = wt__tls_context_set_certificates(server->tls, list, count);
  wt_certificate **old = error ? list : server->certificates;
  size_t old_count = error ? count : server->certificate_count;
  if (error == 0) {
    server->certificates = list;
    server->certificate_count = count;
    certificates_note_end(server);
  }
  for (size_t i = 0; i < old_count; i++) wt_certificate_free(old[i]);
  wt__free(old);
  return error ? wt__server_fail(server, error, "cannot use the certificates: %s", wt_error_string(error)) : 0;
}

/* The file stays as it is: only its owner knows who else needs it. */
static void certificate_warn(const wt_server *server, const wt_certificate *certificate) {
  const char *file = wt__certificate_open_key_file(certificate);
  if (!file) return;
  WT__WARN(&server->log, WT__EVENT_OF("key_file_exposed", WT__TEXT("file", file)),
           "every user of this machine may read or change the key file %s: run \"chmod o= %s\"", file, file);
}

/* `kept` of the server's certificates followed by `count` of `added`, each with a reference of its own. */
static int certificates_join(wt_server *server, size_t kept, wt_certificate *const *added, size_t count) {
  wt_certificate **list = wt__calloc(kept + count, sizeof(void *));
  if (!list) return wt__server_fail(server, WT_ERR_NOMEM, "%s", wt_error_string(WT_ERR_NOMEM));
  for (size_t i = 0; i < kept; i++) list[i] = wt__certificate_ref(server->certificates[i]);
  for (size_t i = 0; i < count; i++) list[kept + i] = wt__certificate_ref(added[i]);
  int error = certificates_set(server, list, kept + count);
  for (size_t i = 0; error == 0 && i < count; i++) certificate_warn(server, added[i]);
  return error;
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

int wt_server_set_fleet_keys(wt_server *server, const struct wt_fleet_keys *keys, char *message, size_t message_size) {
  if (message && message_size) message[0] = '\0';
  return server ? wt__fleet_keys_set(server, keys, message, message ? message_size : 0) : WT_ERR_INVALID;
}

/* --- Start, run, end --- */

int wt_server_start(wt_server *server) {
  if (!server) return WT_ERR_INVALID;
  if (is_started(server)) return wt__server_fail(server, WT_ERR_STATE, "the server was started before");
  if (server->certificate_count == 0) return wt__server_fail(server, WT_ERR_STATE, "the server has no certificate");
  int error = wt__server_adopt(server);
  return error ? error : wt__server_begin(server);
}

/* Once all workers have ended: whether one of them had to. */
static int server_outcome(wt_server *server) {
  for (unsigned i = 0; i < server->worker_count; i++) {
    const char *failure = server->workers[i].failure;
    if (*failure) return wt__server_fail(server, WT_ERR_IO, "%s", failure);
  }
  return 0;
}

/* Before the loop is run, in whatever way. */
static int server_enter(wt_server *server) {
  if (!is_started(server)) return wt__server_fail(server, WT_ERR_STATE, "the server was not started");
  if (server->in_run) return wt__server_fail(server, WT_ERR_STATE, "the server runs already");
  return wt__server_adopt(server);
}

/* Once worker 0 has ended. */
static int server_leave(wt_server *server) {
  wt__server_join(server);
  return server->abandoned ? wt__server_adopt(server) : server_outcome(server);
}

int wt_server_run(wt_server *server) {
  if (!server) return WT_ERR_INVALID;
  int error = server_enter(server);
  if (error) return error;
  server->in_run = true;
  struct wt__worker *worker = &server->workers[0];
  while (worker->state != SERVER_ENDED && wt__loop_turn(&worker->driver.loop)) continue;
  server->in_run = false;
  error = server_leave(server);
  if (server->free_after_run) wt_server_free(server);
  return error;
}

/* --- Driven from another loop --- */

static int server_own_loop(wt_server *server) {
  if (!server->config.loop) return 0;
  return wt__server_fail(server, WT_ERR_STATE, "the loop is the caller's: run that one");
}

int wt_server_fd(wt_server *server) {
  if (!server) return WT_ERR_INVALID;
  int error = server_own_loop(server);
  if (error == 0) error = wt__server_adopt(server);
  return error ? error : wt__loop_fd(&server->workers[0].driver.loop);
}

int wt_server_timeout_ms(wt_server *server) {
  if (!server || server->config.loop) return -1;
  struct wt__worker *worker = &server->workers[0];
  if (worker->state == SERVER_NEW || worker->state == SERVER_ENDED) return -1;
  return wt__loop_timeout_ms(&worker->driver.loop, wt__endpoint_expiry(worker->driver.endpoint));
}

int wt_server_turn(wt_server *server) {
  if (!server) return WT_ERR_INVALID;
  int error = server_own_loop(server);
  if (error == 0) error = server_enter(server);
  if (error) return error;
  struct wt__worker *worker = &server->workers[0];
  server->in_run = true;
  if (worker->state != SERVER_ENDED) wt__loop_step(&worker->driver.loop);
  server->in_run = false;
  bool ended = worker->state == SERVER_ENDED;
  error = ended ? server_leave(server) : 0;
  if (server->free_after_run) {
    wt_server_free(server);
    ended = true;
  }
  return error ? error : ended;
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
  wt__server_ask(server, what);
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
  if (error == 0) wt__loop_wake(&server->workers[0].driver.loop);
  return error;
}

/* --- Connection ids --- */

static int ids_set(struct wt_server *server, const struct wt_connection_ids *ids, char *why, size_t size) {
  struct wt__cid_scheme scheme;
  bool changed = false;
  int error = wt__cid_scheme_read(&scheme, ids, server->worker_count, why, size);
  if (error == 0) error = wt__cid_shared_set(&server->ids, &scheme, &changed, why, size);
  wt__wipe(&scheme, sizeof(scheme));
  for (unsigned i = 0; changed && i < server->worker_count; i++) wt__loop_wake(&server->workers[i].driver.loop);
  return error;
}

int wt_server_set_connection_ids(wt_server *server, const struct wt_connection_ids *ids, char *message,
                                 size_t message_size) {
  char why[WT__CID_WHY_MAX] = "";
  if (message && message_size) message[0] = '\0';
  if (!server) return WT_ERR_INVALID;
  int error = ids_set(server, ids, why, sizeof(why));
  if (error == 0) return 0;
  if (!why[0]) (void)snprintf(why, sizeof(why), "%s", wt_error_string(error));
  if (message && message_size) (void)snprintf(message, message_size, "connection ids stay as they are: %s", why);
  return error;
}

/* --- Questions --- */

int wt_server_get_address(const wt_server *server, size_t index, char *address, size_t size) {
  if (address && size) address[0] = '\0';
  if (!server || !address) return WT_ERR_INVALID;
  const struct wt__worker *worker = &server->workers[0];
  if (index >= worker->socket_count) return WT_ERR_NOT_FOUND;
  int error = wt__address_format((const struct sockaddr *)&worker->sockets[index].udp.bound.storage, address, size);
  if (error && size) address[0] = '\0'; /* what fitted is no address */
  return error;
}
