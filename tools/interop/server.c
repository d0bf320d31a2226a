/* SPDX-License-Identifier: MIT */
/*
 * The server's role: sessions at any path, whose first component names the endpoint. It ends by itself when the
 * sessions have: a runner that waits for either container then has its result.
 *
 *   sessions come --> fetching: all files there, or failed --> sessions closed
 *                     otherwise: the client closes them
 *   no session left for a while, so that a client may open several one after the other --> shutdown
 *
 * Browsers connect from a page of the runner's, so every origin is welcome here.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "roles.h"
#include "ticker.h"
#include "transfer.h"

enum {
  LINGER_MS = 500,
  SHUTDOWN_MS = 1000,
  SESSIONS_MAX = 16,
};

struct server {
  struct plan *plan;
  wt_server *handle;
  struct transfer *transfers[SESSIONS_MAX]; /* NULL: free */
  size_t open, seen, answered;              /* sessions, sessions, requests */
  uint64_t now_ms, empty_ms;                /* the last tick; when the last session ended */
  bool ending;
};

static wt_server *running;

static void on_signal(int number) {
  (void)number;
  wt_server_close(running);
}

static void server_close_sessions(struct server *server) {
  for (size_t i = 0; i < SESSIONS_MAX; i++) {
    struct transfer *transfer = server->transfers[i];
    if (transfer && transfer->session) wt_session_close(transfer->session, server->plan->failed, "", 0);
  }
}

static void server_end(struct server *server) {
  if (server->ending) return;
  server->ending = true;
  server_close_sessions(server);
  wt_server_shutdown(server->handle, SHUTDOWN_MS);
}

static void on_change(struct transfer *transfer) {
  struct server *server = transfer->owner;
  bool done = transfer->plan->task == TASK_FETCH && plan_left(transfer->plan) == 0;
  if (done || transfer->plan->failed) server_end(server);
}

/* What the run lacks once its last session is gone. */
static void server_judge(struct server *server) {
  struct plan *plan = server->plan;
  if (plan->failed) return;
  if (plan_left(plan) > 0)
    plan_fail(plan, "the client left, and %zu files are missing", plan_left(plan));
  else if (plan->task == TASK_SERVE && server->answered == 0)
    plan_fail(plan, "the client left without a request");
}

static void on_tick(uint64_t ms, void *user_data) {
  struct server *server = user_data;
  server->now_ms = ms;
  for (size_t i = 0; i < SESSIONS_MAX; i++) {
    if (server->transfers[i]) transfer_tick(server->transfers[i], ms);
  }
  if (server->ending) return;
  if (ms >= RUN_SECONDS * 1000) {
    plan_fail(server->plan, "not done after %d s: %zu sessions came, %zu files missing", RUN_SECONDS, server->seen,
              plan_left(server->plan));
    server_end(server);
  } else if (server->seen > 0 && server->open == 0 && ms - server->empty_ms >= LINGER_MS) {
    server_end(server);
  }
}

/* --- Sessions --- */

static void on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct transfer *transfer = user_data;
  struct server *server = transfer->owner;
  (void)session;
  fprintf(stderr, "session at /%s ended by %s, code %u, %zu requests answered\n", transfer->name,
          wt_party_name(info->by), (unsigned int)info->code, transfer->answered);
  transfer_end(transfer);
  server->open--;
  server->answered += transfer->answered;
  server->empty_ms = server->now_ms;
  for (size_t i = 0; i < SESSIONS_MAX; i++) {
    if (server->transfers[i] == transfer) server->transfers[i] = NULL;
  }
  free(transfer);
}

/* Copies the first component of the path; false if there is none. */
static bool endpoint_name(const wt_request *request, char name[256]) {
  const char *path = wt_request_path(request) + 1;
  size_t len = strcspn(path, "/");
  if (len == 0 || len > 255 || strcmp(path, "..") == 0 || strcmp(path, ".") == 0) return false;
  memcpy(name, path, len);
  name[len] = 0;
  return true;
}

