/* SPDX-License-Identifier: MIT */
/*
 * The client's role: one session for each endpoint of the plan, all asked for at once and sharing one connection,
 * since the runner counts handshakes and wants exactly one. A client that fetches ends its sessions when the last
 * file is there; one that serves waits until the server ends them.
 *
 *   dials --> sessions --> done, failed or 60 s over --> sessions closed --> wt_client_run returns
 *
 * The server's certificate is checked against the authority that the runner makes for each run, ca.pem beside the
 * server's own chain. Where there is neither, nothing can be checked, and a line says so.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "roles.h"
#include "ticker.h"
#include "transfer.h"

enum {
  FAREWELL_MS = 2000, /* for the server to acknowledge the sessions' ends */
};

struct client {
  struct plan *plan;
  wt_client *handle;
  struct transfer *transfers; /* one for each endpoint */
  size_t begun, ended;        /* sessions */
  uint64_t now_ms, ended_ms;
  bool closing;
};

static wt_client *running;

static void on_signal(int number) {
  (void)number;
  wt_client_close(running);
}

/* Ends everything, in order where all is well. */
static void client_close(struct client *client) {
  if (client->closing) return;
  client->closing = true;
  for (size_t i = 0; i < client->plan->count; i++) {
    if (client->transfers[i].session) wt_session_close(client->transfers[i].session, client->plan->failed, "", 0);
  }
  if (client->plan->failed) wt_client_close(client->handle);
}

static void on_change(struct transfer *transfer) {
  struct client *client = transfer->owner;
  bool done = transfer->plan->task == TASK_FETCH && plan_left(transfer->plan) == 0;
  if (done || transfer->plan->failed) client_close(client);
}

static void on_tick(uint64_t ms, void *user_data) {
  struct client *client = user_data;
  client->now_ms = ms;
  for (size_t i = 0; i < client->plan->count; i++) transfer_tick(&client->transfers[i], ms);
  if (client->ended == client->plan->count) {
    /* A server that has left already acknowledges nothing, and the idle timeout is half the run's time. */
    if (ms - client->ended_ms >= FAREWELL_MS) wt_client_close(client->handle);
    return;
  }
  if (ms < RUN_SECONDS * 1000 || client->closing) return;
  plan_fail(client->plan, "not done after %d s: %zu files missing", RUN_SECONDS, plan_left(client->plan));
  client_close(client);
}

/* --- Sessions --- */

static void on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct transfer *transfer = user_data;
  struct client *client = transfer->owner;
  (void)session;
  fprintf(stderr, "session at /%s ended by %s, code %u, %zu requests answered\n", transfer->name,
          wt_party_name(info->by), (unsigned int)info->code, transfer->answered);
  transfer_end(transfer);
  client->ended++;
  client->ended_ms = client->now_ms;
  if (client->closing) return;
  if (client->plan->task != TASK_SERVE)
    plan_fail(client->plan, "/%s: the session ended too early", transfer->name);
  else if (transfer->answered == 0)
    plan_fail(client->plan, "/%s: the session ended without a request", transfer->name);
  if (client->plan->failed) client_close(client);
}

/* All sessions have to be there before the first is closed: with it the connection could go. */
static void client_begun(struct client *client, struct transfer *transfer) {
  client->begun++;
  if (client->plan->task != TASK_HANDSHAKE) return;
  if (client->begun == 1) transfer_note_protocol(transfer);
  if (client->begun == client->plan->count) client_close(client);
}

static void on_dial_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct transfer *transfer = user_data;
  struct client *client = transfer->owner;
  (void)dial;
  if (result->session) {
    transfer_begin(transfer, result->session);
    client_begun(client, transfer);
    return;
  }
  if (client->closing) return;
  plan_fail(client->plan, "/%s: no session (%s, at %s, status %d): %s", transfer->name, wt_error_name(result->error),
            wt_dial_stage_name(result->stage), result->status, result->message);
  client_close(client);
}

static void client_dial(struct client *client, struct transfer *transfer, const struct endpoint *endpoint) {
  struct wt_dial_options options;
  char url[PATH_MAX];
  wt_dial *dial;
  transfer_init(transfer, client->plan, endpoint->name);
  transfer->owner = client;
  transfer->on_change = on_change;
  wt_dial_options_default(&options);
  static const struct wt_dial_callbacks callbacks = {.on_done = on_dial_done};
  options.callbacks = &callbacks;
  const struct wt_session_callbacks session_callbacks = transfer_callbacks(on_session_close);
  options.session_callbacks = &session_callbacks;
  options.user_data = options.session_user_data = transfer;
  options.protocols = client->plan->protocols;
  options.protocol_count = client->plan->protocol_count;
  options.allow_pooling = true;
  snprintf(url, sizeof url, "%s/%s", endpoint->origin, endpoint->name);
  int error = wt_client_dial(client->handle, url, &options, &dial);
  if (error) plan_fail(client->plan, "%s: %s %s", url, wt_error_string(error), wt_client_error(client->handle));
}

/* --- The client --- */

/* The authority to trust; false: there is none to be found. */
static bool trust_find(const struct plan *plan, char file[PATH_MAX]) {
  static const char *const names[] = {"ca.pem", "cert.pem"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    int len = snprintf(file, PATH_MAX, "%s/%s", plan->certs, names[i]);
    if (len < PATH_MAX && access(file, R_OK) == 0) return true;
  }
  fprintf(stderr, "neither ca.pem nor cert.pem in %s: the server's certificate is not checked\n", plan->certs);
  return false;
}

int client_run(struct plan *plan, FILE *log_file) {
  struct sigaction action = {.sa_handler = on_signal};
  struct client client = {.plan = plan, .transfers = calloc(plan->count, sizeof *client.transfers)};
  struct wt_client_config config;
  char authority[PATH_MAX], message[256];
  if (!client.transfers) return 1;
  wt_client_config_default(&config);
  config.log = log_write;
  config.log_user_data = log_file;
  config.log_level = WT_LOG_DEBUG;
  if (trust_find(plan, authority))
    config.ca_file = authority;
  else
    config.dangerously_accept_any_certificate = true;
  if (wt_client_new(&config, &client.handle, message, sizeof message)) {
    fprintf(stderr, "%s\n", message);
    free(client.transfers);
    return 1;
  }
  running = client.handle;
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  struct ticker ticker = {.client = client.handle, .on_tick = on_tick, .user_data = &client};
  for (size_t i = 0; i < plan->count; i++) client_dial(&client, &client.transfers[i], &plan->endpoints[i]);
  if (!ticker_start(&ticker)) plan_fail(plan, "no thread can be made");
  if (plan->failed) client_close(&client);
  wt_client_run(client.handle);
  ticker_stop(&ticker);
  signal(SIGTERM, SIG_IGN); /* it is ending already */
  signal(SIGINT, SIG_IGN);
  wt_client_free(client.handle);
  if (plan_left(plan) > 0 && !plan->failed) plan_fail(plan, "%zu files missing", plan_left(plan));
  if (client.ended < plan->count && !plan->failed) plan_fail(plan, "stopped");
  free(client.transfers);
  return plan->failed;
}