static struct transfer **transfer_slot(struct server *server) {
  for (size_t i = 0; i < SESSIONS_MAX; i++) {
    if (!server->transfers[i]) return &server->transfers[i];
  }
  return NULL;
}

static void on_request(wt_request *request, void *user_data) {
  struct server *server = user_data;
  struct transfer **slot = transfer_slot(server), *transfer = slot ? calloc(1, sizeof *transfer) : NULL;
  struct wt_upgrade_options options;
  wt_session *session;
  char name[256];
  if (!transfer || !endpoint_name(request, name)) {
    wt_request_respond(request, transfer ? 404 : 503, NULL, 0, NULL, 0);
    free(transfer);
    return;
  }
  transfer_init(transfer, server->plan, name);
  transfer->owner = server;
  transfer->on_change = on_change;
  wt_upgrade_options_default(&options);
  const struct wt_session_callbacks callbacks = transfer_callbacks(on_session_close);
  options.callbacks = &callbacks;
  options.user_data = transfer;
  options.protocols = server->plan->protocols;
  options.protocol_count = server->plan->protocol_count;
  int error = wt_upgrade(request, &options, &session);
  if (error) {
    fprintf(stderr, "/%s: %s\n", name, wt_request_error(request));
    wt_request_respond(request, wt_upgrade_status(error), NULL, 0, NULL, 0);
    free(transfer);
    return;
  }
  *slot = transfer;
  server->open++;
  server->seen++;
  transfer_begin(transfer, session);
  if (server->plan->task == TASK_HANDSHAKE) transfer_note_protocol(transfer);
}

/* --- The server --- */

static bool allow_any_origin(const wt_request *request, void *user_data) {
  (void)request;
  (void)user_data;
  return true;
}

/* Starts it and says where it listens, which a local run waits for. */
static bool server_start(struct server *server) {
  char cert[PATH_MAX], key[PATH_MAX], message[256], address[64];
  wt_certificate *certificate;
  snprintf(cert, sizeof cert, "%s/cert.pem", server->plan->certs);
  snprintf(key, sizeof key, "%s/priv.key", server->plan->certs);
  if (wt_certificate_load(cert, key, &certificate, message, sizeof message)) {
    fprintf(stderr, "%s\n", message);
    return false;
  }
  int error = wt_server_add_certificate(server->handle, certificate);
  wt_certificate_free(certificate);
  if (!error) error = wt_server_handle(server->handle, "/", on_request, server);
  if (!error) error = wt_server_start(server->handle);
  if (!error) error = wt_server_get_address(server->handle, 0, address, sizeof address);
  if (error) {
    fprintf(stderr, "%s: %s\n", wt_error_string(error), wt_server_error(server->handle));
    return false;
  }
  printf("ready %s\n", address);
  fflush(stdout);
  return true;
}

int server_run(struct plan *plan, FILE *log_file) {
  struct sigaction action = {.sa_handler = on_signal};
  struct server server = {.plan = plan};
  struct wt_server_config config;
  wt_server_config_default(&config);
  config.listen = &plan->listen;
  config.listen_count = 1;
  config.check_origin = allow_any_origin;
  config.log = log_write;
  config.log_user_data = log_file;
  config.log_level = WT_LOG_DEBUG;
  if (wt_server_new(&config, &server.handle, NULL, 0)) return 1;
  running = server.handle;
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  struct ticker ticker = {.server = server.handle, .on_tick = on_tick, .user_data = &server};
  if (!server_start(&server)) {
    plan->failed = true;
  } else if (!ticker_start(&ticker)) {
    plan_fail(plan, "no thread can be made");
  } else {
    wt_server_run(server.handle);
    server_judge(&server);
  }
  ticker_stop(&ticker);
  signal(SIGTERM, SIG_IGN); /* it is ending already */
  signal(SIGINT, SIG_IGN);
  wt_server_free(server.handle);
  return plan->failed;
}
